"""SQL tests as text: what an `.slt` file says, run in every mode.

A file is a list of records, each with a blank line behind it; `#` starts a comment line.  A line `=== title` starts a section:
a test of its own, with a new engine.  A section is a script; its records are executed in order, with one exception, which lets
the rows stand in front of the queries that explain them:

    a streaming query is attached before the first row or bound of its section, wherever it stands.

(`here` attaches it where it stands.)  Its results are all rows that it has given by the end of the section, when every stream
has ended; with `open`, those given before the end.

    statement ok                        SQL follows; with a regular expression behind `ok`, the messages and warnings match it
    statement error REGEX               the SQL fails, and `LINE:COLUMN: message` or the hint matches
    statement error                     ... and under `----` stands the whole error as the command line prints it
    stream NAME                         rows follow: ROWTIME, then the columns
    bound [NAME] TIME                   a rowtime bound, of the last stream named
    clock TIME                          the clock of the engine
    date DATE                           the day of all times of day, here and in results (2020-01-01 unless said)
    query TYPES [rowsort] [header] [open] [here]
                                        SQL, `----`, the rows.  `rowsort`: in any order; `header`: the names of the columns first
    explain                             SQL, `----`, the plan (compared where the rules are on)

Columns of rows stand two or more blanks apart.  Text that is empty, says NULL, or has two blanks or a `"` in it is quoted as in
CSV.  Values print as CAST(... AS VARCHAR) does, times on the section's day without it.  TYPES has a letter a column: T text,
I whole number, N decimal, R real, B boolean, P timestamp, D date, H time, V interval, X binary; `?` stands for any.

Modes: batches of 1, 7 and all rows of a record; straight through, or saved and loaded into a new engine after every step; the
plan's rules on and off.  All give the same rows.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from streamsql.engine import Engine, RowQueue
from streamsql.errors import Error
from streamsql.functions.cast import converter
from streamsql.plan.explain import explain
from streamsql.rows import QueryTime, Rows
from streamsql.sql.parser import parse
from streamsql.statements import Statement
from streamsql.time import END, ManualClock, Time, from_datetime
from streamsql.types import Batch, Family, Field, Kind, Schema, SqlType, varchar

Row = tuple[str, ...]

LETTERS = {
    Family.CHARACTER: "T",
    Family.NUMERIC: "I",
    Family.BOOLEAN: "B",
    Family.TIMESTAMP: "P",
    Family.DATE: "D",
    Family.TIME: "H",
    Family.DAY_TIME: "V",
    Family.YEAR_MONTH: "V",
    Family.BINARY: "X",
}


class SltError(Exception):
    """A record whose result is not as written, or a file that cannot be read."""


@dataclass(frozen=True)
class Mode:
    """One way of running a section."""

    batch: int | None = None
    restart: bool = False
    rules: bool = True

    def __str__(self) -> str:
        size = "all rows" if self.batch is None else f"batches of {self.batch}"
        return f"{size}{', restarts' * self.restart}{', no rules' * (not self.rules)}"


MODES = [Mode(*mode) for mode in itertools.product((None, 7, 1), (False, True), (True, False))]


@dataclass
class Record:
    """One record: its first line in the file, its words, the lines below it, and those below `----` (None: there is none)."""

    line: int
    words: list[str]
    body: list[str]
    result: list[str] | None
    end: int
    """The line behind its last, from 0: where its results end."""

    @property
    def kind(self) -> str:
        return self.words[0]

    @property
    def sql(self) -> str:
        return "\n".join(self.body)


@dataclass
class Section:
    """A test: its records."""

    title: str
    records: list[Record] = field(default_factory=list)


def read(path: Path) -> list[Section]:
    """The sections of a file."""
    sections = [Section("")]
    lines = path.read_text().splitlines()
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line.strip() or line.startswith("#"):
            at += 1
        elif line.startswith("==="):
            sections.append(Section(line.strip("= ")))
            at += 1
        else:
            end = next((i for i in range(at, len(lines)) if not lines[i].strip() or (i > at and _alone(lines[i]))), len(lines))
            end = at + 1 if _alone(line) else end
            block = lines[at + 1 : end]
            cut = block.index("----") if "----" in block else None
            result = None if cut is None else block[cut + 1 :]
            sections[-1].records.append(Record(at + 1, line.split(), block[:cut], result, end))
            at = end
    return [section for section in sections if section.records]


def _alone(line: str) -> bool:
    return re.match(r"(bound|clock|date) \S", line) is not None


def columns_of(line: str) -> Row:
    """The values of a line."""
    found = re.findall(r'"((?:[^"]|"")*)"(?=  |\s*$)|(\S+(?: \S+)*)', line)
    return tuple(plain or "\0" + quoted.replace('""', '"') for quoted, plain in found)


def shown(value: str) -> str:
    """A value as a line shows it; the mark in front of quoted text tells it from NULL."""
    quoted = value.startswith("\0")
    text = value.removeprefix("\0")
    needs = text in ("", "NULL") or text != text.strip() or "  " in text or '"' in text
    return '"' + text.replace('"', '""') + '"' if quoted and needs else text


def table(rows: Sequence[Row]) -> list[str]:
    """Rows as lines, their columns below each other."""
    texts = [[shown(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts)]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip() for row in texts]


class Calendar:
    """Times of day on the day of the section."""

    def __init__(self) -> None:
        self.day = "2020-01-01"

    def time(self, text: str) -> Time:
        return from_datetime(datetime.fromisoformat(text if "-" in text else f"{self.day} {text}"))

    def value(self, text: str, type_: SqlType) -> Any:
        """A value of a row as pyarrow takes it."""
        if text == "NULL":
            return None
        text = text.removeprefix("\0")
        match type_.family:
            case Family.TIMESTAMP:
                return self.time(text)
            case Family.BOOLEAN:
                return {"TRUE": True, "FALSE": False}[text.upper()]
            case Family.NUMERIC:
                return int(text) if type_.is_integer else Decimal(text) if type_.kind is Kind.DECIMAL else float(text)
            case Family.DATE:
                return datetime.fromisoformat(text).date()
            case Family.TIME:
                return datetime.fromisoformat(f"2000-01-01 {text}").time()
            case Family.BINARY:
                return bytes.fromhex(text)
            case _:
                return text

    def rows(self, batch: Batch, schema: Schema) -> list[Row]:
        """The rows of a result as text."""
        columns = [self._column(column, f.type) for column, f in zip(batch.columns, schema.fields, strict=True)]
        return list(zip(*columns, strict=True)) if columns else [()] * batch.num_rows

    def _column(self, column: pa.Array, type_: SqlType) -> list[str]:
        if type_.family is Family.BINARY:
            return ["NULL" if value is None else value.hex() for value in column.to_pylist()]
        if type_.family is not Family.CHARACTER and type_.kind is not Kind.NULL:
            convert = converter(type_, varchar(), False)
            assert convert is not None
            rows = Rows(pa.RecordBatch.from_arrays([column], names=["value"]), QueryTime())
            column = rows.column(convert(rows, column))
        mark = "\0" if type_.family is Family.CHARACTER else ""
        day = self.day + " " if type_.family is Family.TIMESTAMP else "\0"
        return ["NULL" if value is None else mark + value.removeprefix(day) for value in column.to_pylist()]


def types_of(schema: Schema) -> str:
    """The letters of a result's columns."""
    return "".join(_letter(f.type) for f in schema.fields)


