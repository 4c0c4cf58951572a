"""Tests run: each on an engine of its own, whose clock stands still until the test moves it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from streamsql.datetime_text import parse_timestamp
from streamsql.engine.engine import Engine
from streamsql.engine.foreign import uri_of
from streamsql.engine.runtime import Writing
from streamsql.errors import Error, OperationalError, ProgrammingError, Span
from streamsql.run import error_stream
from streamsql.sql.parser import parse
from streamsql.statements.statement import Statement
from streamsql.statements.streaming import CreateForeignStream, CreateStream, Drop, Insert, Query
from streamsql.testing.assertions import Recorder, assert_columns, assert_nothing, assert_values
from streamsql.testing.files import SqlTest, Step
from streamsql.time import ManualClock

_COMMANDS = re.compile(r"\s*(RUN\s+SCRIPT|ADVANCE\s+TO|ASSERT\s+VALUES|ASSERT\s+NULL\s+VALUES|ASSERT\s+STREAM)\b", re.IGNORECASE)
_ASSERT = re.compile(r"\s*ASSERT\b", re.IGNORECASE)
_QUOTED = re.compile(r"'((?:[^']|'')*)'\s*\Z")

_TIME = re.compile(r"(?:TIMESTAMP\s*)?'([^']*)'", re.IGNORECASE)

MAX_DEPTH = 16
"""So many scripts may run each other."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a test: `problem` is what is wrong with it, empty when nothing is."""

    test: SqlTest
    seconds: float
    problem: str = ""
    line: int = 0

    @property
    def passed(self) -> bool:
        return not self.problem


def run(test: SqlTest) -> Outcome:
    """Run a test."""
    begun = time.perf_counter()
    running = _Running(test)
    problem, line = "", test.line
    for step in test.steps:
        try:
            running.step(step)
        except Error as error:
            line = step.line
            problem = f"{error.located(step.text, str(test.file)).render()}"
            if test.expected_error is not None:
                found = test.expected_error.lower() in error.message.lower()
                problem = "" if found else f"the error is not the expected one, {test.expected_error!r}:\n{problem}"
            break
    else:
        if test.expected_error is not None:
            problem = f"no step failed, and an error was expected: {test.expected_error!r}"
    return Outcome(test, time.perf_counter() - begun, problem, line)


