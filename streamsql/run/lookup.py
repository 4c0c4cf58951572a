"""Lookup: every row of a stream or table with the rows of a table that it matches, at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from streamsql.errors import InternalError
from streamsql.keys.interner import Ids, Interner
from streamsql.operator import Failed, Operator, Output
from streamsql.plan.nodes import JoinKind
from streamsql.rows import QueryTime, Rows
from streamsql.run.matching import NONE, Rest, Terms, key_ids
from streamsql.state import RowBuffer, empty_batch
from streamsql.time import END, Time
from streamsql.types import Batch

_CANDIDATES = 262_144
"""Pairs that are looked at together."""


class Lookup(Operator):
    """Port 0 are the rows, port 1 is the table, which is complete before the first row comes.

    So the table is no state: whoever starts the query anew brings it anew.  A pair for which the condition cannot be told is
    no match; its row is reported, and does not come as one without a match.
    """

    ports = 2

    def __init__(
        self,
        schema: pa.Schema,
        table: pa.Schema,
        kind: JoinKind,
        terms: tuple[Terms, Terms],
        key_types: Sequence[pa.DataType],
        rest: Rest,
        unread: frozenset[int],
        time: QueryTime,
    ) -> None:
        self._schema = schema
        self._width = len(schema) - len(table)
        self._nothing = empty_batch(pa.schema(list(schema)[: self._width]))
        self._keeps_rows = kind in (JoinKind.LEFT, JoinKind.FULL)
        self._keeps_table = kind is JoinKind.FULL
        self._terms = terms
        self._rest = rest
        self._unread = unread
        self._time = time
        self._coming = RowBuffer(table)
        self._table: Batch | None = None
        self._known = Interner(key_types)
        self._keys = 0  # of the table; the keys of rows that are not in it come behind

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        if port == 1:
            self._coming.append(batch)
        else:
            yield from self._look_up(batch)

    def advance(self, t: Time, port: int = 0) -> Iterator[Output]:
        if t == END:
            yield from self._end_of_rows() if port == 0 else self._end_of_table()

    def _end_of_table(self) -> Iterator[Output]:
        """Order the table by its keys."""
        table = self._coming.take_all()
        rows = Rows(table, self._time)
        meets, columns = self._terms[1].evaluate(rows)
        if rows.failures:
            yield Failed.of(table, rows.failures)
            meets = meets & rows.good()
        ids = key_ids(self._known, meets, columns[0])
        self._keys = len(self._known)
        self._by_key = np.argsort(ids, kind="stable")[np.count_nonzero(ids == NONE) :]
        counts = np.bincount(ids[ids != NONE], minlength=self._keys)
        self._counts = np.append(counts, 0)  # the last for the key NONE
        self._starts = np.append(np.cumsum(counts) - counts, 0)
        self._matched = np.zeros(table.num_rows, bool)
        self._lost = ~rows.good()
        self._table = table

    def _look_up(self, batch: Batch) -> Iterator[Output]:
        if self._table is None:
            raise InternalError("a row is looked up in a table that is not there yet")
        rows = Rows(batch, self._time)
        meets, columns = self._terms[0].evaluate(rows)
        good = rows.good()
        ids = key_ids(self._known, meets & good, columns[0])
        ids[ids >= self._keys] = NONE
        if len(self._known) > 2 * max(self._keys, _CANDIDATES):
            self._known.keep(np.arange(self._keys))
        for start, stop in _chunks(self._counts[ids]):
            yield from self._chunk(rows, ids, start, stop)
        if rows.failures:
            yield Failed.of(batch, rows.failures)

    def _chunk(self, rows: Rows, ids: Ids, start: int, stop: int) -> Iterator[Output]:
        """Match the rows from `start` to `stop`."""
        counts = self._counts[ids[start:stop]]
        left = np.repeat(np.arange(start, stop), counts)
        within = np.arange(len(left)) - np.repeat(np.cumsum(counts) - counts, counts)
        right = self._by_key[self._starts[ids[left]] + within]
        holds, failures = self._rest.holds(lambda c: self._column(rows.batch, c, left, right), len(left))
        for pair, failure in failures.items():
            rows.fail_row(int(left[pair]), failure)
        if holds is not None:
            left, right = left[holds], right[holds]
        if self._keeps_table:
            self._matched[right] = True
        if self._keeps_rows:
            alone = rows.good()[start:stop]
            alone[left - start] = False
            left = np.concatenate((left, np.flatnonzero(alone) + start))
            right = np.concatenate((right, np.full(len(left) - len(right), NONE)))
            order = np.argsort(left, kind="stable")
            left, right = left[order], right[order]
        if len(left):
            yield self._joined(rows.batch, left, right)

    def _joined(self, batch: Batch, left: Ids, right: Ids) -> Batch:
        columns = [
            pa.nulls(len(left), type) if column in self._unread else self._column(batch, column, left, right)
            for column, type in enumerate(self._schema.types)
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self._schema)

    def _column(self, batch: Batch, column: int, left: Ids, right: Ids) -> pa.Array:
        assert self._table is not None
        if column < self._width:
            return batch.column(column).take(_places(left))
        return self._table.column(column - self._width).take(_places(right))

    def _end_of_rows(self) -> Iterator[Output]:
        """A full join: the rows of the table that nothing has matched."""
        if self._table is None or not self._keeps_table:
            return
        right = np.flatnonzero(~(self._matched | self._lost))
        if len(right):
            yield self._joined(self._nothing, np.full(len(right), NONE), right)


def _places(indices: Ids) -> pa.Array:
    """Indices for `take`; NONE gives NULL."""
    missing = indices == NONE
    return pa.array(indices, mask=missing) if missing.any() else pa.array(indices)


def _chunks(counts: Ids) -> Iterator[tuple[int, int]]:
    """Runs of rows with so many candidates together, or of one row with more."""
    totals = np.cumsum(counts)
    start = 0
    while start < len(counts):
        before = int(totals[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(totals, before + _CANDIDATES, "right")))
        yield start, stop
        start = stop
