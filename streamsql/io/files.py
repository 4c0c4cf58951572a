"""Rows from files: one stream out of all files that a path or glob means, in name order.

A position is the beginning of a block of records and how many of its records have been returned, so it holds for every
format and does not depend on how blocks are cut.  Offsets in compressed files count decompressed bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, Protocol, TypeVar

import pyarrow as pa

from streamsql.errors import OperationalError
from streamsql.io.decoding import Decoded, Decoder
from streamsql.io.source import Polled, Position
from streamsql.io.storage import Storage
from streamsql.types import Schema

BLOCK = 1 << 22
"""Bytes read and decoded at a time."""


Result = TypeVar("Result")


class Reader(Protocol):
    """Reads one file from a block's beginning to its end."""

    offset: int
    """Where the next block begins."""

    @property
    def size(self) -> int:
        """The bytes of the file, as far as it was there when it was read."""
        ...

    def read(self) -> Decoded | None:
        """The next block; None when nothing more is there now."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


OpenReader = Callable[[str, int], Reader]
"""A reader of the file of this path, from this offset on (0: from the beginning)."""


class TextReader:
    """Reads a file of records that follow one another as text."""

    def __init__(self, stream: BinaryIO, decoder: Decoder, offset: int, size: int, growing: bool) -> None:
        self.offset = 0
        self._stream = stream
        self._decoder = decoder
        self._start = offset
        self._size = size
        self._growing = growing
        self._data = b""
        self._begun = False

    @property
    def size(self) -> int:
        return max(self._size, self._stream.tell()) if self._stream.seekable() else self._size

    def read(self) -> Decoded | None:
        """The next whole records.  The last line of a file that may grow waits for its end."""
        while True:
            size = max(BLOCK, len(self._data))
            more = self._stream.read(size)
            self._data += more
            complete = not (more or self._growing)
            if not self._begun and not self._begin(complete):
                if more:
                    continue
                return None
            length = self._decoder.cut(self._data, complete) if more or complete else 0
            if length:
                block, self._data = self._data[:length], self._data[length:]
                self.offset += length
                return self._decoder.decode(block)
            if not more:
                return None

    def _begin(self, complete: bool) -> bool:
        """Read the header and go to where reading starts."""
        length = self._decoder.read_header(self._data, complete)
        if length is None:
            return False
        self._begun = True
        self.offset = max(length, self._start)
        if self.offset > length:
            if self._stream.seekable():
                self._stream.seek(self.offset)
                self._data = b""
            else:
                self._skip(self.offset)
        else:
            self._data = self._data[length:]
        return True

    def _skip(self, length: int) -> None:
        while len(self._data) < length:
            length -= len(self._data)
            self._data = self._stream.read(BLOCK)
            if not self._data:
                raise OperationalError("the file is shorter than it was")
        self._data = self._data[length:]

    def close(self) -> None:
        self._stream.close()


class FileSource:
    """The rows of one or more files."""

    def __init__(self, storage: Storage, pattern: str, paths: list[str], schema: Schema, open_reader: OpenReader, follow: bool):
        self.schema = schema
        self.bounded = not follow
        self._storage = storage
        self._pattern = pattern
        self._paths = paths
        self._open_reader = open_reader
        self._number = 0
        self._finished_bytes = 0
        self._block: Decoded | None = None
        self._block_offset = 0
        self._taken = 0
        self._ended = False
        self._reader = self._opened(0)

    def poll(self, limit: int) -> Polled:
        """The next rows; at the end of a file that is followed, nothing until it has grown."""
        while self._block is None or self._taken == self._block.count:
            if not self._next_block():
                return Polled(ended=self._ended)
        start, self._taken = self._taken, min(self._taken + limit, self._block.count)
        rows, failed = self._block.part(start, self._taken)
        return Polled(rows, failed)

    def position(self) -> Position:
        """The file, the offset of a block in it, and how many of the block's records were returned.

        Once the source has ended it also holds the bytes of all files, by which `grown` sees that there are more.
        """
        if self._ended:
            return {"ended": True, "bytes": self._finished_bytes}
        offset = self._reader.offset if self._block is None else self._block_offset
        return {"file": self._paths[self._number], "offset": offset, "skip": self._taken, "finished": self._finished_bytes}

    def seek(self, position: Position) -> None:
        """Go on after a position.  Files may have grown or come in between; one that is shorter or gone is an error."""
        if position.get("ended"):
            self._ended, self._finished_bytes, self._block = True, position["bytes"], None
            return
        path, offset = position["file"], position["offset"]
        if path not in self._paths:
            raise OperationalError(f"cannot go on in {path!r}: it is gone")
        self._reader.close()
        self._number = self._paths.index(path)
        self._finished_bytes = position["finished"]
        self._reader = self._opened(offset)
        self._block, self._taken = None, 0
        skip = position["skip"]
        while skip:
            if not self._next_block() or self._block is None:
                raise OperationalError(f"cannot go on in {path!r}: it is shorter than it was")
            self._taken = min(skip, self._block.count)
            skip -= self._taken

    def grown(self, position: Position) -> bool:
        """Whether there is more to read now than when the source had ended at this position."""
        if not position.get("ended"):
            return False
        return sum(map(self._storage.size, self._paths)) > int(position["bytes"])

    def close(self) -> None:
        self._reader.close()

    def _next_block(self) -> bool:
        """Read the next block, of the next file where one ends; False when nothing more is there now."""
        while not self._ended:
            self._block_offset, self._taken = self._reader.offset, 0
            self._block = self._guarded(self._reader.read)
            if self._block is not None:
                return True
            if not self._next_file():
                return False
        return False

    def _next_file(self) -> bool:
        """Go on to the next file; False at the end of the last one, which when it is followed stays open."""
        path = self._paths[self._number]
        if not self.bounded:
            if self._storage.size(path) < self._reader.offset:
                raise OperationalError(f"cannot go on in {path!r}: it is shorter than it was")
            self._paths = self._storage.expand(self._pattern)
            self._number = self._paths.index(path)
            if self._number + 1 == len(self._paths):
                return False
        self._finished_bytes += self._reader.size
        self._reader.close()
        if self._number + 1 == len(self._paths):
            self._ended = True
            return False
        self._number += 1
        self._reader = self._opened(0)
        return True

    def _opened(self, offset: int) -> Reader:
        path = self._paths[self._number]
        return self._guarded(lambda: self._open_reader(path, offset))

    def _guarded(self, action: Callable[[], Result]) -> Result:
        try:
            return action()
        except (OSError, EOFError, pa.ArrowInvalid) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise OperationalError(f"cannot read {self._paths[self._number]!r}: {reason}") from error
