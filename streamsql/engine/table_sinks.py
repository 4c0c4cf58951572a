"""The external tables that pumps write: a sink for each pump, committed with the outputs."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streamsql.external.databases import Databases
from streamsql.external.repair import repair
from streamsql.external.table import ExternalTable
from streamsql.external.write.places import registered
from streamsql.external.write.publish import Complete, publish
from streamsql.external.write.sink import Committed, PartitionedSink
from streamsql.external.write.target import target_of
from streamsql.io.sinks.sink import Staged
from streamsql.time import END, Clock, Time, timestamp_text
from streamsql.types import Batch

FOLDER = "tables"
"""Where the sinks stage, below the directory in which all outputs do."""


@dataclass(slots=True)
class TableSink:
    """The sink of one pump; `name` begins the names of its files, `bound` tells how far its rows have come."""

    pump: str
    table: str
    name: str
    sink: PartitionedSink
    bound: Callable[[], Time]
    rows: int = 0
    """Rows written in this run."""

    def write(self, batch: Batch) -> None:
        """Take rows, as an outlet of the pump."""
        self.rows += batch.num_rows
        self.sink.write(batch)

    def end(self) -> None:
        """No row will follow: all files are complete."""
        self.sink.advance(END)


@dataclass(slots=True)
class TableSinks:
    """All such sinks of an engine.

    `staging` is where they keep what is not committed, None where nothing survives a crash; `staged` what a checkpoint has of
    sinks that are not open again.
    """

    databases: Callable[[], Databases]
    clock: Clock
    s3_root: str | None
    staging: Path | None = None
    staged: list[Staged] = field(default_factory=list)
    running: dict[str, TableSink] = field(default_factory=dict)
    ending: list[TableSink] = field(default_factory=list)
    """Those of pumps that were stopped, until the next commit."""
    written: set[str] = field(default_factory=set)
    """The tables that were written in this run."""
    is_application: bool = False
    """Whether the statements are those of a file, which are executed once in the same order."""
    _statements: int = 0
    _own: str = ""

    @property
    def rows(self) -> int:
        """Rows that were written in this run."""
        return sum(each.rows for each in self._all())

    @property
    def is_due(self) -> bool:
        """Whether a commit would let files appear."""
        return bool(self.ending) or any(each.sink.is_due(each.bound()) for each in self.running.values())

    def open(self, pump: str, table: ExternalTable, bound: Callable[[], Time]) -> TableSink:
        """The sink of a pump that starts.  It goes on where a checkpoint left it.

        Raises what `target_of` raises.
        """
        saved = next((each for each in self.staged if each["pump"] == pump and not each["ended"]), None)
        name = self.new_name() if saved is None else saved["name"]
        target = target_of(table, name, self.clock.now)
        sink = PartitionedSink(target, self._folder(name), self.s3_root, self.registering(table.full_name))
        if saved is not None:
            self.staged.remove(saved)
            self.recall(table)
            sink.commit(saved)
        self.running[pump] = TableSink(pump, table.full_name, name, sink, bound)
        return self.running[pump]

    def new_name(self) -> str:
        """How the names of files begin that nothing else has written: the time, and letters."""
        digits = "".join(c for c in timestamp_text(self.clock.now())[:19] if c.isdigit())
        return f"{digits[:8]}_{digits[8:]}_{uuid.uuid4().hex[:12]}"

    def statement_name(self) -> str:
        """The same for a statement.

        In an application that goes on after a crash it is the same in the next run, which carries the statement out again where
        there was no checkpoint yet: its files are written anew, and none stands twice.
        """
        if self.staging is None or not self.is_application:
            return self.new_name()
        known = self.staging / "name"
        self._own = known.read_text() if known.exists() else ""
        if not self._own:
            self._own = self.new_name()
            known.write_text(self._own)
        self._statements += 1
        return f"{self._own}_{self._statements}"

    def is_own(self, path: str) -> bool:
        """Whether a file is one that such statements wrote, in this run or before a crash."""
        return bool(self._own) and path.rpartition("/")[2].startswith(f"{self._own}_")

    def recall(self, table: ExternalTable) -> None:
        """Register the partitions whose folders are there: those that were written before a restart."""
        if table.keys and table.projection() is None:
            self.databases().put(repair(table, self.s3_root).table)

    def recall_all(self) -> None:
        """The same for all tables that were written in this run: their statements were executed again."""
        for each in self.written:
            table = self._table(each)
            if table is not None:
                self.recall(table)

    def registering(self, name: str) -> Committed:
        """What enters the partitions of files into the table of a name, if it is there still."""

        def register(files: Sequence[Complete]) -> None:
            known = self._table(name)
            if known is not None and files:
                self.databases().put(registered(known, {tuple(file["key"]): file["location"] for file in files}))

        self.written.add(name)
        return register

    def settle(self) -> None:
        """Let appear what was staged for pumps that do not run any more."""
        for saved in self.staged:
            folder = self._folder(saved["name"])
            assert folder is not None  # what is staged has a place
            for file in saved["complete"]:
                publish(file, folder, self.s3_root)
            self.registering(saved["table"])(saved["complete"])
            shutil.rmtree(folder, ignore_errors=True)
        self.staged.clear()

    def stop(self, pump: str) -> None:
        """The pump writes no more: its files are complete with the next commit."""
        sink = self.running.pop(pump, None)
        if sink is not None:
            sink.end()
            self.ending.append(sink)

    def finish(self) -> None:
        """Complete all files: the next commit is the last one."""
        for sink in self._all():
            sink.end()

    def prepare(self) -> list[dict[str, Any]]:
        """What must be known to let appear what was written, of each sink."""
        staged: list[dict[str, Any]] = []
        for each in self._all():
            each.sink.advance(each.bound())
            facts = {"pump": each.pump, "table": each.table, "name": each.name, "ended": each in self.ending}
            staged.append({**each.sink.prepare(), **facts})
        return staged

    def commit(self, staged: Sequence[Staged]) -> None:
        """Let it appear."""
        for each, facts in zip(self._all(), staged, strict=True):
            each.sink.commit(facts)
        for each in self.ending:
            each.sink.close()
            folder = self._folder(each.name)
            if folder is not None:
                shutil.rmtree(folder)
        self.ending.clear()

    def close(self) -> None:
        """Give back files."""
        for each in self._all():
            each.sink.abandon()

    def _table(self, name: str) -> ExternalTable | None:
        database, _, table = name.partition(".")
        return self.databases().table(table, database)

    def _all(self) -> list[TableSink]:
        return [*self.running.values(), *self.ending]

    def _folder(self, name: str) -> Path | None:
        return None if self.staging is None else self.staging / FOLDER / name
