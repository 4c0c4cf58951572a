"""Where the rows of an application go: the outputs that are named, or else stdout; the rows of its queries."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from streamsql.attach.attacher import Attacher, SinkOutlet
from streamsql.engine.engine import Engine
from streamsql.engine.foreign import foreign_streams
from streamsql.engine.result import Result
from streamsql.io.open import open_sink
from streamsql.io.sinks.sink import Sink
from streamsql.run import error_stream


class Outputs:
    """The sinks of one run.  `format` is that of stdout, JSON lines where it is None."""

    def __init__(self, engine: Engine, attacher: Attacher, format: str | None) -> None:
        self._engine = engine
        self._attacher = attacher
        self._stdout = f"-?format={format}" if format in ("json", "csv") else "-"
        self._outlets: dict[str, SinkOutlet] = {}
        self._queries: list[tuple[Result, Sink]] = []
        self._on_stdout = False

    @property
    def rows(self) -> Mapping[str, int]:
        """Rows that went to the outputs, by stream."""
        return {name: outlet.rows for name, outlet in self._outlets.items()}

    @property
    def total(self) -> int:
        """Rows that went out, those of queries among them."""
        return sum(self.rows.values()) + sum(result.rows.taken for result, _ in self._queries if result.rows)

    @property
    def answered(self) -> bool:
        """Whether there are queries over streams, all of them have ended, and there is no output besides."""
        running = [result.rows for result, _ in self._queries if result.streaming]
        return bool(running) and not self._outlets and all(rows.ended for rows in running if rows is not None)

    def open(self, staging: Path | None, resume: bool) -> None:
        """After the statements: a sink for each named output; with none, every stream that no pump reads goes to stdout."""
        self._outlets = self._attacher.open_outputs(staging, resume)
        self._on_stdout = not self._attacher.everything.outputs and not self._queries
        if self._on_stdout:
            self._open_stdout()

    def show(self, result: Result) -> None:
        """The rows of a query in the application go to stdout."""
        assert result.rows is not None
        self._queries.append((result, open_sink(self._stdout, result.rows.schema)))
        self.drain()

    def drain(self) -> None:
        """Move what the queries gave to stdout."""
        for result, sink in self._queries:
            assert result.rows is not None
            while (batch := result.rows.take()) is not None:
                sink.write(batch)
            sink.commit(sink.prepare())

    def is_bound(self, stream: str) -> bool:
        """Whether the rows of a stream go where rows with other columns cannot follow."""
        return stream in self._outlets and not self._on_stdout

    def follow(self, gone: Collection[str]) -> None:
        """The application has become another one, in which some streams are gone or new."""
        for name in [name for name in self._outlets if name in gone]:
            del self._outlets[name]
        if self._on_stdout:
            self._open_stdout()

    def prepare(self) -> dict[str, Any]:
        """Make durable what was written, not yet visible; gives what `commit` needs of each stream."""
        return {name: outlet.sink.prepare() for name, outlet in self._outlets.items()}

    def commit(self, staged: Mapping[str, Any]) -> None:
        """Make visible what was prepared."""
        for name, outlet in self._outlets.items():
            outlet.sink.commit(staged[name])

    def close(self, whole: bool) -> None:
        """Close the outputs, complete or to be gone on with."""
        for outlet in self._outlets.values():
            outlet.sink.close() if whole else outlet.sink.abandon()

    def _open_stdout(self) -> None:
        read = {name for pump in self._engine.catalog.pumps.values() for name in pump.reads}
        read |= {error_stream.NAME, *foreign_streams(self._engine.catalog)}
        streams = [stream for stream in self._engine.catalog.streams() if stream.name not in read]
        for name in [name for name in self._outlets if name not in {stream.name for stream in streams}]:
            self._engine.pipeline.hub(name).outlets.remove(self._outlets.pop(name))
        for stream in streams:
            tag = stream.name if len(streams) > 1 else None
            sink = open_sink(self._stdout, stream.schema, stream=tag)
            if stream.name in self._outlets:
                self._outlets[stream.name].sink = sink
            else:
                self._outlets[stream.name] = self._attacher.outlet(stream.name, sink)
