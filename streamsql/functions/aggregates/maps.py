"""Aggregates that put the values of a group under keys, as Athena has them.  A key that is NULL is left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from streamsql.functions.aggregates.collected import Collected, by_group
from streamsql.functions.aggregation import Accumulator, Fail
from streamsql.functions.registry import aggregate
from streamsql.keys.interner import Ids, Interner
from streamsql.types import BIGINT, SqlType, array, map_of

Types = Sequence[SqlType]


class _Keyed(Collected):
    """The base: maps from the first argument."""

    def values(self, ids: Ids, groups: int, columns: Sequence[pa.Array], fail: Fail) -> pa.Array:
        there = columns[0].is_valid()
        ids = ids[there.to_numpy(zero_copy_only=False)]
        keys, *others = (column.filter(there) for column in columns)
        entries = Interner([pa.int64(), keys.type]).ids([pa.array(ids, pa.int64()), keys], len(ids))
        _, firsts = np.unique(entries, return_index=True)
        order, begins = by_group(ids[firsts], groups)
        rows = pa.array(firsts[order])
        items = self.items(entries, firsts, others).take(pa.array(order))
        empty = pa.array(np.diff(begins) == 0)
        return pa.MapArray.from_arrays(pa.array(begins, pa.int32()), keys.take(rows), items, mask=empty)

    def items(self, entries: Ids, firsts: Ids, others: Sequence[pa.Array]) -> pa.Array:
        """What stands under each entry: `entries` (rows,) are the numbers of them, `firsts` (entries,) the first rows."""
        return others[0].take(pa.array(firsts))


class _Listed(_Keyed):
    """MULTIMAP_AGG."""

    def items(self, entries: Ids, firsts: Ids, others: Sequence[pa.Array]) -> pa.Array:
        order, begins = by_group(entries, len(firsts))
        return pa.ListArray.from_arrays(pa.array(begins, pa.int32()), others[0].take(pa.array(order)))


class _Counted(_Keyed):
    """HISTOGRAM."""

    def items(self, entries: Ids, firsts: Ids, others: Sequence[pa.Array]) -> pa.Array:
        return pa.array(np.bincount(entries, minlength=len(firsts)))


@aggregate("MAP_AGG(key: COMPARABLE, value: ANY)", returns=lambda types: map_of(*types), keeps_nulls=True)
def map_agg(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """A map of the keys to their values; of a key that comes again the first value.

    >>> SELECT ELEMENT_AT(MAP_AGG(k, v), 'b') FROM (VALUES ('a', 1), ('b', 2), ('b', 3)) AS t(k, v)
    2
    """
    return _Keyed(arguments)


@aggregate("MULTIMAP_AGG(key: COMPARABLE, value: ANY)", returns=lambda types: map_of(types[0], array(types[1])), keeps_nulls=True)
def multimap_agg(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """A map of the keys to the lists of their values.

    >>> SELECT CARDINALITY(ELEMENT_AT(MULTIMAP_AGG(k, v), 'b')) FROM (VALUES ('a', 1), ('b', 2), ('b', 3)) AS t(k, v)
    2
    """
    return _Listed(arguments)


@aggregate("HISTOGRAM(x: COMPARABLE)", returns=lambda types: map_of(types[0], BIGINT))
def histogram(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """A map of the values to the number of rows that have them.

    >>> SELECT ELEMENT_AT(HISTOGRAM(x), 'b') FROM (VALUES ('a'), ('b'), ('b')) AS t(x)
    2
    """
    return _Counted(arguments)
