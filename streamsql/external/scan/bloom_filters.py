"""Row groups of Parquet files that are left out because their Bloom filters do not have what is sought.

Of a filter its header and the blocks of the values are read, if these are less than the columns that are read else.  Those of a
distant file are read whole, by one request, if that pays.  A filter only helps: one that is not understood is as none.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from io import RawIOBase
from typing import Any, NamedTuple

import numpy as np

from streamsql.external.scan.counts import Counts
from streamsql.external.scan.files import DataFile, counted
from streamsql.external.scan.footers import Footer
from streamsql.external.scan.parquet_source import WORTH
from streamsql.external.scan.plain_values import plain_values
from streamsql.external.scan.ranges import MOST, Fetched, Range, chunks
from streamsql.external.scan.sought import Among, Sought
from streamsql.kernels.bloom import WORDS, UInt32s, UInt64s, block_of, hashes, held

HEAD = 64
"""Bytes of a filter that have its header in any case."""

BLOCK = 4 * WORDS
"""Bytes of a block."""

_HEADER = re.compile(rb"\x15([\x80-\xff]{0,4}[\x00-\x7f])(?:\x1c\x1c\x00\x00){3}\x00")
"""A BloomFilterHeader in Thrift's compact form: the bytes of the filter; the one algorithm, hash and compression there is."""


class Hashed(NamedTuple):
    """The hashes of what is sought in a column of a file."""

    leaf: int
    hashes: UInt64s


class Place(NamedTuple):
    """Where a filter is; `length` is None where the footer does not say how long it is.  `size` bytes of it are read."""

    start: int
    length: int | None
    size: int

    @property
    def range(self) -> Range:
        """All of it, or its header."""
        return Range(self.start, self.start + (HEAD if self.length is None else self.length))


class GroupFilters(NamedTuple):
    """The filters of a row group that may be worth reading, by column, and the bytes that are not read if they say so."""

    places: Mapping[int, Place]
    spared: int

    @property
    def size(self) -> int:
        return sum(place.size for place in self.places.values())


class BloomFilters:
    """The filters of one request's files; for all threads."""

    def __init__(self, sought: Sought, asked: Container[int], counts: Counts) -> None:
        self._sought = sought
        self._asked = asked
        self._counts = counts

    def left(self, file: DataFile, footer: Footer, numbers: list[int], paths: Mapping[int, str]) -> list[int]:
        """Which of some row groups of a file may hold a row that is wanted.

        `paths` are those of the request's columns in the file; the columns in `asked` are read of every row group that is left.
        """
        told = [each for each in self._sought.leaves() if _has_filter(footer, numbers, paths.get(each.column, ""))]
        hashed = {each: own for each in told if (own := _hashed(each, footer, paths)) is not None}
        if not hashed or self._sought.is_possible(lambda each: each not in hashed):
            return numbers
        leaves = footer.leaves_of([path for place, path in paths.items() if place in self._asked])
        distant = file.storage.distant
        groups = {number: _filters(footer, number, hashed.values(), leaves, distant) for number in numbers}
        groups = {number: filters for number, filters in groups.items() if filters.places}
        if not groups or (distant and not _pays(groups.values())):
            return numbers
        absent: set[int] = set()
        near = counted(file, self._counts)
        with closing(Fetched(near) if distant else near) as stream:
            for portion in _portions(groups):
                if isinstance(stream, Fetched):
                    stream.fetch(place.range for number in portion for place in groups[number].places.values())
                for number in portion:
                    if not self._sought.is_possible(partial(_holds, stream, groups[number], hashed)):
                        absent.add(number)
        self._counts.add(row_groups_filtered=len(absent))
        return [number for number in numbers if number not in absent]


def _has_filter(footer: Footer, numbers: Iterable[int], path: str) -> bool:
    """Whether one of some row groups has a filter of a column: of most files none has, and nothing need be hashed."""
    leaf = footer.leaves.get(path)
    groups = map(footer.metadata.row_group, numbers)
    return leaf is not None and any(group.column(leaf).bloom_filter_offset is not None for group in groups)


def _hashed(each: Among, footer: Footer, paths: Mapping[int, str]) -> Hashed | None:
    leaf = footer.leaves.get(paths.get(each.column, ""))
    plain = None if leaf is None else plain_values(each.values, each.type, footer.metadata.schema.column(leaf))
    return None if leaf is None or plain is None else Hashed(leaf, hashes(plain))


def _filters(footer: Footer, number: int, hashed: Iterable[Hashed], leaves: Sequence[int], distant: bool) -> GroupFilters:
    spared = sum(end - start for start, end in chunks(footer.metadata, [number], leaves))
    group = footer.metadata.row_group(number)
    places = {own.leaf: _place(group.column(own.leaf), len(own.hashes), distant) for own in hashed}
    return GroupFilters({leaf: place for leaf, place in places.items() if place is not None and place.size < spared}, spared)


def _place(chunk: Any, values: int, distant: bool) -> Place | None:
    start, length, least = chunk.bloom_filter_offset, chunk.bloom_filter_length, HEAD + values * BLOCK
    if start is None:
        return None
    return Place(start, length, least if length is None else length if distant else min(length, least))


def _pays(groups: Iterable[GroupFilters]) -> bool:
    """Whether the bytes of a distant file that may be spared take longer than the requests for its filters: one for all whose
    length is known, of the others one for each block."""
    others = sum(place.size // BLOCK for group in groups for place in group.places.values() if place.length is None)
    return sum(group.spared - group.size for group in groups) >= (1 + others) * WORTH


def _portions(groups: Mapping[int, GroupFilters]) -> Iterator[list[int]]:
    """Row groups whose filters are in memory together."""
    portion: list[int] = []
    size = 0
    for number, filters in groups.items():
        if portion and size + filters.size > MOST:
            yield portion
            portion, size = [], 0
        portion.append(number)
        size += filters.size
    if portion:
        yield portion


def _holds(stream: RawIOBase, group: GroupFilters, hashed: Mapping[Among, Hashed], each: Among) -> bool:
    """Whether a row group may have one of the values in a column."""
    own = hashed.get(each)
    place = None if own is None else group.places.get(own.leaf)
    blocks = None if own is None or place is None else _blocks(stream, place, own.hashes)
    return own is None or blocks is None or bool(held(blocks, own.hashes).any())


def _blocks(stream: RawIOBase, place: Place, hashes: UInt64s) -> UInt32s | None:
    """The block of each hash (hashes, WORDS); None of a filter that is not understood."""
    head = _bytes(stream, place.start, HEAD if place.length is None else min(place.length, HEAD))
    header = _HEADER.match(head)
    if header is None:
        return None
    zigzag = sum((byte & 0x7F) << 7 * i for i, byte in enumerate(header[1]))
    size, start = zigzag >> 1, header.end()
    if zigzag & 1 or not size or size % BLOCK or place.length not in (None, start + size):
        return None
    found = []
    for number in block_of(hashes, size // BLOCK).tolist():
        at = start + number * BLOCK
        block = head[at : at + BLOCK] if at + BLOCK <= len(head) else _bytes(stream, place.start + at, BLOCK)
        if len(block) < BLOCK:
            return None
        found.append(block)
    return np.frombuffer(b"".join(found), "<u4").reshape(-1, WORDS)


def _bytes(stream: RawIOBase, start: int, size: int) -> bytes:
    stream.seek(start)
    return stream.read(size) or b""
