"""The last queries over tables of an engine, and what their scans of external tables have read."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

from streamsql.expressions.conditions import TRUE
from streamsql.external.formats import FileKind
from streamsql.external.scan.counts import Counts, Stretch
from streamsql.external.scan.request import Request
from streamsql.external.scan.scan import Scan
from streamsql.time import Clock

KEPT = 10_000
"""Queries that are remembered."""


@dataclass(frozen=True, slots=True)
class LoggedScan:
    """What is remembered of a scan: its table, and what it counted; of one that goes on, what it has counted so far.

    `ranged`: a condition over its rows decided which row groups it read; `nested`: it read fields of records, or lists.
    """

    database: str
    table: str
    kind: FileKind
    partitioned: bool
    ranged: bool
    nested: bool
    counts: Counts

    @staticmethod
    def of(request: Request, counts: Counts) -> LoggedScan:
        """A scan without its rows, and without the table that it read."""
        return LoggedScan(
            request.table.database,
            request.table.name,
            request.table.kind,
            bool(request.table.keys),
            request.table.kind is FileKind.PARQUET and (request.condition != TRUE or bool(request.dynamic)),
            any(len(column.path) > 1 or column.field.type.is_nested for column in request.columns),
            counts,
        )


@dataclass(frozen=True, slots=True)
class LoggedQuery:
    """A query that is over, or one that reads a stream: `aborted` where it was not read to its end, or failed.  `database`: the
    one in use."""

    number: int
    text: str
    database: str
    time: Stretch
    aborted: bool
    scans: tuple[LoggedScan, ...]


class QueryLog:
    """The queries that are over, in the order in which they ended, and among them those that read streams, where they began; at
    most `KEPT`.

    A query runs in the thread that takes its rows: nothing here is done in more than one step that others could see.
    """

    def __init__(self, clock: Clock) -> None:
        self.last = -1
        """The number of the query that ended last; -1 before the first."""
        self._clock = clock
        self._numbers = count(1)
        self._queries: deque[LoggedQuery] = deque(maxlen=KEPT)

    @contextmanager
    def watched(self, text: str, database: str, scans: Sequence[Scan]) -> Iterator[None]:
        """A query runs within."""
        number, time, aborted = next(self._numbers), Stretch(), True
        try:
            with time.measured(self._clock):
                yield
            aborted = False
        finally:
            logged = tuple(LoggedScan.of(scan.request, scan.counts) for scan in scans)
            self._queries.append(LoggedQuery(number, text, database, time, aborted, logged))
            self.last = number

    def begun(self, text: str, database: str, scans: Sequence[LoggedScan]) -> Stretch:
        """A query or pump reads streams from now on, and tables on the way; gives what is to be told when it `ends`.

        It is none that ended, so `last` stays.
        """
        time = Stretch(self._clock.now())
        self._queries.append(LoggedQuery(next(self._numbers), text, database, time, False, tuple(scans)))
        return time

    def queries(self) -> list[LoggedQuery]:
        """Those that are remembered, oldest first."""
        return list(self._queries.copy())
