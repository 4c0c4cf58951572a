"""What memory does not hold, on disk: rows in temporary files, and rows parted by a hash of their keys.

The files have no names: they go with the operator that closes them or with the process, however it ends.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from streamsql.errors import OperationalError
from streamsql.keys.codings import FixedWidth, codings
from streamsql.state import joined
from streamsql.types import Batch

MEMORY = 1 << 30
"""Bytes of groups or rows that an operator keeps in memory, about; what is more goes to disk."""

PARTS = 16
"""Parts that rows are put into by their keys."""

DEEPEST = 5
"""So often the rows of a part are parted again: then there are a million parts, and what is too large still is one key's."""

BLOCK = 4 << 20
"""Bytes of rows that are read from disk together, about."""

_COMPRESSION = "lz4" if pa.Codec.is_available("lz4") else None


class SpillFile:
    """Batches of one schema in a temporary file: all are written, then read, each by its number, as often as one likes.

    `what` they are of is said where they cannot be kept.  Raises OperationalError then.
    """

    def __init__(self, schema: pa.Schema, what: str) -> None:
        self.bytes = 0
        """What has been written."""
        self._what = what
        with self._kept():
            self._file: IO[bytes] = tempfile.TemporaryFile(prefix="streamsql-")  # noqa: SIM115 - open as long as rows wait
            options = pa.ipc.IpcWriteOptions(compression=_COMPRESSION)
            self._writer: pa.ipc.RecordBatchFileWriter | None = pa.ipc.new_file(self._file, schema, options=options)
        self._reader: pa.ipc.RecordBatchFileReader | None = None
        self._count = 0

    def __enter__(self) -> SpillFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, batch: Batch) -> int:
        """Gives the number of the batch."""
        assert self._writer is not None
        with self._kept():
            self._writer.write_batch(batch)
            self.bytes = self._file.tell()
        self._count += 1
        return self._count - 1

    def read(self, number: int) -> Batch:
        """A batch; from the first one that is read on, none can be written any more."""
        if self._reader is None:
            assert self._writer is not None
            with self._kept():
                self._writer.close()
                self._file.flush()
            self._writer = None
            self._reader = pa.ipc.open_file(self._file)
        with self._kept():
            return self._reader.get_batch(number)

    def close(self) -> None:
        """Forget all of it."""
        self._writer = self._reader = None
        with suppress(OSError):  # of what is still to be written where there is no room
            self._file.close()

    @contextmanager
    def _kept(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            place = f" in {tempfile.tempdir!r}" if tempfile.tempdir else ""
            text = f"{self._what} that memory does not hold cannot be kept in a temporary file{place}: {error.strerror or error}"
            raise OperationalError(text, hint="TMPDIR=DIR names another place") from error


class Partitions:
    """Rows on disk in parts by a hash of their keys; in each they keep their order."""

    def __init__(self, schema: pa.Schema, what: str, level: int) -> None:
        self._file = SpillFile(schema, what)
        self._schema = schema
        self._level = level
        self._numbers: list[list[int]] = [[] for _ in range(PARTS)]

    def __enter__(self) -> Partitions:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def bytes(self) -> int:
        """What has been written."""
        return self._file.bytes

    def write(self, batch: Batch, keys: Sequence[pa.Array]) -> None:
        """Rows, to the parts of their keys."""
        parts = part_of(keys, self._level)
        order = np.argsort(parts, kind="stable")
        ends = np.searchsorted(parts[order], np.arange(PARTS + 1))
        ordered = batch.take(pa.array(order))
        for numbers, start, end in zip(self._numbers, ends[:-1].tolist(), ends[1:].tolist(), strict=True):
            if start < end:
                numbers.append(self._file.write(ordered.slice(start, end - start)))

    def part(self, number: int) -> Iterator[Batch]:
        """The rows of one part."""
        return blocks(self._file, self._numbers[number], self._schema)

    def close(self) -> None:
        """Forget all rows."""
        self._file.close()


def blocks(file: SpillFile, numbers: Sequence[int], schema: pa.Schema) -> Iterator[Batch]:
    """Some batches of a file, short ones together."""
    waiting: list[Batch] = []
    for number in numbers:
        waiting.append(file.read(number))
        if sum(batch.nbytes for batch in waiting) >= BLOCK:
            yield joined(waiting, schema)
            waiting = []
    if waiting:
        yield joined(waiting, schema)


def part_of(keys: Sequence[pa.Array], level: int) -> npt.NDArray[np.uint8]:
    """The part of each row: the same for equal keys of one process, NULLs among them, and by another hash for each level."""
    hashes = np.full(len(keys[0]), np.uint64(level + 1))
    for key in keys:
        coding = codings(key.type)[-1]
        words = coding.words(key) if isinstance(coding, FixedWidth) else [_text_hashes(key)]
        for word in words:
            hashes = _mixed(hashes ^ word.view(np.uint64))
    return (hashes % np.uint64(PARTS)).astype(np.uint8)


def _text_hashes(key: pa.Array) -> npt.NDArray[np.int64]:
    encoded = key.dictionary_encode(null_encoding="encode")
    of_entries = np.array([hash(value) for value in encoded.dictionary.to_pylist()], np.int64)
    return of_entries[encoded.indices.to_numpy(zero_copy_only=False)] if len(key) else of_entries


def _mixed(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Every bit of the result depends on every bit."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        hashes = (hashes ^ (hashes >> np.uint64(shift))) * np.uint64(factor)
    return hashes ^ (hashes >> np.uint64(31))
