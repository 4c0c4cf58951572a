"""Key values as dense whole numbers, so that kernels see arrays of ids and never strings."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from streamsql.arrays import coded
from streamsql.keys.codings import Coding, codings
from streamsql.keys.table import Ids, KeyTable, Numbers, Words

__all__ = ["Ids", "Interner"]

COMBINATIONS = 65_536
"""So many combinations of codes are looked up rather than the rows."""


class Interner:
    """Gives each distinct combination of key values the next free id, from 0; NULL is a value like any other.

    With no key columns every row has id 0.  `save` gives the key columns in id order.  Keys are looked up as words of 64 bits;
    when a column's coding will do no longer, all keys are entered again with the next one.
    """

    def __init__(self, types: Sequence[pa.DataType]) -> None:
        self._codings: list[list[Coding]] = [codings(type) for type in types]
        self._table = self._new_table()

    def __len__(self) -> int:
        return len(self._table) if self._codings else 1

    @property
    def nbytes(self) -> int:
        """About how much memory the keys take."""
        return self._table.nbytes + sum(coding.nbytes for coding, *_ in self._codings)

    def ids(self, columns: Sequence[pa.Array], count: int) -> Ids:
        """The id of each row's key, new keys entered in the order in which they appear."""
        if not self._codings:
            return np.zeros(count, np.int64)
        distinct = [_distinct(column, chain[0]) for column, chain in zip(columns, self._codings, strict=True)]
        self._fit([values for values, _ in distinct])
        words = [coding.words(values) for (coding, *_), (values, _) in zip(self._codings, distinct, strict=True)]
        if len(distinct) == 1 and distinct[0][1] is not None:
            return self._table.ids(words[0])[distinct[0][1]]
        if any(pa.types.is_dictionary(column.type) for column in columns):
            ids = self._by_codes(words, [(len(values), at) for values, at in distinct])
            if ids is not None:
                return ids
        by_row = [w if at is None else w[at] for part, (_, at) in zip(words, distinct, strict=True) for w in part]
        return self._table.ids(by_row)

    def _by_codes(self, words: Sequence[Words], codes: Sequence[tuple[int, Ids | None]]) -> Ids | None:
        """The ids of rows whose keys are all codes of short dictionaries, which have so few combinations that these are looked
        up and not the rows; None of others.  The order of new keys is that of their codes."""
        if any(at is None for _, at in codes) or math.prod(size for size, _ in codes) > COMBINATIONS:
            return None
        sizes = [size for size, _ in codes]
        combined = np.ravel_multi_index([at for _, at in codes if at is not None], sizes)
        used = np.flatnonzero(np.bincount(combined, minlength=math.prod(sizes)))
        places = np.unravel_index(used, sizes)
        ids = np.empty(math.prod(sizes), np.int64)
        ids[used] = self._table.ids([w[at] for part, at in zip(words, places, strict=True) for w in part])
        return ids[combined]

    def columns(self, ids: Ids | None = None) -> list[pa.Array]:
        """The key values of these ids (of all, in id order, without them), a column a key."""
        words = list(self._table.words(np.arange(len(self)) if ids is None else ids))
        return [coding.values([words.pop(0) for _ in range(coding.width)]) for coding, *_ in self._codings]

    def keep(self, ids: Ids) -> None:
        """Forget all keys but these, which are numbered anew in this order."""
        self._enter_anew(self.columns(ids))

    def clear(self) -> None:
        """Forget all keys."""
        self._table.clear()
        for coding, *_ in self._codings:
            coding.clear()

    def save(self) -> pa.Table:
        return pa.table(self.columns(), names=[str(i) for i in range(len(self._codings))])

    def load(self, table: pa.Table) -> None:
        self._enter_anew([column.combine_chunks() for column in table.columns])

    def _fit(self, values_of: Sequence[pa.Array]) -> None:
        """See to it that these values can be coded."""
        for chain, values in zip(self._codings, values_of, strict=True):
            if not chain[0].fits(values):
                known = self.columns()
                while not chain[0].fits(values):
                    del chain[0]
                self._enter_anew(known)

    def _enter_anew(self, columns: Sequence[pa.Array]) -> None:
        """Forget all keys and enter these."""
        for coding, *_ in self._codings:
            coding.clear()
        self._table = self._new_table()
        if columns:
            self.ids(columns, len(columns[0]))

    def _new_table(self) -> KeyTable | Numbers:
        if len(self._codings) == 1 and self._codings[0][0].is_number:
            return Numbers()
        return KeyTable(sum(coding.width for coding, *_ in self._codings))


def _distinct(column: pa.Array, coding: Coding) -> tuple[pa.Array, Ids | None]:
    """The distinct values of a column in the order of their first appearance, and which of them each row has (None: its own)."""
    if pa.types.is_dictionary(column.type):
        return _used(column)
    if coding.is_cheap:
        return column, None
    encoded = column.dictionary_encode(null_encoding="encode")
    return encoded.dictionary, encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)


def _used(column: pa.DictionaryArray) -> tuple[pa.Array, Ids]:
    """The entries of a dictionary that some row has, NULL among them, and which of these each row has."""
    entries, codes = coded(column)
    is_used = np.bincount(codes, minlength=len(entries)) > 0
    if is_used.all():
        return entries, codes
    return entries.filter(pa.array(is_used)), (np.cumsum(is_used) - 1)[codes]
