"""What a plan asks of an external table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from streamsql.expressions.calls import AggregateCall
from streamsql.expressions.conditions import TRUE, is_stable
from streamsql.expressions.nodes import Column, Expression
from streamsql.expressions.text import text
from streamsql.external.partitions import names_of
from streamsql.external.scan.files import DataFile
from streamsql.external.scan.partitions import Left
from streamsql.external.table import ExternalTable
from streamsql.keys.order import Direction
from streamsql.types import BIGINT, BOOLEAN, DOUBLE, TIMESTAMP, Field, Schema, SqlType, varchar


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
class Grouping:
    """That rows are wanted added up: the groups of each part of a table, over the columns asked for.  Nothing in it can fail."""

    keys: tuple[Expression, ...]
    calls: tuple[AggregateCall, ...]

    @property
    def fields(self) -> tuple[Field, ...]:
        """The keys, then what `Mergeable.parts` gives of each call."""
        fields = [Field(text(key), key.type) for key in self.keys]
        for call in self.calls:
            accumulator = call.mergeable()
            assert accumulator is not None
            fields += [Field(f"{call} part {i + 1}", _type_of(t, call)) for i, t in enumerate(accumulator.part_types)]
        return tuple(fields)


def _type_of(part: pa.DataType, call: AggregateCall) -> SqlType:
    """The type of a part of a call: its own, or that of whole numbers or doubles."""
    return {pa.int64(): BIGINT, pa.float64(): DOUBLE}.get(part, call.type)


@dataclass(frozen=True, slots=True)
class First:
    """That of all rows only the first `count` in some order are wanted, of which this is the leading key.  It cannot fail."""

    key: Expression
    direction: Direction
    count: int


@dataclass(frozen=True, slots=True)
class Request:
    """Rows of a table.

    `keys` is a condition over the partition keys, by position: what it leaves is looked at.  `condition`, over the columns
    asked for, cannot fail: only rows for which it is true are given.  After `limit` rows no more are wanted.  Of rows that do
    not meet the `dynamic` filters some may be given all the same, and so may some that are not among the `first` of an order.
    With `grouping` not the rows are given but their groups, those of one part of the table after those of the other.

    `arriving` are expressions over the partition keys, by position, that cannot fail: rows of a stream bring their values, and
    each brings the partitions that have it.  `chosen` are those that are wanted now; None: all that `keys` leaves.
    """

    table: ExternalTable
    columns: tuple[ScanColumn, ...]
    keys: Expression = TRUE
    condition: Expression = TRUE
    limit: int | None = None
    dynamic: tuple[DynamicFilter, ...] = ()
    grouping: Grouping | None = None
    arriving: tuple[Expression, ...] = ()
    chosen: Left | None = field(default=None, compare=False)
    first: First | None = None

    @property
    def schema(self) -> Schema:
        """Of what is given."""
        return self.rows if self.grouping is None else Schema(self.grouping.fields)

    @property
    def rows(self) -> Schema:
        """Of the rows."""
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
        names = {column.name for column in self.table.columns}
        return tuple(i for i, column in enumerate(self.columns) if column.path[0] in names)


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
