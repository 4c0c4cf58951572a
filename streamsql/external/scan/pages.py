"""Pages of Parquet files that are left out: those whose least and greatest values say that no row can meet the condition.

Some files have an index: where each page of a column chunk begins, by bytes and by rows, and its bounds.  What is left of the
columns is put together as another Parquet file, in memory, which pyarrow reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from streamsql.external.scan import statistics, thrift
from streamsql.external.scan.bounds import Bounds, Possible
from streamsql.external.scan.file_columns import FileColumns, paths_of
from streamsql.external.scan.footers import Footer
from streamsql.external.scan.ranges import Range, chunks
from streamsql.external.scan.request import PartitionFile
from streamsql.external.scan.thrift import Elements, Field, Struct
from streamsql.types import SqlType

Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

Read = Callable[[Sequence[Range]], Sequence[bytes]]
"""Gives bytes of a file, of several places at once."""

WORTH = 1 << 20
"""Bytes of a row group, of the columns that are asked for, from which on it is looked for pages."""

OF_FOOTER = 64
"""It has to be so many times as large as the footer, too, which is gone through once for it."""

MOST = 0.9
"""Of more of the rows all are read at once."""

MAGIC = b"PAR1"

OFFSET_INDEX, COLUMN_INDEX = 4, 6
"""Fields of ColumnChunk: where the index of its pages, and that of their bounds is; the next field says how long."""

OF_ALL_PAGES = (1, 2, 3, 4, 6)
"""Fields of ColumnMetaData that hold for some pages, too: type, encodings, path, codec, and the size without compression, which
is for guesses."""


class Chunk(NamedTuple):
    """Where a column chunk is, and its pages: where they start and end, and the first row of each."""

    range: Range
    starts: Numbers
    ends: Numbers
    firsts: Numbers

    @property
    def dictionary(self) -> Range:
        """What is in front of the pages: a dictionary, or nothing."""
        return Range(self.range.start, int(self.starts[0]))

    def pages(self, begins: Numbers, kept: Mask) -> Iterator[Range]:
        """The pages of some stretches; those that follow each other are one range."""
        wanted = kept[_place_of(self.firsts, begins)]
        first = wanted & ~np.concatenate(([False], wanted[:-1] & (self.starts[1:] == self.ends[:-1])))
        last = np.append(first[1:] | ~wanted[1:], True) & wanted
        yield from map(Range, self.starts[first].tolist(), self.ends[last].tolist())


class Stretches(NamedTuple):
    """Of columns that make one, such as the fields of a record, the rows that are read: those between rows with which a page of
    each begins."""

    paths: Sequence[str]
    leaves: Sequence[int]
    begins: Numbers
    kept: Mask


@dataclass(frozen=True)
class Pages:
    """Some rows of a row group, from one to before another, and the pages of its columns.

    The pages of columns do not begin with the same rows.  So what is read of each column is a row group of its own, in a Parquet
    file that is made of it, and of that the rows are taken.
    """

    footer: Footer
    number: int
    wanted: Sequence[tuple[int, int]]
    chunks: Mapping[int, Chunk]

    @property
    def rows(self) -> int:
        """How many rows these are."""
        return sum(end - start for start, end in self.wanted)

    def ranges(self, paths: Sequence[str]) -> Iterator[Range]:
        """What is read for some columns."""
        for part in self._parts(paths):
            for leaf in part.leaves:
                yield self.chunks[leaf].dictionary
                yield from self.chunks[leaf].pages(part.begins, part.kept)

    def table(self, paths: Sequence[str], coded: Sequence[str], read: Callable[[Range], bytes]) -> pa.Table:
        """The rows of some columns, of bytes that `read` gives; those in `coded` come as dictionaries."""
        from pyarrow.parquet import ParquetFile

        parts = list(self._parts(paths))
        file = ParquetFile(pa.BufferReader(pa.py_buffer(self._file(parts, read))), pre_buffer=False, read_dictionary=coded)
        columns: dict[str, pa.ChunkedArray] = {}
        for number, part in enumerate(parts):
            table = file.read_row_group(number, part.paths, use_threads=False)
            before = np.cumsum(self._sizes(part)[part.kept]) - self._sizes(part)[part.kept]
            places = np.cumsum(part.kept) - 1
            taken = []
            for start, end in self.wanted:
                stretch = int(_place_of(np.array([start]), part.begins)[0])
                taken.append(table.slice(int(before[places[stretch]]) + start - int(part.begins[stretch]), end - start))
            whole = pa.concat_tables(taken)
            columns.update(zip(whole.column_names, whole.columns, strict=True))
        return pa.table(columns)

    def _parts(self, paths: Sequence[str]) -> Iterator[Stretches]:
        roots: dict[str, list[str]] = {}
        for path in paths:
            roots.setdefault(path.partition(".")[0], []).append(path)
        for of_root in roots.values():
            leaves = self.footer.leaves_of(of_root)
            begins: Numbers = reduce(np.intersect1d, [self.chunks[leaf].firsts for leaf in leaves])
            kept = np.zeros(len(begins), bool)
            for start, end in self.wanted:
                first, last = _place_of(np.array([start, end - 1]), begins)
                kept[first : last + 1] = True
            yield Stretches(of_root, leaves, begins, kept)

    def _sizes(self, part: Stretches) -> Numbers:
        return np.diff(part.begins, append=self.footer.group_rows[self.number])

    def _file(self, parts: Sequence[Stretches], read: Callable[[Range], bytes]) -> bytearray:
        """A Parquet file with a row group for each of the parts; what it says there of other columns means nothing."""
        data = bytearray(MAGIC)
        groups: list[Struct] = []
        for part in parts:
            group, rows = self.footer.group(self.number), int(self._sizes(part)[part.kept].sum())
            described = group[1].value.values
            for leaf in part.leaves:
                start = len(data)
                data += read(self.chunks[leaf].dictionary)
                pages = len(data)
                for range_ in self.chunks[leaf].pages(part.begins, part.kept):
                    data += read(range_)
                described[leaf] = thrift.written(_described(thrift.read(described[leaf]), start, pages, len(data), rows))
            groups.append({**group, 3: Field(thrift.I64, rows)})
        footer = thrift.written({**self.footer.thrift, 4: Field(thrift.LIST, Elements(thrift.STRUCT, list(groups)))})
        data += footer + len(footer).to_bytes(4, "little") + MAGIC
        return data


def _described(chunk: Struct, start: int, pages: int, end: int, rows: int) -> Struct:
    """A ColumnChunk with some of its pages, at another place: from `start` on a dictionary, from `pages` on these."""
    told = {5: rows, 7: end - start, 9: pages, **({11: start} if start < pages else {})}
    kept = {number: field for number, field in chunk[3].value.items() if number in OF_ALL_PAGES}
    of_pages = {number: Field(thrift.I64, value) for number, value in told.items()}
    return {2: chunk[2], 3: Field(thrift.STRUCT, {**kept, **of_pages})}


class PageFilter:
    """Tells which pages of the files of one request may have rows that are wanted; for all threads."""

    def __init__(self, possible: Possible, columns: FileColumns) -> None:
        self._possible = possible
        self._columns = columns

    def left(self, file: PartitionFile, footer: Footer, number: int, places: Mapping[int, str], read: Read) -> Pages | None:
        """The pages of a row group to read; None for all of it.  An index that is not understood is as none."""
        asked = {place: footer.leaves.get(places[place], -1) for place in self._possible.columns if place in places}
        leaves = footer.leaves_of(paths_of(places))
        if not _may_tell(footer, number, leaves, list(asked.values())):
            return None
        group = _IndexedGroup(footer, number, read)
        if not group.look_at(set(asked.values()), bounds=True):
            return None
        cuts = np.unique(np.concatenate([group.chunks[leaf].firsts for leaf in asked.values()]))
        known: dict[int, Bounds] = {}
        for place in self._possible.columns:
            if place in asked:
                own = group.bounds(asked[place], self._columns.fields[place].type)
                known[place] = own.take(_place_of(cuts, group.chunks[asked[place]].firsts))
            else:
                known[place] = self._columns.constant(place, file, len(cuts))
        wanted = self._possible(known, len(cuts))
        count = footer.group_rows[number]
        stretches = _together(cuts[wanted].tolist(), np.append(cuts[1:], count)[wanted].tolist())
        pages = Pages(footer, number, stretches, group.chunks)
        return pages if pages.rows <= MOST * count and group.look_at(set(leaves) - set(asked.values())) else None


def _together(starts: Sequence[int], ends: Sequence[int]) -> list[tuple[int, int]]:
    """Stretches of rows; those that follow each other are one."""
    found: list[tuple[int, int]] = []
    for start, end in zip(starts, ends, strict=True):
        if found and found[-1][1] == start:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


class _IndexedGroup:
    """What the index says of some columns of a row group."""

    def __init__(self, footer: Footer, number: int, read: Read) -> None:
        self.chunks: dict[int, Chunk] = {}
        self._bounds: dict[int, Struct] = {}
        self._footer = footer
        self._number = number
        self._columns = footer.group(number)[1].value.values
        self._read = read

    def look_at(self, leaves: set[int], bounds: bool = False) -> bool:
        """Read where the pages of some columns are, and their bounds, if there are any.  Gives whether it is understood."""
        order = sorted(leaves)
        described = {leaf: thrift.read(self._columns[leaf]) for leaf in order}
        told = [leaf for leaf in order if bounds and COLUMN_INDEX in described[leaf]]
        offsets = [_place(described[leaf], OFFSET_INDEX) for leaf in order]
        data = iter(self._read([*offsets, *(_place(described[leaf], COLUMN_INDEX) for leaf in told)]))
        count = self._footer.group_rows[self._number]
        try:
            for leaf, range_ in zip(order, chunks(self._footer.metadata, [self._number], order), strict=True):
                self.chunks[leaf] = _chunk(range_, thrift.read(next(data)), count)
            for leaf in told:
                self._bounds[leaf] = thrift.read(next(data))
        except (ValueError, KeyError, AttributeError, TypeError):
            return False
        return True

    def bounds(self, leaf: int, wanted: SqlType) -> Bounds:
        """The bounds of the pages of a column that was looked at."""
        column = self._footer.metadata.schema.column(leaf)
        return statistics.page_bounds(self._bounds.get(leaf, {}), column, len(self.chunks[leaf].firsts), wanted)


def _place(chunk: Struct, index: int) -> Range:
    """Where an index of a column chunk is."""
    return Range(chunk[index].value, chunk[index].value + chunk[index + 1].value)


def _place_of(rows: Numbers, firsts: Numbers) -> Numbers:
    """In which page or stretch each row is, by the first row of each."""
    return np.searchsorted(firsts, rows, "right") - 1


def _may_tell(footer: Footer, number: int, leaves: Sequence[int], asked: Sequence[int]) -> bool:
    """Whether a row group is worth it, and every column has an index and one value a row."""
    group, schema = footer.metadata.row_group(number), footer.metadata.schema
    size = sum(end - start for start, end in chunks(footer.metadata, [number], leaves))
    if size < max(WORTH, OF_FOOTER * footer.metadata.serialized_size):
        return False
    told = any(leaf >= 0 and group.column(leaf).has_column_index for leaf in asked)
    return told and all(
        leaf in leaves and group.column(leaf).has_offset_index and not schema.column(leaf).max_repetition_level
        for leaf in (*leaves, *asked)
    )


def _chunk(range_: Range, index: Struct, count: int) -> Chunk:
    """A column chunk of so many rows and its OffsetIndex.  Raises where it is none."""
    pages = [(page[1].value, page[2].value, page[3].value) for page in index[1].value.values]
    starts, sizes, firsts = (np.array(each, np.int64) for each in zip(*pages, strict=True))
    rows = np.diff(firsts, prepend=-1, append=count)
    within = range_.start <= starts[0] and (starts[1:] >= (starts + sizes)[:-1]).all() and starts[-1] + sizes[-1] <= range_.end
    if firsts[0] or (rows <= 0).any() or not within:
        raise ValueError("pages that are not those of their column")
    return Chunk(range_, starts, starts + sizes, firsts)
