"""Distinct: SELECT DISTINCT, a row when it first appears within its window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from streamsql.keys.interner import Interner
from streamsql.operator import Operator, Output, State
from streamsql.run.operators import spill
from streamsql.run.operators.spill import Partitions
from streamsql.run.operators.window import WholeInput, Windows
from streamsql.time import END, Time
from streamsql.types import Batch


class Distinct(Operator):
    """What has appeared in `columns` in the open window; `window_key` is the column of a key that goes by value.

    Where memory does not hold what has appeared in a table, the rows that come after that wait on disk, in parts by a hash of
    their values, until all are there.  `level` is how often they have been parted, None of rows of a stream.
    """

    def __init__(
        self, schema: pa.Schema, columns: Sequence[int], windows: Windows, window_key: int | None, level: int | None
    ) -> None:
        self._schema = schema
        self._columns = columns
        self._windows = windows
        self._window_key = window_key
        self._level = level
        self._seen = Interner([schema.types[i] for i in columns])
        self._waiting: Partitions | None = None
        self._spilled = 0

    @property
    def state(self) -> Mapping[str, State]:
        return {"seen": self._seen, "window": self._windows.state}

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        if self._waiting is not None:
            self._waiting.write(batch, [batch.column(i) for i in self._columns])
            return
        key = None if self._window_key is None else batch.column(self._window_key)
        for run in self._windows.runs(batch, key):
            if run.closed is not None:
                self._seen.clear()
            rows = batch.slice(run.start, run.stop - run.start)
            known = len(self._seen)
            ids = self._seen.ids([rows.column(i) for i in self._columns], rows.num_rows)
            _, first = np.unique(ids, return_index=True)
            new = np.sort(first[ids[first] >= known])
            if len(new):
                yield rows.take(pa.array(new))
        if self._level is not None and self._level < spill.DEEPEST and self._seen.nbytes > spill.MEMORY >> (self._level + 1):
            self._waiting = Partitions(self._schema, "rows", self._level)

    def advance(self, t: Time, port: int = 0) -> Iterator[Output]:
        if self._windows.advance(t) is not None:
            if self._waiting is not None and self._level is not None:
                yield from self._rest(self._waiting, self._level)
            self._seen.clear()

    @property
    def spilled(self) -> int:
        return self._spilled + (0 if self._waiting is None else self._waiting.bytes)

    def close(self) -> None:
        if self._waiting is not None:
            self._waiting.close()

    def _rest(self, waiting: Partitions, level: int) -> Iterator[Output]:
        """What first appears in the rows on disk."""
        seen = self._seen.columns()
        parts = spill.part_of(seen, level)
        self._seen.clear()
        with waiting:
            for number in range(spill.PARTS):
                part = Distinct(self._schema, self._columns, WholeInput(), None, level + 1)
                here = pa.array(parts == number)
                part._seen.ids([column.filter(here) for column in seen], int((parts == number).sum()))
                try:
                    for batch in waiting.part(number):
                        yield from part.push(batch)
                    yield from part.advance(END)
                finally:
                    self._spilled += part.spilled
                    part.close()