class _Running:
    """One test at work."""

    def __init__(self, test: SqlTest) -> None:
        self._folder = test.file.parent
        self._clock = ManualClock()
        self._engine = Engine(clock=self._clock, writing=Writing.NEVER)
        self._recorders: dict[str, Recorder] = {}
        self._depth = 0
        self._record()

    def step(self, step: Step) -> None:
        """Take one step; raises Error for one that fails."""
        match = _COMMANDS.match(step.text)
        if match is None:
            if _ASSERT.match(step.text):
                hint = "ASSERT VALUES stream VALUES (...), ASSERT NULL VALUES stream or ASSERT STREAM stream (columns)"
                raise ProgrammingError("no assertion of this form", Span.point(step.line, 1), hint)
            self._execute(step.text)
            return
        command = " ".join(match[1].upper().split())
        _STEPS[command](self, step, match)

    def _execute(self, text: str) -> None:
        for statement in parse(text):
            if isinstance(statement, Query):
                hint = "ASSERT VALUES stream VALUES (...) looks at the rows of a stream; CREATE VIEW names a query"
                raise ProgrammingError("nobody sees the rows of a query in a test", statement.span, hint)
            self._engine.execute(_without_server(statement) if isinstance(statement, CreateForeignStream) else statement)
            self._record()
            self._settle()

    def _record(self) -> None:
        """Look at the rows of streams that are new."""
        for stream in self._engine.catalog.streams():
            hub = self._engine.pipeline.hub(stream.name)
            recorder = self._recorders.get(stream.name)
            if recorder is None or recorder.hub is not hub:
                self._recorders[stream.name] = Recorder(hub)

    def _settle(self) -> None:
        """Let everything come out that can."""
        self._engine.step()
        self._engine.pipeline.release_errors()

    # -- the commands of a test ------------------------------------------------------------------------------------------

    def run_script(self, step: Step, match: re.Match[str]) -> None:
        """RUN SCRIPT 'file': its statements, as if they stood here; the path is relative to the test's file."""
        named = _QUOTED.search(step.text)
        if named is None:
            raise ProgrammingError("RUN SCRIPT takes a file in quotes", Span.point(step.line, 1), "RUN SCRIPT 'app.sql'")
        path = self._folder / named[1].replace("''", "'")
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise OperationalError(f"cannot read {path}: {reason}", _span_of(step)) from None
        if self._depth >= MAX_DEPTH:
            raise OperationalError(f"{MAX_DEPTH} scripts deep: does {path} run itself?", _span_of(step))
        self._depth += 1
        try:
            self._execute(text)
        except Error as error:
            raise error.located(text, str(path)) from None
        finally:
            self._depth -= 1

    def advance(self, step: Step, match: re.Match[str]) -> None:
        """ADVANCE TO 'time': the clock, and a bound for every stream that brings its own time.  ADVANCE TO END ends all."""
        rest = step.text[match.end() :].strip()
        if rest.upper() == "END":
            self._engine.end_inserts()
            self._engine.pipeline.finish()
            self._engine.pipeline.end_errors()
            return
        moment = _moment(rest, step)
        if moment < self._clock.now():
            raise ProgrammingError("time does not go back", _span_of(step))
        self._clock.set(moment)
        modes = self._engine.insert_modes
        written = {pump.target for pump in self._engine.catalog.pumps.values()}
        explicit = any(modes.values())
        for stream in list(self._engine.catalog.streams()):
            if stream.name == error_stream.NAME or stream.name in written:
                continue
            if modes.get(stream.name, explicit):
                self._engine.advance(stream.name, moment)
            else:
                self._engine.open_inserts(stream.name, False)
        self._settle()

    def values(self, step: Step, match: re.Match[str]) -> None:
        """ASSERT VALUES stream [(columns)] VALUES (...), ...: the next rows of the stream."""
        statement = _read_as("INSERT INTO", step, match)
        assert isinstance(statement, Insert)
        assert_values(self._engine, statement, self._recorder(statement))

    def nothing(self, step: Step, match: re.Match[str]) -> None:
        """ASSERT NULL VALUES stream: no further row has come."""
        statement = _read_as("DROP STREAM", step, match)
        assert isinstance(statement, Drop)
        stream = self._engine.catalog.find_stream(statement.name.name, statement.name.span)
        assert_nothing(stream, self._recorders[stream.name], statement.name.span)

    def columns(self, step: Step, match: re.Match[str]) -> None:
        """ASSERT STREAM stream (columns): the stream has exactly these."""
        statement = _read_as("CREATE STREAM", step, match)
        assert isinstance(statement, CreateStream)
        assert_columns(self._engine.catalog.find_stream(statement.name.name, statement.name.span), statement)

    def _recorder(self, statement: Insert) -> Recorder:
        stream = self._engine.catalog.find_stream(statement.target.name, statement.target.span)
        return self._recorders[stream.name]


_STEPS: dict[str, Callable[[_Running, Step, re.Match[str]], None]] = {
    "RUN SCRIPT": _Running.run_script,
    "ADVANCE TO": _Running.advance,
    "ASSERT VALUES": _Running.values,
    "ASSERT NULL VALUES": _Running.nothing,
    "ASSERT STREAM": _Running.columns,
}
"""What only tests can say; a new command is one more entry, and a word in `_COMMANDS`."""


def _without_server(statement: CreateForeignStream) -> CreateStream:
    """A foreign stream in a test: INSERT brings its rows, assertions look at them.  Raises what is wrong with its options."""
    uri_of(statement)
    described = {name: getattr(statement, name) for name in ("name", "columns", "replace", "description", "span", "text")}
    return CreateStream(**described)


def _read_as(words: str, step: Step, match: re.Match[str]) -> Statement:
    """An assertion has the form of a statement of the dialect: with its words it is parsed, every place staying where it is."""
    room = match.end(1) - match.start(1)
    broken = step.text[: match.start(1)] + words.ljust(room)[:room] + step.text[match.end(1) :]
    lines = step.text[match.start(1) : match.end(1)].count("\n")
    (statement,) = parse("\n" * lines + broken)
    return statement


def _moment(text: str, step: Step) -> int:
    """A time: 'yyyy-MM-dd HH:mm:ss', or a TIMESTAMP literal."""
    literal = _TIME.fullmatch(text)
    try:
        if literal is None:
            raise ValueError("no literal")
        return parse_timestamp(literal[1])
    except ValueError:
        raise ProgrammingError("ADVANCE TO takes a time", _span_of(step), "ADVANCE TO '2026-01-01 00:01:00'") from None


def _span_of(step: Step) -> Span:
    """The words of a step."""
    lines = step.text.split("\n")
    first = next(number for number, line in enumerate(lines) if line.strip())
    column = len(lines[first]) - len(lines[first].lstrip()) + 1
    return Span(first + 1, column, first + 1, len(lines[first].rstrip()) + 1)
