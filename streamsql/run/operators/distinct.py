"""Distinct: SELECT DISTINCT, a row when it first appears within its window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from streamsql.keys.interner import Interner
from streamsql.operator import Operator, Output, State
from streamsql.run.operators.window import Windows
from streamsql.time import Time
from streamsql.types import Batch


class Distinct(Operator):
    """What has appeared in `columns` in the open window; `window_key` is the column of a key that goes by value."""

    def __init__(self, schema: pa.Schema, columns: Sequence[int], windows: Windows, window_key: int | None) -> None:
        self._columns = columns
        self._windows = windows
        self._window_key = window_key
        self._seen = Interner([schema.types[i] for i in columns])

    @property
    def state(self) -> Mapping[str, State]:
        return {"seen": self._seen, "window": self._windows.state}

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
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

    def advance(self, t: Time, port: int = 0) -> Iterator[Output]:
        if self._windows.advance(t) is not None:
            self._seen.clear()
        return iter(())
