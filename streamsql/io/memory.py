"""Sources and sinks within the process, for tests and for the Python interface."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import pyarrow as pa

from streamsql.io.sinks.sink import Delivery, Staged
from streamsql.io.source import Polled, Position
from streamsql.types import Batch, Schema


def _nothing() -> None:
    pass


class MemorySource:
    """Rows that the process itself brings.  `push` and `end` may be called from any thread.

    A position counts rows; after a restart the same rows must be pushed again, and `seek` passes over the first of them.
    """

    def __init__(self, schema: Schema, bounded: bool = True, wake: Callable[[], None] = _nothing) -> None:
        self.schema = schema
        self.bounded = bounded
        self._wake = wake
        self._batches: deque[Batch] = deque()
        self._ended = False
        self._returned = 0
        self._skip = 0

    def push(self, batch: Batch) -> None:
        """Bring rows; the batch has the columns of `schema`."""
        self._batches.append(batch)
        self._wake()

    def end(self) -> None:
        """Say that no more rows will come."""
        self._ended = True
        self._wake()

    def poll(self, limit: int) -> Polled:
        ended = self._ended  # before the queue is looked at, for a batch may be pushed in between
        while self._batches:
            batch = self._batches[0]
            passed = min(self._skip, batch.num_rows)
            rows = batch.slice(passed, limit)
            self._skip -= passed
            taken = passed + rows.num_rows
            if taken < batch.num_rows:
                self._batches[0] = batch.slice(taken)
            else:
                self._batches.popleft()
            if rows.num_rows:
                self._returned += rows.num_rows
                return Polled(rows)
        return Polled(ended=ended)

    def position(self) -> Position:
        return {"rows": self._returned}

    def seek(self, position: Position) -> None:
        self._skip = self._returned = position["rows"]

    def grown(self, position: Position) -> bool:
        return False

    def close(self) -> None:
        self._batches.clear()


class MemorySink:
    """Keeps what is committed in `batches`."""

    delivery = Delivery.AT_LEAST_ONCE

    def __init__(self, schema: Schema) -> None:
        self.schema = Schema(schema.visible)
        self.batches: list[Batch] = []
        self._written: list[Batch] = []
        self._prepared: list[Batch] = []

    def write(self, batch: Batch) -> None:
        self._written.append(batch)

    def prepare(self) -> Staged:
        self._prepared += self._written
        self._written = []
        return {}

    def commit(self, staged: Staged) -> None:
        self.batches += self._prepared
        self._prepared = []

    def close(self) -> None:
        pass

    def abandon(self) -> None:
        pass

    def table(self) -> pa.Table:
        """All committed rows."""
        return pa.Table.from_batches(self.batches, self.schema.arrow())
