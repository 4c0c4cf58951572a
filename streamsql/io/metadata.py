"""The system columns of an input: what the service kept of each record besides its data.

Files and pipes keep nothing of that kind, so there are stand-ins, the same after a crash and a restart:

* APPROXIMATE_ARRIVAL_TIME: in a replay the ROWTIME that the row brings; else the time at which it was read.
* SEQUENCE_NUMBER: the number of the row in its input, of as many digits always, so that it sorts as text.
* PARTITION_KEY: the same number, without zeros in front.
* SHARD_ID: rows go to the shards in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.io.source import Polled, Position, Source
from streamsql.time import BEGIN, Clock, Time
from streamsql.types import (
    ARRIVAL_TIME_FIELD,
    PARTITION_KEY_FIELD,
    SEQUENCE_NUMBER_FIELD,
    SHARD_ID_FIELD,
    Batch,
    Field,
    Schema,
)

DIGITS = 20
"""Digits of a sequence number."""


def shard_id(number: int) -> str:
    """The name of a shard."""
    return f"shardId-{number:012d}"


class MetadataSource:
    """A source with system columns behind those that it has."""

    def __init__(self, source: Source, fields: Sequence[Field], clock: Clock, shards: int = 1) -> None:
        self.schema = Schema((*source.schema.fields, *fields))
        self.bounded = source.bounded
        self._source = source
        self._fields = tuple(fields)
        self._clock = clock
        self._shards = shards
        self._count = 0
        self._last: Time = BEGIN

    def poll(self, limit: int) -> Polled:
        polled = self._source.poll(limit)
        if polled.rows is None:
            return polled
        self._last = max(self._last, self._clock.now())
        numbers = np.arange(self._count, self._count + polled.rows.num_rows)
        columns = [_COLUMNS[field](self, polled.rows, numbers) for field in self._fields]
        self._count += polled.rows.num_rows
        return replace(polled, rows=pa.RecordBatch.from_arrays([*polled.rows.columns, *columns], schema=self.schema.arrow()))

    def position(self) -> Position:
        """The place in the source, how many rows it gave, and the last time of arrival."""
        return {"source": self._source.position(), "rows": self._count, "arrival": self._last}

    def seek(self, position: Position) -> None:
        self._source.seek(position["source"])
        self._count, self._last = position["rows"], position["arrival"]

    def grown(self, position: Position) -> bool:
        return self._source.grown(position["source"])

    def close(self) -> None:
        self._source.close()

    def arrival_times(self, rows: Batch, numbers: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pa.Array:
        if self._source.schema.is_stream:
            return rows.column(0)
        return pa.repeat(pa.scalar(self._last, pa.timestamp("ms")), len(numbers))

    def partition_keys(self, rows: Batch, numbers: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pa.Array:
        return pc.cast(pa.array(numbers), pa.string())

    def sequence_numbers(self, rows: Batch, numbers: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pa.Array:
        return pc.ascii_lpad(pc.cast(pa.array(numbers), pa.string()), DIGITS, "0")

    def shard_ids(self, rows: Batch, numbers: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pa.Array:
        shards = pa.array(map(shard_id, range(self._shards)), pa.string())
        return shards.take(pa.array(numbers % self._shards))


_COLUMNS: dict[Field, Callable[[MetadataSource, Batch, np.ndarray[tuple[int], np.dtype[np.int64]]], pa.Array]] = {
    ARRIVAL_TIME_FIELD: MetadataSource.arrival_times,
    PARTITION_KEY_FIELD: MetadataSource.partition_keys,
    SEQUENCE_NUMBER_FIELD: MetadataSource.sequence_numbers,
    SHARD_ID_FIELD: MetadataSource.shard_ids,
}
