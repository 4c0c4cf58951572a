"""The shell behind the prompt."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from streamsql.errors import OperationalError
from streamsql.repl import commands, pager, places
from streamsql.repl.access import Access, Outcome
from streamsql.repl.line import ERASE_LINE
from streamsql.repl.scripts import is_command, is_ready
from streamsql.repl.settings import Settings
from streamsql.repl.shell import Shell, read_text
from streamsql.types import Batch

WAITING = "waiting for rows; Ctrl-C stops the query"

WORDS = {"help": "\\?", "?": "\\?", "quit": "\\q", "exit": "\\q"}
"""Words that, alone on the line, people expect to be commands."""

HELP = "help "
"""What people write in front of a statement, or a command, that they want to know about."""


class TerminalShell(Shell):
    """Runs what the user types: says what was done, and survives whatever goes wrong."""

    def __init__(self, access: Access) -> None:
        err = sys.stdout if sys.stdout.isatty() else sys.stderr
        super().__init__(access, Settings(), sys.stdout, err, commands.run)
        self._last = ""
        self._draft = ""

    def run_startup(self) -> None:
        """Run what the user wants each session to begin with."""
        path = places.startup()
        if path is not None and path.is_file():
            self._guarded(lambda: self.run_file(str(path)))

    def run_typed(self, text: str) -> None:
        """Run what was typed; nothing is raised."""
        text = _as_command(text)
        if not is_command(text):
            self._last = text
        before = self.access.errors
        self._guarded(lambda: self.run(text))
        failed = self.access.errors - before
        if failed and not self.leaving:
            self.say(f"{failed:,} row{'s' * (failed != 1)} went to error_stream: \\errors shows why")

    def _guarded(self, run: Callable[[], None]) -> None:
        """Run something; say what goes wrong."""
        try:
            run()
        except KeyboardInterrupt:
            self.clear_line()
        except Exception as error:
            self.complain(error)

    def query(self, outcome: Outcome) -> None:
        if outcome.running:
            self.access.begin_inputs()  # in a script they wait, and this query waits for them
        if not self._out.isatty():
            super().query(outcome)
            return
        if not outcome.running:
            self._page(outcome)
            return
        outcome.batches = self._after_waiting(outcome.batches)
        super().query(outcome)

    def _page(self, outcome: Outcome) -> None:
        """Print a finished result, through the pager where it has no room."""
        if not self.settings.pager or pager.command() is None:
            super().query(outcome)
            return
        with self._paged():
            super().query(outcome)

    def page(self, text: str) -> None:
        if not (self._terminal.isatty() and self.settings.pager) or pager.command() is None:
            self.say(text)
            return
        with pager.paged(self._terminal) as output:
            output.write(f"{text}\n")

    @contextmanager
    def _paged(self) -> Iterator[None]:
        """Let results go through the pager."""
        before = self._out
        with pager.paged(before) as output:
            self._out = output
            try:
                yield
            finally:
                self._out = before

    def _after_waiting(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """The batches; until the first comes, a line that says what the user is waiting for."""
        print(WAITING[: shutil.get_terminal_size().columns - 1], end="", file=self._err, flush=True)
        waiting = True
        for batch in batches:
            if waiting and batch.num_rows:
                self.clear_line()
                waiting = False
            yield batch
        if waiting:
            self.clear_line()

    def clear_line(self) -> None:
        if self._err.isatty():
            print(ERASE_LINE, end="", file=self._err, flush=True)

    def acknowledge(self, message: str) -> None:
        self.say(message)

    def edit(self, name: str | None) -> None:
        """Let the user write in $EDITOR; what they wrote is the text of the next prompt."""
        if name is not None:
            _edit(Path(name).expanduser())
            self._draft = read_text(name).rstrip()
            return
        with tempfile.TemporaryDirectory(prefix="streamsql-") as folder:
            path = Path(folder) / "statement.sql"
            path.write_text(f"{self._last}\n", encoding="utf-8")
            _edit(path)
            self._draft = read_text(str(path)).rstrip()

    def take_draft(self) -> str:
        """What the next prompt begins with."""
        draft, self._draft = self._draft, ""
        return draft


def typed_is_ready(text: str) -> bool:
    """Whether what was typed can be run."""
    return is_ready(_as_command(text))


def _as_command(text: str) -> str:
    """What was typed, as a command where people mean one."""
    line = text.strip().removesuffix(";").rstrip().lower()
    if line.startswith(HELP) and "\n" not in line:
        about = line.removeprefix(HELP).strip()
        return f"\\? {about}" if about.startswith(("\\", ".")) else f"\\h {about}"
    return WORDS.get(line, text)


def _edit(path: Path) -> None:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        status = subprocess.call([*shlex.split(editor), str(path)])
    except OSError as error:
        raise OperationalError(f"cannot start {editor}: {error.strerror}", hint="the variable EDITOR names one") from None
    if status:
        raise OperationalError(f"{editor} left with {status}: nothing is taken over")
