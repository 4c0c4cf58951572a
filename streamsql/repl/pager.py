"""A result that is longer than the screen goes through the user's pager."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator

from streamsql.repl.outputs import Output


def command() -> str | None:
    """The user's pager, or less; None where there is none."""
    chosen = os.environ.get("STREAMSQL_PAGER", os.environ.get("PAGER"))
    if chosen is not None:
        return chosen.strip() or None
    return "less -SFXR" if shutil.which("less") else None


class PagedOutput:
    """Text for a terminal: as long as it fits on the screen it is printed, then all of it goes to the pager."""

    def __init__(self, terminal: Output, height: int) -> None:
        self._terminal = terminal
        self._height = height
        self._waiting: list[str] = []
        self._lines = 0
        self._pager: subprocess.Popen[str] | None = None

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> None:
        """Raises BrokenPipeError when the user has left the pager."""
        if self._pager is None:
            self._waiting.append(text)
            self._lines += text.count("\n")
            if self._lines < self._height:
                return
            self._pager = subprocess.Popen(command() or "cat", shell=True, stdin=subprocess.PIPE, text=True)
            text = "".join(self._waiting)
            self._waiting.clear()
        assert self._pager.stdin is not None
        self._pager.stdin.write(text)

    def flush(self) -> None:
        if self._pager is not None and self._pager.stdin is not None:
            self._pager.stdin.flush()

    def close(self) -> None:
        """Print what fits on the screen, or wait until the user leaves the pager."""
        if self._pager is None:
            self._terminal.write("".join(self._waiting))
            self._terminal.flush()
            return
        assert self._pager.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._pager.stdin.close()
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C belongs to the pager
        try:
            self._pager.wait()
        finally:
            signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def paged(terminal: Output) -> Iterator[PagedOutput]:
    """An output that uses the pager where it must; that the user leaves it early is no error."""
    output = PagedOutput(terminal, shutil.get_terminal_size().lines)
    try:
        with contextlib.suppress(BrokenPipeError):
            yield output
    finally:
        output.close()
