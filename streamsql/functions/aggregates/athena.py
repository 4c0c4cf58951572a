"""Aggregates that Athena and Redshift have, beside those of the dialect."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.arrays import from_numbers
from streamsql.functions.aggregates.accumulators import Count, Positional
from streamsql.functions.aggregates.grouped import Grouped, first_rows
from streamsql.functions.aggregates.sliding import SlidingCount
from streamsql.functions.aggregates.vectors import encode, is_fixed
from streamsql.functions.aggregation import Accumulator, Fail, raise_failure
from streamsql.functions.moves import Moves
from streamsql.functions.registry import aggregate
from streamsql.keys.interner import Ids
from streamsql.rows import Datum
from streamsql.types import SqlType

Types = Sequence[SqlType]


@aggregate(
    "APPROX_DISTINCT(x: COMPARABLE) -> BIGINT",
    sliding=lambda *_: SlidingCount(),
    duckdb="count(DISTINCT x)",
    distinct=True,
)
def approx_distinct(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """How many different values there are: COUNT(DISTINCT x), and exact.

    >>> SELECT APPROX_DISTINCT(x) FROM (VALUES (1), (2), (1)) AS t(x)
    2
    """
    return Count()


class _CountTrue(Grouped):
    """COUNT_IF."""

    def __init__(self) -> None:
        super().__init__(count=0)

    def add(self, ids: Ids, groups: int, arguments: Sequence[pa.Array]) -> None:
        self.reach(groups)
        true = pc.fill_null(arguments[0], False).to_numpy(zero_copy_only=False)
        np.add.at(self.values("count"), ids[true], 1)

    def result(self, fail: Fail = raise_failure) -> pa.Array:
        return from_numbers(self.values("count").copy(), pa.int64())


class _SlidingCountTrue(SlidingCount):
    """COUNT_IF over a sliding window."""

    def slide(self, moves: Moves, arguments: Sequence[Datum], fail: Fail) -> pa.Array:
        true = pc.if_else(pc.fill_null(arguments[0], False), True, pa.scalar(None, pa.bool_()))
        return super().slide(moves, [true], fail)


@aggregate("COUNT_IF(b: BOOLEAN) -> BIGINT", sliding=lambda *_: _SlidingCountTrue(), duckdb="count_if(b)")
def count_if(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """In how many rows it is true.

    >>> SELECT COUNT_IF(x > 1) FROM (VALUES (1), (2), (4)) AS t(x)
    2
    """
    return _CountTrue()


@aggregate("ARBITRARY(x: ANY) -> x", aliases=("ANY_VALUE",), duckdb="any_value(x)")
def arbitrary(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """Some value that is not NULL: the first.

    >>> SELECT ARBITRARY(x) FROM (VALUES (CAST(NULL AS INTEGER)), (3), (1)) AS t(x)
    3
    """
    return Positional(False, True, result)


class _Beside(Grouped):
    """MAX_BY and MIN_BY: the value of one column where another is greatest, or least; of several such rows the first.

    A batch's keys are compared as ranks; only each group's best of them is compared with what is kept.
    """

    def __init__(self, greatest: bool, type: SqlType) -> None:
        super().__init__(key=None, value=None)
        self._greatest = greatest
        self._type = type.arrow()

    def add(self, ids: Ids, groups: int, arguments: Sequence[pa.Array]) -> None:
        self.reach(groups)
        values, by = arguments
        if is_fixed(by.type):  # as MAX and MIN have it: NaN is greater than all numbers
            by = pa.array(encode(by), mask=by.is_null().to_numpy(zero_copy_only=False))
        there = np.flatnonzero(by.is_valid().to_numpy(zero_copy_only=False))
        if not len(there):
            return
        encoded = by.take(pa.array(there)).dictionary_encode()
        order = pc.array_sort_indices(encoded.dictionary, "descending" if self._greatest else "ascending")
        ordered = encoded.dictionary.take(order)
        ranks = pc.index_in(encoded.dictionary, ordered).take(encoded.indices).to_numpy().astype(np.int64)
        of_group = ids[there]
        best = np.full(groups, np.iinfo(np.int64).max)
        np.minimum.at(best, of_group, ranks)
        candidates = np.flatnonzero(ranks == best[of_group])
        rows = candidates[first_rows(of_group[candidates], groups)]
        kept, beside = self.values("key"), self.values("value")
        chosen = pa.array(there[rows])
        found = zip(of_group[rows].tolist(), by.take(chosen).to_pylist(), values.take(chosen).to_pylist(), strict=True)
        for group, key, value in found:
            if kept[group] is None or (key > kept[group] if self._greatest else key < kept[group]):
                kept[group], beside[group] = key, value

    def result(self, fail: Fail = raise_failure) -> pa.Array:
        return pa.array(self.values("value"), self._type)


@aggregate("MAX_BY(x: ANY, y: COMPARABLE) -> x", duckdb="max_by(x, y)")
def max_by(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """The `x` of the row with the greatest `y`.

    >>> SELECT MAX_BY(x, y) FROM (VALUES ('a', 1), ('b', 3), ('c', 2)) AS t(x, y)
    b
    """
    return _Beside(True, result)


@aggregate("MIN_BY(x: ANY, y: COMPARABLE) -> x", duckdb="min_by(x, y)")
def min_by(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """The `x` of the row with the least `y`.

    >>> SELECT MIN_BY(x, y) FROM (VALUES ('a', 1), ('b', 3), ('c', 2)) AS t(x, y)
    a
    """
    return _Beside(False, result)
