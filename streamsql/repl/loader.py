"""The import of the engine and the opening of the database, in a thread of its own, while the user types."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamsql.repl.access import Access


class Loader:
    """Runs `open_access` once, and `then` when it is done; keeps what it gave or raised."""

    def __init__(self, open_access: Callable[[], Access], then: Callable[[], None]) -> None:
        self._open = open_access
        self._then = then
        self._thread = threading.Thread(target=self._load, name="streamsql-load", daemon=True)
        self._started = False
        self._access: Access | None = None
        self._error: BaseException | None = None

    def start(self) -> None:
        """Begin, where that has not happened."""
        if not self._started:
            self._started = True
            self._thread.start()

    @property
    def started(self) -> bool:
        return self._started

    def loaded(self) -> Access | None:
        """What was opened, once it is."""
        return self._access

    @property
    def error(self) -> BaseException | None:
        """Why nothing was opened, once that is known."""
        return self._error

    def wait(self) -> Access:
        """What was opened; raises what went wrong."""
        self.start()
        self._thread.join()
        if self._error is not None:
            raise self._error
        assert self._access is not None
        return self._access

    def _load(self) -> None:
        try:
            self._access = self._open()
        except BaseException as error:
            self._error = error
        self._then()
