"""From what was read of a file to what was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

import pyarrow as pa

from streamsql.expressions.conditions import conjuncts
from streamsql.expressions.nodes import Column
from streamsql.external.scan.asked import Arrays, Asked, Constants, chosen
from streamsql.external.scan.conform import conformed
from streamsql.external.scan.first_rows import FirstRows
from streamsql.external.scan.portions import GroupPortion, Groups, Portion, RowPortion
from streamsql.external.scan.request import Request
from streamsql.io.decoding import unfit
from streamsql.operator import Failed, FailedRow, row_json
from streamsql.rows import Mask, QueryTime
from streamsql.types import Batch, Field

Given: TypeAlias = Batch | Failed


class RowMaker:
    """What one request makes of columns; for all threads."""

    def __init__(self, request: Request, time: QueryTime) -> None:
        self.request = request
        self.first = None if request.first is None else FirstRows(request.first, time)
        """What is known of rows that are to be the first of an order."""
        leading: frozenset[int] = frozenset() if self.first is None else self.first.columns
        self.asked = sorted(request.condition.columns() | leading)
        """The columns that say which rows are wanted."""
        self._conditions = [Asked(part, time) for part in conjuncts(request.condition)]
        self._given = given_columns(request)
        self._groups = None if request.grouping is None else Groups(request, request.grouping, time)
        keys = () if request.grouping is None else request.grouping.keys
        alone = {key.index for key in keys if isinstance(key, Column)}
        alone |= {condition.columns[0] for condition in self._conditions if len(condition.columns) == 1}
        fields = [column.field for column in request.columns]
        self.coded = frozenset(i for i in alone if fields[i].type.is_character and i in request.stored)
        """The columns of which a dictionary says as much as the texts, and sooner: grouped by, or compared alone."""

    @property
    def told(self) -> frozenset[int] | None:
        """The columns whose bounds in the footers answer the request; None where rows are asked for."""
        facts = None if self._groups is None or self._conditions else self._groups.of_footers
        return None if facts is None else frozenset(fact.column for fact in facts if fact.column is not None)

    def portion(self) -> Portion:
        """What takes the rows of one part of the table."""
        return RowPortion(self.request, self.first) if self._groups is None else GroupPortion(self._groups)

    def mask(self, columns: Arrays, constants: Constants, count: int) -> Mask | None:
        """Which rows are wanted (None: all), by the columns `asked`: where the condition, which cannot fail, is true, and those
        that can be among the first of an order."""
        mask: Mask | None = None
        for condition in self._conditions:
            found = condition.mask(columns, constants, count)
            mask = found if mask is None else mask & found
            if not mask.any():
                return mask
        if self.first is not None:
            leading = self.first.mask(self.first.key(columns, constants, count))
            mask = leading if mask is None else mask if leading is None else mask & leading
        return None if mask is None or mask.all() else mask

    def wanted(self, columns: Arrays, constants: Constants, count: int) -> tuple[Arrays, int]:
        """The rows that are wanted."""
        mask = self.mask(columns, constants, count)
        return (columns, count) if mask is None else self.chosen(columns, mask)

    def chosen(self, columns: Arrays, mask: Mask) -> tuple[Arrays, int]:
        """The rows for which a mask is true, of columns that are read for more than to know that; and how many rows they are."""
        return chosen({i: column for i, column in columns.items() if i in self._given}, mask)


def given_columns(request: Request) -> frozenset[int]:
    """The columns that are needed of the rows that are wanted."""
    grouping = request.grouping
    if grouping is None:
        return frozenset(range(len(request.columns)))
    computed = (*grouping.keys, *(argument for call in grouping.calls for argument in call.arguments))
    return frozenset[int]().union(*(expression.columns() for expression in computed))


def whole(arrays: Arrays, fields: Mapping[int, Field]) -> dict[int, pa.Array] | None:
    """Columns as a file holds them, as columns of the declared types; None where some values do not fit."""
    made: dict[int, pa.Array] = {}
    for place, array in arrays.items():
        column = conformed(array, fields[place].type)
        if column is None:
            return None
        made[place] = column
    return made


def fitted(arrays: Arrays, fields: Mapping[int, Field], count: int) -> Iterator[tuple[dict[int, pa.Array], int] | FailedRow]:
    """The same with the number of rows: where some do not fit they are halved until those stand alone, which fail."""
    made = whole(arrays, fields)
    if made is not None:
        yield made, count
    elif count == 1:
        yield _misfit(arrays, fields)
    else:
        half = count // 2
        for start, length in ((0, half), (half, count - half)):
            yield from fitted({i: array.slice(start, length) for i, array in arrays.items()}, fields, length)


def _misfit(arrays: Arrays, fields: Mapping[int, Field]) -> FailedRow:
    """A row that does not fit, and why."""
    record = {fields[i].name: array[0].as_py() for i, array in arrays.items()}
    field = next(fields[i] for i, array in arrays.items() if conformed(array, fields[i].type) is None)
    return unfit(f"{record[field.name]!r} is no {field.type}, which column {field.name} is", None, row_json(record))


def size_of(given: Given) -> int:
    """The bytes of what was read."""
    return int(given.nbytes) if isinstance(given, pa.RecordBatch) else sum(len(row.data) for row in given.rows)
