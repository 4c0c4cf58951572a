"""A source of generated rows, paced by the clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from streamsql.io.generated import Column
from streamsql.io.source import Polled, Position
from streamsql.time import Clock, Time
from streamsql.types import Schema


@dataclass(frozen=True, slots=True)
class Pace:
    """How many rows there are (None: they never end), how many come in a second (0: as many as can be processed), and the
    ROWTIME of the first and the time between two, in milliseconds, where they bring their own."""

    rows: int | None = None
    rate: float = 10.0
    start: Time | None = None
    every: Time = 100


class GeneratorSource:
    """Rows by their numbers: a position is the number of the next one."""

    def __init__(self, schema: Schema, columns: Sequence[Column], pace: Pace, clock: Clock) -> None:
        self.schema = schema if pace.start is None else Schema.stream(schema.fields)
        self.bounded = pace.rows is not None
        self._columns = tuple(columns)
        self._pace = pace
        self._clock = clock
        self._next = 0
        self._begun: float | None = None

    def poll(self, limit: int) -> Polled:
        count = min(limit, self._due())
        if count <= 0:
            return Polled(ended=self._next == self._pace.rows)
        rows = np.arange(self._next, self._next + count, dtype=np.int64)
        if self._pace.start is None:
            times = np.full(count, self._clock.now(), np.int64)
        else:
            times = self._pace.start + rows * self._pace.every
        columns = [column(rows, times) for column in self._columns]
        if self._pace.start is not None:
            columns = [pa.array(times, pa.timestamp("ms")), *columns]
        self._next += count
        batch = pa.RecordBatch.from_arrays(columns, schema=self.schema.arrow())
        return Polled(batch, ended=self._next == self._pace.rows)

    def _due(self) -> int:
        """How many rows are to come now."""
        left = 2**62 if self._pace.rows is None else self._pace.rows - self._next
        if not self._pace.rate:
            return left
        now = self._clock.now()
        if self._begun is None:
            self._begun = now - self._next * 1000 / self._pace.rate
        return min(left, int((now - self._begun) * self._pace.rate / 1000) + 1 - self._next)

    def position(self) -> Position:
        return {"rows": self._next}

    def seek(self, position: Position) -> None:
        self._next = position["rows"]
        self._begun = None

    def grown(self, position: Position) -> bool:
        return False

    def close(self) -> None:
        pass
