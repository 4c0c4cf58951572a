"""Shard: the rows of one shard of an input, where its shards go to several streams."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.operator import Operator, Output
from streamsql.types import Batch


class Shard(Operator):
    """The rows whose column `index` says `shard`, with the columns of `schema`, which are the first of the input's."""

    def __init__(self, index: int, shard: str, schema: pa.Schema) -> None:
        self._index = index
        self._shard = shard
        self._schema = schema

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        rows = batch.filter(pc.equal(batch.column(self._index), self._shard))
        if rows.num_rows:
            yield pa.RecordBatch.from_arrays(rows.columns[: len(self._schema)], schema=self._schema)
