"""Complete files that wait in a working directory, put into their places."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from streamsql.errors import OperationalError
from streamsql.io.storages.places import storage_of
from streamsql.io.uri import parse_location

Complete: TypeAlias = Mapping[str, Any]
"""A complete file as a sink stages it: `local`, its name there, `location` and `name`, where it is to appear, the `key` of its
partition, its `rows`, its `length` in bytes."""


def publish(file: Complete, folder: Path, s3_root: str | None) -> None:
    """Let a file appear, unless it has.  Raises OperationalError where it cannot be written, or is in neither place."""
    uri = file["location"] + file["name"]
    storage, path = storage_of(parse_location(uri), s3_root)
    local = folder / file["local"]
    try:
        if local.exists():
            storage.put(local, path)
        elif not storage.expand(path):
            raise OperationalError(f"cannot go on with {file['location']!r}: {file['name']} is gone")
    except OSError as error:
        raise OperationalError(f"cannot write {uri!r}: {error.strerror or error}") from error
