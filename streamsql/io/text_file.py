"""Reading a file of records that follow one another as text."""

from __future__ import annotations

from typing import BinaryIO

from streamsql.errors import OperationalError
from streamsql.io.blocks import Decoded
from streamsql.io.decoding import Decoder

BLOCK = 1 << 22
"""Bytes read and decoded at a time."""

_SAMPLED = 1 << 18
"""Bytes read at first to discover the columns."""


class TextReader:
    """Reads whole records, block by block.  The last line of a file that may grow waits for its end."""

    def __init__(self, stream: BinaryIO, decoder: Decoder, offset: int, size: int, plain: bool, growing: bool) -> None:
        self.offset = offset
        self._stream = stream
        self._decoder = decoder
        self._size = size
        self._plain = plain
        self._growing = growing
        self._data = b""
        self._begun = False

    @property
    def size(self) -> int:
        return max(self._size, self.offset) if self._plain else self._size

    def read(self) -> Decoded | None:
        while True:
            more = self._stream.read(max(BLOCK, len(self._data)))  # twice as much when a record is longer than that
            self._data = self._data + more if self._data else more
            complete = not (more or self._growing)
            if not self._begun:
                self._begin(complete)
            length = self._decoder.cut(self._data, complete) if self._begun and (more or complete) else 0
            if length:
                block, self._data = self._data[:length], self._data[length:]
                self.offset += length
                return self._decoder.decode(block)
            if not more:
                return None

    def close(self) -> None:
        self._stream.close()

    def _begin(self, complete: bool) -> None:
        """Read the header and go to where reading starts."""
        length = self._decoder.read_header(self._data, complete)
        if length is None:
            return
        self._begun = True
        self.offset = max(length, self.offset)
        if self.offset <= len(self._data):
            self._data = self._data[self.offset :]
        elif self._stream.seekable():
            self._stream.seek(self.offset)
            self._data = self._stream.read(BLOCK)
        else:
            self._read_up_to(self.offset)

    def _read_up_to(self, offset: int) -> None:
        passed = 0
        while passed + len(self._data) < offset:
            passed += len(self._data)
            self._data = self._stream.read(BLOCK)
            if not self._data:
                raise OperationalError("the file is shorter than it was")
        self._data = self._data[offset - passed :]


def sample_of(stream: BinaryIO, decoder: Decoder, lines: int) -> bytes:
    """The whole records at the beginning of a file: so many lines of them, if there are."""
    data = b""
    while more := stream.read(max(_SAMPLED, len(data))):
        data += more
        if data.count(b"\n") > lines:
            return data[: decoder.cut(data, complete=False)]
    return data
