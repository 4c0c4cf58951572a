"""How coroutines wait: for work in another thread, which a cancellation stops, and for news from the engine."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from streamsql.errors import OperationalError
from streamsql.session.calls import Task
from streamsql.session.loop import EngineLoop

T = TypeVar("T")


async def in_thread(loop: EngineLoop, function: Callable[[], T]) -> T:
    """Call a function that works with the engine in a thread.

    When the coroutine is cancelled the function is interrupted, and the cancellation goes on when it has stopped.
    """
    work = _Work(loop, function)
    future = asyncio.get_running_loop().run_in_executor(None, work.run)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        work.cancel()
        future.add_done_callback(_forget)
        await asyncio.wait([future])
        raise


def _forget(future: asyncio.Future[T]) -> None:
    """Nobody asks any more how it went."""
    if not future.cancelled():
        future.exception()


class _Work(Generic[T]):
    """A function for a thread, and the task that it is while it runs."""

    def __init__(self, loop: EngineLoop, function: Callable[[], T]) -> None:
        self._loop = loop
        self._function = function
        self._lock = threading.Lock()
        self._task: Task | None = None
        self._cancelled = False

    def run(self) -> T:
        with self._loop.task() as task:
            with self._lock:
                if self._cancelled:
                    raise OperationalError("interrupted")
                self._task = task
            return self._function()

    def cancel(self) -> None:
        """Let it stop, or not begin."""
        with self._lock:
            self._cancelled = True
            task = self._task
        if task is not None:
            self._loop.interrupt(task)


class News:
    """Coroutines of one event loop that wait for something in the engine."""

    def __init__(self, loop: EngineLoop) -> None:
        self._engine = loop
        self._events = asyncio.get_running_loop()
        self._waiters: dict[asyncio.Future[None], Callable[[], bool]] = {}
        self._told = False
        loop.listen(self._tell)

    async def until(self, ready: Callable[[], bool], timeout: float | None) -> bool:
        """Wait until something is ready; False when it is not after `timeout` seconds.

        Raises OperationalError when it is interrupted, and the error of an engine that is closed or has failed.
        """
        with self._engine.separate_task() as task:
            if not ready():
                future = self._events.create_future()
                self._waiters[future] = lambda: ready() or task.interrupted or self._engine.closed or self._engine.failed
                self._look()
                try:
                    await asyncio.wait([future], timeout=timeout)
                finally:
                    del self._waiters[future]
            if ready():
                return True
            task.check()
            self._engine.check()
            return False

    def _tell(self) -> None:
        """Called by any thread."""
        if not self._told and self._waiters:
            self._told = True
            with contextlib.suppress(RuntimeError):  # the event loop is closed, so nobody waits any more
                self._events.call_soon_threadsafe(self._look)

    def _look(self) -> None:
        self._told = False
        for future, ready in list(self._waiters.items()):
            if not future.done() and ready():
                future.set_result(None)
