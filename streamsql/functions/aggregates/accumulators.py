"""Running values per group: what the aggregates of a GROUP BY keep.

Additions are made row by row in arrival order, never as sums of a batch's part, so that a group's value does not depend on
how its rows were cut into batches.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.arrays import from_numbers, numbers
from streamsql.functions.aggregates.grouped import Grouped, Mergeable, count_rows, first_rows, fold, last_rows, present
from streamsql.functions.aggregates.totals import ExactTotal, FloatTotal, variance
from streamsql.functions.aggregates.vectors import decode, doubles, encode, exact, is_fixed
from streamsql.functions.aggregation import Fail, raise_failure
from streamsql.kernels.compiling import pays
from streamsql.keys.interner import Ids
from streamsql.types import SqlType

_LOW = 0xFFFFFFFF


class Count(Mergeable):
    """COUNT: of rows, or of the values that are not NULL."""

    def __init__(self) -> None:
        super().__init__(count=0)

    def add(self, ids: Ids, groups: int, arguments: Sequence[pa.Array]) -> None:
        self.reach(groups)
        if arguments:
            ids, _ = present(ids, arguments[0])
        count_rows(self.values("count"), ids)

    def alone(self, arguments: Sequence[pa.Array], count: int) -> list[pa.Array]:
        return [_valid(arguments[0]) if arguments else pa.repeat(pa.scalar(1, pa.int64()), count)]

    def merge(self, ids: Ids, groups: int, parts: Sequence[pa.Array]) -> None:
        self.reach(groups)
        fold(np.add, self.values("count"), ids, numbers(parts[0]))

    def result(self, fail: Fail = raise_failure) -> pa.Array:
        return from_numbers(self.values("count").copy(), pa.int64())


def _valid(column: pa.Array) -> pa.Array:
    """1 for each value, 0 for NULL."""
    return column.is_valid().cast(pa.int64()) if column.null_count else pa.repeat(pa.scalar(1, pa.int64()), len(column))


class ExactSum(Mergeable):
    """Sums of whole numbers and DECIMALs of up to 18 digits; `total` makes SUM or AVG of them."""

    def __init__(self, type: SqlType, total: ExactTotal) -> None:
        super().__init__(high=0, low=0, count=0)
        self._type = type
        self._total = total

    def add(self, ids: Ids, groups: int, arguments: Sequence[pa.Array]) -> None:
        self.reach(groups)
        ids, column = present(ids, arguments[0])
        values = exact(column)
        high, low = self.values("high"), self.values("low")
        if len(values) and (values.min() < -(2**31) or values.max() >= 2**31):
            fold(np.add, high, ids, (values >> 32).astype(np.int64, copy=False))
            values = values & _LOW
        fold(np.add, low, ids, values.astype(np.int64, copy=False))
        count_rows(self.values("count"), ids)
        if len(ids) >= groups:
            self._carry()

    def parts(self) -> list[pa.Array]:
        self._carry()
        return super().parts()

    def merge(self, ids: Ids, groups: int, parts: Sequence[pa.Array]) -> None:
        self.reach(groups)
        for name, part in zip(("high", "low", "count"), parts, strict=True):
            fold(np.add, self.values(name), ids, numbers(part))
        self._carry()

    def result(self, fail: Fail = raise_failure) -> pa.Array:
        self._carry()
        return self._total(self.values("high"), self.values("low"), self.values("count"), self._type, fail)

    def _carry(self) -> None:
        low = self.values("low")
        self.values("high")[:] += low >> 32
        low &= _LOW


class FloatSum(Mergeable):
    """Sums of REAL and DOUBLE, as DOUBLE; `total` makes SUM or AVG of them."""

    def __init__(self, type: SqlType, total: FloatTotal) -> None:
        super().__init__(sum=0.0, count=0)
        self._type = type
        self._total = total

    def add(self, ids: Ids, groups: int, arguments: Sequence[pa.Array]) -> None:
        self.reach(groups)
        ids, column = present(ids, arguments[0])
        if groups > 1 and pays(len(ids), nanoseconds=2):
            from streamsql.kernels.groups import add_counted

            add_counted(self.values("sum"), self.values("count"), ids, doubles(column))
            return
        with np.errstate(over="ignore", invalid="ignore"):
            fold(np.add, self.values("sum"), ids, doubles(column))
        count_rows(self.values("count"), ids)

    def alone(self, arguments: Sequence[pa.Array], count: int) -> list[pa.Array]:
        column = arguments[0]
        return [pa.array(doubles(column.fill_null(0) if column.null_count else column)), _valid(column)]

    def merge(self, ids: Ids, groups: int, parts: Sequence[pa.Array]) -> None:
        self.reach(groups)
        with np.errstate(over="ignore", invalid="ignore"):
            for name, part in zip(("sum", "count"), parts, strict=True):
                fold(np.add, self.values(name), ids, numbers(part))

    def result(self, fail: Fail = raise_failure) -> pa.Array:
        return self._total(self.values("sum").copy(), self.values("count"), self._type)


class Variance(Grouped):
    """VAR and STDDEV: sums of the differences from the group's first value and of their squares, so that little cancels."""

    def __init__(self, sample: bool, root: bool) -> None:
        super().__init__(first=0.0, sum=0.0, squares=0.0, count=0)
        self._sample = sample
        self._root = root

    def add(self, ids: Ids, groups: int, arguments: Sequence[pa.Array]) -> None:
        self.reach(groups)
        ids, column = present(ids, arguments[0])
        values, first, count = doubles(column), self.values("first"), self.values("count")
        if len(ids) < groups or not count.all():
            new = np.flatnonzero(count[ids] == 0)
            new = new[first_rows(ids[new], groups)]
            first[ids[new]] = values[new]
        with np.errstate(over="ignore", invalid="ignore"):
            differences = values - first[ids]
            fold(np.add, self.values("sum"), ids, differences)
            fold(np.add, self.values("squares"), ids, differences * differences)
        count_rows(count, ids)

    def result(self, fail: Fail = raise_failure) -> pa.Array:
        count, sums = self.values("count"), self.values("sum")
        with np.errstate(over="ignore", invalid="ignore"):
            distances = np.maximum(self.values("squares") - sums * sums / np.maximum(count, 1), 0.0)
        return variance(distances, count, self._sample, self._root)


