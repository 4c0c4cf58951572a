"""Aggregates that need all rows of their groups at once: they are kept until the groups are complete."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from copy import copy
from typing import Self

import numpy as np
import pyarrow as pa

from streamsql.functions.aggregation import Accumulator, Fail, raise_failure
from streamsql.keys.interner import Ids
from streamsql.keys.order import Direction, ranks
from streamsql.state import RowBuffer
from streamsql.types import SqlType


class Collected(ABC):
    """The base: the arguments of all rows, with the groups that they belong to."""

    def __init__(self, arguments: Sequence[SqlType]) -> None:
        fields = [pa.field(str(i), type.arrow()) for i, type in enumerate(arguments)]
        self.arrays = RowBuffer(pa.schema([pa.field("group", pa.int64()), *fields]))
        self.nbytes = 0
        self._groups = 0

    @abstractmethod
    def values(self, ids: Ids, groups: int, columns: Sequence[pa.Array], fail: Fail) -> pa.Array:
        """The value of each group, from its rows: `ids` (rows,) are in the order of arrival."""

    def add(self, ids: Ids, groups: int, arguments: Sequence[pa.Array]) -> None:
        self._groups = groups
        batch = pa.RecordBatch.from_arrays([pa.array(ids, pa.int64()), *arguments], schema=self.arrays.schema)
        self.arrays.append(batch)
        self.nbytes += batch.nbytes

    def result(self, fail: Fail = raise_failure) -> pa.Array:
        batch = self.arrays.batch()
        return self.values(batch.column(0).to_numpy(), self._groups, batch.columns[1:], fail)

    def take(self, groups: int, fail: Fail = raise_failure) -> pa.Array:
        batch, known = self.arrays.take_all(), self._groups
        self.clear()
        ids = batch.column(0).to_numpy()
        taken = ids < groups
        if not taken.all():
            rest = batch.filter(pa.array(~taken))
            self.add(ids[~taken] - groups, known - groups, rest.columns[1:])
            batch, ids = batch.filter(pa.array(taken)), ids[taken]
        self._groups = max(0, known - groups)
        return self.values(ids, groups, batch.columns[1:], fail)

    def of(self, groups: Ids) -> Self:
        some, batch = copy(self), self.arrays.batch()
        some.arrays = RowBuffer(self.arrays.schema)
        some.clear()
        place = np.full(self._groups, -1)
        place[groups] = np.arange(len(groups))
        ids = place[batch.column(0).to_numpy()]
        some.add(ids[ids >= 0], len(groups), batch.filter(pa.array(ids >= 0)).columns[1:])
        return some

    def clear(self) -> None:
        self.arrays.take_all()
        self.nbytes = self._groups = 0


class Ordered(Collected):
    """Another aggregate, to which the rows of each group come in an order: by the last arguments, which it does not see."""

    def __init__(self, inner: Accumulator, arguments: Sequence[SqlType], directions: Sequence[Direction]) -> None:
        super().__init__(arguments)
        self._inner = inner
        self._directions = tuple(directions)

    def values(self, ids: Ids, groups: int, columns: Sequence[pa.Array], fail: Fail) -> pa.Array:
        count = len(columns) - len(self._directions)
        keys = [ranks(key, direction) for key, direction in zip(columns[count:], self._directions, strict=True)]
        order = np.lexsort([*keys[::-1], ids])
        self._inner.add(ids[order], groups, [column.take(pa.array(order)) for column in columns[:count]])
        return self._inner.take(groups, fail)


def by_group(ids: Ids, groups: int) -> tuple[Ids, Ids]:
    """The rows group by group, in each in the order of arrival, and (groups + 1,) where in these each group begins."""
    counts = np.bincount(ids, minlength=groups)
    return np.argsort(ids, kind="stable"), np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
