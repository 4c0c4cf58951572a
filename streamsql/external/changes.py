"""What ALTER TABLE does to an external table: one function a change, in the table `CHANGES`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from streamsql.errors import ProgrammingError, Span
from streamsql.external.formats import kind_of
from streamsql.external.partitions import LOCATION, NULL_VALUE
from streamsql.external.table import Column, ExternalTable, check_names, checked_location, columns_of, prefix
from streamsql.statements.external_changes import (
    AddColumns,
    AddPartitions,
    DropColumn,
    DropPartitions,
    PartitionSpec,
    RenameColumn,
    RenamePartition,
    ReplaceColumns,
    SetFormat,
    SetLocation,
    SetPartitionColumns,
    SetProperties,
)
from streamsql.statements.external_ddl import Stored
from streamsql.statements.statement import Identifier

Changed = tuple[ExternalTable, str]
"""The table as it is now, and what to say about it."""

_SPECIAL = re.compile(r"[\x00-\x1f\"#%'*/:=?\\\x7f{\[\]^]")
"""The characters that Hive does not write into the name of a folder."""


def add_partitions(table: ExternalTable, change: AddPartitions) -> Changed:
    _check_partitioned(table, change.partitions[0][0])
    partitions, there = table.partitions, 0
    for spec, location in change.partitions:
        key = partitions.key(spec, table.full_name)
        if len(partitions.where(key)):
            there += 1
            if not change.if_not_exists:
                name = folder_of(table, spec)
                raise ProgrammingError(f"partition {name} of {table.full_name} is there already", _span(spec), "IF NOT EXISTS")
            continue
        place = f"{prefix(table.location)}{folder_of(table, spec)}/" if location is None else checked_location(location)
        partitions = partitions.added(key, [place])
    added = len(change.partitions) - there
    known = f", {there} there already" if there else ""
    return replace(table, partitions=partitions), f"{_count(added, 'partition')} added to {table.full_name}{known}"


def drop_partitions(table: ExternalTable, change: DropPartitions) -> Changed:
    _check_partitioned(table, change.partitions[0])
    partitions, dropped = table.partitions, 0
    for spec in change.partitions:
        places = partitions.where(partitions.key(spec, table.full_name))
        if not len(places) and not change.if_exists:
            raise _no_partition(table, spec)
        partitions = partitions.without(places)
        dropped += len(places)
    return replace(table, partitions=partitions), f"{_count(dropped, 'partition')} dropped from {table.full_name}"


def rename_partition(table: ExternalTable, change: RenamePartition) -> Changed:
    place = _place(table, change.old)
    new = table.partitions.key(change.new, table.full_name)
    if len(table.partitions.where(new)):
        text = f"partition {folder_of(table, change.new)} of {table.full_name} is there already"
        raise ProgrammingError(text, _span(change.new))
    location = table.partitions.rows[LOCATION][place].as_py()
    partitions = table.partitions.changed(place, new, location)
    return replace(table, partitions=partitions), f"partition renamed to {folder_of(table, change.new)}"


def set_location(table: ExternalTable, change: SetLocation) -> Changed:
    location = checked_location(change.location)
    if change.partition is None:
        return replace(table, location=location), f"{table.full_name} is at {location}"
    key = table.partitions.key(change.partition, table.full_name)
    partitions = table.partitions.changed(_place(table, change.partition), key, location)
    text = f"partition {folder_of(table, change.partition)} of {table.full_name} is at {location}"
    return replace(table, partitions=partitions), text


def set_properties(table: ExternalTable, change: SetProperties) -> Changed:
    return replace(table, properties={**table.properties, **change.properties}), f"properties of {table.full_name} set"


def set_format(table: ExternalTable, change: SetFormat) -> Changed:
    stored = Stored(format=change.format)
    return replace(table, stored=stored, kind=kind_of(stored)), f"files of {table.full_name} are {change.format.text}"


def add_columns(table: ExternalTable, change: AddColumns) -> Changed:
    columns = (*table.columns, *columns_of(change.columns))
    return _with_columns(table, columns), f"{_count(len(change.columns), 'column')} added to {table.full_name}"


def replace_columns(table: ExternalTable, change: ReplaceColumns) -> Changed:
    return _with_columns(table, columns_of(change.columns)), f"columns of {table.full_name} replaced"


def set_partition_columns(table: ExternalTable, change: SetPartitionColumns) -> Changed:
    _place(table, change.partition)
    return table, "accepted; the files of a partition are read by the columns of its table"


def rename_column(table: ExternalTable, change: RenameColumn) -> Changed:
    old = _own_column(table, change.old)
    declared = replace(old.declared, name=change.new)
    new = columns_of([declared])[0]
    columns = tuple(new if column is old else column for column in table.columns)
    return _with_columns(table, columns), f"column {old.name} of {table.full_name} is now {new.name}"


def drop_column(table: ExternalTable, change: DropColumn) -> Changed:
    old = _own_column(table, change.column)
    if len(table.columns) == 1:
        raise ProgrammingError(f"{old.name} is the only column of {table.full_name}", change.column.span)
    columns = tuple(column for column in table.columns if column is not old)
    return _with_columns(table, columns), f"column {old.name} dropped from {table.full_name}"


CHANGES: dict[type, Callable[[ExternalTable, Any], Changed]] = {
    AddColumns: add_columns,
    AddPartitions: add_partitions,
    DropColumn: drop_column,
    DropPartitions: drop_partitions,
    RenameColumn: rename_column,
    RenamePartition: rename_partition,
    ReplaceColumns: replace_columns,
    SetFormat: set_format,
    SetLocation: set_location,
    SetPartitionColumns: set_partition_columns,
    SetProperties: set_properties,
}


def folder_of(table: ExternalTable, spec: PartitionSpec) -> str:
    """A PARTITION clause as the path of folders that Hive makes of it, its values as they are written."""
    given = {value.column.text.lower(): value.value for value in spec}
    values = [(key.name, given.get(key.name.lower())) for key in table.keys]
    return "/".join(f"{name}={folder_text(NULL_VALUE if value is None else value)}" for name, value in values)


def folder_text(value: str) -> str:
    """A value as Hive writes it into the name of a folder."""
    return _SPECIAL.sub(lambda match: f"%{ord(match[0]):02X}", value)


def _with_columns(table: ExternalTable, columns: Sequence[Column]) -> ExternalTable:
    check_names(columns, table.keys)
    return replace(table, columns=tuple(columns))


def _own_column(table: ExternalTable, name: Identifier) -> Column:
    column = table.column(name.text)
    if column is None:
        text = f"no column {name.text} in {table.full_name}"
        raise ProgrammingError(text, name.span, f"there are {', '.join(c.name for c in table.columns)}")
    if column in table.keys:
        raise ProgrammingError(f"{column.name} is a partition column of {table.full_name}", name.span)
    return column


def _place(table: ExternalTable, spec: PartitionSpec) -> int:
    """Where the partition of a clause stands; raises ProgrammingError where there is none."""
    _check_partitioned(table, spec)
    places = table.partitions.where(table.partitions.key(spec, table.full_name))
    if not len(places):
        raise _no_partition(table, spec)
    return int(places[0])


def _check_partitioned(table: ExternalTable, spec: PartitionSpec) -> None:
    if not table.keys:
        raise ProgrammingError(f"{table.full_name} is not partitioned", _span(spec))


def _no_partition(table: ExternalTable, spec: PartitionSpec) -> ProgrammingError:
    return ProgrammingError(f"{table.full_name} has no partition {folder_of(table, spec)}", _span(spec))


def _span(spec: PartitionSpec) -> Span:
    return spec[0].column.span.to(spec[-1].column.span)


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'s' * (n != 1)}"
