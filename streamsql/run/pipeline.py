"""The graph and the step: the heart of the engine.

    step:  take what each source has ready, drain it through the graph to the outlets, advance the bounds

One thread does all of it, so between two steps nothing is in flight: a checkpoint is a plain read of the state, and graphs are
attached and detached without locks.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa

from streamsql.errors import Error, InternalError
from streamsql.io.source import Source
from streamsql.operator import Failed, FailedRow, Operator, Output
from streamsql.run import error_stream
from streamsql.run.merge import Merge
from streamsql.run.window import times_of
from streamsql.time import BEGIN, END, Clock, Time
from streamsql.types import Batch, Schema

LIVE_ROWS = 8_192
"""Rows taken from a live source in one step: enough for speed, few enough for latency."""

REPLAY_ROWS = 65_536
"""Rows taken from a source that is read as fast as it can be processed, at most."""

STEP_SECONDS = 0.1
"""How long a step of a replay should take: beyond that it takes fewer rows, so that checkpoints and signals are not kept
waiting.  Results do not depend on it."""


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


class Pipeline:
    """All running operators of an engine."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._vertices: dict[str, Vertex] = {}
        self._feeds: dict[str, Feed] = {}
        self._hubs: dict[str, Vertex] = {}
        self._errors = Merge(error_stream.SCHEMA.arrow(), 0)
        self._pending_errors = False
        self.lost: Counter[tuple[str, str]] = Counter()
        """Rows for `error_stream` by pump and error name, counted when they are lost: they may wait to come out in order."""
        self._vacant: list[int] = []
        self._replay_rows = LIVE_ROWS
        errors = Vertex(error_stream.NAME, Merge(error_stream.SCHEMA.arrow(), 1), "null", -1, [BEGIN])
        self._hubs[error_stream.NAME] = errors
        self._error_hub = errors

    # -- building the graph, between steps only ------------------------------------------------------------------------

    def hub(self, stream: str, schema: Schema | None = None) -> Vertex:
        """The vertex of a named stream: what its writers give, merged.  `schema` makes it, where it is not there yet."""
        if stream not in self._hubs:
            if schema is None:
                raise InternalError(f"no stream {stream} in the graph")
            self._hubs[stream] = self.add(f"stream {stream}", Merge(schema.arrow(), 0, open=True), "null")
        return self._hubs[stream]

    def add(self, name: str, operator: Operator, owner: str) -> Vertex:
        """Put an operator into the graph; `owner` is the pump that its errors name."""
        if name in self._vertices:
            raise InternalError(f"two operators called {name}")
        vertex = Vertex(name, operator, owner, self._error_port(), [BEGIN] * operator.ports)
        self._vertices[name] = vertex
        return vertex

    def connect(self, writer: Vertex, reader: Vertex, port: int) -> None:
        """Let `reader` read what `writer` gives from now on."""
        writer.readers.append((reader, port))
        self._advance(reader, port, writer.bound)

    def join(self, writer: Vertex, stream: Vertex) -> None:
        """Let `writer` write to a named stream, behind the writers that it has."""
        self.connect(writer, stream, self.new_writer(stream))

    def new_writer(self, stream: Vertex) -> int:
        """A port of a named stream for one more writer."""
        merge = stream.operator
        assert isinstance(merge, Merge)
        stream.bounds.append(BEGIN)
        return merge.add_port()

    def feed(self, name: str, source: Source, vertex: Vertex, port: int) -> Feed:
        """Let a source's rows enter the graph."""
        feed = Feed(name, source, vertex, port, self._error_port())
        self._feeds[name] = feed
        return feed

    def remove(self, vertices: Iterable[Vertex], writes: tuple[Vertex, int] | None = None) -> None:
        """Take operators out of the graph; `writes` is where their rows went."""
        gone = set(map(id, vertices))
        for vertex in [*self._vertices.values(), self._error_hub]:
            vertex.readers = [(reader, port) for reader, port in vertex.readers if id(reader) not in gone]
        for name, vertex in list(self._vertices.items()):
            if id(vertex) in gone:
                del self._vertices[name]
                self._leave_errors(vertex.error_port)
        if writes is not None:
            self._retire(*writes)

    def _error_port(self) -> int:
        """A port for the lost rows of something new: that of something gone, so that a long session does not fill up."""
        vacant = next((port for port in self._vacant if self._errors.reopen(port)), None)
        if vacant is None:
            return self._errors.add_port()
        self._vacant.remove(vacant)
        return vacant

    def _leave_errors(self, port: int) -> None:
        """Whoever reports lost rows by this port is gone."""
        self._raise_errors(port, END)
        self._vacant.append(port)

    def _retire(self, stream: Vertex, port: int) -> None:
        """A writer of a named stream is gone; the stream waits for another, where it has none left."""
        merge = stream.operator
        assert isinstance(merge, Merge)
        stream.bounds[port] = END
        for output in merge.retire(port):
            self._emit(stream, output)
        self._announce(stream, merge.bound(min(stream.bounds)))

    def remove_hub(self, stream: str) -> None:
        """Take a named stream out of the graph, with the sources that feed it and the operators by which rows enter it."""
        hub = self._hubs.pop(stream)
        gone = [hub, *(v for v in self._vertices.values() if any(reader is hub for reader, _ in v.readers))]
        for name, feed in list(self._feeds.items()):
            if feed.vertex in gone:
                feed.source.close()
                self._leave_errors(feed.error_port)
                del self._feeds[name]
        self.remove(gone)

    # -- the step ------------------------------------------------------------------------------------------------------

    def step(self) -> bool:
        """Take what each source has ready and drain it to the outlets.  Gives whether anything came."""
        begun = time.perf_counter()
        progress = False
        for feed in list(self._feeds.values()):
            if not feed.ended and feed.failed is None:
                progress |= self._pull(feed)
        self.settle()
        if progress:
            self._adapt(time.perf_counter() - begun)
        return progress

    def _adapt(self, seconds: float) -> None:
        """Take fewer rows after a long step, more after a short one."""
        if seconds > 2 * STEP_SECONDS:
            self._replay_rows = max(self._replay_rows // 2, LIVE_ROWS // 16)
        elif seconds < STEP_SECONDS:
            self._replay_rows = min(self._replay_rows * 2, REPLAY_ROWS)

    @property
    def ended(self) -> bool:
        """Whether every source has ended."""
        return all(feed.ended for feed in self._feeds.values())

    @property
    def errors(self) -> Merge:
        """What brings the lost rows of all operators and sources into one order."""
        return self._errors

    @property
    def feeds(self) -> Mapping[str, Feed]:
        return self._feeds

    @property
    def vertices(self) -> Mapping[str, Vertex]:
        return self._vertices

    def finish(self) -> None:
        """Say END on every stream that has no writer, or none any more."""
        for hub in list(self._hubs.values()):
            if all(bound == END for bound in hub.bounds):
                self._announce(hub, END)
        self.settle()

    def push_from_outside(self, vertex: Vertex, port: int, batch: Batch) -> None:
        """Rows that no source brings: INSERT."""
        self._push(vertex, port, batch)

    def advance_from_outside(self, vertex: Vertex, port: int, t: Time) -> None:
        """A promise that no source makes: of INSERT, or of a test's clock."""
        self._advance(vertex, port, t)

    def push_table(self, vertex: Vertex, port: int, given: Iterable[Output]) -> Iterator[Output]:
        """All rows of a table, and its end; gives each batch back when it has passed, the rows that could not be read, and what
        operators gave at the end."""
        for each in given:
            if isinstance(each, Failed):
                self._fail(each, vertex.error_port, vertex.owner)
            elif each.num_rows:
                self._push(vertex, port, each)
            if vertex.operator.done:
                break
            yield each
        if isinstance(given, Generator):
            given.close()
        yield from self._advancing(vertex, port, END)

    def replace_table(self, vertex: Vertex, port: int, batches: Iterable[Batch]) -> None:
        """Other rows in the place of those of a table that is complete."""
        for batch in batches:
            self._push(vertex, port, batch)
        for output in vertex.operator.advance(END, port):
            self._emit(vertex, output)

    def report(self, batch: Batch) -> None:
        """Rows for `error_stream` that were lost outside this graph."""
        rows = error_stream.not_before(self._error_hub.bound, batch)
        if not self._error_hub.readers:
            self._emit(self._error_hub, rows)
            return
        for i in range(rows.num_rows):  # so that what fails in a reader stands behind the row it was given
            self._emit(self._error_hub, rows.slice(i, 1))

    def _fail(self, failed: Failed, port: int, owner: str) -> None:
        """Report rows that were lost; `port` keeps those of one operator or source in their order."""
        self.lost.update((owner, row.failure.name) for row in failed.rows)
        for batch in error_stream.batches_of(failed.rows, owner):
            self._pending_errors = True
            for output in self._errors.push(batch, port):
                self.report(output)

    def _fail_behind_errors(self, failed: Failed, owner: str) -> None:
        """Report what was lost by a reader of `error_stream`: to the outlets alone, since the reader would fail for ever."""
        self.lost.update((owner, row.failure.name) for row in failed.rows)
        for batch in error_stream.batches_of(failed.rows, owner):
            for outlet in self._error_hub.outlets:
                outlet.write(error_stream.not_before(self._error_hub.bound, batch))

    def _behind_errors(self) -> set[Vertex]:
        """The operators that rows of `error_stream` reach."""
        found, todo = set[Vertex](), [self._error_hub]
        while todo:
            for reader, _ in todo.pop().readers:
                if reader not in found:
                    found.add(reader)
                    todo.append(reader)
        return found

    def settle(self) -> None:
        """Let go of the error rows that nothing can come before any more."""
        if not self._pending_errors and not self._error_hub.readers:
            return
        behind = self._behind_errors()
        for vertex in self._vertices.values():
            entered = vertex.operator.enters_time or not vertex.bounds
            passed = vertex.bound if entered else min(vertex.bounds)
            self._raise_errors(vertex.error_port, END if vertex in behind else passed)
        for feed in self._feeds.values():
            passed = feed.vertex.bound if feed.source.schema.is_stream else feed.last
            self._raise_errors(feed.error_port, END if feed.ended else passed)
        self._pending_errors = self._errors.waiting
        if self._errors.lowest != END:
            self._advance(self._error_hub, 0, self._errors.lowest)

    def end_errors(self) -> None:
        """Let go of all error rows: the run is over."""
        for vertex in self._vertices.values():
            self._raise_errors(vertex.error_port, END)
        for feed in self._feeds.values():
            self._raise_errors(feed.error_port, END)
        self._announce(self._error_hub, END)

    def release_errors(self) -> None:
        """Let go of all error rows that are there, though others may yet come before them.

        For a session, in which some stream may stand still for ever.  Where a replay goes on the order is kept instead.
        """
        if not self._pending_errors or any(f.source.schema.is_stream and not f.ended for f in self._feeds.values()):
            return
        for batch in self._errors.flush():
            self.report(batch)
            self._advance(self._error_hub, 0, int(times_of(batch)[-1]))
        self._pending_errors = False

    def _raise_errors(self, port: int, t: Time) -> None:
        for output in self._errors.advance(t, port):
            self.report(output)

    def _pull(self, feed: Feed) -> bool:
        try:
            polled = feed.source.poll(self._replay_rows if feed.source.bounded else LIVE_ROWS)
        except Error as error:
            feed.failed = error
            raise
        timed = feed.source.schema.is_stream
        now = self._clock.now()
        if not timed and (polled.rows is not None or polled.failed is not None):
            feed.last = max(feed.last, now)
        feed.rows += polled.rows.num_rows if polled.rows is not None else 0
        feed.rows += len(polled.failed.rows) if polled.failed is not None else 0
        if polled.failed is not None:
            failed = polled.failed if timed else self._timed(polled.failed, feed)
            self._fail(failed, feed.error_port, "null")
        if polled.rows is not None and polled.rows.num_rows:
            self._push(feed.vertex, feed.port, polled.rows if timed else _arrived(polled.rows, feed.last, feed.source.schema))
        if polled.ended:
            feed.ended = True
            self._advance(feed.vertex, feed.port, END)
        elif not timed:
            feed.last = max(feed.last, now)
            self._advance(feed.vertex, feed.port, feed.last)
        return polled.rows is not None or polled.failed is not None or polled.ended

    def _timed(self, failed: Failed, feed: Feed) -> Failed:
        return Failed(tuple(FailedRow(row.failure, feed.last, row.data) for row in failed.rows))

    def _push(self, vertex: Vertex, port: int, batch: Batch) -> None:
        for output in vertex.operator.push(batch, port):
            self._emit(vertex, output)
        self._announce(vertex, END if vertex.operator.done else vertex.operator.bound(min(vertex.bounds)))

    def _advance(self, vertex: Vertex, port: int, t: Time) -> None:
        for _ in self._advancing(vertex, port, t):
            pass

    def _advancing(self, vertex: Vertex, port: int, t: Time) -> Iterator[Output]:
        """The same, each output being given back when it has passed: there may be more than memory holds."""
        if t <= vertex.bounds[port]:
            return
        vertex.bounds[port] = t
        for output in vertex.operator.advance(t, port):
            self._emit(vertex, output)
            yield output
        yield from self._announcing(vertex, vertex.operator.bound(min(vertex.bounds)))

    def _announce(self, vertex: Vertex, bound: Time) -> None:
        """Pass on what a vertex promises, where that is more than before."""
        for _ in self._announcing(vertex, bound):
            pass

    def _announcing(self, vertex: Vertex, bound: Time) -> Iterator[Output]:
        if bound <= vertex.bound:
            return
        vertex.bound = bound
        if bound == END:
            for outlet in vertex.outlets:
                outlet.end()
        for reader, port in list(vertex.readers):
            yield from self._advancing(reader, port, bound)

    def _emit(self, vertex: Vertex, output: Output) -> None:
        if isinstance(output, Failed):
            if self._error_hub.readers and vertex in self._behind_errors():
                self._fail_behind_errors(output, vertex.owner)
            else:
                self._fail(output, vertex.error_port, vertex.owner)
            return
        for outlet in vertex.outlets:
            outlet.write(output)
        for reader, port in list(vertex.readers):
            self._push(reader, port, output)

    # -- state, between steps ------------------------------------------------------------------------------------------

    def save_state(self) -> dict[str, dict[str, pa.Table]]:
        """The containers of every operator that has some, by the operator's name."""
        saved = {name: {k: s.save() for k, s in vertex.operator.state.items()} for name, vertex in self._vertices.items()}
        saved["errors"] = {k: s.save() for k, s in self._errors.state.items()}
        return {name: containers for name, containers in saved.items() if containers}

    def load_state(self, state: Mapping[str, Mapping[str, pa.Table]]) -> None:
        """Put saved containers back into the operators of the same names."""
        for name, vertex in self._vertices.items():
            for key, container in vertex.operator.state.items():
                container.load(state[name][key])
        for key, container in self._errors.state.items():
            container.load(state["errors"][key])
        self._pending_errors = True

    def save_bounds(self) -> dict[str, list[Time]]:
        """The bounds of every operator: of its inputs, and its own."""
        hubs = {error_stream.NAME: self._error_hub}
        return {name: [*v.bounds, v.bound] for name, v in (*self._vertices.items(), *hubs.items())}

    def load_bounds(self, bounds: Mapping[str, list[Time]]) -> None:
        for name, vertex in (*self._vertices.items(), (error_stream.NAME, self._error_hub)):
            *vertex.bounds, vertex.bound = bounds[name]

    def save_feeds(self) -> dict[str, Any]:
        """Of every source: its position, the highest ROWTIME given by arrival, whether it has ended."""
        return {name: [feed.source.position(), feed.last, feed.ended] for name, feed in self._feeds.items()}

    def load_feeds(self, saved: Mapping[str, Any]) -> None:
        """Let every source go on where it was."""
        for name, feed in self._feeds.items():
            position, feed.last, feed.ended = saved[name]
            feed.source.seek(position)


def _arrived(rows: Batch, now: Time, schema: Schema) -> Batch:
    """Rows of a source without its own time, with the time of their arrival as ROWTIME."""
    rowtime = pa.repeat(pa.scalar(now, pa.timestamp("ms")), rows.num_rows)
    return pa.RecordBatch.from_arrays([rowtime, *rows.columns], schema=Schema.stream(schema.fields).arrow())
