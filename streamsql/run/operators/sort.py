"""Sort: ORDER BY, the rows of each complete window in the order of the keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from streamsql.keys.order import Direction
from streamsql.operator import Failed, Operator, Output, State
from streamsql.rows import Evaluate, QueryTime, Rows
from streamsql.run.operators.sorted_rows import SortedRows
from streamsql.run.operators.window import Closed, Windows
from streamsql.time import Time
from streamsql.types import Batch


class Sort(Operator):
    """Rows of the open window with their keys behind them; `window_key` is the evaluator of a key that goes by value.

    Of a table no more rows are wanted than `first`, where that is a number.
    """

    def __init__(
        self,
        schema: pa.Schema,
        keys: Sequence[Evaluate],
        key_types: Sequence[pa.DataType],
        directions: Sequence[Direction],
        windows: Windows,
        window_key: Evaluate | None,
        first: int | None,
        time: QueryTime,
    ) -> None:
        self._schema = schema
        self._is_stream = schema.names[0] == "ROWTIME"
        self._columns = len(schema) - self._is_stream  # of the input: a stream's own ROWTIME is added behind it
        self._keys = tuple(keys)
        self._windows = windows
        self._window_key = window_key
        self._time = time
        kept = [pa.field(str(i), t) for i, t in enumerate(key_types)]
        self._kept = pa.schema([*list(schema)[: self._columns], *kept])
        self._rows = SortedRows(self._kept, directions, first, spills=not self._is_stream)

    @property
    def state(self) -> Mapping[str, State]:
        return {"rows": self._rows.rows, "window": self._windows.state}

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        rows = Rows(batch, self._time)
        keys = [rows.column(key(rows)) for key in self._keys]
        value = rows.column(self._window_key(rows)) if self._window_key else None
        keyed = pa.RecordBatch.from_arrays([*batch.columns, *keys], schema=self._kept)
        if rows.failures:
            yield Failed.of(batch, rows.failures)
            mask = pa.array(rows.good())
            keyed, value = keyed.filter(mask), value and value.filter(mask)
        for run in self._windows.runs(keyed, value):
            if run.closed is not None:
                yield from self._emit(run.closed)
            self._rows.append(keyed.slice(run.start, run.stop - run.start))

    def advance(self, t: Time, port: int = 0) -> Iterator[Output]:
        closed = self._windows.advance(t)
        if closed is not None:
            yield from self._emit(closed)

    def bound(self, t: Time) -> Time:
        return self._windows.earliest(t)

    @property
    def spilled(self) -> int:
        return self._rows.spilled

    def close(self) -> None:
        self._rows.close()

    def _emit(self, closed: Closed) -> Iterator[Output]:
        for keyed in self._rows.take():
            columns = keyed.columns[: self._columns]
            if self._is_stream:
                stamp = pa.repeat(pa.scalar(closed.stamp, pa.timestamp("ms")), keyed.num_rows)
                columns = [stamp, *columns[1:], columns[0]]
            yield pa.RecordBatch.from_arrays(columns, schema=self._schema)
