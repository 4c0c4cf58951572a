"""What the files have in common that Arrow reads through Python."""

from __future__ import annotations

import io
from abc import abstractmethod

import pyarrow as pa


class RawFile(io.RawIOBase):
    """A file of a known size that is read at any place."""

    def __init__(self, size: int) -> None:
        self._size = size

    @abstractmethod
    def read_buffer(self, size: int | None = -1) -> pa.Buffer:
        """The next bytes, as Arrow takes them without a copy."""

    @abstractmethod
    def read_at(self, size: int, offset: int) -> pa.Buffer:
        """Bytes at a place, in one request."""

    def read(self, size: int | None = -1) -> bytes:
        data: bytes = self.read_buffer(size).to_pybytes()
        return data

    def size(self) -> int:
        return self._size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True
