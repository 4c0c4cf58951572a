"""SQL tests as text: what an `.slt` file says, run in every mode.

A file is a list of records, each with a blank line behind it; `#` starts a comment line.  A line `=== title` starts a section:
a test of its own, with a new engine; what stands before the first `===` is the beginning of every section.  A section is a
script: its records are executed in order, but rows wait (with bounds and the clock) until all statements and queries have been
executed, so that they may stand in front of the queries that they explain.  A line `run` lets those come in that wait.  The
rows of a streaming query are all that it has given by the end of the section, when every stream has ended; with `open`, those
given before the end.

    statement ok                        SQL follows; with a regular expression behind `ok`, the messages and warnings match it
    statement error REGEX               the SQL fails, and `LINE:COLUMN: message` or the hint matches
    statement error                     ... and under `----` stands the whole error as the command line prints it
    script FILE                         the statements of a file that stands beside this one; under `----` stands the error that
                                        the command line prints, if they are wrong
    stream NAME                         rows follow: ROWTIME, then the columns
    table NAME (COLUMN TYPE, ...)       rows follow: a table has them
    bound [NAME] TIME                   a rowtime bound, of the last stream named (END: it ends)
    clock TIME                          the clock of the engine
    start TIME                          when the engine starts, in place of 00:00:00
    run                                 the rows and bounds so far come in, before what follows is executed
    date DATE                           the day of all times of day, here and in results (2020-01-01 unless said)
    query TYPES [rowsort] [header] [open]
                                        SQL, `----`, the rows.  `rowsort`: in any order; `header`: the names of the columns first
    explain                             SQL, `----`, the plan (compared where the rules are on)
    values                              lines `EXPRESSION => RESULT`: what CAST(... AS VARCHAR) prints of it, `error: MESSAGE`
                                        where it fails (its rows do not depend on batches, so it runs with and without rules only)

Columns of rows stand two or more blanks apart.  Text that is empty, says NULL, or has two blanks or a `"` in it is quoted as in
CSV.  Values print as CAST(... AS VARCHAR) does, times on the section's day without it.  TYPES has a letter a column: T text,
I whole number, N decimal, R real, B boolean, P timestamp, D date, H time, V interval, X binary; `?` stands for any.

`s3://` is a folder of the section's own.  What pumps write to external tables is committed after every step.

Modes: batches of 1, 7 and all rows of a record; straight through, or saved and loaded into a new engine after every step; the
plan's rules on and off.  All give the same rows.
"""

from __future__ import annotations

import itertools
import re
import shutil
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
from printed import printed
from session import Reading, Session, parsed
from slt_text import Calendar, Record, Row, Section, SltError, read, shown, table, types_of, values_of

from streamsql.catalog import Table
from streamsql.engine.result import Result
from streamsql.errors import Error
from streamsql.plan.explain import explain
from streamsql.statements.statement import Statement
from streamsql.statements.streaming import CreateStream
from streamsql.time import ManualClock
from streamsql.types import Field, Schema


@dataclass(frozen=True)
class Mode:
    """One way of running a section."""

    batch: int | None = None
    restart: bool = False
    rules: bool = True

    def __str__(self) -> str:
        size = "all rows" if self.batch is None else f"batches of {self.batch}"
        return f"{size}{', restarts' * self.restart}{', no rules' * (not self.rules)}"


ARROW = "=>"
"""Between an expression and its result."""

MODES = [Mode(*mode) for mode in itertools.product((None, 7, 1), (False, True), (True, False))]


@dataclass
class Outcome:
    """What a record gave: rows, or lines of text."""

    rows: list[Row] | None = None
    lines: list[str] = field(default_factory=list)
    types: str = ""

    def text(self) -> list[str]:
        """As the file shows it."""
        return self.lines if self.rows is None else table(self.rows)


