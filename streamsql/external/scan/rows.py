"""From what was read of a file to rows of the columns that were asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

import pyarrow as pa

from streamsql.expressions.conditions import TRUE
from streamsql.expressions.evaluate import evaluator
from streamsql.expressions.nodes import Column
from streamsql.external.scan.conform import conformed
from streamsql.external.scan.request import Request
from streamsql.io.decoding import unfit
from streamsql.operator import Failed, FailedRow, row_json
from streamsql.rows import Mask, QueryTime, Rows, mask_of
from streamsql.types import Batch, Field

Given: TypeAlias = Batch | Failed

BATCH = 131_072
"""Rows given at a time."""


class RowMaker:
    """Makes the rows of one request; for all threads."""

    def __init__(self, request: Request, time: QueryTime) -> None:
        self.request = request
        self._schema = request.schema.arrow()
        self._time = time
        self.asked = sorted(request.condition.columns())
        """The columns that the condition reads."""
        place = {column: i for i, column in enumerate(self.asked)}
        condition = request.condition.rewrite(lambda e: replace(e, index=place[e.index]) if isinstance(e, Column) else e)
        self._condition = None if request.condition == TRUE else evaluator(condition, time)

    def rows(self, columns: Mapping[int, pa.Array], constants: Mapping[int, pa.Scalar], count: int) -> Batch:
        """Rows of these columns, which are of the declared types, and of columns that have one value."""
        arrays = [columns[i] if i in columns else pa.repeat(constants[i], count) for i in range(len(self._schema))]
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def wanted(self, batch: Batch) -> Batch:
        """The rows for which the condition is true."""
        mask = self.mask({i: batch.column(i) for i in self.asked}, {}, batch.num_rows)
        return batch if mask is None else batch.filter(pa.array(mask))

    def mask(self, columns: Mapping[int, pa.Array], constants: Mapping[int, pa.Scalar], count: int) -> Mask | None:
        """Where the condition, which cannot fail, is true (None: everywhere), by the columns that it reads."""
        if self._condition is None:
            return None
        arrays = [columns[i] if i in columns else pa.repeat(constants[i], count) for i in self.asked] or [pa.nulls(count)]
        rows = Rows(pa.RecordBatch.from_arrays(arrays, names=list(map(str, range(len(arrays))))), self._time)
        mask = mask_of(self._condition(rows), rows)
        return None if mask.all() else mask


Arrays = Mapping[int, pa.Array]
"""Columns by their places in the request."""


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


def cut(batch: Batch) -> Iterator[Batch]:
    """A batch in pieces that are not too large."""
    return (batch.slice(start, BATCH) for start in range(0, batch.num_rows, BATCH))


def size_of(given: Given) -> int:
    """The bytes of what was read."""
    return int(given.nbytes) if isinstance(given, pa.RecordBatch) else sum(len(row.data) for row in given.rows)
