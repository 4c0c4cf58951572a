"""The numbers of a running application, taken between two steps."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from streamsql.engine.engine import Engine
from streamsql.run import error_stream
from streamsql.time import BEGIN, END, Time


@dataclass(frozen=True, slots=True)
class StreamMeasures:
    """One stream with an input, an output, or both: rows that have passed, and how far its ROWTIME is behind the clock."""

    rows_in: int | None
    rows_out: int | None
    lag_seconds: float | None


@dataclass(frozen=True, slots=True)
class PumpMeasures:
    """One pump: rows that it wrote, groups in its open windows, bytes of its state (None where they were not asked for)."""

    rows: int
    open_groups: int
    state_bytes: int | None


@dataclass(frozen=True, slots=True)
class Measures:
    """Everything at one moment.  `errors` counts rows of `error_stream` by pump and error name."""

    streams: Mapping[str, StreamMeasures] = field(default_factory=dict)
    pumps: Mapping[str, PumpMeasures] = field(default_factory=dict)
    errors: Mapping[tuple[str, str], int] = field(default_factory=dict)
    steps: int = 0
    step_seconds: float = 0.0
    checkpoints: int = 0

    @property
    def error_rows(self) -> int:
        return sum(self.errors.values())


def measure(engine: Engine, outputs: Mapping[str, int], with_state: bool, **rest: Any) -> Measures:
    """The numbers of an engine; `outputs` are rows written by stream.  `with_state` costs as much as a checkpoint."""
    now = engine.clock.now()
    inputs = {name.removeprefix("input "): feed.rows for name, feed in engine.pipeline.feeds.items()}
    bounds = {name: engine.pipeline.hub(name).bound for name in {*inputs, *outputs} if name in engine.catalog.relations}
    streams = {
        name: StreamMeasures(inputs.get(name), outputs.get(name), _lag(now, bounds.get(name, BEGIN)))
        for name in sorted({*inputs, *outputs} - {error_stream.NAME})
    }
    sizes = _state_sizes(engine) if with_state else {}
    pumps = {
        name: PumpMeasures(
            engine.pumps.rows_written(name), engine.pumps.open_groups(name), sizes.get(name, 0) if with_state else None
        )
        for name in sorted(engine.catalog.pumps)
    }
    return Measures(streams, pumps, dict(engine.pipeline.lost.counts), **rest)


def _lag(now: Time, bound: Time) -> float | None:
    return None if bound in (BEGIN, END) else max(0.0, (now - bound) / 1000)


def _state_sizes(engine: Engine) -> dict[str, int]:
    """Bytes of the operators' containers by pump."""
    owners = {name: vertex.owner for name, vertex in engine.pipeline.vertices.items()}
    sizes: Counter[str] = Counter()
    for name, containers in engine.pipeline.save_state().items():
        sizes[owners.get(name, "")] += sum(table.nbytes for table in containers.values())
    return dict(sizes)


class Exchange:
    """Hands measures from the thread that runs the engine to one that asks for them."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._wanted = threading.Event()
        self._given = threading.Condition()
        self._latest = Measures()
        self._number = 0

    def ask(self, timeout: float) -> Measures:
        """From another thread: the numbers as they are after the step that runs; the last ones when that takes too long."""
        with self._given:
            number = self._number
            self._wanted.set()
            self._wake()
            self._given.wait_for(lambda: self._number > number, timeout)
            return self._latest

    def answer(self, take: Callable[[], Measures]) -> None:
        """From the engine's thread, between two steps: give the numbers where somebody waits for them."""
        if self._wanted.is_set():
            measures = take()
            with self._given:
                self._wanted.clear()
                self._latest = measures
                self._number += 1
                self._given.notify_all()
