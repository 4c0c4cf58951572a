"""Sums over sliding frames: rows are added as they come in and taken away again as they leave.

Every kernel follows `moves`, five arrays of int64 (`streamsql.functions.moves.Moves`): the partition and the number of each new
row, how many rows left before it came in, and the numbers and partitions of those that left.  For each new row it first takes
away the rows that left, then adds the row, then gives the partition's value.

What is kept of row `n` stands at `n & mask` of the arrays `kept...` (capacity,).  `sums` has a line a partition.  `valid` says
which new rows have a value (are not NULL).  Lines are indexed, not taken as views: numba counts references to each view.

Sums of floating-point numbers keep what rounding took from every addition (Knuth's TwoSum) in a second number, so that they do
not drift however long the stream is; a sum of no values is exactly zero again.  Infinities, NaN and numbers so large that
adding them might overflow are counted instead.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import types

from streamsql.kernels.jit import Float64s, Int64s, inlined, jit, read_only, writable

Bools = npt.NDArray[np.bool_]
MoveArrays = tuple[Int64s, Int64s, Int64s, Int64s, Int64s]

MOVES = types.UniTuple(read_only(types.int64), 5)  # type: ignore[no-untyped-call]
BOOLS, KEPT_BOOLS = read_only(types.boolean), writable(types.boolean)
INTEGERS, KEPT_INTEGERS = read_only(types.int64), writable(types.int64)
FLOATS, KEPT_FLOATS = read_only(types.float64), writable(types.float64)
INTEGER_LINES, FLOAT_LINES = writable(types.int64, 2), writable(types.float64, 2)


@jit((MOVES, types.int64, BOOLS, KEPT_BOOLS, KEPT_INTEGERS, KEPT_INTEGERS))
def count(moves: MoveArrays, mask: int, valid: Bools, kept_valid: Bools, counts: Int64s, result: Int64s) -> None:
    """COUNT: `counts` (partitions,) is the number of values; `result` (rows,) becomes that in each row's frame."""
    ids, numbers, left_before, left, left_ids = moves
    gone = 0
    for i in range(len(ids)):
        while gone < left_before[i]:
            counts[left_ids[gone]] -= kept_valid[left[gone] & mask]
            gone += 1
        kept_valid[numbers[i] & mask] = valid[i]
        counts[ids[i]] += valid[i]
        result[i] = counts[ids[i]]


HIGH, LOW, VALUES = 0, 1, 2
"""The columns of an exact sum: it is HIGH * 2**32 + LOW, with LOW in 0 .. 2**32 - 1, of so many values."""


@jit((MOVES, types.int64, INTEGERS, BOOLS, KEPT_INTEGERS, KEPT_BOOLS, INTEGER_LINES, INTEGER_LINES))
def exact_sum(
    moves: MoveArrays,
    mask: int,
    values: Int64s,
    valid: Bools,
    kept: Int64s,
    kept_valid: Bools,
    sums: Int64s,
    result: Int64s,
) -> None:
    """Sums of whole numbers, too wide to overflow: `result` (3, rows) becomes the line of `sums` (partitions, 3) of each row."""
    ids, numbers, left_before, left, left_ids = moves
    gone = 0
    for i in range(len(ids)):
        while gone < left_before[i]:
            place, p = left[gone] & mask, left_ids[gone]
            if kept_valid[place]:
                sums[p, HIGH] -= kept[place] >> 32
                sums[p, LOW] -= kept[place] & 0xFFFFFFFF
                sums[p, VALUES] -= 1
            gone += 1
        place, p = numbers[i] & mask, ids[i]
        kept[place], kept_valid[place] = values[i], valid[i]
        if valid[i]:
            sums[p, HIGH] += values[i] >> 32
            sums[p, LOW] += values[i] & 0xFFFFFFFF
            sums[p, VALUES] += 1
        sums[p, HIGH] += sums[p, LOW] >> 32
        sums[p, LOW] &= 0xFFFFFFFF
        result[HIGH, i], result[LOW, i], result[VALUES, i] = sums[p, HIGH], sums[p, LOW], sums[p, VALUES]


SUM, ERROR, ADDENDS, UNUSUAL, NANS, PLUS, MINUS = 0, 1, 2, 3, 4, 5, 6
"""The columns of a sum of floating-point numbers: the sum, what rounding took from it, the number of values, how many of them
were not added, and of these how many were NaN, too large, and too far below zero."""

LARGEST = 1e298
"""Greater numbers are not added up: 2**32 of them would overflow."""


@inlined
def two_sum(a: float, b: float) -> tuple[float, float]:
    """a + b, and what rounding took from it."""
    total = a + b
    rest = total - a
    return total, (a - (total - rest)) + (b - rest)


@inlined
def add(sums: Float64s, p: int, value: float, sign: int) -> None:
    """Add a value to a partition's sum (sign 1), or take it away again (sign -1)."""
    sums[p, ADDENDS] += sign
    if abs(value) <= LARGEST:
        sums[p, SUM], error = two_sum(sums[p, SUM], sign * value)
        sums[p, ERROR] += error
    else:
        sums[p, UNUSUAL] += sign
        sums[p, NANS if value != value else PLUS if value > 0.0 else MINUS] += sign
    if sums[p, ADDENDS] == 0.0:
        sums[p, SUM], sums[p, ERROR] = 0.0, 0.0


@inlined
def sum_of(sums: Float64s, p: int) -> float:
    """The value of a partition's sum."""
    if sums[p, UNUSUAL] == 0.0:
        return float(sums[p, SUM] + sums[p, ERROR])
    if sums[p, NANS] > 0.0 or (sums[p, PLUS] > 0.0 and sums[p, MINUS] > 0.0):
        return math.nan
    return math.inf if sums[p, PLUS] > 0.0 else -math.inf


@jit((MOVES, types.int64, FLOATS, BOOLS, KEPT_FLOATS, KEPT_BOOLS, FLOAT_LINES, KEPT_FLOATS, KEPT_INTEGERS))
def float_sum(
    moves: MoveArrays,
    mask: int,
    values: Float64s,
    valid: Bools,
    kept: Float64s,
    kept_valid: Bools,
    sums: Float64s,
    result: Float64s,
    counts: Int64s,
) -> None:
    """Sums of floating-point numbers: `sums` is (partitions, 7); `result` and `counts` (rows,) become the sum of each row's
    frame and the number of values in it."""
    ids, numbers, left_before, left, left_ids = moves
    gone = 0
    for i in range(len(ids)):
        while gone < left_before[i]:
            place = left[gone] & mask
            if kept_valid[place]:
                add(sums, left_ids[gone], kept[place], -1)
            gone += 1
        place, p = numbers[i] & mask, ids[i]
        kept[place], kept_valid[place] = values[i], valid[i]
        if valid[i]:
            add(sums, p, values[i], 1)
        result[i] = sum_of(sums, p)
        counts[i] = int(sums[p, ADDENDS])
