"""SetOperation: the rows of a table that another one has (INTERSECT), or has not (EXCEPT), once or as often as it is so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from streamsql.keys.interner import Ids, Interner
from streamsql.operator import Operator, Output, State
from streamsql.run.operators import spill
from streamsql.run.operators.spill import Partitions
from streamsql.state import Arrays
from streamsql.time import END, Time
from streamsql.types import Batch


class SetOperation(Operator):
    """Port 1, the other table, is complete before the first row of port 0 comes.  NULLs are equal.

    By the rows' ids: `others` is how often the other table has a row, `given` how often this one has had it.  `all`: every row
    counts, otherwise only the first of those that are equal.

    Where memory does not hold the different rows, those that come after that wait on disk, in parts by a hash of their values,
    until all are there.  `level` is how often they have been parted.
    """

    ports = 2

    def __init__(self, schema: pa.Schema, common: bool, all: bool, level: int = 0) -> None:
        self._schema = schema
        self._level = level
        self._waiting: tuple[Partitions, Partitions] | None = None
        self._of_parts = 0
        self._common = common
        self._all = all
        self._rows = Interner(schema.types)
        self._counts = Arrays({"others": np.zeros(0, np.int64), "given": np.zeros(0, np.int64)})

    @property
    def state(self) -> Mapping[str, State]:
        return {"rows": self._rows, "counts": self._counts}

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        if self._waiting is not None:
            self._waiting[port].write(pa.RecordBatch.from_arrays(batch.columns, schema=self._schema), batch.columns)
            return
        yield from self._compared(batch, port)
        if self._level < spill.DEEPEST and self._rows.nbytes > spill.MEMORY >> (self._level + 1):
            rows, others = (Partitions(self._schema, "rows", self._level) for _ in range(self.ports))
            self._waiting = rows, others

    def advance(self, t: Time, port: int = 0) -> Iterator[Output]:
        if t == END and port == 0 and self._waiting is not None:
            yield from self._rest(*self._waiting)

    @property
    def spilled(self) -> int:
        return self._of_parts + sum(each.bytes for each in self._waiting or ())

    def close(self) -> None:
        for each in self._waiting or ():
            each.close()

    def _rest(self, rows: Partitions, others: Partitions) -> Iterator[Output]:
        """What the rows on disk give."""
        known = self._rows.columns()
        parts = spill.part_of(known, self._level)
        counts = {name: self._counted(name) for name in self._counts}
        self._rows.clear()
        with rows, others:
            for number in range(spill.PARTS):
                part = SetOperation(self._schema, self._common, self._all, self._level + 1)
                here = parts == number
                part._rows.ids([column.filter(pa.array(here)) for column in known], int(here.sum()))
                part._counts.update({name: count[here] for name, count in counts.items()})
                try:
                    for port, batches in ((1, others.part(number)), (0, rows.part(number))):
                        for batch in batches:
                            yield from part.push(batch, port)
                    yield from part.advance(END)
                finally:
                    self._of_parts += part.spilled
                    part.close()

    def _compared(self, batch: Batch, port: int) -> Iterator[Output]:
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
