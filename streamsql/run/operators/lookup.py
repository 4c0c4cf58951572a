"""Lookup: every row of a stream or table with the rows of a table that it matches, at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from streamsql.keys.interner import Ids
from streamsql.operator import Failed, Operator, Output, State
from streamsql.plan.joins import JoinKind
from streamsql.rows import ErrorName, QueryTime, Rows
from streamsql.run.operators.looked_up import LookedUpTable, failed
from streamsql.run.operators.matching import NONE
from streamsql.run.operators.table_index import Pairs, TableIndex
from streamsql.state import empty_batch
from streamsql.time import END, Time
from streamsql.types import Batch


class Lookup(Operator):
    """Port 0 are the rows, port 1 is the table, unless that is read as its keys arrive.

    A pair for which the condition cannot be told is no match; its row is reported, and does not come as one without a match.
    """

    ports = 2

    def __init__(
        self,
        schema: pa.Schema,
        width: int,
        table: LookedUpTable,
        kind: JoinKind,
        index: TableIndex,
        unread: frozenset[int],
        time: QueryTime,
    ) -> None:
        self._schema = schema
        self._nothing = empty_batch(pa.schema(list(schema)[:width]))
        self._keeps_rows = kind in (JoinKind.LEFT, JoinKind.FULL, JoinKind.SINGLE)
        self._keeps_table = kind is JoinKind.FULL
        self._one_at_most = kind is JoinKind.SINGLE
        self.table = table
        self._index = index
        self._unread = unread
        self._time = time
        self._matched = self._lost = np.zeros(0, bool)

    @property
    def state(self) -> Mapping[str, State]:
        return self.table.state

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        if port == 1:
            self.table.append(batch)
        else:
            yield from self._look_up(batch)

    def advance(self, t: Time, port: int = 0) -> Iterator[Output]:
        if t == END:
            yield from self._end_of_rows() if port == 0 else self._end_of_table()

    def _end_of_table(self) -> Iterator[Output]:
        rows = self.table.complete()
        if rows.failures:
            yield Failed.of(rows.batch, rows.failures)
        if self._keeps_table:
            self._matched = np.zeros(rows.count, bool)
            self._lost = ~rows.good()

    def _look_up(self, batch: Batch) -> Iterator[Output]:
        rows = Rows(batch, self._time)
        wanted = self._index.wanted(rows)
        lost = self.table.bring(batch, wanted)
        keys = self._index.ids(wanted)
        for run in self._index.runs(keys):
            yield from self._match(rows, keys, run)
        if rows.failures or lost:
            yield failed(batch, rows, lost)

    def _match(self, rows: Rows, keys: Ids, run: tuple[int, int]) -> Iterator[Output]:
        left, right = self._index.matches(rows, keys, run, self.table.batch)
        if self._keeps_table:
            self._matched[right] = True
        if self._one_at_most and len(left) > 1:
            left, right = _first_of_each(rows, left, right)
        if self._keeps_rows:
            start, stop = run
            alone = rows.good()[start:stop]
            alone[left - start] = False
            left = np.concatenate((left, np.flatnonzero(alone) + start))
            right = np.concatenate((right, np.full(len(left) - len(right), NONE)))
            order = np.argsort(left, kind="stable")
            left, right = left[order], right[order]
        if len(left):
            yield self._joined(rows.batch, left, right)

    def _joined(self, batch: Batch, left: Ids, right: Ids) -> Batch:
        pairs = Pairs(batch, self.table.batch, left, right)
        columns = [
            pa.nulls(len(left), type) if column in self._unread else pairs.column(column)
            for column, type in enumerate(self._schema.types)
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self._schema)

    def _end_of_rows(self) -> Iterator[Output]:
        """A full join: the rows of the table that nothing has matched."""
        if not self._keeps_table:
            return
        right = np.flatnonzero(~(self._matched | self._lost))
        if len(right):
            yield self._joined(self._nothing, np.full(len(right), NONE), right)


def _first_of_each(rows: Rows, left: Ids, right: Ids) -> tuple[Ids, Ids]:
    """Pairs of rows that match one row; a row that matches more is reported."""
    again = np.append(False, left[1:] == left[:-1])
    if not again.any():
        return left, right
    several = np.zeros(rows.count, bool)
    several[left[again]] = True
    rows.fail(several, "a subquery gives more than one row for this one, where one value is wanted", ErrorName.ARGUMENT)
    return left[~several[left]], right[~several[left]]
