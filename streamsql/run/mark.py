"""Mark: every row of a stream or table with whether a table has a row for which a condition is true."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from streamsql.errors import InternalError
from streamsql.operator import Failed, Operator, Output
from streamsql.rows import Mask, QueryTime, Rows
from streamsql.run.table_index import TableIndex, pair_column
from streamsql.state import RowBuffer
from streamsql.time import END, Time
from streamsql.types import Batch


class Mark(Operator):
    """Port 0 are the rows, port 1 is the table, which is complete before the first row comes and therefore no state.

    There is an index for each condition, whose answer is a column behind those of the row.  A row for which a condition
    cannot be told is reported.
    """

    ports = 2

    def __init__(self, schema: pa.Schema, table: pa.Schema, indices: Sequence[TableIndex], time: QueryTime) -> None:
        self._schema = schema
        self._indices = tuple(indices)
        self._time = time
        self._coming = RowBuffer(table)
        self._table: Batch | None = None

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        if port == 1:
            self._coming.append(batch)
        else:
            yield from self._mark(batch)

    def advance(self, t: Time, port: int = 0) -> Iterator[Output]:
        if port == 1 and t == END:
            self._table = self._coming.take_all()
            rows = Rows(self._table, self._time)
            for index in self._indices:
                index.build(rows)
            if rows.failures:
                yield Failed.of(self._table, rows.failures)

    def _mark(self, batch: Batch) -> Iterator[Output]:
        rows = Rows(batch, self._time)
        marks = [pa.array(self._holds(rows, index)) for index in self._indices]
        result = pa.RecordBatch.from_arrays([*batch.columns, *marks], schema=self._schema)
        if rows.failures:
            yield Failed.of(batch, rows.failures)
            result = result.filter(pa.array(rows.good()))
        if result.num_rows:
            yield result

    def _holds(self, rows: Rows, index: TableIndex) -> Mask:
        if self._table is None:
            raise InternalError("a row is looked up in a table that is not there yet")
        table, keys = self._table, index.keys(rows)
        if index.settled_by_keys:
            found: Mask = index.counts(keys) > 0
            return found
        holds = np.zeros(rows.count, bool)
        for run in index.runs(keys):
            left, _ = index.matches(rows, keys, run, lambda c, left, right: pair_column(rows.batch, table, c, left, right))
            holds[left] = True
        return holds
