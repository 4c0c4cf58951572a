"""JSON lines by the kernels of `streamsql.kernels.json_lines`: for much data, as loading them takes a while.

They take one line after another and leave aside those that are odd; these are decoded record by record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from streamsql.arrays import from_numbers, from_unscaled
from streamsql.io.blocks import Decoded, concatenated
from streamsql.io.columns import Spelling, batch_of
from streamsql.io.decoding import Names, Target
from streamsql.io.json.reader import is_utf8
from streamsql.io.json.records import ExactDecoder
from streamsql.io.json.sample import Sample, sampled
from streamsql.kernels import json_lines as scan_lines
from streamsql.kernels.json_lines import ANY_TEXT, DECIMAL, DOUBLE, MOMENT, PADDING, SINGLE, TEXT, TRUTH, WHOLE, Cells, Table
from streamsql.types import MAX_DECIMAL_PRECISION, Family, Kind, SqlType

MANY_ODD = 10
"""Where one line of so many is odd, another look at how the records are spelled may help."""

MOST_NAMES = 200
"""Members that are kept in mind; a record with others is odd."""

_BITS = {Kind.TINYINT: 8, Kind.SMALLINT: 16, Kind.INTEGER: 32, Kind.BIGINT: 64}
_ROWTIME_KINDS = {Spelling.WHOLE: WHOLE, Spelling.NUMBER: DOUBLE}


@dataclass(frozen=True)
class _Column:
    """What the kernel takes for a column: the kind, and as what Arrow type it is kept."""

    kind: int
    arrow: pa.DataType
    required: bool
    low: int = 0
    high: int = 0


class Scanner:
    """Scans blocks of JSON lines."""

    def __init__(self, target: Target, names: Names, exact: ExactDecoder) -> None:
        self._target = target
        self._names = names
        self._exact = exact
        self._sample = Sample((), {}, {})

    def decode(self, block: bytes) -> Decoded | None:
        """The block decoded; None where it is no text or a column needs another way for its values."""
        if not is_utf8(block) or not self._can_scan():
            return None
        lines = block if block.endswith(b"\n") else block + b"\n"
        data = np.frombuffer(lines + bytes(PADDING), np.uint8)
        if not self._sample.names:
            self._sample = sampled(block, self._names)
        scanned = _Scanned(data, len(lines), self._columns(self._sample), self._sample, self._names)
        if len(scanned.odd) * MANY_ODD > scanned.rows:
            sample = self._sample.then(sampled(b"\n".join(_texts(lines, scanned.odd)), self._names))
            if sample != self._sample and len(sample.names) <= MOST_NAMES:
                self._sample = sample
                scanned = _Scanned(data, len(lines), self._columns(sample), sample, self._names)
        rows = batch_of(scanned.arrays(), self._target)
        if rows is None:
            return None
        return concatenated(list(self._parts(rows, lines, scanned.odd)), self._target.schema)

    def _parts(self, rows: pa.RecordBatch, lines: bytes, odd: npt.NDArray[np.int64]) -> Iterator[Decoded]:
        """The rows, with the odd lines decoded where they belong."""
        start = 0
        for group in np.split(odd, np.flatnonzero(np.diff(odd[:, 0])) + 1) if len(odd) else ():
            row = int(group[0, 0])
            yield Decoded(rows.slice(start, row - start))
            yield self._exact.decode(b"\n".join(_texts(lines, group)))
            start = row
        yield Decoded(rows.slice(start))

    def _can_scan(self) -> bool:
        """Whether there are no columns that only the exact way knows, and none that has lost what ROWTIME needs."""
        types = [field.type for field in self._target.fields]
        rowtime = self._target.rowtime_index
        return not any(
            type_.family is Family.BINARY or (type_.kind is Kind.DECIMAL and type_.precision > MAX_DECIMAL_PRECISION)
            for type_ in types
        ) and (rowtime is None or types[rowtime].kind not in (Kind.REAL, Kind.DECIMAL))

    def _columns(self, sample: Sample) -> list[_Column]:
        columns = []
        for index, field in enumerate(self._target.fields):
            required = not field.nullable or index == self._target.rowtime_index
            columns.append(_column(field.type, sample.spellings.get(index), required))
        if self._target.rowtime is not None and self._target.rowtime_index is None:
            spelling = sample.spellings.get(len(columns), Spelling.TEXT)
            kind = _ROWTIME_KINDS.get(spelling, MOMENT)
            columns.append(_Column(kind, _KEPT[kind], True, -(2**63), 2**63 - 1))
        return columns


def _column(type_: SqlType, spelling: Spelling | None, required: bool) -> _Column:
    if type_.is_character:
        return _Column(ANY_TEXT, pa.string(), required)
    if type_.kind is Kind.TIMESTAMP:
        return _Column(MOMENT, type_.arrow(), required)
    if spelling is Spelling.TEXT or type_.is_datetime:
        return _Column(TEXT, pa.string(), required)
    if spelling is Spelling.TRUTH or (type_.kind is Kind.BOOLEAN and spelling not in (Spelling.WHOLE, Spelling.NUMBER)):
        return _Column(TRUTH, pa.bool_(), required)
    if type_.kind is Kind.DECIMAL:
        return _Column(DECIMAL, type_.arrow(), required, type_.scale, type_.precision)
    if type_.kind is Kind.REAL:
        return _Column(SINGLE, type_.arrow(), required)
    if type_.is_integer and spelling is not Spelling.NUMBER:
        limit = 1 << (_BITS[type_.kind] - 1)
        return _Column(WHOLE, type_.arrow(), required, -limit, limit - 1)
    return _Column(DOUBLE, pa.float64(), required)


_KEPT = {WHOLE: pa.int64(), DOUBLE: pa.float64(), MOMENT: pa.timestamp("ms")}


class _Scanned:
    """What a scan found."""

    def __init__(self, data: npt.NDArray[np.uint8], end: int, columns: list[_Column], sample: Sample, names: Names) -> None:
        self._data = data
        self._columns = columns
        count = int(np.count_nonzero(data[:end] == scan_lines.LINE_FEED))
        shape = (len(columns), count)
        self._cells = Cells(np.empty(shape, np.int64), np.empty(shape, np.int64), np.empty(shape, np.uint8))
        odd = np.empty((count, 3), np.int64)
        result = np.zeros(2, np.int64)
        scan_lines.scan(data, end, _table(columns, sample, names), self._cells, odd, result)
        self.rows = int(result[0])
        self.odd = odd[: int(result[1])]

    def arrays(self) -> list[pa.Array]:
        """The values of each column, as they were kept."""
        return [self._array(index, column) for index, column in enumerate(self._columns)]

    def _array(self, index: int, column: _Column) -> pa.Array:
        values = self._cells.values[index, : self.rows]
        null = self._cells.nulls[index, : self.rows].astype(bool)
        nulls = null if null.any() else None
        if column.kind in (ANY_TEXT, TEXT):
            return self._text(values, self._cells.sizes[index, : self.rows], nulls)
        if column.kind == TRUTH:
            return pa.array(values == 1, mask=nulls)
        if column.kind == DECIMAL:
            return from_unscaled(values, column.arrow, nulls)
        return from_numbers(values.view(np.float64) if column.kind in (DOUBLE, SINGLE) else values, column.arrow, nulls)

    def _text(self, starts: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64], nulls: npt.NDArray[np.bool_] | None) -> pa.Array:
        offsets = np.zeros(self.rows + 1, np.int32)
        np.cumsum(sizes >> 1, out=offsets[1:])
        text = np.empty(int(offsets[-1]), np.uint8)
        scan_lines.copy_text(self._data, starts, sizes, offsets, text)
        validity = None if nulls is None else pa.py_buffer(np.packbits(~nulls, bitorder="little"))
        return pa.StringArray.from_buffers(self.rows, pa.py_buffer(offsets), pa.py_buffer(text), validity)


def _table(columns: list[_Column], sample: Sample, names: Names) -> Table:
    """The sample's members for the kernel; a name that JSON writes with an escape is unknown to it."""
    known = [name for name in sample.names if '"' not in name and "\\" not in name and name.isprintable()] or ["\n"]
    texts = [f'{name}"'.encode("utf-8", "replace") for name in known]
    matches = [names.column(name) for name in known]
    return Table(
        np.frombuffer(b"".join(texts), np.uint8).copy(),
        np.cumsum([len(text) for text in texts], dtype=np.int64),
        np.array([-1 if match is None else match[0] for match in matches], np.int64),
        np.array([column.kind for column in columns], np.int64),
        np.array([column.required for column in columns], np.int64),
        np.array([column.low for column in columns], np.int64),
        np.array([column.high for column in columns], np.int64),
    )


def _texts(lines: bytes, odd: npt.NDArray[np.int64]) -> list[bytes]:
    return [lines[start:end] for _, start, end in odd.tolist()]
