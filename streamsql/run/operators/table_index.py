"""A table's rows by the keys of one condition, and the rows looked up in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from streamsql.external.scan.dynamic import AskedKeys
from streamsql.keys.interner import Ids, Interner
from streamsql.rows import Mask, Rows
from streamsql.run.operators.matching import NONE, Rest, Terms, key_ids
from streamsql.types import Batch

CANDIDATES = 262_144
"""Pairs that are looked at together."""

@dataclass(frozen=True, slots=True)
class Wanted:
    """What rows look for: which of them can match, and the columns of their keys."""

    meets: Mask
    keys: Sequence[pa.Array]


class TableIndex:
    """One condition between rows and a table: `terms` are those of the rows and of the table, `rest` is asked of each pair.

    `asked` takes the columns of the table's keys, of the rows that can match, when the table is complete.
    """

    def __init__(
        self,
        terms: tuple[Terms, Terms],
        key_types: Sequence[pa.DataType],
        rest: Rest,
        asked: AskedKeys | None = None,
    ) -> None:
        self._terms = terms
        self._rest = rest
        self._asked = asked
        self.key_types = tuple(key_types)
        self._known = Interner(key_types)
        self._keys = 0  # of the table; the keys of rows that are not in it come behind
        self._by_key = self._starts = self._counts = np.zeros(0, np.int64)
        self._row: Ids | None = None  # of each key, where no two rows have the same

    def build(self, table: Rows) -> None:
        """Order the table by its keys; rows for which that fails are reported to `table` and match nothing.

        It takes the place of an earlier one.
        """
        self._known.clear()
        self._keys = 0
        self._by_key = self._starts = self._counts = np.zeros(0, np.int64)
        self.extend(table, 0)

    def extend(self, table: Rows, first: int) -> None:
        """More rows of the table, which stand behind the others, from `first` on, and have none of their keys."""
        meets, columns = self._terms[1].evaluate(table)
        if table.failures:
            meets = meets & table.good()
        if self._asked is not None:
            self._asked.put([column.filter(pa.array(meets)) for column in columns[0]])
        self._forget_others()
        ids = key_ids(self._known, meets, columns[0])
        counts = np.bincount(ids[ids != NONE] - self._keys, minlength=len(self._known) - self._keys)
        starts = np.cumsum(counts) - counts + len(self._by_key)
        own = np.argsort(ids, kind="stable")[np.count_nonzero(ids == NONE) :] + first
        self._by_key = np.concatenate((self._by_key, own))
        self._starts = np.concatenate((self._starts[: self._keys], starts, [0]))  # the last for the key NONE
        self._counts = np.concatenate((self._counts[: self._keys], counts, [0]))
        self._keys = len(self._known)
        alone = self._counts.max(initial=0) <= 1 and len(self._by_key) > 0
        self._row = np.where(self._counts > 0, self._by_key.take(self._starts, mode="clip"), NONE) if alone else None

    def wanted(self, rows: Rows) -> Wanted:
        """What rows look for; failures are reported to `rows`."""
        meets, columns = self._terms[0].evaluate(rows)
        return Wanted(meets & rows.good(), columns[0])

    def ids(self, wanted: Wanted) -> Ids:
        """The key of each row, NONE where the table has no such key."""
        ids = key_ids(self._known, wanted.meets, wanted.keys)
        ids[ids >= self._keys] = NONE
        if len(self._known) > 2 * max(self._keys, CANDIDATES):
            self._forget_others()
        return ids

    def _forget_others(self) -> None:
        """Forget the keys that rows looked for in vain."""
        if len(self._known) > self._keys:
            self._known.keep(np.arange(self._keys))

    def counts(self, keys: Ids) -> Ids:
        """How many rows of the table have each key."""
        counts: Ids = self._counts[keys]
        return counts

    @property
    def settled_by_keys(self) -> bool:
        """Whether all rows of a key match."""
        return self._rest.is_true

    def runs(self, keys: Ids) -> Iterator[tuple[int, int]]:
        """Runs of rows with so many candidates together that they can be looked at, or of one row with more."""
        if self._row is not None and len(keys) <= CANDIDATES:
            yield from [(0, len(keys))] if len(keys) else []
            return
        totals = np.cumsum(self.counts(keys))
        start = 0
        while start < len(keys):
            before = int(totals[start - 1]) if start else 0
            stop = max(start + 1, int(np.searchsorted(totals, before + CANDIDATES, "right")))
            yield start, stop
            start = stop

    def matches(self, rows: Rows, keys: Ids, run: tuple[int, int], table: Batch) -> tuple[Ids, Ids]:
        """The pairs that match, of the rows of a run: the indices of the rows, ascending, and those of the table's rows.

        A pair for which the condition cannot be told is no match, and its row is reported.
        """
        left, right = self._candidates(keys, *run)
        holds, failures = self._rest.holds(Pairs(rows.batch, table, left, right).column, len(left))
        for pair, failure in failures.items():
            rows.fail_row(int(left[pair]), failure)
        return (left, right) if holds is None else (left[holds], right[holds])


    def _candidates(self, keys: Ids, start: int, stop: int) -> tuple[Ids, Ids]:
        """The pairs of equal keys, of the rows from `start` to `stop`."""
        if self._row is not None:
            right = self._row[keys[start:stop]]
            left = np.flatnonzero(right != NONE)
            return left + start, right if len(left) == len(right) else right[left]
        counts = self.counts(keys[start:stop])
        left = np.repeat(np.arange(start, stop), counts)
        within = np.arange(len(left)) - np.repeat(np.cumsum(counts) - counts, counts)
        return left, self._by_key[self._starts[keys[left]] + within]


class Pairs:
    """Rows of a batch, `left`, each with a row of a table beside it, `right`; NONE for none."""

    def __init__(self, batch: Batch, table: Batch, left: Ids, right: Ids) -> None:
        self._batch = batch
        self._table = table
        self._left = left
        self._right = right

    def column(self, column: int) -> pa.Array:
        """A column of the joined rows, by its position."""
        width = self._batch.num_columns
        if column >= width:
            return self._table.column(column - width).take(self._right_places)
        return self._batch.column(column) if self._is_all else self._batch.column(column).take(self._left_places)

    @cached_property
    def _is_all(self) -> bool:
        """Whether each row of the batch is there once, in its place."""
        left = self._left
        return len(left) == self._batch.num_rows and bool((left == np.arange(len(left))).all())

    @cached_property
    def _left_places(self) -> pa.Array:
        return places(self._left)

    @cached_property
    def _right_places(self) -> pa.Array:
        return places(self._right)


def places(indices: Ids) -> pa.Array:
    """Indices for `take`; NONE gives NULL."""
    missing = indices == NONE
    return pa.array(indices, mask=missing) if missing.any() else pa.array(indices)
