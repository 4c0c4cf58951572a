"""Over: sliding windows.  Every row at once, with the values of all calls over the rows in its frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from streamsql.arrays import numbers
from streamsql.functions.aggregates.distinct import DistinctMoves
from streamsql.functions.aggregation import Fail, Sliding
from streamsql.functions.moves import Frames, Moves, RangeFrames, RowFrames, UnboundedFrames
from streamsql.keys.interner import Ids, Interner
from streamsql.operator import Failed, Operator, Output, State
from streamsql.plan.windows import Frame
from streamsql.rows import Datum, Evaluate, QueryTime, Rows
from streamsql.types import ROWTIME, Batch


@dataclass(frozen=True, slots=True)
class SlidingCall:
    """One call over a window: its arguments and its running values; `distinct`: which values its frames have."""

    arguments: tuple[Evaluate, ...]
    sliding: Sliding
    distinct: DistinctMoves | None = None

    @property
    def state(self) -> Mapping[str, State]:
        seen = {} if self.distinct is None else self.distinct.state
        return {"values": self.sliding.arrays, **{f"distinct {name}": state for name, state in seen.items()}}

    def slide(self, moves: Moves, arguments: Sequence[Datum], fail: Fail) -> pa.Array:
        """The value for each of the new rows."""
        if self.distinct is not None:
            moves, first = self.distinct.moves(moves, arguments[0])
            arguments = [first, *arguments[1:]]
        return self.sliding.slide(moves, arguments, fail)

    def keep(self, partitions: Ids) -> None:
        """Forget all partitions but these, which are numbered anew in this order."""
        self.sliding.keep(partitions)
        if self.distinct is not None:
            self.distinct.keep(partitions)


@dataclass(frozen=True, slots=True)
class OverWindow:
    """One window: its partition keys and their types, its frame, its calls."""

    partition: tuple[Evaluate, ...]
    partition_types: tuple[pa.DataType, ...]
    frame: Frame
    calls: tuple[SlidingCall, ...]


class Over(Operator):
    """The rows in the frames of each window, and the partitions they belong to, as dense ids.

    `schema` is that of the rows it gives: the columns of its input, then those of the calls, window by window.  A bound
    changes nothing: rows leave their frames when the next row comes in.
    """

    def __init__(self, schema: pa.Schema, windows: Sequence[OverWindow], time: QueryTime) -> None:
        self._schema = schema
        self._is_stream = schema.names[0] == ROWTIME
        self._windows = tuple(_Running(window) for window in windows)
        self._time = time

    @property
    def state(self) -> Mapping[str, State]:
        return {f"window {i} {name}": s for i, window in enumerate(self._windows) for name, s in window.state.items()}

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        rows = Rows(batch, self._time)
        evaluated = [window.evaluate(rows) for window in self._windows]
        if rows.failures:
            yield Failed.of(batch, rows.failures)
            mask = pa.array(rows.good())
            batch = batch.filter(mask)
            evaluated = [[[_filter(datum, mask) for datum in data] for data in window] for window in evaluated]
        if not batch.num_rows:
            return
        rows = Rows(batch, self._time)
        times = numbers(batch.column(0)) if self._is_stream else np.zeros(rows.count, np.int64)
        columns = [
            column for window, data in zip(self._windows, evaluated, strict=True) for column in window.slide(rows, times, data)
        ]
        result = pa.RecordBatch.from_arrays([*batch.columns, *columns], schema=self._schema)
        if rows.failures:
            yield Failed.of(batch, rows.failures)
            result = result.filter(pa.array(rows.good()))
        if result.num_rows:
            yield result


class _Running:
    """One window at work."""

    def __init__(self, window: OverWindow) -> None:
        self._window = window
        self._partitions = Interner(window.partition_types)
        self._frames = _frames(window.frame)

    @property
    def state(self) -> Mapping[str, State]:
        calls = {f"call {i} {name}": s for i, call in enumerate(self._window.calls) for name, s in call.state.items()}
        return {"partitions": self._partitions, "frames": self._frames.arrays, **calls}

    def evaluate(self, rows: Rows) -> list[list[Datum]]:
        """The partition keys, then the arguments of each call: first ones as arrays, others may be scalars."""
        keys = [rows.column(key(rows)) for key in self._window.partition]
        arguments = [[argument(rows) for argument in call.arguments] for call in self._window.calls]
        return [keys, *([rows.column(a) if i == 0 else a for i, a in enumerate(data)] for data in arguments)]

    def slide(self, rows: Rows, times: Ids, data: Sequence[Sequence[Datum]]) -> list[pa.Array]:
        """The value of each call for each row."""
        keys, *arguments = data
        ids = self._partitions.ids(keys, rows.count)
        moves = self._frames.moves(ids, times, len(self._partitions))
        calls = self._window.calls
        columns = [call.slide(moves, values, rows.fail) for call, values in zip(calls, arguments, strict=True)]
        occupied = self._frames.occupied(len(self._partitions))
        if occupied is not None:
            self._partitions.keep(occupied)
            for call in calls:
                call.keep(occupied)
        return columns


def _frames(frame: Frame) -> Frames:
    if frame.preceding is None:
        return UnboundedFrames()
    return RangeFrames(frame.preceding) if frame.unit == "RANGE" else RowFrames(frame.preceding)


def _filter(datum: Datum, mask: pa.Array) -> Datum:
    return datum if isinstance(datum, pa.Scalar) else datum.filter(mask)
