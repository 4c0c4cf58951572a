"""The pumps at work: what they read and write, and how much."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from streamsql.engine.row_count import RowCount
from streamsql.engine.table_sinks import TableSinks
from streamsql.errors import Error
from streamsql.plan.nodes import Insert
from streamsql.run.built import Built
from streamsql.run.graph import Vertex
from streamsql.run.pipeline import Pipeline
from streamsql.time import END


@dataclass(slots=True)
class _Running:
    """A pump at work: its operators, the port by which it writes its stream (None: an external table), and how much it wrote."""

    built: Built
    target: str
    port: int | None
    written: RowCount


class Pumps:
    """The pumps that run; those of the catalog that do not are stopped.

    `build(plan, name, text)` puts a pump's operators into the pipeline; `detach` takes them out, and from the stream that they
    wrote by one of its ports.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        sinks: TableSinks,
        build: Callable[[Insert, str, str], Built],
        detach: Callable[[Built, tuple[Vertex, int] | None], None],
    ) -> None:
        self._pipeline = pipeline
        self._sinks = sinks
        self._build = build
        self._detach = detach
        self._running: dict[str, _Running] = {}

    def __len__(self) -> int:
        return len(self._running)

    def start(self, name: str, plan: Insert, text: str) -> None:
        """Let a pump of the catalog run, whose statement is `text`; one that runs goes on."""
        if name in self._running:
            return
        built = self._build(plan, name, text)
        port = self._connect_target(name, plan, built)
        written = RowCount()
        built.output.outlets.append(written)
        self._running[name] = _Running(built, plan.target, port, written)

    def _connect_target(self, name: str, plan: Insert, built: Built) -> int | None:
        """Let a pump's rows go where they are to go; gives the port of a stream."""
        if plan.table is None:
            target = self._pipeline.hub(plan.target)
            port = self._pipeline.new_writer(target)
            self._pipeline.connect(built.output, target, port)
            return port
        try:
            sink = self._sinks.open(name, plan.table, lambda: built.output.bound)
        except Error:
            self._detach(built, None)
            raise
        built.output.outlets.append(sink)
        if built.output.bound == END:
            sink.end()
        return None

    def stop(self, name: str) -> None:
        """Take a pump's operators out of the graph."""
        running = self._running.pop(name, None)
        if running is not None:
            port = running.port
            self._detach(running.built, None if port is None else (self._pipeline.hub(running.target), port))
            self._sinks.stop(name)

    def runs(self, name: str) -> bool:
        """Whether a pump of the catalog is at work."""
        return name in self._running

    def rows_written(self, name: str) -> int:
        """Rows that a pump wrote since it was started."""
        return self._running[name].written.rows if name in self._running else 0

    def open_groups(self, name: str) -> int:
        """Groups that wait in the open windows of a pump."""
        return sum(v.operator.open_groups for v in self._running[name].built.vertices) if name in self._running else 0
