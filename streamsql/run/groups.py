"""Groups of a table, put together from parts; what memory does not hold waits on disk until all parts are there.

Groups on disk are in files by a hash of their keys.  In the end one file after the other is put together, so that memory need
hold a fraction of the groups; where that is too much, its groups are parted again by another hash.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from streamsql.errors import OperationalError
from streamsql.functions.grouped import Mergeable
from streamsql.keys.interner import Interner
from streamsql.operator import Output, State
from streamsql.rows import Failure
from streamsql.run.calls import failures_of, parted
from streamsql.types import Batch

MEMORY = 1 << 30
"""Bytes of groups in memory, beyond which they are put on disk."""

FILES = 16
"""Files that groups are parted into."""

DEEPEST = 5
"""So often groups are parted again: then there are a million parts, and what is too large still is one key's."""


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
        self._aside: Aside | None = None
        self._written = 0

    @property
    def state(self) -> Mapping[str, State]:
        """Of what is in memory: groups of a table are put on disk and read from it within one step."""
        return {"groups": self._known, **{f"call {i} values": call.arrays for i, call in enumerate(self._calls)}}

    def __len__(self) -> int:
        return len(self._known)

    @property
    def spilled(self) -> int:
        """Bytes that were put on disk."""
        return self._written if self._aside is None else self._aside.bytes

    def merge(self, columns: Sequence[pa.Array], count: int) -> None:
        """Parts of so many groups: their keys, then the parts of each call."""
        keys, parts = columns[: len(self._key_types)], iter(columns[len(self._key_types) :])
        ids = self._known.ids(keys, count)
        for call in self._calls:
            call.merge(ids, len(self._known), [next(parts) for _ in call.part_types])
        size = self._known.nbytes + sum(call.nbytes for call in self._calls)
        if size > MEMORY and self._key_types and self._level < DEEPEST:
            self._put_aside()

    def put_aside(self, columns: Sequence[pa.Array]) -> None:
        """The same, onto disk."""
        if self._aside is None:
            self._aside = Aside(len(self._key_types), self._level)
        self._aside.write(columns)

    def results(self) -> Iterator[Output]:
        """All groups, which are forgotten; without keys there is one, even of no rows."""
        aside = self._aside
        if aside is None:
            yield from self._own()
            return
        self._put_aside()
        self._aside, self._written = None, aside.bytes
        with aside:
            for part in aside.parts():
                inner = Groups(self._schema, self._key_types, self._make, self._level + 1)
                for batch in part:
                    inner.merge(batch.columns, batch.num_rows)
                yield from inner.results()

    def _put_aside(self) -> None:
        if len(self._known):
            self.put_aside([*self._known.columns(), *(part for call in self._calls for part in call.parts())])
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


class Aside:
    """Groups on disk, in a folder that goes when it is left."""

    def __init__(self, keys: int, level: int) -> None:
        self.bytes = 0
        self._keys = keys
        self._level = level
        self._folder = tempfile.TemporaryDirectory(prefix="streamsql-groups-")
        self._writers: dict[int, pa.ipc.RecordBatchStreamWriter] = {}

    def __enter__(self) -> Aside:
        return self

    def __exit__(self, *_: object) -> None:
        for writer in self._writers.values():
            writer.close()
        self._folder.cleanup()

    def write(self, columns: Sequence[pa.Array]) -> None:
        """Groups, to the files of their keys.  Raises OperationalError where the disk is full."""
        batch = pa.RecordBatch.from_arrays(list(columns), names=[str(i) for i in range(len(columns))])
        files = _hashes(batch.columns[: self._keys], self._level) % np.uint64(FILES)
        order = np.argsort(files, kind="stable")
        ends = np.searchsorted(files[order], np.arange(FILES + 1, dtype=np.uint64))
        sorted_batch = batch.take(pa.array(order))
        try:
            for file in range(FILES):
                part = sorted_batch.slice(int(ends[file]), int(ends[file + 1] - ends[file]))
                if part.num_rows:
                    self._writer(file, batch.schema).write_batch(part)
        except OSError as error:
            self._folder.cleanup()
            text = f"groups that memory does not hold cannot be put into {self._folder.name!r}: {error.strerror or error}"
            raise OperationalError(text, hint="TMPDIR=DIR names another place") from error
        self.bytes += batch.nbytes

    def parts(self) -> Iterator[Iterator[Batch]]:
        """The groups of each file."""
        for writer in self._writers.values():
            writer.close()
        for file in sorted(self._writers):
            with pa.OSFile(self._path(file)) as source:
                yield iter(pa.ipc.open_stream(source))

    def _writer(self, file: int, schema: pa.Schema) -> pa.ipc.RecordBatchStreamWriter:
        if file not in self._writers:
            self._writers[file] = pa.ipc.new_stream(self._path(file), schema)
        return self._writers[file]

    def _path(self, file: int) -> str:
        return str(Path(self._folder.name) / f"{file}.arrow")


def _hashes(keys: Sequence[pa.Array], level: int) -> npt.NDArray[np.uint64]:
    """A hash of each row's keys: the same for equal keys of one process, and another one for each level."""
    result = np.full(len(keys[0]), np.uint64(level + 1))
    for key in keys:
        encoded = key.dictionary_encode(null_encoding="encode")
        entries = np.array([_hash(value) for value in encoded.dictionary.to_pylist()], np.int64).view(np.uint64)
        result ^= entries[encoded.indices.to_numpy(zero_copy_only=False)] if len(entries) else np.uint64(0)
        for shift, factor in ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)), (np.uint64(27), np.uint64(0x94D049BB133111EB))):
            result ^= result >> shift
            result *= factor
        result ^= result >> np.uint64(31)
    return result


def _hash(value: object) -> int:
    """Python's, but the same of every NaN."""
    return hash(value) if value == value else 0
