"""Joins of streams the obvious way: every row with every other, windows counted anew for each, in Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

Row = dict[str, Any]
Combination = tuple[int | None, ...]
"""The index of each stream's row."""

Condition = Callable[..., bool | None]


@dataclass(frozen=True)
class Window:
    """`unit` is RANGE (milliseconds) or ROWS; None: without end."""

    unit: str
    size: int | None

    @property
    def sql(self) -> str:
        if (self.unit, self.size) == ("RANGE", 0):
            return ""
        if self.size is None:
            return f"OVER ({self.unit} UNBOUNDED PRECEDING)"
        size = f"INTERVAL '{self.size / 1000}' SECOND" if self.unit == "RANGE" else str(self.size)
        return f"OVER ({self.unit} {size} PRECEDING)"


@dataclass(frozen=True)
class Stream:
    """The ROWTIMEs and rows of a stream, and its window."""

    times: Sequence[int]
    rows: Sequence[Row]
    window: Window

    def holds(self, i: int, t: int, arrived: int) -> bool:
        """Whether row `i` is in the window at `t`, when so many rows have arrived."""
        if i >= arrived:
            return False
        if self.window.size is None:
            return True
        return i >= arrived - self.window.size - 1 if self.window.unit == "ROWS" else self.times[i] >= t - self.window.size


def combinations(streams: Sequence[Stream], condition: Condition) -> list[tuple[int, Combination]]:
    """Every combination that matches, with its ROWTIME: when its last row comes, if the others are in their windows."""
    order = sorted((t, p, i) for p, stream in enumerate(streams) for i, t in enumerate(stream.times))
    arrived = [0] * len(streams)
    found: list[tuple[int, Combination]] = []
    for t, p, i in order:
        candidates = [
            [i] if q == p else [j for j in range(arrived[q]) if streams[q].holds(j, t, arrived[q])] for q in range(len(streams))
        ]
        matching = (c for c in product(*candidates) if condition(*(streams[q].rows[j] for q, j in enumerate(c))))
        found += [(t, chosen) for chosen in matching]
        arrived[p] += 1
    return sorted(found)


def joined(left: Stream, right: Stream, kind: str, condition: Condition) -> list[tuple[int, Combination]]:
    """A join of two: the pairs, and the rows that match nothing when they leave their windows."""
    pairs = combinations([left, right], condition)
    alone: list[tuple[int | None, int, int]] = []
    for p, stream in enumerate((left, right)):
        if kind not in ("FULL", ("LEFT", "RIGHT")[p]):
            continue
        matched = {chosen[p] for _, chosen in pairs}
        alone += [(_leaves(stream, i), p, i) for i in range(len(stream.times)) if i not in matched]
    end = max([*left.times, *right.times, *(t for t, _, _ in alone if t is not None)], default=0)
    events = [(t, 0, chosen) for t, chosen in pairs]
    events += [(end if t is None else t, 1, (p, i)) for t, p, i in alone]
    events.sort()
    return [(t, one if not kind_ else ((one[1], None), (None, one[1]))[one[0]]) for t, kind_, one in events]


def _leaves(stream: Stream, i: int) -> int | None:
    """When a row leaves its window; None: at the end."""
    size = stream.window.size
    if size is None:
        return None
    if stream.window.unit == "RANGE":
        return stream.times[i] + size
    return stream.times[i + size + 1] if i + size + 1 < len(stream.times) else None


def joined_again(
    streams: Sequence[Stream], first: str, on: Condition, second: str, on_too: Condition
) -> list[tuple[int, Combination]]:
    """Three streams with RANGE windows, from left to right: a row of two is in its window while both rows are in theirs."""
    *two, right = streams
    left = joined(two[0], two[1], first, on)
    assert right.window.size is not None
    ends = [min(s.times[i] + (s.window.size or 0) for s, i in zip(two, chosen) if i is not None) for _, chosen in left]
    stay = [t + right.window.size for t in right.times]
    events: list[tuple[int, int, int, int, Combination]] = []
    for n, (t, chosen) in enumerate(left):
        rows = [None if i is None else s.rows[i] for s, i in zip(two, chosen)]
        for i, row in enumerate(right.rows):
            at = max(t, right.times[i])
            if ends[n] >= at and stay[i] >= at and on_too(*rows, row):
                events.append((at, 0, n, i, (*chosen, i)))
    matched = {event[2] for event in events}, {event[3] for event in events}
    if second in ("LEFT", "FULL"):
        events += [(ends[n], 1, 0, n, (*left[n][1], None)) for n in range(len(left)) if n not in matched[0]]
    if second in ("RIGHT", "FULL"):
        events += [(stay[i], 1, 1, i, (None, None, i)) for i in range(len(right.rows)) if i not in matched[1]]
    return [(at, chosen) for at, *_, chosen in sorted(events, key=lambda event: event[:4])]
