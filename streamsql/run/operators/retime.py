"""Retime: rows get their ROWTIME, and disorder is dealt with, here and nowhere else.

Two things enter a stream's time this way: a replayed input (`rowtime=`, `lateness=`) and a query that sets a new ROWTIME
(`expr AS ROWTIME`, T-sort).  A row is late when its time is below the highest let through; with an interval it is late when it
is below the highest seen minus the interval, and what is not late waits and is sorted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from streamsql.keys.order import Direction, sorted_indices
from streamsql.operator import Failed, Operator, Output, State
from streamsql.rows import ErrorName, Evaluate, Failure, QueryTime, Rows, late_failure
from streamsql.run.operators.window import times_of
from streamsql.state import Arrays, RowBuffer
from streamsql.time import BEGIN, END, Time
from streamsql.types import Batch


class Retime(Operator):
    """`column` becomes ROWTIME (column 0 of the output; it stays where it is, too).

    Bounds of the input say nothing about the new time, so only its end passes.
    """

    enters_time = True

    def __init__(
        self,
        schema: pa.Schema,
        column: int,
        within: Time,
        keys: Sequence[Evaluate],
        directions: Sequence[Direction],
        time: QueryTime,
    ) -> None:
        self._schema = schema
        self._column = column
        self._within = within
        self._keys = tuple(keys)
        self._directions = (Direction(False, False), *directions)
        self._time = time
        self._highest = Arrays({"seen": np.array([BEGIN], np.int64), "ended": np.zeros(1, np.int64)})
        self._waiting = RowBuffer(schema)

    @property
    def state(self) -> Mapping[str, State]:
        return {"highest": self._highest, "waiting": self._waiting}

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        column = batch.column(self._column)
        times: npt.NDArray[np.int64] = column.view(pa.int64()).fill_null(BEGIN).to_numpy(zero_copy_only=False)
        before = int(self._highest["seen"][0])
        running = np.maximum.accumulate(np.concatenate([[before], times]))
        floor = running[:-1] if not self._within else np.where(running[1:] == BEGIN, BEGIN, running[1:] - self._within)
        late = times < floor
        if column.null_count:
            late |= column.is_null().to_numpy(zero_copy_only=False)
        self._highest["seen"][0] = running[-1]
        columns = [column, *batch.columns[1:]]
        rows = batch
        if late.any():
            failures = {int(i): _late(column[int(i)], int(floor[i])) for i in np.flatnonzero(late)}
            yield Failed.of(batch, failures, running[1:].tolist())
            mask = pa.array(~late)
            columns, rows = [c.filter(mask) for c in columns], batch.filter(mask)
        if rows.num_rows:
            retimed = pa.RecordBatch.from_arrays(columns, schema=self._schema)
            if self._within:
                self._waiting.append(retimed)
                yield from self._release(self.bound(BEGIN))
            else:
                yield retimed

    def advance(self, t: Time, port: int = 0) -> Iterator[Output]:
        if t == END:
            self._highest["ended"][0] = 1
            yield from self._release(END)

    def promise(self, t: Time) -> None:
        """A bound on the new time, from whoever brings the rows: as if a row of that time had been seen."""
        self._highest["seen"][0] = max(int(self._highest["seen"][0]), t)

    def bound(self, t: Time) -> Time:
        seen = int(self._highest["seen"][0])
        if self._highest["ended"][0]:
            return END
        return BEGIN if seen == BEGIN else seen - self._within

    def _release(self, bound: Time) -> Iterator[Output]:
        """The waiting rows before `bound`, sorted: rows at it may still be joined by others of the same time."""
        if not len(self._waiting):
            return
        waiting = self._waiting.batch()
        ready = times_of(waiting) < bound if bound != END else np.ones(waiting.num_rows, bool)
        if not ready.any():
            return
        self._waiting.take_all()
        self._waiting.append(waiting.filter(pa.array(~ready)))
        released = waiting.filter(pa.array(ready))
        rows = Rows(released, self._time)
        keys = [rows.column(key(rows)) for key in self._keys]
        yield released.take(pa.array(sorted_indices([released.column(0), *keys], self._directions)))


def _late(value: pa.Scalar, floor: Time) -> Failure:
    if not value.is_valid:
        return Failure(ErrorName.LATE, "the row's ROWTIME is NULL")
    return late_failure(value.value, floor)
