"""Keys that rows of a stream bring, for a table that is read by them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from streamsql.keys.interner import Ids, Interner
from streamsql.operator import FailedRow
from streamsql.rows import Mask
from streamsql.run.operators.matching import NONE, key_ids
from streamsql.types import Batch

MOST = 1_000_000
"""So many keys without a partition are remembered; then they are looked for again when they come again."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """What a table has for some keys: its rows, those that could not be read, and which of the keys have a partition."""

    batches: Sequence[Batch]
    lost: Sequence[FailedRow]
    found: Mask


Read = Callable[[Sequence[pa.Array]], Arrived]
"""What reads a table for some keys, a column for each part of them."""


class ArrivingKeys:
    """The keys that have come since the table was last read; `places` says where they are among the keys of the join.

    The rows of a partition that are lost are reported where its key came first, whatever batch it came in, and once, whatever
    is restarted: `reported` has the keys whose rows were.  All else begins anew with the snapshot.
    """

    def __init__(self, places: Sequence[int], types: Sequence[pa.DataType], read: Read) -> None:
        self._places = tuple(places)
        self._read = read
        self._known = Interner(types)
        self._found = np.zeros(0, bool)
        self.reported = Interner(types)

    @property
    def keys(self) -> Sequence[pa.Array]:
        """The keys that have come, a column a part."""
        return self._known.columns()

    def read_again(self, read: Read, found: Mask) -> None:
        """The table was read again for all of `keys`, of which some have a partition now; `read` reads it from now on."""
        self._read = read
        self._found = found

    def bring(self, meets: Mask, columns: Sequence[pa.Array]) -> tuple[Sequence[Batch], Mapping[int, Sequence[FailedRow]]]:
        """Of rows of which some can match, with the keys of the join in columns: the rows of the table that they are the first
        to ask for, and by the row that did the rows that are lost.

        Where the table cannot be read the keys stay new.
        """
        before = len(self._known)
        ids = key_ids(self._known, meets, [columns[place] for place in self._places])
        new, first = _first_of_each(ids, before)
        if not len(new):
            return (), {}
        keys = self._known.columns(new)
        try:
            arrived = self._read(keys)
            lost = self._lost(keys, first, arrived) if arrived.lost else {}
        except BaseException:
            self._known.keep(np.arange(before))
            raise
        self._found = np.append(self._found, np.zeros(len(new), bool))
        self._found[new] = arrived.found
        self.reported.ids([column.filter(pa.array(arrived.found)) for column in keys], int(arrived.found.sum()))
        self._forget()
        return arrived.batches, lost

    def _lost(self, keys: Sequence[pa.Array], first: Ids, arrived: Arrived) -> Mapping[int, Sequence[FailedRow]]:
        """The lost rows by the row that brought their key.  To tell them apart each key is read alone: that is rare."""
        before = len(self.reported)
        is_new = self.reported.ids(keys, len(first)) >= before
        self.reported.keep(np.arange(before))
        if len(first) == 1:
            return {int(first[0]): arrived.lost} if is_new[0] else {}
        return {int(first[i]): self._read([k.slice(i, 1) for k in keys]).lost for i in np.flatnonzero(is_new)}

    def _forget(self) -> None:
        """Of keys that have no partition not more are kept than of others, and `MOST`."""
        have = int(np.count_nonzero(self._found))
        if len(self._found) - have > max(MOST, have):
            self._known.keep(np.flatnonzero(self._found))
            self._found = np.ones(len(self._known), bool)


def _first_of_each(ids: Ids, before: int) -> tuple[Ids, Ids]:
    """The ids from `before` on, in the order in which they appear, and the first row of each."""
    rows = np.flatnonzero((ids >= before) & (ids != NONE))
    new, first = np.unique(ids[rows], return_index=True)
    order = np.argsort(first)
    return new[order], rows[first[order]]
