"""Statements and commands run upon a connection, results printed: what a terminal and a pipe have in common."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from streamsql.display.printers.look import Look, Printer
from streamsql.display.render import printer
from streamsql.errors import Error, OperationalError, ProgrammingError
from streamsql.repl import copying, outputs
from streamsql.repl.access import Access, Outcome
from streamsql.repl.favourites import Favourites
from streamsql.repl.mishaps import told
from streamsql.repl.outputs import Output
from streamsql.repl.progress import Progress
from streamsql.repl.scripts import Unit, units
from streamsql.repl.settings import Settings
from streamsql.types import Batch, Schema

MAX_DEPTH = 16
"""So many files may read each other with `\\i`."""

RunCommand = Callable[["Shell", str], None]
"""Runs a line that is a command; raises ProgrammingError where there is none of its name."""


class Shell:
    """Runs statements and commands.

    Commands know the shell, so it is told by `run_command` how one is run.  Results go to `out` or the file of `\\o`, all else
    is said on `err` or, by a subclass, elsewhere.
    """

    def __init__(self, access: Access, settings: Settings, out: TextIO, err: TextIO, run_command: RunCommand) -> None:
        self.access = access
        self.settings = settings
        self.favourites = Favourites()
        self.variables: dict[str, Any] = {}
        self.leaving = False
        self._terminal = out
        self._out: Output = out
        self._err = err
        self._progress = Progress(lambda: access.scans, err)
        self._run_command = run_command
        self._depth = 0
        self._holding = False
        self._statement = ""
        self._next = ""
        self._columns: tuple[str, ...] = ()

    # -- running -------------------------------------------------------------------------------------------------------

    def run(self, script: str, file: str | None = None) -> None:
        """Run the statements and commands of a script; raises the first error, which then knows its place."""
        try:
            for unit in units(script):
                self._unit(unit)
                if self.leaving:
                    break
        except Error as error:
            if error.file is None:
                error.file = file
            raise

    def run_file(self, name: str) -> None:
        """Run the script in a file."""
        if self._depth >= MAX_DEPTH:
            raise OperationalError(f"{MAX_DEPTH} files deep: does {name} read itself?")
        script = read_text(name)
        self._depth += 1
        try:
            with self.inputs_held():
                self.run(script, name)
        finally:
            self._depth -= 1

    @contextmanager
    def inputs_held(self) -> Iterator[None]:
        """Let the inputs begin when all statements of a script are executed, so that no pump misses a row."""
        if self._holding:
            yield
            return
        self._holding = True
        self.access.hold_inputs()
        try:
            yield
        except BaseException:
            self.access.hold_inputs(False)
            raise
        finally:
            self._holding = False
        self.access.begin_inputs()

    def _unit(self, unit: Unit) -> None:
        try:
            self._run_unit(unit)
        except outputs.Gone as gone:
            self.send_to(None)
            self.say(f"{gone} has ended: results go to the terminal again")

    def _run_unit(self, unit: Unit) -> None:
        if unit.is_command:
            self._run_command(self, unit.text)
            return
        self._statement = unit.text.strip()
        if unit.through:
            self._run_command(self, unit.through)
        else:
            self._execute(unit.text)

    def _execute(self, text: str) -> None:
        with self._progress.shown():
            self._carry_out(text)

    def _carry_out(self, text: str) -> None:
        began = time.perf_counter()
        outcome = self._begun(text)
        for warning in outcome.warnings:
            self.say(f"streamsql: warning: {warning}")
        if outcome.schema is None:
            self.acknowledge(outcome.message)
        elif self._next:
            self._write_next(outcome)
        else:
            self.query(outcome)
        if self.settings.timing:
            self.say(f"time: {(time.perf_counter() - began) * 1000:,.1f} ms")

    def _begun(self, text: str) -> Outcome:
        try:
            return self.access.execute(text, self.variables)
        except KeyboardInterrupt:
            self.clear_line()
            self.say("stopped")
            raise

    def last_statement(self) -> str:
        """The last statement that was run; raises ProgrammingError where there is none."""
        if not self._statement:
            raise ProgrammingError("there is no last statement yet")
        return self._statement

    def run_again(self, *, target: str | None = None, columns: tuple[str, ...] = (), **settings: Any) -> None:
        """Run the last statement with other settings; `target` is the file of its rows, `columns` are for live forms."""
        text = self.last_statement()
        before = self.settings
        self.settings, self._columns = replace(before, **settings), columns
        self._next = target or ""
        try:
            self._execute(text)
        finally:
            self.settings, self._columns = before, ()
            self._next = ""

    def only_row(self) -> dict[str, Any]:
        """Run the last statement again, which must give one row; its values by the names of their columns."""
        outcome = self.access.execute(self.last_statement(), self.variables)
        rows: list[dict[str, Any]] = []
        try:
            for batch in outcome.batches if outcome.schema is not None else ():
                rows += batch.to_pylist()
                if len(rows) > 1:
                    break
        finally:
            outcome.close()
        if len(rows) != 1:
            raise ProgrammingError(f"the statement gave {'no row' if not rows else 'more than one row'}")
        return rows[0]

    def watch(self, seconds: float) -> None:
        """Run the last statement again and again, until Ctrl-C."""
        while True:
            self.say(f"{time.strftime('%H:%M:%S')}, every {seconds:g} seconds")
            self._execute(self.last_statement())
            time.sleep(seconds)

    def query(self, outcome: Outcome) -> None:
        """Print the rows of a query."""
        self.print_rows(outcome)

    def print_rows(self, outcome: Outcome) -> None:
        """Print the rows of a query as they come, until they end or Ctrl-C stops it."""
        assert outcome.schema is not None
        to_text = printer(outcome.schema, self.look(), outcome.running)
        limit = 0 if outcome.running or not self._out.isatty() else self.settings.limit
        try:
            cut = self._print(outcome.batches, to_text, limit)
            self._write(to_text.end(f"the first {limit:,} rows: \\pset limit 0 shows all" if cut else ""))
        except KeyboardInterrupt:
            self.clear_line()
            self._write(to_text.end("stopped"))
            raise
        finally:
            outcome.close()

    def _print(self, batches: Iterable[Batch], to_text: Printer, limit: int) -> bool:
        """Print up to `limit` rows, 0 meaning all; gives whether there were more."""
        left = limit
        for batch in batches:
            if limit and batch.num_rows > left:
                self._write(to_text.write(batch.slice(0, left)))
                return True
            left -= batch.num_rows
            self._write(to_text.write(batch))
        return False

    def clear_line(self) -> None:
        """Wipe what stands in the terminal's line: the echo of Ctrl-C."""

    def look(self) -> Look:
        """How results look now, on what they are written to."""
        size = shutil.get_terminal_size() if self._out.isatty() else None
        width, height = size or (None, None)
        settings = self.settings
        return Look(
            settings.format, settings.null, settings.expanded, width, settings.footer, height, self._columns, settings.header
        )

    # -- what commands need --------------------------------------------------------------------------------------------

    def show(self, schema: Schema, batches: list[Batch]) -> None:
        """Print a list as a result."""
        to_text = printer(schema, self.look())
        for batch in batches:
            self._write(to_text.write(batch))
        self._write(to_text.end())

    def send_to(self, name: str | None) -> None:
        """Let results go to a file or a program from now on, or to where they went at first."""
        new = self._terminal if name is None else outputs.opened(name)
        if self._out is not self._terminal:
            self._out.close()
        self._out = new

    def send_next_to(self, name: str) -> None:
        """Let the next result go to a file or a program."""
        self._next = name

    def _write_next(self, outcome: Outcome) -> None:
        target, self._next = self._next, ""
        if outputs.is_rows(target):
            self.say(copying.written(outcome, target))
            return
        before = self._out
        self._out = outputs.opened(target)
        try:
            self.print_rows(outcome)
        finally:
            self._out.close()
            self._out = before

    def print(self, text: str) -> None:
        """Print a line among the results."""
        self._write(iter([f"{text}\n"]))

    def page(self, text: str) -> None:
        """Tell the user a long text that is not a result."""
        self.say(text)

    def edit(self, name: str | None) -> None:
        """Let the user write in an editor."""
        raise ProgrammingError("there is an editor only at the prompt")

    def say(self, text: str) -> None:
        """Tell the user something that is not a result."""
        self._progress.clear()
        print(text, file=self._err, flush=True)

    def acknowledge(self, message: str) -> None:
        """Tell the user that a statement without rows was carried out."""

    def complain(self, error: BaseException) -> None:
        """Tell the user what went wrong."""
        self.say(told(error))

    def close(self) -> None:
        """Close the file of `\\o`."""
        self.send_to(None)

    def _write(self, texts: Iterator[str]) -> None:
        for text in texts:
            if self._out.isatty():
                self._progress.clear()
            self._out.write(text)
        self._out.flush()


def read_text(name: str) -> str:
    """The text of a file; raises OperationalError."""
    try:
        return Path(name).expanduser().read_text(encoding="utf-8")
    except OSError as error:
        raise OperationalError(f"cannot read {name}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise OperationalError(f"{name} is not UTF-8 text") from None
