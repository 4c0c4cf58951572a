"""Rows from Parquet files: the row groups and pages that may hold some, and of these the columns that are asked for.

Where there is a condition, the columns that it reads are read first: of a row group without a row that is wanted the others
are not read at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from streamsql.external.scan.asked import Arrays, Constants
from streamsql.external.scan.bloom_filters import BloomFilters
from streamsql.external.scan.bounds import Bounds, Possible, joined
from streamsql.external.scan.counts import Counts
from streamsql.external.scan.file_columns import FileColumns, paths_of
from streamsql.external.scan.footers import Footer, Footers
from streamsql.external.scan.pages import PageFilter, Pages
from streamsql.external.scan.parquet_source import ParquetSource
from streamsql.external.scan.portions import Portion
from streamsql.external.scan.request import PartitionFile
from streamsql.external.scan.rows import Given, RowMaker, whole
from streamsql.external.scan.sought import Sought
from streamsql.rows import Mask

GROUP_ROWS = 1 << 18
"""Small row groups are read together up to so many rows."""

FIRST_ROWS = 1 << 16
"""The same where the first rows of an order are wanted: those that were read say which of the others need not be."""

SHORT = 2
"""Bytes for each value of a column that is the codes of a short dictionary, at most."""


@dataclass(frozen=True)
class Groups:
    """Row groups of a file that are to be read."""

    file: PartitionFile
    footer: Footer
    numbers: tuple[int, ...]
    places: Mapping[int, str]
    """The dotted path in the file of each column that it has, by the column's place in the request."""


@dataclass(frozen=True)
class Look:
    """What is known of a row group when the columns of the condition have been read.

    `made` are these as columns of the declared types, None where some values do not fit; `mask` says which rows are wanted, None
    for all.
    """

    columns: dict[int, pa.Array]
    made: dict[int, pa.Array] | None
    mask: Mask | None
    count: int


