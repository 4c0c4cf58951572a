"""Aggregates that put the values of a group one behind the other, as a text or as a list."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.functions.aggregates.collected import Collected, by_group
from streamsql.functions.aggregation import Accumulator, Fail
from streamsql.functions.registry import aggregate
from streamsql.keys.interner import Ids
from streamsql.types import SqlType, array

Types = Sequence[SqlType]


class _Joined(Collected):
    """LISTAGG: the separator is the same for all rows."""

    def values(self, ids: Ids, groups: int, columns: Sequence[pa.Array], fail: Fail) -> pa.Array:
        there = columns[0].is_valid().to_numpy(zero_copy_only=False)
        separator = columns[1][0].as_py() if len(columns) > 1 and len(columns[1]) else ""
        ids, texts = ids[there], columns[0].filter(pa.array(there))
        order, begins = by_group(ids, groups)
        lists = pa.ListArray.from_arrays(pa.array(begins, pa.int32()), texts.take(pa.array(order)).cast(pa.string()))
        joined = pc.binary_join(lists, separator or "")
        return pc.if_else(pa.array(np.diff(begins) > 0), joined, pa.scalar(None, pa.string()))


@aggregate("LISTAGG(s: CHARACTER, separator?: CHARACTER) -> VARCHAR", aliases=("STRING_AGG",), duckdb="string_agg(s, separator)")
def listagg(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """All texts that are not NULL one behind the other, with the separator between them; in the order of WITHIN GROUP (ORDER BY
    ...) or of ORDER BY in the brackets, otherwise as the rows came.

    >>> SELECT LISTAGG(s, ', ') WITHIN GROUP (ORDER BY s DESC) FROM (VALUES ('a'), ('c'), ('b')) AS t(s)
    c, b, a
    >>> SELECT STRING_AGG(s, '-' ORDER BY s) FROM (VALUES ('b'), ('a')) AS t(s)
    a-b
    """
    return _Joined(arguments)


class _Listed(Collected):
    """ARRAY_AGG."""

    def __init__(self, arguments: Types, ignore_nulls: bool) -> None:
        super().__init__(arguments)
        self._ignore_nulls = ignore_nulls

    def values(self, ids: Ids, groups: int, columns: Sequence[pa.Array], fail: Fail) -> pa.Array:
        column = columns[0]
        if self._ignore_nulls:
            there = column.is_valid()
            ids, column = ids[there.to_numpy(zero_copy_only=False)], column.filter(there)
        order, begins = by_group(ids, groups)
        empty = pa.array(np.append(np.diff(begins) == 0, False))
        offsets = pc.if_else(empty, pa.scalar(None, pa.int32()), pa.array(begins, pa.int32()))
        return pa.ListArray.from_arrays(offsets, column.take(pa.array(order)))


@aggregate("ARRAY_AGG(x: ANY)", returns=lambda types: array(types[0]), duckdb="array_agg(x)", keeps_nulls=True)
def array_agg(arguments: Types, result: SqlType, ignore_nulls: bool) -> Accumulator:
    """All values as a list, NULLs too where there is no IGNORE NULLS; in the order of ORDER BY in the brackets, otherwise as the
    rows came.

    >>> SELECT ARRAY_JOIN(ARRAY_AGG(s ORDER BY s), ' ') FROM (VALUES ('b'), ('a')) AS t(s)
    a b
    """
    return _Listed(arguments, ignore_nulls)
