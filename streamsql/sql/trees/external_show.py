"""The functions for the rules of grammar/external.lark: SHOW, DESCRIBE, USE."""

from __future__ import annotations

from typing import Any

from lark import Token

from streamsql.sql.rules import rule
from streamsql.statements.external_ddl import Text, Use
from streamsql.statements.external_show import (
    Describe,
    ShowColumns,
    ShowCreate,
    ShowDatabases,
    ShowPartitions,
    ShowProperties,
    ShowTables,
)
from streamsql.statements.statement import Identifier, ObjectName


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
