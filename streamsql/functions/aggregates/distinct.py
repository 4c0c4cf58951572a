"""Aggregates of DISTINCT values: which rows bring a value that is not there yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.functions.moves import Moves, relaid
from streamsql.keys.interner import Ids, Interner
from streamsql.operator import State
from streamsql.state import Arrays

LEAST_VALUES = 1024
"""So many values are kept though no row has them."""

_NONE = -1


class DistinctValues:
    """The values that each group has had.

    Groups that are taken leave their numbers to those behind them, as in an accumulator: here they keep counting.
    """

    def __init__(self, types: Sequence[pa.DataType]) -> None:
        self._types = list(types)
        self._seen = Interner([pa.int64(), *types])
        self._counts = Arrays({"taken": np.zeros(1, np.int64), "kept": np.zeros(1, np.int64)})

    @property
    def state(self) -> Mapping[str, State]:
        return {"seen": self._seen, "counts": self._counts}

    def first(self, ids: Ids, columns: Sequence[pa.Array]) -> Ids:
        """The rows, ascending, that are the first with their value in their group."""
        known = len(self._seen)
        pairs = self._seen.ids([pa.array(ids + self._counts["taken"][0]), *columns], len(ids))
        return _first_of_each(pairs, known)

    def take(self, groups: int) -> None:
        """Forget the first groups: the others are numbered anew from 0.  Their values go when they are more than half."""
        self._counts["taken"][0] += groups
        if len(self._seen) > 2 * max(int(self._counts["kept"][0]), LEAST_VALUES):
            of_groups = self._seen.columns()[0].to_numpy()
            self._seen.keep(np.flatnonzero(of_groups >= self._counts["taken"][0]))
            self._counts["kept"][0] = len(self._seen)

    def of(self, groups: Ids) -> DistinctValues:
        """Another one with the values of some of the groups, numbered in this order."""
        of_groups, *values = self._seen.columns()
        taken = int(self._counts["taken"][0])
        place = np.full(int(groups.max(initial=_NONE)) + 2, _NONE)  # the last for all groups behind
        place[groups] = np.arange(len(groups))
        places = place[np.clip(of_groups.to_numpy() - taken, -1, len(place) - 1)]
        mask = pa.array(places != _NONE)
        some = DistinctValues(self._types)
        some.first(places[places != _NONE], [column.filter(mask) for column in values])
        return some

    @property
    def nbytes(self) -> int:
        """About how much memory the values take."""
        return self._seen.nbytes

    def clear(self) -> None:
        """Forget all groups."""
        self._seen.clear()
        self._counts["taken"][0] = self._counts["kept"][0] = 0


class DistinctMoves:
    """The moves of a sliding window in whose frames each value stands once: the latest row with it.

    So a row leaves as soon as another brings its value.  Where no row ever leaves, the rows that bring a value again are NULL
    instead, which aggregates pass over.

    Values have dense ids in each partition: `latest` (values,) is the number of the row that stands for each, `value`
    (capacity,) the value of each row in the frames.
    """

    def __init__(self, type: pa.DataType) -> None:
        self._values = Interner([pa.int64(), type])
        self._rows = Arrays({"latest": np.zeros(0, np.int64), "value": np.zeros(0, np.int64), "kept": np.zeros(1, np.int64)})

    @property
    def state(self) -> Mapping[str, State]:
        return {"values": self._values, "rows": self._rows}

    def moves(self, moves: Moves, column: pa.Array) -> tuple[Moves, pa.Array]:
        """How the distinct values in the frames moved, and the column as the aggregate sees it."""
        known = len(self._values)
        ids = self._values.ids([pa.array(moves.ids), column], len(column))
        if not moves.bounded:
            new = np.zeros(len(ids), bool)
            new[_first_of_each(ids, known)] = True
            return moves, pc.if_else(pa.array(new), column, pa.scalar(None, column.type))
        from streamsql.kernels.frames import supersede

        if len(self._rows["value"]) != moves.capacity:
            self._rows["value"] = relaid(self._rows["value"], moves.kept, moves.capacity)
        self._rows["latest"] = latest = np.concatenate((self._rows["latest"], np.full(len(self._values) - known, _NONE)))
        left, left_ids = np.empty((2, len(moves.left) + len(ids)), np.int64)
        left_before = np.empty(len(ids), np.int64)
        count = supersede(moves.arrays, moves.mask, ids, self._rows["value"], latest, left_before, left, left_ids)
        if len(latest) > 2 * max(int(self._rows["kept"][0]), LEAST_VALUES):
            self.keep(np.arange(moves.partitions))
        return replace(moves, left_before=left_before, left=left[:count], left_ids=left_ids[:count]), column

    def keep(self, partitions: Ids) -> None:
        """Forget the values without a row, and all partitions but these, which are numbered anew in this order."""
        latest = self._rows["latest"]
        alive = np.flatnonzero(latest != _NONE)
        of_partitions, values = self._values.columns(alive)
        place = np.empty(int(partitions.max(initial=_NONE)) + 1, np.int64)
        place[partitions] = np.arange(len(partitions))
        self._values.clear()
        self._values.ids([pa.array(place[of_partitions.to_numpy()]), values], len(alive))
        new = np.full(len(latest) + 1, _NONE)  # the last for _NONE itself
        new[alive] = np.arange(len(alive))
        self._rows["latest"] = latest[alive]
        self._rows["value"] = new[self._rows["value"]]
        self._rows["kept"][0] = len(alive)


def _first_of_each(ids: Ids, known: int) -> Ids:
    """The rows, ascending, that are the first of their id, of those from `known` on."""
    distinct, first = np.unique(ids, return_index=True)
    return np.sort(first[distinct >= known])
