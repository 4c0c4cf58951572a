"""The table in which rows are looked up: complete before the first of them comes, or read as their keys arrive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from streamsql.errors import InternalError
from streamsql.operator import Failed, FailedRow, State
from streamsql.rows import QueryTime, Rows
from streamsql.run.operators.arriving import ArrivingKeys
from streamsql.run.operators.table_index import TableIndex, Wanted
from streamsql.run.operators.window import times_of
from streamsql.state import RowBuffer, joined
from streamsql.types import Batch

Lost = Mapping[int, Sequence[FailedRow]]
"""Rows of the table that are lost, by the rows that asked for them."""


class LookedUpTable:
    """The rows of a table, with an index for each condition on which rows are looked up.

    It is no state: whoever starts the query anew brings it anew.  With `arriving`, of one index, it has the rows of those keys
    that have come.
    """

    def __init__(
        self, schema: pa.Schema, indices: Sequence[TableIndex], time: QueryTime, arriving: ArrivingKeys | None = None
    ) -> None:
        self._indices = tuple(indices)
        self._time = time
        self.arriving = arriving
        self._coming = RowBuffer(schema)
        self._batch: Batch | None = None

    @property
    def batch(self) -> Batch:
        """All of its rows."""
        if self._batch is None:
            raise InternalError("a row is looked up in a table that is not there yet")
        return self._batch

    @property
    def state(self) -> Mapping[str, State]:
        """What a checkpoint saves of it."""
        return {} if self.arriving is None else {"reported keys": self.arriving.reported}

    def append(self, batch: Batch) -> None:
        """Take some of its rows."""
        self._coming.append(batch)

    def complete(self) -> Rows:
        """All that were taken are its rows, in the place of others; gives them, and which of them failed."""
        self._batch = self._coming.take_all()
        rows = Rows(self._batch, self._time)
        for index in self._indices:
            index.build(rows)
        return rows

    def bring(self, batch: Batch, wanted: Wanted) -> Lost:
        """See to it that all rows are there that the rows of a batch can match; gives those that are lost."""
        if self.arriving is None:
            return {}
        batches, lost = self.arriving.bring(wanted.meets, wanted.keys)
        if batches:
            first = self.batch.num_rows
            self._batch = joined([self.batch, *batches], self._coming.schema)
            for index in self._indices:
                index.extend(Rows(self._batch.slice(first), self._time), first)
        if not lost:
            return {}
        times = times_of(batch)
        return {row: [replace(each, time=int(times[row])) for each in failed] for row, failed in lost.items()}


def failed(batch: Batch, rows: Rows, lost: Lost) -> Failed:
    """The rows of a batch that failed and those of the table that are lost, in the order of the batch."""
    own = dict(zip(sorted(rows.failures), Failed.of(batch, rows.failures).rows, strict=True))
    in_order: list[FailedRow] = []
    for row in sorted({*own, *lost}):
        in_order += lost.get(row, ())
        in_order += [own[row]] if row in own else []
    return Failed(tuple(in_order))
