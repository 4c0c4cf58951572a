"""The interactive session: `streamsql [DATABASE]`.

The prompt is drawn before anything else is imported, first plainly, then by prompt_toolkit; the engine is imported and the
database opened in the background while the user types.  Pumps run in the connection's own thread, so they go on meanwhile;
a query prints its rows until they end or Ctrl-C stops it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from streamsql.repl.line import ERASE_LINE, PROMPT

if TYPE_CHECKING:
    from streamsql.repl.access import Access


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

    with _terminal() as show_typing:
        from streamsql.repl.prompt import Session

        session = Session(open_access)
        show_typing()
        return session.run()


@contextmanager
def _terminal() -> Iterator[Callable[[], None]]:
    """Draw a plain prompt at once; the function that is given takes it away again, when the real one is to be drawn.

    What is typed meanwhile shows then; Ctrl-C clears it, as it does there.  In all of a session the terminal neither echoes
    Ctrl-C nor throws away, when it is typed, what is about to be shown: that may be the next prompt.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM", "dumb") == "dumb":
        yield lambda: None
        return
    import signal
    import termios

    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    before = termios.tcgetattr(sys.stdin)

    def without(flags: int) -> None:
        changed = [*before]
        changed[3] = (changed[3] | termios.NOFLSH) & ~flags
        termios.tcsetattr(sys.stdin, termios.TCSANOW, changed)

    def show_typing() -> None:
        print(ERASE_LINE, end="", flush=True)
        without(termios.ECHOCTL)

    without(termios.ECHO | termios.ECHOCTL)
    print(PROMPT, end="", flush=True)
    try:
        yield show_typing
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSANOW, before)
        signal.signal(signal.SIGINT, handler)
