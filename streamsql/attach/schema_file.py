"""Schema files: the columns of an input."""

from __future__ import annotations

from pathlib import Path

from streamsql.configuration.read import read_schema
from streamsql.engine.execution import fields_of
from streamsql.errors import Error, OperationalError, ProgrammingError
from streamsql.io.layout import RecordSchema
from streamsql.sql.parser import parse
from streamsql.statements.streaming import CreateForeignStream, CreateStream


def schema_of(path: Path) -> RecordSchema:
    """The columns of a `--schema` file: a CREATE STREAM statement, or an InputSchema in JSON."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise OperationalError(f"cannot read the schema {path}: {error.strerror}") from None
    try:
        if text.lstrip().startswith("{"):
            return read_schema(text)
        statements = parse(text)
        if len(statements) != 1 or not isinstance(statements[0], (CreateStream, CreateForeignStream)):
            raise ProgrammingError("a schema file holds one CREATE STREAM statement")
        return RecordSchema(fields_of(statements[0].columns))
    except Error as error:
        raise error.located(text, str(path)) from None
