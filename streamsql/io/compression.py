"""Compressed text: reading whole files of any number of members, and writing one member."""

from __future__ import annotations

import gzip
from pathlib import PurePath
from typing import Any, BinaryIO

import pyarrow as pa

ENDINGS = {".gz": "gzip", ".zst": "zstd"}
"""What text formats may have behind their own ending, with Arrow's names of the codecs."""


def compression_of(path: str) -> str | None:
    """The codec that the ending of a path means, None for none."""
    return ENDINGS.get(PurePath(path).suffix.lower())


def decompressing(stream: BinaryIO, codec: str) -> BinaryIO:
    """The text of a compressed file."""
    text: BinaryIO = pa.CompressedInputStream(stream, codec)
    return text


def compressing(output: BinaryIO, codec: str | None) -> BinaryIO:
    """A writer of one member; closing it completes the member and leaves `output` open."""
    if codec == "gzip":
        return gzip.GzipFile("", "wb", fileobj=output, mtime=0)  # type: ignore[return-value]
    kept: Any = _KeptOpen(output)
    member: BinaryIO = kept if codec is None else pa.CompressedOutputStream(pa.PythonFile(kept, "w"), codec)
    return member


class _KeptOpen:
    """Another file's writing side, whose end is not that file's end."""

    closed = False

    def __init__(self, output: BinaryIO) -> None:
        self._output = output

    def write(self, data: bytes) -> int:
        return self._output.write(data)

    def flush(self) -> None:
        self._output.flush()

    def close(self) -> None:
        pass
