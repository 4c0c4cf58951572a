"""What a GROUP BY does for every row: look its key up, and add to its group.

Each kernel gives to the last bit what the numpy form beside its caller gives.
"""

from __future__ import annotations

import numpy as np
from numba import types

from streamsql.kernels.jit import Float64s, Int64s, UInt64s, inlined, jit, read_only, writable

FACTOR = np.uint64(0x9E3779B97F4A7C15)
HALF = np.uint64(32)

_IDS, _INTEGERS, _FLOATS = read_only(types.int64), writable(types.int64), writable(types.float64)


@inlined
def mixed(state: np.uint64, word: np.uint64) -> np.uint64:
    """A hash, so far, and the next word of the key: as `streamsql.keys.table` computes it for all rows at once."""
    state ^= state >> HALF
    state ^= word
    return state * FACTOR


@jit(
    (
        read_only(types.uint64, 2),
        types.int64,
        types.int64,
        types.uint64,
        _INTEGERS,
        writable(types.uint64, 2),
        _INTEGERS,
    )
)
def enter(words: UInt64s, start: int, count: int, shift: np.uint64, slots: Int64s, keys: UInt64s, ids: Int64s) -> tuple[int, int]:
    """`KeyTable.ids`: `words` (width, rows) are the keys of the rows, `keys` (width, room) those in the table, `count` of them.

    Rows are taken from `start` on.  Where a new key has no room it stops, so that the caller can make some: it gives the row it
    came to and the number of keys.
    """
    width, rows = words.shape
    mask = len(slots) - 1
    for row in range(start, rows):
        state = words[0, row] * FACTOR
        for i in range(1, width):
            state = mixed(state, words[i, row])
        slot = np.int64(mixed(state, np.uint64(0)) >> shift)
        while True:
            id = slots[slot]
            if id < 0:
                if count == keys.shape[1] or 4 * count >= len(slots):
                    return row, count
                id = count
                slots[slot] = id
                for i in range(width):
                    keys[i, id] = words[i, row]
                count += 1
                break
            same = True
            for i in range(width):
                same &= keys[i, id] == words[i, row]
            if same:
                break
            slot = (slot + 1) & mask
        ids[row] = id
    return rows, count


@jit((_INTEGERS, _IDS))
def count(counts: Int64s, ids: Int64s) -> None:
    """Add 1 for each row to the count of its group."""
    for i in range(len(ids)):
        counts[ids[i]] += 1


@jit((_FLOATS, read_only(types.float64)))
def add_in_order(sums: Float64s, values: Float64s) -> None:
    """Add all values to the one sum, one after the other."""
    total = sums[0]
    for value in values:
        total += value
    sums[0] = total


@jit((_FLOATS, _INTEGERS, _IDS, read_only(types.float64)))
def add_counted(sums: Float64s, counts: Int64s, ids: Int64s, values: Float64s) -> None:
    """`add_floats` and `count` at once."""
    for i in range(len(ids)):
        sums[ids[i]] += values[i]
        counts[ids[i]] += 1


@jit((_INTEGERS, _INTEGERS, _INTEGERS, _IDS, read_only(types.int64)))
def add_exact(high: Int64s, low: Int64s, counts: Int64s, ids: Int64s, values: Int64s) -> None:
    """Add each row's value to its group's sum, high * 2**32 + low, and 1 to its count.  `low` may leave its 32 bits."""
    for i in range(len(ids)):
        group, value = ids[i], values[i]
        if -(2**31) <= value < 2**31:
            low[group] += value
        else:
            high[group] += value >> 32
            low[group] += value & 0xFFFFFFFF
        counts[group] += 1


@jit((_FLOATS, _IDS, read_only(types.float64)))
def add_floats(sums: Float64s, ids: Int64s, values: Float64s) -> None:
    """Add each row's value to its group's sum."""
    for i in range(len(ids)):
        sums[ids[i]] += values[i]


@jit((_INTEGERS, _IDS, read_only(types.int64)))
def add_integers(sums: Int64s, ids: Int64s, values: Int64s) -> None:
    """Add each row's value to its group's sum."""
    for i in range(len(ids)):
        sums[ids[i]] += values[i]


@jit((_INTEGERS, _IDS, read_only(types.int64)))
def least(best: Int64s, ids: Int64s, values: Int64s) -> None:
    """Keep the least value of each group."""
    for i in range(len(ids)):
        best[ids[i]] = min(best[ids[i]], values[i])


@jit((_INTEGERS, _IDS, read_only(types.int64)))
def greatest(best: Int64s, ids: Int64s, values: Int64s) -> None:
    """Keep the greatest value of each group."""
    for i in range(len(ids)):
        best[ids[i]] = max(best[ids[i]], values[i])