class Run:
    """One run of a section in one mode; `outcomes` by the records' lines."""

    def __init__(self, section: Section, mode: Mode) -> None:
        self.mode = mode
        self.records = section.records
        self.folder = section.folder
        self.outcomes: dict[int, Outcome] = {}
        self.calendar = Calendar()
        self.clock = ManualClock(self.calendar.time(_start(section)))
        self.lake = Path(tempfile.gettempdir()) / f"streamsql-slt-{uuid.uuid4().hex}"
        self.session = Session(self.clock, mode.rules, self.lake)
        self.queries: list[Record | None] = []  # the record of each of the session's readings; None: a statement
        self.stream = ""

    def run(self) -> None:
        """Execute the records, then end all streams."""
        try:
            self._run()
        finally:
            shutil.rmtree(self.lake, ignore_errors=True)

    def _run(self) -> None:
        waiting: list[Record] = []
        for record in self.records:
            if record.kind in ("stream", "bound", "clock"):
                waiting.append(record)
            elif record.kind == "start":
                continue
            elif record.kind == "run":
                self._all(waiting)
                waiting = []
            else:
                self._all([record])
        self._all(waiting)
        given = [reading.rows().num_rows for reading in self.session.readings]
        self.session.end()
        for record, reading, count in zip(self.queries, self.session.readings, given, strict=True):
            if record is None:
                continue
            if not reading.ended:
                raise record.failed("the query has not ended with its input")
            rows = self.calendar.rows(reading.rows(), reading.queue.schema)
            self._finished(record, reading.queue.schema, rows[:count] if "open" in record.words else rows)

    def _all(self, records: Sequence[Record]) -> None:
        for record in records:
            try:
                getattr(self, f"_{record.kind}")(record)
            except Error as error:
                raise record.failed(error.render()) from error

    # -- records -------------------------------------------------------------------------------------------------------

    def _statement(self, record: Record) -> None:
        wanted, pattern = record.words[1], " ".join(record.words[2:])
        warned = len(self.session.engine.warnings)
        try:
            results = [self._execute(statement) for statement in parsed(record.sql)]
            for result in results:  # what is wrong with the rows of a table shows when they are taken
                while not result.streaming and result.rows is not None and result.rows.take() is not None:
                    pass
        except Error as error:
            if wanted != "error":
                raise error.located(record.sql) from None
            _match(record, pattern, f"{error.line}:{error.column}: {error.message}\n{error.hint or ''}")
            if record.result is not None:
                self.outcomes[record.line] = Outcome(lines=error.located(record.sql).render().splitlines())
            return
        if wanted != "ok":
            raise record.failed("the statement should fail")
        said = (result.message for result in results)
        _match(record, pattern, "\n".join([*said, *self.session.engine.warnings[warned:]]))

    def _script(self, record: Record) -> None:
        text = (self.folder / record.words[1]).read_bytes().decode()
        try:
            for statement in parsed(text):
                self._execute(statement)
        except Error as error:
            if record.result is None:
                raise error.located(text, record.words[1]) from None
            self.outcomes[record.line] = Outcome(lines=error.located(text, record.words[1]).render().splitlines())
            return
        if record.result is not None:
            raise record.failed("the statements should fail")

    def _query(self, record: Record) -> None:
        try:
            result = self._execute(parsed(record.sql)[0], record)
        except Error as error:
            raise error.located(record.sql) from None
        assert result.rows is not None
        if not result.streaming:
            rows = Reading(result.rows)
            rows.drain()
            self._finished(record, result.rows.schema, self.calendar.rows(rows.rows(), result.rows.schema))

    def _finished(self, record: Record, schema: Schema, rows: list[Row]) -> None:
        names = [tuple(f.name for f in schema.fields)] if "header" in record.words else []
        self.outcomes[record.line] = Outcome([*names, *_ordered(record, rows)], types=types_of(schema))

    def _explain(self, record: Record) -> None:
        if self.mode.rules:
            self.outcomes[record.line] = Outcome(lines=explain(self.session.engine.plan_of(parsed(record.sql)[0])).splitlines())

    def _values(self, record: Record) -> None:
        if self.mode.batch is None and not self.mode.restart:
            cases = [tuple(part.strip() for part in line.rpartition(ARROW)[::2]) for line in record.body]
            given = [(expression, shown(printed(expression, self.session))) for expression, _ in cases]
            width = max(len(expression) for expression, _ in given)
            lines = [f"{expression.ljust(width)} {ARROW} {result}" for expression, result in given]
            self.outcomes[record.line] = Outcome(lines=record.body if given == cases else lines)

    def _stream(self, record: Record) -> None:
        self.stream = record.words[1]
        schema = self.session.engine.catalog.find_stream(self.stream, None).schema
        rows = [values_of(line) for line in record.body]
        for row, line in zip(rows, record.body):
            if len(row) != len(schema.fields):
                raise record.failed(f"{len(row)} values for {len(schema.fields)} columns: {line}")
        batch = self.calendar.batch(rows, schema)
        size = self.mode.batch or max(1, len(rows))
        for start in range(0, len(rows), size):
            self.session.insert(self.stream, batch.slice(start, size))
            self._stepped()

    def _table(self, record: Record) -> None:
        (created,) = parsed(f"CREATE STREAM {record.rest}")
        assert isinstance(created, CreateStream)
        schema = Schema(tuple(Field(column.name.name, column.type) for column in created.columns))
        rows = [values_of(line) for line in record.body]
        self.session.register(Table(created.name.name, schema, pa.Table.from_batches([self.calendar.batch(rows, schema)])))

    def _bound(self, record: Record) -> None:
        words = record.words[1:]
        if words[0][0].isalpha() and words[0] != "END":
            self.stream = words.pop(0)
        self.session.advance(self.stream, self.calendar.time(" ".join(words)))
        self._stepped()

    def _clock(self, record: Record) -> None:
        self.clock.set(self.calendar.time(record.rest))
        self.session.step()
        self._stepped()

    def _date(self, record: Record) -> None:
        self.calendar.day = record.rest

    def _execute(self, statement: Statement, record: Record | None = None) -> Result:
        result = self.session.execute(statement)
        if result.streaming:
            self.queries.append(record)
        return result

    def _stepped(self) -> None:
        if self.mode.restart:
            self.session.restart()
        else:
            self.session.commit()


