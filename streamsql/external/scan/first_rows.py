"""Which rows can be among the first of an order: as more rows come, fewer and fewer can."""

from __future__ import annotations

import threading

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.expressions.nodes import Column
from streamsql.external.scan.asked import Arrays, Asked, Constants, plain
from streamsql.external.scan.bounds import Bounds
from streamsql.external.scan.request import First
from streamsql.keys.order import not_after, sorted_indices
from streamsql.rows import Mask, QueryTime
from streamsql.types import APPROXIMATE

SAMPLE = 4096
"""Of many rows so many come first, for what they rule out need not be sorted."""


class FirstRows:
    """What the rows so far say of later ones, by the leading key of an order; for all threads.

    As soon as `count` rows are wanted, a row whose key comes behind all of theirs is not: so whichever thread is the first,
    what is left out is never one of the first `count`.
    """

    def __init__(self, first: First, time: QueryTime) -> None:
        self._first = first
        self._key = Asked(first.key, time)
        self.columns = frozenset(self._key.columns)
        self._best = pa.nulls(0, first.key.type.arrow())
        self._lock = threading.Lock()

    @property
    def column(self) -> int | None:
        """The column whose bounds say which row groups have none of the first rows; None where bounds do not tell."""
        first = self._first
        unsure = first.direction.descending and first.key.type.kind in APPROXIMATE  # NaN comes first then, and is in no bounds
        return first.key.index if isinstance(first.key, Column) and not unsure else None

    def key(self, columns: Arrays, constants: Constants, count: int) -> pa.Array:
        """The leading key of some rows."""
        return plain(self._key.values(columns, constants, count))

    def mask(self, key: pa.Array) -> Mask | None:
        """Which rows with these keys can be among the first; None: all."""
        best = self._best
        return None if len(best) < self._first.count else not_after(key, best[-1], self._first.direction)

    def possible(self, bounds: Bounds) -> Mask:
        """Which row groups with these bounds of the key can have some of the first rows."""
        direction = self._first.direction
        leading = bounds.high if direction.descending else bounds.low
        mask = self.mask(leading)
        if mask is None:
            return np.ones(len(leading), bool)
        unsure = pc.invert(leading.is_valid())
        if direction.nulls_first:
            unsure = pc.or_(unsure, bounds.null.fill_null(True))
        possible: Mask = mask | unsure.to_numpy(zero_copy_only=False)
        return possible

    def note(self, key: pa.Array) -> None:
        """Rows with these keys are wanted."""
        if len(key) > 2 * max(SAMPLE, self._first.count):
            head = max(SAMPLE, self._first.count)
            self.note(key.slice(0, head))
            key = key.slice(head)
        mask = self.mask(key)
        if mask is not None:
            key = key.filter(pa.array(mask))
        if not len(key):
            return
        with self._lock:
            all_keys = pa.concat_arrays([self._best, key])
            order = sorted_indices([all_keys], [self._first.direction])
            self._best = all_keys.take(pa.array(order[: self._first.count]))
