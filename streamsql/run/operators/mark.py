"""Mark: every row of a stream or table with whether a table has a row for which a condition is true."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from streamsql.operator import Failed, Operator, Output, State
from streamsql.rows import Mask, QueryTime, Rows
from streamsql.run.operators.looked_up import LookedUpTable, Lost, failed
from streamsql.run.operators.table_index import TableIndex, Wanted
from streamsql.time import END, Time
from streamsql.types import Batch


class Mark(Operator):
    """Port 0 are the rows, port 1 is the table, unless that is read as its keys arrive.

    There is an index for each condition, whose answer is a column behind those of the row.  A row for which a condition
    cannot be told is reported.
    """

    ports = 2

    def __init__(self, schema: pa.Schema, table: LookedUpTable, indices: Sequence[TableIndex], time: QueryTime) -> None:
        self._schema = schema
        self.table = table
        self._indices = tuple(indices)
        self._time = time

    @property
    def state(self) -> Mapping[str, State]:
        return self.table.state

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        if port == 1:
            self.table.append(batch)
        else:
            yield from self._mark(batch)

    def advance(self, t: Time, port: int = 0) -> Iterator[Output]:
        if port == 1 and t == END:
            rows = self.table.complete()
            if rows.failures:
                yield Failed.of(rows.batch, rows.failures)

    def _mark(self, batch: Batch) -> Iterator[Output]:
        rows = Rows(batch, self._time)
        marks: list[pa.Array] = []
        lost: Lost = {}
        for index in self._indices:
            wanted = index.wanted(rows)
            lost = self.table.bring(batch, wanted) or lost
            marks.append(pa.array(self._holds(rows, index, wanted)))
        result = pa.RecordBatch.from_arrays([*batch.columns, *marks], schema=self._schema)
        if rows.failures or lost:
            yield failed(batch, rows, lost)
            result = result.filter(pa.array(rows.good()))
        if result.num_rows:
            yield result

    def _holds(self, rows: Rows, index: TableIndex, wanted: Wanted) -> Mask:
        table, keys = self.table.batch, index.ids(wanted)
        if index.settled_by_keys:
            found: Mask = index.counts(keys) > 0
            return found
        holds = np.zeros(rows.count, bool)
        for run in index.runs(keys):
            left, _ = index.matches(rows, keys, run, table)
            holds[left] = True
        return holds
