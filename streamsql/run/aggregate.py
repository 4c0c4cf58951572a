"""Aggregate: GROUP BY, a row for each group when its window is complete."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from streamsql.functions.grouped import Mergeable
from streamsql.keys.interner import Interner
from streamsql.operator import Failed, Operator, Output, State
from streamsql.rows import Evaluate, QueryTime, Rows
from streamsql.run import groups
from streamsql.run.calls import Accumulation, parted, results, states
from streamsql.run.groups import Groups
from streamsql.run.window import Closed, TimeWindows, Windows
from streamsql.time import Time
from streamsql.types import Batch


class Aggregate(Operator):
    """Groups of the open window, as dense ids; `window_key` says which of the keys is the window's (None: a table).

    `rest` takes the groups of a table when they become too many.
    """

    def __init__(
        self,
        schema: pa.Schema,
        keys: Sequence[Evaluate],
        key_types: Sequence[pa.DataType],
        calls: Sequence[Accumulation],
        windows: Windows,
        window_key: int | None,
        time: QueryTime,
        rest: Groups | None = None,
    ) -> None:
        self._schema = schema
        self._keys = tuple(keys)
        self._calls = tuple(calls)
        self._windows = windows
        self._window_key = window_key
        self._by_time = isinstance(windows, TimeWindows)
        self._others = [i for i in range(len(keys)) if i != window_key]
        self._groups = Interner([key_types[i] for i in self._others])
        self._is_stream = window_key is not None
        self._time = time
        self._rest = rest

    @property
    def state(self) -> Mapping[str, State]:
        return {"groups": self._groups, "window": self._windows.state, **states(self._calls)}

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
            ids = self._groups.ids([keys[i].slice(run.start, count) for i in self._others], count)
            for call, columns in zip(self._calls, arguments, strict=True):
                call.add(ids, len(self._groups), [c.slice(run.start, count) for c in columns])
        if self._rest is not None and self._groups.nbytes + sum(call.nbytes for call in self._mergeable()) > groups.MEMORY:
            self._put_aside(self._rest)

    def advance(self, t: Time, port: int = 0) -> Iterator[Output]:
        closed = self._windows.advance(t)
        if closed is not None:
            yield from self._emit(closed)

    def bound(self, t: Time) -> Time:
        return self._windows.earliest(t)

    @property
    def open_groups(self) -> int:
        return len(self._groups) if self._others else 0

    @property
    def spilled(self) -> int:
        return 0 if self._rest is None else self._rest.spilled

    def _mergeable(self) -> list[Mergeable]:
        return [call.accumulator for call in self._calls if isinstance(call.accumulator, Mergeable)]

    def _put_aside(self, rest: Groups) -> None:
        """Let the groups so far be put together with later ones of the same keys in the end."""
        calls = self._mergeable()
        rest.put_aside([*self._groups.columns(), *(part for call in calls for part in call.parts())])
        self._groups.clear()
        for call in calls:
            call.clear()

    def _emit(self, closed: Closed) -> Iterator[Output]:
        if self._rest is not None and self._rest.spilled:
            self._put_aside(self._rest)
            yield from self._rest.results()
            return
        count = len(self._groups)
        if not self._others and not self._is_stream:
            for call in self._calls:  # a table without GROUP BY gives one row, even of no rows
                call.add(np.zeros(0, np.int64), 1, [pa.nulls(0, t) for t in call.types])
        columns: list[pa.Array] = []
        if self._is_stream:
            columns.append(pa.repeat(pa.scalar(closed.stamp, pa.timestamp("ms")), count))
        others = iter(self._groups.columns()) if self._others else iter(())
        columns += [pa.repeat(closed.key, count) if i == self._window_key else next(others) for i in range(len(self._keys))]
        values, failures = results(self._calls, count)
        self._groups.clear()
        if count:
            yield from parted(pa.RecordBatch.from_arrays([*columns, *values], schema=self._schema), failures)
