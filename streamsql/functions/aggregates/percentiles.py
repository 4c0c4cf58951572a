"""Percentiles: what so large a part of the values of a group is not greater than."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from streamsql.arrays import from_numbers
from streamsql.functions.aggregates.collected import Collected, by_group
from streamsql.functions.aggregates.vectors import Doubles, doubles
from streamsql.functions.aggregation import Accumulator, Fail
from streamsql.functions.registry import aggregate
from streamsql.keys.interner import Ids
from streamsql.keys.order import Direction, ranks
from streamsql.rows import ErrorName
from streamsql.types import SqlType

Types = Sequence[SqlType]


class _Percentile(Collected):
    """The arguments are the values, the fraction (0.5 where it is missing) and whether the order descends."""

    def __init__(self, arguments: Types, result: SqlType, between: bool) -> None:
        super().__init__(arguments)
        self._type = result.arrow()
        self._between = between

    def values(self, ids: Ids, groups: int, columns: Sequence[pa.Array], fail: Fail) -> pa.Array:
        column, fraction, descending = columns[0], 0.5, False
        if len(ids) and len(columns) > 1:
            fraction = columns[1][0].as_py()
            descending = len(columns) > 2 and columns[2][0].as_py()
        if fraction is None or not 0 <= fraction <= 1:
            fail(np.ones(groups, bool), f"a percentile is from 0 to 1, not {fraction}", ErrorName.ARGUMENT)
            return pa.nulls(groups, self._type)
        there = column.is_valid().to_numpy(zero_copy_only=False)
        ids, column = ids[there], column.filter(pa.array(there))
        ranked = np.argsort(ranks(column, Direction(descending, False)), kind="stable")
        order, begins = by_group(ids[ranked], groups)
        ordered, counts = column.take(pa.array(ranked[order])), np.diff(begins)
        if self._between:
            return from_numbers(_between(doubles(ordered), begins, counts, fraction), self._type, counts == 0)
        places = begins[:-1] + np.clip(np.ceil(counts * fraction).astype(np.int64) - 1, 0, None)
        return ordered.take(pa.array(places, mask=counts == 0)).cast(self._type)


def _between(values: Doubles, begins: Ids, counts: Ids, fraction: float) -> Doubles:
    """The value at `fraction` of the way from the first of each group to its last, between two of them where it lies so."""
    if not len(values):
        return np.zeros(len(counts))
    place = np.clip(counts - 1, 0, None) * fraction
    low = np.minimum(begins[:-1] + np.floor(place).astype(np.int64), len(values) - 1)
    high = np.minimum(begins[:-1] + np.ceil(place).astype(np.int64), len(values) - 1)
    with np.errstate(invalid="ignore"):
        way = values[low] + (values[high] - values[low]) * (place - np.floor(place))
    found: Doubles = np.where(values[low] == values[high], values[low], way)
    return found


@aggregate(
    "PERCENTILE_CONT(n: NUMERIC, fraction: DOUBLE, descends: BOOLEAN) -> DOUBLE",
    duckdb="quantile_cont(n, fraction)",
    ordered_set=True,
)
def percentile_cont(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """The value at a fraction of the ordered values, between two of them where it lies so: PERCENTILE_CONT(fraction) WITHIN GROUP
    (ORDER BY n).

    >>> SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY x) FROM (VALUES (1), (2), (4), (8)) AS t(x)
    3.0
    """
    return _Percentile(arguments, result, between=True)


@aggregate(
    "PERCENTILE_DISC(x: COMPARABLE, fraction: DOUBLE, descends: BOOLEAN) -> x",
    duckdb="quantile_disc(x, fraction)",
    ordered_set=True,
)
def percentile_disc(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """The first of the ordered values that a fraction of them reaches: PERCENTILE_DISC(fraction) WITHIN GROUP (ORDER BY x).

    >>> SELECT PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY x) FROM (VALUES (1), (2), (4), (8)) AS t(x)
    2
    """
    return _Percentile(arguments, result, between=False)


@aggregate("MEDIAN(n: NUMERIC) -> DOUBLE", duckdb="median(n)")
def median(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """The value in the middle, or the mean of the two there.

    >>> SELECT MEDIAN(x) FROM (VALUES (1), (2), (4), (8)) AS t(x)
    3.0
    """
    return _Percentile(arguments, result, between=True)


@aggregate("APPROX_PERCENTILE(x: COMPARABLE, fraction: DOUBLE) -> x", duckdb="quantile_disc(x, fraction)")
def approx_percentile(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """The first of the ordered values that a fraction of them reaches, and exact.

    >>> SELECT APPROX_PERCENTILE(x, 0.75) FROM (VALUES (1), (2), (4), (8)) AS t(x)
    4
    """
    return _Percentile(arguments, result, between=False)
