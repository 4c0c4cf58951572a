"""The rows of a query that reads no stream, computed as they are taken, in the thread that takes them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager

from streamsql.operator import Output
from streamsql.run import error_stream
from streamsql.run.graph import Vertex
from streamsql.run.pipeline import Pipeline
from streamsql.types import Batch, Schema

Leaf = tuple[Vertex, int, Iterable[Output]]
"""The rows of a table, and the operator that they are pushed into."""


class TableRows:
    """A small pipeline of its own, run until the next rows come out of it.

    The tables are those that the catalog named when the query was planned.  Rows that fail go to `report`.  From the first
    row to the last the query runs within `watch`.
    """

    error = None

    def __init__(
        self,
        schema: Schema,
        pipeline: Pipeline,
        output: Vertex,
        leaves: Sequence[Leaf],
        report: Callable[[Batch], None],
        watch: AbstractContextManager[None],
    ):
        self.schema = Schema(schema.visible)
        self.ended = False
        self.taken = 0
        self.waiting = 0
        """Rows computed and not yet taken."""
        self._columns = list(schema.visible_indices)
        self._pipeline = pipeline
        self._batches: deque[Batch] = deque()
        output.outlets.append(self)
        pipeline.hub(error_stream.NAME).outlets.append(_Lost(report))
        self._work = self._run(leaves, watch)

    def write(self, batch: Batch) -> None:
        self._batches.append(batch)
        self.waiting += batch.num_rows

    def end(self) -> None:
        pass

    def pull(self) -> bool:
        """Push one more batch of a table through; False when all are."""
        if not self.ended and next(self._work, None) is None:
            self.ended = True
        return not self.ended

    def take(self) -> Batch | None:
        """The next batch of the visible columns."""
        batch = self.take_whole()
        return None if batch is None else batch.select(self._columns)

    def take_whole(self) -> Batch | None:
        """The next batch with all its columns."""
        while not self._batches and self.pull():
            pass
        if not self._batches:
            return None
        batch = self._batches.popleft()
        self.waiting -= batch.num_rows
        self.taken += batch.num_rows
        return batch

    def batches(self, check: Callable[[], None]) -> Iterator[Batch]:
        """All batches with all their columns.  `check` is called between any two steps, whether rows come out or not; it may
        raise what ends it."""
        while self.pull() or self._batches:
            check()
            while self._batches and (batch := self.take_whole()) is not None:
                yield batch

    def close(self) -> None:
        """Compute no more."""
        self.ended = True
        self._work.close()
        self._batches.clear()

    def _run(self, leaves: Sequence[Leaf], watch: AbstractContextManager[None]) -> Generator[bool, None, None]:
        try:
            with watch:
                for vertex, port, batches in leaves:
                    for _ in self._pipeline.push_table(vertex, port, batches):
                        yield True
                self._pipeline.end_errors()
        finally:
            for vertex in self._pipeline.vertices.values():
                vertex.operator.close()


class _Lost:
    """Passes on the rows that failed."""

    def __init__(self, report: Callable[[Batch], None]) -> None:
        self._report = report

    def write(self, batch: Batch) -> None:
        self._report(batch)

    def end(self) -> None:
        pass
