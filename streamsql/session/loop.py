"""The one thread that runs the engine of a connection.

Other threads never touch a running engine: they leave calls in a mailbox, which are made between two steps, and wait for
rows.  As long as nothing goes on between statements there is no thread, and calls are made where they come from.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Protocol, TypeVar, cast

from streamsql.engine.engine import Engine
from streamsql.errors import Error, InterfaceError, InternalError, OperationalError
from streamsql.session.calls import AT_ONCE, Call, Task, whole_interrupts

T = TypeVar("T")

TICK = 0.05
"""Seconds between two looks at the clock, by which windows close where no rows come."""

CALLS_A_STEP = 1_000
"""Calls made between two steps at most."""


class Keeper(Protocol):
    """Who looks after what the engine gives: outputs, checkpoints."""

    def after_step(self, progress: bool) -> None:
        """Called between two steps; `progress` says whether anything came."""
        ...

    def due(self) -> float | None:
        """The seconds after which it wants to be called although nothing comes; None: it does not."""
        ...


class EngineLoop:
    """Runs an engine: calls, steps, and those who wait for rows."""

    def __init__(self, engine: Engine, keeper: Keeper) -> None:
        self.engine = engine
        self._keeper = keeper
        self._mailbox: SimpleQueue[Call | None] = SimpleQueue()
        self._lock = threading.RLock()
        self._guard = threading.RLock()  # taken as it is: a Ctrl-C within a condition's own `__enter__` would leave it locked
        self._changed = threading.Condition(self._guard)
        self._tasks: set[Task] = set()
        self._own = threading.local()
        self._listeners: list[Callable[[], None]] = []
        self._current: Call | None = None
        self._thread: threading.Thread | None = None
        self._news = False
        self._woken = False
        self._closed = False
        self._stopping = False
        self._failure: Error | None = None

    # -- for the threads of the user -----------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def running(self) -> bool:
        """Whether there is a thread."""
        return self._thread is not None

    @property
    def failed(self) -> bool:
        """Whether a step has failed, so that none will follow."""
        return self._failure is not None

    def call(self, function: Callable[[], T]) -> T:
        """Call a function between two steps; gives what it gives, and raises what it raises."""
        if threading.current_thread() is self._thread:
            return function()
        call = Call(function)
        with self.task() as task:
            task.check()
            around, task.call = task.call, call
            with self._lock:
                self.check()
                if self._thread is not None:
                    self._mailbox.put(call)
                else:
                    self._make(call)
                    self.start_if_live()
            try:
                return cast(T, call.wait())
            except KeyboardInterrupt:
                self._interrupt(task)
                raise
            finally:
                task.call = around

    def post(self, function: Callable[[], object]) -> None:
        """Have a function called between two steps, some time soon; may be called anywhere, a destructor included."""
        self._mailbox.put(Call(function))

    def soon(self, function: Callable[[], object]) -> None:
        """Call a function now where that can be done, otherwise between two steps."""
        with self._lock:
            if self._thread is None or threading.current_thread() is self._thread:
                function()
            else:
                self.post(function)

    def start_if_live(self) -> None:
        """Start the thread, if there is something for it to do."""
        with self._lock:
            if self._thread is None and self.engine.is_live:
                self._start()

    def wake(self) -> None:
        """Say that there may be rows to take.  May be called from any thread."""
        if not self._woken:
            self._woken = True
            self._mailbox.put(None)

    def note(self) -> None:
        """Say that there is news for somebody who waits: what a queue of rows does when it is written."""
        self._news = True

    @contextmanager
    def task(self) -> Iterator[Task]:
        """What this thread is doing, so that `interrupt` can stop it; within a task there is no other one."""
        known: Task | None = getattr(self._own, "task", None)
        if known is not None:
            yield known
            return
        with self.separate_task() as task:
            self._own.task = task
            try:
                yield task
            finally:
                self._own.task = None

    @contextmanager
    def separate_task(self) -> Iterator[Task]:
        """The same for one of several things that a thread does by turns."""
        task = Task()
        with self._guard:
            self._tasks.add(task)
        try:
            yield task
        finally:
            with self._guard:
                self._tasks.discard(task)

    def interrupt(self, task: Task | None = None) -> None:
        """Stop a task, or all that threads are doing or waiting for; nothing happens when they do nothing."""
        with self._guard:
            tasks = list(self._tasks) if task is None else [task]
        for each in tasks:
            self._interrupt(each)

    def listen(self, listener: Callable[[], None]) -> None:
        """Have a function called, by any thread, whenever those who wait should look again."""
        self._listeners.append(listener)

    def wait(self, ready: Callable[[], bool], task: Task, timeout: float | None) -> bool:
        """Wait until something is ready; False when it is not after `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with whole_interrupts(), self._guard:
            while not ready():
                task.check()
                self.check()
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return False
                self._changed.wait(AT_ONCE if left is None else min(left, AT_ONCE))
        return True

    def check(self) -> None:
        """Raise the error of a loop that is closed or has failed."""
        if self._closed:
            raise InterfaceError("the connection is closed")
        if self._failure is not None:
            raise type(self._failure)(self._failure.message, hint=self._failure.hint) from self._failure

    def close(self, last: Callable[[], None]) -> None:
        """Stop, after a last call.  Those who wait get an error."""
        call = Call(lambda: self._end(last))
        with self._lock:
            if self._closed:
                return
            self._closed = True
            thread = self._thread
            if thread is None:
                self._make(call)
            else:
                self._mailbox.put(call)
        if threading.current_thread() is thread:
            return  # a connection that went while its own thread collected garbage: it ends when that thread gets to it
        if thread is not None:
            thread.join()
        self._abandon_calls()
        self._notify()
        call.wait()

    # -- the thread ----------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="streamsql", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        progress = True
        while not self._stopping:
            progress = self._step()
            self._receive(0.0 if progress else self._patience())
        self._abandon_calls()

    def _step(self) -> bool:
        if self._failure is not None:
            return False
        progress = False
        try:
            progress = self.engine.step()
            if not progress:
                self.engine.pipeline.release_errors()
            self._keeper.after_step(progress)
        except Exception as error:
            self._fail(error)
        self._tell()
        return progress

    def _patience(self) -> float | None:
        """How long to sleep when nothing comes; None: until something does."""
        if self._failure is not None:
            return None
        due = self._keeper.due()
        if not self.engine.follows_clock:
            return due
        return TICK if due is None else min(due, TICK)

    def _receive(self, patience: float | None) -> None:
        """Make the calls that came, after a sleep of `patience` seconds where there are none."""
        try:
            call = self._mailbox.get(timeout=patience) if patience != 0 else self._mailbox.get_nowait()
            for _ in range(CALLS_A_STEP):
                if call is None:
                    self._woken = False
                else:
                    self._make(call)
                if self._stopping:
                    break
                call = self._mailbox.get_nowait()
        except Empty:
            pass

    def _make(self, call: Call) -> None:
        with self._guard:
            if call.begun:
                return
            call.begun = True
            self._current = call
            self.engine.interrupted = False
        call.run()
        self._current = None
        self._tell()

    def _interrupt(self, task: Task) -> None:
        with self._guard:
            task.interrupted = True
            call = task.call
            if call is not None and not call.begun:
                call.give_up(OperationalError("interrupted"))
            elif call is not None and call is self._current:
                self.engine.interrupted = True
        self._notify()

    def _tell(self) -> None:
        """Wake those who wait, if there is news."""
        if self._news:
            self._news = False
            self._notify()

    def _notify(self) -> None:
        with self._guard:
            self._changed.notify_all()
        for listener in tuple(self._listeners):
            listener()

    def _fail(self, error: Exception) -> None:
        """A step failed.  Where a source could not be read the others go on; anything else is the end."""
        shown = error if isinstance(error, Error) else InternalError(f"{type(error).__name__}: {error}")
        if shown is not error:
            shown.__cause__ = error
        if not any(feed.failed is error for feed in self.engine.pipeline.feeds.values()):
            self._failure = shown
        self.engine.fail_queries(shown)
        self._news = True

    def _end(self, last: Callable[[], None]) -> None:
        self._stopping = True
        last()

    def _abandon_calls(self) -> None:
        """Let the calls that came too late fail."""
        while True:
            try:
                call = self._mailbox.get_nowait()
            except Empty:
                return
            if call is not None and not call.begun:
                call.give_up(InterfaceError("the connection is closed"))
