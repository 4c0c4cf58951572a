"""A connection in memory, and one whose clock stands still."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import streamsql
from streamsql.time import ManualClock

DEADLINE = 30.0
"""Seconds after which a test that waits has failed."""


@pytest.fixture
def con() -> Iterator[streamsql.Connection]:
    connection = streamsql.connect()
    yield connection
    connection.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(0)


@pytest.fixture
def still(clock: ManualClock) -> Iterator[streamsql.Connection]:
    """A connection with the clock of the fixture `clock`."""
    connection = streamsql.connect(clock=clock)
    yield connection
    connection.close()


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    deadline = time.monotonic() + DEADLINE
    while any(thread.name == "streamsql" for thread in threading.enumerate()):
        assert time.monotonic() < deadline, "the loop of a connection still runs"
        time.sleep(0.01)


class Background(threading.Thread):
    """A function in another thread; `result` waits for what it gives or raises."""

    def __init__(self, function: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._function = function
        self._value: Any = None
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._value = self._function()
        except BaseException as error:
            self._error = error

    @property
    def done(self) -> bool:
        return not self.is_alive()

    def result(self) -> Any:
        self.join(DEADLINE)
        assert self.done, "the thread still runs"
        if self._error is not None:
            raise self._error
        return self._value


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that another thread brings about."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)
