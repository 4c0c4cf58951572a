"""How the values of a key column become words of 64 bits that are equal exactly when the values are."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from streamsql.arrays import from_numbers, from_unscaled, nulls, numbers, unscaled
from streamsql.kernels.compiling import pays
from streamsql.keys.table import Ids, Words
from streamsql.types import MAX_DECIMAL_PRECISION

_MANY = 16384
"""So many distinct strings are more than Python's objects should be made for."""


OBJECT = 150
"""Bytes that a Python object in a dictionary takes, about."""


class Coding(Protocol):
    """A coding of one column's values in `width` words."""

    width: int

    is_cheap: bool
    """Whether coding the values of all rows is faster than finding the distinct ones first."""

    @property
    def nbytes(self) -> int:
        """About how much memory what it keeps of values takes."""
        ...

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
    """The codings of a type, each for when the one before will not do; the last holds everything."""
    if is_text(type):
        return [Objects(type), Texts(type)]
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
        self.nbytes = 0

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


class Objects:
    """Values of any type: each distinct one gets a number.

    For few strings Arrow's dictionary and Python's are as fast as a kernel; many are left to one as soon as that pays.
    """

    width = 1
    is_cheap = False

    def __init__(self, type: pa.DataType) -> None:
        self._type = type
        self._is_text = is_text(type)
        self._codes: dict[Any, int] = {}

    @property
    def nbytes(self) -> int:
        return OBJECT * len(self._codes)

    def fits(self, column: pa.Array) -> bool:
        return not (self._is_text and len(self._codes) > _MANY and pays(len(column), nanoseconds=100))

    def words(self, column: pa.Array) -> Words:
        codes = (self._codes.setdefault(value, len(self._codes)) for value in column.to_pylist())
        return [np.fromiter(codes, np.int64, len(column))]

    def values(self, words: Words) -> pa.Array:
        return pa.array(list(self._codes), self._type).take(pa.array(words[0]))

    def clear(self) -> None:
        self._codes.clear()


class Texts:
    """Strings and binary: each distinct one gets a number, found by a kernel.

    The bytes of string `code` begin at word `_begins[code]` of `_kept`, there are `_lengths[code]` of them (-1: NULL).
    """

    width = 1
    is_cheap = True

    def __init__(self, type: pa.DataType) -> None:
        self._type = type
        self._count = 0
        self._slots = np.full(1024, -1, np.int64)
        self._hashes, self._kept = np.zeros(256, np.uint64), np.zeros(1024, np.uint64)
        self._begins, self._lengths = np.zeros(257, np.int64), np.zeros(256, np.int64)

    @property
    def nbytes(self) -> int:
        return 8 * (int(self._begins[self._count]) + 7 * self._count)  # the text; hash, begin, length and four slots

    def fits(self, column: pa.Array) -> bool:
        return True

    def words(self, column: pa.Array) -> Words:
        from streamsql.kernels.groups import enter_texts

        codes = np.empty(len(column), np.int64)
        text, begins, lengths = _bytes(column)
        row = 0
        while row < len(codes):
            where = (row, self._count, _shift(self._slots), self._slots, self._hashes)
            kept = (self._kept, self._begins, self._lengths)
            row, self._count = enter_texts(text, begins, lengths, *where, *kept, codes)
            if row < len(codes):
                self._grow(int(lengths[row]))
        return [codes]

    def values(self, words: Words) -> pa.Array:
        lengths = self._lengths[words[0]]
        null, lengths = lengths < 0, np.maximum(lengths, 0)
        offsets = np.concatenate(([0], np.cumsum(lengths)))
        places = np.repeat(8 * self._begins[words[0]] - offsets[:-1], lengths) + np.arange(offsets[-1])
        data = self._kept.view(np.uint8)[places]
        validity = pa.py_buffer(np.packbits(~null, bitorder="little"))
        buffers = [validity, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(data)]
        return pa.Array.from_buffers(self._type, len(lengths), buffers)

    def clear(self) -> None:
        self._slots.fill(-1)
        self._count = 0

    def _grow(self, length: int) -> None:
        """Double everything, and have room for a string of so many bytes."""
        from streamsql.kernels.groups import enter_hashes

        for name in ("_hashes", "_begins", "_lengths"):
            array = getattr(self, name)
            setattr(self, name, np.concatenate((array, np.zeros(len(self._lengths), array.dtype))))
        self._kept = np.concatenate((self._kept, np.zeros(len(self._kept) + length // 8 + 1, np.uint64)))
        self._slots = np.full(2 * len(self._slots), -1)
        enter_hashes(self._hashes[: self._count], _shift(self._slots), self._slots)


def is_text(type: pa.DataType) -> bool:
    """Whether values are bytes of any length."""
    return bool(pa.types.is_string(type) or pa.types.is_binary(type))


def _shift(slots: Ids) -> np.uint64:
    return np.uint64(65 - len(slots).bit_length())


def _bytes(column: pa.Array) -> tuple[npt.NDArray[np.uint64], Ids, Ids]:
    """A text column's bytes as words, with some behind, and where each value begins and its length (-1: NULL)."""
    if not len(column):
        return np.zeros(0, np.uint64), np.zeros(0, np.int64), np.zeros(0, np.int64)
    _, positions, data = column.buffers()
    offsets = np.frombuffer(positions, np.int32, len(column) + 1, 4 * column.offset).astype(np.int64)
    first, last = int(offsets[0]), int(offsets[-1])
    text = np.zeros((last - first) // 8 + 2, np.uint64)
    if last > first:
        text.view(np.uint8)[: last - first] = np.frombuffer(data, np.uint8)[first:last]
    lengths, null = np.diff(offsets), nulls(column)
    if null is not None:
        lengths[null] = -1
    return text, offsets[:-1] - first, lengths
