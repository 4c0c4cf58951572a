"""Where files are: in which storage, and under which path there.

`s3://bucket/key` is `DIR/bucket/key` when a directory stands in for S3 (`--s3-root`, or the variable STREAMSQL_S3_ROOT).
"""

from __future__ import annotations

import os
from pathlib import Path

from streamsql.errors import OperationalError, not_supported
from streamsql.io.storages.local import LocalStorage
from streamsql.io.storages.storage import WILD, Storage
from streamsql.io.uri import Uri

S3_ROOT = "STREAMSQL_S3_ROOT"

S3_SCHEMES = ("s3", "s3a", "s3n")
"""S3, and Hadoop's two other names of it."""


def storage_of(uri: Uri, s3_root: str | None) -> tuple[Storage, str]:
    """Where the files of a URI are, and their path there."""
    if uri.scheme not in ("file", *S3_SCHEMES):
        raise not_supported(f"{uri.scheme}:// as in {uri.text!r}", hint="files, s3:// and - are")
    path = path_of(uri, s3_root)
    if uri.scheme == "file" or stand_in(s3_root) is not None:
        return LocalStorage(), path
    from streamsql.io.storages.s3 import S3Storage

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
