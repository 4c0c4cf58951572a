"""Running values per group: what the aggregates of a GROUP BY keep.

Additions are made row by row in arrival order, never as sums of a batch's part, so that a group's value does not depend on
how its rows were cut into batches.  Plain numpy at first: a short job need not load the compiler of the kernels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.arrays import from_numbers, numbers
from streamsql.compiling import pays
from streamsql.functions.registry import Fail, raise_failure
from streamsql.functions.totals import ExactTotal, FloatTotal, variance
from streamsql.functions.vectors import Integers, Vector, decode, doubles, encode, exact, is_fixed
from streamsql.keys.interner import Ids
from streamsql.state import Arrays
from streamsql.types import SqlType

_LOW = 0xFFFFFFFF

OBJECT = 10
"""A Python object is so many times its pointer, about."""


class Grouped(ABC):
    """The base: arrays with an element a group, which grow with the groups.

    `fills` gives each array's element type and the value of a group without rows.  The elements of groups that were taken
    stand in front of the others until there are as many.
    """

    def __init__(self, **fills: Any) -> None:
        self._fills = {name: np.asarray(fill) for name, fill in fills.items()}
        empty = {name: np.empty(0, fill.dtype) for name, fill in self._fills.items()}
        self.arrays = Arrays({"groups": np.zeros(1, np.int64), "taken": np.zeros(1, np.int64), **empty})

    @abstractmethod
    def result(self, fail: Fail = raise_failure) -> pa.Array: ...

    @property
    def groups(self) -> int:
        """How many groups there are so far."""
        return int(self.arrays["groups"][0])

    @property
    def nbytes(self) -> int:
        """About how much memory its groups take."""
        sizes = (fill.dtype.itemsize * (OBJECT if fill.dtype == object else 1) for fill in self._fills.values())
        return self.groups * sum(sizes)

    def reach(self, groups: int) -> None:
        """Make room for so many groups."""
        if groups <= self.groups:
            return
        self.arrays["groups"][0] = groups
        needed = self._taken + groups
        for name, fill in self._fills.items():
            array = self.arrays[name]
            if needed > len(array):
                room = np.full(max(needed, 2 * len(array)) - len(array), fill)
                self.arrays[name] = np.concatenate((array, room))

    def values(self, name: str) -> Vector:
        """One of the arrays: an element a group, to be read and changed."""
        return self.arrays[name][self._taken : self._taken + self.groups]

    def take(self, groups: int, fail: Fail = raise_failure) -> pa.Array:
        rest = self.groups - groups
        self.arrays["groups"][0] = groups
        result = self.result(fail)
        self.arrays["taken"][0] += groups
        self.arrays["groups"][0] = rest
        if self._taken > rest:
            for name, fill in self._fills.items():
                kept = self.values(name).copy()
                self.arrays[name][:rest] = kept
                self.arrays[name][rest:] = fill
            self.arrays["taken"][0] = 0
        return result

    def clear(self) -> None:
        for name, fill in self._fills.items():
            self.values(name)[:] = fill
        self.arrays["groups"][0] = 0

    @property
    def _taken(self) -> int:
        return int(self.arrays["taken"][0])


class Mergeable(Grouped):
    """One of which two can be put together: what was added to one counts for the other."""

    def parts(self) -> list[pa.Array]:
        """What there is of each group: an array for each of `part_types`."""
        return [pa.array(self.values(name), type) for name, type in zip(self._fills, self.part_types, strict=True)]

    @property
    def part_types(self) -> list[pa.DataType]:
        return [pa.from_numpy_dtype(fill.dtype) for fill in self._fills.values()]

    @abstractmethod
    def add(self, ids: Ids, groups: int, arguments: Sequence[pa.Array]) -> None: ...

    @abstractmethod
    def merge(self, ids: Ids, groups: int, parts: Sequence[pa.Array]) -> None:
        """Add the groups of another one: `ids` (its groups,) says which of the `groups` groups so far each is."""


class Count(Mergeable):
    """COUNT: of rows, or of the values that are not NULL."""

    def __init__(self) -> None:
        super().__init__(count=0)

    def add(self, ids: Ids, groups: int, arguments: Sequence[pa.Array]) -> None:
        self.reach(groups)
        if arguments:
            ids, _ = _present(ids, arguments[0])
        _count(self.values("count"), ids)

    def merge(self, ids: Ids, groups: int, parts: Sequence[pa.Array]) -> None:
        self.reach(groups)
        _fold(np.add, self.values("count"), ids, numbers(parts[0]))

    def result(self, fail: Fail = raise_failure) -> pa.Array:
        return from_numbers(self.values("count").copy(), pa.int64())


class ExactSum(Mergeable):
    """Sums of whole numbers and DECIMALs of up to 18 digits; `total` makes SUM or AVG of them."""

    def __init__(self, type: SqlType, total: ExactTotal) -> None:
        super().__init__(high=0, low=0, count=0)
        self._type = type
        self._total = total

    def add(self, ids: Ids, groups: int, arguments: Sequence[pa.Array]) -> None:
        self.reach(groups)
        ids, column = _present(ids, arguments[0])
        values = exact(column)
        high, low = self.values("high"), self.values("low")
        if len(values) and (values.min() < -(2**31) or values.max() >= 2**31):
            _fold(np.add, high, ids, (values >> 32).astype(np.int64, copy=False))
            values = values & _LOW
        _fold(np.add, low, ids, values.astype(np.int64, copy=False))
        _count(self.values("count"), ids)
        if len(ids) >= groups:
            self._carry()

    def parts(self) -> list[pa.Array]:
        self._carry()
        return super().parts()

    def merge(self, ids: Ids, groups: int, parts: Sequence[pa.Array]) -> None:
        self.reach(groups)
        for name, part in zip(("high", "low", "count"), parts, strict=True):
            _fold(np.add, self.values(name), ids, numbers(part))
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
        ids, column = _present(ids, arguments[0])
        if groups > 1 and pays(len(ids), nanoseconds=2):
            from streamsql.kernels.groups import add_counted

            add_counted(self.values("sum"), self.values("count"), ids, doubles(column))
            return
        with np.errstate(over="ignore", invalid="ignore"):
            _fold(np.add, self.values("sum"), ids, doubles(column))
        _count(self.values("count"), ids)

    def merge(self, ids: Ids, groups: int, parts: Sequence[pa.Array]) -> None:
        self.reach(groups)
        with np.errstate(over="ignore", invalid="ignore"):
            for name, part in zip(("sum", "count"), parts, strict=True):
                _fold(np.add, self.values(name), ids, numbers(part))

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
        ids, column = _present(ids, arguments[0])
        values, first, count = doubles(column), self.values("first"), self.values("count")
        if len(ids) < groups or not count.all():
            new = np.flatnonzero(count[ids] == 0)
            new = new[first_rows(ids[new], groups)]
            first[ids[new]] = values[new]
        with np.errstate(over="ignore", invalid="ignore"):
            differences = values - first[ids]
            _fold(np.add, self.values("sum"), ids, differences)
            _fold(np.add, self.values("squares"), ids, differences * differences)
        _count(count, ids)

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
        ids, column = _present(ids, arguments[0])
        _fold(self._ufunc, self.values("best"), ids, encode(column))
        _count(self.values("count"), ids)

    def merge(self, ids: Ids, groups: int, parts: Sequence[pa.Array]) -> None:
        self.reach(groups)
        _fold(self._ufunc, self.values("best"), ids, numbers(parts[0]))
        _fold(np.add, self.values("count"), ids, numbers(parts[1]))

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
        ids, column = _present(ids, arguments[0])
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
            ids, column = _present(ids, column)
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


def last_rows(ids: Ids, groups: int) -> Ids:
    """The last row of each group that has one."""
    rows = np.arange(len(ids))
    last = np.empty(groups, np.int64)
    last[ids] = rows  # of several assignments the last stays
    return np.flatnonzero(last[ids] == rows)


def first_rows(ids: Ids, groups: int) -> Ids:
    """The first row of each group that has one."""
    return len(ids) - 1 - last_rows(ids[::-1], groups)


def _present(ids: Ids, column: pa.Array) -> tuple[Ids, pa.Array]:
    """The rows that are not NULL."""
    if not column.null_count:
        return ids, column
    return ids[column.is_valid().to_numpy(zero_copy_only=False)], column.drop_null()


def _fold(ufunc: np.ufunc, target: Vector, ids: Ids, values: Vector) -> None:
    """target[id] = ufunc(target[id], value), row by row in order."""
    if len(target) != 1:
        if pays(len(ids), nanoseconds=1):
            _kernel(ufunc, target.dtype)(target, ids, np.ascontiguousarray(values))
        else:
            ufunc.at(target, ids, values)
    elif ufunc is np.add and target.dtype == np.float64 and pays(len(ids), nanoseconds=4):
        from streamsql.kernels.groups import add_in_order

        add_in_order(target, np.ascontiguousarray(values))
    elif target.dtype == np.float64:
        target[0] = ufunc.accumulate(np.concatenate((target, values)))[-1]
    elif len(values):
        target[0] = ufunc(target[0], ufunc.reduce(values))


def _count(counts: Integers, ids: Ids) -> None:
    if len(counts) == 1:
        counts[0] += len(ids)
    elif pays(len(ids), nanoseconds=1):
        from streamsql.kernels.groups import count

        count(counts, ids)
    else:
        np.add.at(counts, ids, 1)


def _kernel(ufunc: np.ufunc, dtype: np.dtype[Any]) -> Callable[[Vector, Ids, Vector], None]:
    """The kernel that does what `ufunc.at` does."""
    from streamsql.kernels import groups

    if ufunc is np.add:
        return groups.add_floats if dtype == np.float64 else groups.add_integers
    return groups.least if ufunc is np.minimum else groups.greatest
