"""The graph and the step: the heart of the engine.

    step:  take what each source has ready, drain it through the graph to the outlets, advance the bounds

One thread does all of it, so between two steps nothing is in flight: a checkpoint is a plain read of the state, and graphs are
attached and detached without locks.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from streamsql.errors import InternalError
from streamsql.io.source import Source
from streamsql.operator import Failed, Operator, Output
from streamsql.run import error_stream
from streamsql.run.graph import Feed, Vertex
from streamsql.run.lost_rows import LostRows
from streamsql.run.operators.merge import Merge
from streamsql.run.operators.window import times_of
from streamsql.time import BEGIN, END, Clock, Time
from streamsql.types import Batch, Schema

LIVE_ROWS = 8_192
"""Rows taken from a live source in one step: enough for speed, few enough for latency."""

REPLAY_ROWS = 65_536
"""Rows taken from a source that is read as fast as it can be processed, at most."""

STEP_SECONDS = 0.1
"""How long a step of a replay should take: beyond that it takes fewer rows, so that checkpoints and signals are not kept
waiting.  Results do not depend on it."""


class Pipeline:
    """All running operators of an engine."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._vertices: dict[str, Vertex] = {}
        self._feeds: dict[str, Feed] = {}
        self._hubs: dict[str, Vertex] = {}
        self.lost = LostRows()
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
        vertex = Vertex(name, operator, owner, self.lost.new_port(), [BEGIN] * operator.ports)
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
        feed = Feed(name, source, vertex, port, self.lost.new_port())
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
                self._report_all(self.lost.leave(vertex.error_port))
        if writes is not None:
            self._retire(*writes)

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
                self._report_all(self.lost.leave(feed.error_port))
                del self._feeds[name]
        self.remove(gone)

    # -- the step ------------------------------------------------------------------------------------------------------

    def step(self) -> bool:
        """Take what each source has ready and drain it to the outlets.  Gives whether anything came."""
        begun = time.perf_counter()
        progress = False
        for feed in list(self._feeds.values()):
            if feed.is_open:
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
                self._report_all(self.lost.add(each, vertex.error_port, vertex.owner))
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

    def _report_all(self, batches: Iterable[Batch]) -> None:
        for batch in batches:
            self.report(batch)

    def _fail_behind_errors(self, failed: Failed, owner: str) -> None:
        """Report what was lost by a reader of `error_stream`: to the outlets alone, since the reader would fail for ever."""
        self.lost.count(failed, owner)
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
        if not self.lost.pending and not self._error_hub.readers:
            return
        behind = self._behind_errors()
        for vertex in self._vertices.values():
            entered = vertex.operator.enters_time or not vertex.bounds
            passed = vertex.bound if entered else min(vertex.bounds)
            self._report_all(self.lost.advance(END if vertex in behind else passed, vertex.error_port))
        for feed in self._feeds.values():
            self._report_all(self.lost.advance(END if feed.ended else feed.bound, feed.error_port))
        self.lost.pending = self.lost.merge.waiting
        if self.lost.merge.lowest != END:
            self._advance(self._error_hub, 0, self.lost.merge.lowest)

    def end_errors(self) -> None:
        """Let go of all error rows: the run is over."""
        for vertex in self._vertices.values():
            self._report_all(self.lost.advance(END, vertex.error_port))
        for feed in self._feeds.values():
            self._report_all(self.lost.advance(END, feed.error_port))
        self._announce(self._error_hub, END)

    def release_errors(self) -> None:
        """Let go of all error rows that are there, though others may yet come before them.

        For a session, in which some stream may stand still for ever.  Where a replay goes on the order is kept instead.
        """
        if not self.lost.pending or any(f.brings_times and not f.ended for f in self._feeds.values()):
            return
        for batch in self.lost.merge.flush():
            self.report(batch)
            self._advance(self._error_hub, 0, int(times_of(batch)[-1]))
        self.lost.pending = False

    def _pull(self, feed: Feed) -> bool:
        polled = feed.poll(self._replay_rows if feed.source.bounded else LIVE_ROWS, self._clock)
        if polled.failed is not None:
            self._report_all(self.lost.add(polled.failed, feed.error_port, "null"))
        if polled.rows is not None and polled.rows.num_rows:
            self._push(feed.vertex, feed.port, polled.rows)
        if polled.ended:
            feed.ended = True
            self._advance(feed.vertex, feed.port, END)
        elif not feed.brings_times:
            self._advance(feed.vertex, feed.port, feed.last)
        return polled.rows is not None or polled.failed is not None or polled.ended

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
                self._report_all(self.lost.add(output, vertex.error_port, vertex.owner))
            return
        for outlet in vertex.outlets:
            outlet.write(output)
        for reader, port in list(vertex.readers):
            self._push(reader, port, output)

    # -- state, between steps ------------------------------------------------------------------------------------------

    def save_state(self) -> dict[str, dict[str, pa.Table]]:
        """The containers of every operator that has some, by the operator's name."""
        saved = {name: {k: s.save() for k, s in vertex.operator.state.items()} for name, vertex in self._vertices.items()}
        saved["errors"] = {k: s.save() for k, s in self.lost.merge.state.items()}
        return {name: containers for name, containers in saved.items() if containers}

    def load_state(self, state: Mapping[str, Mapping[str, pa.Table]]) -> None:
        """Put saved containers back into the operators of the same names."""
        for name, vertex in self._vertices.items():
            for key, container in vertex.operator.state.items():
                container.load(state[name][key])
        for key, container in self.lost.merge.state.items():
            container.load(state["errors"][key])
        self.lost.pending = True

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
