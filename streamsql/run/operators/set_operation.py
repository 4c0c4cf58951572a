"""SetOperation: the rows of a table that another one has (INTERSECT), or has not (EXCEPT), once or as often as it is so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from streamsql.keys.interner import Ids, Interner
from streamsql.operator import Operator, Output, State
from streamsql.state import Arrays
from streamsql.types import Batch


class SetOperation(Operator):
    """Port 1, the other table, is complete before the first row of port 0 comes.  NULLs are equal.

    By the rows' ids: `others` is how often the other table has a row, `given` how often this one has had it.  `all`: every row
    counts, otherwise only the first of those that are equal.
    """

    ports = 2

    def __init__(self, schema: pa.Schema, common: bool, all: bool) -> None:
        self._common = common
        self._all = all
        self._rows = Interner(schema.types)
        self._counts = Arrays({"others": np.zeros(0, np.int64), "given": np.zeros(0, np.int64)})

    @property
    def state(self) -> Mapping[str, State]:
        return {"rows": self._rows, "counts": self._counts}

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        ids = self._rows.ids(batch.columns, batch.num_rows)
        others, given = self._counted("others"), self._counted("given")
        if port == 1:
            np.add.at(others, ids, 1)
            return
        number = given[ids] + _occurrences(ids)
        np.add.at(given, ids, 1)
        if self._all:
            wanted = (number < others[ids]) == self._common
        else:
            wanted = (number == 0) & ((others[ids] > 0) == self._common)
        if wanted.any():
            yield batch.filter(pa.array(wanted))

    def _counted(self, name: str) -> Ids:
        """One of the counts, with a place for every id."""
        counts = self._counts[name]
        self._counts[name] = np.concatenate((counts, np.zeros(len(self._rows) - len(counts), np.int64)))
        return self._counts[name]


def _occurrences(ids: Ids) -> Ids:
    """(rows,) how many rows in front have the same id."""
    order = np.argsort(ids, kind="stable")
    ordered = ids[order]
    begins = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if len(ids) else np.zeros(0, np.int64)
    numbers = np.empty(len(ids), np.int64)
    numbers[order] = np.arange(len(ids)) - np.repeat(begins, np.diff(np.append(begins, len(ids))))
    return numbers
