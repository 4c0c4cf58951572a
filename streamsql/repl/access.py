"""What the REPL asks of a connection: statements, with all that there is to say about them, and a look inside."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from streamsql.bind.parameters import Parameters
from streamsql.catalog import Catalog
from streamsql.dbapi.connection import Connection
from streamsql.dbapi.cursor import located
from streamsql.dbapi.parameters import bound, placeholders_of
from streamsql.dbapi.reader import Reader
from streamsql.engine.engine import Engine
from streamsql.errors import ProgrammingError, not_supported
from streamsql.external.scan.counts import Counts
from streamsql.plan.nodes import streams_of
from streamsql.run import error_stream
from streamsql.run.graph import Outlet
from streamsql.session.held_attacher import Attached
from streamsql.sql.parser import parse_statement
from streamsql.statements.statement import Statement
from streamsql.statements.streaming import CreatePump, CreateView, Query
from streamsql.types import Batch, Field, Schema

ERRORS_KEPT = 1_000
"""The last rows of `error_stream` that can be looked at."""


def _nothing() -> None:
    pass


@dataclass(slots=True)
class Outcome:
    """What a statement gave: a line for people, or the columns and rows of a query.

    `running`: its rows come from streams, and may have no end.  `reads` are those streams.
    """

    message: str = ""
    warnings: list[str] = field(default_factory=list)
    schema: Schema | None = None
    batches: Iterator[Batch] = field(default_factory=lambda: iter(()))
    running: bool = False
    reads: frozenset[str] = frozenset()
    ended: Callable[[], bool] = lambda: True
    """Whether no row will come beyond those that are there."""
    close: Callable[[], None] = _nothing


class ErrorTail:
    """Counts the rows of `error_stream`, and keeps the last."""

    def __init__(self) -> None:
        self.count = 0
        self._batches: deque[Batch] = deque()
        self._kept = 0

    def write(self, batch: Batch) -> None:
        self._batches.append(batch)
        self._kept += batch.num_rows
        while self._kept - self._batches[0].num_rows >= ERRORS_KEPT:
            self._kept -= self._batches.popleft().num_rows
        self.count += batch.num_rows

    def end(self) -> None:
        pass

    def last(self, count: int) -> list[Mapping[str, Any]]:
        """The last `count` rows, oldest first."""
        found: list[Mapping[str, Any]] = []
        for batch in reversed(list(self._batches)):
            found = batch.slice(max(0, batch.num_rows - count + len(found))).to_pylist() + found
            if len(found) >= count:
                break
        return found


def _values(statement: Statement, variables: Mapping[str, Any]) -> Parameters:
    """What the placeholders of a statement stand for; raises ProgrammingError for one that is no variable."""
    keys = placeholders_of(statement)
    if not keys:
        return ()
    unknown = [key for key in keys if not isinstance(key, str) or key not in variables]
    if unknown:
        name = f":{unknown[0]}" if isinstance(unknown[0], str) else "?"
        raise ProgrammingError(f"no value for {name}", statement.span, "\\set NAME VALUE sets a variable, :NAME takes it")
    if isinstance(statement, CreatePump | CreateView):
        raise not_supported("variables in what the catalog keeps", statement.span)
    return bound(keys, variables)


class Access:
    """A connection from the inside.  Numbers and names may be read while its own thread is at work."""

    def __init__(self, connection: Connection, database: str | None = None) -> None:
        self.database = database
        self._connection = connection
        self._session = connection.session
        self._engine = connection.session.engine
        self._errors = ErrorTail()
        self._inserted = 0
        self.tell_errors(self._errors)

    # -- statements ----------------------------------------------------------------------------------------------------

    def execute(self, text: str, variables: Mapping[str, Any]) -> Outcome:
        """Execute one statement, in which `:name` is the value of a variable; errors know their place in its text."""
        with located(text):
            statement = parse_statement(text)
            executed = self._session.execute([statement], _values(statement, variables))[0]
        result = executed.result
        self._inserted += max(result.count, 0)
        if result.rows is None:
            return Outcome(result.message, executed.warnings)
        reader = Reader(self._session, result)
        reads = frozenset(streams_of(result.plan)) if result.plan is not None else frozenset()
        batches = reader.batches(None)
        return Outcome("", executed.warnings, reader.schema, batches, reader.running, reads, reader.whole, reader.close)

    def columns_of(self, text: str, variables: Mapping[str, Any]) -> tuple[Field, ...]:
        """The columns that a query would give; none where the statement is no query."""
        with located(text):
            statement = parse_statement(text)
            if not isinstance(statement, Query):
                return ()
            return self._session.plan_of(statement, _values(statement, variables)).schema.visible

    def hold_inputs(self, hold: bool = True) -> None:
        """Let inputs wait until all of a script is executed, or not any more."""
        self._session.hold_inputs(hold)

    def begin_inputs(self) -> None:
        """Let the inputs begin that are read, now and later."""
        self._session.begin_inputs()

    @property
    def is_kept(self) -> bool:
        """Whether there is a database, in which everything goes on the next time."""
        return self._session.is_kept

    def end_inserts(self) -> None:
        """No INSERT will follow: what only INSERT feeds ends, and what nothing feeds."""

        def end(engine: Engine) -> None:
            engine.end_inserts()
            engine.pipeline.finish()

        self._connection.call(end)

    def wait_for_inputs(self, outcomes: Iterable[Outcome]) -> None:
        """Wait until the inputs have ended, but not for those whose rows only reached queries that have all of theirs."""

        def answered() -> set[str]:
            return {name for outcome in outcomes if outcome.ended() for name in self._read_by(outcome)}

        with self._session.loop.task() as task:
            self._session.wait_for_inputs(task, None, answered)

    def _read_by(self, outcome: Outcome) -> Iterable[str]:
        """The streams that a query reads; all of them lead to `error_stream`."""
        return self.catalog.relations if error_stream.NAME in outcome.reads else outcome.reads

    def end_errors(self) -> None:
        """Nothing will come into `error_stream` any more."""
        self._connection.call(lambda engine: engine.pipeline.end_errors())

    def tell_errors(self, outlet: Outlet) -> None:
        """Let an outlet have the rows of `error_stream` too."""
        self._connection.call(lambda engine: engine.pipeline.hub(error_stream.NAME).outlets.append(outlet))

    def close(self) -> list[str]:
        """Close the connection; gives what there is to say about it."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            self._connection.close()
        return [str(each.message) for each in caught]

    def register(self, name: str, table: pa.Table) -> None:
        """Let queries read a table."""
        self._connection.register(name, table)

    def insert(self, insert: str, rows: pa.Table) -> None:
        """Insert rows into a stream; the columns of the table are the parameters of the statement."""
        self._connection.executemany(insert, rows)
        self._inserted += rows.num_rows

    # -- a look inside ---------------------------------------------------------------------------------------------------

    @property
    def catalog(self) -> Catalog:
        return self._engine.catalog

    @property
    def attached(self) -> list[Attached]:
        """The inputs and outputs."""
        return self._connection.call(lambda _: self._session.attached())

    @property
    def scans(self) -> list[Counts]:
        """What the scans of external tables that are at work have read so far."""
        return [scan.counts for scan in list(self._engine.access.running)]

    @property
    def running(self) -> set[str]:
        """The pumps at work."""
        return {name for name in list(self.catalog.pumps) if self._engine.pumps.runs(name)}

    @property
    def rows_in(self) -> int:
        """Rows that have come from inputs and by INSERT."""
        return self._inserted + sum(feed.rows for feed in list(self._engine.pipeline.feeds.values()))

    @property
    def errors(self) -> int:
        """Rows that went to `error_stream`."""
        return self._errors.count

    def last_errors(self, count: int) -> list[Mapping[str, Any]]:
        """The last rows of `error_stream`, oldest first."""
        return self._errors.last(count)
