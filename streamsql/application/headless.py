"""`streamsql run`: an application with all that stands around it: signals, the live table, metrics, the log."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from streamsql.application import Application, Settings, Trial
from streamsql.errors import Error
from streamsql.monitor.log import Log
from streamsql.monitor.measures import Exchange, Measures, measure

FAILED, INTERRUPTED = 1, 130
"""Exit statuses."""

WATCH_SECONDS = 0.2
"""How far apart `--watch` looks at the file."""


@dataclass(slots=True)
class Surroundings:
    """What the command line asks for around a run; `metrics` is the port to listen on."""

    metrics: int | None = None
    explain: bool = False
    dry_run: bool = False
    watch: bool = False
    live: bool = field(default_factory=lambda: sys.stderr.isatty())


def run(path: Path, settings: Settings, surroundings: Surroundings, log: Log) -> int:
    """Run an application to its end; gives the exit status.  Raises Error for what is wrong before the first step."""
    if surroundings.dry_run:
        trial = Trial(path, settings, log)
        if surroundings.explain:
            print(trial.plans, file=sys.stderr)
        trial.check()
        log.info(f"{path} can run")
        return 0
    application = Application(path, settings, log)
    application.prepare(surroundings.explain)
    if surroundings.explain:
        print(application.plans, file=sys.stderr)
    observer = Observer(application, surroundings, log)
    interrupted = False

    def interrupt(*_: object) -> None:
        """The first Ctrl-C lets the step end, the second one does not."""
        nonlocal interrupted
        interrupted = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
        application.stop()

    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, lambda *_: application.ask_to_reload())
    signal.signal(signal.SIGTERM, lambda *_: application.stop())
    signal.signal(signal.SIGINT, interrupt)
    try:
        counts = application.run(observer.look)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Error as error:
        log.error(error)
        return FAILED
    finally:
        observer.close()
    log.info(str(counts), **counts.fields())
    return INTERRUPTED if interrupted else 0


class Watcher:
    """Looks at a file every now and then, and says when it has changed."""

    def __init__(self, path: Path, changed: Callable[[], None]) -> None:
        self._path = path
        self._changed = changed
        self._closed = threading.Event()
        self._seen = self._look()
        threading.Thread(target=self._watch, name="streamsql-watch", daemon=True).start()

    def close(self) -> None:
        self._closed.set()

    def _watch(self) -> None:
        while not self._closed.wait(WATCH_SECONDS):
            now = self._look()
            if now is not None and now != self._seen:  # None: an editor is just putting another file in its place
                self._seen = now
                self._changed()

    def _look(self) -> tuple[int, int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino


class Observer:
    """Looks at an application after each step, for those who want to know how it goes."""

    def __init__(self, application: Application, surroundings: Surroundings, log: Log) -> None:
        self._application = application
        self._exchange = Exchange(application.wake)
        self._closing: list[Callable[[], None]] = []
        self._progress = None
        if surroundings.metrics is not None:
            from streamsql.monitor.prometheus import Endpoint

            endpoint = Endpoint(surroundings.metrics, self._exchange)
            self._closing.append(endpoint.close)
            log.info(f"metrics at {endpoint.address}", address=endpoint.address)
        if surroundings.watch:
            watcher = Watcher(application.path, application.ask_to_reload)
            self._closing.append(watcher.close)
        if surroundings.live:
            from streamsql.monitor.progress import Progress

            self._progress = Progress()
            self._closing.append(self._progress.clear)

    def look(self) -> None:
        """Between two steps: draw, and answer who asks."""
        self._exchange.answer(lambda: self._measures(with_state=True))
        if self._progress is not None and self._progress.due():
            self._progress.show(self._measures(with_state=False))

    def close(self) -> None:
        """Take the live table away and stop listening."""
        for close in self._closing:
            close()

    def _measures(self, with_state: bool) -> Measures:
        application = self._application
        return measure(
            application.engine,
            application.outputs.rows,
            with_state,
            steps=application.steps,
            step_seconds=application.step_seconds,
            checkpoints=application.checkpoints,
        )
