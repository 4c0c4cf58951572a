"""What a plan asks of an external table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from streamsql.expressions.conditions import TRUE, is_stable
from streamsql.expressions.nodes import Column, Expression
from streamsql.external.partitions import names_of
from streamsql.external.scan.files import DataFile
from streamsql.external.table import ExternalTable
from streamsql.types import BIGINT, BOOLEAN, TIMESTAMP, Field, Schema, varchar


@dataclass(frozen=True, slots=True)
class ScanColumn:
    """A column of a scan's rows: where the table has it.

    `path` is the name of a column, and below it those of fields of records; or the name of a pseudocolumn.
    """

    field: Field
    path: tuple[str, ...]


PSEUDOCOLUMNS = {
    field.name: ScanColumn(field, (field.name,))
    for field in (
        Field("$path", varchar(), hidden=True),
        Field("$size", BIGINT, hidden=True),
        Field("$file_size", BIGINT, hidden=True),
        Field("$file_modified_time", TIMESTAMP, hidden=True),
        Field("$partition", varchar(), hidden=True),
    )
}
"""What can be asked of the file of a row: both services' names."""

ROWS = ScanColumn(Field("$rows", BOOLEAN, hidden=True), ("$rows",))
"""A column that says nothing, for rows that are only counted."""


@dataclass(frozen=True, slots=True)
class DynamicFilter:
    """That an expression over the columns asked for is one of the keys of a join, which the plan gives this number.

    It is known once the join's table is complete.  It cannot fail.
    """

    expression: Expression
    number: int


@dataclass(frozen=True, slots=True)
class Request:
    """Rows of a table.

    `keys` is a condition over the partition keys, by position: what it leaves is looked at.  `condition`, over the columns
    asked for, cannot fail: only rows for which it is true are given.  After `limit` rows no more are wanted.  Of rows that do
    not meet the `dynamic` filters some may be given all the same.
    """

    table: ExternalTable
    columns: tuple[ScanColumn, ...]
    keys: Expression = TRUE
    condition: Expression = TRUE
    limit: int | None = None
    dynamic: tuple[DynamicFilter, ...] = ()

    @property
    def schema(self) -> Schema:
        return Schema(tuple(column.field for column in self.columns))

    def over_keys(self, part: Expression) -> Expression | None:
        """An expression that reads partition keys, and nothing else, over these by position; None for any other."""
        columns = part.columns()
        found = {column: self.table.key_place(self.columns[column].path[0]) for column in columns}
        places = {column: place for column, place in found.items() if place is not None}
        if not columns or len(places) < len(columns) or not is_stable(part):
            return None
        return part.rewrite(lambda e: replace(e, index=places[e.index]) if isinstance(e, Column) else e)

    @property
    def stored(self) -> tuple[int, ...]:
        """The places of the columns that are in the files."""
        return tuple(i for i, column in enumerate(self.columns) if column.path[0] in _stored_names(self.table))


def _stored_names(table: ExternalTable) -> frozenset[str]:
    return frozenset(column.name for column in table.columns)


def all_columns(table: ExternalTable) -> tuple[ScanColumn, ...]:
    """The columns of a table, its keys, and the pseudocolumns."""
    own = tuple(ScanColumn(column.field, (column.name,)) for column in (*table.columns, *table.keys))
    return (*own, *PSEUDOCOLUMNS.values())


@dataclass(frozen=True, slots=True)
class PartitionFile:
    """A file of a partition, and the partition's row in the table of partitions."""

    file: DataFile
    partition: pa.Table

    def constants(self, request: Request) -> dict[int, pa.Scalar]:
        """The columns that have one value in the whole file: keys and pseudocolumns, by their places."""
        keys = {key.name: key.field for key in request.table.keys}
        found: dict[int, pa.Scalar] = {}
        for place, column in enumerate(request.columns):
            name = column.path[0]
            if name in keys:
                found[place] = self.partition[name][0]
            elif name in PSEUDOCOLUMNS or column == ROWS:
                found[place] = pa.scalar(self._fact(name, request.table.key_fields), column.field.type.arrow())
        return found

    def _fact(self, name: str, keys: Sequence[Field]) -> object:
        entry = self.file.entry
        match name:
            case "$path":
                return self.file.name
            case "$size" | "$file_size":
                return entry.size
            case "$file_modified_time":
                return entry.version // 1_000_000
            case "$partition":
                return names_of(keys, self.partition)[0]
            case _:
                return None
