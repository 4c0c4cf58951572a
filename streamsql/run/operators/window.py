"""When a group is complete: the windows of GROUP BY, ORDER BY and DISTINCT.

A window is a stretch of rows in which a monotonic key keeps its value.  It is complete when no later row can have that value:
when the next row, or a bound, is beyond its last instant.  What it gives then carries its end as ROWTIME.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.expressions.evaluate import evaluator
from streamsql.expressions.nodes import Call, Column, Constant, Expression, Word
from streamsql.rows import QueryTime, Rows
from streamsql.state import Arrays
from streamsql.time import BEGIN, END, Time
from streamsql.types import ROWTIME_FIELD, TIMESTAMP, Batch

Times = npt.NDArray[np.int64]


def times_of(batch: Batch) -> Times:
    """The ROWTIME of each row of a stream's batch, as milliseconds."""
    times: Times = batch.column(0).view(pa.int64()).to_numpy()
    return times


@dataclass(frozen=True, slots=True)
class Closed:
    """A complete window: the value of its key, and the ROWTIME of what it gives."""

    key: pa.Scalar | None
    stamp: Time


@dataclass(frozen=True, slots=True)
class Run:
    """Rows `start` to `stop` of a batch lie in one window; `closed` is the window before it, where they close one."""

    start: int
    stop: int
    closed: Closed | None


class Windows(Protocol):
    """How a batch falls into windows.  All that is remembered between batches is in `state`."""

    state: Arrays

    def runs(self, batch: Batch, key: pa.Array | None) -> Iterator[Run]:
        """Cut a batch; `key` is the column of key values, for windows that go by value."""
        ...

    def advance(self, t: Time) -> Closed | None:
        """The window that is complete when no later row is before `t`."""
        ...

    def earliest(self, t: Time) -> Time:
        """The lowest ROWTIME that may yet come out when no later row is before `t` (and `advance(t)` was called)."""
        ...


class WholeInput:
    """One window that is complete at the end: a table."""

    def __init__(self) -> None:
        self.state = Arrays()

    def runs(self, batch: Batch, key: pa.Array | None) -> Iterator[Run]:
        yield Run(0, batch.num_rows, None)

    def advance(self, t: Time) -> Closed | None:
        return Closed(None, END) if t == END else None

    def earliest(self, t: Time) -> Time:
        return t


@dataclass(frozen=True, slots=True)
class _Extent:
    """A window as far as it is known: an instant in it, its last instant, the ROWTIME of its results."""

    first: Time
    last: Time
    stamp: Time


class TimeWindows:
    """The windows of a key that is a function of ROWTIME: a bound can close them."""

    def __init__(self, key: Expression, time: QueryTime) -> None:
        core = _unshifted(key)
        self._key = _KeyOfTime(key, time)
        self._core = _KeyOfTime(core, time)
        self._core_is_time = core.type == TIMESTAMP
        self._of_ends = any(_is_moment_before(node) for node in core.walk())
        self._next_change = _rule(core) or self._core.next_change
        self.state = Arrays({"open": np.zeros(0, np.int64)})
        self._recent = _Extent(END, END, END)

    def runs(self, batch: Batch, key: pa.Array | None) -> Iterator[Run]:
        times = times_of(batch)
        start = 0
        while start < len(times):
            first = int(times[start])
            closed = self.advance(first)
            if not len(self.state["open"]):
                self.state["open"] = np.array([first])
            stop = int(np.searchsorted(times, self._extent(first).last, "right"))
            yield Run(start, stop, closed)
            start = stop

    def advance(self, t: Time) -> Closed | None:
        if not len(self.state["open"]):
            return None
        opened = int(self.state["open"][0])
        extent = self._extent(opened)
        if t <= extent.last:
            return None
        self.state["open"] = np.zeros(0, np.int64)
        return Closed(self._key.at(opened), extent.stamp)

    def earliest(self, t: Time) -> Time:
        return t if t in (BEGIN, END) else self._extent(t).stamp

    def _extent(self, t: Time) -> _Extent:
        """The window that `t` lies in.

        Where the key is the window's own last instant (CEIL, or ROWTIME itself), or that of other windows whose results
        these rows are, the results carry it; otherwise the instant after it, at which the window is known to be complete.
        """
        if not self._recent.first <= t <= self._recent.last:
            last = self._next_change(t) - 1
            right_closed = self._of_ends or (self._core_is_time and self._core.at(t).value == last)
            self._recent = _Extent(t, last, last if right_closed else last + 1)
        return self._recent


