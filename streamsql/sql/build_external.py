"""The functions for the rules of grammar/external.lark."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from lark import Token
from sqlglot import exp

from streamsql.errors import ProgrammingError, Span
from streamsql.external_ddl import (
    AddColumns,
    AddPartitions,
    AlterDatabase,
    AlterTable,
    Bucketing,
    CreateDatabase,
    CreateExternalSchema,
    CreateExternalTable,
    Describe,
    DropColumn,
    DropExternal,
    DropPartitions,
    HiveColumn,
    HiveField,
    HiveType,
    PartitionSpec,
    PartitionValue,
    RenameColumn,
    RenamePartition,
    RepairTable,
    ReplaceColumns,
    SetFormat,
    SetLocation,
    SetPartitionColumns,
    SetProperties,
    ShowColumns,
    ShowCreate,
    ShowDatabases,
    ShowPartitions,
    ShowProperties,
    ShowTables,
    Stored,
    TableChange,
    Text,
    Use,
)
from streamsql.sql.hive_text import unescaped
from streamsql.sql.lexer import span_of
from streamsql.sql.rules import rule
from streamsql.statements import Identifier, ObjectName

MAX_LENGTH = 65_535
"""What `varchar(max)` means."""

Columns = tuple[HiveColumn, ...]
Property = tuple[str, str]


class Clause(NamedTuple):
    """A clause of a CREATE statement: the words with which it begins, and what it says."""

    words: str
    value: Any
    span: Span | None = None


# -- names and texts ---------------------------------------------------------------------------------------------------


@rule
def external_text(token: Token) -> Text:
    return Text(unescaped(str(token)), span_of(token))


@rule
def external_name(*tokens: Token) -> ObjectName:
    """The parts of a name; within one pair of back-ticks a dot parts them too."""
    parts = [_identifier(token) for token in tokens]
    if len(parts) == 1 and tokens[0].type == "BACKTICK_NAME":
        parts = [Identifier(part, True, parts[0].span) for part in parts[0].text.split(".")]
    return ObjectName(tuple(parts))


@rule
def column_name(token: Token) -> Identifier:
    return _identifier(token)


def _identifier(token: Token) -> Identifier:
    text = str(token)
    if token.type in ("QUOTED_NAME", "BACKTICK_NAME"):
        text = text[1:-1] if token.type == "BACKTICK_NAME" else unescaped(text)
        if not text:
            raise ProgrammingError("a name cannot be empty", span_of(token))
        return Identifier(text, True, span_of(token))
    return Identifier(text, False, span_of(token))


@rule
def property_(key: Text, value: str) -> Property:
    return key.text, value


@rule
def property_value(value: Text | exp.Expression) -> str:
    return value.text if isinstance(value, Text) else _constant_text(value)


@rule
def properties(*pairs: Property) -> dict[str, str]:
    return dict(pairs)


@rule
def if_not_exists(*words: Token) -> bool:
    return bool(words)


# -- types and columns -------------------------------------------------------------------------------------------------


@rule
def plain_type(word: Token, second: str, arguments: tuple[int, ...]) -> HiveType:
    return HiveType(f"{word.lower()}{second}", arguments)


@rule
def type_second(*words: Token) -> str:
    return "".join(f" {word.lower()}" for word in words)


@rule
def hive_arguments(*arguments: int) -> tuple[int, ...]:
    return arguments


@rule
def hive_argument(number: Token | None = None) -> int:
    return MAX_LENGTH if number is None else int(number)


@rule
def array_type(element: HiveType) -> HiveType:
    return HiveType("array", fields=(HiveField("", element),))


@rule
def map_type(key: HiveType, value: HiveType) -> HiveType:
    return HiveType("map", fields=(HiveField("", key), HiveField("", value)))


@rule
def struct_type(*fields: HiveField) -> HiveType:
    return HiveType("struct", fields=fields)


@rule
def struct_field(name: Identifier, type_: HiveType, _comment: str | None) -> HiveField:
    return HiveField(name.text, type_)


@rule
def comment(text: Text | None = None) -> str | None:
    return None if text is None else text.text


@rule
def external_column(name: Identifier, type_: HiveType, comment: str | None) -> HiveColumn:
    return HiveColumn(name, type_, comment)


@rule
def external_columns(*columns: HiveColumn) -> Columns:
    return columns


# -- CREATE ------------------------------------------------------------------------------------------------------------


@rule
def database_clauses(*clauses: Clause) -> dict[str, Any]:
    return _each_once(clauses)


@rule
def table_clauses(*clauses: Clause) -> dict[str, Any]:
    return _each_once(clauses)


def _each_once(clauses: Iterable[Clause]) -> dict[str, Any]:
    """What the clauses of a statement say, by their words."""
    found: dict[str, Any] = {}
    for clause in clauses:
        if clause.words in found:
            raise ProgrammingError(f"{clause.words} is said twice", clause.span)
        found[clause.words] = clause.value
    return found


@rule
def comment_clause(text: Text) -> Clause:
    return Clause("COMMENT", text.text, text.span)


@rule
def location_clause(text: Text) -> Clause:
    return Clause("LOCATION", text, text.span)


@rule
def properties_clause(properties: dict[str, str]) -> Clause:
    return Clause("the list of properties", properties)


@rule
def partitioned_clause(columns: Columns) -> Clause:
    return Clause("PARTITIONED BY", columns, columns[0].name.span if columns else None)


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
    return Clause("ROW FORMAT", _each_once(delimiters), delimiters[0].span if delimiters else None)


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
def create_database(
    _replace: bool, if_not_exists: bool, name: ObjectName, clauses: dict[str, Any]
) -> CreateDatabase:
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
    found = _each_once(clauses)
    create = found.pop("CREATE EXTERNAL DATABASE", False)
    database = found.pop("DATABASE", None)
    options = {word: text.text for word, text in found.items()}
    return CreateExternalSchema(name, source, database, if_not_exists, create, options)


@rule
def create_external_table(
    if_not_exists: bool, name: ObjectName, columns: Columns, clauses: dict[str, Any]
) -> CreateExternalTable:
    location = clauses.get("LOCATION")
    if location is None:
        raise ProgrammingError("an external table needs the place of its files", name.span, "LOCATION 's3://bucket/folder/'")
    return CreateExternalTable(
        name,
        columns,
        location,
        clauses.get("PARTITIONED BY", ()),
        if_not_exists,
        clauses.get("COMMENT"),
        _stored(clauses),
        clauses.get("CLUSTERED BY"),
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


# -- ALTER, DROP, MSCK -------------------------------------------------------------------------------------------------


@rule
def partition_constant(*parts: Any) -> str | None:
    last = parts[-1]  # behind the DATE or TIMESTAMP of DATE '2024-01-01'
    if isinstance(last, Text):
        return last.text
    if isinstance(last, Token):
        return unescaped(str(last))
    return None if isinstance(last, exp.Null) else _constant_text(last)


def _constant_text(constant: exp.Expression) -> str:
    """A number, TRUE or FALSE as text."""
    return str(constant.this).lower() if isinstance(constant, exp.Boolean) else str(constant.this)


@rule
def partition_value(column: Identifier, value: str | None) -> PartitionValue:
    return PartitionValue(column, value)


@rule
def partition(*values: PartitionValue) -> PartitionSpec:
    return values


@rule
def added_partition(spec: PartitionSpec, location: Clause | None = None) -> tuple[PartitionSpec, Text | None]:
    return spec, None if location is None else location.value


@rule
def add_partitions(if_not_exists: bool, *partitions: tuple[PartitionSpec, Text | None]) -> AddPartitions:
    return AddPartitions(partitions, if_not_exists)


@rule
def drop_partitions(if_exists: bool, *partitions: PartitionSpec) -> DropPartitions:
    return DropPartitions(partitions, if_exists)


@rule
def rename_partition(old: PartitionSpec, new: PartitionSpec) -> RenamePartition:
    return RenamePartition(old, new)


@rule
def set_location(*parts: Any) -> SetLocation:
    *spec, clause = parts
    return SetLocation(clause.value, spec[0] if spec else None)


@rule
def set_properties(properties: dict[str, str]) -> SetProperties:
    return SetProperties(properties)


@rule
def set_format(word: Text) -> SetFormat:
    return SetFormat(word)


@rule
def add_columns(columns: Columns) -> AddColumns:
    return AddColumns(columns)


@rule
def set_partition_columns(partition: PartitionSpec, columns: Columns) -> SetPartitionColumns:
    return SetPartitionColumns(partition, columns)


@rule
def add_column(name: Identifier, type_: HiveType) -> AddColumns:
    return AddColumns((HiveColumn(name, type_),))


@rule
def replace_columns(columns: Columns) -> ReplaceColumns:
    return ReplaceColumns(columns)


@rule
def rename_column(old: Identifier, new: Identifier) -> RenameColumn:
    return RenameColumn(old, new)


@rule
def drop_column(name: Identifier, _behaviour: bool) -> DropColumn:
    return DropColumn(name)


@rule
def alter_table(name: ObjectName, change: TableChange) -> AlterTable:
    return AlterTable(name, change)


@rule
def repair_table(name: ObjectName) -> RepairTable:
    return RepairTable(name)


@rule
def external_kind(word: Token) -> str:
    return word.type


@rule
def its_database(*words: Token) -> bool:
    return bool(words)


@rule
def drop_external(kind: str, if_exists: bool, name: ObjectName, its_database: bool, cascade: bool) -> DropExternal:
    return DropExternal(kind, name, if_exists, cascade, its_database)


# -- SHOW, DESCRIBE, USE -----------------------------------------------------------------------------------------------


@rule
def like_pattern(text: Text | None = None) -> str | None:
    return None if text is None else text.text


@rule
def pattern(text: Text | None = None) -> str | None:
    return None if text is None else text.text


@rule
def property_key(text: Text | None = None) -> str | None:
    return None if text is None else text.text


@rule
def in_database(name: ObjectName | None = None) -> ObjectName | None:
    return name


@rule
def from_database(name: ObjectName | None = None) -> ObjectName | None:
    return name


@rule
def with_partitions(*words: Token) -> bool:
    return bool(words)


@rule
def show_databases(pattern: str | None) -> ShowDatabases:
    return ShowDatabases(pattern)


@rule
def show_tables(database: ObjectName | None, pattern: str | None) -> ShowTables:
    return ShowTables(database, pattern)


@rule
def show_views(database: ObjectName | None, pattern: str | None) -> ShowTables:
    return ShowTables(database, pattern, only_views=True)


@rule
def show_partitions(name: ObjectName) -> ShowPartitions:
    return ShowPartitions(name)


@rule
def show_columns(name: ObjectName, database: ObjectName | None) -> ShowColumns:
    return ShowColumns(name if database is None else ObjectName((database.last, name.last)))


@rule
def show_create_table(name: ObjectName) -> ShowCreate:
    return ShowCreate(name)


@rule
def show_create_view(name: ObjectName) -> ShowCreate:
    return ShowCreate(name, "VIEW")


@rule
def show_external_table(name: ObjectName, with_partitions: bool) -> ShowCreate:
    return ShowCreate(name, with_partitions=with_partitions)


@rule
def show_properties(name: ObjectName, key: str | None) -> ShowProperties:
    return ShowProperties(name, key)


@rule
def how_described(*words: Token) -> bool:
    return bool(words)


@rule
def described_column(name: Identifier | None = None) -> Identifier | None:
    return name


@rule
def describe(detailed: bool, name: ObjectName, *rest: Any) -> Describe:
    *spec, column = rest
    return Describe(name, detailed, spec[0] if spec else None, column)


@rule
def use(name: ObjectName) -> Use:
    return Use(name)
