"""Arrow arrays of any type as numpy vectors that a window can keep, compare and give back.

Types of fixed width become int64: whole numbers, the digits of DECIMALs, dates, times and booleans as they are, REAL and
DOUBLE by an order-preserving rearrangement of their bits (every NaN is the same, and greater than all numbers).  The others
(strings, binary, rows, DECIMALs of more than 18 digits) become Python objects.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from streamsql.arrays import from_numbers, from_unscaled, numbers, unscaled
from streamsql.functions.numbers import as_double
from streamsql.rows import Mask
from streamsql.types import MAX_DECIMAL_PRECISION

Vector = npt.NDArray[Any]
Integers = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

_MAGNITUDE = np.int64(2**63 - 1)


def is_fixed(type: pa.DataType) -> bool:
    """Whether `encode` gives int64 for this type."""
    if pa.types.is_decimal(type):
        return bool(type.precision <= MAX_DECIMAL_PRECISION)
    return bool(pa.types.is_primitive(type))


def vector_dtype(type: pa.DataType) -> np.dtype[Any]:
    """The element type of the vectors of a type."""
    return np.dtype(np.int64 if is_fixed(type) else object)


def encode(array: pa.Array) -> Vector:
    """The vector of an array; what stands in NULL's place is undefined."""
    if not is_fixed(array.type):
        values = np.empty(len(array), object)
        values[:] = array.to_pylist()
        return values
    if pa.types.is_floating(array.type):
        return _ordinals(numbers(array).astype(np.float64, copy=False))
    return exact(array)


def decode(values: Vector, null: Mask, type: pa.DataType) -> pa.Array:
    """The array of a vector, NULL where `null` is true."""
    if values.dtype.kind == "O":
        return pa.array(values, type, mask=null)
    if pa.types.is_boolean(type):
        return pa.array(values != 0, type, mask=null)
    if pa.types.is_decimal(type):
        return from_unscaled(values, type, null)
    return from_numbers(_doubles(values) if pa.types.is_floating(type) else values, type, null)


def exact(array: pa.Array) -> Vector:
    """Whole numbers, DECIMAL digits, times and booleans as int64, DECIMALs of more than 18 digits as Python's whole numbers;
    what stands in NULL's place is undefined."""
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.int8())
    values = unscaled(array) if pa.types.is_decimal(array.type) else numbers(array)
    return values if values.dtype.kind == "O" else np.ascontiguousarray(values, np.int64)


def doubles(array: pa.Array) -> Doubles:
    """Numbers of any type as float64; what stands in NULL's place is undefined."""
    return np.ascontiguousarray(numbers(as_double(array)))


def _ordinals(values: Doubles) -> Integers:
    nan = np.isnan(values)
    if nan.any():
        values = np.where(nan, np.nan, values)
    bits = values.view(np.int64)
    return bits ^ (bits >> 63 & _MAGNITUDE)


def _doubles(ordinals: Integers) -> Doubles:
    return (ordinals ^ (ordinals >> 63 & _MAGNITUDE)).view(np.float64)
