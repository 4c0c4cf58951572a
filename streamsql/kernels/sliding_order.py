"""The least and greatest value, and the n-th row, of sliding frames; see `streamsql.kernels.sliding` for what kernels share."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
from numba import types

from streamsql.kernels.jit import Int64s, jit
from streamsql.kernels.sliding import (
    BOOLS,
    INTEGER_LINES,
    INTEGERS,
    KEPT_BOOLS,
    KEPT_INTEGERS,
    MOVES,
    Bools,
    MoveArrays,
)

Vector = npt.NDArray[Any]

FIRST, LAST, ROWS, NTH = 0, 1, 2, 3
"""The columns of a partition's queue: the numbers of its first and last row, how many rows there are, the n-th row."""


@jit(
    (
        MOVES,
        types.int64,
        types.boolean,
        types.boolean,
        INTEGERS,
        BOOLS,
        KEPT_INTEGERS,
        KEPT_INTEGERS,
        KEPT_INTEGERS,
        INTEGER_LINES,
        KEPT_INTEGERS,
        KEPT_INTEGERS,
        KEPT_BOOLS,
    )
)
def extreme(
    moves: MoveArrays,
    mask: int,
    bounded: bool,
    greatest: bool,
    values: Vector,
    valid: Bools,
    kept: Vector,
    following: Int64s,
    preceding: Int64s,
    queues: Int64s,
    best: Vector,
    result: Vector,
    null: Bools,
) -> None:
    """MIN, or MAX where `greatest`: `result` and `null` (rows,) become that of each row's frame.

    A partition's queue (`queues`, (partitions, 3), linked by `following` and `preceding`) holds the rows that may yet be the
    answer: each is better than all that came after it, so the first is the answer; `best` (partitions,) is its value.  A new
    row drives out from the end what is not better than itself, as that leaves before it does.  Where frames are not `bounded`
    nothing leaves, and the answer is enough.  The values may be of any type that can be compared; compiled, they are whole
    numbers.
    """
    ids, numbers, left_before, left, left_ids = moves
    gone = 0
    for i in range(len(ids)):
        while gone < left_before[i]:
            p = left_ids[gone]
            if queues[p, ROWS] > 0 and queues[p, FIRST] == left[gone]:
                queues[p, FIRST] = following[left[gone] & mask]
                queues[p, ROWS] -= 1
                best[p] = kept[queues[p, FIRST] & mask]
            gone += 1
        p = ids[i]
        if valid[i]:
            value, number = values[i], numbers[i]
            last, rows = queues[p, LAST], queues[p, ROWS]
            while rows > 0 and ((kept[last & mask] <= value) if greatest else (kept[last & mask] >= value)):
                last = preceding[last & mask]
                rows -= 1
            if bounded or rows == 0:
                place = number & mask
                kept[place] = value
                preceding[place] = last
                if rows == 0:
                    queues[p, FIRST] = number
                    best[p] = value
                else:
                    following[last & mask] = number
                last = number
                rows += 1
            queues[p, LAST], queues[p, ROWS] = last, rows
        null[i] = queues[p, ROWS] == 0
        result[i] = best[p]


@jit(
    (
        MOVES,
        types.int64,
        types.int64,
        types.boolean,
        types.boolean,
        BOOLS,
        KEPT_BOOLS,
        KEPT_INTEGERS,
        INTEGER_LINES,
        KEPT_INTEGERS,
    )
)
def nth(
    moves: MoveArrays,
    mask: int,
    n: int,
    from_last: bool,
    before: bool,
    enters: Bools,
    kept_entered: Bools,
    following: Int64s,
    queues: Int64s,
    result: Int64s,
) -> None:
    """FIRST_VALUE, LAST_VALUE, NTH_VALUE and, where `before`, LAG: `result` (rows,) becomes the number of the n-th row from the
    first or `from_last` of each row's frame, or of the frame as it was before the row came in; -1 where there is none.

    Only rows that are true in `enters` count.  `queues` is (partitions, 4), linked by `following`.
    """
    ids, numbers, left_before, left, left_ids = moves
    gone = 0
    for i in range(len(ids)):
        while gone < left_before[i]:
            place, p = left[gone] & mask, left_ids[gone]
            if kept_entered[place]:
                kept_entered[place] = False
                if not from_last and queues[p, ROWS] > n:
                    queues[p, NTH] = following[queues[p, NTH] & mask]
                queues[p, FIRST] = following[place]
                queues[p, ROWS] -= 1
            gone += 1
        number, p = numbers[i], ids[i]
        if before:
            result[i] = queues[p, NTH] if queues[p, ROWS] >= n else -1
        if enters[i]:
            kept_entered[number & mask] = True
            if queues[p, ROWS] == 0:
                queues[p, FIRST] = number
            else:
                following[queues[p, LAST] & mask] = number
            queues[p, LAST] = number
            queues[p, ROWS] += 1
            if queues[p, ROWS] == n:
                queues[p, NTH] = queues[p, FIRST] if from_last else number
            elif queues[p, ROWS] > n and from_last:
                queues[p, NTH] = following[queues[p, NTH] & mask]
        if not before:
            result[i] = queues[p, NTH] if queues[p, ROWS] >= n else -1


@jit((INTEGERS, types.int64, BOOLS, KEPT_INTEGERS, KEPT_BOOLS, KEPT_BOOLS))
def nth_arrival(ids: Int64s, n: int, enters: Bools, counts: Int64s, is_nth: Bools, exists: Bools) -> None:
    """NTH_VALUE from the first row of frames in which every row stays: `is_nth` (rows,) becomes whether a row is the n-th of its
    partition, `exists` whether the partition has had it.  `counts` (partitions,) is how many rows it has had, up to n."""
    for i in range(len(ids)):
        p = ids[i]
        is_nth[i] = enters[i] and counts[p] == n - 1
        counts[p] += enters[i] and counts[p] < n
        exists[i] = counts[p] == n
