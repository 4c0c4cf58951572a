"""Rows from files: one stream out of all files that a path or glob means, in name order.

A position is the beginning of a block of records and how many of its records have been returned, so it holds for every
format and does not depend on how blocks are cut.  Offsets in compressed text count decompressed bytes, those in Parquet and
Arrow files count rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

import pyarrow as pa

from streamsql.errors import OperationalError
from streamsql.io.blocks import BlockCursor, Decoded
from streamsql.io.source import Polled, Position
from streamsql.io.storages.storage import Storage
from streamsql.types import Schema

Result = TypeVar("Result")


class Reader(Protocol):
    """Reads one file from a block's beginning to its end."""

    @property
    def offset(self) -> int:
        """Where the next block begins."""
        ...

    @property
    def size(self) -> int:
        """The bytes of the file, as far as they were there when it was read."""
        ...

    def read(self) -> Decoded | None:
        """The next block; None when nothing more is there now."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


OpenReader = Callable[[str, int, bool], Reader]
"""A reader of the file of this path, from this offset on (0: from the beginning); whether it may still grow."""

LOOK_SECONDS = 1.0
"""How often a distant storage is asked whether there is more: each time takes requests, which cost."""


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Raise OperationalError for a file that cannot be read, or is not what its name says."""
    try:
        yield
    except (OSError, EOFError, pa.ArrowInvalid) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise OperationalError(f"cannot read {path!r}: {reason}") from error


class FileSource:
    """The rows of one or more files.

    With `follow` it never ends: it waits at the end of the last file for more lines, or for a file that comes after it in
    name order.
    """

    def __init__(
        self, storage: Storage, pattern: str, paths: list[str], schema: Schema, open_reader: OpenReader, follow: bool
    ) -> None:
        self.schema = schema
        self.bounded = not follow
        self._storage = storage
        self._pattern = pattern
        self._paths = paths
        self._open_reader = open_reader
        self._number = 0
        self._finished_bytes = 0
        self._cursor = BlockCursor(schema)
        self._block_offset = 0
        self._ended = False
        self._finishing = False  # whether a followed file is read to its end, for another one comes behind it
        self._looked = -LOOK_SECONDS
        self._reader = self._opened(0)

    def poll(self, limit: int) -> Polled:
        """The next rows; at the end of a file that is followed, nothing until it has grown."""
        while self._cursor.empty:
            if not self._next_block():
                return Polled(ended=self._ended)
        return self._cursor.take(limit)

    def position(self) -> Position:
        """The file, the offset of a block in it, and how many of the block's records were returned.

        Once the source has ended it also holds the bytes of all files, by which `grown` sees that there are more.
        """
        if self._ended:
            return {"ended": True, "bytes": self._finished_bytes}
        return {
            "file": self._paths[self._number],
            "offset": self._block_offset,
            "taken": self._cursor.taken,
            "finished": self._finished_bytes,
            "highest": self._cursor.highest,
        }

    def seek(self, position: Position) -> None:
        """Go on after a position.  Files may have grown or come in between; one that is shorter or gone is an error."""
        self._cursor.refill(None)
        self._ended = position.get("ended", False)
        if self._ended:
            self._finished_bytes = position["bytes"]
            return
        path = position["file"]
        if path not in self._paths:
            raise OperationalError(f"cannot go on in {path!r}: it is gone")
        self._reader.close()
        self._finishing = False
        self._number = self._paths.index(path)
        self._finished_bytes = position["finished"]
        self._reader = self._opened(position["offset"])
        self._block_offset = position["offset"]
        left = position["taken"]
        while left:
            if not self._next_block() or self._paths[self._number] != path:
                raise OperationalError(f"cannot go on in {path!r}: it is shorter than it was")
            left -= self._cursor.pass_over(left)
        self._cursor.highest = position["highest"]

    def grown(self, position: Position) -> bool:
        """Whether there is more to read now than when the source had ended at this position."""
        return bool(position.get("ended")) and sum(map(self._storage.size, self._paths)) > int(position["bytes"])

    def close(self) -> None:
        self._reader.close()

    def _next_block(self) -> bool:
        """Read the next block, of the next file where one ends; False when nothing more is there now."""
        while not self._ended:
            self._block_offset = self._reader.offset
            self._cursor.refill(self._guarded(self._reader.read))
            if not self._cursor.empty:
                return True
            if self._reader.offset == self._block_offset and not self._next_file():
                return False
        return False

    def _next_file(self) -> bool:
        """Go on to the next file; False at the end of the last one, which when it is followed stays open."""
        if not self.bounded and not self._finishing:
            if not self._may_look():
                return False
            size = self._look()
            is_last = self._number + 1 == len(self._paths)
            if is_last:
                return self._storage.distant and size > self._reader.size and self._read_on()
            if size > self._reader.offset:
                self._finishing = True
                return self._read_on()
        self._finishing = False
        self._finished_bytes += self._reader.size
        self._reader.close()
        if self._number + 1 == len(self._paths):
            self._ended = True
            return False
        self._number += 1
        self._reader = self._opened(0)
        return True

    def _may_look(self) -> bool:
        """Whether to ask the storage for more."""
        now = time.monotonic()
        if self._storage.distant and now - self._looked < LOOK_SECONDS:
            return False
        self._looked = now
        return True

    def _look(self) -> int:
        """See which files there are now; gives the bytes of the one that is read."""
        path = self._paths[self._number]
        size = self._guarded(lambda: self._storage.size(path))
        if size < self._reader.offset:
            raise OperationalError(f"cannot go on in {path!r}: it is shorter than it was")
        self._paths = self._storage.expand(self._pattern)
        if path not in self._paths:
            raise OperationalError(f"cannot go on in {path!r}: it is gone")
        self._number = self._paths.index(path)
        return size

    def _read_on(self) -> bool:
        """Open the file again where it was read to: a distant one has the bytes that it had when it was opened, and the last line
        of one that may grow is not read before another file comes.  True."""
        offset = self._reader.offset
        self._reader.close()
        self._reader = self._opened(offset)
        return True

    def _opened(self, offset: int) -> Reader:
        path, growing = self._paths[self._number], not self.bounded and not self._finishing
        return self._guarded(lambda: self._open_reader(path, offset, growing))

    def _guarded(self, action: Callable[[], Result]) -> Result:
        with reading(self._paths[self._number]):
            return action()
