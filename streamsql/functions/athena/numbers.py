"""Functions of numbers and of any values that Athena and Redshift have, beside those of the dialect."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.arrays import map_values
from streamsql.functions.conditional import case, coalesce
from streamsql.functions.registry import scalar
from streamsql.rows import Datum, ErrorName, Evaluate, Rows, map_rows
from streamsql.types import BIGINT, MAX_DECIMAL_PRECISION, Kind, SqlType, decimal

FLOAT = pa.float64()

WIDE = Context(prec=60)
VAST = Context(prec=700)
"""Room for all digits of a DECIMAL, and of a DOUBLE."""


def _rounded_type(types: Sequence[SqlType]) -> SqlType:
    """Integers become BIGINT; a DECIMAL keeps its scale and gets a digit more, since 9.9 may become 10."""
    type = types[0]
    if type.is_integer:
        return BIGINT
    return decimal(min(type.precision + 1, MAX_DECIMAL_PRECISION), type.scale) if type.kind is Kind.DECIMAL else type


@scalar("ROUND(x: NUMERIC, digits?: INTEGRAL)", returns=_rounded_type, fails=True, duckdb="round({x})")
def round_(rows: Rows, x: Datum, *digits: Datum) -> Datum:
    """`x` to so many digits behind the point (before it where they are negative); halves go away from zero.

    >>> ROUND(2.5)
    3.0
    >>> ROUND(-2.55, 1)
    -2.60
    >>> ROUND(1250, -2)
    1300
    """
    return _to_digits(rows, x, digits, cut=False)


@scalar("TRUNCATE(x: NUMERIC, digits?: INTEGRAL)", returns=_rounded_type, fails=True)
@scalar("TRUNC(x: NUMERIC, digits?: INTEGRAL)", returns=_rounded_type, fails=True)
def truncate(rows: Rows, x: Datum, *digits: Datum) -> Datum:
    """`x` cut to so many digits behind the point.

    >>> TRUNCATE(-2.57, 1)
    -2.50
    >>> TRUNC(12.9)
    12.0
    """
    return _to_digits(rows, x, digits, cut=True)


def _to_digits(rows: Rows, x: Datum, digits: Sequence[Datum], cut: bool) -> Datum:
    places = digits[0] if digits else pa.scalar(0)
    if pa.types.is_floating(x.type):
        function = _cut_float if cut else _round_float
        return map_rows(rows, lambda value, count: function(value, int(count)), [x, places], x.type)
    is_decimal = pa.types.is_decimal(x.type)
    scale = x.type.scale if is_decimal else 0
    precision = min(x.type.precision + 1, MAX_DECIMAL_PRECISION) if is_decimal else 19
    type = pa.decimal128(precision, scale) if is_decimal else pa.int64()
    limit = 10**precision if is_decimal else 2**63

    def rounded(value: Decimal | int, count: int) -> Decimal | int:
        step = 10 ** min(max(scale - int(count), 0), 40)
        units = int(Decimal(value).scaleb(scale, WIDE))
        size = abs(units) + (0 if cut else step // 2)
        result = (size // step) * step * (1 if units >= 0 else -1)
        if not -limit <= result < limit:
            raise ValueError(f"{value} has no room for another digit")
        return Decimal(result).scaleb(-scale, WIDE) if is_decimal else result

    return map_rows(rows, rounded, [x, places], type, ErrorName.OVERFLOW)


def _round_float(value: float, count: int) -> float:
    """Half away from zero, by the shortest decimal text of the number; without a fraction it stays."""
    if not math.isfinite(value) or count > 300:
        return value
    return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(-max(count, -310)), ROUND_HALF_UP, VAST))


def _cut_float(value: float, count: int) -> float:
    if not math.isfinite(value) or count > 300:
        return value
    return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(-max(count, -310)), ROUND_DOWN, VAST))


@scalar("SIGN(x: NUMERIC) -> INTEGER", duckdb="sign({x})")
def sign(_rows: Rows, x: Datum) -> Datum:
    """-1, 0 or 1; 0 of what is no number.

    >>> SIGN(-2.5)
    -1
    >>> SIGN(NAN())
    0
    """
    sign_ = pc.sign(x)
    if pa.types.is_floating(sign_.type):
        sign_ = pc.if_else(pc.is_nan(sign_), pa.scalar(0.0, sign_.type), sign_)
    return pc.cast(sign_, pa.int32())


@scalar("CBRT(x: DOUBLE) -> DOUBLE")
def cbrt(_rows: Rows, x: Datum) -> Datum:
    """The cube root.

    >>> CBRT(27.0)
    3.0
    """
    return map_values(np.cbrt, FLOAT, x)


@scalar("LOG2(x: DOUBLE) -> DOUBLE", fails=True)
def log2(rows: Rows, x: Datum) -> Datum:
    """The logarithm to the base 2.

    >>> LOG2(8.0)
    3.0
    """
    return map_values(np.log2, FLOAT, x)


@scalar("LOG(base: DOUBLE, x: DOUBLE) -> DOUBLE")
def log(_rows: Rows, base: Datum, x: Datum) -> Datum:
    """The logarithm to a base.

    >>> LOG(10.0, 1000.0)
    3.0
    """
    return map_values(lambda b, v: np.where(b == 10, np.log10(v), np.log(v) / np.log(b)), FLOAT, base, x)


@scalar("PI() -> DOUBLE")
def pi(_rows: Rows) -> Datum:
    """The ratio of a circle's circumference to its diameter.

    >>> PI() > 3.1415
    TRUE
    """
    return pa.scalar(math.pi)


@scalar("GREATEST(values...: T) -> values")
def greatest(_rows: Rows, *values: Datum) -> Datum:
    """The greatest of the values; NULL where one is NULL.

    >>> GREATEST(3, 11, 7)
    11
    >>> GREATEST(3, CAST(NULL AS INTEGER))
    NULL
    """
    return _extreme(pc.greater, values)


@scalar("LEAST(values...: T) -> values")
def least(_rows: Rows, *values: Datum) -> Datum:
    """The least of the values; NULL where one is NULL.

    >>> LEAST('b', 'a', 'c')
    a
    """
    return _extreme(pc.less, values)


def _extreme(better: pc.Function, values: Sequence[Datum]) -> Datum:
    found = values[0]
    for value in values[1:]:
        found = pc.if_else(better(found, value), found, value)
    return found


@scalar("NVL(values...: T) -> values", strict=False, lazy=True)
@scalar("IFNULL(x: T, y: T) -> x", strict=False, lazy=True, duckdb="ifnull({x}, {y})")
def nvl(rows: Rows, *values: Evaluate) -> Datum:
    """The first value that is not NULL, as COALESCE.

    >>> NVL(CAST(NULL AS INTEGER), 2)
    2
    >>> IFNULL(CAST(NULL AS INTEGER), 2)
    2
    """
    return coalesce(rows, *values)


@scalar("IF(condition: BOOLEAN, x: T, y?: T) -> x", strict=False, lazy=True)
def if_(rows: Rows, condition: Evaluate, x: Evaluate, *y: Evaluate) -> Datum:
    """`x` where the condition is TRUE, else `y`, else NULL.

    >>> IF(1 > 0, 'yes', 'no')
    yes
    >>> IF(1 < 0, 1 / 0)
    NULL
    """
    return case(rows, condition, x, *y)


@scalar("NVL2(value: ANY, x: T, y: T) -> x", strict=False, lazy=True)
def nvl2(rows: Rows, value: Evaluate, x: Evaluate, y: Evaluate) -> Datum:
    """`x` where a value is not NULL, else `y`.

    >>> NVL2(CAST(NULL AS INTEGER), 'there', 'missing')
    missing
    """
    return case(rows, lambda some: pc.is_valid(value(some)), x, y)


@scalar("NAN() -> DOUBLE")
def nan(_rows: Rows) -> Datum:
    """What is no number.

    >>> IS_NAN(NAN())
    TRUE
    """
    return pa.scalar(math.nan, pa.float64())


@scalar("INFINITY() -> DOUBLE")
def infinity(_rows: Rows) -> Datum:
    """More than any number.

    >>> INFINITY() > 1e300
    TRUE
    """
    return pa.scalar(math.inf, pa.float64())


@scalar("IS_NAN(x: DOUBLE) -> BOOLEAN", duckdb="isnan({x})")
def is_nan(_rows: Rows, x: Datum) -> Datum:
    """Whether it is no number.

    >>> IS_NAN(1e0)
    FALSE
    """
    return pc.is_nan(x)


@scalar("IS_FINITE(x: DOUBLE) -> BOOLEAN", duckdb="isfinite({x})")
def is_finite(_rows: Rows, x: Datum) -> Datum:
    """Whether it is a number, and not infinite.

    >>> IS_FINITE(INFINITY())
    FALSE
    """
    return pc.is_finite(x)
