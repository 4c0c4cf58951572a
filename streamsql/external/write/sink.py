"""Rows to the files of a place, a folder a partition, exactly once.

Rows are staged in the working directory.  A file that is complete is encoded there and made durable; a commit puts it into its
place, where it appears whole.  Between two checkpoints nothing appears; after a crash the rows of files that are not complete are
taken from their parts, and files that were to be put into their places and are not there yet are put there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from streamsql.errors import OperationalError
from streamsql.external.write.open_file import OpenFile, Times
from streamsql.external.write.places import Key, keys_of
from streamsql.external.write.publish import Complete, publish
from streamsql.external.write.target import Target
from streamsql.io.sinks.parts import UNFINISHED, PartFile, WorkingDirectory
from streamsql.io.sinks.sink import Delivery, Staged
from streamsql.time import BEGIN, END, Time
from streamsql.types import Batch, Schema

MOST_HELD = 64 << 20
"""Bytes of rows in memory; beyond them the largest open files go to disk until half is left."""

Committed = Callable[[Sequence[Complete]], None]
"""Called with the files that have appeared."""


class PartitionedSink:
    """Writes files of a target.

    Batches have the columns of the target's schema, with ROWTIME in front where rows have one.  `staging` is a directory of
    this sink's own, where what is staged survives a crash; without one only the files that are complete outlive the run.
    """

    def __init__(self, target: Target, staging: Path | None, s3_root: str | None, committed: Committed) -> None:
        self.delivery = Delivery.EXACTLY_ONCE if staging else Delivery.AT_LEAST_ONCE
        self.rows = 0
        """Rows written, those before a restart among them."""
        self._target = target
        self._schema = Schema(tuple(target.schema[place] for place in target.written))
        self._staging = staging
        self._working = WorkingDirectory(staging)
        self._s3_root = s3_root
        self._committed = committed
        self._open: dict[Key, OpenFile] = {}
        self._files = 0
        self._complete: list[Complete] = []
        self._is_new = True

    def write(self, batch: Batch) -> None:
        """Take rows; those of one partition stay in their order."""
        offset = batch.num_columns - len(self._target.schema)
        times: Times | None = batch.column(0).view(pa.int64()).to_numpy() if offset else None
        numbers = np.arange(self.rows, self.rows + batch.num_rows)
        self.rows += batch.num_rows
        written = batch.select([offset + place for place in self._target.written])
        for key, places in self._partitions(batch, offset):
            whole = places is None
            rows = written if whole else written.take(pa.array(places))
            moments = times if times is None or whole else times[places]
            self._append(key, rows, moments, numbers if whole else numbers[places])
        if sum(file.held for file in self._open.values()) > MOST_HELD:
            self._spill()

    def advance(self, t: Time) -> None:
        """The promise that no later row is before `t`: it completes the files that take none from there on."""
        span = self._target.limits.time
        for key, file in list(self._open.items()):
            if t == END or (span is not None and file.since + span <= t):
                self._finish(key)

    def is_due(self, t: Time) -> bool:
        """Whether there are files that the promise of `advance` completes, or that are complete and not prepared."""
        span = self._target.limits.time
        return bool(self._complete) or (span is not None and any(file.since + span <= t for file in self._open.values()))

    def finish(self) -> None:
        """No row will follow: complete all files."""
        self.advance(END)

    def prepare(self) -> Staged:
        """Make what was written durable.  Without a staging directory only complete files go on to `commit`."""
        if self._staging is not None:
            for file in self._open.values():
                file.spill(self._working.path, self._schema)
        complete, self._complete = self._complete, []
        unfinished = [] if self._staging is None else [file.saved() for file in self._open.values()]
        return {"rows": self.rows, "files": self._files, "open": unfinished, "complete": complete}

    def commit(self, staged: Staged) -> None:
        """Let complete files appear; on a newly opened sink after a crash also: go on with those that are not."""
        if self._is_new and staged["rows"] > self.rows:
            self.rows, self._files = staged["rows"], staged["files"]
            self._open = {file.key: file for file in map(OpenFile.restored, staged["open"])}
        if self._is_new and self._staging is not None:
            self._clear(staged)
        self._is_new = False
        for file in staged["complete"]:
            publish(file, self._working.path, self._s3_root)
        self._committed(staged["complete"])
        for part in (part for file in staged["complete"] for part in file["parts"]):
            (self._working.path / part).unlink(missing_ok=True)

    def close(self) -> None:
        self.abandon()

    def abandon(self) -> None:
        """Give back files; what is not committed does not appear."""
        self._open.clear()
        self._working.give_back()

    # -- rows to files -------------------------------------------------------------------------------------------------

    def _partitions(self, batch: Batch, offset: int) -> Iterator[tuple[Key, np.ndarray[Any, Any] | None]]:
        """The keys of some rows, each with the places of its rows; None for all."""
        if not self._target.keys:
            yield (), None
            return
        columns = [batch.column(offset + place) for place in self._target.keys]
        keys, which = keys_of(columns, [self._target.schema[place] for place in self._target.keys])
        if len(keys) == 1:
            yield keys[0], None
            return
        order = np.argsort(which, kind="stable")
        yield from zip(keys, np.split(order, np.flatnonzero(np.diff(which[order])) + 1), strict=True)

    def _append(self, key: Key, rows: Batch, times: Times | None, numbers: np.ndarray[Any, Any]) -> None:
        """Rows of one partition into its files."""
        at = 0
        while at < rows.num_rows:
            file = self._open.get(key)
            if file is None:
                file = self._new_file(key, int(numbers[at]), BEGIN if times is None else int(times[at]))
            taken, complete = file.take(rows.slice(at), None if times is None else times[at:], self._target.limits)
            at += taken
            if complete:
                self._finish(key)

    def _new_file(self, key: Key, row: int, since: Time) -> OpenFile:
        location = self._target.place(key)
        if location is None:
            raise OperationalError(f"no place for the partition {key}")
        name = self._target.file_name(row, self._files) + self._target.form.ending
        self._files += 1
        self._open[key] = OpenFile(name, key, location, since)
        return self._open[key]

    def _finish(self, key: Key) -> None:
        """Encode a complete file."""
        file = self._open.pop(key)
        part = PartFile(self._working.path / UNFINISHED, self._target.form.new_part)
        for batch in file.content(self._working.path, self._schema):
            part.write(batch)
        local = f"{file.rows}-{file.name}"
        length = part.publish(self._working.path / local)
        self._complete.append({**file.saved(), "local": local, "length": length})

    def _spill(self) -> None:
        """Move the rows of the largest files to disk."""
        left = sum(file.held for file in self._open.values())
        for file in sorted(self._open.values(), key=lambda file: -file.held):
            if left <= MOST_HELD // 2:
                return
            left -= file.held
            file.spill(self._working.path, self._schema)

    def _clear(self, staged: Staged) -> None:
        """Take away what a run left that crashed behind its last checkpoint."""
        kept = {part for file in (*staged["open"], *staged["complete"]) for part in file["parts"]}
        kept |= {file["local"] for file in staged["complete"]}
        for file in self._working.path.iterdir():
            if file.name not in kept:
                file.unlink()
