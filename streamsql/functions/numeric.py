"""Functions of numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.arrays import Values, from_numbers, from_unscaled, map_values, nulls, numbers, unscaled
from streamsql.coercion import common_type
from streamsql.errors import InternalError
from streamsql.functions.arithmetic import negated, without_zeros
from streamsql.functions.calendar import floor_multiple
from streamsql.functions.java.exponential import exponential
from streamsql.functions.monotone import ascending_in
from streamsql.functions.numbers import as_decimal, fit_decimal, number_type
from streamsql.functions.registry import scalar
from streamsql.rows import Datum, ErrorName, Mask, Rows
from streamsql.types import Kind, SqlType, decimal


@scalar("ABS(x: NUMERIC) -> x", fails=True, duckdb="abs({x})")
@scalar("ABS(x: INTERVAL) -> x", fails=True)
def abs_(rows: Rows, x: Datum) -> Datum:
    """A number or interval without its sign.

    >>> ABS(2.0)
    2.0
    >>> ABS(-1.0)
    1.0
    >>> ABS(-3 * 3)
    9
    >>> ABS(INTERVAL '-3 4:20' DAY TO MINUTE)
    +3 04:20
    """
    try:
        return pc.abs_checked(x)
    except pa.ArrowInvalid:  # the least integer has no counterpart
        column = rows.column(x)
        zero = pa.scalar(0, pa.int64()).cast(column.type)
        return pc.if_else(pc.less(column, zero), negated(rows, column), column)


def _whole_type(types: Sequence[SqlType]) -> SqlType:
    """Integers and approximate numbers keep their type, a DECIMAL loses its scale."""
    (type_,) = types
    return decimal(type_.precision, 0) if type_.kind is Kind.DECIMAL else type_


@scalar("FLOOR(x: NUMERIC)", returns=_whole_type, monotone=ascending_in(0), duckdb="floor({x})")
def floor(rows: Rows, x: Datum) -> Datum:
    """The largest whole number that is not above `x`.

    >>> FLOOR(2.0)
    2
    >>> FLOOR(5.2)
    5
    >>> FLOOR(-3.3)
    -4
    >>> FLOOR(-3 * 3.1)
    -10
    """
    return _whole(rows, pc.floor, x)


@scalar("CEIL(x: NUMERIC)", returns=_whole_type, monotone=ascending_in(0), duckdb="ceil({x})")
@scalar("CEILING(x: NUMERIC)", returns=_whole_type, monotone=ascending_in(0), duckdb="ceil({x})")
def ceil(rows: Rows, x: Datum) -> Datum:
    """The smallest whole number that is not below `x`.

    >>> CEIL(2.0)
    2
    >>> CEIL(5.2)
    6
    >>> CEILING(-3.3)
    -3
    >>> CEILING(-3 * 3.1)
    -9
    """
    return _whole(rows, pc.ceil, x)


def _whole(rows: Rows, round_: Callable[[Datum], Datum], x: Datum) -> Datum:
    if pa.types.is_integer(x.type):
        return x
    if not pa.types.is_decimal(x.type):
        return round_(x)
    precision = x.type.precision
    roomy = x.cast(pa.decimal128(precision + 1, x.type.scale))  # CEIL(9.9) has a digit more
    return fit_decimal(rows, round_(roomy), pa.decimal128(precision, 0))


def _of_doubles(
    rows: Rows,
    function: Callable[..., Values],
    defined: Callable[..., Mask] | None,
    message: str,
    *arguments: Datum,
) -> pa.Array:
    """A numpy function of DOUBLEs; the rows for whose arguments it is not defined fail."""
    columns = [rows.column(argument) for argument in arguments]
    null: Mask = np.zeros(rows.count, bool)
    for column in columns:
        mask = nulls(column)
        null = null if mask is None else null | mask
    values = [np.where(null, 1.0, numbers(column)) for column in columns]
    if defined is not None:
        wrong = ~defined(*values) & ~null
        if wrong.any():
            rows.fail(wrong, message, ErrorName.ARGUMENT)
            null = null | wrong
            values = [np.where(wrong, 1.0, column) for column in values]
    with np.errstate(all="ignore"):
        result = function(*values)
    return from_numbers(result, pa.float64(), null if null.any() else None)


@scalar("EXP(x: DOUBLE) -> DOUBLE", monotone=ascending_in(0), duckdb="exp({x})")
def exp(rows: Rows, x: Datum) -> Datum:
    """e to the power of `x`.

    >>> EXP(1)
    2.7182818284590455
    >>> EXP(10)
    22026.465794806718
    """
    return _of_doubles(rows, exponential, None, "", x)


@scalar("LN(x: DOUBLE) -> DOUBLE", fails=True, duckdb="ln({x})")
def ln(rows: Rows, x: Datum) -> Datum:
    """The natural logarithm of a number above zero.

    >>> LN(1)
    0.0
    >>> LN(10)
    2.302585092994046
    >>> LN(0)
    error: LN of a number that is not above zero
    """
    return _of_doubles(rows, np.log, lambda v: v > 0, "LN of a number that is not above zero", x)


@scalar("LOG10(x: DOUBLE) -> DOUBLE", fails=True, duckdb="log10({x})")
def log10(rows: Rows, x: Datum) -> Datum:
    """The logarithm to base 10 of a number above zero.

    >>> LOG10(1)
    0.0
    >>> LOG10(100)
    2.0
    >>> LOG10(CAST('23' AS DECIMAL))
    1.3617278360175928
    """
    return _of_doubles(rows, np.log10, lambda v: v > 0, "LOG10 of a number that is not above zero", x)


@scalar("SQRT(x: DOUBLE) -> DOUBLE", fails=True, duckdb="sqrt({x})")
def sqrt(rows: Rows, x: Datum) -> Datum:
    """The square root of a number that is not below zero; it has no page in the reference, but applications use it.

    >>> SQRT(2.25)
    1.5
    >>> SQRT(-1)
    error: SQRT of a negative number
    """
    return _of_doubles(rows, np.sqrt, lambda v: ~(v < 0), "SQRT of a negative number", x)


@scalar("POWER(base: DOUBLE, exponent: DOUBLE) -> DOUBLE", fails=True, duckdb="pow({base}, {exponent})")
def power(rows: Rows, base: Datum, exponent: Datum) -> Datum:
    """`base` to the power of `exponent`, which must be whole for a negative base and not negative for 0.

    >>> POWER(3, 2)
    9.0
    >>> POWER(-2, 3)
    -8.0
    >>> POWER(4, -2)
    0.0625
    >>> POWER(0, -1)
    error: POWER is not defined for this base and exponent
    """
    return _of_doubles(
        rows,
        np.power,
        lambda b, e: ~(((b == 0) & (e < 0)) | ((b < 0) & (e != np.trunc(e)))),
        "POWER is not defined for this base and exponent",
        base,
        exponent,
    )


def _common(types: Sequence[SqlType]) -> SqlType:
    common = common_type(types)
    if common is None:
        raise InternalError(f"no common type of {types[0]} and {types[1]}")
    return common


@scalar("MOD(x: EXACT, y: EXACT)", returns=_common, fails=True, duckdb="({x} % {y})")
def mod(rows: Rows, x: Datum, y: Datum) -> Datum:
    """The remainder of `x / y`, with the sign of `x`.

    >>> MOD(4, 2)
    0
    >>> MOD(-4, 3)
    -1
    >>> MOD(5, 12)
    5
    >>> MOD(1, 0)
    error: division by zero
    """
    return _of_whole_numbers(rows, _remainder, x, without_zeros(rows, x, y))


def _remainder(a: Values, b: Values) -> Values:
    whole = np.asarray(a).dtype == object  # of Python's numbers, whose % has the sign of the divisor
    remainder: Values = np.sign(a) * (np.abs(a) % np.abs(b)) if whole else np.fmod(a, b)
    return remainder


@scalar("STEP(x: INTEGRAL BY y: INTEGRAL)", returns=_common, fails=True, monotone=ascending_in(0))
def step_number(rows: Rows, x: Datum, y: Datum) -> Datum:
    """The largest multiple of `y` that is not above `x`.

    [X] The reference also gives the formula `(x / y) * y`, which differs for a negative `x`: the words win, as for times.

    >>> STEP(23 BY 5)
    20
    >>> STEP(30 BY 10)
    30
    >>> STEP(-1 BY 10)
    -10
    """
    return _of_whole_numbers(rows, floor_multiple, x, without_zeros(rows, x, y))


def _of_whole_numbers(rows: Rows, function: Callable[[Values, Values], Values], x: Datum, y: Datum) -> Datum:
    """A function of two exact numbers, on the digits of their common type."""
    type = _common([number_type(x.type), number_type(y.type)]).arrow()
    if not pa.types.is_decimal(type):
        return map_values(function, type, x.cast(type), y.cast(type))
    left, right = rows.column(as_decimal(x).cast(type)), rows.column(as_decimal(y).cast(type))
    null = rows.column(pc.or_(pc.is_null(left), pc.is_null(right))).to_numpy(zero_copy_only=False)
    return from_unscaled(function(unscaled(left), np.where(null, 1, unscaled(right))), type, null)
