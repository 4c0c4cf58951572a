"""What a scan has really read, and how long it took."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import prod

from streamsql.time import Clock, Time


@dataclass(slots=True)
class Stretch:
    """When something went on: `started` and `ended` by the clock, None where it never did; `elapsed` in microseconds.

    What goes on several times started with the first and ended with the last, and its times are added up.
    """

    started: Time | None = None
    ended: Time | None = None
    elapsed: int = 0

    @contextmanager
    def measured(self, clock: Clock) -> Iterator[None]:
        """The time of what is done within."""
        begun = time.perf_counter_ns()
        self.started = clock.now() if self.started is None else self.started
        try:
            yield
        finally:
            self.ended = clock.now()
            self.elapsed += (time.perf_counter_ns() - begun) // 1000

    def end(self, clock: Clock) -> None:
        """What has begun at `started` ends now."""
        self.ended = clock.now()


@dataclass(slots=True)
class Counts:
    """Measured while a scan goes on, by all of its threads; of several scans of one table added up.

    `partitions` are those of the table (1 where it has none), `partitions_left` those that WHERE leaves, `partitions_read`
    those whose files were looked at; `files_found` are in these.  `rows` were decoded, `rows_given` left the scan,
    `bytes_given` in Arrow's form.  The row groups of ORC files are their stripes.
    """

    partitions: int = 0
    partitions_left: int = 0
    partitions_read: int = 0
    files_found: int = 0
    files: int = 0
    row_groups: int = 0
    row_groups_read: int = 0
    row_groups_filtered: int = 0
    """Those that Bloom filters let be left out."""
    bytes: int = 0
    size: int = 0
    """The bytes of all files of the partitions that were read."""
    largest: int = 0
    """The bytes of the largest of them."""
    rows: int = 0
    rows_passed: int = 0
    """Those of pages that were left out of row groups that were read."""
    rows_given: int = 0
    bytes_given: int = 0
    requests: int = 0
    """How often bytes were asked for."""
    requests_elapsed: int = 0
    """The nanoseconds that these took, added up."""
    longest_request: int = 0
    """Those of the longest one."""
    most_requests: int = 0
    """Those under way at once, at most."""
    pruning: Stretch = field(default_factory=Stretch, compare=False)
    """Finding the partitions."""
    whole: Stretch = field(default_factory=Stretch, compare=False)
    """All of the scan."""
    _under_way: int = field(default=0, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def add(self, **amounts: int) -> None:
        """Add to some of them."""
        with self._lock:
            for name, amount in amounts.items():
                setattr(self, name, getattr(self, name) + amount)

    def add_file(self, size: int) -> None:
        """One more file of so many bytes."""
        with self._lock:
            self.files += 1
            self.size += size
            self.largest = max(self.largest, size)

    @contextmanager
    def request(self) -> Iterator[None]:
        """Bytes are asked for within."""
        with self._lock:
            self._under_way += 1
            self.most_requests = max(self.most_requests, self._under_way)
        begun = time.perf_counter_ns()
        try:
            yield
        finally:
            elapsed = time.perf_counter_ns() - begun
            with self._lock:
                self._under_way -= 1
                self.requests += 1
                self.requests_elapsed += elapsed
                self.longest_request = max(self.longest_request, elapsed)

    @property
    def share(self) -> float:
        """About how much of the scan is done, from 0 to 1: of what was not looked at yet as much as of the rest."""
        done, known = (self.row_groups_read, self.row_groups) if self.row_groups else (self.bytes, self.size)
        parts = ((done, known), (self.files, self.files_found), (self.partitions_read, self.partitions_left))
        return prod(min(1.0, some / all_) if all_ else 0.0 for some, all_ in parts)
