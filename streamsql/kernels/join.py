"""Which rows of a joined stream have a key, as chains: each row knows the next one with its key.

Rows have numbers, and what is kept of row `n` stands at `n - first` of an array.  Keys are dense ids; `NONE` (-1) stands for
no key and for no row.
"""

from __future__ import annotations

from numba import types

from streamsql.kernels.jit import Int64s, jit, read_only, writable

NONE = -1

_INPUT, _CHANGED = read_only(types.int64), writable(types.int64)


@jit((_INPUT, types.int64, _CHANGED, _CHANGED, _CHANGED))
def link(keys: Int64s, first: int, following: Int64s, oldest: Int64s, newest: Int64s) -> None:
    """Hang the newest rows at the ends of the chains of their keys.

    `keys` are those of the new rows, the last of those whose next rows `following` holds; row `first` is its first.  `oldest`
    and `newest` (keys,) are the ends of each chain.
    """
    place = len(following) - len(keys)
    for i in range(len(keys)):
        key = keys[i]
        following[place + i] = NONE
        if key == NONE:
            continue
        number = first + place + i
        if oldest[key] == NONE:
            oldest[key] = number
        else:
            following[newest[key] - first] = number
        newest[key] = number


@jit((_INPUT, _INPUT, _CHANGED))
def unlink(keys: Int64s, following: Int64s, oldest: Int64s) -> None:
    """Take the rows in front, whose keys these are, off their chains."""
    for i in range(len(keys)):
        if keys[i] != NONE:
            oldest[keys[i]] = following[i]


@jit((_INPUT, _INPUT, _INPUT, types.int64, _INPUT, _INPUT, types.int64, _CHANGED, _CHANGED, _CHANGED, _CHANGED))
def count(
    keys: Int64s,
    least: Int64s,
    end: Int64s,
    first: int,
    following: Int64s,
    oldest: Int64s,
    search: int,
    searched: Int64s,
    reached: Int64s,
    begins: Int64s,
    counts: Int64s,
) -> int:
    """How many rows of a key have numbers from `least` up to `end`: for each search `keys[i]`, of which neither limit falls.

    `begins` and `counts` (searches,) become the first such row of each and how many there are; gives how many in all.  What
    lies before `least` is passed over once for all searches of a call: `reached` (keys,) says how far, where `searched` (keys,)
    is the number of this call, `search`.
    """
    total = 0
    for i in range(len(keys)):
        key = keys[i]
        found = 0
        number = NONE
        if key != NONE:
            number = reached[key] if searched[key] == search else oldest[key]
            while number != NONE and number < least[i]:
                number = following[number - first]
            searched[key] = search
            reached[key] = number
            other = number
            while other != NONE and other < end[i]:
                found += 1
                other = following[other - first]
        begins[i] = number
        counts[i] = found
        total += found
    return total


@jit((_INPUT, _INPUT, types.int64, _INPUT, _CHANGED))
def collect(begins: Int64s, counts: Int64s, first: int, following: Int64s, numbers: Int64s) -> None:
    """The rows that `count` has counted, one search behind the other."""
    place = 0
    for i in range(len(begins)):
        number = begins[i]
        for _ in range(counts[i]):
            numbers[place] = number
            place += 1
            number = following[number - first]
