"""The rows of a running query, from the engine to whoever reads them.

A slow reader never blocks the engine: what does not fit into memory goes to temporary files and is read back in order.
One thread writes and one reads; without threads everything works the same.
"""

from __future__ import annotations

import tempfile
import threading
from collections import deque
from collections.abc import Callable
from typing import IO

import pyarrow as pa

from streamsql.errors import Error, OperationalError
from streamsql.types import Batch, Schema

MEMORY_LIMIT = 64 << 20
"""Bytes of rows that wait in memory."""

SEGMENT_LIMIT = 64 << 20
"""Bytes in a temporary file before the next one is begun: a file goes when it has been read."""


def _nobody() -> None:
    pass


class RowQueue:
    """Batches of a query's visible columns, first in, first out.

    `news` is called by the writing thread whenever there is something for the reader: rows, the end, a failure.
    """

    def __init__(self, schema: Schema, limit: int | None = None) -> None:
        self.schema = Schema(schema.visible)
        self.ended = False
        self.error: Error | None = None
        self.taken = 0
        self.written = 0
        self.news: Callable[[], None] = _nobody
        self._columns = list(schema.visible_indices)
        self._limit = MEMORY_LIMIT if limit is None else limit
        self._lock = threading.Lock()
        self._batches: deque[Batch] = deque()
        self._bytes = 0
        self._spill: _Spill | None = None
        self._closed = False

    @property
    def ready(self) -> bool:
        """Whether a reader need not wait: for rows, the end, or a failure."""
        return bool(self._batches) or self._spill is not None or self.ended or self.error is not None

    @property
    def spilled(self) -> int:
        """The bytes that wait in temporary files."""
        with self._lock:
            return 0 if self._spill is None else self._spill.bytes

    def write(self, batch: Batch) -> None:
        rows = batch.select(self._columns)
        size = rows.nbytes
        with self._lock:
            if self._closed or self.error is not None:
                return
            self.written += rows.num_rows
            if self._spill is None and (self._bytes + size <= self._limit or not self._batches):
                self._batches.append(rows)
                self._bytes += size
            else:
                self._write_out(rows)
        self.news()

    def end(self) -> None:
        self.ended = True
        self.news()

    def fail(self, error: Error) -> None:
        """No row will follow, and why: the reader gets the error behind the rows that are there."""
        self.error = self.error or error
        self.news()

    def take(self) -> Batch | None:
        """The next batch that is there; raises the error of a query that failed once its rows are taken."""
        with self._lock:
            batch = self._next()
        if batch is not None:
            self.taken += batch.num_rows
        elif self.error is not None:
            raise self.error
        return batch

    def close(self) -> None:
        """Forget the rows, and those that are still to come; for whoever waits it is the end."""
        with self._lock:
            self._closed = True
            self._batches.clear()
            if self._spill is not None:
                self._spill.close()
                self._spill = None
        self.end()

    def _next(self) -> Batch | None:
        if self._batches:
            batch = self._batches.popleft()
            self._bytes -= batch.nbytes
            return batch
        if self._spill is None:
            return None
        batch = self._spill.read()
        if not self._spill.bytes:
            self._spill.close()
            self._spill = None
        return batch

    def _write_out(self, rows: Batch) -> None:
        try:
            spill = self._spill or _Spill(rows.schema)
            spill.write(rows)
            self._spill = spill
        except OSError as error:
            text = f"rows that wait for a slow reader cannot be kept in a temporary file: {error.strerror}"
            self.error = OperationalError(text)


class _Spill:
    """Batches in temporary files, each an Arrow IPC stream without its end mark."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._segments: deque[_Segment] = deque()

    @property
    def bytes(self) -> int:
        """What has not been read."""
        return sum(segment.bytes for segment in self._segments)

    def write(self, batch: Batch) -> None:
        """Raises OSError where there is no room."""
        if not self._segments or self._segments[-1].size >= SEGMENT_LIMIT:
            self._segments.append(_Segment(self._schema))
        self._segments[-1].write(batch)

    def read(self) -> Batch:
        segment = self._segments[0]
        batch = segment.read()
        if not segment.bytes:
            segment.close()
            self._segments.popleft()
        return batch

    def close(self) -> None:
        for segment in self._segments:
            segment.close()


class _Segment:
    """One temporary file, which has no name and so goes with the process."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="streamsql-")  # noqa: SIM115 - open as long as rows wait
        self._places: deque[tuple[int, int]] = deque()
        self.size = self._file.write(schema.serialize())
        self.bytes = 0

    def write(self, batch: Batch) -> None:
        self._file.seek(self.size)
        length = self._file.write(batch.serialize())
        self._places.append((self.size, length))
        self.size += length
        self.bytes += length

    def read(self) -> Batch:
        offset, length = self._places.popleft()
        self._file.seek(offset)
        data = self._file.read(length)
        self.bytes -= length
        return pa.ipc.read_record_batch(pa.py_buffer(data), self._schema)

    def close(self) -> None:
        self._file.close()
