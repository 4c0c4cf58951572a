"""Merge: several inputs as one stream in ROWTIME order.  UNION ALL, and every stream with more than one writer.

Tables have no such order: the rows of one come behind those of the table in front of it.

Rows of equal ROWTIME are ordered by input, then by arrival.  So a row at `t` waits until no input before its own can give
another row at `t`, and none behind it a row before `t`: without this rule results would depend on how input is cut up.

A named stream is `open`: writers come and go while it flows.  What one that comes brings from before the stream's time is late.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from streamsql.operator import Failed, Operator, Output, State
from streamsql.rows import late_failure
from streamsql.run.operators.window import Times, times_of
from streamsql.state import Arrays, RowBuffer, joined
from streamsql.time import BEGIN, END, Time
from streamsql.types import ROWTIME, Batch


class Merge(Operator):
    """A buffer and a bound for each input; of an open one also the time that it has passed."""

    def __init__(self, schema: pa.Schema, ports: int, open: bool = False) -> None:
        self._schema = schema
        self._open = open
        self._retired: set[int] = set()
        self._is_stream = schema.names[:1] == [ROWTIME]
        self.ports = 0
        self._buffers: list[RowBuffer] = []
        self._bounds = Arrays({"bounds": np.zeros(0, np.int64), "passed": np.array([BEGIN])})
        for _ in range(ports):
            self.add_port()

    def add_port(self) -> int:
        """Take one more input, behind the others."""
        self._buffers.append(RowBuffer(self._schema))
        self._bounds["bounds"] = np.append(self._bounds["bounds"], BEGIN)
        self.ports = len(self._buffers)
        return self.ports - 1

    def reopen(self, port: int) -> bool:
        """Let an input that has ended begin anew; False where rows of it still wait."""
        if len(self._buffers[port]):
            return False
        self._bounds["bounds"][port] = BEGIN
        return True

    def retire(self, port: int) -> Iterator[Output]:
        """An input gives no more, and the others go on; the stream does not end with it, since another may come."""
        self._retired.add(port)
        yield from self.advance(END, port)

    @property
    def waiting(self) -> bool:
        """Whether rows wait for another input's bound."""
        return any(len(buffer) for buffer in self._buffers)

    @property
    def lowest(self) -> Time:
        """Before which no input gives a row."""
        return int(self._bounds["bounds"].min(initial=END))

    @property
    def state(self) -> Mapping[str, State]:
        return {"bounds": self._bounds, **{f"input {i}": buffer for i, buffer in enumerate(self._buffers)}}

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        if self.ports > 1:
            yield from self._wait(batch, port)
        else:
            self._pass(int(times_of(batch)[-1]) if self._open else BEGIN)
            yield batch

    def _wait(self, batch: Batch, port: int) -> Iterator[Output]:
        times = self._times(batch)
        passed = int(self._bounds["passed"][0])
        if times[0] < passed:
            late = int(np.searchsorted(times, passed, "left"))
            yield Failed.of(batch, {i: late_failure(int(times[i]), passed) for i in range(late)}, [passed] * late)
            batch, times = batch.slice(late), times[late:]
        if batch.num_rows:
            self._buffers[port].append(batch)
            self._raise(port, int(times[-1]))
            yield from self._release()

    def advance(self, t: Time, port: int = 0) -> Iterator[Output]:
        self._raise(port, t)
        if self.ports > 1:
            yield from self._release()

    def bound(self, t: Time) -> Time:
        if t == END and self._retired and len(self._retired) == self.ports:
            t = int(self._bounds["passed"][0])
        self._pass(t)
        return t

    def flush(self) -> Iterator[Batch]:
        """All rows that wait, in order, whatever may come before them."""
        yield from self._release(END)

    def _raise(self, port: int, t: Time) -> None:
        self._bounds["bounds"][port] = max(self._bounds["bounds"][port], t)

    def _pass(self, t: Time) -> None:
        if self._open and t > self._bounds["passed"][0]:
            self._bounds["passed"][0] = t

    def _release(self, beyond: Time = BEGIN) -> Iterator[Batch]:
        """The rows that may leave, and those up to `beyond`."""
        if not self.waiting:
            return
        released, ports = [], []
        for port, limit in enumerate(self._limits()):
            limit = max(limit, beyond)
            buffer = self._buffers[port]
            if not len(buffer):
                continue
            count = int(np.searchsorted(self._times(buffer.batch()), limit, "right"))
            if count:
                released.append(buffer.take_front(count))
                ports.append(np.full(count, port))
        if not released:
            return
        rows = joined(released, released[0].schema)
        if len(released) > 1:
            order = np.lexsort((np.concatenate(ports), self._times(rows)))
            rows = rows.take(pa.array(order))
        if self._open:
            self._pass(int(times_of(rows)[-1]))
        yield rows

    def _times(self, batch: Batch) -> Times:
        return times_of(batch) if self._is_stream else np.zeros(batch.num_rows, np.int64)

    def _limits(self) -> list[Time]:
        """For each input the highest ROWTIME of which a row may leave."""
        bounds = self._bounds["bounds"]
        before = np.minimum.accumulate(np.concatenate([[END], bounds[:-1]]))  # the lowest bound of the inputs in front
        if not self._is_stream:
            return [int(limit) for limit in np.where(before == END, END, BEGIN)]
        behind = np.minimum.accumulate(np.concatenate([[END], bounds[:0:-1]]))[::-1]
        before = np.where((before == END) | (before == BEGIN), before, before - 1)
        return [int(limit) for limit in np.minimum(before, behind)]
