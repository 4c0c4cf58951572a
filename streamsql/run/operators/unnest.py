"""Unnest: the elements of lists and maps as rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from streamsql.operator import Failed, Operator, Output
from streamsql.rows import Evaluate, QueryTime, Rows
from streamsql.types import Batch

Places = npt.NDArray[np.int64]


class Unnest(Operator):
    """Each row as often as its longest list has elements; it keeps nothing."""

    def __init__(self, schema: pa.Schema, lists: Sequence[Evaluate], numbered: bool, outer: bool, time: QueryTime) -> None:
        self._schema = schema
        self._lists = tuple(lists)
        self._numbered = numbered
        self._outer = outer
        self._time = time

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        rows = Rows(batch, self._time)
        lists = [rows.column(each(rows)) for each in self._lists]
        if rows.failures:
            yield Failed.of(batch, rows.failures)
            mask = pa.array(rows.good())
            batch, lists = batch.filter(mask), [each.filter(mask) for each in lists]
        begins, lengths = zip(*map(_bounds, lists), strict=True)
        times = np.maximum.reduce(lengths)
        repeated = np.maximum(times, 1) if self._outer else times
        if not repeated.sum():
            return
        of_row = np.repeat(np.arange(batch.num_rows), repeated)
        place = np.arange(len(of_row)) - np.repeat(np.cumsum(repeated) - repeated, repeated)
        columns = [column.take(pa.array(of_row)) for column in batch.columns]
        for each, begin, length in zip(lists, begins, lengths, strict=True):
            missing = place >= length[of_row]
            at = pa.array(np.where(missing, 0, begin[of_row] + place), mask=missing)
            columns += [values.take(at) for values in _values(each)]
        if self._numbered:
            columns.append(pa.array(place + 1, mask=place >= times[of_row]))
        yield pa.RecordBatch.from_arrays(columns, schema=self._schema)


def _bounds(lists: pa.ListArray | pa.MapArray) -> tuple[Places, Places]:
    """Where the elements of each list begin, and how many it has; NULL has none."""
    offsets = lists.offsets.to_numpy().astype(np.int64)
    there = lists.is_valid().to_numpy(zero_copy_only=False)
    return offsets[:-1], np.where(there, np.diff(offsets), 0)


def _values(lists: pa.ListArray | pa.MapArray) -> list[pa.Array]:
    """The columns that the elements of all lists make; a record gives its fields."""
    if pa.types.is_map(lists.type):
        return [lists.keys, lists.items]
    values = lists.values
    return list(values.flatten()) if pa.types.is_struct(values.type) else [values]
