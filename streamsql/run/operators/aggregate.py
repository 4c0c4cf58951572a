"""Aggregate: GROUP BY, a row for each group when its window is complete."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from streamsql.operator import Failed, Operator, Output, State
from streamsql.rows import Evaluate, QueryTime, Rows
from streamsql.run.operators.accumulations import Accumulations
from streamsql.run.operators.calls import Accumulation, parted
from streamsql.run.operators.window import Closed, TimeWindows, Windows
from streamsql.time import Time
from streamsql.types import Batch


class Aggregate(Operator):
    """Groups of the open window; `window_key` says which of the keys is the window's (None: a table)."""

    def __init__(
        self,
        schema: pa.Schema,
        keys: Sequence[Evaluate],
        key_types: Sequence[pa.DataType],
        calls: Sequence[Accumulation],
        windows: Windows,
        window_key: int | None,
        time: QueryTime,
    ) -> None:
        self._schema = schema
        self._keys = tuple(keys)
        self._calls = tuple(calls)
        self._windows = windows
        self._window_key = window_key
        self._by_time = isinstance(windows, TimeWindows)
        self._others = [i for i in range(len(keys)) if i != window_key]
        self._is_stream = window_key is not None
        self._groups = Accumulations([key_types[i] for i in self._others], calls, None if self._is_stream else 0)
        self._time = time

    @property
    def state(self) -> Mapping[str, State]:
        return {**self._groups.state, "window": self._windows.state}

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        rows = Rows(batch, self._time)
        evaluated = [i for i in range(len(self._keys)) if not (self._by_time and i == self._window_key)]
        keys = {i: rows.column(self._keys[i](rows)) for i in evaluated}
        arguments = [call.evaluate(rows) for call in self._calls]
        if rows.failures:
            yield Failed.of(batch, rows.failures)
            mask = pa.array(rows.good())
            batch = batch.filter(mask)
            keys = {i: key.filter(mask) for i, key in keys.items()}
            arguments = [[argument.filter(mask) for argument in call] for call in arguments]
        for run in self._windows.runs(batch, keys.get(self._window_key) if self._window_key is not None else None):
            if run.closed is not None:
                yield from self._emit(run.closed)
            count = run.stop - run.start
            own = [[column.slice(run.start, count) for column in columns] for columns in arguments]
            self._groups.add([keys[i].slice(run.start, count) for i in self._others], own, count)

    def advance(self, t: Time, port: int = 0) -> Iterator[Output]:
        closed = self._windows.advance(t)
        if closed is not None:
            yield from self._emit(closed)

    def bound(self, t: Time) -> Time:
        return self._windows.earliest(t)

    @property
    def open_groups(self) -> int:
        return len(self._groups)

    @property
    def spilled(self) -> int:
        return self._groups.spilled

    def close(self) -> None:
        self._groups.close()

    def _emit(self, closed: Closed) -> Iterator[Output]:
        if not self._others and not self._is_stream:  # a table without GROUP BY gives one row, even of no rows
            self._groups.add([], [[pa.nulls(0, type) for type in call.types] for call in self._calls], 0)
        for taken in self._groups.take():
            columns: list[pa.Array] = []
            if self._is_stream:
                columns.append(pa.repeat(pa.scalar(closed.stamp, pa.timestamp("ms")), taken.count))
            others = iter(taken.keys)
            keys = range(len(self._keys))
            columns += [pa.repeat(closed.key, taken.count) if i == self._window_key else next(others) for i in keys]
            if taken.count:
                groups = pa.RecordBatch.from_arrays([*columns, *taken.values], schema=self._schema)
                yield from parted(groups, taken.failures)
