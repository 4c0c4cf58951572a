"""Rows to one file of JSON lines or CSV.

With a staging directory the file is exactly once: `prepare` makes the next bytes durable in a part under that directory,
`commit` writes them at their offset of the output.  At every moment, whatever is killed, the output holds a prefix of the
bytes that an undisturbed run writes: a commit only appends, and one that is repeated writes the same bytes at the same
place.  Compressed output gets one member a commit; its offsets count compressed bytes.
"""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from streamsql.errors import OperationalError
from streamsql.io.formats import Encoder
from streamsql.io.sinks.parts import UNFINISHED, PartFile, TextPart
from streamsql.io.sinks.sink import Delivery, Staged
from streamsql.types import Batch

_COPIED = 1 << 20
"""Bytes copied at a time."""


class FileSink:
    """Appends rows to a file, exactly once."""

    delivery = Delivery.EXACTLY_ONCE

    def __init__(self, path: Path, encoder: Encoder, compression: str | None, staging: Path, resume: bool) -> None:
        self._path = path
        self._encoder = encoder
        self._compression = compression
        self._staging = staging
        self._offset = 0
        self._part: PartFile | None = None
        staging.mkdir(parents=True, exist_ok=True)
        self._file = open_output(path, resume)

    def write(self, batch: Batch) -> None:
        self._open_part().write(batch)

    def prepare(self) -> Staged:
        """Complete what was written since the last time, and make it durable."""
        if self._offset == 0 and self._encoder.header:
            self._open_part()
        part, self._part = self._part, None
        staged = {"offset": self._offset, "length": 0}
        if part is None:
            return staged
        name = f"{self._offset}.part"
        return {**staged, "length": part.publish(self._staging / name), "part": name}

    def commit(self, staged: Staged) -> None:
        """Write the prepared bytes at their offset.  What stands behind them was committed by no run, and goes."""
        offset, end = staged["offset"], staged["offset"] + staged["length"]
        part = self._staging / staged["part"] if "part" in staged else None
        size = os.fstat(self._file).st_size
        waiting = part is not None and part.exists()
        if size < (offset if waiting else end):
            raise OperationalError(f"cannot go on with {str(self._path)!r}: it is shorter than it was")
        if part is not None and waiting:
            with part.open("rb") as prepared:
                copy_to(self._file, prepared, offset)
        if size > end:
            os.ftruncate(self._file, end)
        os.fsync(self._file)
        if part is not None:
            part.unlink(missing_ok=True)
        self._offset = end

    def close(self) -> None:
        """See to it that the file has its header or, when it is compressed, a first member."""
        if self._offset == 0:
            self._open_part()
            self.commit(self.prepare())
        self.abandon()

    def abandon(self) -> None:
        if self._part is not None:
            self._part.discard()
            self._part = None
        os.close(self._file)

    def _open_part(self) -> PartFile:
        if self._part is None:
            header = self._offset == 0
            self._part = PartFile(
                self._staging / UNFINISHED, lambda file: TextPart(file, self._encoder, self._compression, header)
            )
        return self._part


class PlainFileSink:
    """Appends rows to a file without a staging directory: a run that crashes begins anew."""

    delivery = Delivery.AT_LEAST_ONCE

    def __init__(self, path: Path, encoder: Encoder, compression: str | None, resume: bool) -> None:
        self._encoder = encoder
        self._compression = compression
        self._file = open_output(path, resume)
        self._offset = 0
        self._written: list[Batch] = []
        self._prepared = b""

    def write(self, batch: Batch) -> None:
        self._written.append(batch)

    def prepare(self) -> Staged:
        if self._written or (self._offset == 0 and self._encoder.header):
            self._prepared += self._member()
        return {}

    def commit(self, staged: Staged) -> None:
        self._offset += copy_to(self._file, BytesIO(self._prepared), self._offset)
        self._prepared = b""

    def close(self) -> None:
        if self._offset == 0:
            self._prepared = self._member()
            self.commit({})
        self.abandon()

    def abandon(self) -> None:
        os.close(self._file)

    def _member(self) -> bytes:
        output = BytesIO()
        part = TextPart(output, self._encoder, self._compression, header=self._offset == 0)
        for batch in self._written:
            part.write(batch)
        self._written = []
        part.finish()
        return output.getvalue()


def open_output(path: Path, resume: bool) -> int:
    """A file to write, empty unless a run goes on.  Raises OperationalError where it cannot be written."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | (0 if resume else os.O_TRUNC), 0o666)
    except OSError as error:
        raise OperationalError(f"cannot write {str(path)!r}: {error.strerror}") from error


def copy_to(file: int, data: BinaryIO, offset: int) -> int:
    """Write all of `data` into a file from an offset on; gives its length."""
    start = offset
    while block := data.read(_COPIED):
        done = 0
        while done < len(block):
            done += os.pwrite(file, block[done:], offset + done)
        offset += len(block)
    return offset - start
