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

    @property
    def written(self) -> int:
        """How many rows have come so far."""
        return self._rows.written if isinstance(self._rows, RowQueue) else self._rows.taken + self._rows.waiting

    def grown(self, seen: int) -> bool:
        """Whether more rows have come than `seen`, or no row will."""
        return self.whole() or self.written != seen

    def ready(self) -> bool:
        """Whether `next` need not wait: for rows, the end, or a failure."""
        return self.whole() or self._arrived()

    def whole(self) -> bool:
        """Whether no row will come beyond those that are there.  A query whose deadline is past ends here."""
        if self._over or not isinstance(self._rows, RowQueue):
            return True
        if self._left() == 0.0 and not self._rows.ended:
            self._session.detach(self._result)
            self._rows.end()
        return self._rows.ended or self._rows.error is not None

    def patience(self, timeout: float | None) -> tuple[float | None, bool]:
        """The seconds to wait at most, and whether it is too long then; otherwise one is to look again."""
        left = self._left()
        if left is None or (timeout is not None and timeout < left):
            return timeout, True
        return left, False

    def next(self, timeout: float | None) -> Batch | None:
        """The next rows, however long they take; None at the end.  Raises OperationalError after `timeout` seconds."""
        while not self.ready():
            self._session.loop.check()
            with self._session.loop.task() as task:
                seconds, too_long = self.patience(timeout)  # within the task: what expires from here on interrupts it
                if not self._session.loop.wait(self._arrived, task, seconds) and too_long:
                    raise no_row_came(seconds)
        return self._take()

    def now(self) -> Batch | None:
        """The next rows, if they are there."""
        if not self.ready():
            return None
        try:
            return self._take()
        except Error:
            return None  # the next one who waits gets it

    def check_ends(self) -> None:
        """Raise ProgrammingError for a query whose last row never comes."""
        plan = self._result.plan
        if self._end is not None or plan is None or not self.running or self.whole():
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

    def expire(self) -> None:
        """From any thread: let the deadline of a query over streams be now.  Who waits at this moment is to be interrupted."""
        if self.running:
            self._end = time.monotonic()

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

    def _arrived(self) -> bool:
        return isinstance(self._rows, RowQueue) and self._rows.ready

    def _take(self) -> Batch | None:
        """The next rows; None at the end, and where there are none yet."""
        if self._over:
            return None
        if isinstance(self._rows, TableRows):
            self._compute(self._rows, 1)
        ended = self._rows.ended  # before they are looked at, for rows may come in between
        batch = self._rows.take()
        if batch is None and ended:
            self.close()
        return batch

    def _compute(self, rows: TableRows, count: int) -> None:
        """Compute until so many rows wait, or all do."""
        with self._session.loop.task() as task:
            while rows.waiting < count and rows.pull():
                task.check()

    def _left(self) -> float | None:
        """The seconds until the deadline, where there is one."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())


def no_row_came(timeout: float | None) -> OperationalError:
    """The error of a wait that took too long."""
    hint = "cursor.timeout sets this limit; the query still runs"
    return OperationalError(f"no row came within {timeout:g} seconds", hint=hint)
