"""Lines of fields without quotes and escapes as columns of values, as Hive's LazySimpleSerDe has them.

Kernels read what is written plainly; for any other text the rules of `field_values` are asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.external.scan.field_values import field_values
from streamsql.external.scan.line_blocks import WORD
from streamsql.kernels import delimited
from streamsql.kernels.jit import Bytes, Int32s
from streamsql.types import Field, Kind

Chosen = npt.NDArray[np.intp]


class PlainLines:
    """Lines in a block of `line_blocks`, split at a delimiter of one byte.

    `places` gives the position in a line of each column; the columns are numbered from 0.  `null` is how NULL is written.
    What is no UTF-8 is read as the character that stands for such.
    """

    def __init__(self, block: Bytes, delimiter: str, null: str, places: Sequence[int]) -> None:
        self.count, is_ascii = delimited.survey(block)
        self._data = block if is_ascii else _decodable(block)
        self._null = np.frombuffer(null.encode(), np.uint8)
        if not places:  # the lines are only counted
            return
        columns = np.full(max(places) + 1, -1)
        columns[list(places)] = range(len(places))
        self._starts = np.empty((len(places), self.count), np.int32)
        self._ends = np.empty_like(self._starts)
        delimited.split(self._data, self._data.view(np.uint64), ord(delimiter), columns, self._starts, self._ends)

    def column(self, number: int, field: Field, rows: Chosen | None = None) -> pa.Array:
        """The values of a column (in some rows), NULL where there is none or the text is none."""
        starts, ends = self._starts[number], self._ends[number]
        if rows is not None:
            starts, ends = starts[rows], ends[rows]
        read = _PLAIN.get(field.type.kind)
        if read is None:
            texts, longest = self._texts(starts, ends)
            fits = field.type.kind is Kind.VARCHAR and (field.type.length is None or longest <= field.type.length)
            return texts if fits else field_values(texts, field, False)[0]
        values, kinds = read(self._data, starts, ends, self._null)
        array = pa.Array.from_buffers(field.type.arrow(), len(starts), [_valid(kinds), pa.py_buffer(values)])
        others = kinds == delimited.OTHER
        if others.any():
            texts, _ = self._texts(starts[others], ends[others])
            array = pc.replace_with_mask(array, pa.array(others), field_values(texts, field, False)[0])
        return array

    def _texts(self, starts: Int32s, ends: Int32s) -> tuple[pa.Array, int]:
        """Fields as texts, and the bytes of the longest."""
        offsets, kinds = np.empty(len(starts) + 1, np.int32), np.empty(len(starts), np.uint8)
        longest = delimited.sizes(self._data, starts, ends, self._null, offsets, kinds)
        texts = np.empty(int(offsets[-1]), np.uint8)
        delimited.gather(self._data, starts, offsets, texts)
        buffers = [_valid(kinds), pa.py_buffer(offsets), pa.py_buffer(texts)]
        return pa.Array.from_buffers(pa.string(), len(starts), buffers), longest


def _decodable(block: Bytes) -> Bytes:
    """A block whose text is UTF-8 in any case."""
    text = block.tobytes()
    try:
        text.decode()
    except UnicodeDecodeError:
        text = text.rstrip(b"\0").decode(errors="replace").encode()
        return np.frombuffer(text + bytes(-len(text) % WORD), np.uint8)
    return block


def _valid(kinds: Bytes) -> pa.Buffer | None:
    """Which fields have a value, as Arrow keeps it: a bit each."""
    good = kinds == delimited.GOOD
    return None if good.all() else pa.py_buffer(np.packbits(good, bitorder="little"))


Read = Callable[[Bytes, Int32s, Int32s, Bytes], tuple[npt.NDArray[Any], Bytes]]
"""From the text, where the fields begin and end in it, and how NULL is written, to values and what each field is."""


def _integers(dtype: Any) -> Read:
    low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)

    def read(data: Bytes, starts: Int32s, ends: Int32s, null: Bytes) -> tuple[npt.NDArray[Any], Bytes]:
        values, kinds = np.empty(len(starts), np.int64), np.empty(len(starts), np.uint8)
        delimited.integers(data, starts, ends, null, low, high, values, kinds)
        return values.astype(dtype, copy=False), kinds

    return read


def _doubles(data: Bytes, starts: Int32s, ends: Int32s, null: Bytes) -> tuple[npt.NDArray[Any], Bytes]:
    values, kinds = np.empty(len(starts)), np.empty(len(starts), np.uint8)
    delimited.doubles(data, starts, ends, null, delimited.POWERS, values, kinds)
    return values, kinds


def _dates(data: Bytes, starts: Int32s, ends: Int32s, null: Bytes) -> tuple[npt.NDArray[Any], Bytes]:
    values, kinds = np.empty(len(starts), np.int32), np.empty(len(starts), np.uint8)
    delimited.dates(data, starts, ends, null, values, kinds)
    return values, kinds


def _timestamps(data: Bytes, starts: Int32s, ends: Int32s, null: Bytes) -> tuple[npt.NDArray[Any], Bytes]:
    values, kinds = np.empty(len(starts), np.int64), np.empty(len(starts), np.uint8)
    delimited.timestamps(data, starts, ends, null, values, kinds)
    return values, kinds


_PLAIN: Mapping[Kind, Read] = {
    Kind.TINYINT: _integers(np.int8),
    Kind.SMALLINT: _integers(np.int16),
    Kind.INTEGER: _integers(np.int32),
    Kind.BIGINT: _integers(np.int64),
    Kind.DOUBLE: _doubles,
    Kind.DATE: _dates,
    Kind.TIMESTAMP: _timestamps,
}
"""The types that kernels read."""
