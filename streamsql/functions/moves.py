"""The frames of a sliding window: which rows they hold, and how they moved while a batch came in.

A row stays in the frames of its partition from when it comes in until it leaves for good.  Rows in frames have numbers; what a
call keeps of row `n` it keeps at `n % capacity` of an array, with a capacity that is a power of two.  No number is given twice
within a batch, so that what was kept can still be read when the whole batch is in.  (Where no row ever leaves, nothing needs to
be kept, and a row's number is its partition's.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from streamsql.keys.interner import Ids
from streamsql.state import Arrays
from streamsql.time import Time

Vector = npt.NDArray[Any]

_LEAST_CAPACITY = 1024


@dataclass(frozen=True, slots=True)
class Moves:
    """How the frames of a window moved while a batch came in.

    Row by row: first the rows that `left_before` counts have left, then the new row comes in.
    """

    ids: Ids
    """(rows,) the partition of each new row."""

    times: Ids
    """(rows,) the ROWTIME of each new row, in milliseconds."""

    numbers: Ids
    """(rows,) the number of each new row."""

    left_before: Ids
    """(rows,) how many of those that left had left when each new row came in."""

    left: Ids
    """(leaving,) the numbers of the rows that left, in order."""

    left_ids: Ids
    """(leaving,) their partitions."""

    partitions: int
    """How many partitions there are so far."""

    kept: range
    """The numbers that rows may have had before this batch."""

    capacity: int
    """How many rows there must be room for: a power of two."""

    bounded: bool = True
    """Whether rows ever leave."""

    @property
    def arrays(self) -> tuple[Ids, Ids, Ids, Ids, Ids]:
        """What the kernels follow."""
        return self.ids, self.numbers, self.left_before, self.left, self.left_ids

    @property
    def mask(self) -> int:
        """`number & mask` is `number % capacity`."""
        return self.capacity - 1


class Frames(Protocol):
    """The frames of one window.  What is in them is in `arrays`."""

    arrays: Arrays

    def moves(self, ids: Ids, times: Ids, partitions: int) -> Moves:
        """Let new rows in, in arrival order."""
        ...

    def occupied(self, partitions: int) -> Ids | None:
        """When it is time to forget the partitions without rows: the others, which are numbered anew in this order."""
        ...


class RangeFrames:
    """RANGE: the rows of the last `preceding` milliseconds, both ends included; of equal ROWTIMEs those that came before.

    A ring of the rows of all partitions in arrival order, which is also the order in which they leave.
    """

    def __init__(self, preceding: Time) -> None:
        self._preceding = preceding
        ring = np.zeros(_LEAST_CAPACITY, np.int64)
        named = np.zeros(1, np.int64)  # partitions, when they were last forgotten
        self.arrays = Arrays({"times": ring, "ids": ring.copy(), "span": np.zeros(2, np.int64), "named": named})

    def moves(self, ids: Ids, times: Ids, partitions: int) -> Moves:
        from streamsql.kernels.frames import expire

        first, last = self.arrays["span"].tolist()
        self._fit(range(first, last), len(ids))
        kept_times, kept_ids = self.arrays["times"], self.arrays["ids"]
        left_before = np.empty(len(ids), np.int64)
        remaining = expire(times, ids, first, last, self._preceding, kept_times, kept_ids, left_before)
        self.arrays["span"] = np.array([remaining, last + len(ids)])
        left, numbers = np.arange(first, remaining), np.arange(last, last + len(ids))
        left_ids = kept_ids[left & (len(kept_ids) - 1)]
        return Moves(ids, times, numbers, left_before, left, left_ids, partitions, range(first, last), len(kept_ids))

    def occupied(self, partitions: int) -> Ids | None:
        if partitions < 2 * max(int(self.arrays["named"][0]), _LEAST_CAPACITY):
            return None
        places = np.arange(*self.arrays["span"].tolist()) & (len(self.arrays["ids"]) - 1)
        kept, renumbered = np.unique(self.arrays["ids"][places], return_inverse=True)
        self.arrays["ids"][places] = renumbered
        self.arrays["named"][0] = len(kept)
        return kept

    def _fit(self, kept: range, rows: int) -> None:
        """Grow, or shrink when most of the room is unused."""
        needed, capacity = max(len(kept) + rows, _LEAST_CAPACITY), len(self.arrays["ids"])
        if not needed <= capacity <= 4 * needed:
            for name in ("times", "ids"):
                self.arrays[name] = relaid(self.arrays[name], kept, power_of_two(needed))


class RowFrames:
    """ROWS: the new row and the `preceding` rows of its partition before it.

    The rows of each partition are a linked queue; numbers come from a stack of free ones.
    """

    def __init__(self, preceding: int, arrays: Arrays | None = None) -> None:
        self._preceding = preceding
        self.arrays = Arrays() if arrays is None else arrays
        self.arrays.setdefault("rows", np.zeros((0, 3), np.int64))
        self.arrays.setdefault("next row", np.zeros(0, np.int64))
        self.arrays.setdefault("free", np.zeros(0, np.int64))
        self.arrays.setdefault("free count", np.zeros(1, np.int64))

    def moves(self, ids: Ids, times: Ids, partitions: int) -> Moves:
        from streamsql.kernels.frames import displace

        rows, kept = len(ids), range(len(self.arrays["next row"]))
        self._fit(rows)
        self.arrays["rows"] = extended(self.arrays["rows"], partitions)
        following, free = self.arrays["next row"], self.arrays["free"]
        rest = int(self.arrays["free count"][0]) - rows
        numbers = free[rest : rest + rows].copy()
        left_before, left, left_ids = np.empty((3, rows), np.int64)
        gone = displace(ids, numbers, self._preceding, following, self.arrays["rows"], left_before, left, left_ids)
        free[rest : rest + gone] = left[:gone]
        self.arrays["free count"][0] = rest + gone
        return Moves(ids, times, numbers, left_before, left[:gone], left_ids[:gone], partitions, kept, len(following))

    def occupied(self, partitions: int) -> Ids | None:
        return None  # a partition that has had a row has one for ever

    def _fit(self, rows: int) -> None:
        """Have a free number for every new row, as if no row left."""
        capacity, free = len(self.arrays["next row"]), int(self.arrays["free count"][0])
        if free < rows or capacity == 0:
            larger = power_of_two(max(capacity - free + rows, _LEAST_CAPACITY))
            for name in ("next row", "free"):
                self.arrays[name] = extended(self.arrays[name], larger)
            self.arrays["free"][free : free + larger - capacity] = np.arange(capacity, larger)[::-1]
            self.arrays["free count"][0] = free + larger - capacity


class UnboundedFrames:
    """UNBOUNDED PRECEDING: all rows of the partition."""

    def __init__(self) -> None:
        self.arrays = Arrays({"capacity": np.zeros(1, np.int64)})

    def moves(self, ids: Ids, times: Ids, partitions: int) -> Moves:
        kept, capacity = range(int(self.arrays["capacity"][0])), power_of_two(partitions)
        self.arrays["capacity"][0] = capacity
        none, zeros = np.zeros(0, np.int64), np.zeros(len(ids), np.int64)
        return Moves(ids, times, ids, zeros, none, none, partitions, kept, capacity, bounded=False)

    def occupied(self, partitions: int) -> Ids | None:
        return None


def power_of_two(least: int) -> int:
    """The first power of two that is not less."""
    return 1 << max(least - 1, 0).bit_length()


def relaid(array: Vector, kept: range, capacity: int) -> Vector:
    """An array of what is kept of rows, laid out anew for another capacity."""
    new = _blank((capacity, *array.shape[1:]), array.dtype)
    number = kept.start
    while number < kept.stop:  # as far as neither array ends: three times at most where one is a multiple of the other
        place, new_place = number % len(array), number % capacity
        rows = min(kept.stop - number, len(array) - place, capacity - new_place)
        new[new_place : new_place + rows] = array[place : place + rows]
        number += rows
    return new


def extended(array: Vector, least: int) -> Vector:
    """An array of at least so many elements: itself, or a copy of at least twice the length with zeros (None) at the end."""
    if len(array) >= least:
        return array
    new = _blank((max(least, 2 * len(array)), *array.shape[1:]), array.dtype)
    new[: len(array)] = array
    return new


def _blank(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Vector:
    return np.full(shape, None) if dtype.kind == "O" else np.zeros(shape, dtype)
