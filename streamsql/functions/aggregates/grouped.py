"""What accumulators are made of: arrays with an element a group, and adding rows to them in order.

Plain numpy at first: a short job need not load the compiler of the kernels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from copy import copy
from typing import Any, Self

import numpy as np
import pyarrow as pa

from streamsql.functions.aggregates.vectors import Integers, Vector
from streamsql.functions.aggregation import Fail, raise_failure
from streamsql.kernels.compiling import pays
from streamsql.keys.interner import Ids
from streamsql.state import Arrays

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

    def of(self, groups: Ids) -> Self:
        some = copy(self)
        taken = {name: self.values(name)[groups] for name in self._fills}
        some.arrays = Arrays({"groups": np.array([len(groups)]), "taken": np.zeros(1, np.int64), **taken})
        return some

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

    def alone(self, arguments: Sequence[pa.Array], count: int) -> list[pa.Array]:
        """The parts of so many groups of one row each, of one to which nothing was added and nothing will be."""
        self.add(np.arange(count), count, arguments)
        return self.parts()

    @property
    def part_types(self) -> list[pa.DataType]:
        return [pa.from_numpy_dtype(fill.dtype) for fill in self._fills.values()]

    @abstractmethod
    def add(self, ids: Ids, groups: int, arguments: Sequence[pa.Array]) -> None: ...

    @abstractmethod
    def merge(self, ids: Ids, groups: int, parts: Sequence[pa.Array]) -> None:
        """Add the groups of another one: `ids` (its groups,) says which of the `groups` groups so far each is."""


def last_rows(ids: Ids, groups: int) -> Ids:
    """The last row of each group that has one."""
    rows = np.arange(len(ids))
    last = np.empty(groups, np.int64)
    last[ids] = rows  # of several assignments the last stays
    return np.flatnonzero(last[ids] == rows)


def first_rows(ids: Ids, groups: int) -> Ids:
    """The first row of each group that has one."""
    return len(ids) - 1 - last_rows(ids[::-1], groups)


def present(ids: Ids, column: pa.Array) -> tuple[Ids, pa.Array]:
    """The rows that are not NULL."""
    if not column.null_count:
        return ids, column
    return ids[column.is_valid().to_numpy(zero_copy_only=False)], column.drop_null()


def fold(ufunc: np.ufunc, target: Vector, ids: Ids, values: Vector) -> None:
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


def count_rows(counts: Integers, ids: Ids) -> None:
    if len(counts) == 1:
        counts[0] += len(ids)
    elif len(ids) >= len(counts):
        counts += np.bincount(ids, minlength=len(counts))
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
