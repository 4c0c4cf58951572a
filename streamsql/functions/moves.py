"""How the frames of a sliding window moved while a batch came in."""

from __future__ import annotations

from dataclasses import dataclass

from streamsql.keys import Ids


@dataclass(frozen=True, slots=True)
class Moves:
    """Arrays that say, for each new row in arrival order, which rows left its partition's frame before it came in."""

    ids: Ids
    """(rows,) the partition of each row."""

    partitions: int
    """How many partitions there are so far."""
