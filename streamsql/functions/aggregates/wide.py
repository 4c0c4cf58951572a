"""Sums of DECIMALs of more than 18 digits, which 64 bits do not hold: SUM and AVG of groups and of sliding windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from streamsql.arrays import from_unscaled, numbers
from streamsql.functions.aggregates.grouped import Mergeable
from streamsql.functions.aggregates.sliding import Windowed
from streamsql.functions.aggregates.totals import average_of
from streamsql.functions.aggregates.vectors import Integers, Vector
from streamsql.functions.aggregation import Fail, raise_failure
from streamsql.functions.moves import Moves
from streamsql.keys.interner import Ids
from streamsql.rows import Datum, ErrorName
from streamsql.types import SqlType

LIMB = 0xFFFFFFFF
LIMBS = ("limb 0", "limb 1", "limb 2", "limb 3")

WideTotal = Callable[[Vector, Integers, SqlType, Fail], pa.Array]
"""From sums of DECIMAL digits as Python's whole numbers and how many values they have."""


def wide_sum(sums: Vector, count: Integers, type: SqlType, fail: Fail) -> pa.Array:
    """SUM.  It fails where it has more digits than its type."""
    outside = np.array([abs(value) >= 10**type.precision for value in sums], bool)
    if outside.any():
        fail(outside, f"SUM is out of range for {type}", ErrorName.OVERFLOW)
    return from_unscaled(np.where(outside, 0, sums).astype(object), type.arrow(), (count == 0) | outside)


def wide_average(sums: Vector, count: Integers, type: SqlType, _fail: Fail) -> pa.Array:
    """AVG, rounded half up to the scale."""
    averages = np.empty(len(sums), object)
    averages[:] = [average_of(value, max(int(n), 1), rounded=True) for value, n in zip(sums, count, strict=True)]
    return from_unscaled(averages, type.arrow(), count == 0)


class WideSum(Mergeable):
    """The sums of groups, each in four limbs of 32 bits, of which the highest has the sign."""

    def __init__(self, type: SqlType, total: WideTotal) -> None:
        super().__init__(**dict.fromkeys((*LIMBS, "count"), 0))
        self._type = type
        self._total = total

    def add(self, ids: Ids, groups: int, arguments: Sequence[pa.Array]) -> None:
        self.reach(groups)
        high, low, valid = _halves(arguments[0])
        ids, high, low = ids[valid], high[valid], low[valid]
        for name, limb in zip(LIMBS, (low & LIMB, low >> 32 & LIMB, high & LIMB, high >> 32), strict=True):
            np.add.at(self.values(name), ids, limb)
        np.add.at(self.values("count"), ids, 1)
        self._carry()

    def merge(self, ids: Ids, groups: int, parts: Sequence[pa.Array]) -> None:
        self.reach(groups)
        for name, part in zip((*LIMBS, "count"), parts, strict=True):
            np.add.at(self.values(name), ids, numbers(part))
        self._carry()

    def result(self, fail: Fail = raise_failure) -> pa.Array:
        sums = np.zeros(self.groups, object)
        for name in reversed(LIMBS):
            sums = sums * 2**32 + self.values(name).astype(object)
        return self._total(sums, self.values("count"), self._type, fail)

    def _carry(self) -> None:
        for name, above in pairwise(LIMBS):
            limb = self.values(name)
            self.values(above)[:] += limb >> 32
            limb &= LIMB


class SlidingWideSum(Windowed):
    """The sums of sliding windows: two sums of 64 bits, of the higher and of the lower half of the digits."""

    def __init__(self, type: SqlType, total: WideTotal) -> None:
        from streamsql.kernels.sliding import exact_sum

        lines = {f"{half} sums": np.zeros((0, 3), np.int64) for half in _HALVES}
        kept: dict[str, Any] = {}
        for half in _HALVES:
            kept |= {f"{half} values": np.int64, f"{half} valid": bool}
        super().__init__(lines, kept)
        self._kernel: Any = exact_sum
        self._type = type
        self._total = total

    def slide(self, moves: Moves, arguments: Sequence[Datum], fail: Fail) -> pa.Array:
        high, low, valid = _halves(arguments[0])
        high = high + (low < 0)  # the lower half is taken with its sign
        sums, count = np.zeros(len(valid), object), np.zeros(len(valid), np.int64)
        self.follow(moves)
        for half, values in zip(_HALVES, (high, low), strict=True):
            result = np.empty((3, len(valid)), np.int64)
            state = (self.arrays[f"{half} {part}"] for part in ("values", "valid", "sums"))
            self._kernel(moves.arrays, moves.mask, np.ascontiguousarray(values), valid, *state, result)
            sums = sums * 2**64 + result[0].astype(object) * 2**32 + result[1].astype(object)
            count = result[2]
        return self._total(sums, count, self._type, fail)


_HALVES = ("high", "low")


def _halves(column: pa.Array) -> tuple[Integers, Integers, Any]:
    """The higher and the lower 64 bits of the digits, each as int64, and where there are some."""
    if not len(column):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, bool)
    words = np.frombuffer(column.buffers()[1], np.int64, 2 * len(column), column.offset * 16).reshape(-1, 2)
    valid = column.is_valid().to_numpy(zero_copy_only=False)
    return words[:, 1], words[:, 0], valid
