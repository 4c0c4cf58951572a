"""A SourceSchema: the columns of an input or reference table, and how records become them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from streamsql.configuration.part import Part
from streamsql.errors import Error
from streamsql.io.json_path import JsonPath, common_elements, parse_json_path
from streamsql.io.layout import Layout, RecordSchema
from streamsql.sql.parser import parse_statement
from streamsql.statements.statement import ColumnDefinition
from streamsql.statements.streaming import CreateStream
from streamsql.types import ROWTIME, Field

ENCODINGS = {"UTF-8": "utf-8", "UTF8": "utf-8", "US-ASCII": "ascii", "ISO-8859-1": "latin-1", "ISO 8859-1": "latin-1"}
"""What RecordEncoding may say: the service's API takes UTF-8, its console spoke of ISO 8859-1 too."""

_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "0": "\0"}


def record_schema(schema: Part) -> RecordSchema:
    """What a SourceSchema declares."""
    format_ = schema.need("RecordFormat")
    kind = format_.need("RecordFormatType")
    parameters = format_.get("MappingParameters")
    encoding = _encoding(schema.get("RecordEncoding"))
    columns = schema.need("RecordColumns").items()
    if not columns:
        raise schema.wrong("RecordColumns is empty")
    fields = _fields(columns)
    match kind.text().upper():
        case "JSON":
            layout = _json(parameters, columns, encoding)
        case "CSV":
            layout = _csv(parameters, encoding)
        case other:
            raise kind.wrong(f"RecordFormatType is JSON or CSV, not {other}")
    return RecordSchema(fields, kind.text().lower(), layout)


def _fields(columns: Sequence[Part]) -> tuple[Field, ...]:
    fields: dict[str, Field] = {}
    for column in columns:
        name = column.need("Name")
        if name.text() in fields:
            raise name.wrong(f"column {name.text()} stands twice")
        if name.text() == ROWTIME:
            raise name.wrong("every stream has a ROWTIME of its own", "leave it out, or give the column another name")
        definition = _definition(column.need("SqlType"))
        fields[name.text()] = Field(name.text(), definition.type, definition.nullable)
    return tuple(fields.values())


def _definition(type_: Part) -> ColumnDefinition:
    """What SqlType says of a column: what could stand behind its name in CREATE STREAM."""
    try:
        statement = parse_statement(f"CREATE STREAM s (c {type_.text()})")
    except Error as error:
        raise type_.wrong(f"SqlType {type_.text()}: {error.message}", error.hint) from None
    if not isinstance(statement, CreateStream) or len(statement.columns) != 1:
        raise type_.wrong(f"SqlType {type_.text()} is no type")
    return statement.columns[0]


def _encoding(encoding: Part | None) -> str:
    if encoding is None:
        return "utf-8"
    known = ENCODINGS.get(encoding.text().upper())
    if known is None:
        raise encoding.wrong(f"RecordEncoding {encoding.text()} is not known", "UTF-8, US-ASCII or ISO-8859-1")
    return known


def _json(parameters: Part | None, columns: Sequence[Part], encoding: str) -> Layout:
    mapping = None if parameters is None else parameters.get("JSONMappingParameters")
    given = None if mapping is None else mapping.get("RecordRowPath")
    rows = JsonPath() if given is None else _path(given)
    paths = tuple(_path(column.need("Mapping")) for column in columns)
    try:
        elements = common_elements(paths)
    except ValueError as error:
        raise columns[0].wrong(str(error)) from None
    if given is not None and elements is not None and rows.elements is not None:
        raise given.wrong(f"RecordRowPath {rows} makes rows of an array's elements already, and so does {JsonPath(elements)}")
    return Layout(encoding=encoding, row_path=rows, paths=paths)


def _path(part: Part) -> JsonPath:
    try:
        return parse_json_path(part.text())
    except ValueError as error:
        raise part.wrong(f"{part.name}: {error}") from None


def _csv(parameters: Part | None, encoding: str) -> Layout:
    mapping = None if parameters is None else parameters.get("CSVMappingParameters")
    rows, columns = (_delimiter(mapping, key) for key in ("RecordRowDelimiter", "RecordColumnDelimiter"))
    rows, columns = rows or "\n", columns or ","
    if mapping is not None:
        if rows == columns:
            raise mapping.wrong("RecordRowDelimiter and RecordColumnDelimiter are the same")
        for key, delimiter in (("RecordRowDelimiter", rows), ("RecordColumnDelimiter", columns)):
            if '"' in delimiter:
                raise mapping.need(key).wrong(f'{key} cannot hold ", which encloses fields')
    return Layout(header=False, row_delimiter="\n" if rows == "\r\n" else rows, column_delimiter=columns, encoding=encoding)


def _delimiter(mapping: Part | None, key: str) -> str | None:
    """A delimiter, its escapes resolved: templates often hold a backslash and an n for a line feed."""
    part = None if mapping is None else mapping.get(key)
    if part is None:
        return None
    if not isinstance(part.node.value, str) or not part.node.value:
        raise part.wrong(f"{key} must be text of one character or more")
    return _ESCAPE.sub(_unescaped, part.node.value)


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else _ESCAPED.get(match[3], match[3])
