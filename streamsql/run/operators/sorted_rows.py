"""Rows of a table in the order of some keys, whether memory holds them or not: then they are put on disk in sorted runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from streamsql.keys.interner import Ids
from streamsql.keys.order import Direction, not_after, sorted_indices
from streamsql.run.operators import spill
from streamsql.run.operators.sorted_runs import SortedRuns
from streamsql.state import RowBuffer
from streamsql.types import Batch

SLACK = 65_536
"""So many more rows than are wanted are kept before it is looked which are the first."""


class SortedRows:
    """Rows with their keys in the last columns; equal ones stay in the order in which they came.

    Where `first` is a number, no more rows are wanted than so many.  `spills`: whether rows may be put on disk.
    """

    def __init__(self, schema: pa.Schema, directions: Sequence[Direction], first: int | None, spills: bool) -> None:
        self.rows = RowBuffer(schema)
        """Those in memory."""
        self._directions = tuple(directions)
        self._first = first
        self._spills = spills
        self._bytes = 0
        self._last: pa.Scalar | None = None  # the leading key of the last of the first rows: what comes behind it is not wanted
        self._runs: SortedRuns | None = None

    @property
    def spilled(self) -> int:
        """Bytes that were put on disk."""
        return 0 if self._runs is None else self._runs.bytes

    def append(self, batch: Batch) -> None:
        """Rows behind those that are there."""
        if self._last is not None:
            key = batch.column(batch.num_columns - len(self._directions))
            batch = batch.filter(pa.array(not_after(key, self._last, self._directions[0])))
        self.rows.append(batch)
        self._bytes += batch.nbytes
        many = self._first is not None and len(self.rows) > 2 * self._first + SLACK
        too_much = self._spills and self._bytes > spill.MEMORY // 2  # to sort them takes as much again
        if many or too_much:
            ordered = self._sorted()
            if self._first and ordered.num_rows == self._first:
                self._last = ordered.column(ordered.num_columns - len(self._directions))[-1]
            if too_much and ordered.nbytes > spill.MEMORY // 4:
                self._put_aside(ordered)
            else:
                self.rows.append(ordered)
                self._bytes = ordered.nbytes

    def take(self) -> Iterator[Batch]:
        """All rows that are wanted, in their order; they are forgotten."""
        if self._runs is None:
            if len(self.rows):
                yield self._sorted()
            return
        self._put_aside(self._sorted())
        with self._runs:
            left = self._first
            for batch in self._runs.merged():
                yield batch if left is None else batch.slice(0, left)
                if left is not None:
                    left -= batch.num_rows
                    if left <= 0:
                        return

    def close(self) -> None:
        """Forget the rows on disk."""
        if self._runs is not None:
            self._runs.close()

    def _put_aside(self, ordered: Batch) -> None:
        if self._runs is None:
            self._runs = SortedRuns(self.rows.schema, self._order)
        self._runs.write(ordered)

    def _sorted(self) -> Batch:
        """The rows in memory in their order, which are forgotten."""
        batch = self.rows.take_all()
        self._bytes = 0
        return batch.take(pa.array(self._order(batch)[: self._first]))

    def _order(self, batch: Batch) -> Ids:
        return sorted_indices(batch.columns[batch.num_columns - len(self._directions) :], self._directions)
