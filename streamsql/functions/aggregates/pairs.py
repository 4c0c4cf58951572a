"""Aggregates of pairs of numbers: how far one goes with the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from streamsql.arrays import from_numbers
from streamsql.functions.aggregates.collected import Collected
from streamsql.functions.aggregates.vectors import Doubles, doubles
from streamsql.functions.aggregation import Accumulator, Fail
from streamsql.functions.registry import aggregate
from streamsql.keys.interner import Ids
from streamsql.types import SqlType

Types = Sequence[SqlType]


class Sums(NamedTuple):
    """(groups,) the number of pairs, the means of y and x, and the sums of squares and products of the distances from them."""

    pairs: Doubles
    mean_y: Doubles
    mean_x: Doubles
    yy: Doubles
    xx: Doubles
    xy: Doubles


class _Pairs(Collected):
    """Pairs of which neither is NULL.  Of fewer than `least` there is no value, and none where it would be divided by zero."""

    def __init__(self, arguments: Types, value: Callable[[Sums], Doubles], least: int = 1) -> None:
        super().__init__(arguments)
        self._value = value
        self._least = least

    def values(self, ids: Ids, groups: int, columns: Sequence[pa.Array], fail: Fail) -> pa.Array:
        there = np.ones(len(ids), bool)
        for column in columns:
            there &= column.is_valid().to_numpy(zero_copy_only=False)
        y, x = (doubles(column)[there] for column in columns)
        ids = ids[there]
        with np.errstate(all="ignore"):
            count = np.bincount(ids, minlength=groups).astype(np.float64)
            mean_y, mean_x = (np.bincount(ids, v, groups) / count for v in (y, x))
            from_y, from_x = y - mean_y[ids], x - mean_x[ids]
            products = from_y * from_y, from_x * from_x, from_x * from_y
            yy, xx, xy = (np.bincount(ids, v, groups).astype(np.float64) for v in products)
            found = self._value(Sums(count, mean_y, mean_x, yy, xx, xy))
        undefined = (count < self._least) | (~np.isfinite(found) & np.isfinite(yy) & np.isfinite(xx))
        return from_numbers(found, pa.float64(), undefined)


@aggregate("CORR(y: NUMERIC, x: NUMERIC) -> DOUBLE", duckdb="corr(y, x)")
def corr(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """Pearson's coefficient of correlation.

    >>> SELECT CORR(y, x) FROM (VALUES (1, 2), (2, 4), (3, 6)) AS t(y, x)
    1.0
    """
    return _Pairs(arguments, lambda s: np.clip(s.xy / np.sqrt(s.xx * s.yy), -1, 1))


@aggregate("COVAR_POP(y: NUMERIC, x: NUMERIC) -> DOUBLE", duckdb="covar_pop(y, x)")
def covar_pop(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """The covariance of all pairs.

    >>> SELECT COVAR_POP(y, x) FROM (VALUES (1, 1), (3, 5)) AS t(y, x)
    2.0
    """
    return _Pairs(arguments, lambda s: s.xy / s.pairs)


@aggregate("COVAR_SAMP(y: NUMERIC, x: NUMERIC) -> DOUBLE", duckdb="covar_samp(y, x)")
def covar_samp(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """The covariance of a sample.

    >>> SELECT COVAR_SAMP(y, x) FROM (VALUES (1, 1), (3, 5)) AS t(y, x)
    4.0
    """
    return _Pairs(arguments, lambda s: s.xy / (s.pairs - 1), least=2)


@aggregate("REGR_SLOPE(y: NUMERIC, x: NUMERIC) -> DOUBLE", duckdb="regr_slope(y, x)")
def regr_slope(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """The slope of the line through the pairs that has the least squares.

    >>> SELECT REGR_SLOPE(y, x) FROM (VALUES (1, 1), (3, 2)) AS t(y, x)
    2.0
    """
    return _Pairs(arguments, lambda s: s.xy / s.xx)


@aggregate("REGR_INTERCEPT(y: NUMERIC, x: NUMERIC) -> DOUBLE", duckdb="regr_intercept(y, x)")
def regr_intercept(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """Where the line through the pairs that has the least squares is at x = 0.

    >>> SELECT REGR_INTERCEPT(y, x) FROM (VALUES (1, 1), (3, 2)) AS t(y, x)
    -1.0
    """
    return _Pairs(arguments, lambda s: s.mean_y - s.xy / s.xx * s.mean_x)
