"""Key values as dense whole numbers, so that kernels see arrays of ids and never strings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ids = npt.NDArray[np.int64]


class Interner:
    """Gives each distinct combination of key values the next free id, from 0; NULL is a value like any other.

    With no key columns every row has id 0.  `save` gives the key columns in id order.
    """

    def __init__(self, types: Sequence[pa.DataType]) -> None:
        self._types = tuple(types)
        self._ids: dict[Any, int] = {}

    def __len__(self) -> int:
        return len(self._ids) if self._types else 1

    def ids(self, columns: Sequence[pa.Array], count: int) -> Ids:
        """The id of each row's key, new keys entered in the order in which they appear."""
        if not self._types:
            return np.zeros(count, np.int64)
        codes, values = _encode([_plain(column) for column in columns])
        table = np.fromiter((self._enter(value) for value in values), np.int64, len(values))
        ids: Ids = table[codes]
        return ids

    def _enter(self, value: Any) -> int:
        if value != value:  # every NaN is the same key, as in GROUP BY
            value = math.nan
        return self._ids.setdefault(value, len(self._ids))

    def columns(self, ids: Ids | None = None) -> list[pa.Array]:
        """The key values of these ids (of all, in id order, without them), a column a key."""
        keys: list[Any] = list(self._ids)
        if ids is not None:
            keys = [keys[i] for i in ids]
        if len(self._types) == 1:
            return [pa.array(keys, self._types[0])]
        return [pa.array([key[i] for key in keys], type_) for i, type_ in enumerate(self._types)]

    def keep(self, ids: Ids) -> None:
        """Forget all keys but these, which are numbered anew in this order."""
        keys = list(self._ids)
        self._ids = {keys[id]: i for i, id in enumerate(ids)}

    def clear(self) -> None:
        """Forget all keys."""
        self._ids.clear()

    def save(self) -> pa.Table:
        return pa.table(self.columns(), names=[str(i) for i in range(len(self._types))]) if self._types else pa.table({})

    def load(self, table: pa.Table) -> None:
        columns = [_plain(column.combine_chunks()) for column in table.columns]
        self._ids = {value: i for i, value in enumerate(_values(columns))} if columns else {}


def _encode(columns: Sequence[pa.Array]) -> tuple[Ids, list[Any]]:
    """Each row's combination as a code within this batch, and the combinations in the order of their first appearance."""
    first = _dictionary(columns[0])
    if len(columns) == 1:
        return _codes(first), first.dictionary.to_pylist()
    combined = _codes(first)
    parts = [first]
    for column in columns[1:]:
        part = _dictionary(column)
        parts.append(part)
        combined = combined * max(1, len(part.dictionary)) + _codes(part)
        # re-encoding after each column keeps the product of the dictionaries' sizes from overflowing
        packed = _dictionary(pa.array(combined))
        combined = _codes(packed)
    _, rows = np.unique(combined, return_index=True)  # codes are numbered by first appearance already
    at = [part.indices.to_numpy(zero_copy_only=False)[rows] for part in parts]
    dictionaries = [part.dictionary.to_pylist() for part in parts]
    values = [tuple(d[i] for d, i in zip(dictionaries, row, strict=True)) for row in zip(*at, strict=True)]
    return combined, values


def _plain(column: pa.Array) -> pa.Array:
    """Dates and times as the whole numbers behind them: faster to hash, and without the limits of Python's datetime."""
    if pa.types.is_temporal(column.type):
        return column.view(pa.int32() if column.type.bit_width == 32 else pa.int64())
    return column


def _dictionary(column: pa.Array) -> pa.DictionaryArray:
    return column.dictionary_encode(null_encoding="encode")


def _codes(column: pa.DictionaryArray) -> Ids:
    codes: Ids = column.indices.to_numpy(zero_copy_only=False).astype(np.int64, copy=False)
    return codes


def _values(columns: Sequence[pa.Array]) -> list[Any]:
    lists = [column.to_pylist() for column in columns]
    return lists[0] if len(lists) == 1 else list(zip(*lists, strict=True))
