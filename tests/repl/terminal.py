"""A terminal with the REPL in it: a real pseudo-terminal, a real process, and the screen that a person would see."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pexpect
import pyte

PROMPT = "streamsql>"
ENTER, TAB, CTRL_C, CTRL_D, CTRL_R, UP, ALT_ENTER = "\r", "\t", "\x03", "\x04", "\x12", "\x1b[A", "\x1b\r"
PLACES = {"STREAMSQL_RC": "", "STREAMSQL_QUERIES": "", "PAGER": ""}
"""Nothing of the person who runs the tests, and no pager unless a test asks for one."""
COMMAND = (sys.executable, "-m", "streamsql")
PATIENCE = 60.0
"""Seconds after which something that does not come is a failure; nothing ever takes that long."""


class Terminal:
    """One session of `streamsql` in a terminal of its own."""

    def __init__(
        self,
        *arguments: str,
        folder: Path,
        columns: int = 100,
        rows: int = 40,
        environment: Mapping[str, str] | None = None,
        command: Sequence[str] = COMMAND,
    ) -> None:
        places = {**PLACES, "STREAMSQL_HISTORY": str(folder / "history"), **(environment or {})}
        given = {**os.environ, "TERM": "xterm-256color", **places}
        for name in ("NO_COLOR", "COLUMNS", "LINES"):
            given.pop(name, None)
        self.folder = folder
        self.screen = pyte.HistoryScreen(columns, rows, history=10_000)
        self._stream = pyte.ByteStream(self.screen)
        self._process = pexpect.spawn(
            command[0],
            [*command[1:], *arguments],
            env=given,
            cwd=str(folder),
            dimensions=(rows, columns),
            timeout=PATIENCE,
        )
        self._process.delaybeforesend = None
        self.screen.write_process_input = self._process.send  # the terminal's own answers

    # -- what a person does ----------------------------------------------------------------------------------------------

    def type(self, text: str) -> None:
        """Press keys."""
        self._process.send(text)

    def run(self, text: str, enter: str = ENTER) -> str:
        """Type text and Enter, and wait for the next prompt; gives what is on the screen between the two."""
        before = self._prompts()
        self.type(text + enter)
        self.until(lambda: self._prompts() > before and self.at_prompt())
        return self.last_answer()

    def leave(self) -> int:
        """Press Ctrl-D at an empty prompt; gives the exit status.

        Before the prompt is there the terminal itself takes the key, and nobody gets it.
        """
        self.until(self.at_prompt)
        self.type(CTRL_D)
        return self.status()

    def resize(self, columns: int, rows: int) -> None:
        """Give the window another size."""
        self._process.setwinsize(rows, columns)
        self.screen.resize(rows, columns)

    # -- what a person sees ----------------------------------------------------------------------------------------------

    def lines(self) -> list[str]:
        """What is on the screen, line by line."""
        return [line.rstrip() for line in self.screen.display]

    def transcript(self) -> list[str]:
        """The lines that have gone off the top, and those on the screen down to the cursor."""
        gone = ["".join(line[x].data for x in range(self.screen.columns)).rstrip() for line in self.screen.history.top]
        return gone + self.lines()[: self.screen.cursor.y + 1]

    def last_answer(self) -> str:
        """What stands between the last two prompts, without what was typed at the first."""
        shown = self.transcript()
        prompts = [number for number, line in enumerate(shown) if line.startswith(PROMPT)]
        between = shown[prompts[-2] + 1 : prompts[-1]]
        return "\n".join(line for line in between if not line.startswith("        ->"))

    def typed(self) -> str:
        """What stands behind the prompt, in the cursor's line."""
        return self.lines()[self.screen.cursor.y].removeprefix(PROMPT).strip()

    def at_prompt(self) -> bool:
        """Whether the cursor is behind an empty prompt."""
        return self.lines()[self.screen.cursor.y] == PROMPT

    def bottom(self) -> str:
        """The last line that has something in it."""
        return next((line for line in reversed(self.lines()) if line), "")

    def colour(self, text: str) -> str:
        """The colour of a text's first character, at the last place where it is on the screen; nothing where it is nowhere."""
        for y in reversed(range(self.screen.lines)):
            x = self.screen.display[y].rfind(text)
            if x >= 0:
                return str(self.screen.buffer[y][x].fg)
        return ""

    def until(self, what: str | Callable[[], bool]) -> None:
        """Wait for a text on the screen, or for something to be true of it."""
        holds = what if callable(what) else lambda: any(what in line for line in self.screen.display)
        deadline = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited in vain for {what!r}:\n{self}")
            self._read()

    def wait(self, seconds: float) -> None:
        """Look at the screen for some time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._read()

    def peak_memory(self) -> int:
        """The most bytes of memory that the process has had."""
        text = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", text)[1]) << 10  # type: ignore[index]

    def status(self) -> int:
        """Wait for the process to end; gives its exit status."""
        deadline = time.monotonic() + PATIENCE
        while self._read():
            if time.monotonic() > deadline:
                raise AssertionError(f"the process does not end:\n{self}")
        self._process.close()
        assert self._process.exitstatus is not None
        return int(self._process.exitstatus)

    def close(self) -> None:
        """End the process, however it is."""
        self._process.close(force=True)

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def _prompts(self) -> int:
        return sum(line.startswith(PROMPT) for line in self.transcript())

    def _read(self) -> bool:
        """Take what the process writes; False when it has ended."""
        try:
            self._stream.feed(self._process.read_nonblocking(65_536, timeout=0.05))
        except pexpect.TIMEOUT:
            pass
        except pexpect.EOF:
            return False
        return True
