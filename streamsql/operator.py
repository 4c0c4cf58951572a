"""What every operator of a running plan is, and what it gives: batches of rows, and rows that failed.

Three of the engine's four sentences are promises of this protocol:

* the rows of a batch, and of one batch after another, are in ROWTIME order;
* `advance` never changes what comes out, it only brings it sooner;
* how the input was cut into batches does not show in the output.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import pyarrow as pa

from streamsql.rows import Failure
from streamsql.time import Time, from_datetime, timestamp_text
from streamsql.types import ROWTIME, Batch


@dataclass(frozen=True, slots=True)
class FailedRow:
    """One lost row: what went wrong, its ROWTIME where it had one, and the row itself (raw record or JSON text).

    `time` is how far its stream had come when it was lost: never lower than that of the operator's row lost before it, so
    that `error_stream` can be put in an order which does not depend on batches.  None: that of `rowtime`.
    """

    failure: Failure
    rowtime: Time | None
    data: bytes
    time: Time | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """Rows that are taken out of the flow; the pipeline passes them to `error_stream`."""

    rows: tuple[FailedRow, ...]

    @staticmethod
    def of(batch: Batch, failures: Mapping[int, Failure], times: Sequence[Time] | None = None) -> Failed:
        """The rows of `batch` at these indices, with why each failed; `times` is how far the stream had come at each row."""
        indices = sorted(failures)
        rows = batch.take(pa.array(indices, pa.int64()))
        is_stream = batch.schema.names[0] == ROWTIME
        rowtimes = rows.column(0).view(pa.int64()).to_pylist() if is_stream else [None] * len(indices)
        records = rows.select(range(int(is_stream), rows.num_columns)).to_pylist()
        return Failed(
            tuple(
                FailedRow(failures[index], rowtime, row_json(record), None if times is None else int(times[index]))
                for index, rowtime, record in zip(indices, rowtimes, records, strict=True)
            )
        )


Output: TypeAlias = Batch | Failed


class State(Protocol):
    """A container of an operator's state (`streamsql.state` has all there are)."""

    def save(self) -> pa.Table:
        """Everything in it, as a table."""
        ...

    def load(self, table: pa.Table) -> None:
        """Become what `save` saw."""
        ...


class Operator:
    """One operator of a running plan.

    Calls never overlap.  An operator has no clock, no thread and does no I/O, but for what memory does not hold and for tables
    that are read as their keys arrive.  Its parameters are given when it is made; all that must outlive a crash is in `state`.
    """

    ports: int = 1
    """How many inputs it has."""

    enters_time: bool = False
    """Whether its rows get a new ROWTIME here, so that the bounds of its input say nothing."""

    @property
    def state(self) -> Mapping[str, State]:
        """The containers that a checkpoint saves, by name."""
        return {}

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        """Take the next rows of an input and give what follows from them."""
        raise NotImplementedError

    def advance(self, t: Time, port: int = 0) -> Iterator[Output]:
        """Take the promise that no later row of this input is before `t`, and give what follows from it."""
        return iter(())

    def bound(self, t: Time) -> Time:
        """What the operator promises in turn once all its inputs have promised `t`: no later output row is before this."""
        return t

    @property
    def open_groups(self) -> int:
        """How many groups of open windows wait in it for their end."""
        return 0

    @property
    def spilled(self) -> int:
        """Bytes that were put on disk, of what memory did not hold."""
        return 0

    def close(self) -> None:
        """Forget what is on disk: the query is over, whichever way it ended."""

    @property
    def done(self) -> bool:
        """Whether it will take no more rows (LIMIT)."""
        return False


def row_json(record: Mapping[str, Any]) -> bytes:
    """A row as one line of JSON, without its ROWTIME."""
    visible = {name: value for name, value in record.items() if name != ROWTIME}
    return json.dumps(visible, default=_json_value, ensure_ascii=False).encode()


def _json_value(value: Any) -> Any:
    if hasattr(value, "hour") and hasattr(value, "year"):
        return timestamp_text(from_datetime(value))
    return value.hex() if isinstance(value, bytes) else str(value)


def batches(outputs: Sequence[Output] | Iterator[Output]) -> Iterator[Batch]:
    """Only the batches of some outputs."""
    return (output for output in outputs if not isinstance(output, Failed))
