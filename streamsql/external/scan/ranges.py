"""Reading distant files: what is needed of one is asked for at once, in few requests.

Column chunks that lie close together are read together with what is between them.  So reading some columns of some row groups
takes as long as a request or two, not as many as there are chunks.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from streamsql.external.scan.files import CountedFile
from streamsql.external.scan.read_ahead import at_once

GAP = 64 << 10
"""Bytes that are read although nobody wants them, when a request less is made for it."""

MOST = 8 << 20
"""Bytes of one request."""

REQUESTS = 8
"""Requests for one file under way at once."""


class Range(NamedTuple):
    """Bytes of a file, the end exclusive."""

    start: int
    end: int


def chunks(metadata: Any, groups: Iterable[int], leaves: Sequence[int]) -> Iterator[Range]:
    """Where some columns of some row groups are in a Parquet file."""
    for group in groups:
        row_group = metadata.row_group(group)
        for leaf in leaves:
            chunk = row_group.column(leaf)
            start = chunk.data_page_offset
            if chunk.has_dictionary_page:
                start = min(start, chunk.dictionary_page_offset)
            yield Range(start, start + chunk.total_compressed_size)


def coalesced(ranges: Iterable[Range]) -> list[Range]:
    """The same bytes in fewer requests.

    >>> coalesced([Range(0, 10), Range(1_000_000, 1_000_010), Range(20, 30)])
    [Range(start=0, end=30), Range(start=1000000, end=1000010)]
    """
    joined: list[Range] = []
    for each in sorted(ranges):
        if joined and each.start - joined[-1].end <= GAP and each.end - joined[-1].start <= MOST:
            joined[-1] = Range(joined[-1].start, max(joined[-1].end, each.end))
        else:
            joined += _pieces(each)
    return joined


def _pieces(range_: Range) -> Iterator[Range]:
    """A range in requests of at most MOST."""
    for start in range(range_.start, range_.end, MOST):
        yield Range(start, min(range_.end, start + MOST))


class Fetched(io.RawIOBase):
    """A file of which parts are there already; what is read of the rest is asked for as it is read."""

    def __init__(self, file: CountedFile) -> None:
        self._file = file
        self._at = 0
        self._parts: list[tuple[Range, pa.Buffer]] = []

    def fetch(self, ranges: Iterable[Range]) -> None:
        """Have these bytes, and no others any more."""
        wanted = coalesced(ranges)
        if len(wanted) <= 1:
            buffers = list(map(self._read, wanted))
        else:
            buffers = list(at_once(self._read, wanted, REQUESTS))
        self._parts = list(zip(wanted, buffers, strict=True))

    def read_buffer(self, size: int | None = -1) -> pa.Buffer:
        """The next bytes, as Arrow takes them without a copy."""
        end = self.size() if size is None or size < 0 else min(self._at + size, self.size())
        wanted = Range(self._at, end)
        self._at = end
        for part, buffer in self._parts:
            if part.start <= wanted.start and wanted.end <= part.end:
                return buffer.slice(wanted.start - part.start, wanted.end - wanted.start)
        pieces = [each for each in self._parts if each[0].start < wanted.end and each[0].end > wanted.start]
        if pieces and _cover([part for part, _ in pieces], wanted):
            return pa.py_buffer(b"".join(_cut(part, buffer, wanted) for part, buffer in pieces))
        return self._read(wanted)

    def read(self, size: int | None = -1) -> bytes:
        data: bytes = self.read_buffer(size).to_pybytes()
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size()}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def size(self) -> int:
        return self._file.size()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._parts = []
        self._file.close()
        super().close()

    def _read(self, range_: Range) -> pa.Buffer:
        return self._file.read_at(range_.end - range_.start, range_.start)


def _cover(parts: Sequence[Range], wanted: Range) -> bool:
    """Whether ranges in order are all of another one."""
    at = wanted.start
    for part in parts:
        if part.start > at:
            return False
        at = part.end
    return at >= wanted.end


def _cut(part: Range, buffer: pa.Buffer, wanted: Range) -> pa.Buffer:
    start, end = max(part.start, wanted.start), min(part.end, wanted.end)
    return buffer.slice(start - part.start, end - start)
