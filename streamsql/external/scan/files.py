"""The files of external tables: where they are, listed, and opened so that every byte read is counted."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa

from streamsql.errors import OperationalError
from streamsql.external.scan.counts import Counts
from streamsql.external.table import prefix
from streamsql.io.storage import Entry, Storage, path_of, storage_of
from streamsql.io.uri import parse_uri


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of a table: its name as users know it, and where it is."""

    name: str
    storage: Storage
    entry: Entry

    @property
    def version(self) -> tuple[str, int, int]:
        """What is the same only for the same content."""
        return self.entry.path, self.entry.size, self.entry.version

    def failed(self, problem: object) -> OperationalError:
        """The error for a file that cannot be read."""
        text = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
        return OperationalError(f"cannot read {self.name!r}: {text}")


class Files:
    """The storages of one engine.  `s3_root` is the directory that stands in for S3."""

    def __init__(self, s3_root: str | None) -> None:
        self._s3_root = s3_root
        self._storages: dict[str, Storage] = {}

    def of(self, location: str) -> Iterator[DataFile]:
        """The files under a location in name order, without those that the services pass over.

        A location where there is nothing has none.  Raises OperationalError where it cannot be listed.
        """
        uri = parse_uri(prefix(location))
        if uri.scheme not in self._storages:
            self._storages[uri.scheme] = storage_of(uri, self._s3_root)[0]
        storage, root = self._storages[uri.scheme], path_of(uri, self._s3_root)
        try:
            for entry in storage.files(root):
                inner = entry.path[len(root) :]
                if entry.size and not _is_hidden(inner):
                    yield DataFile(prefix(location) + inner, storage, entry)
        except OSError as error:
            raise OperationalError(f"cannot list {location!r}: {error.strerror or error}") from error


def _is_hidden(path: str) -> bool:
    """Whether it is what writers leave behind: names that begin with `.`, `_` or `#`, or end with `~`."""
    return path.endswith(("~", "_$folder$")) or any(part.startswith((".", "_", "#")) for part in path.split("/"))


class CountedFile(io.RawIOBase):
    """A file from which is read at any place; what is read is counted."""

    def __init__(self, file: DataFile, counts: Counts) -> None:
        self._stream: Any = file.storage.open(file.entry.path)
        self._size = file.entry.size
        self._counts = counts

    def read_buffer(self, size: int | None = -1) -> pa.Buffer:
        """The next bytes, as Arrow takes them without a copy."""
        with self._counts.request():
            buffer = self._stream.read_buffer(size)
        self._counts.add(bytes=buffer.size)
        return buffer

    def read(self, size: int | None = -1) -> bytes:
        data: bytes = self.read_buffer(size).to_pybytes()
        return data

    def readinto(self, memory: Any) -> int:
        """The next bytes, into memory of somebody's own; gives how many, 0 at the end."""
        with self._counts.request():
            size = int(self._stream.readinto(memory))
        self._counts.add(bytes=size)
        return size

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self._stream.seek(offset, whence))

    def tell(self) -> int:
        return int(self._stream.tell())

    def size(self) -> int:
        return self._size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._stream.close()
        super().close()


def counted(file: DataFile, counts: Counts) -> CountedFile:
    """A file of a table, to read from its beginning.  Raises OperationalError where it cannot be opened."""
    try:
        stream = CountedFile(file, counts)
    except (OSError, pa.ArrowInvalid) as error:
        raise file.failed(error) from error
    counts.add(files_opened=1)
    return stream


def opened(file: DataFile, counts: Counts) -> BinaryIO:
    """A file of a table, as pyarrow's readers take it.  Raises OperationalError where it cannot be opened."""
    stream: BinaryIO = pa.PythonFile(counted(file, counts), mode="r")
    return stream
