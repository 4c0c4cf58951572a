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
from streamsql.io.compression import compressing
from streamsql.io.durable import publish
from streamsql.io.formats import Encoder
from streamsql.io.sink import Delivery, Staged
from streamsql.types import Batch

_COPIED = 1 << 20
"""Bytes copied at a time."""

_UNFINISHED = "unfinished"
"""The part that is being written, in the staging directory."""


class Part:
    """Bytes written between two commits: one member, in a file or in memory."""

    def __init__(self, output: BinaryIO, compression: str | None) -> None:
        self._output = output
        self._member = compressing(output, compression)

    def write(self, data: bytes) -> None:
        self._member.write(data)

    def finish(self) -> BinaryIO:
        """Complete the member; gives the file, which stands at its end."""
        self._member.close()
        self._output.flush()
        return self._output


class FileSink:
    """Appends rows to a file."""

    def __init__(self, path: Path, encoder: Encoder, staging: Path | None, resume: bool, compression: str | None) -> None:
        self.delivery = Delivery.EXACTLY_ONCE if staging else Delivery.AT_LEAST_ONCE
        self._path = path
        self._encoder = encoder
        self._staging = staging
        self._compression = compression
        self._offset = 0
        self._part: Part | None = None
        self._prepared: BinaryIO = BytesIO()
        try:
            if staging is not None:
                staging.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | (0 if resume else os.O_TRUNC), 0o666)
        except OSError as error:
            raise OperationalError(f"cannot write {str(path)!r}: {error.strerror}") from error

    def write(self, batch: Batch) -> None:
        self._open_part().write(self._encoder.encode(batch))

    def prepare(self) -> Staged:
        """Complete what was written since the last time, and make it durable."""
        if self._offset == 0 and self._encoder.header:
            self._open_part()
        part, self._part = self._part, None
        if part is None:
            self._prepared = BytesIO()
            return {"offset": self._offset, "length": 0}
        self._prepared = part.finish()
        staged = {"offset": self._offset, "length": self._prepared.tell()}
        if self._staging is None:
            return staged
        os.fsync(self._prepared.fileno())
        self._prepared.close()
        name = f"{self._offset}.part"
        publish(self._staging / _UNFINISHED, self._staging / name)
        return {**staged, "part": name}

    def commit(self, staged: Staged) -> None:
        """Write the prepared bytes at their offset.  What stands behind them was committed by no run, and goes."""
        offset, length = staged["offset"], staged["length"]
        end = offset + length
        size = os.fstat(self._file).st_size
        part = self._part_of(staged)
        if size < (end if part is None else offset):
            raise OperationalError(f"cannot go on with {str(self._path)!r}: it is shorter than it was")
        if part is not None:
            with part:
                while data := part.read(_COPIED):
                    offset += _write_at(self._file, data, offset)
        if size > end:
            os.ftruncate(self._file, end)
        self._offset = end
        if self._staging is not None:
            os.fsync(self._file)
            if "part" in staged:
                (self._staging / staged["part"]).unlink(missing_ok=True)

    def close(self) -> None:
        """See to it that the file has its header or, when it is compressed, a first member."""
        if self._offset == 0:
            self._open_part()
            self.commit(self.prepare())
        self.abandon()

    def abandon(self) -> None:
        if self._part is not None:
            self._part.finish().close()
            self._part = None
        os.close(self._file)

    def _open_part(self) -> Part:
        if self._part is None:
            output = BytesIO() if self._staging is None else (self._staging / _UNFINISHED).open("wb")
            self._part = Part(output, self._compression)
            if self._offset == 0:
                self._part.write(self._encoder.header)
        return self._part

    def _part_of(self, staged: Staged) -> BinaryIO | None:
        """The prepared bytes; None when they have been written already."""
        if self._staging is None or "part" not in staged:
            self._prepared.seek(0)
            return self._prepared
        part = self._staging / staged["part"]
        return part.open("rb") if part.exists() else None


def _write_at(file: int, data: bytes, offset: int) -> int:
    """Write all of `data` at an offset; gives its length."""
    done = 0
    while done < len(data):
        done += os.pwrite(file, data[done:], offset + done)
    return done
