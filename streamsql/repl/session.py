"""The interactive session: `streamsql [DATABASE]`.

The prompt is drawn before anything else is imported, first plainly, then by prompt_toolkit; the engine is imported and the
database opened in the background while the user types.  Pumps run in the connection's own thread, so they go on meanwhile;
a query prints its rows until they end or Ctrl-C stops it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamsql.repl.access import Access

PROMPT = "streamsql> "
ERASE_LINE = "\r\x1b[K"


def interactive(
    database: str | None = None,
    *,
    s3_root: str | None = None,
    inputs: Mapping[str, str] | None = None,
    outputs: Mapping[str, str] | None = None,
    references: Mapping[str, str] | None = None,
    schemas: Mapping[str, str] | None = None,
) -> int:
    """Talk to the user until they leave; gives the exit status."""

    def open_access() -> Access:
        from streamsql.dbapi import connect
        from streamsql.repl.access import Access

        connection = connect(database, s3_root=s3_root, inputs=inputs, outputs=outputs, references=references, schemas=schemas)
        access = Access(connection, database)
        import_module("streamsql.repl.terminal")  # what the first statement needs
        return access

    with _drawn_at_once():
        from streamsql.repl.prompt import Session
    return Session(open_access).run()


@contextmanager
def _drawn_at_once() -> Iterator[None]:
    """Draw a plain prompt, and take it away at the end.  What is typed meanwhile shows when the real one is there."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM", "dumb") == "dumb":
        yield
        return
    import termios

    before = termios.tcgetattr(sys.stdin)
    silent = [*before]
    silent[3] &= ~termios.ECHO
    termios.tcsetattr(sys.stdin, termios.TCSANOW, silent)
    print(PROMPT, end="", flush=True)
    try:
        yield
    finally:
        print(ERASE_LINE, end="", flush=True)
        termios.tcsetattr(sys.stdin, termios.TCSANOW, before)
