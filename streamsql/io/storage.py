"""Where files are: the local file system, or S3.

`s3://bucket/key` is `DIR/bucket/key` when a directory stands in for S3 (`--s3-root`, or the variable STREAMSQL_S3_ROOT).
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import pyarrow as pa

from streamsql.errors import OperationalError, not_supported
from streamsql.io.uri import Uri

S3_ROOT = "STREAMSQL_S3_ROOT"
WILD = re.compile(r"[*?[]")
"""What makes a path a glob."""

LISTERS = 16
"""Requests to a distant storage for listings that are under way at once."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file as a listing shows it; a file with another `version` or size is another file."""

    path: str
    size: int
    version: int


class Storage(Protocol):
    """Files by path."""

    distant: bool
    """Whether every request takes its time, so that few large ones are better than many small ones."""

    def expand(self, pattern: str) -> list[str]:
        """The files that a path or glob means, in name order; none when there is no such file."""
        ...

    def folders(self, folder: str) -> list[str]:
        """The names of the folders in a folder, in order; none where there is no such folder."""
        ...

    def files(self, folder: str) -> Iterator[Entry]:
        """The files in a folder and in the folders below it, in name order; none where there is no such folder."""
        ...

    def open(self, path: str) -> BinaryIO:
        """A file to read from its beginning."""
        ...

    def open_listed(self, entry: Entry) -> BinaryIO:
        """A file that a listing showed, to read; whether it is still there need not be asked again."""
        ...

    def size(self, path: str) -> int:
        """The bytes of a file as it is now."""
        ...

    def reach(self, path: str) -> None:
        """Raise OperationalError where it is certain that no file can be put at `path`, as far as that costs little."""
        ...

    def put(self, local: Path, path: str) -> None:
        """Let a durable local file appear whole at `path`, and take it away where it was."""
        ...

    def remove(self, path: str) -> None:
        """Take a file away."""
        ...


class LocalStorage:
    """The local file system."""

    distant = False

    def expand(self, pattern: str) -> list[str]:
        """A file of exactly this name counts before the reading as a glob.  Hidden files must be named."""
        if Path(pattern).exists():
            return [pattern]
        parts = Path(pattern).parts
        first = next((number for number, part in enumerate(parts) if WILD.search(part)), None)
        if first is None:
            return []
        found = Path(*parts[:first]).glob("/".join(parts[first:]))
        hidden = parts[-1].startswith(".")
        return sorted(str(path) for path in found if path.is_file() and (hidden or not path.name.startswith(".")))

    def folders(self, folder: str) -> list[str]:
        try:
            with os.scandir(folder) as entries:
                return sorted(entry.name for entry in entries if entry.is_dir())
        except (FileNotFoundError, NotADirectoryError):
            return []

    def files(self, folder: str) -> Iterator[Entry]:
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name + "/" * entry.is_dir())  # as keys of S3 are ordered
        except (FileNotFoundError, NotADirectoryError):
            return
        for entry in found:
            if entry.is_dir():
                yield from self.files(entry.path)
            else:
                facts = entry.stat()
                yield Entry(entry.path, facts.st_size, facts.st_mtime_ns)

    def open(self, path: str) -> BinaryIO:
        stream: BinaryIO = pa.OSFile(path)
        return stream

    def open_listed(self, entry: Entry) -> BinaryIO:
        return self.open(entry.path)

    def size(self, path: str) -> int:
        return Path(path).stat().st_size

    def reach(self, path: str) -> None:
        pass

    def put(self, local: Path, path: str) -> None:
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            local.replace(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            near = target.with_name(f".{target.name}.copy")
            shutil.copyfile(local, near)
            sync(near)
            near.replace(target)
            local.unlink()
        sync(target.parent)

    def remove(self, path: str) -> None:
        Path(path).unlink(missing_ok=True)


S3_SCHEMES = ("s3", "s3a", "s3n")
"""S3, and Hadoop's two other names of it."""


def storage_of(uri: Uri, s3_root: str | None) -> tuple[Storage, str]:
    """Where the files of a URI are, and their path there."""
    if uri.scheme not in ("file", *S3_SCHEMES):
        raise not_supported(f"{uri.scheme}:// as in {uri.text!r}", hint="files, s3:// and - are")
    path = path_of(uri, s3_root)
    if uri.scheme == "file" or stand_in(s3_root) is not None:
        return LocalStorage(), path
    from streamsql.io.s3 import S3Storage

    return S3Storage(), path


def path_of(uri: Uri, s3_root: str | None) -> str:
    """The path of a file in the storage that a URI means."""
    root = stand_in(s3_root)
    return uri.path if uri.scheme == "file" or root is None else f"{root.rstrip('/')}/{uri.path}"


def stand_in(s3_root: str | None) -> str | None:
    """The directory that stands in for S3, if one does."""
    return s3_root or os.environ.get(S3_ROOT)


def existing(storage: Storage, pattern: str, uri: Uri) -> list[str]:
    """The files that a URI means.  Raises OperationalError when there is none or one cannot be read."""
    try:
        paths = storage.expand(pattern)
    except OSError as error:
        raise OperationalError(f"cannot read {uri.text!r}: {error}") from error
    if not paths:
        raise OperationalError(f"no file matches {uri.text!r}" if WILD.search(pattern) else f"no such file: {uri.text!r}")
    if isinstance(storage, LocalStorage):
        for path in paths:
            if Path(path).is_dir():
                raise OperationalError(f"{path!r} is a directory", hint="name its files with a glob: DIR/*.jsonl")
            if not os.access(path, os.R_OK):
                raise OperationalError(f"cannot read {path!r}: permission denied")
    return paths


def sync(path: Path) -> None:
    """Make the content of a file or directory durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
