"""Parts: the rows between two commits as a file of their own, complete and durable before it gets its name."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol

import pyarrow as pa

from streamsql.io.compression import compressing
from streamsql.io.formats import Encoder
from streamsql.io.storages.local import sync
from streamsql.io.tables import TableWriter
from streamsql.types import Batch, Schema

UNFINISHED = "unfinished"
"""The name of the part that is being written."""


class Part(Protocol):
    """A part that is being written."""

    def write(self, batch: Batch) -> None:
        """Add rows."""
        ...

    def finish(self) -> int:
        """Complete it; gives its length."""
        ...


NewPart = Callable[[BinaryIO], Part]


class TextPart:
    """Rows as text, compressed as one member."""

    def __init__(self, output: BinaryIO, encoder: Encoder, compression: str | None, header: bool) -> None:
        self._output = output
        self._encoder = encoder
        self._member = compressing(output, compression)
        if header:
            self._member.write(encoder.header)

    def write(self, batch: Batch) -> None:
        self._member.write(self._encoder.encode(batch))

    def finish(self) -> int:
        self._member.close()
        return self._output.tell()


class TablePart:
    """Rows as a file of a table format."""

    def __init__(self, output: BinaryIO, new_writer: Callable[[BinaryIO, pa.Schema], TableWriter], schema: Schema) -> None:
        self._output = output
        self._writer = new_writer(output, Schema(schema.visible).arrow())

    def write(self, batch: Batch) -> None:
        self._writer.write(batch)

    def finish(self) -> int:
        self._writer.close()
        return self._output.tell()


class PartFile:
    """A part in a file, which `publish` gives its name once it is complete."""

    def __init__(self, path: Path, new_part: NewPart) -> None:
        self._path = path
        self._file = self._path.open("wb")
        self._part = new_part(self._file)

    def write(self, batch: Batch) -> None:
        self._part.write(batch)

    def publish(self, path: Path) -> int:
        """Complete the part, make it durable and give it its name; gives its length."""
        length = self._part.finish()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._path.replace(path)
        sync(path.parent)
        return length

    def discard(self) -> None:
        """Forget the part."""
        self._part.finish()
        self._file.close()
        self._path.unlink(missing_ok=True)


class WorkingDirectory:
    """Where parts are written: the staging directory or, without one, a directory that goes when it is given back."""

    def __init__(self, staging: Path | None) -> None:
        self._temporary = None if staging else tempfile.TemporaryDirectory(prefix="streamsql-")
        self.path = staging or Path(self._temporary.name if self._temporary else "")
        self.path.mkdir(parents=True, exist_ok=True)

    def give_back(self) -> None:
        if self._temporary is not None:
            self._temporary.cleanup()
