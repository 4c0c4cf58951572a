"""How INSERT statements enter the streams of an engine, and where their time comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from streamsql.errors import ProgrammingError
from streamsql.rows import QueryTime
from streamsql.run.graph import Vertex
from streamsql.run.operators.retime import Retime
from streamsql.run.pipeline import Pipeline
from streamsql.time import BEGIN, END, Clock, Time
from streamsql.types import Batch, Schema


@dataclass(slots=True)
class _Writer:
    """By which vertex rows enter, whether they bring their own ROWTIME, and the last one given by arrival."""

    vertex: Vertex
    port: int
    explicit: bool
    last: Time = BEGIN


class Inserts:
    """One writer for each stream that INSERT has written: a stream takes its time in one way only.

    Rows with an explicit ROWTIME are their stream's only clock.  The others are stamped when they come, and the wall clock
    gives bounds between them.
    """

    def __init__(self, pipeline: Pipeline, clock: Clock) -> None:
        self._pipeline = pipeline
        self._clock = clock
        self._writers: dict[str, _Writer] = {}

    @property
    def follow_clock(self) -> bool:
        """Whether some stream gets its time from the wall clock."""
        return any(not writer.explicit for writer in self._writers.values())

    def insert(self, stream: str, schema: Schema, rows: Batch, explicit: bool, time: QueryTime) -> None:
        """Rows with the columns of a stream; with ROWTIME in front when they bring their own."""
        writer = self._writer(stream, schema, explicit, time)
        if self._pipeline.hub(stream).bound == END:
            raise ProgrammingError(f"stream {stream} has ended: nothing can follow its last row")
        if not explicit:
            writer.last = max(writer.last, self._clock.now())
            rowtime = pa.repeat(pa.scalar(writer.last, pa.timestamp("ms")), rows.num_rows)
            rows = pa.RecordBatch.from_arrays([rowtime, *rows.columns], schema=schema.arrow())
        if rows.num_rows:
            self._pipeline.push_from_outside(writer.vertex, writer.port, rows)
        if not explicit:
            self._advance(writer, writer.last)

    def promise(self, stream: str, schema: Schema, t: Time, time: QueryTime) -> None:
        """A rowtime bound for a stream that is fed explicit ROWTIMEs."""
        self._advance(self._writer(stream, schema, True, time), t)

    def tick(self) -> None:
        """Let the wall clock give bounds to the streams that take their time from it."""
        now = self._clock.now()
        for writer in self._writers.values():
            if not writer.explicit and now > writer.last:
                writer.last = now
                self._advance(writer, now)

    def end(self) -> None:
        """No INSERT will follow."""
        for writer in self._writers.values():
            self._advance(writer, END)

    def forget(self, stream: str) -> None:
        """The stream is gone."""
        self._writers.pop(stream, None)

    def open(self, stream: str, schema: Schema, explicit: bool, time: QueryTime) -> None:
        """Let a stream have its writer, before any row."""
        self._writer(stream, schema, explicit, time)

    @property
    def streams(self) -> frozenset[str]:
        """The streams that have such a writer."""
        return frozenset(self._writers)

    @property
    def ports(self) -> Mapping[str, int]:
        """The ports by which rows without a ROWTIME enter their streams."""
        return {stream: writer.port for stream, writer in self._writers.items() if not writer.explicit}

    def save(self) -> dict[str, Any]:
        """By stream: whether it is fed explicit ROWTIMEs, and the last one given by arrival."""
        return {stream: (writer.explicit, writer.last) for stream, writer in self._writers.items()}

    def load(self, saved: Mapping[str, Any], schemas: Mapping[str, Schema], time: QueryTime) -> None:
        for stream, (explicit, last) in saved.items():
            self._writer(stream, schemas[stream], explicit, time).last = last

    def _writer(self, stream: str, schema: Schema, explicit: bool, time: QueryTime) -> _Writer:
        found = self._writers.get(stream)
        if found is None:
            hub = self._pipeline.hub(stream)
            port = self._pipeline.new_writer(hub)
            found = _Writer(hub, port, explicit)
            if explicit:
                entry = Retime(schema.arrow(), 0, 0, (), (), time)
                found = _Writer(self._pipeline.add(f"insert {stream}", entry, "null"), 0, explicit)
                self._pipeline.connect(found.vertex, hub, port)
            self._writers[stream] = found
        if found.explicit != explicit:
            has, given = ("explicit", "none") if found.explicit else ("no explicit", "one")
            raise ProgrammingError(f"stream {stream} is fed with {has} ROWTIME, and this INSERT gives {given}")
        return found

    def _advance(self, writer: _Writer, t: Time) -> None:
        if isinstance(writer.vertex.operator, Retime) and t != END:
            writer.vertex.operator.promise(t)
        self._pipeline.advance_from_outside(writer.vertex, writer.port, t)
