"""An application looked at, and not run: `streamsql explain`, `streamsql run --dry-run`."""

from __future__ import annotations

from pathlib import Path

from streamsql.application.application_file import read_application
from streamsql.application.configured import attacher
from streamsql.application.settings import Settings
from streamsql.engine.engine import Engine
from streamsql.engine.runtime import Writing
from streamsql.errors import Error
from streamsql.monitor.log import Log
from streamsql.plan.explain import explain
from streamsql.statements.statement import Statement
from streamsql.statements.streaming import CreatePump, Explain, Insert, Query


class Trial:
    """The statements of an application in an engine of their own, which nothing is read by and nothing is written from.

    `plans` are those of its pumps, INSERTs and queries.  Raises Error where the SQL is wrong.
    """

    def __init__(self, path: Path, settings: Settings, log: Log) -> None:
        file = read_application(path, settings.parameters)
        self._log = log
        self._engine = Engine(s3_root=settings.attachments.s3_root)
        self._engine.writing = Writing.NEVER
        self._attacher = attacher(self._engine, settings.attachments, file.configuration, lambda: None)
        statements = file.statements()
        try:
            self._attacher.declare(statements)
            found = [self._looked_at(statement) for statement in statements]
        except Error as error:
            raise error.located(file.text, file.name) from None
        self.plans = "\n\n".join(plan for plan in found if plan)

    def check(self) -> None:
        """Look at everything else that a run would need, and change nothing: inputs, schemas, where outputs would be."""
        self._attacher.adopt()
        self._attacher.open_inputs()
        for feed in self._engine.pipeline.feeds.values():
            feed.source.close()
        self._attacher.check_outputs()
        for warning in self._engine.warnings:
            self._log.warning(warning)

    def _looked_at(self, statement: Statement) -> str:
        """The plan of a statement that has one; what changes the catalog is carried out."""
        plan = plan_text(self._engine, statement)
        if isinstance(statement, Explain):
            self._engine.plan_of(statement.statement)  # what is wrong with it is an error now
        elif not isinstance(statement, (Insert, Query)):
            self._engine.execute(statement)
        return plan


def plan_text(engine: Engine, statement: Statement) -> str:
    """The plan of a pump, an INSERT or a query under its title; nothing of another statement."""
    if not isinstance(statement, (CreatePump, Insert, Query)):
        return ""
    title = f"pump {statement.name}" if isinstance(statement, CreatePump) else type(statement).__name__.lower()
    return "\n".join([title, *(f"  {line}" for line in explain(engine.plan_of(statement)).splitlines())])
