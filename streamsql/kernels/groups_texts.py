"""Texts that are keys: each distinct one gets a number, from 0 in the order in which they appear.

They are kept one behind the other in words of 64 bits: a head, which has the text's number in its upper half and its length in
bytes in the lower (NULL: all ones), then the text, zeros behind it.  A slot of the hash table is 0 where it is free; otherwise it
has some bits of the text's hash above, and one more than the place of its head below, so that a text is compared with another one
only where these bits are the same.
"""

from __future__ import annotations

import numpy as np
from numba import types

from streamsql.kernels.groups import FACTOR, mixed
from streamsql.kernels.jit import Bools, Bytes, Int32s, Int64s, UInt64s, inlined, jit, read_only, writable

NULL = np.uint64(0xFFFFFFFF)
"""The length of NULL."""

NEAR = 256
"""Rows whose slots and heads are looked at before they are needed: memory answers many questions as fast as one."""

HALF = np.uint64(32)
PLACE_BITS = np.uint64(40)
PLACE = np.uint64((1 << 40) - 1)
ZERO, ONE = np.uint64(0), np.uint64(1)

_TEXT, _OFFSETS, _NULLS = read_only(types.uint64), read_only(types.int32), read_only(types.boolean)
_WORDS, _INTEGERS = writable(types.uint64), writable(types.int64)


@inlined
def word_at(text: UInt64s, begin: int, length: int) -> np.uint64:
    """Up to 8 bytes from `begin` on, zeros behind the first `length`; `text` goes on for a word behind them."""
    place, bits = begin >> 3, np.uint64((begin & 7) << 3)
    word: np.uint64 = text[place] >> bits
    if bits > ZERO:
        word |= text[place + 1] << (np.uint64(64) - bits)
    if length < 8:
        word &= (ONE << np.uint64(8 * length)) - ONE
    return word


@inlined
def span(offsets: Int32s, null: Bools, row: int) -> tuple[int, int, np.uint64]:
    """Where the text of a row begins, its length, and that as heads have it."""
    begin, length = int(offsets[row]), int(offsets[row + 1]) - int(offsets[row])
    if null[row]:
        return begin, 0, NULL
    return begin, length, np.uint64(length)


@inlined
def hash_of(text: UInt64s, begin: int, length: int, head: np.uint64) -> np.uint64:
    """The hash of a text."""
    state = (head + ONE) * FACTOR
    done = 0
    while done < length:
        state = mixed(state, word_at(text, begin + done, length - done))
        done += 8
    return mixed(state, ZERO)


@inlined
def is_kept(kept: UInt64s, place: int, text: UInt64s, begin: int, length: int, head: np.uint64) -> bool:
    """Whether the text whose head is at a place is this one."""
    same = bool(kept[place] & NULL == head)
    done = 0
    while same and done < length:
        place += 1
        same = bool(kept[place] == word_at(text, begin + done, length - done))
        done += 8
    return same


@jit((_TEXT, _OFFSETS, _NULLS, types.int64, types.int64, types.uint64, _WORDS, _WORDS, _INTEGERS, _INTEGERS))
def enter_texts(
    text: UInt64s,
    offsets: Int32s,
    null: Bools,
    start: int,
    count: int,
    shift: np.uint64,
    slots: UInt64s,
    kept: UInt64s,
    places: Int64s,
    codes: Int64s,
) -> tuple[int, int]:
    """`Texts.words`: row i is the bytes of `text` from `offsets[i]` to `offsets[i + 1]`, or NULL.

    The head of text `code` is at `places[code]`; the next one's will be at `places[count]`.  Rows are taken from `start` on.
    Where a new text has no room it stops: it gives the row it came to and the number of texts.
    """
    mask, rows = len(slots) - 1, len(offsets) - 1
    hashes, near = np.empty(NEAR, np.uint64), np.empty(NEAR, np.uint64)
    for first in range(start, rows, NEAR):
        some = min(NEAR, rows - first)
        for i in range(some):
            begin, length, head = span(offsets, null, first + i)
            hashes[i] = hash_of(text, begin, length, head)
        for i in range(some):
            near[i] = slots[np.int64(hashes[i] >> shift)]
        for i in range(some):
            near[i] = kept[np.int64(near[i] & PLACE)]
        for i in range(some):
            begin, length, head = span(offsets, null, first + i)
            slot, tag = np.int64(hashes[i] >> shift), hashes[i] << PLACE_BITS
            while True:
                entry = slots[slot]
                if entry == ZERO:
                    place = places[count]
                    after = place + 1 + ((length + 7) >> 3)
                    if count + 1 == len(places) or 2 * count >= len(slots) or after > len(kept):
                        return first + i, count
                    slots[slot], codes[first + i] = tag | np.uint64(place + 1), count
                    kept[place] = np.uint64(count) << HALF | head
                    for k in range(after - place - 1):
                        kept[place + 1 + k] = word_at(text, begin + 8 * k, length - 8 * k)
                    count += 1
                    places[count] = after
                    break
                place = int(np.int64(entry & PLACE)) - 1
                if entry & ~PLACE == tag and is_kept(kept, place, text, begin, length, head):
                    codes[first + i] = np.int64(kept[place] >> HALF)
                    break
                slot = (slot + 1) & mask
    return rows, count


@jit((_TEXT, read_only(types.int64), types.int64, types.uint64, _WORDS))
def enter_again(kept: UInt64s, places: Int64s, count: int, shift: np.uint64, slots: UInt64s) -> None:
    """Fill an empty table with the first `count` texts that are kept."""
    mask = len(slots) - 1
    hashes, near = np.empty(NEAR, np.uint64), np.empty(NEAR, np.uint64)
    for first in range(0, count, NEAR):
        some = min(NEAR, count - first)
        for i in range(some):
            place = places[first + i]
            state = ((kept[place] & NULL) + ONE) * FACTOR
            for k in range(place + 1, places[first + i + 1]):
                state = mixed(state, kept[k])
            hashes[i] = mixed(state, ZERO)
        for i in range(some):
            near[i] = slots[np.int64(hashes[i] >> shift)]
        for i in range(some):
            slot = np.int64(hashes[i] >> shift)
            while slots[slot] != ZERO:
                slot = (slot + 1) & mask
            slots[slot] = hashes[i] << PLACE_BITS | np.uint64(places[first + i] + 1)


@jit((read_only(types.uint8), read_only(types.int64), _OFFSETS, writable(types.uint8)))
def copy_texts(kept: Bytes, places: Int64s, offsets: Int32s, data: Bytes) -> None:
    """Texts one behind the other: text i, whose head is at word `places[i]` of `kept`, from `offsets[i]` to `offsets[i + 1]`."""
    for i in range(len(places)):
        source, target = 8 * places[i] + 8, np.int64(offsets[i])
        for k in range(np.int64(offsets[i + 1]) - target):
            data[target + k] = kept[source + k]
