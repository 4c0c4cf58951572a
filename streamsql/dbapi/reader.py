"""Who reads the rows of a result: batch by batch, waiting where that is needed."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pyarrow as pa

from streamsql.engine.layout import ends
from streamsql.engine.result import Result
from streamsql.engine.row_queue import RowQueue
from streamsql.engine.table_rows import TableRows
from streamsql.errors import Error, OperationalError, ProgrammingError
from streamsql.session.session import Session
from streamsql.types import Batch, Schema

READY_ROWS = 65_536
"""Rows of a query over tables that are computed at once; the others when they are asked for."""


class Reader:
    """The rows of one query.  A query over streams is detached when its last row is read, and by `close`.

    With a `deadline` a query over streams ends so many seconds from now: its rows are those that have come by then.
    """

    def __init__(self, session: Session, result: Result, deadline: float | None = None) -> None:
        assert result.rows is not None
        self.running = result.streaming
        """Whether rows come from streams, so that nobody knows how many."""
        self._end = time.monotonic() + deadline if deadline is not None and self.running else None
        self._session = session
        self._result = result
        self._rows: RowQueue | TableRows = result.rows
        self._over = False
        if isinstance(self._rows, TableRows):
            self._compute(self._rows, READY_ROWS)

    @property
    def schema(self) -> Schema:
        return self._rows.schema

    @property
    def count(self) -> int:
        """How many rows there are, -1 as long as that is not known."""
        rows = self._rows
        return rows.taken + rows.waiting if isinstance(rows, TableRows) and rows.ended else -1

    def next(self, timeout: float | None) -> Batch | None:
        """The next rows, however long they take; None at the end.  Raises OperationalError after `timeout` seconds."""
        if self._over:
            return None
        batch = self._of_table(self._rows) if isinstance(self._rows, TableRows) else self._of_queue(self._rows, timeout)
        if batch is None:
            self.close()
        return batch

    def now(self) -> Batch | None:
        """The next rows, if they are there."""
        if self._over or isinstance(self._rows, TableRows):
            return self.next(None)
        self._end_in_time(self._rows)
        try:
            return self._rows.take()
        except Error:
            return None  # the next one who waits gets it

    def check_ends(self) -> None:
        """Raise ProgrammingError for a query whose last row never comes."""
        plan = self._result.plan
        if self._over or not self.running or self._end is not None or plan is None:
            return
        if isinstance(self._rows, RowQueue) and self._rows.ended:
            return
        if not self._session.call(lambda: ends(self._session.engine, plan)):
            hint = "iterate over the cursor, use fetchmany or fetch_record_batch, set cursor.deadline, or add LIMIT to the query"
            raise ProgrammingError("this query goes on for ever: all of its rows will never be there", hint=hint)

    def batches(self, timeout: float | None) -> Iterator[Batch]:
        """All rows that are left."""
        while (batch := self.next(timeout)) is not None:
            yield batch

    def arrow_schema(self) -> pa.Schema:
        return self.schema.arrow()

    def close(self) -> None:
        """Read no more."""
        if self._over:
            return
        self._over = True
        self._rows.close()
        if self.running:
            self._session.detach(self._result)

    def abandon(self) -> None:
        """The same, from a destructor: wait for nothing."""
        if not self._over and self.running:
            self._session.loop.post(self._result.close)
        self._over = True

    def _of_table(self, rows: TableRows) -> Batch | None:
        self._compute(rows, 1)
        return rows.take()

    def _compute(self, rows: TableRows, count: int) -> None:
        """Compute until so many rows wait, or all do."""
        with self._session.loop.task() as task:
            while rows.waiting < count and rows.pull():
                task.check()

    def _of_queue(self, queue: RowQueue, timeout: float | None) -> Batch | None:
        while True:
            left = self._end_in_time(queue)
            ended = queue.ended  # before the queue is looked at, for rows may come in between
            batch = queue.take()
            if batch is not None or ended:
                return batch
            self._session.loop.check()
            patience = min((limit for limit in (left, timeout) if limit is not None), default=None)
            with self._session.loop.task() as task:
                if not self._session.loop.wait(lambda: queue.ready, task, patience) and patience != left:
                    raise no_row_came(timeout)

    def _end_in_time(self, queue: RowQueue) -> float | None:
        """End a query whose deadline is past; gives the seconds until then, None where there is none."""
        if self._end is None or queue.ended:
            return None
        left = self._end - time.monotonic()
        if left <= 0:
            self._session.detach(self._result)
            queue.end()
        return max(0.0, left)


def no_row_came(timeout: float | None) -> OperationalError:
    """The error of a wait that took too long."""
    hint = "cursor.timeout sets this limit; the query still runs"
    return OperationalError(f"no row came within {timeout:g} seconds", hint=hint)
