"""An engine under test: fed step by step, saved and loaded into a new one between steps, held to its promises all the while."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from streamsql.catalog import Table
from streamsql.engine.engine import Engine
from streamsql.engine.result import Result
from streamsql.engine.row_queue import RowQueue
from streamsql.engine.runtime import Writing
from streamsql.errors import Error
from streamsql.run import error_stream
from streamsql.run.graph import Vertex
from streamsql.run.operators.window import times_of
from streamsql.sql.parser import parse
from streamsql.statements.statement import Statement
from streamsql.time import BEGIN, ManualClock, Time
from streamsql.types import Batch


@cache
def parsed(text: str) -> list[Statement]:
    """The statements of a text, parsed once however many engines they run on."""
    return list(parse(text))


class Watch:
    """Holds an operator to the first sentence: its rows are in ROWTIME order, and none is before what it has promised."""

    def __init__(self, vertex: Vertex) -> None:
        self._vertex = vertex
        self._last: Time = BEGIN

    def write(self, batch: Batch) -> None:
        times = times_of(batch)
        name = self._vertex.name
        assert batch.num_rows, f"{name} gives an empty batch"
        assert (np.diff(times) >= 0).all(), f"{name} gives rows out of order"
        assert times[0] >= self._last, f"{name} goes back in time"
        assert times[0] >= self._vertex.bound, f"{name} gives a row before the bound it has promised"
        batch.validate(full=True)
        self._last = int(times[-1])

    def end(self) -> None:
        pass


@dataclass
class Reading:
    """A streaming query at work: what it has given so far."""

    queue: RowQueue
    batches: list[Batch] = field(default_factory=list)
    failure: Error | None = None
    """Why it was broken off: its stream was dropped."""

    @property
    def ended(self) -> bool:
        """Whether no row will follow."""
        return self.queue.ended or self.failure is not None

    def drain(self) -> None:
        """Keep what waits in the queue."""
        if self.failure is not None:
            return
        try:
            while (batch := self.queue.take()) is not None:
                self.batches.append(batch)
        except Error as error:
            self.failure = error

    def rows(self) -> pa.Table:
        """All rows so far."""
        return pa.Table.from_batches(self.batches, self.queue.schema.arrow())


class Session:
    """An engine, and all that was done to it; `lake` is the folder that stands in for S3."""

    def __init__(self, clock: ManualClock, rules: bool = True, lake: Path | None = None) -> None:
        self._clock = clock
        self._rules = rules
        self._lake = lake
        self._done: list[Statement | Table | str] = []  # statements, tables, and the streams that rows came to from outside
        self.engine = self._new_engine()
        self.readings: list[Reading] = []

    def execute(self, statement: Statement) -> Result:
        """Execute a statement; a streaming query is read from now on."""
        result = self.engine.execute(statement)
        self._done.append(statement)
        if result.streaming and result.rows is not None:
            self.readings.append(Reading(result.rows))
        self._watch()
        self._drain()
        return result

    def register(self, table: Table) -> None:
        """A table of its rows."""
        self.engine.catalog.relations[table.name] = table
        self._done.append(table)

    def insert(self, stream: str, batch: Batch) -> None:
        """Rows that bring their ROWTIME."""
        self._enter(stream)
        self.engine.insert_rows(stream, batch, explicit=True)
        self._drain()

    def advance(self, stream: str, t: Time) -> None:
        """A bound for a stream."""
        self._enter(stream)
        self.engine.advance(stream, t)
        self._drain()

    def step(self) -> None:
        """What the engine does when no rows come."""
        self.engine.step()
        self._drain()

    def commit(self) -> None:
        """Let appear what pumps wrote to external tables."""
        self.engine.table_sinks.commit(self.engine.table_sinks.prepare())

    def restart(self) -> None:
        """Go on in a new engine, on which the same statements are executed and the state of this one is loaded."""
        facts, state = _through_files(*self.engine.save())
        tables = json.loads(json.dumps(self.engine.table_sinks.prepare()))
        self.engine.table_sinks.close()
        self.engine = self._new_engine(self.engine.started)
        self.engine.table_sinks.staged = tables
        self.engine.writing = Writing.DONE
        queues: list[RowQueue] = []
        for done in self._done:
            if isinstance(done, Statement):
                result = self.engine.execute(done)
                if result.streaming and result.rows is not None:
                    queues.append(result.rows)
            elif isinstance(done, Table):
                self.engine.catalog.relations[done.name] = done
            else:
                self._touch(done)
        for reading, queue in zip(self.readings, queues, strict=True):
            Reading(queue).drain()  # what statements give when they are executed again was kept the first time
            queue.ended = reading.queue.ended
            reading.queue = queue
        self.engine.writing = Writing.NOW
        self.engine.load(facts, state)
        self.engine.table_sinks.settle()
        self._watch()

    def end(self) -> None:
        """The end of all streams."""
        self.engine.end_inserts()
        self.engine.pipeline.finish()
        self.engine.pipeline.end_errors()
        self._drain()

    def _new_engine(self, started: Time | None = None) -> Engine:
        root = None if self._lake is None else str(self._lake)
        engine = Engine(clock=self._clock, use_rules=self._rules, started=started, s3_root=root)
        engine.table_sinks.staging = None if self._lake is None else self._lake / ".staged"
        return engine

    def _enter(self, stream: str) -> None:
        if stream not in self._done:
            self._done.append(stream)
            self._touch(stream)
            self._watch()

    def _touch(self, stream: str) -> None:
        """Let a stream have the writer that rows from outside enter by."""
        if stream in self.engine.catalog.relations:
            schema = self.engine.catalog.find_stream(stream, None).schema
            self.engine.insert_rows(stream, schema.empty(), explicit=True)

    def _watch(self) -> None:
        pipeline = self.engine.pipeline
        for vertex in (*pipeline.vertices.values(), pipeline.hub(error_stream.NAME)):
            if not any(isinstance(outlet, Watch) for outlet in vertex.outlets):
                vertex.outlets.append(Watch(vertex))

    def _drain(self) -> None:
        for reading in self.readings:
            reading.drain()


def _through_files(facts: dict[str, Any], state: dict[str, dict[str, pa.Table]]) -> tuple[dict[str, Any], Any]:
    """What a checkpoint gives back: JSON, and Arrow IPC files."""
    loaded = {operator: {name: _reread(table) for name, table in held.items()} for operator, held in state.items()}
    return json.loads(json.dumps(facts)), loaded


def _reread(table: pa.Table) -> pa.Table:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return pa.ipc.open_file(sink.getvalue()).read_all()
