"""What the graph is made of: operators with their readers, outlets where rows leave, feeds by which they enter."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from streamsql.errors import Error
from streamsql.io.source import Polled, Source
from streamsql.operator import Failed, FailedRow, Operator
from streamsql.time import BEGIN, Clock, Time
from streamsql.types import Batch, Schema


class Outlet(Protocol):
    """Where the rows of a stream leave the graph: a sink, or the queue of a cursor."""

    def write(self, batch: Batch) -> None:
        """Take rows, ROWTIME included."""
        ...

    def end(self) -> None:
        """No row will follow."""
        ...


@dataclass(eq=False)
class Vertex:
    """An operator in the graph, with the bounds of its inputs and those who read its rows."""

    name: str
    operator: Operator
    owner: str
    error_port: int
    bounds: list[Time]
    bound: Time = BEGIN
    readers: list[tuple[Vertex, int]] = field(default_factory=list)
    outlets: list[Outlet] = field(default_factory=list)


@dataclass(eq=False)
class Feed:
    """A source and the vertex its rows enter by; `last` is the highest ROWTIME given to a row by arrival."""

    name: str
    source: Source
    vertex: Vertex
    port: int
    error_port: int
    last: Time = BEGIN
    ended: bool = False
    failed: Error | None = None
    """Why it could not be read any more."""
    rows: int = 0
    """Records read, those that failed among them."""

    @property
    def is_open(self) -> bool:
        """Whether more can come."""
        return not self.ended and self.failed is None

    @property
    def brings_times(self) -> bool:
        """Whether its rows have ROWTIMEs of their own: a replay."""
        return self.source.schema.is_stream

    @property
    def bound(self) -> Time:
        """The time that it has passed."""
        return self.vertex.bound if self.brings_times else self.last

    def poll(self, limit: int, clock: Clock) -> Polled:
        """What its source has, up to `limit` rows: each with a ROWTIME, its own or that of its arrival."""
        try:
            polled = self.source.poll(limit)
        except Error as error:
            self.failed = error
            raise
        rows, failed = polled.rows, polled.failed
        self.rows += (0 if rows is None else rows.num_rows) + (0 if failed is None else len(failed.rows))
        if self.brings_times:
            return polled
        if rows is not None or failed is not None or not polled.ended:
            self.last = max(self.last, clock.now())
        return Polled(
            None if rows is None else _arrived(rows, self.last, self.source.schema),
            None if failed is None else Failed(tuple(FailedRow(row.failure, self.last, row.data) for row in failed.rows)),
            polled.ended,
        )


def _arrived(rows: Batch, now: Time, schema: Schema) -> Batch:
    """Rows of a source without its own time, with the time of their arrival as ROWTIME."""
    rowtime = pa.repeat(pa.scalar(now, pa.timestamp("ms")), rows.num_rows)
    return pa.RecordBatch.from_arrays([rowtime, *rows.columns], schema=Schema.stream(schema.fields).arrow())
