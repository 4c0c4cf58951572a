"""The rows of a result as Python tuples; whoever wants Arrow batches may take over at any row."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import pyarrow as pa

from streamsql.dbapi.dbtypes import Row, rows_of
from streamsql.dbapi.reader import Reader
from streamsql.types import Batch

CONVERTED = 4_096
"""Rows turned into Python values at a time."""


class Tuples:
    """What has been read of a result and not yet fetched; `position` counts the rows that were.

    `timeout` is always in seconds, for each wait; None waits as long as it takes.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.position = 0
        self._batch: Batch | None = None
        self._start = 0
        self._rows: list[Row] = []
        """The rows of the batch from `_start` on, as Python values; `_next` of them were fetched."""
        self._next = 0

    @property
    def at_hand(self) -> bool:
        """Whether the next row can be had without asking the reader."""
        return self._batch is not None and self._start + self._next < self._batch.num_rows

    def one(self, timeout: float | None) -> Row | None:
        """The next row; None at the end."""
        if self._next == len(self._rows) and not self._fill(True, timeout):
            return None
        row = self._rows[self._next]
        self._next += 1
        self.position += 1
        return row

    def many(self, wanted: int, timeout: float | None) -> list[Row]:
        """Up to so many rows.  Of a running query those that are there, at least one; none at the end."""
        found: list[Row] = []
        while len(found) < wanted:
            wait = not found or not self.reader.running
            if self._next == len(self._rows) and not self._fill(wait, timeout):
                break
            rows = self._rows[self._next : self._next + wanted - len(found)]
            self._next += len(rows)
            self.position += len(rows)
            found += rows
        return found

    def all(self, timeout: float | None) -> list[Row]:
        """All rows that are left, of a query that ends."""
        return list(chain.from_iterable(map(rows_of, self.all_batches(timeout))))

    def all_batches(self, timeout: float | None) -> list[Batch]:
        """The same as batches; when waiting for them fails, those that came can still be fetched."""
        self.reader.check_ends()
        batches = self._unread()
        try:
            batches.extend(self.reader.batches(timeout))
        except BaseException:
            self._put_back(batches)
            raise
        self.position += sum(batch.num_rows for batch in batches)
        return batches

    def batches(self, timeout: float | None) -> Iterator[Batch]:
        """The rows that are left, batch by batch."""
        for batch in chain(self._unread(), self.reader.batches(timeout)):
            self.position += batch.num_rows
            yield batch

    def peek(self, count: int) -> Batch:
        """The next rows that are there, up to `count` of them; they can still be fetched."""
        batches = self._unread()
        rows = sum(batch.num_rows for batch in batches)
        while rows < count and (batch := self.reader.now()) is not None:
            batches.append(batch)
            rows += batch.num_rows
        self._put_back(batches)
        return pa.RecordBatch.from_pylist([], self.reader.arrow_schema()) if self._batch is None else self._batch.slice(0, count)

    def _fill(self, wait: bool, timeout: float | None) -> bool:
        """Have the next rows at hand as Python values; False at the end, or when there are none and `wait` is not set."""
        start = self._start + len(self._rows)
        while self._batch is None or start == self._batch.num_rows:
            batch = self.reader.next(timeout) if wait else self.reader.now()
            if batch is None:
                return False
            self._batch, self._start, self._rows, self._next, start = batch, 0, [], 0, 0
        self._rows = rows_of(self._batch.slice(start, CONVERTED))
        self._start, self._next = start, 0
        return True

    def _unread(self) -> list[Batch]:
        """Take what was read and not fetched."""
        if self._batch is None:
            return []
        left = self._batch.slice(self._start + self._next)
        self._batch, self._start, self._rows, self._next = None, 0, [], 0
        return [left] if left.num_rows else []

    def _put_back(self, batches: list[Batch]) -> None:
        """Let batches come before what the reader gives."""
        schema = self.reader.arrow_schema()
        self._batch = pa.concat_batches([with_schema(b, schema) for b in batches]) if batches else None


def with_schema(batch: Batch, schema: pa.Schema) -> Batch:
    """A batch with exactly this schema: NOT NULL is said by the stream, not by what computes its rows."""
    return pa.RecordBatch.from_arrays(batch.columns, schema=schema)
