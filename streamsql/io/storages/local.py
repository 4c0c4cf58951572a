"""The local file system as a storage."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from streamsql.io.storages.storage import WILD, Entry


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


def sync(path: Path) -> None:
    """Make the content of a file or directory durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
