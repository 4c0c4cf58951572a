"""One input of a join: the rows that others may match, which of them have a key, and which have matched nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from streamsql.arrays import numbers
from streamsql.functions.moves import extended
from streamsql.keys.interner import Ids
from streamsql.operator import State
from streamsql.plan.joins import JoinWindow
from streamsql.run.operators.matching import NONE
from streamsql.run.operators.window import times_of
from streamsql.state import Arrays, Queue, RowLog
from streamsql.time import BEGIN, END, Time
from streamsql.types import Batch


class JoinInput:
    """The rows of one input that are in their window, or that may yet come as ones without a match.

    Rows are numbered in the order of their arrival, so a window is a stretch of numbers.  `classes` are the classes of keys in
    which the input has a part.  With `keeps`, `unmatched` gives each row that has matched nothing, once.
    """

    def __init__(self, schema: pa.Schema, window: JoinWindow, keeps: bool, classes: Sequence[int]) -> None:
        self._preceding = window.frame.preceding
        self._by_rows = window.frame.unit == "ROWS"
        self._until = window.until
        self._classes = tuple(classes)
        self._search = 0
        self._searched = {c: np.zeros((2, 0), np.int64) for c in classes}
        self.keeps = keeps
        self.log = RowLog(schema)
        chains = {f"{column} {c}": np.int64 for c in classes for column in ("key", "next")}
        ends = {} if window.until is None else {"end": np.int64}
        self._rows = Queue(time=np.int64, matched=np.bool_, **chains, **ends)
        self._ends = Arrays({f"{end} {c}": np.zeros(0, np.int64) for c in classes for end in ("oldest", "newest")})
        self._settled = Arrays({"number": np.zeros(1, np.int64)})

    @property
    def state(self) -> Mapping[str, State]:
        return {"log": self.log, "rows": self._rows, "ends of chains": self._ends, "settled": self._settled}

    @property
    def needs_all(self) -> bool:
        """Whether a row that can match nothing counts all the same."""
        return self.keeps or self._by_rows

    @property
    def waits(self) -> bool:
        """Whether a row without a match waits for the rows to come to say when it is given."""
        if not self.keeps or not (self._by_rows or self._preceding is None):
            return False
        return not self._rows["matched"][self._settled["number"][0] - self._rows.first :].all()

    def __len__(self) -> int:
        return len(self._rows)

    def know(self, c: int, keys: int) -> None:
        """There are so many keys of a class."""
        for name in (f"oldest {c}", f"newest {c}"):
            before = len(self._ends[name])
            self._ends[name] = extended(self._ends[name], keys)
            self._ends[name][before:] = NONE

    def append(self, batch: Batch, keys: Mapping[int, Ids]) -> None:
        """Take rows with their keys, which are known."""
        from streamsql.kernels.join import link

        columns = {f"key {c}": ids for c, ids in keys.items()} | {f"next {c}": ids for c, ids in keys.items()}
        if self._until is not None:
            columns["end"] = numbers(batch.column(self._until))
        self._rows.append(time=times_of(batch), matched=np.zeros(batch.num_rows, np.bool_), **columns)
        self.log.append(batch)
        for c, ids in keys.items():
            oldest, newest = self._ends[f"oldest {c}"], self._ends[f"newest {c}"]
            link(ids, self._rows.first, self._rows[f"next {c}"], oldest, newest)

    # -- matching ----------------------------------------------------------------------------------------------------------

    def least(self, times: Ids, end: Ids) -> Ids:
        """The first number in the window at each of these times, when the rows before `end` have come."""
        first = self._rows.first
        if self._preceding is None:
            return np.full(len(times), first)
        if self._by_rows:
            return np.maximum(end - (self._preceding + 1), first)
        least: Ids = first + np.searchsorted(self._rows["time"], times - self._preceding, "left")
        return least

    def keys(self, c: int, numbers: Ids) -> Ids:
        """The keys of these rows."""
        keys: Ids = self._rows[f"key {c}"][numbers - self._rows.first]
        return keys

    def find(self, c: int, keys: Ids, least: Ids, end: Ids) -> tuple[Ids, Ids]:
        """The rows of each of these keys from `least` up to `end`, neither of which falls: how many, and their numbers."""
        from streamsql.kernels.join import collect, count

        oldest, following = self._ends[f"oldest {c}"], self._rows[f"next {c}"]
        if self._searched[c].shape[1] < len(oldest):
            self._searched[c] = np.zeros((2, len(oldest)), np.int64)
        self._search += 1
        begins, counts = np.empty((2, len(keys)), np.int64)
        first, (searched, reached) = self._rows.first, self._searched[c]
        total = count(keys, least, end, first, following, oldest, self._search, searched, reached, begins, counts)
        found = np.empty(total, np.int64)
        collect(begins, counts, first, following, found)
        return counts, found

    def mark(self, numbers: Ids) -> None:
        """These rows do not come as ones without a match."""
        self._rows["matched"][numbers - self._rows.first] = True

    # -- leaving -----------------------------------------------------------------------------------------------------------

    def unmatched(self, passed: Time) -> tuple[Ids, Ids]:
        """The rows without a match that can have none any more, since all before `passed` has come: their numbers and the
        ROWTIMEs at which they come, END where that is the end of all."""
        if self._until is not None:
            return self._unmatched_by_row(passed)
        begin = int(self._settled["number"][0]) - self._rows.first
        times, width = self._rows["time"][begin:], 0
        if self._by_rows or self._preceding is None:
            leave = times[len(times) if self._preceding is None else self._preceding + 1 :]
        else:
            leave, width = times, self._preceding
        count = len(times) if passed == END else 0 if passed == BEGIN else int(np.searchsorted(leave, passed - width, "left"))
        self._settled["number"][0] += count
        alone = np.flatnonzero(~self._rows["matched"][begin : begin + count])
        known = alone[alone < len(leave)]
        stamps = np.full(len(alone), END)
        stamps[: len(known)] = leave[known] + width
        return alone + begin + self._rows.first, stamps

    def _unmatched_by_row(self, passed: Time) -> tuple[Ids, Ids]:
        ends, matched = self._rows["end"], self._rows["matched"]
        alone = np.flatnonzero(~matched & (ends < passed))
        matched[alone] = True
        alone = alone[np.argsort(ends[alone], kind="stable")]
        return alone + self._rows.first, ends[alone]

    def expire(self, passed: Time) -> None:
        """Forget the rows that no row at `passed` or later can match, and that have been settled."""
        from streamsql.kernels.join import unlink

        count = self._expired(passed)
        if self.keeps and self._until is None:
            count = min(count, int(self._settled["number"][0]) - self._rows.first)
        if count <= 0:
            return
        for c in self._classes:
            keys, following = self._rows[f"key {c}"][:count], self._rows[f"next {c}"][:count]
            unlink(keys, following, self._ends[f"oldest {c}"])
        self._rows.drop(count)
        self.log.drop(count)

    def _expired(self, passed: Time) -> int:
        if passed == END:
            return len(self._rows)
        if self._preceding is None or passed == BEGIN:
            return 0
        if self._by_rows:
            return len(self._rows) - (self._preceding + 1)
        return int(np.searchsorted(self._rows["time"], passed - self._preceding, "left"))

    def live(self, c: int) -> Ids:
        """The keys of a class that rows have, each once."""
        keys = self._rows[f"key {c}"]
        return np.unique(keys[keys != NONE])

    def renumber(self, c: int, kept: Ids, new: Ids) -> None:
        """Only these keys of a class are kept; `new` are the numbers of the old ones, with NONE at the end."""
        self._rows[f"key {c}"][:] = new[self._rows[f"key {c}"]]
        for name in (f"oldest {c}", f"newest {c}"):
            self._ends[name] = self._ends[name][kept]
