"""Variance and exponentially weighted average over sliding frames; see `streamsql.kernels.sliding` for what kernels share."""

from __future__ import annotations

import math

from numba import types

from streamsql.kernels.jit import Float64s, Int64s, inlined, jit
from streamsql.kernels.sliding import (
    BOOLS,
    FLOAT_LINES,
    FLOATS,
    INTEGERS,
    KEPT_BOOLS,
    KEPT_FLOATS,
    KEPT_INTEGERS,
    MOVES,
    Bools,
    MoveArrays,
    two_sum,
)

LARGEST = 1e130
"""Greater numbers, infinities and NaN are not added but make the result NaN: squares of their sums would overflow."""

SUM, SUM_ERROR, SQUARES, SQUARES_ERROR, SQUARES_REST, ADDENDS, UNUSUAL = 0, 1, 2, 3, 4, 5, 6
"""The columns of the sums of a variance: the sum of the values, that of their squares (with twice the digits, so what rounding
takes from the second number is kept in a third), how many values there are and how many of them were not added."""


@inlined
def two_product(a: float, b: float) -> tuple[float, float]:
    """a * b, and what rounding took from it (Dekker)."""
    product = a * b
    split = 134217729.0 * a
    a_high = split - (split - a)
    a_low = a - a_high
    split = 134217729.0 * b
    b_high = split - (split - b)
    b_low = b - b_high
    return product, a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


@inlined
def add_squared(sums: Float64s, p: int, value: float, sign: int) -> None:
    """Add a value and its square to a partition's sums (sign 1), or take them away again (sign -1)."""
    sums[p, ADDENDS] += sign
    if abs(value) <= LARGEST:
        sums[p, SUM], error = two_sum(sums[p, SUM], sign * value)
        sums[p, SUM_ERROR] += error
        square, square_error = two_product(value, value)
        sums[p, SQUARES], error = two_sum(sums[p, SQUARES], sign * square)
        sums[p, SQUARES_ERROR], rest = two_sum(sums[p, SQUARES_ERROR], error)
        sums[p, SQUARES_ERROR], error = two_sum(sums[p, SQUARES_ERROR], sign * square_error)
        sums[p, SQUARES_REST] += rest + error
    else:
        sums[p, UNUSUAL] += sign
    if sums[p, ADDENDS] == 0.0:
        for column in range(ADDENDS):
            sums[p, column] = 0.0


@inlined
def squared_distances(sums: Float64s, p: int) -> float:
    """The sum of the squared distances from the mean: (n * squares - sum ** 2) / n, in twice the digits of a double.

    So much cancels in the difference that with one double nothing would be left of a small spread around a large mean.  What
    is left where the values are equal but for their last bits is zero.
    """
    if sums[p, UNUSUAL] > 0.0:
        return math.nan
    n = sums[p, ADDENDS]
    if n == 0.0:
        return 0.0
    total, total_error = two_sum(sums[p, SUM], sums[p, SUM_ERROR])
    square, square_error = two_product(total, total)
    high, low = two_sum(sums[p, SQUARES], sums[p, SQUARES_ERROR])
    low, rest = two_sum(low, sums[p, SQUARES_REST])
    high, low = two_sum(high, low)
    squares, squares_error = two_product(n, high)
    difference, error = two_sum(squares, -square)
    error += squares_error + n * (low + rest) - square_error - 2.0 * total * total_error
    difference += error
    return float(difference / n) if difference > 2.0**-100 * squares else 0.0


