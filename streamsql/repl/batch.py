"""Statements from `-c` and from stdin: results on stdout, all else on stderr.

All statements are executed, each as its turn comes; the rows of a finished query follow at once, those of running queries
after the last statement, until their inputs end.  The first error ends it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from streamsql.monitor.error_report import ErrorReport
from streamsql.monitor.log import Log
from streamsql.repl import commands
from streamsql.repl.access import Access, Outcome
from streamsql.repl.settings import Settings
from streamsql.repl.shell import Shell
from streamsql.run import error_stream

if TYPE_CHECKING:
    from streamsql.dbapi import Connection

DONE, FAILED, WRONG, INTERRUPTED = 0, 1, 2, 130
"""Exit statuses."""


def run_statements(connection: Connection, texts: str | Sequence[str], format: str, stdout: TextIO, stderr: TextIO) -> int:
    """Run the statements and commands of one text, or of several one after the other; gives the exit status."""
    expanded = "auto" if stdout.isatty() else "off"
    shell = BatchShell(Access(connection), Settings(format=format, expanded=expanded, limit=0), stdout, stderr)
    status = WRONG
    try:
        with shell.inputs_held():
            for text in [texts] if isinstance(texts, str) else texts:
                if not shell.leaving:
                    shell.run(text)
        status = FAILED
        shell.finish()
        status = DONE
    except BrokenPipeError:
        # nobody reads any more: keep the interpreter from complaining when it flushes stdout at its end
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
        status = DONE
    except KeyboardInterrupt:
        status = INTERRUPTED
    except Exception as error:
        shell.complain(error)
    try:
        shell.close()
    except Exception as error:
        shell.complain(error)
        status = status or FAILED
    return status


class BatchShell(Shell):
    """Keeps running queries until all statements are executed; shows the rows of `error_stream` as they come."""

    def __init__(self, access: Access, settings: Settings, out: TextIO, err: TextIO) -> None:
        super().__init__(access, settings, out, err, commands.run)
        self._running: list[Outcome] = []
        self._errors = ErrorReport(Log(err))
        access.tell_errors(self._errors)

    def query(self, outcome: Outcome) -> None:
        if outcome.running:
            self._running.append(outcome)
        else:
            super().query(outcome)

    def finish(self) -> None:
        """Print the rows of the running queries, one after the other; in memory, wait for all that the inputs bring.

        Inputs that only fed queries which have all their rows, by LIMIT, may have no end and are not waited for.  A database
        goes on the next time, so nothing in it ends here but its inputs.
        """
        if not self.access.is_kept:
            self.access.end_inserts()
        last = [outcome for outcome in self._running if error_stream.NAME in outcome.reads]
        for outcome in self._running:
            if outcome not in last:
                self.print_rows(outcome)
        if not self.access.is_kept:
            self.access.wait_for_inputs(self._running)
            self.access.end_errors()
        for outcome in last:
            self.print_rows(outcome)

    def close(self) -> None:
        super().close()
        for note in self.access.close():
            self.say(f"streamsql: warning: {note}")
        self._errors.close()
