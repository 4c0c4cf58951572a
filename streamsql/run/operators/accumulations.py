"""The groups of some rows and the calls that the rows are added to; of a table, whether memory holds the groups or not.

When the groups of a table take more memory than there is, rows that come after that wait on disk, in parts by a hash of their
keys.  In the end the groups of one part after the other get their rows, in the order in which they came: no value depends on
what was on disk.  Where a part is too much, its rows are parted again by another hash.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from streamsql.keys.interner import Interner
from streamsql.operator import State
from streamsql.rows import Failure
from streamsql.run.operators import spill
from streamsql.run.operators.calls import Accumulation, results, states
from streamsql.run.operators.spill import Partitions


@dataclass(frozen=True, slots=True)
class Taken:
    """Groups that are complete: how many, their keys, the values of each call, and why those fail that have none."""

    count: int
    keys: list[pa.Array]
    values: list[pa.Array]
    failures: Mapping[int, Failure]


class Accumulations:
    """Groups as dense ids, and the calls; `level` is how often their rows have been parted, None of those of streams, which stay
    in memory.

    Each level may take half of what the one above it may: that keeps groups, too, while its parts get their rows.
    """

    def __init__(self, key_types: Sequence[pa.DataType], calls: Sequence[Accumulation], level: int | None) -> None:
        self._key_types = list(key_types)
        self._calls = tuple(calls)
        self._level = level
        types = [*self._key_types, *(type for call in self._calls for type in call.types)]
        self._schema = pa.schema([(str(i), type) for i, type in enumerate(types)])
        self._groups = Interner(self._key_types)
        self._waiting: Partitions | None = None
        self.spilled = 0
        """Bytes that were put on disk."""

    @property
    def state(self) -> Mapping[str, State]:
        """Of what is in memory: rows of a table are put on disk and read from it within one step."""
        return {"groups": self._groups, **states(self._calls)}

    def __len__(self) -> int:
        return len(self._groups) if self._key_types else 0

    def add(self, keys: Sequence[pa.Array], arguments: Sequence[Sequence[pa.Array]], count: int) -> None:
        """Rows: their keys, and the arguments of each call."""
        if self._waiting is not None:
            flat = [*keys, *(column for columns in arguments for column in columns)]
            self._waiting.write(pa.RecordBatch.from_arrays(flat, schema=self._schema), keys)
            self.spilled = self._waiting.bytes
            return
        ids = self._groups.ids(keys, count)
        for call, columns in zip(self._calls, arguments, strict=True):
            call.add(ids, len(self._groups), columns)
        if self._level is not None and self._is_too_much(self._level):
            self._waiting = Partitions(self._schema, "rows", self._level)

    def take(self) -> Iterator[Taken]:
        """All groups, which are forgotten; without keys there is one, even of no rows."""
        if self._waiting is None:
            yield self._own()
            return
        with self._waiting as waiting:
            self._waiting = None
            for number, part in enumerate(self._parts()):
                try:
                    for batch in waiting.part(number):
                        part.add(*self._columns(batch.columns), batch.num_rows)
                    yield from part.take()
                finally:
                    self.spilled += part.spilled
                    part.close()

    def close(self) -> None:
        """Forget the rows on disk."""
        if self._waiting is not None:
            self._waiting.close()

    def _is_too_much(self, level: int) -> bool:
        if not self._key_types or level == spill.DEEPEST:
            return False
        return self._groups.nbytes + sum(call.nbytes for call in self._calls) > spill.MEMORY >> (level + 1)

    def _own(self) -> Taken:
        count = len(self._groups)
        keys = self._groups.columns() if self._key_types else []
        values, failures = results(self._calls, count)
        self._groups.clear()
        return Taken(count, keys, values, failures)

    def _parts(self) -> Iterator[Accumulations]:
        """The groups in the parts that their rows are in."""
        assert self._level is not None
        keys, calls = self._groups.columns(), self._calls
        parts = spill.part_of(keys, self._level)
        self._groups.clear()
        for number in range(spill.PARTS):
            groups = np.flatnonzero(parts == number)
            part = Accumulations(self._key_types, [call.of(groups) for call in calls], self._level + 1)
            part._groups.ids([key.take(pa.array(groups)) for key in keys], len(groups))
            yield part

    def _columns(self, columns: Sequence[pa.Array]) -> tuple[list[pa.Array], list[list[pa.Array]]]:
        """The keys, and the arguments of each call, of rows as they are on disk."""
        rest = iter(columns)
        return [next(rest) for _ in self._key_types], [[next(rest) for _ in call.types] for call in self._calls]
