"""How the values of a key column become words of 64 bits that are equal exactly when the values are."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from streamsql.arrays import from_numbers, from_unscaled, nulls, numbers, unscaled
from streamsql.key_table import Ids, Words
from streamsql.types import MAX_DECIMAL_PRECISION

_MANY = 16384
"""So many strings are more than Python's objects should be made for."""


class Coding(Protocol):
    """A coding of one column's values in `width` words."""

    width: int

    is_cheap: bool
    """Whether coding the values of all rows is faster than finding the distinct ones first."""

    def fits(self, column: pa.Array) -> bool:
        """Whether it can hold all these values."""
        ...

    def words(self, column: pa.Array) -> Words:
        """The words of these values, which fit."""
        ...

    def values(self, words: Words) -> pa.Array:
        """The values of these words."""
        ...

    def clear(self) -> None:
        """Forget what it keeps of values."""
        ...


def codings(type: pa.DataType) -> list[Coding]:
    """The codings of a type, each for what the one before cannot hold; the last holds everything."""
    if pa.types.is_string(type) or pa.types.is_binary(type):
        return [Objects(type, _MANY), *(ShortStrings(type, width) for width in (1, 2, 3, 5)), Objects(type)]
    if pa.types.is_primitive(type) or (pa.types.is_decimal(type) and type.precision <= MAX_DECIMAL_PRECISION):
        return [FixedWidth(type, nullable=False), FixedWidth(type, nullable=True)]
    return [Objects(type)]


class FixedWidth:
    """Numbers, dates, times and booleans: the value as it is stored, and where NULLs were seen whether it is one.

    All NaN are the same key, and so are both zeros.
    """

    is_cheap = True

    def __init__(self, type: pa.DataType, nullable: bool) -> None:
        self._type = type
        self._nullable = nullable
        self.width = 2 if nullable else 1

    def fits(self, column: pa.Array) -> bool:
        return self._nullable or not column.null_count

    def words(self, column: pa.Array) -> Words:
        values, null = self._stored(column), nulls(column)
        if not self._nullable:
            return [values]
        if null is None:
            return [values, np.zeros(len(values), np.int64)]
        return [np.where(null, 0, values), null.astype(np.int64)]

    def _stored(self, column: pa.Array) -> Ids:
        if pa.types.is_decimal(self._type):
            return np.ascontiguousarray(unscaled(column))
        if pa.types.is_boolean(self._type):
            column = column.cast(pa.int8())
        values = numbers(column)
        if pa.types.is_floating(self._type):
            values = values.astype(np.float64) + 0.0  # makes minus zero zero
            return np.where(np.isnan(values), np.nan, values).view(np.int64)
        return values.astype(np.int64, copy=False)

    def values(self, words: Words) -> pa.Array:
        stored, null = words[0], words[1] != 0 if self._nullable else None
        if pa.types.is_decimal(self._type):
            return from_unscaled(stored, self._type, null)
        if pa.types.is_boolean(self._type):
            return pa.array(stored != 0, mask=null)
        return from_numbers(stored.view(np.float64) if pa.types.is_floating(self._type) else stored, self._type, null)

    def clear(self) -> None:
        pass


_NULL = 255
"""What stands in place of the length of NULL."""

_PREFIXES = np.array([(1 << 8 * n) - 1 for n in range(8)] + [-1], np.int64)
"""Masks of the first n bytes of a word."""


class ShortStrings:
    """Strings of fewer bytes than `width` words have: their bytes, and in the last byte of the last word their length."""

    is_cheap = False

    def __init__(self, type: pa.DataType, width: int) -> None:
        self._type = type
        self.width = width

    def fits(self, column: pa.Array) -> bool:
        return not len(column) or int(np.diff(_offsets(column)).max()) < 8 * self.width

    def words(self, column: pa.Array) -> Words:
        offsets = _offsets(column).astype(np.int64)
        text, start = column.buffers()[2], int(offsets[0]) if len(offsets) else 0
        lengths = np.diff(offsets)
        padded = np.zeros((int(offsets[-1]) - start) // 8 + 4, np.int64)  # so that every word may be read from two of these
        if text is not None:
            padded.view(np.uint8)[: offsets[-1] - start] = np.frombuffer(text, np.uint8)[start : offsets[-1]]
        begins = offsets[:-1] - start
        words = [_word(padded, begins + 8 * i, np.clip(lengths - 8 * i, 0, 8)) for i in range(self.width)]
        null = nulls(column)
        words[-1] |= (lengths if null is None else np.where(null, _NULL, lengths)) << 56
        return words

    def values(self, words: Words) -> pa.Array:
        text = np.ascontiguousarray(np.stack(words, axis=1)).view(np.uint8).reshape(-1, 8 * self.width)
        lengths, null = text[:, -1], text[:, -1] == _NULL
        lengths = np.where(null, 0, lengths)
        data = text[np.arange(text.shape[1]) < lengths[:, None]]
        offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
        validity = pa.py_buffer(np.packbits(~null, bitorder="little")) if null.any() else None
        return pa.Array.from_buffers(self._type, len(lengths), [validity, pa.py_buffer(offsets), pa.py_buffer(data)])

    def clear(self) -> None:
        pass


class Objects:
    """Values of any type: each distinct one, of up to `limit`, gets a number.  Python's dict is the fastest for few values."""

    width = 1
    is_cheap = False

    def __init__(self, type: pa.DataType, limit: int | None = None) -> None:
        self._type = type
        self._limit = limit
        self._codes: dict[Any, int] = {}

    def fits(self, column: pa.Array) -> bool:
        return self._limit is None or len(self._codes) + len(column) <= self._limit

    def words(self, column: pa.Array) -> Words:
        codes = (self._codes.setdefault(value, len(self._codes)) for value in column.to_pylist())
        return [np.fromiter(codes, np.int64, len(column))]

    def values(self, words: Words) -> pa.Array:
        return pa.array(list(self._codes), self._type).take(pa.array(words[0]))

    def clear(self) -> None:
        self._codes.clear()


def _offsets(column: pa.Array) -> npt.NDArray[np.int32]:
    """Where the text of each value begins, and where that of the last ends."""
    return np.frombuffer(column.buffers()[1], np.int32, len(column) + 1, 4 * column.offset)


def _word(text: Ids, begins: Ids, lengths: Ids) -> Ids:
    """The bytes from `begins` on as a word, zeros behind so many of them."""
    place, shift = begins >> 3, (begins & 7) << 3
    low = text.take(place).view(np.uint64) >> shift.view(np.uint64)
    high = text.take(place + 1).view(np.uint64) << np.uint64(1) << (63 - shift).view(np.uint64)
    words: Ids = (low | high).view(np.int64) & _PREFIXES.take(lengths)
    return words