class ParquetReader:
    """Reads the files of one request; for all threads."""

    def __init__(
        self, maker: RowMaker, possible: Possible | None, values: Sought | None, footers: Footers, counts: Counts
    ) -> None:
        self._maker = maker
        self._request = maker.request
        self._possible = possible
        self._filters = None if values is None else BloomFilters(values, maker.asked, counts)
        self._footers = footers
        self._counts = counts
        self._file = FileColumns(maker)
        self._pages = None if possible is None or possible.tells_nothing else PageFilter(possible, self._file)

    def groups(self, files: Sequence[PartitionFile]) -> Iterator[Groups]:
        """The row groups of some files that may hold rows that are wanted, in portions."""
        found = [self._opened(file) for file in files]
        for opened_file, mask in zip(found, self._wanted(found), strict=True):
            numbers = self._left([number for number, wanted in enumerate(mask) if wanted], opened_file)
            for portion in _portions(numbers, opened_file.footer, GROUP_ROWS if self._maker.first is None else FIRST_ROWS):
                yield replace(opened_file, numbers=tuple(portion))

    def _opened(self, file: PartitionFile) -> Groups:
        """A file with none of its row groups."""
        footer = self._footers.of(file.file, self._counts)
        self._counts.add_file(file.file.entry.size)
        self._counts.add(row_groups=len(footer.group_rows))
        return Groups(file, footer, (), self._file.places(footer.schema, file))

    def _wanted(self, files: Sequence[Groups]) -> Iterator[Sequence[bool]]:
        """For each file which of its row groups may hold rows that are wanted."""
        counts = [len(file.footer.group_rows) for file in files]
        possible = self._possible
        if possible is None or possible.tells_nothing:
            yield from ([True] * count for count in counts)
            return
        bounds = {column: joined([self._bounds(column, file) for file in files]) for column in possible.columns}
        mask = possible(bounds, sum(counts)).tolist()
        for count in counts:
            yield mask[:count]
            del mask[:count]

    def _left(self, numbers: list[int], file: Groups) -> list[int]:
        """Those of some row groups that Bloom filters leave."""
        if self._filters is None:
            return numbers
        try:
            return self._filters.left(file.file.file, file.footer, numbers, file.places)
        except OSError as error:
            raise file.file.file.failed(error) from error

    def read(self, groups: Groups) -> Iterator[Given]:
        """What is asked for of the rows of some row groups."""
        constants = groups.file.constants(self._request)
        portion = self._maker.portion()
        groups = self._without_late(self._without_told(groups, constants, portion))
        total = sum(groups.footer.group_rows[number] for number in groups.numbers)
        if not groups.numbers:
            pass
        elif not groups.places:  # of the file only the number of its rows is of interest
            self._counts.add(row_groups_read=len(groups.numbers), rows=total)
            missing = {i: pa.scalar(None, self._file.fields[i].type.arrow()) for i in self._request.stored}
            yield from self._file.wanted({}, {**constants, **missing}, total, portion)
        else:
            with ParquetSource(groups.file.file, groups.footer, self._coded(groups), self._counts) as source:
                try:
                    groups = self._without_pages(source, groups)
                    yield from self._read(source, groups, constants, portion)
                except (OSError, EOFError, pa.ArrowInvalid) as error:
                    raise groups.file.file.failed(error) from error
        yield from portion.end()

    def _without_told(self, groups: Groups, constants: Constants, portion: Portion) -> Groups:
        """Without the row groups of which the footer says all that is asked."""
        told = self._maker.told
        if told is None:
            return groups
        chosen_groups = pa.array(groups.numbers)
        bounds = {column: self._bounds(column, groups).take(chosen_groups) for column in told}
        known = portion.give_facts(bounds, constants, [groups.footer.group_rows[number] for number in groups.numbers])
        return replace(groups, numbers=tuple(n for n, is_known in zip(groups.numbers, known, strict=True) if not is_known))

    def _without_late(self, groups: Groups) -> Groups:
        """Without the row groups of which the footer says that none of their rows is among the first of an order."""
        first = self._maker.first
        if first is None or first.column is None:
            return groups
        possible = first.possible(self._bounds(first.column, groups))
        return replace(groups, numbers=tuple(number for number in groups.numbers if possible[number]))

    def _without_pages(self, source: ParquetSource, groups: Groups) -> Groups:
        """Without the row groups of which no page may hold rows that are wanted; of the others `source` gives those that may."""
        found: dict[int, Pages] = {}
        if self._pages is not None:
            for number in groups.numbers:
                pages = self._pages.left(groups.file, groups.footer, number, groups.places, source.read)
                if pages is not None:
                    found[number] = pages
        source.leave_out(found)
        numbers = tuple(number for number in groups.numbers if number not in found or found[number].rows)
        rows = sum(found[number].rows if number in found else groups.footer.group_rows[number] for number in numbers)
        passed = sum(groups.footer.group_rows[number] - found[number].rows for number in numbers if number in found)
        self._counts.add(row_groups_read=len(numbers), rows=rows, rows_passed=passed)
        return replace(groups, numbers=numbers)

    def _coded(self, groups: Groups) -> list[str]:
        """The paths of texts that are read as dictionaries: where the file keeps them as short ones."""
        metadata, leaves = groups.footer.metadata, groups.footer.leaves
        chunk = metadata.row_group(groups.numbers[0]).column
        paths = [path for i, path in groups.places.items() if i in self._maker.coded and path in leaves]
        return [path for path in paths if _is_short(chunk(leaves[path]))]

    def _read(self, source: ParquetSource, groups: Groups, constants: Constants, portion: Portion) -> Iterator[Given]:
        asked = self._maker.asked
        first = {i: path for i, path in groups.places.items() if i in asked}
        rest = {i: path for i, path in groups.places.items() if i not in asked}
        if not first or not rest or not source.is_worth_waiting_for(groups.numbers, paths_of(rest)):
            for batch in source.batches(groups.numbers, paths_of(groups.places)):
                yield from self._file.given(self._file.columns(batch, groups.places), constants, batch.num_rows, portion)
            return
        for numbers in source.portions(groups.numbers):
            looked_at = [
                (number, self._look(table, first, constants)) for number, table in source.tables(numbers, paths_of(first))
            ]
            wanted = {number: look for number, look in looked_at if look is not None}
            for number, table in source.tables(list(wanted), paths_of(rest)):
                yield from self._late(wanted[number], self._file.columns(table, rest), constants, portion)

    def _look(self, table: pa.Table, first: Mapping[int, str], constants: Constants) -> Look | None:
        """What the columns of the condition say of a row group; None where no row is wanted."""
        columns, count = self._file.columns(table, first), table.num_rows
        made = whole(columns, self._file.fields)
        if made is None:
            return Look(columns, None, None, count)
        absent = {i: pa.scalar(None, self._file.fields[i].type.arrow()) for i in self._maker.asked if i not in made}
        mask = self._maker.mask(made, {**absent, **constants}, count)
        return Look(columns, made, mask, count) if mask is None or mask.any() else None

    def _late(self, look: Look, others: Arrays, constants: Constants, portion: Portion) -> Iterator[Given]:
        """The rows of a row group whose other columns have been read, too."""
        made, count = look.made, look.count
        made_of_others = whole(others, self._file.fields)
        if made is None or made_of_others is None:
            yield from self._file.given({**look.columns, **others}, constants, count, portion)
            return
        found: Arrays = self._file.complete({**made, **made_of_others}, count)
        if look.mask is not None:
            found, count = self._maker.chosen(found, look.mask)
        yield from portion.give(found, constants, count)

    def _bounds(self, place: int, file: Groups) -> Bounds:
        if place in file.places:
            return file.footer.bounds(file.places[place], self._file.fields[place].type)
        return self._file.constant(place, file.file, len(file.footer.group_rows))


def _is_short(chunk: Any) -> bool:
    """Whether a column of a row group is small enough to be the codes of a short dictionary."""
    return bool(chunk.has_dictionary_page and chunk.total_uncompressed_size < SHORT * chunk.num_values)


def _portions(numbers: Sequence[int], footer: Footer, enough: int) -> Iterator[list[int]]:
    """Row groups in portions of about so many rows."""
    portion: list[int] = []
    rows = 0
    for number in numbers:
        portion.append(number)
        rows += footer.group_rows[number]
        if rows >= enough:
            yield portion
            portion, rows = [], 0
    if portion:
        yield portion
