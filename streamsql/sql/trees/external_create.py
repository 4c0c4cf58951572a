"""The functions for the rules of grammar/external.lark: CREATE, and what is said of databases."""

from __future__ import annotations

from typing import Any

from lark import Token
from sqlglot import exp

from streamsql.errors import ProgrammingError
from streamsql.sql.lexer import span_of
from streamsql.sql.rules import rule
from streamsql.sql.trees.external_parts import Clause, Columns, each_once
from streamsql.statements.external_ddl import (
    AlterDatabase,
    Bucketing,
    CreateDatabase,
    CreateExternalSchema,
    CreateExternalTable,
    HiveColumn,
    Stored,
    Text,
)
from streamsql.statements.external_dml import CreateExternalTableAs
from streamsql.statements.statement import Identifier, ObjectName


@rule
def database_clauses(*clauses: Clause) -> dict[str, Any]:
    return each_once(clauses)


@rule
def table_clauses(*clauses: Clause) -> dict[str, Any]:
    return each_once(clauses)


@rule
def partitioned_clause(columns: Columns) -> Clause:
    return Clause("PARTITIONED BY", columns, columns[0].name.span if columns else None)


@rule
def partitioned_as_clause(*names: Identifier) -> Clause:
    return Clause("PARTITIONED BY", names, names[0].span)


@rule
def sorted_column(name: Identifier, _direction: Any) -> Identifier:
    return name


@rule
def sorted_by(*names: Identifier) -> tuple[Identifier, ...]:
    return names


@rule
def clustered_clause(*parts: Any) -> Clause:
    *columns, sorted_by, count = parts
    return Clause("CLUSTERED BY", Bucketing(tuple(columns), int(count), sorted_by), span_of(count))


@rule
def delimiter_of(*words: Token) -> str:
    return " ".join(word.type for word in words)


@rule
def delimiter(what: str, text: Text) -> Clause:
    return Clause(what, text.text, text.span)


@rule
def delimited_clause(*delimiters: Clause) -> Clause:
    return Clause("ROW FORMAT", each_once(delimiters), delimiters[0].span if delimiters else None)


@rule
def serde_clause(name: Text) -> Clause:
    return Clause("ROW FORMAT", name, name.span)


@rule
def serde_properties_clause(properties: dict[str, str]) -> Clause:
    return Clause("WITH SERDEPROPERTIES", properties)


@rule
def stored_word(token: Token) -> Text:
    return Text(token.upper(), span_of(token))


@rule
def stored_clause(word: Text) -> Clause:
    return Clause("STORED AS", word, word.span)


@rule
def output_format(name: Text | None = None) -> Text | None:
    return name


@rule
def format_clause(input_: Text, output: Text | None) -> Clause:
    return Clause("STORED AS", (input_, output), input_.span)


@rule
def create_database(_replace: bool, if_not_exists: bool, name: ObjectName, clauses: dict[str, Any]) -> CreateDatabase:
    location = clauses.get("LOCATION")
    return CreateDatabase(
        name,
        if_not_exists,
        clauses.get("COMMENT"),
        None if location is None else location.text,
        clauses.get("the list of properties", {}),
    )


@rule
def alter_database(name: ObjectName, properties: dict[str, str]) -> AlterDatabase:
    return AlterDatabase(name, properties)


@rule
def schema_source(*words: Token) -> str:
    return " ".join(word.type for word in words)


@rule
def schema_option(word: Token) -> Token:
    return word


@rule
def schema_clause(word: Token, text: Text | None = None) -> Clause:
    return Clause(word.type, text or Text("default", span_of(word)), span_of(word))


@rule
def schema_port(number: Token) -> Clause:
    return Clause("PORT", Text(str(number), span_of(number)), span_of(number))


@rule
def schema_database(_if_not_exists: bool) -> Clause:
    return Clause("CREATE EXTERNAL DATABASE", True)


@rule
def create_external_schema(if_not_exists: bool, name: ObjectName, source: str, *clauses: Clause) -> CreateExternalSchema:
    found = each_once(clauses)
    create = found.pop("CREATE EXTERNAL DATABASE", False)
    database = found.pop("DATABASE", None)
    options = {word: text.text for word, text in found.items()}
    return CreateExternalSchema(name, source, database, if_not_exists, create, options)


@rule
def create_external_table(
    if_not_exists: bool, name: ObjectName, columns: Columns, clauses: dict[str, Any], query: exp.Expression | None
) -> CreateExternalTable | CreateExternalTableAs:
    location = clauses.get("LOCATION")
    if location is None:
        raise ProgrammingError("an external table needs the place of its files", name.span, "LOCATION 's3://bucket/folder/'")
    keys = clauses.get("PARTITIONED BY", ())
    if query is not None:
        return _table_as(if_not_exists, name, columns, clauses, query)
    untyped = next((key for key in keys if isinstance(key, Identifier)), None)
    if untyped is not None:
        raise ProgrammingError(f"partition column {untyped} has no type", untyped.span, f"PARTITIONED BY ({untyped} string)")
    return CreateExternalTable(
        name,
        columns,
        location,
        keys,
        if_not_exists,
        clauses.get("COMMENT"),
        _stored(clauses),
        clauses.get("CLUSTERED BY"),
        clauses.get("the list of properties", {}),
    )


def _table_as(
    if_not_exists: bool, name: ObjectName, columns: Columns, clauses: dict[str, Any], query: exp.Expression
) -> CreateExternalTableAs:
    """CREATE EXTERNAL TABLE ... AS query: the query says which columns there are, and of which types."""
    if columns:
        raise ProgrammingError("the columns are those of the query", columns[0].name.span, "PARTITIONED BY (name), without types")
    keys = [key.name if isinstance(key, HiveColumn) else key for key in clauses.get("PARTITIONED BY", ())]
    return CreateExternalTableAs(
        name,
        query,
        clauses["LOCATION"],
        tuple(keys),
        if_not_exists,
        clauses.get("COMMENT"),
        _stored(clauses),
        clauses.get("the list of properties", {}),
    )


def _stored(clauses: dict[str, Any]) -> Stored:
    row, kept = clauses.get("ROW FORMAT"), clauses.get("STORED AS")
    input_, output = kept if isinstance(kept, tuple) else (None, None)
    return Stored(
        format=kept if isinstance(kept, Text) else None,
        input=input_,
        output=output,
        serde=row if isinstance(row, Text) else None,
        serde_properties=clauses.get("WITH SERDEPROPERTIES", {}),
        delimiters=row if isinstance(row, dict) else None,
    )
