"""The rows of a table that windows are computed over, where memory may not hold them: then they wait on disk, in parts by a hash
of the partition keys that all windows have.

When all are there, the values are computed for one part after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import pyarrow as pa

from streamsql.operator import Operator, Output, State
from streamsql.rows import Evaluate, QueryTime, Rows
from streamsql.run.operators import spill
from streamsql.run.operators.spill import Partitions
from streamsql.state import RowBuffer
from streamsql.time import END, Time
from streamsql.types import Batch


class PartedOver(Operator):
    """`make` makes the operator that computes what memory holds.  The order of the rows is theirs, or that of the parts."""

    def __init__(
        self, input: pa.Schema, keys: Sequence[Evaluate], make: Callable[[], Operator], time: QueryTime, level: int = 0
    ) -> None:
        self._keys = tuple(keys)
        self._make = make
        self._time = time
        self._level = level
        self._rows = RowBuffer(input)
        self._bytes = 0
        self._parts: Partitions | None = None
        self._of_parts = 0

    @property
    def state(self) -> Mapping[str, State]:
        return {"rows": self._rows}

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        self._rows.append(batch)
        self._bytes += batch.nbytes
        much = self._parts is not None or self._bytes > spill.MEMORY // 4  # to compute them takes several times as much
        if much and self._keys and self._level < spill.DEEPEST:
            self._put_aside()
        return iter(())

    def advance(self, t: Time, port: int = 0) -> Iterator[Output]:
        if t != END:
            return
        if self._parts is None:
            whole = self._make()
            yield from whole.push(self._rows.take_all())
            yield from whole.advance(END)
            return
        with self._parts as parts:
            for number in range(spill.PARTS):
                part = PartedOver(self._rows.schema, self._keys, self._make, self._time, self._level + 1)
                try:
                    for batch in parts.part(number):
                        yield from part.push(batch)
                    yield from part.advance(END)
                finally:
                    self._of_parts += part.spilled
                    part.close()

    @property
    def spilled(self) -> int:
        return self._of_parts + (0 if self._parts is None else self._parts.bytes)

    def close(self) -> None:
        if self._parts is not None:
            self._parts.close()

    def _put_aside(self) -> None:
        """The rows in memory, to their parts; what fails is found again, and reported, when the part is looked at."""
        if self._parts is None:
            self._parts = Partitions(self._rows.schema, "rows", self._level)
        rows = Rows(self._rows.take_all(), self._time)
        self._bytes = 0
        self._parts.write(rows.batch, [rows.column(key(rows)) for key in self._keys])
