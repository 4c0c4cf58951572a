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

_MANY = 1024
"""So many distinct strings are more than Python's objects should be made for."""

OBJECT = 150
"""Bytes that a Python object in a dictionary takes, about."""


class Coding(Protocol):
    """A coding of one column's values in `width` words."""

    width: int

    is_cheap: bool
    """Whether coding the values of all rows is faster than finding the distinct ones first."""

    is_number: bool
    """Whether the word of a value is its number among the distinct ones, from 0 in the order in which they appear."""

    @property
    def nbytes(self) -> int:
        """About how much memory what it keeps of values takes."""
        ...

    def fits(self, values: pa.Array) -> bool:
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
    is_number = False

    def __init__(self, type: pa.DataType, nullable: bool) -> None:
        self._type = type
        self._nullable = nullable
        self.width = 2 if nullable else 1
        self.nbytes = 0

    def fits(self, values: pa.Array) -> bool:
        return self._nullable or not values.null_count

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
    is_number = True

    def __init__(self, type: pa.DataType) -> None:
        self._type = type
        self._is_text = is_text(type)
        self._codes: dict[Any, int] = {}

    @property
    def nbytes(self) -> int:
        return OBJECT * len(self._codes)

    def fits(self, values: pa.Array) -> bool:
        return not (self._is_text and len(self._codes) + len(values) > _MANY and pays(len(values), nanoseconds=300))

    def words(self, column: pa.Array) -> Words:
        codes = (self._codes.setdefault(value, len(self._codes)) for value in column.to_pylist())
        return [np.fromiter(codes, np.int64, len(column))]

    def values(self, words: Words) -> pa.Array:
        return pa.array(list(self._codes), self._type).take(pa.array(words[0]))

    def clear(self) -> None:
        self._codes.clear()


class Texts:
    """Strings and binary: each distinct one gets a number, found by a kernel.

    `_kept`, `_places` and `_slots` are those of `streamsql.kernels.groups_texts`.
    """

    width = 1
    is_cheap = True
    is_number = True

    def __init__(self, type: pa.DataType) -> None:
        self._type = type
        self._count = 0
        self._slots = np.zeros(1024, np.uint64)
        self._kept, self._places = np.zeros(1024, np.uint64), np.zeros(513, np.int64)

    @property
    def nbytes(self) -> int:
        return 8 * (int(self._places[self._count]) + 5 * self._count)  # head and text; its place, and four slots

    def fits(self, values: pa.Array) -> bool:
        return True

    def words(self, column: pa.Array) -> Words:
        from streamsql.kernels.groups_texts import enter_texts

        codes = np.empty(len(column), np.int64)
        if not len(column):
            return [codes]
        text, offsets, null = _bytes(column)
        row = 0
        while row < len(codes):
            table = (_shift(self._slots), self._slots, self._kept, self._places)
            row, self._count = enter_texts(text, offsets, null, row, self._count, *table, codes)
            if row < len(codes):
                self._grow(int(offsets[row + 1] - offsets[row]))
        return [codes]

    def values(self, words: Words) -> pa.Array:
        from streamsql.kernels.groups_texts import NULL, copy_texts

        places = self._places[words[0]]
        lengths = self._kept[places] & NULL
        null = lengths == NULL
        offsets = np.zeros(len(places) + 1, np.int32)
        np.cumsum(np.where(null, 0, lengths), out=offsets[1:], dtype=np.int32)
        data = np.empty(offsets[-1], np.uint8)
        copy_texts(self._kept.view(np.uint8), places, offsets, data)
        validity = pa.py_buffer(np.packbits(~null, bitorder="little"))
        return pa.Array.from_buffers(self._type, len(places), [validity, pa.py_buffer(offsets), pa.py_buffer(data)])

    def clear(self) -> None:
        self._slots.fill(0)
        self._count = 0

    def _grow(self, length: int) -> None:
        """Have room for more texts, and one of so many bytes."""
        from streamsql.kernels.groups_texts import enter_again

        if len(self._kept) < self._places[self._count] + 1 + (length + 7) // 8:
            self._kept = np.concatenate((self._kept, np.zeros(len(self._kept) + length // 8 + 2, np.uint64)))
        if len(self._places) == self._count + 1:
            self._places = np.concatenate((self._places, np.zeros(len(self._places), np.int64)))
        if len(self._slots) <= 2 * self._count:
            self._slots = np.zeros(4 * len(self._slots), np.uint64)
            enter_again(self._kept, self._places, self._count, _shift(self._slots), self._slots)


def is_text(type: pa.DataType) -> bool:
    """Whether values are bytes of any length."""
    return bool(pa.types.is_string(type) or pa.types.is_binary(type))


def _shift(slots: npt.NDArray[np.uint64]) -> np.uint64:
    return np.uint64(65 - len(slots).bit_length())


def _bytes(column: pa.Array) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    """A text column's bytes as words, with some behind, where each value begins and the last one ends, and where it is NULL."""
    _, positions, data = column.buffers()
    offsets = np.frombuffer(positions, np.int32, len(column) + 1, 4 * column.offset)
    first, last = int(offsets[0]), int(offsets[-1])
    text = np.zeros((last - first) // 8 + 2, np.uint64)
    if last > first:
        text.view(np.uint8)[: last - first] = np.frombuffer(data, np.uint8)[first:last]
    null = nulls(column)
    return text, offsets - first if first else offsets, np.zeros(len(column), bool) if null is None else null
