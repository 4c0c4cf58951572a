"""`+ - * /` of numbers: Arrow's checked kernels, and where one refuses, the search for the rows that fail.

Integers stay within their type, integer division cuts toward zero, DECIMALs follow `coercion.arithmetic_type` and are rounded
half up to its scale.  A row that overflows or divides by zero fails, also for REAL and DOUBLE; where only the result of these
is too large they go on to Infinity, as in Java.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.arrays import from_numbers, from_unscaled, nulls, numbers, unscaled
from streamsql.coercion import arithmetic_type
from streamsql.functions.numbers import as_decimal, as_double, fit_decimal, number_type
from streamsql.rows import Datum, ErrorName, Mask, Rows

_KERNELS: dict[str, Callable[[Datum, Datum], Datum]] = {
    "+": pc.add_checked,
    "-": pc.subtract_checked,
    "*": pc.multiply_checked,
    "/": pc.divide_checked,
}


def _quotient(x: int, y: int) -> int:
    """`x / y` cut toward zero, without the detour through floating point."""
    return abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)


_EXACT: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": np.frompyfunc(_quotient, 2, 1),
}
"""The operators on arrays of Python's whole numbers."""


@lru_cache(maxsize=256)
def _result_type(symbol: str, left: pa.DataType, right: pa.DataType) -> pa.DataType:
    return arithmetic_type(symbol, number_type(left), number_type(right)).arrow()


def arithmetic(symbol: str, rows: Rows, x: Datum, y: Datum) -> Datum:
    """`x symbol y` for numbers of any types."""
    type = _result_type(symbol, x.type, y.type)
    if pa.types.is_decimal(type):
        return _divide_decimals(rows, x, y, type) if symbol == "/" else _combine_decimals(symbol, rows, x, y, type)
    if pa.types.is_float64(type):
        x, y = as_double(x), as_double(y)
    return checked(symbol, rows, x, y)


def checked(symbol: str, rows: Rows, x: Datum, y: Datum) -> Datum:
    """`x symbol y` where Arrow has a kernel for the two types (also times and durations)."""
    try:
        return _KERNELS[symbol](x, y)
    except pa.ArrowInvalid:
        return _row_by_row(symbol, rows, rows.column(x), rows.column(y))


def _row_by_row(symbol: str, rows: Rows, x: pa.Array, y: pa.Array) -> pa.Array:
    """The same, finding the rows that the kernel refused."""
    type = _KERNELS[symbol](x.slice(0, 0), y.slice(0, 0)).type
    if symbol == "/":
        y = without_zeros(rows, x, y)
    if pa.types.is_floating(type):
        return pc.divide(x, y)
    null = _either_null(x, y)
    left, right = numbers(x).astype(object), np.where(null, 1, numbers(y)).astype(object)
    exact = _EXACT[symbol](left, right)
    limit = 2 ** (type.bit_width - 1)
    outside = np.asarray((exact < -limit) | (exact >= limit), bool)
    rows.fail(
        outside & ~null,
        lambda i: f"{left[i]} {symbol} {right[i]} is out of range",
        ErrorName.OVERFLOW,
    )
    return from_numbers(np.where(outside, 0, exact), type, outside | null)


def without_zeros(rows: Rows, x: Datum, y: Datum) -> Datum:
    """The divisor `y` of `x`: NULL where it is zero, and such rows fail."""
    zero = pc.equal(y, _zero(y.type))
    failing: Mask = rows.column(pc.and_(pc.fill_null(zero, False), pc.is_valid(x))).to_numpy(zero_copy_only=False)
    if not failing.any():
        return y
    rows.fail(failing, "division by zero", ErrorName.DIVISION)
    return pc.if_else(rows.column(zero), pa.scalar(None, y.type), y)


@lru_cache(maxsize=256)
def _zero(type: pa.DataType) -> pa.Scalar:
    return pa.scalar(Decimal(0) if pa.types.is_decimal(type) else 0, type)


def negated(rows: Rows, x: Datum) -> Datum:
    """`-x` for numbers and day-time intervals."""
    if not (pa.types.is_integer(x.type) or pa.types.is_duration(x.type)):
        return pc.negate(x)
    return checked("-", rows, _zero(x.type), x)


def _combine_decimals(symbol: str, rows: Rows, x: Datum, y: Datum, type: pa.DataType) -> Datum:
    x, y = as_decimal(x), as_decimal(y)
    if x.type.precision + y.type.precision >= 38:  # Arrow would refuse the type of the exact result
        x = x.cast(pa.decimal256(x.type.precision, x.type.scale))
    return fit_decimal(rows, _KERNELS[symbol](x, y), type)


def _divide_decimals(rows: Rows, x: Datum, y: Datum, type: pa.DataType) -> pa.Array:
    """Long division on the digits: Arrow's kernel cannot be asked for a scale."""
    y = rows.column(as_decimal(without_zeros(rows, x, y)))
    x = rows.column(as_decimal(x))
    null = _either_null(x, y)
    dividend, divisor = np.abs(unscaled(x)), np.where(null, 1, np.abs(unscaled(y)))
    shift = type.scale + y.type.scale - x.type.scale
    up, down = 10 ** max(shift, 0), 10 ** max(-shift, 0)
    greatest = max(int(dividend.max(initial=1)) * up, int(divisor.max(initial=1)) * down)
    if dividend.dtype == object or divisor.dtype == object or greatest * 2 >= 2**63:
        dividend, divisor = dividend.astype(object), divisor.astype(object)
    dividend, divisor = dividend * up, divisor * down
    quotient = dividend // divisor
    quotient = quotient + ((dividend - quotient * divisor) * 2 >= divisor)
    quotient = np.where((unscaled(x) < 0) == (unscaled(y) < 0), quotient, -quotient)
    large = ~null & np.asarray(abs(quotient) >= 10**type.precision, bool)
    rows.fail(
        large,
        lambda i: f"{x[i].as_py()} / {y[i].as_py()} is out of range for {number_type(type)}",
        ErrorName.OVERFLOW,
    )
    return from_unscaled(np.where(null | large, 0, quotient), type, null | large)


def _either_null(x: pa.Array, y: pa.Array) -> Mask:
    either: Mask = np.zeros(len(x), bool)
    for mask in (nulls(x), nulls(y)):
        if mask is not None:
            either = either | mask
    return either
