"""Combine: the groups of the parts of a table, each added up where it was read, put together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from streamsql.functions.accumulators import Mergeable
from streamsql.keys.interner import Interner
from streamsql.operator import Operator, Output, State
from streamsql.rows import Failure
from streamsql.run.calls import failures_of, parted
from streamsql.time import END, Time
from streamsql.types import Batch


class Combine(Operator):
    """The rows are the keys of a group and the parts of each call (`Mergeable.parts`); it gives each group once, at the end."""

    def __init__(self, schema: pa.Schema, key_types: Sequence[pa.DataType], calls: Sequence[Mergeable]) -> None:
        self._schema = schema
        self._keys = len(key_types)
        self._groups = Interner(key_types)
        self._calls = tuple(calls)

    @property
    def state(self) -> Mapping[str, State]:
        return {"groups": self._groups, **{f"call {i} values": call.arrays for i, call in enumerate(self._calls)}}

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        ids = self._groups.ids(batch.columns[: self._keys], batch.num_rows)
        parts = iter(batch.columns[self._keys :])
        for call in self._calls:
            call.merge(ids, len(self._groups), [next(parts) for _ in call.part_types])
        return iter(())

    def advance(self, t: Time, port: int = 0) -> Iterator[Output]:
        if t == END:
            yield from self._emit()

    @property
    def open_groups(self) -> int:
        return len(self._groups) if self._keys else 0

    def _emit(self) -> Iterator[Output]:
        count = len(self._groups)  # without keys one, even of no rows
        for call in self._calls:
            call.reach(count)
        keys = self._groups.columns() if self._keys else []
        failures: dict[int, Failure] = {}
        values = [call.take(count, failures_of(failures)) for call in self._calls]
        self._groups.clear()
        if count:
            yield from parted(pa.RecordBatch.from_arrays([*keys, *values], schema=self._schema), failures)
