"""Numbers from one numeric type to another.

Integers are rounded half away from zero, DECIMALs half up to their scale; a number outside the range of its new type fails
its row.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.arrays import from_numbers, from_unscaled, nulls, numbers, unscaled
from streamsql.functions.java.number_text import numbers_text
from streamsql.rows import Datum, ErrorName, Mask, Rows
from streamsql.types import BIGINT, DOUBLE, INTEGER, REAL, SMALLINT, TINYINT, SqlType, decimal

_NUMBERS: dict[pa.DataType, SqlType] = {t.arrow(): t for t in (TINYINT, SMALLINT, INTEGER, BIGINT, REAL, DOUBLE)}

_DOUBLE_DIGITS = 15
"""So many decimal digits, and powers of ten of so many, are exact doubles."""


def number_type(type: pa.DataType) -> SqlType:
    """The numeric SQL type whose values an Arrow type holds."""
    return decimal(type.precision, type.scale) if pa.types.is_decimal(type) else _NUMBERS[type]


def convert_number(rows: Rows, x: Datum, type: pa.DataType) -> Datum:
    """A number of any type as a number of `type`."""
    if x.type == type:
        return x
    if pa.types.is_decimal(type):
        return _double_to_decimal(rows, x, type) if pa.types.is_floating(x.type) else fit_decimal(rows, as_decimal(x), type)
    if pa.types.is_integer(type):
        return _to_integer(rows, x, type)
    x = as_double(x)
    return _to_real(rows, x) if type == pa.float32() else x


def as_double(x: Datum) -> Datum:
    """A number as DOUBLE; DECIMALs are rounded correctly, which Arrow's own cast does not do."""
    if x.type == pa.float64():
        return x
    if not pa.types.is_decimal(x.type):
        return x.cast(pa.float64(), safe=False)
    if isinstance(x, pa.Scalar):
        return pa.scalar(float(x.as_py()) if x.is_valid else None, pa.float64())
    if x.type.precision > _DOUBLE_DIGITS:
        return pa.array([None if value is None else float(value) for value in x.to_pylist()], pa.float64())
    return from_numbers(unscaled(x) / 10.0**x.type.scale, pa.float64(), nulls(x))


def as_decimal(x: Datum) -> Datum:
    """An exact number as the DECIMAL that arithmetic takes it for."""
    return x if pa.types.is_decimal(x.type) else x.cast(number_type(x.type).as_decimal().arrow())


def fit_decimal(rows: Rows, x: Datum, type: pa.DataType) -> Datum:
    """A decimal as another decimal type: rounded half up to its scale, the rows that exceed its precision fail."""
    rounded = x
    if x.type.scale > type.scale:
        roomy = pa.decimal256 if x.type.precision >= 38 else pa.decimal128
        rounded = x.cast(roomy(x.type.precision + 1, x.type.scale))  # 9.9 needs a digit more as 10
        rounded = pc.round(rounded, type.scale, "half_towards_infinity")
    try:
        return rounded.cast(type)
    except pa.ArrowInvalid:
        column = rows.column(rounded)
    limit = 10 ** (type.precision - type.scale)
    large = np.array([value is not None and abs(value) >= limit for value in column.to_pylist()], bool)
    _out_of_range(rows, large, rows.column(x), type)
    return pc.if_else(pa.array(large), pa.scalar(None, column.type), column).cast(type)


def round_to_integer(rows: Rows, x: Datum, type: pa.DataType) -> Datum:
    """A DOUBLE as an integer."""
    rounded = pc.round(x, 0, "half_towards_infinity")
    try:
        return rounded.cast(type)
    except pa.ArrowInvalid:
        column = rows.column(rounded)
    limit = 2.0 ** (type.bit_width - 1)
    values, null = numbers(column), nulls(column)
    outside = ~((values >= -limit) & (values < limit))
    if null is not None:
        outside &= ~null
    _out_of_range(rows, outside, rows.column(x), type)
    return from_numbers(np.where(outside, 0, values), type, outside if null is None else outside | null)


def _to_integer(rows: Rows, x: Datum, type: pa.DataType) -> Datum:
    if pa.types.is_floating(x.type):
        return round_to_integer(rows, as_double(x), type)
    if pa.types.is_decimal(x.type):
        x = fit_decimal(rows, x, pa.decimal128(x.type.precision + 1, 0))
    try:
        return x.cast(type)
    except pa.ArrowInvalid:
        column = rows.column(x)
    limit = 2 ** (type.bit_width - 1)
    outside = np.array([value is not None and not -limit <= value < limit for value in column.to_pylist()], bool)
    _out_of_range(rows, outside, column, type)
    return pc.if_else(pa.array(outside), pa.scalar(None, column.type), column).cast(type)


def _to_real(rows: Rows, x: Datum) -> Datum:
    result = x.cast(pa.float32(), safe=False)
    outside = rows.column(pc.and_(pc.is_inf(result), pc.is_finite(x))).to_numpy(zero_copy_only=False)
    if not outside.any():
        return result
    _out_of_range(rows, outside, rows.column(x), pa.float32())
    return pc.if_else(pa.array(outside), pa.scalar(None, pa.float32()), result)


def _double_to_decimal(rows: Rows, x: Datum, type: pa.DataType) -> pa.Array:
    """The decimal nearest to what the DOUBLE prints as: 2.675 is 2.68, although the binary value is slightly less."""
    column = rows.column(as_double(x))
    values, null = numbers(column), nulls(column)
    usable = np.isfinite(values) if null is None else np.isfinite(values) & ~null
    with np.errstate(over="ignore"):
        magnitude = np.abs(np.where(usable, values, 0.0)) * 10.0**type.scale
    usable &= magnitude < 2.0**63
    magnitude = np.where(usable, magnitude, 0.0)
    digits = np.floor(magnitude + 0.5)
    digits = np.copysign(digits, values).astype(np.int64)
    error = magnitude * 4e-16 + 1e-12  # of the product; closer to a tie than this only the digits can tell
    for i in np.flatnonzero(usable & (np.abs(magnitude - np.floor(magnitude) - 0.5) <= error)):
        digits[i] = _digits(values[i], type.scale)
    large = ~usable | (np.abs(digits) >= 10**type.precision)
    if null is not None:
        large &= ~null
    _out_of_range(rows, large, column, type)
    return from_unscaled(np.where(large, 0, digits), type, large if null is None else large | null)


def _digits(value: float, scale: int) -> int:
    return int(Decimal(repr(float(value))).scaleb(scale).quantize(Decimal(1), ROUND_HALF_UP))


def _out_of_range(rows: Rows, outside: Mask, x: pa.Array, type: pa.DataType) -> None:
    rows.fail(
        outside,
        lambda i: f"{numbers_text(x.slice(i, 1))[0]} is out of range for {number_type(type)}",
        ErrorName.OVERFLOW,
    )
