"""The functions for the rules of grammar/external.lark: ALTER TABLE, DROP, MSCK REPAIR TABLE, REFRESH TABLE."""

from __future__ import annotations

from typing import Any

from lark import Token
from sqlglot import exp

from streamsql.sql.hive_text import unescaped
from streamsql.sql.rules import rule
from streamsql.sql.trees.external_parts import Clause, Columns, constant_text
from streamsql.statements.external_changes import (
    AddColumns,
    AddPartitions,
    AlterTable,
    DropColumn,
    DropPartitions,
    PartitionSpec,
    PartitionValue,
    RefreshTable,
    RenameColumn,
    RenamePartition,
    RepairTable,
    ReplaceColumns,
    SetFormat,
    SetLocation,
    SetPartitionColumns,
    SetProperties,
    TableChange,
)
from streamsql.statements.external_ddl import DropExternal, HiveColumn, HiveType, Text
from streamsql.statements.statement import Identifier, ObjectName


@rule
def partition_constant(*parts: Any) -> str | None:
    last = parts[-1]  # behind the DATE or TIMESTAMP of DATE '2024-01-01'
    if isinstance(last, Text):
        return last.text
    if isinstance(last, Token):
        return unescaped(str(last))
    return None if isinstance(last, exp.Null) else constant_text(last)


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
def refresh_table(name: ObjectName) -> RefreshTable:
    return RefreshTable(name)


@rule
def external_kind(word: Token) -> str:
    return word.type


@rule
def its_database(*words: Token) -> bool:
    return bool(words)


@rule
def drop_external(kind: str, if_exists: bool, name: ObjectName, its_database: bool, cascade: bool) -> DropExternal:
    return DropExternal(kind, name, if_exists, cascade, its_database)
