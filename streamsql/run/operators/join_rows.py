"""What a join handles: rows at their moments, and rows that belong together, as arrays of numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from streamsql.keys.interner import Ids
from streamsql.rows import Mask
from streamsql.run.operators.matching import NONE

ROUND = 16_384
"""Rows whose matches are found together."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Rows that have arrived, in the order of the join: of each its time, its input, its number, its place in its batch.

    Of each input, the numbers that were in its window then go from `least` up to `end`.
    """

    times: Ids
    ports: Ids
    numbers: Ids
    origins: Ids
    least: Sequence[Ids]
    end: Sequence[Ids]

    def rounds(self) -> Iterator[tuple[int, int]]:
        """Stretches of rows, each of whole instants."""
        start = 0
        while start < len(self.times):
            last = min(start + ROUND, len(self.times)) - 1
            stop = int(np.searchsorted(self.times, self.times[last], "right"))
            yield start, stop
            start = stop


@dataclass(frozen=True, slots=True)
class Combinations:
    """Rows that belong together: the number of the row of each input, NONE where there is none; and when."""

    at: Ids
    numbers: Sequence[Ids]

    @staticmethod
    def together(parts: Sequence[Combinations], ports: int) -> Combinations:
        """Some behind others."""
        if len(parts) == 1:
            return parts[0]
        empty = np.zeros(0, np.int64)
        numbers = [np.concatenate([empty, *(part.numbers[port] for part in parts)]) for port in range(ports)]
        return Combinations(np.concatenate([empty, *(part.at for part in parts)]), numbers)

    @staticmethod
    def alone(port: int, numbers: Ids, at: Ids, ports: int) -> Combinations:
        """Rows of one input with none of the others."""
        nothing = np.full(len(numbers), NONE)
        return Combinations(at, [numbers if p == port else nothing for p in range(ports)])

    def __len__(self) -> int:
        return len(self.at)

    def where(self, rows: Ids | Mask) -> Combinations:
        """Some of them, by place or mask."""
        return Combinations(self.at[rows], [numbers[rows] for numbers in self.numbers])


def in_order(keys: Sequence[Ids]) -> Ids:
    """The places of entries in the order of some keys, the first leading: as one number each where that has room for all."""
    if not len(keys[0]):
        return np.zeros(0, np.int64)
    lows = [int(key.min()) for key in keys]
    sizes = [int(key.max()) - low + 1 for key, low in zip(keys, lows, strict=True)]
    if prod(sizes) > 2**63:
        return np.lexsort(keys[::-1])
    code = np.zeros(len(keys[0]), np.int64)
    for key, low, size in zip(keys, lows, sizes, strict=True):
        code = code * size + (key - low)
    return np.argsort(code, kind="stable")