def _start(section: Section) -> str:
    return next((record.rest for record in section.records if record.kind == "start"), "00:00:00")


def _match(record: Record, pattern: str, text: str) -> None:
    if not re.search(pattern, text):
        raise record.failed(f"{pattern!r} does not match\n{text}")


def _ordered(record: Record, rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: [(value is None, value or "") for value in row]) if "rowsort" in record.words else rows


def check(section: Section, modes: Sequence[Mode] = MODES) -> None:
    """Run a section in all modes; an `SltError` says what differs, and in which mode first."""
    for mode in modes:
        run = Run(section, mode)
        try:
            run.run()
            for record in section.records:
                if record.line in run.outcomes:
                    _compare(record, run.outcomes[record.line])
        except SltError as error:
            raise SltError(f"{error}\n  in mode: {mode}") from error


def _compare(record: Record, outcome: Outcome) -> None:
    wanted = record.body if record.kind == "values" else record.result or []
    if outcome.rows is None:
        same = wanted == outcome.lines
    else:
        types = record.words[1]
        if len(types) != len(outcome.types) or any(t not in ("?", g) for t, g in zip(types, outcome.types)):
            raise record.failed(f"the columns are of types {outcome.types}, not {types}")
        head = "header" in record.words
        rows = [values_of(line) for line in wanted]
        same = [*rows[:head], *_ordered(record, rows[head:])] == outcome.rows
    if not same and record.kind == "values":
        differing = [(w, g.rpartition(ARROW)[2].strip()) for w, g in zip(wanted, outcome.lines) if w.split() != g.split()]
        raise record.failed("\n    ".join(f"{expected}\n      given: {given}" for expected, given in differing))
    if not same:
        raise record.failed("\n    ".join([record.sql, "", "expected:", *wanted, "", "given:", *outcome.text()]))


def complete(path: Path) -> None:
    """Write what the records of a file give into it, in place of what it says."""
    lines = path.read_text().splitlines()
    outcomes: dict[int, tuple[Record, Outcome]] = {}
    for section in read(path):
        run = Run(section, Mode())
        run.run()
        outcomes |= {r.line: (r, run.outcomes[r.line]) for r in section.records if r.line in run.outcomes}
    for _, (record, outcome) in sorted(outcomes.items(), reverse=True):
        if record.kind == "values":
            lines[record.line : record.end] = outcome.text()
            continue
        lines[record.line + len(record.body) : record.end] = ["----", *outcome.text()]
        if outcome.rows is not None:
            lines[record.line - 1] = " ".join(["query", outcome.types, *record.words[2:]])
    path.write_text("\n".join(lines) + "\n")
