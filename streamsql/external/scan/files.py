"""The files of external tables: where they are, listed, and opened so that every byte read is counted."""

from __future__ import annotations

import atexit
import io
from bisect import bisect_left
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa

from streamsql.errors import OperationalError
from streamsql.external.scan.counts import Counts
from streamsql.external.scan.listing import Listing, listings
from streamsql.external.scan.read_ahead import ReadAhead, finish
from streamsql.external.table import ExternalTable, prefix
from streamsql.io.storages.places import path_of, storage_of
from streamsql.io.storages.raw_file import RawFile
from streamsql.io.storages.storage import LISTERS, Entry, Storage
from streamsql.io.uri import parse_location

LISTED = 100_000
"""Files that are listed ahead of those who read them."""

LAST = "\U0010ffff"
"""The greatest character."""


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

    def failed(self, problem: object, hint: str | None = None) -> OperationalError:
        """The error for a file that cannot be read."""
        text = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
        return OperationalError(f"cannot read {self.name!r}: {text}", hint=hint)


class Files:
    """The storages of one engine.  `s3_root` is the directory that stands in for S3."""

    def __init__(self, s3_root: str | None) -> None:
        self._s3_root = s3_root
        self._storages: dict[str, Storage] = {}

    def of(self, location: str) -> Iterator[DataFile]:
        """The files under a location in name order, without those that the services pass over.

        A location where there is nothing has none.  Raises OperationalError where it cannot be listed.
        """
        storage, root = self._place(location)
        return _wanted(location, storage, root, _entries(location, storage, root))

    def of_all(self, table: ExternalTable, locations: Sequence[str], share: float) -> Generator[Iterator[DataFile], None, None]:
        """The files under each of the locations of a table, which are this share of its partitions (see `listings`).

        Distant ones are listed ahead, several at once, many by one request where they lie together.
        """
        if not self.is_distant(table.location):
            yield from (self.of(location) for location in locations)
            return
        ahead = ReadAhead(listings(table, locations, share), self._listed, lambda found: len(found[1]), LISTERS, LISTED)
        given = iter(ahead)
        listed: dict[int, Iterator[DataFile]] = {}
        try:
            for place in range(len(locations)):
                while place not in listed:
                    listing, entries = next(given)
                    listed.update(self._shared_out(listing, locations, entries))
                yield listed.pop(place)
        finally:
            given.close()

    def is_distant(self, location: str) -> bool:
        """Whether files there are asked for over a network."""
        return self._place(location)[0].distant

    def _place(self, location: str) -> tuple[Storage, str]:
        uri = parse_location(prefix(location))
        if uri.scheme not in self._storages:
            storage = self._storages[uri.scheme] = storage_of(uri, self._s3_root)[0]
            if storage.distant:
                atexit.unregister(finish)
                atexit.register(finish)  # once, and before what the client of S3 does at the end
        return self._storages[uri.scheme], path_of(uri, self._s3_root)

    def _listed(self, listing: Listing) -> Iterator[tuple[Listing, list[Entry]]]:
        storage, root = self._place(listing.folder)
        yield listing, list(_entries(listing.folder, storage, root))

    def _shared_out(
        self, listing: Listing, locations: Sequence[str], entries: list[Entry]
    ) -> Iterator[tuple[int, Iterator[DataFile]]]:
        """What a listing found, by the places of the locations."""
        paths = [entry.path for entry in entries]
        for place in listing.places:
            storage, root = self._place(locations[place])
            first, last = bisect_left(paths, root), bisect_left(paths, root + LAST)
            yield place, _wanted(locations[place], storage, root, iter(entries[first:last]))


def _entries(location: str, storage: Storage, root: str) -> Iterator[Entry]:
    try:
        yield from storage.files(root)
    except OSError as error:
        raise OperationalError(f"cannot list {location!r}: {error.strerror or error}") from error


def _wanted(location: str, storage: Storage, root: str, entries: Iterator[Entry]) -> Iterator[DataFile]:
    """The files among what is listed."""
    for entry in entries:
        inner = entry.path[len(root) :]
        if entry.size and not _is_hidden(inner):
            yield DataFile(prefix(location) + inner, storage, entry)


def _is_hidden(path: str) -> bool:
    """Whether it is what writers leave behind: names that begin with `.`, `_` or `#`, or end with `~`."""
    return path.endswith(("~", "_$folder$")) or any(part.startswith((".", "_", "#")) for part in path.split("/"))


class CountedFile(RawFile):
    """A file from which is read at any place; what is read is counted."""

    def __init__(self, stream: BinaryIO, size: int, counts: Counts) -> None:
        super().__init__(size)
        self._stream: Any = stream
        self._counts = counts

    def read_buffer(self, size: int | None = -1) -> pa.Buffer:
        with self._counts.request():
            buffer = self._stream.read_buffer(size)
        self._counts.add(bytes=buffer.size)
        return buffer

    def read_at(self, size: int, offset: int) -> pa.Buffer:
        with self._counts.request():
            buffer = self._stream.read_at(size, offset)
        self._counts.add(bytes=buffer.size)
        return buffer

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

    def close(self) -> None:
        self._stream.close()
        super().close()


def plainly_opened(file: DataFile) -> BinaryIO:
    """A file of a table, whose bytes are counted by whoever reads it.  Raises OperationalError where it cannot be opened."""
    try:
        return file.storage.open_listed(file.entry)
    except (OSError, pa.ArrowInvalid) as error:
        raise file.failed(error) from error


def counted(file: DataFile, counts: Counts) -> CountedFile:
    """A file of a table, to read from its beginning.  Raises OperationalError where it cannot be opened."""
    return CountedFile(plainly_opened(file), file.entry.size, counts)


def opened(file: DataFile, counts: Counts) -> BinaryIO:
    """A file of a table, as pyarrow's readers take it.  Raises OperationalError where it cannot be opened."""
    stream: BinaryIO = pa.PythonFile(counted(file, counts), mode="r")
    return stream
