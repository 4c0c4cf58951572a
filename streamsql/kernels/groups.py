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


@inlined
def word_at(text: UInt64s, begin: int, length: int) -> np.uint64:
    """Up to 8 bytes from `begin` on, zeros behind the first `length`; `text` goes on for a word behind them."""
    place, bits = begin >> 3, np.uint64((begin & 7) << 3)
    word: np.uint64 = text[place] >> bits
    if bits > np.uint64(0):
        word |= text[place + 1] << (np.uint64(64) - bits)
    if length < 8:
        word &= (np.uint64(1) << np.uint64(8 * length)) - np.uint64(1)
    return word


@jit(
    (
        read_only(types.uint64),
        _IDS,
        _IDS,
        types.int64,
        types.int64,
        types.uint64,
        _INTEGERS,
        writable(types.uint64),
        writable(types.uint64),
        _INTEGERS,
        _INTEGERS,
        _INTEGERS,
    )
)
def enter_texts(
    text: UInt64s,
    begins: Int64s,
    lengths: Int64s,
    start: int,
    count: int,
    shift: np.uint64,
    slots: Int64s,
    hashes: UInt64s,
    kept: UInt64s,
    kept_begins: Int64s,
    kept_lengths: Int64s,
    codes: Int64s,
) -> tuple[int, int]:
    """The same for strings: row i is `lengths[i]` bytes of `text` from byte `begins[i]` on; a length of -1 is NULL.

    Those that were entered are in `kept` as whole words, from word `kept_begins[code]` to word `kept_begins[code + 1]`.
    """
    mask = len(slots) - 1
    for row in range(start, len(begins)):
        begin, length = begins[row], lengths[row]
        state = np.uint64(length + 1) * FACTOR
        done = 0
        while done < length:
            state = mixed(state, word_at(text, begin + done, length - done))
            done += 8
        state = mixed(state, np.uint64(0))
        slot = np.int64(state >> shift)
        while True:
            code = slots[slot]
            if code < 0:
                place = kept_begins[count]
                if count == len(hashes) or 4 * count >= len(slots) or place + ((length + 7) >> 3) > len(kept):
                    return row, count
                code = count
                slots[slot], hashes[code], kept_lengths[code] = code, state, length
                done = 0
                while done < length:
                    kept[place] = word_at(text, begin + done, length - done)
                    place += 1
                    done += 8
                count += 1
                kept_begins[count] = place
                break
            same = hashes[code] == state and kept_lengths[code] == length
            place, done = kept_begins[code], 0
            while same and done < length:
                same = kept[place] == word_at(text, begin + done, length - done)
                place += 1
                done += 8
            if same:
                break
            slot = (slot + 1) & mask
        codes[row] = code
    return len(begins), count


@jit((read_only(types.uint64), types.uint64, _INTEGERS))
def enter_hashes(hashes: UInt64s, shift: np.uint64, slots: Int64s) -> None:
    """Fill an empty table with keys that are all different, by their hashes."""
    for code in range(len(hashes)):
        slot = np.int64(hashes[code] >> shift)
        while slots[slot] >= 0:
            slot = (slot + 1) & (len(slots) - 1)
        slots[slot] = code


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
