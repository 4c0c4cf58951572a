"""What threads ask of the engine's loop: calls in its mailbox, and tasks that can be interrupted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from streamsql.errors import OperationalError

AT_ONCE = 1.0
"""Seconds that a thread waits at a time.

Ctrl-C ends a wait that has begun, but not one that begins in the next instant, and where a library (polars) has asked the
system to go on with interrupted calls none without a limit: it is seen at the latest when the next wait begins.
"""


class Task:
    """What one thread is doing with a connection at the moment, so that another one can interrupt it."""

    __slots__ = ("call", "interrupted")

    def __init__(self) -> None:
        self.interrupted = False
        self.call: Call | None = None

    def check(self) -> None:
        """Stop here, if the task was interrupted."""
        if self.interrupted:
            raise OperationalError("interrupted")


class Call:
    """A function in the mailbox, and what came of it."""

    __slots__ = ("_over", "begun", "error", "function", "value")

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function
        self.begun = False
        self.value: Any = None
        self.error: BaseException | None = None
        self._over = threading.Event()

    def run(self) -> None:
        """Make the call."""
        try:
            self.value = self.function()
        except BaseException as error:
            self.error = error
        self._over.set()

    def give_up(self, error: BaseException) -> None:
        """Let the call fail without having been made."""
        self.begun = True
        self.error = error
        self._over.set()

    def wait(self) -> Any:
        """What the call gave, or the error that it raised."""
        with whole_interrupts():
            while not self._over.wait(AT_ONCE):
                pass
        if self.error is not None:
            raise self.error
        return self.value


@contextmanager
def whole_interrupts() -> Iterator[None]:
    """Let Ctrl-C come out of a wait as what it is.

    Where it comes just as a condition takes its lock again, nobody holds the lock, and letting it go fails with RuntimeError.
    """
    try:
        yield
    except RuntimeError as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise
