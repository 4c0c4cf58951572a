"""What SUM, AVG, VAR and STDDEV make of the sums that groups and sliding windows keep."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from streamsql.arrays import from_numbers
from streamsql.functions.aggregates.vectors import Doubles, Integers, decode
from streamsql.functions.aggregation import Fail
from streamsql.rows import ErrorName
from streamsql.types import MAX_DECIMAL_PRECISION, Kind, SqlType

ExactTotal = Callable[[Integers, Integers, Integers, SqlType, Fail], pa.Array]
"""From sums of whole numbers or DECIMAL digits, high * 2**32 + low with `low` in 0 .. 2**32 - 1, and how many values they have.
So wide a sum cannot overflow."""

FloatTotal = Callable[[Doubles, Integers, SqlType], pa.Array]
"""From sums of floating-point numbers and how many values they have."""


def exact_sum(high: Integers, low: Integers, count: Integers, type: SqlType, fail: Fail) -> pa.Array:
    """SUM.  It fails where it is outside its type in the end, whatever it was on the way."""
    values = (high << 32) + low
    outside = (high < -(2**31)) | (high >= 2**31)
    if type.kind is Kind.DECIMAL and type.precision <= MAX_DECIMAL_PRECISION:
        outside |= np.abs(values) >= 10**type.precision
    if outside.any():
        fail(outside, f"SUM is out of range for {type}", ErrorName.OVERFLOW)
    return decode(values, (count == 0) | outside, type.arrow())


def exact_average(high: Integers, low: Integers, count: Integers, type: SqlType, _fail: Fail) -> pa.Array:
    """AVG: of whole numbers cut toward zero, of DECIMALs rounded half up to their scale."""
    rounded = type.kind is Kind.DECIMAL
    sums, divisor = (high << 32) + low, np.maximum(count, 1)
    magnitude = np.abs(sums)
    averages = (2 * magnitude + divisor) // (2 * divisor) if rounded else magnitude // divisor
    averages[sums < 0] *= -1
    for i in np.flatnonzero((high < -(2**28)) | (high >= 2**28)):  # more than the lines above compute in 64 bits
        averages[i] = average_of(int(high[i]) * 2**32 + int(low[i]), int(count[i]), rounded)
    return decode(averages, count == 0, type.arrow())


def float_sum(sum: Doubles, count: Integers, type: SqlType) -> pa.Array:
    """SUM of REAL and DOUBLE."""
    return _floats(sum, count, type)


def float_average(sum: Doubles, count: Integers, type: SqlType) -> pa.Array:
    """AVG of numbers as REAL or DOUBLE."""
    return _floats(sum / np.maximum(count, 1), count, type)


def variance(distances: Doubles, count: Integers, sample: bool, root: bool) -> pa.Array:
    """VAR and STDDEV, from the sums of the squared distances from the mean."""
    divisor = count - 1 if sample else count
    values = distances / np.maximum(divisor, 1)
    return _floats(np.sqrt(values) if root else values, divisor, SqlType(Kind.DOUBLE))


def average_of(sum: int, count: int, rounded: bool) -> int:
    """An average of whole numbers, or of DECIMAL digits: cut toward zero, or `rounded` half up."""
    magnitude = (2 * abs(sum) + count) // (2 * count) if rounded else abs(sum) // count
    return magnitude if sum >= 0 else -magnitude


def _floats(values: Doubles, count: Integers, type: SqlType) -> pa.Array:
    with np.errstate(over="ignore"):
        return from_numbers(values, type.arrow(), count <= 0)
