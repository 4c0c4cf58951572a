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
from fnmatch import translate
from pathlib import Path
from typing import BinaryIO, Protocol

import pyarrow as pa

from streamsql.errors import OperationalError, not_supported
from streamsql.io.uri import Uri

S3_ROOT = "STREAMSQL_S3_ROOT"
_WILD = re.compile(r"[*?[]")


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

    def size(self, path: str) -> int:
        """The bytes of a file as it is now."""
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
        first = next((number for number, part in enumerate(parts) if _WILD.search(part)), None)
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

    def size(self, path: str) -> int:
        return Path(path).stat().st_size

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


class S3Storage:
    """S3 by way of pyarrow, with the settings that AWS tools take from the environment and from `~/.aws`."""

    distant = True

    def __init__(self) -> None:
        from pyarrow.fs import S3FileSystem

        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        # a delayed open puts a small object in one request
        self._files = S3FileSystem(endpoint_override=endpoint, allow_delayed_open=True)

    def expand(self, pattern: str) -> list[str]:
        from pyarrow.fs import FileSelector, FileType

        if self._files.get_file_info(pattern).type == FileType.File:
            return [pattern]
        wild = _WILD.search(pattern)
        if wild is None:
            return []
        folder = pattern[: wild.start()].rpartition("/")[0]
        matches = re.compile(translate(pattern)).fullmatch
        found = self._files.get_file_info(FileSelector(folder, recursive=True, allow_not_found=True))
        depth = None if "**" in pattern else pattern.count("/")
        return sorted(
            info.path
            for info in found
            if info.type == FileType.File and matches(info.path) and depth in (None, info.path.count("/"))
        )

    def folders(self, folder: str) -> list[str]:
        from pyarrow.fs import FileSelector, FileType

        found = self._files.get_file_info(FileSelector(folder.rstrip("/"), allow_not_found=True))
        return sorted(info.base_name for info in found if info.type == FileType.Directory)

    def files(self, folder: str) -> Iterator[Entry]:
        from pyarrow.fs import FileSelector, FileType

        found = self._files.get_file_info(FileSelector(folder.rstrip("/"), recursive=True, allow_not_found=True))
        for info in sorted(found, key=lambda info: info.path):
            if info.type == FileType.File:
                yield Entry(info.path, int(info.size), int(info.mtime_ns or 0))

    def open(self, path: str) -> BinaryIO:
        stream: BinaryIO = self._files.open_input_file(path)
        return stream

    def size(self, path: str) -> int:
        return int(self._files.get_file_info(path).size)

    def put(self, local: Path, path: str) -> None:
        with local.open("rb") as source, self._files.open_output_stream(path, compression=None) as target:
            shutil.copyfileobj(source, target, 1 << 20)
        local.unlink()

    def remove(self, path: str) -> None:
        self._files.delete_file(path)


S3_SCHEMES = ("s3", "s3a", "s3n")
"""S3, and Hadoop's two other names of it."""


def storage_of(uri: Uri, s3_root: str | None) -> tuple[Storage, str]:
    """Where the files of a URI are, and their path there."""
    if uri.scheme not in ("file", *S3_SCHEMES):
        raise not_supported(f"{uri.scheme}:// as in {uri.text!r}", hint="files, s3:// and - are")
    is_local = uri.scheme == "file" or stand_in(s3_root) is not None
    return LocalStorage() if is_local else S3Storage(), path_of(uri, s3_root)


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
        raise OperationalError(f"no file matches {uri.text!r}" if _WILD.search(pattern) else f"no such file: {uri.text!r}")
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
