"""A line that says how far a long scan of external tables is; on a terminal only, and gone when there is a result."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from streamsql.external.scan.counts import Counts
from streamsql.repl.line import ERASE_LINE

PATIENCE_SECONDS = 0.5
"""Statements that take less time have no line."""

REDRAWN_SECONDS = 0.1
"""How far apart two pictures are."""

WIDTH = 20
"""The columns of the bar."""


class Progress:
    """Draws on `terminal`, if it is one, while a statement is carried out and says nothing."""

    def __init__(self, scans: Callable[[], Sequence[Counts]], terminal: TextIO) -> None:
        self._scans = scans
        self._terminal = terminal if terminal.isatty() and os.environ.get("TERM", "dumb") != "dumb" else None
        self._lock = threading.Lock()
        self._drawn = False
        self._over = threading.Event()

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Draw the line from time to time, until something is said or the block ends."""
        if self._terminal is None:
            yield
            return
        self._over = threading.Event()
        thread = threading.Thread(target=self._draw_until, args=(self._over,), name="streamsql-progress", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.clear()

    def clear(self) -> None:
        """Take the line away, since something else is to be shown."""
        with self._lock:
            self._over.set()
            if self._drawn and self._terminal is not None:
                print(ERASE_LINE, end="", file=self._terminal, flush=True)
            self._drawn = False

    def _draw_until(self, over: threading.Event) -> None:
        patience = PATIENCE_SECONDS
        while not over.wait(patience):
            patience = REDRAWN_SECONDS
            with self._lock:
                scans = self._scans()
                if scans and not over.is_set():
                    text = line(scans)[: shutil.get_terminal_size().columns - 1]
                    print(ERASE_LINE + text, end="", file=self._terminal, flush=True)
                    self._drawn = True


def line(scans: Sequence[Counts]) -> str:
    """How far some scans are together, in one line.

    >>> line([Counts(partitions_left=2, partitions_read=1, files_found=4, files=4, bytes=3000, size=4000, rows=12345)])
    'reading ███████               37%  1 of 2 partitions  4 files  0.0 MB  12,345 rows'
    """
    share = sum(each.share for each in scans) / len(scans)
    partitions, left = sum(each.partitions_read for each in scans), sum(each.partitions_left for each in scans)
    parts = [
        f"reading {'█' * int(share * WIDTH):{WIDTH}} {int(share * 100):3}%",
        f"{partitions:,} of {left:,} partitions" if left > len(scans) else "",
        f"{sum(each.files for each in scans):,} files",
        f"{sum(each.bytes for each in scans) / 1e6:,.1f} MB",
        f"{sum(each.rows for each in scans):,} rows",
    ]
    return "  ".join(filter(None, parts))
