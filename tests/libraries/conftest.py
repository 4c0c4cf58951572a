"""Every test ends its connections."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator

import pytest

DEADLINE = 30.0
"""Seconds after which a test that waits has failed."""


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    gc.collect()  # what a library has forgotten is closed when it is collected
    deadline = time.monotonic() + DEADLINE
    while any(thread.name == "streamsql" for thread in threading.enumerate()):
        assert time.monotonic() < deadline, "the loop of a connection still runs"
        time.sleep(0.01)
