"""Rows to a folder that gets one part a commit: `part-000001.jsonl`, `part-000002.jsonl` ..."""

from __future__ import annotations

import re
from pathlib import Path

from streamsql.errors import OperationalError
from streamsql.io.sinks.parts import UNFINISHED, NewPart, PartFile, WorkingDirectory
from streamsql.io.sinks.sink import Delivery, Staged
from streamsql.io.storages.storage import Storage
from streamsql.types import Batch

_PART = re.compile(r"part-(\d{6,})\.")


class FolderSink:
    """Puts each commit's rows into a file of their own.  A commit without rows makes none.

    Parts are written in the staging directory or, without one, in a directory for the time of the run.
    """

    def __init__(self, storage: Storage, folder: str, ending: str, new_part: NewPart, staging: Path | None) -> None:
        self.delivery = Delivery.EXACTLY_ONCE if staging else Delivery.AT_LEAST_ONCE
        self._storage = storage
        self._folder = folder
        self._ending = ending
        self._new_part = new_part
        self._working = WorkingDirectory(staging)
        self._number = 0
        self._part: PartFile | None = None

    def clear(self, after: int = 0) -> None:
        """Take away the parts of an earlier run, or those that were committed by none."""
        for path in self._storage.expand(f"{self._folder}part-*"):
            match = _PART.match(path.rsplit("/", 1)[-1])
            if match and int(match[1]) > after:
                self._storage.remove(path)

    def write(self, batch: Batch) -> None:
        if self._part is None:
            self._part = PartFile(self._working.path / UNFINISHED, self._new_part)
        self._part.write(batch)

    def prepare(self) -> Staged:
        part, self._part = self._part, None
        if part is None:
            return {"number": self._number}
        name = f"part-{self._number + 1:06d}{self._ending}"
        part.publish(self._working.path / name)
        return {"number": self._number + 1, "part": name}

    def commit(self, staged: Staged) -> None:
        self._number = staged["number"]
        if "part" not in staged:
            return
        prepared, path = self._working.path / staged["part"], self._folder + staged["part"]
        if prepared.exists():
            self._storage.put(prepared, path)
        elif not self._storage.expand(path):
            raise OperationalError(f"cannot go on with {self._folder!r}: {staged['part']} is gone")

    def close(self) -> None:
        self.abandon()

    def abandon(self) -> None:
        if self._part is not None:
            self._part.discard()
            self._part = None
        self._working.give_back()
