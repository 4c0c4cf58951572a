"""The aggregate functions: of the rows of a group, and of a sliding window.

All but COUNT(*) pass over NULLs; of no values at all COUNT is 0 and the others are NULL.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from streamsql.functions.aggregates.accumulators import (
    Count,
    ExactSum,
    Extreme,
    FloatSum,
    ObjectExtreme,
    Positional,
    Variance,
)
from streamsql.functions.aggregates.ordered import first_of_frame, last_of_frame
from streamsql.functions.aggregates.sliding import (
    SlidingCount,
    SlidingExactSum,
    SlidingExtreme,
    SlidingFloatSum,
    SlidingPosition,
    SlidingVariance,
)
from streamsql.functions.aggregates.totals import exact_average, exact_sum, float_average, float_sum
from streamsql.functions.aggregates.vectors import is_fixed
from streamsql.functions.aggregates.wide import SlidingWideSum, WideSum, wide_average, wide_sum
from streamsql.functions.aggregation import Accumulator, Sliding
from streamsql.functions.registry import aggregate
from streamsql.types import APPROXIMATE, BIGINT, MAX_DECIMAL_PRECISION, WIDEST_DECIMAL, Kind, SqlType, decimal

Types = Sequence[SqlType]


def _sum_type(arguments: Types) -> SqlType:
    """Integers are added up as BIGINT, DECIMALs with all the digits there are."""
    [type] = arguments
    if type.is_integer:
        return BIGINT
    if type.kind is not Kind.DECIMAL:
        return type
    return decimal(WIDEST_DECIMAL if _is_wide(type) else MAX_DECIMAL_PRECISION, type.scale)


def _is_wide(type: SqlType) -> bool:
    """Whether 64 bits do not hold the digits."""
    return type.kind is Kind.DECIMAL and type.precision > MAX_DECIMAL_PRECISION


def _sliding_sum(arguments: Types, result: SqlType, ignore_nulls: bool) -> Sliding:
    if _is_wide(result):
        return SlidingWideSum(result, wide_sum)
    return SlidingFloatSum(result, float_sum) if result.kind in APPROXIMATE else SlidingExactSum(result, exact_sum)


def _sliding_average(arguments: Types, result: SqlType, ignore_nulls: bool) -> Sliding:
    if _is_wide(result):
        return SlidingWideSum(result, wide_average)
    return SlidingFloatSum(result, float_average) if result.kind in APPROXIMATE else SlidingExactSum(result, exact_average)


@aggregate("COUNT() -> BIGINT", sliding=lambda *_: SlidingCount(), duckdb="count(*)")
@aggregate("COUNT(x: ANY) -> BIGINT", sliding=lambda *_: SlidingCount(), duckdb="count(x)")
def count(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """How many rows there are: COUNT(*), or how many have a value: COUNT(x).

    >>> SELECT COUNT(*) FROM (VALUES (1), (CAST(NULL AS INTEGER)), (3)) AS t(x)
    3
    >>> SELECT COUNT(x) FROM (VALUES (1), (CAST(NULL AS INTEGER)), (3)) AS t(x)
    2
    """
    return Count()


@aggregate("SUM(n: NUMERIC)", sliding=_sliding_sum, returns=_sum_type, duckdb="sum(n)")
def sum_(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """The sum: BIGINT for integers, for DECIMALs DECIMAL with 18 digits, with 38 where the
    numbers may have more than 18 themselves.  A sum that does not fit is an error.

    >>> SELECT SUM(x) FROM (VALUES (1), (2), (4)) AS t(x)
    7
    >>> SELECT SUM(x) FROM (VALUES (1.25), (0.50)) AS t(x)
    1.75
    """
    if _is_wide(result):
        return WideSum(result, wide_sum)
    return FloatSum(result, float_sum) if result.kind in APPROXIMATE else ExactSum(result, exact_sum)


@aggregate("AVG(n: NUMERIC) -> n", sliding=_sliding_average, duckdb="avg(n)")
def average(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """The mean, of the argument's type: of integers it is cut toward zero, of DECIMALs rounded half up to their scale.
    In a query that reads tables and no stream the mean of integers is a DOUBLE.

    >>> SELECT AVG(x) FROM (VALUES (1), (2), (5)) AS t(x)
    2
    >>> SELECT AVG(x) FROM (VALUES (1e0), (2e0)) AS t(x)
    1.5
    """
    if _is_wide(result):
        return WideSum(result, wide_average)
    return FloatSum(result, float_average) if result.kind in APPROXIMATE else ExactSum(result, exact_average)


def _extreme(better: np.ufunc, type: SqlType) -> Accumulator:
    return Extreme(better, type) if is_fixed(type.arrow()) else ObjectExtreme(better, type)


@aggregate("MIN(x: COMPARABLE) -> x", sliding=lambda _, result, __: SlidingExtreme(False, result), duckdb="min(x)")
def minimum(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """The least value; strings are compared by code point.

    >>> SELECT MIN(x) FROM (VALUES (3), (1), (2)) AS t(x)
    1
    """
    return _extreme(np.minimum, result)


@aggregate("MAX(x: COMPARABLE) -> x", sliding=lambda _, result, __: SlidingExtreme(True, result), duckdb="max(x)")
def maximum(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """The greatest value; strings are compared by code point.

    >>> SELECT MAX(x) FROM (VALUES ('ab'), ('b'), ('a')) AS t(x)
    b
    """
    return _extreme(np.maximum, result)


@aggregate(
    "FIRST_VALUE(x: ANY) -> x",
    sliding=lambda _, result, ignore: SlidingPosition(result, ignore),
    duckdb="first(x)",
    positional=True,
    ordered=first_of_frame,
)
def first_value(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """The value of the row that arrived first; with IGNORE NULLS the first that is not NULL.

    >>> SELECT FIRST_VALUE(x) FROM (VALUES (3), (1), (2)) AS t(x)
    3
    """
    return Positional(False, ignore_nulls, result)


@aggregate(
    "LAST_VALUE(x: ANY) -> x",
    sliding=lambda _, result, ignore: SlidingPosition(result, ignore, from_last=True),
    duckdb="last(x)",
    positional=True,
    ordered=last_of_frame,
)
def last_value(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """The value of the row that arrived last; with IGNORE NULLS the last that is not NULL.

    >>> SELECT LAST_VALUE(x) FROM (VALUES (3), (1), (2)) AS t(x)
    2
    """
    return Positional(True, ignore_nulls, result)


@aggregate(
    "ANY(b: BOOLEAN) -> BOOLEAN",
    sliding=lambda _, result, __: SlidingExtreme(True, result),
    aliases=("BOOL_OR",),
    duckdb="bool_or(b)",
)
def any_(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """Whether it is true in any row.

    >>> SELECT ANY(x > 2) FROM (VALUES (1), (2), (4)) AS t(x)
    TRUE
    """
    return Extreme(np.maximum, result)


@aggregate(
    "EVERY(b: BOOLEAN) -> BOOLEAN",
    sliding=lambda _, result, __: SlidingExtreme(False, result),
    aliases=("BOOL_AND",),
    duckdb="bool_and(b)",
)
def every(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """Whether it is true in all rows.

    >>> SELECT EVERY(x > 2) FROM (VALUES (1), (2), (4)) AS t(x)
    FALSE
    """
    return Extreme(np.minimum, result)


@aggregate("VAR_POP(n: NUMERIC) -> DOUBLE", sliding=lambda *_: SlidingVariance(sample=False, root=False), duckdb="var_pop(n)")
def var_pop(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """The variance: the mean of the squared distances from the mean.

    >>> SELECT VAR_POP(x) FROM (VALUES (1), (2), (6)) AS t(x)
    4.666666666666667
    """
    return Variance(sample=False, root=False)


@aggregate(
    "VAR_SAMP(n: NUMERIC) -> DOUBLE",
    sliding=lambda *_: SlidingVariance(sample=True, root=False),
    aliases=("VARIANCE",),
    duckdb="var_samp(n)",
)
def var_samp(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """The variance of the population of which these values are a sample: divided by their number minus 1; NULL of one.

    >>> SELECT VAR_SAMP(x) FROM (VALUES (1), (2), (6)) AS t(x)
    7.0
    """
    return Variance(sample=True, root=False)


@aggregate(
    "STDDEV_POP(n: NUMERIC) -> DOUBLE", sliding=lambda *_: SlidingVariance(sample=False, root=True), duckdb="stddev_pop(n)"
)
def stddev_pop(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """The standard deviation: the root of VAR_POP.

    >>> SELECT STDDEV_POP(x) FROM (VALUES (1), (3)) AS t(x)
    1.0
    """
    return Variance(sample=False, root=True)


@aggregate(
    "STDDEV_SAMP(n: NUMERIC) -> DOUBLE",
    sliding=lambda *_: SlidingVariance(sample=True, root=True),
    aliases=("STDDEV", "STD_DEV"),
    duckdb="stddev_samp(n)",
)
def stddev_samp(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """The standard deviation of the population of which these values are a sample: the root of VAR_SAMP.

    >>> SELECT STDDEV_SAMP(x) FROM (VALUES (1), (4), (7)) AS t(x)
    3.0
    """
    return Variance(sample=True, root=True)
