"""Rows to stdout, and to pipes and devices that have a name."""

from __future__ import annotations

from typing import BinaryIO

from streamsql.io.formats import Encoder
from streamsql.io.sinks.sink import Delivery, Staged
from streamsql.types import Batch


class StandardSink:
    """Writes rows at once: what was written before a crash and not yet covered by a checkpoint comes again after it.

    When the reader has gone away, BrokenPipeError goes through to the caller.
    """

    delivery = Delivery.AT_LEAST_ONCE

    def __init__(self, encoder: Encoder, output: BinaryIO, keep_open: bool = False) -> None:
        self._encoder = encoder
        self._output = output
        self._keep_open = keep_open
        self._header = encoder.header

    def write(self, batch: Batch) -> None:
        self._put(self._encoder.encode(batch))

    def prepare(self) -> Staged:
        return {}

    def commit(self, staged: Staged) -> None:
        pass

    def close(self) -> None:
        self._put(b"")
        self.abandon()

    def abandon(self) -> None:
        if not self._keep_open:
            self._output.close()

    def _put(self, data: bytes) -> None:
        data, self._header = self._header + data, b""
        if data:
            self._output.write(data)
            self._output.flush()
