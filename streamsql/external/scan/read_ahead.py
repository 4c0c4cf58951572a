"""Reading ahead: work on several things at once, and their results in order.

Results wait in memory up to a limit; beyond it only the task whose turn it is may give one more, so that it never waits for
the others.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import Any, Generic, TypeVar
from weakref import WeakSet

Task = TypeVar("Task")
Result = TypeVar("Result")

PATIENCE = 0.2
"""Seconds to wait for threads that are to end; a request to a distant server ends when it will, and nobody wants its answer."""

LANES = 64
"""Tasks that are begun and not yet given."""

_READERS: WeakSet[ReadAhead[Any, Any]] = WeakSet()
_THREADS: set[threading.Thread] = set()
"""Those that work, of all readers."""


def under_way() -> bool:
    """Whether some thread is at work."""
    return bool(_THREADS)


def finish() -> None:
    """Let nothing more be read by anybody, and wait for what is under way: afterwards the interpreter may end."""
    for reader in list(_READERS):
        reader.close()
    for thread in list(_THREADS):
        thread.join()


class _Lane(Generic[Result]):
    """What came of one task so far."""

    def __init__(self) -> None:
        self.results: deque[Result] = deque()
        self.ended = False
        self.error: BaseException | None = None


class ReadAhead(Generic[Task, Result]):
    """The results of `work` for each task, in the order of the tasks.

    Threads take the tasks one after another, so what makes these goes on while others are worked on; it is not called by two
    at once.  An error comes where the results would have come.  `close` ends the threads.
    """

    def __init__(
        self,
        tasks: Iterable[Task],
        work: Callable[[Task], Iterable[Result]],
        size: Callable[[Result], int],
        threads: int,
        limit: int,
    ) -> None:
        self._tasks = iter(tasks)
        self._work = work
        self._size = size
        self._limit = limit
        self._lanes: deque[_Lane[Result]] = deque()
        self._waiting = 0
        self._exhausted = False
        self._closed = False
        self._taking = threading.Lock()
        self._guard = threading.RLock()  # taken as it is: a Ctrl-C within a condition's own `__enter__` would leave it locked
        self._changed = threading.Condition(self._guard)
        self._working = threads
        self._threads = [threading.Thread(target=self._run, name="scan", daemon=True) for _ in range(threads)]
        _READERS.add(self)
        _THREADS.update(self._threads)
        for thread in self._threads:
            thread.start()

    def __iter__(self) -> Generator[Result, None, None]:
        try:
            while (lane := self._front()) is not None:
                if lane.results:
                    with self._guard:
                        result = lane.results.popleft()
                        self._waiting -= self._size(result)
                        self._changed.notify_all()
                    yield result
                elif lane.error is not None:
                    raise lane.error
                else:
                    with self._guard:
                        self._lanes.popleft()
                        self._changed.notify_all()
        finally:
            self.close()

    def close(self) -> None:
        """Let nothing more be read."""
        with self._guard:
            self._closed = True
            self._changed.notify_all()
        until = time.monotonic() + PATIENCE
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _front(self) -> _Lane[Result] | None:
        """The lane whose turn it is, once it has something to give; None when all is given."""
        with self._guard:
            while True:
                if self._lanes:
                    lane = self._lanes[0]
                    if lane.results or lane.ended:
                        return lane
                elif self._exhausted or self._closed:
                    return None
                self._changed.wait()

    def _run(self) -> None:
        self._work_off()
        with self._guard:
            self._working -= 1
            last = not self._working
        if last and isinstance(self._tasks, Generator):
            self._tasks.close()
        _THREADS.discard(threading.current_thread())

    def _work_off(self) -> None:
        """Work on one task after another."""
        while (taken := self._next()) is not None:
            task, lane = taken
            try:
                for result in self._work(task):
                    if not self._put(lane, result):
                        return
            except BaseException as error:
                lane.error = error
            with self._guard:
                lane.ended = True
                self._changed.notify_all()

    def _next(self) -> tuple[Task, _Lane[Result]] | None:
        """The next task and its lane, as soon as there is room for one more."""
        with self._taking:
            with self._guard:
                while not self._closed and (len(self._lanes) >= LANES or (self._lanes and self._waiting >= self._limit)):
                    self._changed.wait()
                if self._closed or self._exhausted:
                    return None
            lane: _Lane[Result] = _Lane()
            try:
                task = next(self._tasks)
            except BaseException as error:
                with self._guard:
                    self._exhausted = True
                    if not isinstance(error, StopIteration):
                        lane.error, lane.ended = error, True
                        self._lanes.append(lane)
                    self._changed.notify_all()
                return None
            with self._guard:
                self._lanes.append(lane)
            return task, lane

    def _put(self, lane: _Lane[Result], result: Result) -> bool:
        """Let a result wait for its turn; False when nobody will take it."""
        with self._guard:
            while not self._closed and self._waiting >= self._limit and (lane.results or lane is not self._lanes[0]):
                self._changed.wait()
            if self._closed:
                return False
            lane.results.append(result)
            self._waiting += self._size(result)
            self._changed.notify_all()
            return True


def at_once(work: Callable[[Task], Result], tasks: Iterable[Task], most: int) -> Generator[Result, None, None]:
    """What comes of each of some tasks, in their order; at most so many are worked on at once."""
    ahead: ReadAhead[Task, Result] = ReadAhead(tasks, lambda task: (work(task),), lambda _: 0, most, 1)
    return iter(ahead)
