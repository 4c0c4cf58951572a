"""Limit: the first rows, and then no more are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from streamsql.operator import Operator, Output, State
from streamsql.state import Arrays
from streamsql.types import Batch


class Limit(Operator):
    """How many rows have come in."""

    def __init__(self, count: int | None, offset: int) -> None:
        self._offset = offset
        self._stop = None if count is None else offset + count
        self._seen = Arrays({"rows": np.zeros(1, np.int64)})

    @property
    def state(self) -> Mapping[str, State]:
        return {"seen": self._seen}

    @property
    def done(self) -> bool:
        return self._stop is not None and int(self._seen["rows"][0]) >= self._stop

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        before = int(self._seen["rows"][0])
        self._seen["rows"][0] += batch.num_rows
        start = max(self._offset - before, 0)
        stop = batch.num_rows if self._stop is None else min(max(self._stop - before, 0), batch.num_rows)
        if start < stop:
            yield batch.slice(start, stop - start)
