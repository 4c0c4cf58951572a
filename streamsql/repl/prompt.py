"""The prompt: lines are edited, run by the shell, and asked for again until the user leaves."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import termios
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input.typeahead import get_typeahead, store_typeahead
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output.defaults import create_output

from streamsql.repl import editing
from streamsql.repl.history import history
from streamsql.repl.line import ERASE_LINE, PROMPT
from streamsql.repl.loader import Loader
from streamsql.repl.mishaps import told
from streamsql.repl.toolbar import Toolbar

if TYPE_CHECKING:
    from prompt_toolkit.application import Application

    from streamsql.repl.access import Access
    from streamsql.repl.terminal import TerminalShell

CONTINUATION = "        -> "
REFRESH_SECONDS = 0.5
"""How often the bottom line is brought up to date."""

PATIENCE_SECONDS = 1.0
"""So long a statement that was interrupted is left to end in good order."""

WRONG = 2
"""The exit status when the database or an input cannot be opened."""


class Session:
    """One user at one terminal."""

    def __init__(self, open_access: Callable[[], Access]) -> None:
        self._loader = Loader(open_access, self._loaded)
        self._toolbar = Toolbar(self._loader.loaded)
        self._shell: TerminalShell | None = None
        self._prompt: PromptSession[str] = PromptSession(
            message=[("class:prompt", PROMPT)],
            multiline=True,
            prompt_continuation=_continuation,
            lexer=editing.SqlLexer(self._loader.loaded),
            completer=editing.SqlCompleter(self._loader.loaded),
            complete_while_typing=True,
            complete_in_thread=False,
            auto_suggest=AutoSuggestFromHistory(),
            history=history(),
            key_bindings=editing.bindings(self._is_ready),
            bottom_toolbar=self._toolbar.text,
            refresh_interval=REFRESH_SECONDS,
            reserve_space_for_menu=6,
            enable_open_in_editor=False,
            enable_suspend=True,
            style=editing.STYLE,
            output=create_output(always_prefer_tty=True),
            color_depth=ColorDepth.DEPTH_1_BIT if os.environ.get("NO_COLOR") else None,
        )

    def run(self) -> int:
        """Prompt and run until the user leaves; gives the exit status."""
        draft = ""
        leaving = False
        while not leaving and self._loader.error is None:
            try:
                signal.signal(signal.SIGINT, signal.SIG_IGN)  # at the prompt Ctrl-C is a key
                self._erase_line()
                text = self._prompt.prompt(default=draft, pre_run=self._before_drawing, handle_sigint=False)
                draft = ""
                if self._loader.error is None and not self._interrupted_ahead():
                    shell = self._loaded_shell()
                    with interruptible():
                        shell.run_typed(text)
                    draft, leaving = shell.take_draft(), shell.leaving
            except KeyboardInterrupt:
                pass
            except EOFError:
                leaving = True
        return self._leave()

    def _erase_line(self) -> None:
        """Wipe the echo of a Ctrl-C that came between two prompts."""
        self._prompt.output.write_raw(ERASE_LINE)
        self._prompt.output.flush()

    def _before_drawing(self) -> None:
        """Load everything else once the prompt is there."""
        if not self._loader.started:
            self._prompt.app.after_render += self._start_loading

    def _start_loading(self, app: Application[str]) -> None:
        app.after_render -= self._start_loading
        self._loader.start()

    def _loaded(self) -> None:
        """Called by the loading thread at its end: bring colours, or leave the prompt when there is nothing to talk to."""
        app = self._prompt.app
        if self._loader.error is not None and app.loop is not None:
            app.loop.call_soon_threadsafe(lambda: app.exit(result="") if app.is_running else None)
        app.invalidate()

    def _interrupted_ahead(self) -> bool:
        """Whether Ctrl-C was typed before the statement could begin: what was typed before it is forgotten."""
        keys = get_typeahead(self._prompt.input)
        last = max((number for number, key in enumerate(keys) if key.key == Keys.ControlC), default=-1)
        store_typeahead(self._prompt.input, keys[last + 1 :])
        return last >= 0

    def _is_ready(self, text: str) -> bool:
        """Whether what was typed can be run."""
        if not text.strip():
            return True
        with contextlib.suppress(BaseException):
            self._loader.wait()
            from streamsql.repl.terminal import typed_is_ready

            return typed_is_ready(text)
        return True

    def _loaded_shell(self) -> TerminalShell:
        if self._shell is None:
            access = self._loader.wait()
            from streamsql.repl.terminal import TerminalShell

            self._shell = TerminalShell(access)
            self._shell.run_startup()
        return self._shell

    def _leave(self) -> int:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if self._shell is not None:
            self._shell.close()
        if not self._loader.started:
            return 0
        try:
            notes = self._loader.wait().close()
        except Exception as error:
            print(told(error), file=sys.stderr)
            return WRONG
        for note in notes:
            print(f"streamsql: warning: {note}", file=sys.stderr)
        return 0


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt: once, so that what it stops can be put in order, and again after a second."""
    last = -PATIENCE_SECONDS

    def interrupt(*_: object) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= PATIENCE_SECONDS:
            last = now
            with contextlib.suppress(OSError, ValueError, termios.error):
                termios.tcflush(sys.stdin, termios.TCIFLUSH)  # what was typed before it
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _continuation(width: int, _: int, soft: int) -> StyleAndTextTuples:
    """What stands in front of the second and later lines of a statement; nothing where a long line goes on."""
    return [("class:continuation", " " * width if soft else CONTINUATION)]