def _letter(type_: SqlType) -> str:
    if type_.kind is Kind.DECIMAL:
        return "N"
    return "R" if type_.kind in (Kind.REAL, Kind.DOUBLE) else LETTERS.get(type_.family, "?")


@dataclass
class Reading:
    """A streaming query at work: what it has given so far."""

    record: Record
    queue: RowQueue
    rows: list[Row] = field(default_factory=list)
    before_end: int = 0


class Run:
    """One run of a section in one mode.  `results` holds what each record gave, in the form in which the file shows it."""

    def __init__(self, section: Section, mode: Mode) -> None:
        self.mode = mode
        self.records = section.records
        self.results: dict[int, list[str]] = {}
        self.types: dict[int, str] = {}
        self.calendar = Calendar()
        self.clock = ManualClock(self.calendar.time("00:00:00"))
        self.engine = self._new()
        self.done: list[Statement | str] = []
        """What was executed on the engine: statements, and the streams that rows came to."""
        self.readings: list[Reading] = []
        self.stream = ""

    def run(self) -> None:
        """Execute the records."""
        first = next((r.line for r in self.records if r.kind in ("stream", "bound")), 0)
        hoisted = [r for r in self.records if r.kind == "query" and r.line > first and "here" not in r.words and self._streams(r)]
        for record in self.records:
            if record.line == first:
                for query in hoisted:
                    self._at(query)
            if record not in hoisted:
                self._at(record)
        for reading in self.readings:
            reading.before_end = len(reading.rows)
        self.engine.end_inserts()
        self.engine.pipeline.finish()
        self.engine.pipeline.end_errors()
        self._drain()
        for reading in self.readings:
            if not reading.queue.ended:
                raise SltError(f"line {reading.record.line}: the query has not ended with its input")
            rows = reading.rows[: reading.before_end] if "open" in reading.record.words else reading.rows
            self._query_result(reading.record, reading.queue.schema, rows)

    def _at(self, record: Record) -> None:
        try:
            getattr(self, f"_{record.kind}")(record)
        except Error as error:
            raise SltError(f"line {record.line}: {error.render()}") from error
        self._drain()

    def _streams(self, record: Record) -> bool:
        return re.match(r"\s*(WITH|SELECT|\().*\bSTREAM\b", record.sql.upper(), re.DOTALL) is not None

    # -- records -------------------------------------------------------------------------------------------------------

    def _statement(self, record: Record) -> None:
        wanted, pattern = record.words[1], " ".join(record.words[2:])
        warned = len(self.engine.warnings)
        try:
            said = [self._execute(statement).message for statement in self._parse(record.sql)]
        except Error as error:
            if wanted != "error":
                raise
            self._error(record, error.located(record.sql), pattern)
            return
        if wanted != "ok":
            raise SltError(f"line {record.line}: the statement should fail")
        self._matches(record, pattern, "\n".join([*said, *self.engine.warnings[warned:]]))

    def _error(self, record: Record, error: Error, pattern: str) -> None:
        self._matches(record, pattern, f"{error.line}:{error.column}: {error.message}\n{error.hint or ''}")
        if record.result is not None:
            self.results[record.line] = error.render().splitlines()

    def _matches(self, record: Record, pattern: str, text: str) -> None:
        if not re.search(pattern, text):
            raise SltError(f"line {record.line}: {pattern!r} does not match\n{text}")

    def _query(self, record: Record) -> None:
        statement, *others = self._parse(record.sql)
        if others:
            raise SltError(f"line {record.line}: a query is one statement")
        result = self._execute(statement)
        assert result.rows is not None
        self.types[record.line] = types_of(result.rows.schema)
        if result.streaming:
            self.readings.append(Reading(record, result.rows))
        else:
            self._query_result(record, result.rows.schema, self._taken(result.rows))

    def _query_result(self, record: Record, schema: Schema, rows: list[Row]) -> None:
        rows = sorted(rows) if "rowsort" in record.words else rows
        names = [tuple("\0" + f.name for f in schema.fields)] if "header" in record.words else []
        self.results[record.line] = table([*names, *rows])

    def _explain(self, record: Record) -> None:
        statement = self._parse(record.sql)[0]
        if self.mode.rules:
            self.results[record.line] = explain(self.engine.plan_of(statement)).splitlines()

    def _stream(self, record: Record) -> None:
        self.stream = record.words[1]
        schema = self.engine.catalog.find_stream(self.stream, None).schema
        rows = [columns_of(line) for line in record.body]
        for row, line in zip(rows, record.body):
            if len(row) != len(schema.fields):
                raise SltError(f"line {record.line}: {len(row)} values for {len(schema.fields)} columns: {line}")
        batch = pa.RecordBatch.from_arrays(
            [self._values([row[i] for row in rows], f) for i, f in enumerate(schema.fields)], schema=schema.arrow()
        )
        size = self.mode.batch or max(1, len(rows))
        self.done.append(self.stream)
        for start in range(0, len(rows), size):
            self.engine.insert_rows(self.stream, batch.slice(start, size), explicit=True)
            self._stepped()

    def _values(self, texts: Sequence[str], column: Field) -> pa.Array:
        return pa.array([self.calendar.value(text, column.type) for text in texts], column.type.arrow())

    def _bound(self, record: Record) -> None:
        *words, text = " ".join(record.words[1:]).split(" ", 1) if "-" not in record.words[-2] else self._dated(record)
        self.stream = words[0] if words else self.stream
        self.done.append(self.stream)
        self.engine.advance(self.stream, END if text == "END" else self.calendar.time(text))
        self._stepped()

    def _dated(self, record: Record) -> list[str]:
        return [*record.words[1:-2], " ".join(record.words[-2:])]

    def _clock(self, record: Record) -> None:
        self.clock.set(self.calendar.time(" ".join(record.words[1:])))
        self.engine.step()
        self._stepped()

    def _date(self, record: Record) -> None:
        self.calendar.day = record.words[1]
        self.clock.set(self.calendar.time("00:00:00"))
        if not self.done:
            self.engine = self._new()

    # -- the engine ----------------------------------------------------------------------------------------------------

    def _new(self) -> Engine:
        return Engine(clock=self.clock, use_rules=self.mode.rules)

    def _parse(self, sql: str) -> list[Statement]:
        try:
            return list(parse(sql))
        except Error as error:
            raise error.located(sql) from None

    def _execute(self, statement: Statement) -> Any:
        result = self.engine.execute(statement)
        self.done.append(statement)
        return result

    def _stepped(self) -> None:
        """Between two steps: keep what has come out; in a mode with restarts, go on in another engine."""
        self._drain()
        if not self.mode.restart:
            return
        facts, state = self.engine.save()
        started = self.engine.started
        self.engine = self._new()
        self.engine.started = started
        queues = []
        for item in self.done:
            if isinstance(item, str):
                self._touch(item)
                continue
            result = self.engine.execute(item)
            if result.streaming:
                queues.append(result.rows)
        self.engine.load(facts, state)
        for reading, queue in zip(self.readings, queues, strict=True):
            while queue.take() is not None:
                pass
            queue.ended = reading.queue.ended
            reading.queue = queue

    def _touch(self, stream: str) -> None:
        """Let a stream have the writer that rows from outside enter by."""
        if stream in self.engine.catalog.relations:
            schema = self.engine.catalog.find_stream(stream, None).schema
            self.engine.insert_rows(stream, schema.empty(), explicit=True)

    def _drain(self) -> None:
        for reading in self.readings:
            reading.rows += self._taken(reading.queue)

    def _taken(self, queue: RowQueue) -> list[Row]:
        rows: list[Row] = []
        while (batch := queue.take()) is not None:
            rows += self.calendar.rows(batch, queue.schema)
        return rows


