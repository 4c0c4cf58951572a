"""How often each item appeared, in bounded memory: exact, then an upper part of the list with a known error."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from streamsql.keys.interner import Ids, Interner
from streamsql.operator import State
from streamsql.state import Arrays

EXACT_ITEMS = 200_000
"""So many different items are counted exactly."""

KEPT_ITEMS = 100_000
"""So many are kept when there are more."""

Counts = npt.NDArray[np.int64]


class ItemCounts:
    """Counts of the items of one column; NULL is an item.

    When one more than `exact` different items appear, all but the `kept` most frequent are forgotten, and with each item that
    appears (again) afterwards goes how often it may have appeared before: the highest count ever forgotten.  Of `n` rows that
    is n / kept at most: every forgetting that raises it by 1 takes 1 of what each of more than `kept` items had above it, and
    each row adds 1 to that of one item.  So a count is never too high and at most n / kept too low, and every item with a
    higher count than that is there.
    """

    def __init__(self, type: pa.DataType, exact: int = EXACT_ITEMS, kept: int = KEPT_ITEMS) -> None:
        self._exact, self._kept = exact, kept
        self._items = Interner([type])
        self._arrays = Arrays()
        self.clear()

    @property
    def state(self) -> Mapping[str, State]:
        return {"items": self._items, "counts": self._arrays}

    def add(self, column: pa.Array) -> None:
        """Count these items, in order."""
        while len(column):
            known = len(self._items)
            ids = self._items.ids([column], len(column))
            overflows = len(self._items) > self._exact
            stop = int(np.argmax(ids >= self._exact)) if overflows else len(ids)
            self._count(ids[:stop], known, min(len(self._items), self._exact))
            if overflows:
                self._forget()
            column = column.slice(stop)

    def highest(self, limit: int) -> tuple[pa.Array, Counts]:
        """The most frequent items and their counts, the highest first; equal ones in the order in which they appeared."""
        counts = self._arrays["counts"][: len(self._items)]
        order = np.argsort(-counts, kind="stable")[:limit]
        return self._items.columns(order)[0], counts[order]

    def clear(self) -> None:
        """Forget all items."""
        self._items.clear()
        self._arrays["counts"] = self._arrays["missed"] = np.zeros(0, np.int64)
        self._arrays["forgotten"] = np.zeros(1, np.int64)

    def _count(self, ids: Ids, known: int, items: int) -> None:
        if items > len(self._arrays["counts"]):
            for name in ("counts", "missed"):
                room = np.zeros(max(64, 2 * items), np.int64)
                room[:known] = self._arrays[name][:known]
                self._arrays[name] = room
        self._arrays["missed"][known:items] = self._arrays["forgotten"][0]
        np.add.at(self._arrays["counts"], ids, 1)

    def _forget(self) -> None:
        counts, missed = (self._arrays[name][: self._exact] for name in ("counts", "missed"))
        order = np.argsort(-(counts + missed), kind="stable")
        last = order[self._kept]
        self._arrays["forgotten"][0] = counts[last] + missed[last]
        kept = np.sort(order[: self._kept])
        self._items.keep(kept)
        self._arrays["counts"], self._arrays["missed"] = counts[kept], missed[kept]
