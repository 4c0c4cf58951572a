"""What a storage of files is: the local file system (`io/storages/local.py`), S3 (`io/storages/s3.py`)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

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