@jit((MOVES, types.int64, FLOATS, BOOLS, KEPT_FLOATS, KEPT_BOOLS, FLOAT_LINES, KEPT_FLOATS, KEPT_INTEGERS))
def variance(
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
    """VAR and STDDEV: `sums` is (partitions, 7); `result` and `counts` (rows,) become the sum of squared distances from the mean
    in each row's frame and the number of values in it."""
    ids, numbers, left_before, left, left_ids = moves
    gone = 0
    for i in range(len(ids)):
        while gone < left_before[i]:
            place = left[gone] & mask
            if kept_valid[place]:
                add_squared(sums, left_ids[gone], kept[place], -1)
            gone += 1
        place, p = numbers[i] & mask, ids[i]
        kept[place], kept_valid[place] = values[i], valid[i]
        if valid[i]:
            add_squared(sums, p, values[i], 1)
        result[i] = squared_distances(sums, p)
        counts[i] = int(sums[p, ADDENDS])


WEIGHTED, WEIGHTED_ERROR, WEIGHT, WEIGHT_ERROR, TERMS, ODD, ORIGIN = 0, 1, 2, 3, 4, 5, 6
"""The columns of a weighted average: the sums of weight * value and of weight, the number of values and how many were not
added, and the half-life, counted from 1970, at which a weight is 1."""

LARGEST_EXPONENT = 512
"""A weight of more than 2 to this power moves the origin."""

LEAST_EXPONENT = -3000
"""2 to this power is zero, whatever it is multiplied by."""


@inlined
def add_weighted(sums: Float64s, p: int, value: float, weight: float, sign: int) -> None:
    """Add a weighted value to a partition's sums (sign 1), or take it away again (sign -1)."""
    sums[p, TERMS] += sign
    if not abs(value) <= LARGEST:
        sums[p, ODD] += sign
        value = 0.0
    sums[p, WEIGHTED], error = two_sum(sums[p, WEIGHTED], sign * (weight * value))
    sums[p, WEIGHTED_ERROR] += error
    sums[p, WEIGHT], error = two_sum(sums[p, WEIGHT], sign * weight)
    sums[p, WEIGHT_ERROR] += error
    if sums[p, TERMS] == 0.0:
        sums[p, WEIGHTED], sums[p, WEIGHTED_ERROR], sums[p, WEIGHT], sums[p, WEIGHT_ERROR] = 0.0, 0.0, 0.0, 0.0


@inlined
def weighted_average(sums: Float64s, p: int) -> float:
    """The value of a weighted average; NaN of none."""
    if sums[p, TERMS] == 0.0 or sums[p, ODD] > 0.0:
        return math.nan
    return float((sums[p, WEIGHTED] + sums[p, WEIGHTED_ERROR]) / (sums[p, WEIGHT] + sums[p, WEIGHT_ERROR]))


@inlined
def move_origin(sums: Float64s, p: int, half_lives: int) -> None:
    """Give the moment so many half-lives after 1970 the weight 1: a shift of exponents, in which nothing is rounded."""
    shift = int(sums[p, ORIGIN] - half_lives)
    for column in range(TERMS):
        sums[p, column] = math.ldexp(sums[p, column], max(shift, LEAST_EXPONENT))
    sums[p, ORIGIN] = half_lives


@jit(
    (
        MOVES,
        types.int64,
        INTEGERS,
        types.int64,
        FLOATS,
        BOOLS,
        KEPT_FLOATS,
        KEPT_FLOATS,
        KEPT_INTEGERS,
        KEPT_BOOLS,
        FLOAT_LINES,
        KEPT_FLOATS,
        KEPT_INTEGERS,
    )
)
def exponential_average(
    moves: MoveArrays,
    mask: int,
    times: Int64s,
    half_life: int,
    values: Float64s,
    valid: Bools,
    kept: Float64s,
    kept_fraction: Float64s,
    kept_half_lives: Int64s,
    kept_valid: Bools,
    sums: Float64s,
    result: Float64s,
    counts: Int64s,
) -> None:
    """EXP_AVG: a value's weight doubles with every half-life (milliseconds) that its row is younger.

    A row's time is a whole number of half-lives and a rest; the rest gives the weight's fraction, 1 to 2, the whole number its
    exponent.  So a weight is the same when it is taken away as when it was added, wherever the origin has moved.  `sums` is
    (partitions, 7); `result` and `counts` (rows,) become the average of each row's frame and the number of values in it.
    """
    ids, numbers, left_before, left, left_ids = moves
    gone = 0
    for i in range(len(ids)):
        while gone < left_before[i]:
            place, p = left[gone] & mask, left_ids[gone]
            if kept_valid[place]:
                exponent = max(int(kept_half_lives[place] - sums[p, ORIGIN]), LEAST_EXPONENT)
                add_weighted(sums, p, kept[place], math.ldexp(kept_fraction[place], exponent), -1)
            gone += 1
        place, p = numbers[i] & mask, ids[i]
        half_lives = times[i] // half_life
        fraction = 2.0 ** ((times[i] - half_lives * half_life) / half_life)
        kept[place], kept_fraction[place], kept_half_lives[place] = values[i], fraction, half_lives
        kept_valid[place] = valid[i]
        if valid[i]:
            if sums[p, TERMS] == 0.0 or half_lives - sums[p, ORIGIN] > LARGEST_EXPONENT:
                move_origin(sums, p, half_lives)
            add_weighted(sums, p, values[i], math.ldexp(fraction, int(half_lives - sums[p, ORIGIN])), 1)
        counts[i] = int(sums[p, TERMS])
        result[i] = weighted_average(sums, p)
