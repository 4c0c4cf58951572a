"""Groups of a table, put together from parts; what memory does not hold waits on disk until all parts are there.

Groups on disk are in parts by a hash of their keys.  In the end one part after the other is put together, so that memory need
hold a fraction of the groups; where that is too much, its groups are parted again by another hash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import pyarrow as pa

from streamsql.functions.aggregates.grouped import Mergeable
from streamsql.keys.interner import Interner
from streamsql.operator import Output, State
from streamsql.rows import Failure
from streamsql.run.operators import spill
from streamsql.run.operators.calls import failures_of, parted
from streamsql.run.operators.spill import Partitions


class Groups:
    """The groups so far: `key_types` are those of their keys, `make` makes what adds them up, one for each call."""

    def __init__(
        self, schema: pa.Schema, key_types: Sequence[pa.DataType], make: Callable[[], list[Mergeable]], level: int = 0
    ) -> None:
        self._schema = schema
        self._key_types = list(key_types)
        self._make = make
        self._level = level
        self._known = Interner(self._key_types)
        self._calls = make()
        types = [*self._key_types, *(type for call in self._calls for type in call.part_types)]
        self._of_parts = pa.schema([(str(i), type) for i, type in enumerate(types)])
        self._aside: Partitions | None = None
        self.spilled = 0
        """Bytes that were put on disk."""

    @property
    def state(self) -> Mapping[str, State]:
        """Of what is in memory: groups of a table are put on disk and read from it within one step."""
        return {"groups": self._known, **{f"call {i} values": call.arrays for i, call in enumerate(self._calls)}}

    def __len__(self) -> int:
        return len(self._known)

    def merge(self, columns: Sequence[pa.Array], count: int) -> None:
        """Parts of so many groups: their keys, then the parts of each call."""
        keys, parts = columns[: len(self._key_types)], iter(columns[len(self._key_types) :])
        ids = self._known.ids(keys, count)
        for call in self._calls:
            call.merge(ids, len(self._known), [next(parts) for _ in call.part_types])
        size = self._known.nbytes + sum(call.nbytes for call in self._calls)
        if size > spill.MEMORY and self._key_types and self._level < spill.DEEPEST:
            self._put_aside()

    def results(self) -> Iterator[Output]:
        """All groups, which are forgotten; without keys there is one, even of no rows."""
        aside = self._aside
        if aside is None:
            yield from self._own()
            return
        self._put_aside()
        self._aside = None
        with aside:
            for part in range(spill.PARTS):
                inner = Groups(self._schema, self._key_types, self._make, self._level + 1)
                try:
                    for batch in aside.part(part):
                        inner.merge(batch.columns, batch.num_rows)
                    yield from inner.results()
                finally:
                    self.spilled += inner.spilled
                    inner.close()

    def close(self) -> None:
        """Forget what is on disk."""
        if self._aside is not None:
            self._aside.close()

    def _put_aside(self) -> None:
        if self._aside is None:
            self._aside = Partitions(self._of_parts, "groups", self._level)
        if len(self._known):
            keys = self._known.columns()
            columns = [*keys, *(part for call in self._calls for part in call.parts())]
            self._aside.write(pa.RecordBatch.from_arrays(columns, schema=self._of_parts), keys)
            self.spilled = self._aside.bytes
        self._known, self._calls = Interner(self._key_types), self._make()

    def _own(self) -> Iterator[Output]:
        count = len(self._known)
        for call in self._calls:
            call.reach(count)
        keys = self._known.columns() if self._key_types else []
        failures: dict[int, Failure] = {}
        values = [call.take(count, failures_of(failures)) for call in self._calls]
        self._known.clear()
        if count:
            yield from parted(pa.RecordBatch.from_arrays([*keys, *values], schema=self._schema), failures)
