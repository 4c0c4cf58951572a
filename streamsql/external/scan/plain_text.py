"""Rows from lines of fields without quotes and escapes: LazySimpleSerDe, as nearly everybody uses it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from streamsql.external.scan.counts import Counts
from streamsql.external.scan.delimited import Delimiters
from streamsql.external.scan.line_blocks import ReadsInto, line_blocks
from streamsql.external.scan.plain_lines import PlainLines
from streamsql.external.scan.rows import RowMaker, cut
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

    def read(self, text: ReadsInto, constants: Mapping[int, pa.Scalar]) -> Iterator[Batch]:
        """The rows of a text, whose columns that are not in it have these values."""
        signs = self._delimiters
        for block in line_blocks(text, signs.header):
            lines = PlainLines(block, signs.field, signs.null or "", self._places)
            self._counts.add(rows=lines.count)
            yield from cut(self._rows(lines, constants))

    def _rows(self, lines: PlainLines, constants: Mapping[int, pa.Scalar]) -> Batch:
        columns = {i: lines.column(self._numbers[i], self._fields[i]) for i in self._maker.asked if i in self._fields}
        mask = self._maker.mask(columns, constants, lines.count)
        if mask is None:
            columns |= {i: lines.column(self._numbers[i], self._fields[i]) for i in self._fields if i not in columns}
            return self._maker.rows(columns, constants, lines.count)
        chosen = np.flatnonzero(mask)
        columns = {i: column.filter(pa.array(mask)) for i, column in columns.items()}
        columns |= {i: lines.column(self._numbers[i], self._fields[i], chosen) for i in self._fields if i not in columns}
        return self._maker.rows(columns, constants, len(chosen))
