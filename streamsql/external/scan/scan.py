"""One scan of an external table: partitions, their files, and the rows of these in order, several files at once."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from streamsql.expressions.conditions import TRUE
from streamsql.expressions.nodes import Expression
from streamsql.external.formats import FileKind
from streamsql.external.partitions import LOCATION
from streamsql.external.scan.bounds import Possible
from streamsql.external.scan.counts import Counts
from streamsql.external.scan.dynamic import JoinKeys
from streamsql.external.scan.files import Files
from streamsql.external.scan.footers import Footers
from streamsql.external.scan.orc import OrcReader
from streamsql.external.scan.parquet import Groups, ParquetReader
from streamsql.external.scan.partitions import Left, left
from streamsql.external.scan.read_ahead import ReadAhead
from streamsql.external.scan.request import PartitionFile, Request
from streamsql.external.scan.rows import Given, RowMaker, size_of
from streamsql.external.scan.sought import sought
from streamsql.external.scan.text import TextFileReader
from streamsql.rows import QueryTime

THREADS = max(2, min(8, os.cpu_count() or 2))
"""Files that are read at once."""

LOOKING, READING = 16, 8
"""Distant files of which footers and rows are read at once."""

TOGETHER = 64
"""Files of this machine whose row groups are looked at together."""

ENOUGH = 16_384
"""Rows of a batch that is not small."""

WAITING = 128 << 20
"""Bytes of rows that wait for those who want them."""


@dataclass(slots=True)
class Access:
    """What the scans of an engine share: the storages, and the footers that were read; `running` are those at work."""

    files: Files
    footers: Footers = field(default_factory=Footers)
    running: list[Scan] = field(default_factory=list)


class Scan:
    """The rows that a request asks for, read as they are taken.

    `joins` has the keys of its dynamic filters by then.  What is read is added to `counts`.
    """

    def __init__(
        self, request: Request, access: Access, time: QueryTime, joins: JoinKeys | None = None, counts: Counts | None = None
    ) -> None:
        self.request = request
        self.counts = counts or Counts()
        self._access = access
        self._joins = joins or JoinKeys()
        self._time = time

    def rows(self) -> Generator[Given, None, None]:
        """The rows in the order of the partitions, of their files' names, and of the files; and rows that failed."""
        with self.counts.whole.measured(self._time.clock):
            yield from self._rows()

    def _rows(self) -> Generator[Given, None, None]:
        table = self.request.table
        request, possible = self._joins.resolved(self.request)
        maker = RowMaker(request, self._time)
        with self.counts.pruning.measured(self._time.clock):
            found = request.chosen or left(table, request.keys, self._time)
        self.counts.partitions = found.total
        self.counts.add(partitions_left=found.rows.num_rows)
        files = self._files(found)
        given = (self._parquet if table.kind is FileKind.PARQUET else self._others)(maker, files, possible)
        count = 0
        self._access.running.append(self)
        try:
            for each in _coalesced(given):
                if isinstance(each, pa.RecordBatch):
                    batch = each if self.request.limit is None else each.slice(0, self.request.limit - count)
                    count += batch.num_rows
                    self.counts.add(rows_given=batch.num_rows, bytes_given=batch.nbytes)
                    if batch.num_rows:
                        yield batch
                    if self.request.limit is not None and count >= self.request.limit:
                        return
                else:
                    yield each
        finally:
            self._access.running.remove(self)
            given.close()

    def _files(self, found: Left) -> Iterator[PartitionFile]:
        locations = found.rows[LOCATION].to_pylist()
        share = len(locations) / max(1, found.total) if self.request.limit is None else 0.0
        for place, listed in enumerate(self._access.files.of_all(self.request.table, locations, share)):
            partition, files = found.rows.slice(place, 1), list(listed)
            self.counts.add(partitions_read=1, files_found=len(files))
            for file in files:
                yield PartitionFile(file, partition)

    def _parquet(self, maker: RowMaker, files: Iterator[PartitionFile], condition: Expression) -> Generator[Given, None, None]:
        looking, reading = self._threads()
        values = sought(condition, self._time)
        reader = ParquetReader(maker, self._possible(condition), values, self._access.footers, self.counts)
        groups: ReadAhead[list[PartitionFile], Groups] = ReadAhead(_together(files), reader.groups, lambda _: 0, looking, 1)
        rows: ReadAhead[Groups, Given] = ReadAhead(iter(groups), reader.read, size_of, reading, WAITING)
        return iter(rows)

    def _threads(self) -> tuple[int, int]:
        """How many files are looked into and read at once: of near ones looking is quick, distant ones are waited for."""
        distant = self._access.files.is_distant(self.request.table.location)
        return (LOOKING, READING) if distant else (1, THREADS)

    def _possible(self, condition: Expression) -> Possible | None:
        return None if condition == TRUE else Possible(condition, self._time)

    def _others(self, maker: RowMaker, files: Iterator[PartitionFile], condition: Expression) -> Generator[Given, None, None]:
        orc = self.request.table.kind is FileKind.ORC
        reader = OrcReader(maker, self._possible(condition), self.counts) if orc else TextFileReader(maker, self.counts)
        rows: ReadAhead[PartitionFile, Given] = ReadAhead(files, reader.read, size_of, self._threads()[1], WAITING)
        return iter(rows)


def _coalesced(given: Iterator[Given]) -> Iterator[Given]:
    """The same rows in batches that are not small: an operator's work on a batch costs something, however few its rows are.

    The first come at once; later ones wait for at most as many as have come.
    """
    waiting: list[pa.RecordBatch] = []
    rows = passed = 0
    for each in given:
        if isinstance(each, pa.RecordBatch):
            waiting.append(each)
            rows += each.num_rows
            if rows < min(passed, ENOUGH):
                continue
        if waiting:
            yield waiting[0] if len(waiting) == 1 else pa.concat_batches(waiting)
            passed += rows
            waiting, rows = [], 0
        if not isinstance(each, pa.RecordBatch):
            yield each
    if waiting:
        yield waiting[0] if len(waiting) == 1 else pa.concat_batches(waiting)


def _together(files: Iterator[PartitionFile]) -> Iterator[list[PartitionFile]]:
    """Files to look into together: distant ones alone, near ones in portions that grow, for looking at many is quicker but the
    first rows are not to wait."""
    portion: list[PartitionFile] = []
    size = 1
    for file in files:
        portion.append(file)
        if file.file.storage.distant or len(portion) >= size:
            yield portion
            portion, size = [], min(2 * size, TOGETHER)
    if portion:
        yield portion
