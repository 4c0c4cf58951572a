"""Sorted runs of rows on disk, and their merging, block by block.

Of each run a block is in memory.  What is given next are the rows that stand in front of the last one of some block: of the
runs that have more on disk the one whose block ends first.  For no row that is still on disk can come before that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from streamsql.keys.interner import Ids
from streamsql.run.operators import spill
from streamsql.run.operators.spill import SpillFile
from streamsql.state import joined
from streamsql.types import Batch

AT_ONCE = 64
"""So many runs are merged at once; more of them first become fewer."""


class SortedRuns:
    """Runs of rows; `order` gives the order of some rows, equal ones as they stand.  Those of an earlier run come first."""

    def __init__(self, schema: pa.Schema, order: Callable[[Batch], Ids]) -> None:
        self._schema = schema
        self._order = order
        self._file = SpillFile(schema, "rows")
        self._runs: list[list[int]] = []
        self._earlier = 0

    def __enter__(self) -> SortedRuns:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def bytes(self) -> int:
        """What has been written."""
        return self._file.bytes + self._earlier

    def write(self, rows: Batch) -> None:
        """One run, in its order."""
        self._write(iter([rows]))

    def merged(self) -> Iterator[Batch]:
        """All rows in their order."""
        if len(self._runs) <= AT_ONCE:
            yield from self._merge(self._runs)
            return
        with SortedRuns(self._schema, self._order) as fewer:
            for start in range(0, len(self._runs), AT_ONCE):
                fewer._write(self._merge(self._runs[start : start + AT_ONCE]))
            self._earlier += fewer.bytes
            self.close()
            yield from fewer.merged()

    def close(self) -> None:
        """Forget all rows."""
        self._file.close()

    def _write(self, rows: Iterator[Batch]) -> None:
        numbers = [self._file.write(block) for batch in rows for block in cut(batch)]
        self._runs += [numbers] if numbers else []

    def _merge(self, runs: Sequence[Sequence[int]]) -> Iterator[Batch]:
        left = [_Run(self._file, numbers) for numbers in runs]
        while left := [run for run in left if run.fill()]:
            taking, last = self._next(left)
            batch = joined([run.block for run in taking], self._schema)
            order = self._order(batch)
            starts = np.cumsum([0, *(run.block.num_rows for run in taking)])
            if last is not None:
                end = starts[taking.index(last) + 1] - 1
                order = order[: int(np.flatnonzero(order == end)[0]) + 1]
            counts = np.histogram(order, starts)[0]
            for run, count in zip(taking, counts.tolist(), strict=True):
                run.block = run.block.slice(count)
            yield from cut(batch.take(pa.array(order)))

    def _next(self, runs: Sequence[_Run]) -> tuple[Sequence[_Run], _Run | None]:
        """The runs with rows that come next, and the one whose block ends first of those with more; None where none has more."""
        if not any(run.has_more for run in runs):
            return runs, None
        ends = joined([run.block.slice(place, 1) for run in runs for place in (0, run.block.num_rows - 1)], self._schema)
        places = np.argsort(self._order(ends))
        firsts, lasts = places[::2].tolist(), places[1::2].tolist()
        end, last = min((place, i) for i, place in enumerate(lasts) if runs[i].has_more)
        return [run for run, first in zip(runs, firsts, strict=True) if first <= end], runs[last]


class _Run:
    """A run that is read: the rows of its block that are still to be given, and the blocks behind it."""

    def __init__(self, file: SpillFile, numbers: Sequence[int]) -> None:
        self._file = file
        self._numbers = deque(numbers)
        self.block = file.read(self._numbers.popleft())

    @property
    def has_more(self) -> bool:
        """Whether there are rows behind the block."""
        return bool(self._numbers)

    def fill(self) -> bool:
        """Have some rows; False where there are none any more."""
        if not self.block.num_rows and self._numbers:
            self.block = self._file.read(self._numbers.popleft())
        return bool(self.block.num_rows)


def cut(batch: Batch) -> Iterator[Batch]:
    """The same rows in blocks."""
    rows = max(1, batch.num_rows * spill.BLOCK // max(batch.nbytes, 1))
    return (batch.slice(start, rows) for start in range(0, batch.num_rows, rows))
