"""Stagger: WINDOWED BY STAGGER, a window for each key that opens with the key's first row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from streamsql.functions.moves import extended
from streamsql.keys.interner import Ids, Interner
from streamsql.operator import Failed, Operator, Output, State
from streamsql.rows import Evaluate, QueryTime, Rows
from streamsql.run.operators.calls import Accumulation, parted, results, states
from streamsql.run.operators.window import times_of
from streamsql.state import Arrays, Queue
from streamsql.time import BEGIN, END, Time
from streamsql.types import Batch

_LEAST_KEYS = 1024


class Stagger(Operator):
    """The open windows, from the oldest to the newest, and their groups.

    A window is [t0, t0 + length): a row at its end opens the next one of its key.  As all are equally long, they close in the
    order in which they opened, and a group is a window's place in this queue.  Keys without a window are forgotten now and
    then.
    """

    def __init__(
        self,
        schema: pa.Schema,
        keys: Sequence[Evaluate],
        key_types: Sequence[pa.DataType],
        calls: Sequence[Accumulation],
        length: Time,
        time: QueryTime,
    ) -> None:
        self._schema = schema
        self._keys = tuple(keys)
        self._calls = tuple(calls)
        self._length = length
        self._time = time
        self._known = Interner(key_types)
        self._latest = Arrays({"end": np.zeros(0, np.int64), "window": np.zeros(0, np.int64), "keys": np.zeros(1, np.int64)})
        self._windows = Queue(opened=np.int64, key=np.int64)

    @property
    def state(self) -> Mapping[str, State]:
        return {"keys": self._known, "latest": self._latest, "windows": self._windows, **states(self._calls)}

    @property
    def open_groups(self) -> int:
        return len(self._windows)

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        rows = Rows(batch, self._time)
        keys = [rows.column(key(rows)) for key in self._keys]
        arguments = [call.evaluate(rows) for call in self._calls]
        times = times_of(batch)
        if rows.failures:
            yield Failed.of(batch, rows.failures)
            good = rows.good()
            mask = pa.array(good)
            times, keys = times[good], [key.filter(mask) for key in keys]
            arguments = [[argument.filter(mask) for argument in call] for call in arguments]
        if len(times):
            groups = self._assign(times, self._known.ids(keys, len(times)))
            for call, columns in zip(self._calls, arguments, strict=True):
                call.add(groups, len(self._windows), columns)
            yield from self._close(int(times[-1]))

    def advance(self, t: Time, port: int = 0) -> Iterator[Output]:
        yield from self._close(t)

    def bound(self, t: Time) -> Time:
        if len(self._windows):
            return int(self._windows["opened"][0]) + self._length
        return t if t in (BEGIN, END) else t + self._length

    def _assign(self, times: Ids, ids: Ids) -> Ids:
        """The group of each row; windows open."""
        from streamsql.kernels.stagger import open_windows

        self._fit(len(self._known))
        windows, openers = np.empty((2, len(ids)), np.int64)
        last, latest = self._windows.last, self._latest
        opened = open_windows(times, ids, self._length, last, latest["end"], latest["window"], windows, openers)
        openers = openers[:opened]
        self._windows.append(opened=times[openers], key=ids[openers])
        groups: Ids = windows - self._windows.first
        return groups

    def _fit(self, keys: int) -> None:
        known = int(self._latest["keys"][0])
        for name, fill in (("end", BEGIN), ("window", 0)):
            self._latest[name] = extended(self._latest[name], keys)
            self._latest[name][known:keys] = fill
        self._latest["keys"][0] = keys

    def _close(self, t: Time) -> Iterator[Output]:
        """Give the windows that are complete at `t`, and forget them."""
        opened = self._windows["opened"]
        count = len(opened) if t == END else int(np.searchsorted(opened, t - self._length, "right")) if t != BEGIN else 0
        if not count:
            return
        stamps = pa.array(opened[:count] + self._length, pa.timestamp("ms"))
        keys = self._known.columns(self._windows["key"][:count])
        values, failures = results(self._calls, count)
        self._windows.drop(count)
        self._forget()
        yield from parted(pa.RecordBatch.from_arrays([stamps, *keys, *values], schema=self._schema), failures)

    def _forget(self) -> None:
        """Forget the keys without a window, when they are more than half of many."""
        if len(self._known) < max(2 * len(self._windows), _LEAST_KEYS):
            return
        kept, renumbered = np.unique(self._windows["key"], return_inverse=True)
        self._known.keep(kept)
        self._windows["key"][:] = renumbered
        for name in ("end", "window"):
            self._latest[name] = self._latest[name][kept]
        self._latest["keys"][0] = len(kept)
