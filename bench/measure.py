"""What a measurement is, and how one is taken.

Rates are rows per CPU-second of the process, all threads summed, best of several runs: wall time on a shared machine says more
about its other users.  Whole-process figures give CPU seconds and wall seconds of a cold start.
"""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

Query = Callable[[str], object]
"""Runs a query."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One line of the table: our figure and a peer's on the same data.  `less` says that smaller is better."""

    name: str
    unit: str
    ours: float
    peer_name: str = ""
    peer: float | None = None
    less: bool = False

    @property
    def ratio(self) -> float | None:
        """How many times better ours is."""
        if not self.peer or not self.ours:
            return None
        return self.peer / self.ours if self.less else self.ours / self.peer


def cpu_seconds(run: Callable[[], object], repeat: int = 3) -> float:
    """The least CPU time of several runs, after one that is not counted."""
    run()
    best = float("inf")
    for _ in range(repeat):
        begun = time.process_time()
        run()
        best = min(best, time.process_time() - begun)
    return best


def process_seconds(command: Sequence[str], repeat: int = 5) -> tuple[float, float]:
    """CPU and wall seconds of a whole process: the medians of several runs, after one that is not counted.

    Python's bytecode is kept, as it is where packages are installed: otherwise most of a start would be compiling.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    figures: list[tuple[float, float]] = []
    for _ in range(repeat + 1):
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        wall = time.perf_counter() - begun
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        figures.append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall))
    counted = figures[1:]
    return _median([cpu for cpu, _ in counted]), _median([wall for _, wall in counted])


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def table(measurements: Sequence[Measurement]) -> str:
    """The measurements as one aligned table."""
    rows = [("what", "ours", "peer", "", "times better")]
    for m in measurements:
        peer = "" if m.peer is None else f"{_figure(m.peer)} {m.unit}"
        ratio = "" if m.ratio is None else f"{m.ratio:.2f}"
        rows.append((m.name, f"{_figure(m.ours)} {m.unit}", peer, m.peer_name, ratio))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def installed(peers: Mapping[str, Callable[[Path], Query]], folder: Path) -> dict[str, Query]:
    """Those of the peers that are installed, over the tables in a folder."""
    found: dict[str, Query] = {}
    for name, connect in peers.items():
        with suppress(ImportError):
            found[name] = connect(folder)
    return found
