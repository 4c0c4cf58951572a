"""The live table of a run on a terminal."""

from __future__ import annotations

import time

from rich.console import Console
from rich.live import Live
from rich.table import Table

from streamsql.monitor.measures import Measures

REFRESHES_PER_SECOND = 4
RATE_SECONDS = 2.0
"""Rates are those of the last so many seconds."""


class Progress:
    """Rows, rates and lag of each stream; groups of each pump; errors."""

    def __init__(self, console: Console | None = None) -> None:
        self._live = Live("", console=console or Console(stderr=True), auto_refresh=False, transient=True)
        self._live.start()
        self._seen: list[tuple[float, Measures]] = []
        self._shown = 0.0

    def due(self) -> bool:
        """Whether it is time to draw again."""
        return time.monotonic() - self._shown >= 1 / REFRESHES_PER_SECOND

    def show(self, measures: Measures) -> None:
        """Draw the numbers."""
        now = self._shown = time.monotonic()
        self._seen = [(t, m) for t, m in self._seen if now - t < RATE_SECONDS] + [(now, measures)]
        self._live.update(self._table(measures), refresh=True)

    def clear(self) -> None:
        """Take the table away."""
        self._live.stop()

    def _table(self, measures: Measures) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for title in ("", "rows in", "rows out", "rows/s", "lag", "open groups"):
            table.add_column(title, justify="left" if not title else "right")
        for name, stream in measures.streams.items():
            lag = "" if stream.lag_seconds is None else _duration(stream.lag_seconds)
            table.add_row(name, _number(stream.rows_in), _number(stream.rows_out), f"{self._rate(name):,.0f}", lag, "")
        for name, pump in measures.pumps.items():
            if pump.open_groups:
                table.add_row(name, "", _number(pump.rows), "", "", _number(pump.open_groups))
        if measures.error_rows:
            table.add_row("error_stream", "", _number(measures.error_rows), "", "", "", style="red")
        return table

    def _rate(self, name: str) -> float:
        (begun, before), (now, last) = self._seen[0], self._seen[-1]
        if now <= begun:
            return 0.0
        old, new = before.streams.get(name), last.streams[name]
        past = 0 if old is None else (old.rows_in or old.rows_out or 0)
        return ((new.rows_in or new.rows_out or 0) - past) / (now - begun)


def _number(count: int | None) -> str:
    return "" if count is None else f"{count:,}"


def _duration(seconds: float) -> str:
    """A lag as people say it."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:,.1f} s"
