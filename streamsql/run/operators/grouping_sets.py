"""GroupingSets: GROUP BY a table in several ways at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from streamsql.operator import Failed, Operator, Output, State
from streamsql.time import Time
from streamsql.types import Batch


class GroupingSets(Operator):
    """An aggregate for each set of keys, which gives its keys and the calls; here they get the columns of all `keys`."""

    def __init__(self, schema: pa.Schema, keys: int, parts: Sequence[tuple[tuple[int, ...], Operator]]) -> None:
        self._schema = schema
        self._keys = keys
        self._parts = tuple(parts)

    @property
    def state(self) -> Mapping[str, State]:
        return {f"set {i} {name}": state for i, (_, part) in enumerate(self._parts) for name, state in part.state.items()}

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        for members, part in self._parts:
            yield from (self._widened(members, output) for output in part.push(batch))

    def advance(self, t: Time, port: int = 0) -> Iterator[Output]:
        for members, part in self._parts:
            yield from (self._widened(members, output) for output in part.advance(t))

    @property
    def spilled(self) -> int:
        return sum(part.spilled for _, part in self._parts)

    def close(self) -> None:
        for _, part in self._parts:
            part.close()

    def _widened(self, members: tuple[int, ...], output: Output) -> Output:
        if isinstance(output, Failed):
            return output
        rows = output.num_rows
        keys = [
            output.column(members.index(i)) if i in members else pa.nulls(rows, self._schema.types[i]) for i in range(self._keys)
        ]
        flags = [pa.repeat(pa.scalar(int(i not in members), pa.int64()), rows) for i in range(self._keys)]
        return pa.RecordBatch.from_arrays([*keys, *output.columns[len(members) :], *flags], schema=self._schema)
