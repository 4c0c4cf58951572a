"""An application run headless: `streamsql run`.

All statements are executed, then the sources open; steps follow until the sources have ended.  With a checkpoint directory the
same command goes on where it stopped, and outputs are written exactly once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from streamsql.application.application_file import read_application
from streamsql.application.configured import attacher
from streamsql.application.fingerprint import fingerprint
from streamsql.application.outputs import Outputs
from streamsql.application.settings import Counts, Settings
from streamsql.application.trial import plan_text
from streamsql.attach.foreign import WaitingOutlets
from streamsql.engine.change import between, check_foreign_streams, check_queries
from streamsql.engine.engine import Engine
from streamsql.engine.layout import layout_of, rebuild
from streamsql.engine.runtime import Writing
from streamsql.errors import Error, OperationalError, ProgrammingError
from streamsql.io.uri import parse_uri
from streamsql.monitor.error_report import ErrorReport
from streamsql.monitor.log import Log
from streamsql.run import error_stream
from streamsql.run.checkpoint import Checkpoint, CheckpointDirectory
from streamsql.statements.statement import Statement
from streamsql.statements.streaming import CreatePump, Insert

IDLE_SECONDS = 0.05
"""How long an idle loop waits before it asks the clock again; arriving rows wake it at once."""


class Application:
    """One run of one application file."""

    def __init__(self, path: Path, settings: Settings, log: Log) -> None:
        self._given = path
        self._file = read_application(path, settings.parameters)
        self.path = self._file.path
        self._settings = settings
        self._log = log
        self._wakeup = threading.Event()
        self._stop = False
        self.engine = Engine(s3_root=settings.attachments.s3_root)
        self._attacher = attacher(self.engine, settings.attachments, self._file.configuration, self._wakeup.set)
        self.outputs = Outputs(self.engine, self._attacher, settings.format)
        self._errors = ErrorReport(log)
        self._directory = None if settings.checkpoint is None else CheckpointDirectory(settings.checkpoint)
        self._epoch = 0
        self._statements: tuple[Statement, ...] = ()
        self._reload = self._reloaded = False
        self.plans = ""
        """The plans of the pumps, INSERTs and queries, where `prepare` was asked for them."""
        self.steps = 0
        self.step_seconds = 0.0
        self._resumed: Checkpoint | None = None

    @property
    def rows_in(self) -> int:
        return sum(feed.rows for feed in self.engine.pipeline.feeds.values())

    @property
    def rows_out(self) -> int:
        return self.outputs.total + self.engine.table_sinks.rows

    @property
    def errors(self) -> int:
        return self._errors.count

    @property
    def checkpoints(self) -> int:
        """The number of the last checkpoint."""
        return self._epoch

    def wake(self) -> None:
        """Let the run look around now, though no rows have come.  May be called by another thread."""
        self._wakeup.set()

    def stop(self) -> None:
        """Ask the run to finish its step, commit and leave.  May be called by a signal handler."""
        self._stop = True
        self._wakeup.set()

    def ask_to_reload(self) -> None:
        """Ask the run to `reload` after its step.  May be called by a signal handler, or another thread."""
        self._reload = True
        self._wakeup.set()

    # -- before the first step: everything that is wrong with the command shows here -----------------------------------

    def prepare(self, explained: bool = False) -> None:
        """Read the application, open its inputs and outputs, and go on from a checkpoint where there is one.

        `explained`: keep the plans of its statements.
        """
        self._open_checkpoints()
        self._statements = self._file.statements()
        reloaded = self._resumed is not None and self._resumed.facts["reloaded"]
        self.engine.table_sinks.is_application = True
        if self._directory is not None:
            self.engine.table_sinks.staging = self._directory.staging
        if self._resumed is not None:
            self.engine.table_sinks.staged = list(self._resumed.facts.get("tables", ()))
            self.engine.writing = Writing.DONE
        plans: list[str] = []
        lost = WaitingOutlets(self.engine)
        lost.wait_for([error_stream.NAME])
        try:
            self._attacher.declare(self._statements)
            for statement in self._statements:
                if reloaded and isinstance(statement, CreatePump):
                    statement = replace(statement, started=False)  # `rebuild` starts them in the order that they had
                if isinstance(statement, Insert):
                    self._attacher.waiting.wait_for(stream.name for stream in self.engine.catalog.streams())
                if explained and (plan := plan_text(self.engine, statement)):
                    plans.append(plan)
                result = self.engine.execute(statement)
                if result.rows is not None:
                    self.outputs.show(result)
        except Error as error:
            raise error.located(self._file.text, self._file.name) from None
        self.plans = "\n\n".join(plans)
        self.engine.writing = Writing.NOW
        self._warn()
        self._attacher.adopt()
        self._check_inputs()
        if not reloaded:
            self._attacher.open_inputs()
        if self._resumed is not None:
            self._attacher.waiting.forget()  # what INSERT brings came out in the first run
        staging = None if self._directory is None else self._directory.staging
        self.outputs.open(staging, resume=self._resumed is not None)
        self._attacher.waiting.forget()
        self.engine.pipeline.hub(error_stream.NAME).outlets.append(self._errors)
        self._errors.mapped = error_stream.NAME in self.outputs.rows
        for batch in lost.take(error_stream.NAME) if self._resumed is None else []:
            self._errors.write(batch)
        if self._resumed is not None:
            self._resume(self._resumed)

    def reload(self) -> None:
        """Become what the file says now; raises Error where that cannot be, and everything goes on as it was.

        What stays the same keeps its state.  Between two steps only.
        """
        file = read_application(self._given, self._settings.parameters)
        if not file.differs_in_code_alone(self._file):
            text = f"the inputs, outputs and reference tables of {self.path} cannot change while it runs"
            raise OperationalError(text, hint="stop the application and start it anew")
        statements = file.statements()
        try:
            check_queries(self._statements, statements)
            check_foreign_streams(self._statements, statements)
            change = between(self.engine, statements, self._attacher.declared)
        except Error as error:
            raise error.located(file.text, file.name) from None
        kept = [name for name in change.gone_streams if self._is_kept(name)]
        if kept:
            text = f"the columns of {kept[0]} cannot change while an input or output is attached to it"
            raise OperationalError(text, hint="stop the application and start it anew")
        change.apply(self.engine)
        self._file, self._statements, self._reloaded = file, statements, True
        self.outputs.follow(change.gone_streams)
        self._warn()
        self._log.info(f"{self.path} is reloaded: {change}")

    def _is_kept(self, stream: str) -> bool:
        """Whether rows of a stream come from an input, or go where rows with other columns cannot follow."""
        return f"input {stream}" in self.engine.pipeline.feeds or self.outputs.is_bound(stream)

    def _open_checkpoints(self) -> None:
        if self._directory is None:
            return
        self._check_inputs()
        self._directory.open(self._settings.fresh)
        self._resumed = self._directory.latest()
        if self._resumed is not None:
            self._epoch = self._resumed.epoch
            self.engine.started = self._resumed.facts["started"]

    def _check_inputs(self) -> None:
        """Refuse inputs whose progress cannot be kept."""
        inputs = self._attacher.everything.inputs.values()
        if self._directory is not None and any(parse_uri(uri).is_standard for uri in inputs):
            raise ProgrammingError("--checkpoint cannot go with an input from stdin, which cannot be read again")

    def _resume(self, checkpoint: Checkpoint) -> None:
        assert self._directory is not None
        changed = [name for name, digest in self._fingerprint().items() if checkpoint.fingerprint.get(name) != digest]
        changed += [name for name in checkpoint.fingerprint if name not in self._fingerprint()]
        if changed:
            text = f"the checkpoint in {self._directory.path} is of another application: {', '.join(changed)} changed"
            raise ProgrammingError(text, hint="--fresh starts over")
        self.outputs.commit(checkpoint.facts["staged"])
        facts, state = checkpoint.facts, checkpoint.state
        if facts["reloaded"]:
            facts, state = rebuild(self.engine, facts, state, self._attacher.open_input_of)
            self._reloaded = True
        self.engine.load(facts, state)
        self.engine.table_sinks.settle()
        if facts["complete"]:
            grown = [name for name, feed in self.engine.pipeline.feeds.items() if feed.source.grown(facts["feeds"][name][0])]
            if grown:
                text = f"the run is complete, and {', '.join(grown)} has grown since"
                raise ProgrammingError(text, hint="follow=true on the input goes on as it grows; --fresh starts over")

    def _fingerprint(self) -> dict[str, str]:
        return fingerprint(self.engine, self._attacher)

    # -- the run -------------------------------------------------------------------------------------------------------

    def run(self, look: Callable[[], None] = lambda: None) -> Counts:
        """Step until the sources have ended, nobody is left to give rows to, or `stop` is called.

        `look` is called after every step.
        """
        begun = committed = time.monotonic()
        complete = self._resumed is not None and bool(self._resumed.facts["complete"])
        self.engine.end_inserts()
        self.engine.pipeline.finish()
        while not complete and not self._stop:
            self._wakeup.clear()
            progress = self._step()
            look()
            if self._reload:
                self._reload = False
                self._try_to_reload()
            if self.engine.pipeline.ended or self._is_answered():
                break
            now = time.monotonic()
            if self._directory is None or now - committed >= self._settings.checkpoint_seconds:
                self._commit(complete=False)
                committed = now
            if not progress:
                self._wakeup.wait(IDLE_SECONDS)
        self._leave(complete)
        return Counts(self.rows_in, self.rows_out, self.errors, time.monotonic() - begun)

    def _is_answered(self) -> bool:
        """Whether the application's queries have all their rows (LIMIT), and nothing else of it is to be written."""
        return self.outputs.answered and not self.engine.table_sinks.running

    def _try_to_reload(self) -> None:
        try:
            self.reload()
        except Error as error:
            self._log.error(error)
            self._log.warning(f"{self.path} is not reloaded: the application goes on as it was")

    def _step(self) -> bool:
        """One step; gives whether anything came."""
        begun = time.perf_counter()
        progress = self.engine.step()
        self.outputs.drain()
        self._warn()
        self.steps += 1
        self.step_seconds += time.perf_counter() - begun
        return progress

    def _warn(self) -> None:
        for warning in self.engine.warnings:
            self._log.warning(warning)
        self.engine.warnings.clear()

    def _leave(self, complete: bool) -> None:
        reached_end = self.engine.pipeline.ended and not complete
        if reached_end:
            self.engine.pipeline.end_errors()
            self.outputs.drain()
        if not complete:
            if self._directory is None:
                self.engine.table_sinks.finish()  # nothing goes on with files that are not complete
            self._commit(complete=reached_end)
        self.outputs.close(whole=reached_end or complete)
        self.engine.table_sinks.close()
        for feed in self.engine.pipeline.feeds.values():
            feed.source.close()
        self._errors.close()

    def _commit(self, complete: bool) -> None:
        """Make what was written visible, behind a checkpoint where there is a directory."""
        staged = self.outputs.prepare()
        tables = self.engine.table_sinks.prepare()
        if self._directory is not None:
            self._epoch += 1
            facts, state = self.engine.save()
            facts |= {"staged": staged, "tables": tables, "complete": complete, "reloaded": self._reloaded}
            if self._reloaded:
                facts["layout"] = layout_of(self.engine)
            self._directory.save(Checkpoint(self._epoch, self._fingerprint(), facts, state))
        self.outputs.commit(staged)
        self.engine.table_sinks.commit(tables)
