"""A Parquet file to read row groups from: near ones as they are read, distant ones in few requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from types import TracebackType
from typing import BinaryIO, Self

import pyarrow as pa

from streamsql.external.scan.counts import Counts
from streamsql.external.scan.files import DataFile, counted, plainly_opened
from streamsql.external.scan.footers import Footer
from streamsql.external.scan.pages import Pages
from streamsql.external.scan.portions import BATCH
from streamsql.external.scan.ranges import Fetched, Range, chunks
from streamsql.types import Batch

WORTH = 1 << 20
"""Bytes of a distant file that take longer to read than another request."""


class ParquetSource:
    """An open file whose footer is known.  Columns are asked for by their paths; those in `coded` come as dictionaries.

    Of a near file pyarrow reads each column of a row group with one read of its own, so the bytes are those of the columns.
    """

    def __init__(self, file: DataFile, footer: Footer, coded: Sequence[str], counts: Counts) -> None:
        from pyarrow.parquet import ParquetFile

        self._footer = footer
        self._counts = counts
        self._coded = coded
        self._pages: Mapping[int, Pages] = {}
        self._fetched: Fetched | None = None
        if file.storage.distant:
            self._fetched = Fetched(counted(file, counts))
            self._stream: BinaryIO = pa.PythonFile(self._fetched, mode="r")
        else:
            self._stream = plainly_opened(file)
        self._reader = ParquetFile(self._stream, metadata=footer.metadata, pre_buffer=False, read_dictionary=coded)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stream.close()

    def leave_out(self, pages: Mapping[int, Pages]) -> None:
        """Of some row groups read these pages and no others."""
        self._pages = pages

    def read(self, ranges: Sequence[Range]) -> list[bytes]:
        """Bytes of the file that are none of a column."""
        self._ask(ranges)
        return [self._bytes(each) for each in ranges]

    def is_worth_waiting_for(self, numbers: Sequence[int], paths: Sequence[str]) -> bool:
        """Whether to look at other columns first may spare more than it costs."""
        if self._fetched is None:
            return True
        return sum(end - start for start, end in self._parts(numbers, paths)) >= WORTH

    def portions(self, numbers: Sequence[int]) -> Iterator[Sequence[int]]:
        """Row groups to look at together."""
        if self._fetched is None:
            yield from ((number,) for number in numbers)
        else:
            yield numbers

    def batches(self, numbers: Sequence[int], paths: Sequence[str]) -> Iterator[Batch]:
        """The rows of some row groups."""
        self._ask(self._parts(numbers, paths))
        for is_whole, together in groupby(numbers, lambda number: number not in self._pages):
            if is_whole:
                yield from self._reader.iter_batches(BATCH, list(together), paths, use_threads=False)
            else:
                for number in together:
                    yield from self._rows_of(number, paths).combine_chunks().to_batches(BATCH)

    def tables(self, numbers: Sequence[int], paths: Sequence[str]) -> Iterator[tuple[int, pa.Table]]:
        """Some row groups, one by one."""
        self._ask(self._parts(numbers, paths))
        for number in numbers:
            if number in self._pages:
                yield number, self._rows_of(number, paths)
            else:
                yield number, self._reader.read_row_group(number, paths, use_threads=False)

    def _rows_of(self, number: int, paths: Sequence[str]) -> pa.Table:
        return self._pages[number].table(paths, self._coded, self._bytes)

    def _parts(self, numbers: Sequence[int], paths: Sequence[str]) -> Iterator[Range]:
        """Where some columns of row groups are."""
        leaves = self._footer.leaves_of(paths)
        for number in numbers:
            if number in self._pages:
                yield from self._pages[number].ranges(paths)
            else:
                yield from chunks(self._footer.metadata, [number], leaves)

    def _ask(self, ranges: Iterable[Range]) -> None:
        """Have these bytes at hand."""
        if self._fetched is not None:
            self._fetched.fetch(ranges)
        else:
            self._counts.add(bytes=sum(end - start for start, end in ranges))

    def _bytes(self, range_: Range) -> bytes:
        self._stream.seek(range_.start)
        return self._stream.read(range_.end - range_.start)
