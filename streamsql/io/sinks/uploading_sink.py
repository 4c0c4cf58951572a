"""Rows to one object of S3, which appears whole when the run has ended."""

from __future__ import annotations

from pathlib import Path

from streamsql.io.sinks.parts import WorkingDirectory
from streamsql.io.sinks.sink import Sink, Staged
from streamsql.io.storages.storage import Storage
from streamsql.types import Batch


class UploadingSink:
    """Lets another sink write a local file, and puts that in its place at the end."""

    def __init__(self, sink: Sink, local: Path, working: WorkingDirectory, storage: Storage, path: str) -> None:
        self.delivery = sink.delivery
        self._sink = sink
        self._local = local
        self._working = working
        self._storage = storage
        self._path = path

    def write(self, batch: Batch) -> None:
        self._sink.write(batch)

    def prepare(self) -> Staged:
        return self._sink.prepare()

    def commit(self, staged: Staged) -> None:
        self._sink.commit(staged)

    def close(self) -> None:
        self._sink.close()
        self._storage.put(self._local, self._path)
        self._working.give_back()

    def abandon(self) -> None:
        self._sink.abandon()
        self._working.give_back()