class Extreme(Mergeable):
    """MIN or MAX (`ufunc`: `np.minimum`, `np.maximum`) of a type of fixed width."""

    def __init__(self, ufunc: np.ufunc, type: SqlType) -> None:
        limits = np.iinfo(np.int64)
        super().__init__(best=limits.max if ufunc is np.minimum else limits.min, count=0)
        self._ufunc = ufunc
        self._type = type.arrow()

    def add(self, ids: Ids, groups: int, arguments: Sequence[pa.Array]) -> None:
        self.reach(groups)
        ids, column = present(ids, arguments[0])
        fold(self._ufunc, self.values("best"), ids, encode(column))
        count_rows(self.values("count"), ids)

    def merge(self, ids: Ids, groups: int, parts: Sequence[pa.Array]) -> None:
        self.reach(groups)
        fold(self._ufunc, self.values("best"), ids, numbers(parts[0]))
        fold(np.add, self.values("count"), ids, numbers(parts[1]))

    def result(self, fail: Fail = raise_failure) -> pa.Array:
        return decode(self.values("best").copy(), self.values("count") == 0, self._type)


class ObjectExtreme(Mergeable):
    """MIN or MAX of strings (by code point) and other types without a fixed width.

    A batch's values are compared as ranks; only each group's best of them is compared with what is kept.
    """

    def __init__(self, ufunc: np.ufunc, type: SqlType) -> None:
        super().__init__(best=None)
        self._ufunc = ufunc
        self._type = type.arrow()

    def add(self, ids: Ids, groups: int, arguments: Sequence[pa.Array]) -> None:
        self.reach(groups)
        ids, column = present(ids, arguments[0])
        if not len(ids):
            return
        encoded = column.dictionary_encode()
        ranked = encoded.dictionary.take(pc.array_sort_indices(encoded.dictionary))
        ranks = pc.index_in(encoded.dictionary, ranked).take(encoded.indices).to_numpy().astype(np.int64)
        best = np.empty(groups, np.int64)
        best[ids] = ranks  # any of the group's: a place to start
        self._ufunc.at(best, ids, ranks)
        rows = last_rows(ids, groups)
        kept, better = self.values("best"), (min if self._ufunc is np.minimum else max)
        candidates = ranked.take(pa.array(best[ids[rows]])).to_pylist()
        for group, candidate in zip(ids[rows].tolist(), candidates, strict=True):
            kept[group] = candidate if kept[group] is None else better(kept[group], candidate)

    @property
    def part_types(self) -> list[pa.DataType]:
        return [self._type]

    def merge(self, ids: Ids, groups: int, parts: Sequence[pa.Array]) -> None:
        self.add(ids, groups, parts)

    def result(self, fail: Fail = raise_failure) -> pa.Array:
        return pa.array(self.values("best"), self._type)


class Positional(Grouped):
    """FIRST_VALUE or LAST_VALUE, by arrival."""

    def __init__(self, last: bool, ignore_nulls: bool, type: SqlType) -> None:
        super().__init__(value=0 if is_fixed(type.arrow()) else None, null=True, seen=False)
        self._last = last
        self._ignore_nulls = ignore_nulls
        self._type = type.arrow()

    def add(self, ids: Ids, groups: int, arguments: Sequence[pa.Array]) -> None:
        self.reach(groups)
        column = arguments[0]
        if self._ignore_nulls:
            ids, column = present(ids, column)
        seen = self.values("seen")
        rows = last_rows(ids, groups) if self._last else first_rows(ids, groups)
        if not self._last:
            rows = rows[~seen[ids[rows]]]
        taken = column.take(pa.array(rows))
        where = ids[rows]
        self.values("value")[where] = encode(taken)
        self.values("null")[where] = taken.is_null().to_numpy(zero_copy_only=False)
        seen[where] = True

    def result(self, fail: Fail = raise_failure) -> pa.Array:
        return decode(self.values("value").copy(), self.values("null"), self._type)
