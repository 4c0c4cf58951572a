"""Rows from lines of fields without quotes and escapes: LazySimpleSerDe, as nearly everybody uses it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from streamsql.external.scan.asked import Arrays, Constants, chosen
from streamsql.external.scan.counts import Counts
from streamsql.external.scan.delimited import Delimiters
from streamsql.external.scan.line_blocks import ReadsInto, line_blocks
from streamsql.external.scan.plain_lines import PlainLines
from streamsql.external.scan.rows import RowMaker
from streamsql.types import Batch


class PlainTextReader:
    """Reads the text of files of one request; for all threads.

    The columns of the condition are made first, and of the others only the fields in rows that are wanted.
    """

    def __init__(self, maker: RowMaker, delimiters: Delimiters, counts: Counts) -> None:
        self._maker = maker
        self._delimiters = delimiters
        self._counts = counts
        request = maker.request
        names = [column.name for column in request.table.columns]
        self._fields = {i: request.columns[i].field for i in request.stored}
        self._numbers = {i: number for number, i in enumerate(self._fields)}
        self._places = [names.index(request.columns[i].path[0]) for i in self._fields]

    def read(self, text: ReadsInto, constants: Constants) -> Iterator[Batch]:
        """What is asked for of a text, whose columns that are not in it have these values."""
        signs = self._delimiters
        portion = self._maker.portion()
        for block in line_blocks(text, signs.header):
            lines = PlainLines(block, signs.field, signs.null or "", self._places)
            self._counts.add(rows=lines.count)
            columns, count = self._wanted(lines, constants)
            yield from portion.give(columns, constants, count)
        yield from portion.end()

    def _wanted(self, lines: PlainLines, constants: Constants) -> tuple[Arrays, int]:
        """The rows for which the condition is true, and how many they are."""
        first: Arrays = {i: lines.column(self._numbers[i], self._fields[i]) for i in self._maker.asked if i in self._fields}
        mask = self._maker.mask(first, constants, lines.count)
        count, places = lines.count, None
        if mask is not None:
            first, count = chosen(first, mask)
            places = np.flatnonzero(mask)
        rest = {i: lines.column(self._numbers[i], self._fields[i], places) for i in self._fields if i not in first}
        return {**first, **rest}, count
