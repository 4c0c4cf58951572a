"""Blocks of decoded records, and how they are handed out piece by piece."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from streamsql.arrays import numbers
from streamsql.io.source import Polled
from streamsql.operator import Failed, FailedRow
from streamsql.time import BEGIN, Time
from streamsql.types import Batch, Schema


@dataclass(frozen=True, slots=True)
class Decoded:
    """Some records decoded: the rows, and those that failed with their number among all records of the block."""

    rows: Batch
    failed: tuple[tuple[int, FailedRow], ...] = ()

    @property
    def count(self) -> int:
        """How many records these are."""
        return int(self.rows.num_rows) + len(self.failed)


def concatenated(parts: Sequence[Decoded], schema: Schema) -> Decoded:
    """One block from consecutive ones."""
    if len(parts) == 1:
        return parts[0]
    failed: list[tuple[int, FailedRow]] = []
    count = 0
    for part in parts:
        failed += [(number + count, row) for number, row in part.failed]
        count += part.count
    batches = [part.rows for part in parts if part.rows.num_rows]
    return Decoded(pa.concat_batches(batches) if batches else schema.empty(), tuple(failed))


class BlockCursor:
    """The block that is being handed out.

    In a replay each failed record is told how far its stream had come: the highest ROWTIME of the rows in front of it.
    """

    def __init__(self, schema: Schema) -> None:
        self._replay = schema.is_stream
        self._block: Decoded | None = None
        self._failed_before = 0
        self.taken = 0
        """How many records of the block were handed out."""
        self.highest: Time = BEGIN
        """The highest ROWTIME handed out."""

    @property
    def empty(self) -> bool:
        """Whether nothing is left of the block."""
        return self._block is None or self.taken == self._block.count

    def refill(self, block: Decoded | None) -> None:
        """Go on with the next block."""
        self._block = block
        self.taken = self._failed_before = 0

    def take(self, limit: int) -> Polled:
        """Up to `limit` records of the block, which is not empty."""
        assert self._block is not None
        stop = min(self.taken + limit, self._block.count)
        failed = self._block.failed[self._failed_before :]
        failed = failed[: sum(number < stop for number, _ in failed)]
        first = self.taken - self._failed_before
        rows = self._block.rows.slice(first, stop - self.taken - len(failed))
        polled = Polled(rows if rows.num_rows else None, self._timed(rows, failed) if failed else None)
        if self._replay and rows.num_rows:
            self.highest = max(self.highest, int(numbers(rows.column(0)).max()))
        self.taken = stop
        self._failed_before += len(failed)
        return polled

    def pass_over(self, limit: int) -> int:
        """Do as if up to `limit` records had been handed out, and give how many."""
        before = self.taken
        if not self.empty:
            self.take(limit)
        return self.taken - before

    def _timed(self, rows: Batch, failed: Sequence[tuple[int, FailedRow]]) -> Failed:
        if not self._replay:
            return Failed(tuple(row for _, row in failed))
        running = np.maximum.accumulate(np.concatenate([[self.highest], numbers(rows.column(0))]))
        # the k-th failed record of these has its number in the block, less `taken` and k, rows in front of it
        return Failed(tuple(replace(row, time=int(running[number - self.taken - k])) for k, (number, row) in enumerate(failed)))
