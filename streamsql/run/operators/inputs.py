"""The rows of several inputs, an instant at a time: those of one ROWTIME go together, when all inputs have passed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from streamsql.operator import State
from streamsql.run.operators.window import times_of
from streamsql.state import Arrays, RowBuffer
from streamsql.time import BEGIN, END, Time
from streamsql.types import Batch


class Inputs:
    """Rows that wait, and how far each input has come."""

    def __init__(self, schemas: Sequence[pa.Schema]) -> None:
        self._waiting = [RowBuffer(schema) for schema in schemas]
        self._bounds = Arrays({"bounds": np.full(len(schemas), BEGIN)})

    @property
    def state(self) -> Mapping[str, State]:
        return {"bounds": self._bounds, **{f"waiting {i}": rows for i, rows in enumerate(self._waiting)}}

    @property
    def passed(self) -> Time:
        """No later row of any input is before this."""
        return int(self._bounds["bounds"].min())

    def push(self, batch: Batch, port: int) -> None:
        """The next rows of an input."""
        self._waiting[port].append(batch)
        self.advance(int(times_of(batch)[-1]), port)

    def advance(self, t: Time, port: int) -> None:
        """No later row of this input is before `t`."""
        bounds = self._bounds["bounds"]
        bounds[port] = max(bounds[port], t)

    def release(self) -> list[Batch]:
        """The waiting rows of each input before the time that all have passed."""
        passed = self.passed
        return [rows.take_while(lambda batch: _before(batch, passed)) for rows in self._waiting]


def _before(batch: Batch, t: Time) -> int:
    return batch.num_rows if t == END else int(np.searchsorted(times_of(batch), t, "left"))
