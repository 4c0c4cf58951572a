"""Which rows leave the frames of a sliding window as new rows come in.

Kept rows have numbers; what is kept of row `n` stands at `n % capacity` of an array, with a capacity that is a power of two.
"""

from __future__ import annotations

from numba import types

from streamsql.kernels.jit import Int64s, jit, read_only, writable

_INPUT, _CHANGED = read_only(types.int64), writable(types.int64)
_MOVES = types.UniTuple(_INPUT, 5)  # type: ignore[no-untyped-call]


@jit((_INPUT, _INPUT, types.int64, types.int64, types.int64, _CHANGED, _CHANGED, _CHANGED))
def expire(
    times: Int64s,
    ids: Int64s,
    first: int,
    last: int,
    preceding: int,
    kept_times: Int64s,
    kept_ids: Int64s,
    left_before: Int64s,
) -> int:
    """RANGE: the rows before `time - preceding` leave, in the order in which they came, whatever their partition.

    `times` (milliseconds) and `ids` are those of the new rows, which get the numbers from `last` on; rows `first` to `last`
    are kept in `kept_times` and `kept_ids` (capacity,), and the new ones are added there.  Gives the number of the first row
    still kept; `left_before` (rows,) becomes how many rows in all left before each new row came in.
    """
    mask = len(kept_times) - 1
    begin = first
    for i in range(len(times)):
        place = (last + i) & mask
        kept_times[place] = times[i]
        kept_ids[place] = ids[i]
        bound = times[i] - preceding
        while kept_times[first & mask] < bound:  # ends at the row itself at the latest
            first += 1
        left_before[i] = first - begin
    return first


OLDEST, NEWEST, ROWS = 0, 1, 2
"""The columns of a partition's queue: the numbers of its first and last row, and how many rows there are."""


@jit((_INPUT, _INPUT, types.int64, _CHANGED, writable(types.int64, 2), _CHANGED, _CHANGED, _CHANGED))
def displace(
    ids: Int64s,
    numbers: Int64s,
    preceding: int,
    following: Int64s,
    queues: Int64s,
    left_before: Int64s,
    left: Int64s,
    left_ids: Int64s,
) -> int:
    """ROWS: a row leaves its partition's frame when `preceding` rows and a new one are in it.

    `ids` and `numbers` (rows,) are those of the new rows.  `queues` (partitions, 3) and `following` (capacity,), the number of
    the partition's next row, are a queue of each partition's rows.  `left` and `left_ids` (rows,) become the rows that left and
    their partitions, `left_before` (rows,) how many of them left before each new row came in.  Gives how many left in all.
    """
    gone = 0
    for i in range(len(ids)):
        p, number = ids[i], numbers[i]
        if queues[p, ROWS] > preceding:
            oldest = queues[p, OLDEST]
            left[gone], left_ids[gone] = oldest, p
            gone += 1
            queues[p, OLDEST] = following[oldest]
            queues[p, ROWS] -= 1
        if queues[p, ROWS] == 0:
            queues[p, OLDEST] = number
        else:
            following[queues[p, NEWEST]] = number
        queues[p, NEWEST] = number
        queues[p, ROWS] += 1
        left_before[i] = gone
    return gone


@jit((_MOVES, types.int64, _INPUT, _CHANGED, _CHANGED, _CHANGED, _CHANGED, _CHANGED))
def supersede(
    moves: tuple[Int64s, Int64s, Int64s, Int64s, Int64s],
    mask: int,
    values: Int64s,
    kept_values: Int64s,
    latest: Int64s,
    left_before: Int64s,
    left: Int64s,
    left_ids: Int64s,
) -> int:
    """Of equal values in a frame only the latest stays: a row leaves when another brings its value, or else when it leaves.

    `moves` says how the frames move, `values` (rows,) the value of each new row as a dense id of value and partition.
    `kept_values` (capacity,) are those of the rows in the frames, `latest` (ids,) is the number of the row that stands for each
    (-1: none).  `left`, `left_ids` (leaving + rows,) and `left_before` (rows,) become the moves of the rows that stand for
    their values.  Gives how many left in all.
    """
    ids, numbers, old_left_before, old_left, old_left_ids = moves
    gone = old_gone = 0
    for i in range(len(ids)):
        while old_gone < old_left_before[i]:
            number = old_left[old_gone]
            value = kept_values[number & mask]
            if value >= 0 and latest[value] == number:
                latest[value] = -1
                left[gone], left_ids[gone] = number, old_left_ids[old_gone]
                gone += 1
            old_gone += 1
        value = values[i]
        if latest[value] >= 0:
            left[gone], left_ids[gone] = latest[value], ids[i]
            gone += 1
        latest[value] = numbers[i]
        kept_values[numbers[i] & mask] = value
        left_before[i] = gone
    return gone
