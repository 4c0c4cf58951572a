"""The line at the bottom of the screen: what runs, how fast, what went wrong."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from prompt_toolkit.formatted_text import StyleAndTextTuples

if TYPE_CHECKING:
    from streamsql.repl.access import Access

RATE_SECONDS = 2.0
"""The rate is that of the last so many seconds."""


class Toolbar:
    """Text of the bottom line."""

    def __init__(self, loaded: Callable[[], Access | None]) -> None:
        self._loaded = loaded
        self._seen: list[tuple[float, int]] = []

    def text(self) -> StyleAndTextTuples:
        """The pieces of the line, each with its style."""
        access = self._loaded()
        if access is None:
            return [("", " loading ...")]
        running, pumps = len(access.running), len(access.catalog.pumps)
        parts = [access.database or "in memory"]
        parts.append(f"{running} of {pumps} pumps running" if running < pumps else f"{_counted(running, 'pump')} running")
        parts.append(f"{self._rate(access.rows_in):,.0f} rows/s")
        line: StyleAndTextTuples = [("", " " + "  │  ".join(parts))]
        errors = access.errors
        if errors:
            line += [("", "  │  "), ("class:bottom-toolbar.errors", _counted(errors, "error")), ("", " (\\errors)")]
        return [*line, ("", "  │  \\? help ")]

    def _rate(self, rows: int) -> float:
        now = time.monotonic()
        self._seen = [(t, n) for t, n in self._seen if now - t < RATE_SECONDS] + [(now, rows)]
        (begun, before), (_, last) = self._seen[0], self._seen[-1]
        return (last - before) / (now - begun) if now > begun else 0.0


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