class ValueWindows:
    """The windows of a key that is monotonic by declaration or by its source: only the next value closes one.

    The results carry the ROWTIME of the row that closed it; at the end, that of the last row.
    """

    def __init__(self, key_type: pa.DataType) -> None:
        self.state = Arrays({"key": np.empty(0, object), "last": np.zeros(0, np.int64)})
        self._type = key_type

    def runs(self, batch: Batch, key: pa.Array | None) -> Iterator[Run]:
        assert key is not None
        times = times_of(batch)
        values = key.to_pylist()
        encoded = key.dictionary_encode(null_encoding="encode").indices.to_numpy(zero_copy_only=False)
        starts = [0, *(np.flatnonzero(np.diff(encoded)) + 1).tolist()]
        for start, stop in zip(starts, [*starts[1:], len(values)], strict=True):
            closed = None
            if len(self.state["key"]) and not _same(self.state["key"][0], values[start]):
                closed = self._close(int(times[start]))
            held = np.empty(1, object)
            held[0] = values[start]
            self.state["key"] = held
            self.state["last"] = times[stop - 1 : stop].copy()
            yield Run(start, stop, closed)

    def advance(self, t: Time) -> Closed | None:
        if t != END or not len(self.state["key"]):
            return None
        closed = self._close(int(self.state["last"][0]))
        self.state["key"] = np.empty(0, object)
        return closed

    def earliest(self, t: Time) -> Time:
        return min(t, int(self.state["last"][0])) if len(self.state["key"]) else t

    def _close(self, stamp: Time) -> Closed:
        return Closed(pa.scalar(self.state["key"][0], self._type), stamp)


def _same(one: Any, other: Any) -> bool:
    """Whether two key values are one group: every NaN is the same."""
    return bool(one == other or (one != one and other != other))


class _KeyOfTime:
    """A key as a function of the time."""

    _SCHEMA = pa.schema([ROWTIME_FIELD.arrow()])
    _DOUBLING = np.int64(2) ** np.arange(46, dtype=np.int64)

    def __init__(self, key: Expression, time: QueryTime) -> None:
        self._evaluate = evaluator(key, time)
        self._time = time

    def at(self, t: Time) -> pa.Scalar:
        return self._values(np.array([t]))[0]

    def next_change(self, t: Time) -> Time:
        """The first instant after `t` with another value, by search: ever finer steps through doubling ones."""
        value = self.at(t)
        low, points = t, t + self._DOUBLING
        while True:
            changed = np.flatnonzero(pc.not_equal(self._values(points), value).to_numpy(zero_copy_only=False))
            if not len(changed):
                return END
            high = int(points[changed[0]])
            low = int(points[changed[0] - 1]) if changed[0] else low
            if high - low <= 1:
                return high
            points = np.unique(np.linspace(low + 1, high, 256).astype(np.int64))

    def _values(self, times: Times) -> pa.Array:
        batch = pa.RecordBatch.from_arrays([pa.array(times, pa.timestamp("ms"))], schema=self._SCHEMA)
        rows = Rows(batch, self._time)
        return rows.column(self._evaluate(rows))


def _unshifted(key: Expression) -> Expression:
    """The key without the constants added to it: it changes exactly when the key does."""
    while isinstance(key, Call) and key.function.name in ("+", "-"):
        moving = [argument for argument in key.arguments if not argument.is_constant]
        if len(moving) != 1:
            break
        key = moving[0]
    return key


def _is_moment_before(node: Expression) -> bool:
    """Whether it is the millisecond before ROWTIME: the key of the windows that the rows come from, whose end is ROWTIME."""
    if not isinstance(node, Call) or node.function.name != "-":
        return False
    time, shift = node.arguments
    return isinstance(time, Column) and isinstance(shift, Constant) and shift.value == 1


def _rule(key: Expression) -> Callable[[Time], Time] | None:
    """The rule by which a key's function says when it changes, where it has one and is applied to ROWTIME itself."""
    if isinstance(key, Column):
        return lambda t: t + 1
    if not isinstance(key, Call) or key.function.next_change is None or not isinstance(key.arguments[0], Column):
        return None
    rest: list[Any] = []
    for argument in key.arguments[1:]:
        if isinstance(argument, Word):
            rest.append(argument.word)
        elif isinstance(argument, Constant):
            rest.append(argument.value)
        else:
            return None
    rule = key.function.next_change
    return lambda t: rule(t, *rest)
