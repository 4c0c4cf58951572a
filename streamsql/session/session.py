"""A connection's engine with all that belongs to it: its loop, its inputs and outputs, and what is kept of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from streamsql.application import CHECKPOINT_SECONDS
from streamsql.attach.attacher import Attachments
from streamsql.bind.parameters import Parameters
from streamsql.catalog import Table
from streamsql.engine.engine import Engine
from streamsql.engine.layout import tables_of
from streamsql.engine.result import Result
from streamsql.engine.row_queue import RowQueue
from streamsql.errors import Error, InterfaceError, InternalError, OperationalError, not_supported
from streamsql.plan.nodes import Node
from streamsql.run.checkpoint import Checkpoint
from streamsql.session.calls import Task
from streamsql.session.database import Database, restore_catalog, restore_state
from streamsql.session.held_attacher import Attached, HeldAttacher
from streamsql.session.loop import EngineLoop
from streamsql.statements.external_show import Inquiry
from streamsql.statements.statement import Statement
from streamsql.statements.streaming import CreatePump, Explain, Insert, Query
from streamsql.time import Clock, WallClock
from streamsql.types import Batch

T = TypeVar("T")


@dataclass(slots=True)
class Executed:
    """What a statement gave, and what there is to say about it."""

    result: Result
    warnings: list[str] = field(default_factory=list)


class Session:
    """What every cursor of a connection works with.

    Without a path all outputs are committed after every step.  With one they are committed by checkpoints: every few
    seconds while something happens, after a statement that changes the catalog, when asked, and at the end.
    """

    def __init__(self, path: Path | None, attachments: Attachments, clock: Clock | None) -> None:
        self._database = None if path is None else Database(path)
        try:
            self._open(attachments, clock or WallClock())
        except BaseException:
            if self._database is not None:
                self._database.close()
            raise

    def _open(self, attachments: Attachments, clock: Clock) -> None:
        database = self._database
        checkpoint = None if database is None else database.latest()
        if checkpoint is not None:
            attachments = _remembered(checkpoint, attachments)
        started = None if checkpoint is None else checkpoint.facts["started"]
        self.engine = Engine(clock=clock, interactive=True, started=started, s3_root=attachments.s3_root)
        self.loop = EngineLoop(self.engine, self)
        self.engine.report = self._report
        staging = None if database is None else database.staging
        self._attacher = HeldAttacher(self.engine, attachments, self.loop.wake, staging)
        self.engine.table_sinks.staging = staging
        if checkpoint is not None:
            self.engine.table_sinks.staged = list(checkpoint.facts.get("tables", ()))
            self._attacher.restore_inputs(checkpoint.facts["attached"])
        self._attacher.check()
        self._holding = False
        self._dirty = False
        self._saved = time.monotonic()
        self._ended = 0
        self._in_tables = 0
        if database is not None:
            self._restore(database, checkpoint)
            self.loop.start_if_live()

    def _restore(self, database: Database, checkpoint: Checkpoint | None) -> None:
        statements = database.statements(checkpoint)
        self._attacher.declare_mentioned(statements)
        if checkpoint is None:
            for statement in statements:
                self.engine.execute(statement)
            database.partitions.load(self.engine)
        else:
            restore_catalog(self.engine, statements)
            database.partitions.load(self.engine)
            attached = checkpoint.facts["attached"]
            self._attacher.restore_outputs(attached, checkpoint.facts["staged"])
            same = {f"input {stream}" for stream in self._attacher.continuing(attached)}
            feeds = {name: feed for name, feed in checkpoint.facts["feeds"].items() if name in same}
            checkpoint = replace(checkpoint, facts={**checkpoint.facts, "feeds": feeds})
            restore_state(self.engine, checkpoint, self._attacher.reopen)
        self.engine.table_sinks.settle()
        self._attacher.settle()

    # -- for the threads of the user -----------------------------------------------------------------------------------

    def execute(self, statements: Sequence[Statement], parameters: Parameters = ()) -> list[Executed]:
        """Execute statements between two steps; the inputs that they read begin after the last one."""
        return self.call(lambda: self._execute(statements, parameters))

    def plan_of(self, statement: Query, parameters: Parameters = ()) -> Node:
        """The plan of a query, which is not carried out."""

        def plan() -> Node:
            self._attacher.declare_mentioned([statement])
            return self.engine.plan_of(statement, parameters)

        return self.call(plan)

    def insert_from(self, statement: Insert, table: Table) -> Result:
        """Execute an INSERT whose query reads a table that nothing else knows."""

        def insert() -> Result:
            self._dirty = True
            self._attacher.declare_mentioned([statement])
            return self.engine.insert_from(statement, table)

        return self.call(insert)

    def execute_each(self, statement: Statement, many: Iterable[Parameters]) -> int:
        """Execute a statement once for each of many parameters; gives the number of rows inserted."""

        def execute() -> int:
            count = 0
            for parameters in many:
                if self.engine.interrupted:
                    raise OperationalError(f"interrupted, after {count} rows were inserted")
                count += sum(max(executed.result.count, 0) for executed in self._execute([statement], parameters))
            return count

        return self.call(execute)

    def hold_inputs(self, hold: bool = True) -> None:
        """Let no further input begin before `begin_inputs`: statements that follow one by one are one script.

        Without `hold` they begin again after each statement.
        """
        self._holding = hold

    def begin_inputs(self) -> None:
        """Let the inputs begin that are read now, and hold them no more."""
        self._holding = False
        self.call(self._attacher.settle)

    @property
    def is_kept(self) -> bool:
        """Whether there is a database, in which everything goes on the next time."""
        return self._database is not None

    def detach(self, result: Result) -> None:
        """End a query over streams."""
        self.loop.soon(result.close)

    def call(self, function: Callable[[], T]) -> T:
        """Call a function that touches the engine; what goes wrong there comes as one of the PEP's errors."""
        try:
            return self.loop.call(function)
        except (Error, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            raise InternalError(f"{type(error).__name__}: {error}") from error

    def commit(self) -> None:
        """Make durable what has been done, and visible what was written to the outputs."""
        self.call(self._commit)

    def wait_for_inputs(self, task: Task, timeout: float | None, answered: Callable[[], Collection[str]] = tuple) -> bool:
        """Wait until all inputs that began have ended; False when they have not after `timeout` seconds.

        `answered` gives the streams that were read by queries which have all their rows: inputs that lead only there, and
        to no output, are not waited for.
        """
        waited = self.loop.wait(lambda: self.inputs_ended(answered()), task, timeout)
        for feed in list(self.engine.pipeline.feeds.values()):
            if feed.failed is not None:
                raise feed.failed
        return waited

    def inputs_ended(self, answered: Collection[str] = ()) -> bool:
        """Whether all inputs that began have ended or cannot be read any more, those apart that nobody waits for."""
        catalog = self.engine.catalog
        idle = catalog.sources_of(answered) - catalog.sources_of(self._attacher.outputs) if answered else set()
        feeds = list(self.engine.pipeline.feeds.values())
        return all(feed.ended or feed.failed or feed.name.removeprefix("input ") in idle for feed in feeds)

    def close(self) -> None:
        """End everything.  Without a path the streams that only INSERT feeds end, so that their windows close."""
        self.loop.close(self._finish)

    def attached(self) -> list[Attached]:
        """The inputs, outputs and reference tables; between two steps only."""
        return list(self._attacher.attached())

    @property
    def missing_outputs(self) -> list[str]:
        """The outputs for which no stream was created."""
        return self._attacher.missing_outputs()

    # -- for the loop --------------------------------------------------------------------------------------------------

    def after_step(self, progress: bool) -> None:
        """Commit what was written, where and when it is time."""
        written = any(output.outlet.rows != output.committed for output in self._attacher.outputs.values())
        written = written or self.engine.table_sinks.rows != self._in_tables or self.engine.table_sinks.is_due
        if self._database is None:
            if written:
                self._commit()
        else:
            self._dirty = self._dirty or progress or written
            if self._dirty and time.monotonic() - self._saved >= CHECKPOINT_SECONDS:
                self._commit()
        ended = sum(feed.ended for feed in self.engine.pipeline.feeds.values())
        if ended != self._ended:
            self._ended = ended
            self.loop.note()

    def due(self) -> float | None:
        """The seconds until the next checkpoint, where there is something to keep."""
        if self._database is None or not self._dirty:
            return None
        return max(0.0, self._saved + CHECKPOINT_SECONDS - time.monotonic())

    def _execute(self, statements: Sequence[Statement], parameters: Parameters) -> list[Executed]:
        done: list[Executed] = []
        changed = False
        try:
            for statement in statements:
                self._attacher.declare_mentioned([statement])
                if self._database is not None and isinstance(statement, CreatePump):
                    self._check_tables(statement)
                result = self.engine.execute(statement, parameters)
                if result.streaming and isinstance(result.rows, RowQueue):
                    result.rows.news = self.loop.note
                changed = changed or result.changes_catalog or not isinstance(statement, (Query, Insert, Explain, Inquiry))
                self._dirty = self._dirty or changed or isinstance(statement, Insert)
                done.append(Executed(result, self._warnings()))
        finally:
            self._attacher.settle(begin=not self._holding)
            if done:
                done[-1].warnings += self._warnings()
            if changed and self._database is not None:
                self._commit()
        return done

    def _check_tables(self, statement: CreatePump) -> None:
        """Refuse a pump that could not be restored, since nobody keeps a table that it reads."""
        read = [self.engine.catalog.relation(name) for name in tables_of(self.engine.plan_of(statement))]
        tables = {table.name for table in read if table is not None} - self._attacher.reference_names
        if tables:
            what = f"a pump that reads the registered table {min(tables)}, which a database does not keep"
            raise not_supported(what, statement.name.span, f"references={{'{min(tables)}': file}}")

    def _warnings(self) -> list[str]:
        found = [*self.engine.warnings, *self._attacher.warnings]
        self.engine.warnings.clear()
        self._attacher.warnings.clear()
        return found

    def _commit(self) -> None:
        outputs = self._attacher.outputs
        written = {name: output.outlet.rows for name, output in outputs.items()}
        staged = {name: output.outlet.sink.prepare() for name, output in outputs.items()}
        self._in_tables = self.engine.table_sinks.rows
        tables = self.engine.table_sinks.prepare()
        if self._database is not None:
            self._database.save(self.engine, self._attacher.save(), staged, tables)
            self._saved = time.monotonic()
            self._dirty = False
        for name, output in outputs.items():
            output.outlet.sink.commit(staged[name])
            output.committed = written[name]
        self.engine.table_sinks.commit(tables)

    def _report(self, rows: Batch) -> None:
        """Rows that a query over tables lost, in whatever thread it runs."""
        self.loop.soon(lambda: self.engine.pipeline.report(rows))

    def _finish(self) -> None:
        """The last call of the loop."""
        whole = False
        try:
            if not self.loop.failed:
                self.engine.fail_queries(InterfaceError("the connection is closed"))
                if self._database is None:
                    self.engine.end_inserts()
                    self.engine.pipeline.finish()
                    self.engine.pipeline.end_errors()
                    self.engine.table_sinks.finish()
                self._commit()
                whole = self._database is None
        finally:
            for output in self._attacher.outputs.values():
                output.outlet.sink.close() if whole else output.outlet.sink.abandon()
            for feed in self.engine.pipeline.feeds.values():
                feed.source.close()
            self.engine.table_sinks.close()
            self._attacher.close()
            if self._database is not None:
                self._database.close()


def _remembered(checkpoint: Checkpoint, given: Attachments) -> Attachments:
    """What was attached the last time, and what is given now."""
    attached = checkpoint.facts["attached"]
    return replace(
        given,
        inputs={**attached["inputs"], **given.inputs},
        outputs={**attached["outputs"], **given.outputs},
        references={**attached["references"], **given.references},
        schemas={**attached["schemas"], **given.schemas},
    )
