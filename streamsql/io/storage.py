"""Where files are: the local file system, or S3.

`s3://bucket/key` is `DIR/bucket/key` when a directory stands in for S3 (`--s3-root`, or the variable STREAMSQL_S3_ROOT).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO, Protocol

from streamsql.errors import OperationalError, not_supported
from streamsql.io.uri import Uri

S3_ROOT = "STREAMSQL_S3_ROOT"


class Storage(Protocol):
    """Files by path."""

    def expand(self, pattern: str) -> list[str]:
        """The files that a path or glob means, in name order; none when there is no such file."""
        ...

    def open(self, path: str) -> BinaryIO:
        """A file to read from its beginning."""
        ...

    def size(self, path: str) -> int:
        """The bytes of a file as it is now."""
        ...


class LocalStorage:
    """The local file system."""

    def expand(self, pattern: str) -> list[str]:
        """A file of exactly this name counts before the reading as a glob.  Hidden files must be named."""
        if Path(pattern).exists():
            return [pattern]
        parts = Path(pattern).parts
        first = next((i for i, part in enumerate(parts) if any(c in part for c in "*?[")), None)
        if first is None:
            return []
        found = Path(*parts[:first]).glob("/".join(parts[first:]))
        hidden = parts[-1].startswith(".")
        return sorted(str(path) for path in found if path.is_file() and (hidden or not path.name.startswith(".")))

    def open(self, path: str) -> BinaryIO:
        return Path(path).open("rb", buffering=0)

    def size(self, path: str) -> int:
        return Path(path).stat().st_size


def local_path(uri: Uri, s3_root: str | None = None) -> str | None:
    """The local path that a URI of files means; None when it is on real S3."""
    if uri.scheme == "file":
        return uri.path
    if uri.scheme != "s3":
        raise not_supported(f"{uri.scheme}:// as in {uri.text!r}")
    root = s3_root or os.environ.get(S3_ROOT)
    return None if root is None else f"{root.rstrip('/')}/{uri.path}"


def existing(storage: Storage, pattern: str, uri: Uri) -> list[str]:
    """The files that a URI means.  Raises OperationalError when there is none."""
    paths = storage.expand(pattern)
    if not paths:
        glob = any(character in pattern for character in "*?[")
        raise OperationalError(f"no file matches {uri.text!r}" if glob else f"no such file: {uri.text!r}")
    return paths
