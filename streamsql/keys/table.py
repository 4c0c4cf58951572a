"""A hash table of fixed-width keys.

In numpy every step handles a block of rows at once; a kernel goes row by row, once it pays.  Both give the same ids.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from streamsql.kernels.compiling import pays

Ids = npt.NDArray[np.int64]
Words = Sequence[npt.NDArray[np.int64]]
"""A key's words, an array (rows,) each."""

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)
_EMPTY = -1
_BLOCK = 16384
"""Keys that are looked up at once: what is computed on the way stays in the processor's cache."""


class KeyTable:
    """Distinct keys of `width` words of 64 bits, numbered from 0 in the order in which they appear.

    Open addressing with linear probing: `_slots` holds ids, at most a quarter of them are in use; `_keys` (width, ids) holds
    the words of each id.
    """

    def __init__(self, width: int) -> None:
        self._keys = np.empty((width, 64), np.int64)
        self._slots = np.full(256, _EMPTY, np.int64)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def nbytes(self) -> int:
        """About how much memory its keys take: their words, and four slots."""
        return 8 * self._count * (len(self._keys) + 4)

    def words(self, ids: Ids) -> Words:
        """The words of the keys with these ids."""
        return [keys[ids] for keys in self._keys]

    def clear(self) -> None:
        """Forget all keys."""
        self._slots.fill(_EMPTY)
        self._count = 0

    def ids(self, words: Words) -> Ids:
        """The id of each key; new keys are entered."""
        ids = np.empty(len(words[0]), np.int64)
        if pays(len(ids), nanoseconds=6):
            self._compiled_ids(words, ids)
            return ids
        for start in range(0, len(ids), _BLOCK):
            ids[start : start + _BLOCK] = self._block([word[start : start + _BLOCK] for word in words])
        return ids

    def _compiled_ids(self, words: Words, ids: Ids) -> None:
        """Fill in the id of each key."""
        from streamsql.kernels.groups import enter

        rows = np.stack(words).view(np.uint64) if len(words) > 1 else words[0].view(np.uint64)[None]
        row = 0
        while row < len(ids):
            keys = self._keys.view(np.uint64)
            row, self._count = enter(rows, row, self._count, self._shift, self._slots, keys, ids)
            if row < len(ids):
                self._fit(2 * self._count + 1)

    def _block(self, words: Words) -> Ids:
        ids = self._find(words)
        unknown = np.flatnonzero(ids < 0)
        while len(unknown):
            some = unknown[: max(1024, self._count)]  # what these enter, many of the rest will find
            self._enter([word[some] for word in words])
            ids[unknown] = self._find([word[unknown] for word in words])
            unknown = unknown[ids[unknown] < 0]
        return ids

    def _find(self, words: Words) -> Ids:
        """The id of each key, -1 of those that are not in the table."""
        slots = self._home(words)
        ids = self._slots.take(slots)
        same = self._same(ids, words)
        if same.all():
            return ids
        rows = np.flatnonzero(~same & (ids >= 0))
        while len(rows):
            slots[rows] = (slots[rows] + 1) & (len(self._slots) - 1)
            ids[rows] = found = self._slots[slots[rows]]
            clash = (found >= 0) & ~self._same(found, [word[rows] for word in words])
            rows = rows[clash]
        return ids

    def _same(self, ids: Ids, words: Words) -> npt.NDArray[np.bool_]:
        """Whether the keys of these ids are these; meaningless where there is no id."""
        same: npt.NDArray[np.bool_] = self._keys[0].take(ids, mode="clip") == words[0]
        for keys, word in zip(self._keys[1:], words[1:], strict=True):
            same &= keys.take(ids, mode="clip") == word
        return same

    def _home(self, words: Words) -> Ids:
        """The slot at which the search for each key begins: the upper bits of a multiplicative hash."""
        hashes = words[0].view(np.uint64) * _FACTOR
        for word in words[1:]:
            hashes ^= hashes >> _HALF
            hashes ^= word.view(np.uint64)
            hashes *= _FACTOR
        hashes ^= hashes >> _HALF
        hashes *= _FACTOR
        hashes >>= self._shift
        return hashes.view(np.int64)

    @property
    def _shift(self) -> np.uint64:
        """How many of a hash's bits are not part of its first slot's number."""
        return np.uint64(65 - len(self._slots).bit_length())

    def _enter(self, words: Words) -> None:
        """Enter keys that are not in the table; of equal ones the first.

        All rows probe in step.  The first row to reach an empty slot claims it with a mark; rows with the same key follow it
        through the same slots and find the mark, the others go on.
        """
        self._fit(self._count + len(words[0]))
        rows, slots = np.arange(len(words[0])), self._home(words)
        claimed: list[Ids] = []
        while len(rows):
            empty = rows[self._slots[slots[rows]] == _EMPTY]
            self._slots[slots[empty[::-1]]] = -2 - empty[::-1]  # of several assignments the last stays
            claims = -2 - self._slots[slots[rows]]
            claimed.append(rows[claims == rows])
            same = claims >= 0
            for word in words:
                same &= word.take(claims, mode="clip") == word[rows]
            rows = rows[~same]
            slots[rows] = (slots[rows] + 1) & (len(self._slots) - 1)
        first = np.sort(np.concatenate(claimed))
        ids = np.arange(self._count, self._count + len(first))
        self._slots[slots[first]] = ids
        for keys, word in zip(self._keys, words, strict=True):
            keys[ids] = word[first]
        self._count += len(first)

    def _fit(self, count: int) -> None:
        """Have room for so many keys."""
        if count > self._keys.shape[1]:
            larger = np.empty((len(self._keys), max(count, 2 * self._keys.shape[1])), np.int64)
            larger[:, : self._count] = self._keys[:, : self._count]
            self._keys = larger
        if 4 * count > len(self._slots):
            words = self.words(np.arange(self._count))
            self._slots = np.full(1 << (8 * count - 1).bit_length(), _EMPTY, np.int64)
            self._count = 0
            if len(words[0]):
                self._enter(words)


class Numbers:
    """The same for keys that are numbers already, from 0 in the order in which they appear."""

    nbytes = 0

    def __init__(self) -> None:
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def words(self, ids: Ids) -> Words:
        return [ids]

    def clear(self) -> None:
        self._count = 0

    def ids(self, words: Words) -> Ids:
        self._count = max(self._count, int(words[0].max(initial=-1)) + 1)
        return words[0]