def check(section: Section, modes: Sequence[Mode] = MODES) -> None:
    """Run a section in all modes; an `SltError` says what differs, and in which mode first."""
    for mode in modes:
        run = Run(section, mode)
        try:
            run.run()
        except SltError as error:
            raise SltError(f"{error}\n  in mode: {mode}") from error
        for record in section.records:
            _compare(record, run, mode)


def _compare(record: Record, run: Run, mode: Mode) -> None:
    given = run.results.get(record.line)
    if given is None:
        return
    if record.kind == "query" and not _types_fit(record.words[1], run.types[record.line]):
        raise SltError(f"line {record.line}: columns of types {run.types[record.line]}, not {record.words[1]}\n  in mode: {mode}")
    wanted = record.result or []
    if record.kind == "query":
        head = "header" in record.words
        wanted = table([columns_of(line) for line in wanted])
        if "rowsort" in record.words:
            rows = [columns_of(line) for line in wanted]
            wanted = table(rows[:head] + sorted(rows[head:], key=lambda row: [v.removeprefix("\0") for v in row]))
            rows = [columns_of(line) for line in given]
            given = table(rows[:head] + sorted(rows[head:], key=lambda row: [v.removeprefix("\0") for v in row]))
    if wanted != given:
        lines = ["", "expected:", *wanted, "given:", *given]
        raise SltError(f"line {record.line}: {record.sql}" + "\n    ".join(lines) + f"\n  in mode: {mode}")


def _types_fit(wanted: str, given: str) -> bool:
    return len(wanted) == len(given) and all(w in ("?", g) for w, g in zip(wanted, given))


def complete(path: Path) -> None:
    """Write what the records of a file give into it, in place of what it says."""
    lines = path.read_text().splitlines()
    changes: list[tuple[Record, list[str], str]] = []
    for section in read(path):
        run = Run(section, Mode())
        run.run()
        changes += [(r, run.results[r.line], run.types.get(r.line, "")) for r in section.records if r.line in run.results]
    for record, result, types in reversed(changes):
        start = record.line + len(record.body)
        lines[start : record.end] = ["----", *result]
        if types:
            lines[record.line - 1] = " ".join(["query", types, *record.words[2:]])
    path.write_text("\n".join(lines) + "\n")


def sections(path: Path) -> Iterator[Section]:
    """The sections of a file with titles to tell them apart."""
    for number, section in enumerate(read(path), 1):
        section.title = section.title or (path.stem if number == 1 else f"{path.stem} {number}")
        yield section
