"""Rows from a pipe: stdin, a FIFO, a terminal."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable

from streamsql.errors import OperationalError
from streamsql.io.blocks import BlockCursor, Decoded
from streamsql.io.decoding import Decoder
from streamsql.io.source import Polled, Position
from streamsql.types import Schema

STDIN = 0

CHUNK = 1 << 16
"""Bytes taken from a pipe at a time: what a pipe holds on Linux."""

ROOM = 1 << 22
"""Bytes kept before the writer of the pipe has to wait."""


class PipeReader:
    """A thread that takes the bytes out of a pipe, so that asking for them never blocks."""

    def __init__(self, descriptor: int, wake: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._wake = wake
        self._chunks: list[bytes] = []
        self._size = 0
        self._ended = False
        self._problem: OSError | None = None
        self._closed = False
        self._changed = threading.Condition()
        self._stop_read, self._stop_write = os.pipe()
        self._thread = threading.Thread(target=self._run, name="streamsql-pipe", daemon=True)
        self._thread.start()

    def take(self) -> tuple[bytes, bool]:
        """All bytes that have come since the last call, and whether these were the last ones."""
        with self._changed:
            chunks, self._chunks, self._size = self._chunks, [], 0
            self._changed.notify_all()
            if self._problem is not None:
                raise OperationalError(f"cannot read the pipe: {self._problem.strerror}")
            return b"".join(chunks), self._ended

    def sample(self, lines: int, timeout: float) -> tuple[bytes, bool]:
        """What comes first, without taking it: so many lines, or what comes within `timeout` seconds of the first one."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._size >= ROOM or self._lines())
            self._changed.wait_for(lambda: self._ended or self._size >= ROOM or self._lines() > lines, timeout)
            return b"".join(self._chunks), self._ended

    def _lines(self) -> int:
        return sum(chunk.count(b"\n") for chunk in self._chunks)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        os.write(self._stop_write, b"x")
        self._thread.join()
        os.close(self._stop_read)
        os.close(self._stop_write)
        if self._descriptor != STDIN:
            os.close(self._descriptor)

    def _run(self) -> None:
        while True:
            try:
                ready, _, _ = select.select([self._descriptor, self._stop_read], [], [])
                if self._stop_read in ready:
                    return
                chunk = os.read(self._descriptor, CHUNK)
            except OSError as error:
                self._problem, chunk = error, b""
            with self._changed:
                self._chunks.append(chunk)
                self._size += len(chunk)
                self._ended = not chunk
                self._changed.notify_all()
            self._wake()
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._size < ROOM)
            if not chunk or self._closed:
                return


class PipeSource:
    """The rows of a pipe, as they come.  It ends when the writer closes the pipe, and cannot be rewound."""

    bounded = False

    def __init__(self, reader: PipeReader, decoder: Decoder, schema: Schema, name: str) -> None:
        self.schema = schema
        self._reader = reader
        self._decoder = decoder
        self._name = name
        self._begun = False
        self._data = b""
        self._complete = False
        self._cursor = BlockCursor(schema)
        self._returned = 0

    def poll(self, limit: int) -> Polled:
        if self._cursor.empty:
            self._returned += self._cursor.taken
            self._cursor.refill(self._next_block())
        return Polled(ended=self._complete) if self._cursor.empty else self._cursor.take(limit)

    def position(self) -> Position:
        """How many records were returned: there is no way back to them."""
        return {"records": self._returned + self._cursor.taken}

    def seek(self, position: Position) -> None:
        if position["records"]:
            raise OperationalError(f"{self._name} cannot be rewound")

    def grown(self, position: Position) -> bool:
        return False

    def close(self) -> None:
        self._reader.close()

    def _next_block(self) -> Decoded | None:
        more, self._complete = self._reader.take()
        self._data += more
        if not self._begun:
            length = self._decoder.read_header(self._data, self._complete)
            if length is None:
                return None
            self._begun, self._data = True, self._data[length:]
        length = self._decoder.cut(self._data, self._complete) if more or self._complete else 0
        if not length:
            return None
        block, self._data = self._data[:length], self._data[length:]
        return self._decoder.decode(block)
