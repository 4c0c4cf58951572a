"""The system tables of Redshift, and Athena's list of a table's partitions: one record a table.

One machine is one node with one slice, and each scan a segment of its query.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa

from streamsql.catalog import Catalog, SystemTable, SystemTables
from streamsql.engine.query_log import LoggedQuery, LoggedScan, QueryLog
from streamsql.expressions.conditions import TRUE
from streamsql.external.formats import SPECTRUM_WORDS
from streamsql.external.partitions import LOCATION
from streamsql.external.scan.partitions import left
from streamsql.external.table import ExternalTable
from streamsql.rows import QueryTime
from streamsql.types import BIGINT, DOUBLE, INTEGER, TIMESTAMP, Field, Schema, SqlType, varchar

T = TypeVar("T")

SCHEMA = "pg_catalog"
"""What may stand in front of their names."""

PARTITIONS = "$partitions"
"""What stands behind the name of a table whose partitions are meant."""

USER = 100
"""The number of the one user there is: the lowest that a user of Redshift has."""

LARGEST = 2**31 - 1


class Column(NamedTuple, Generic[T]):
    """A column of a system table, and its value in the row of a record."""

    name: str
    type: SqlType
    value: Callable[[T], Any]


@dataclass(frozen=True, slots=True)
class Definition(Generic[T]):
    """A system table: its name, the records that it has rows of, its columns."""

    name: str
    records: Callable[[QueryLog], Iterable[T]]
    columns: Sequence[Column[T]]

    def table(self, log: QueryLog) -> SystemTable:
        """The table over a log."""
        schema = Schema(tuple(Field(column.name, column.type) for column in self.columns))

        def rows(time: QueryTime) -> pa.Table:
            records = list(self.records(log))
            arrays = [pa.array([c.value(record) for record in records], c.type.arrow()) for c in self.columns]
            return pa.table(arrays, schema=schema.arrow())

        return SystemTable(self.name, schema, rows)


class ScanOf(NamedTuple):
    """A scan, the query that it is one of, and its place among the scans of this."""

    query: LoggedQuery
    segment: int
    scan: LoggedScan

    @property
    def external_name(self) -> str:
        return f"S3 Scan {self.query.database}_{self.scan.database}_{self.scan.table}"[:136]


def _scans(log: QueryLog) -> Iterable[ScanOf]:
    return (ScanOf(query, place, scan) for query in log.queries() for place, scan in enumerate(query.scans))


def _partitioned(log: QueryLog) -> Iterable[ScanOf]:
    return (of for of in _scans(log) if of.scan.partitioned)


def _flag(value: bool) -> str:
    return "t" if value else "f"


def _integer(value: int) -> int:
    """What fits a column of this type."""
    return min(value, LARGEST)


def _average(total: float, count: int) -> float | None:
    return total / count if count else None


def _requests_elapsed(of: ScanOf) -> float:
    return of.scan.counts.requests_elapsed / 1000


_NUMBER: Sequence[Column[ScanOf]] = (
    Column("userid", INTEGER, lambda of: USER),
    Column("query", INTEGER, lambda of: of.query.number),
)

_PLACE: Sequence[Column[Any]] = (Column("node", INTEGER, lambda of: 0), Column("slice", INTEGER, lambda of: 0))

_TIMES: Sequence[Column[ScanOf]] = (
    Column("starttime", TIMESTAMP, lambda of: of.scan.counts.whole.started),
    Column("endtime", TIMESTAMP, lambda of: of.scan.counts.whole.ended),
    Column("elapsed", INTEGER, lambda of: _integer(of.scan.counts.whole.elapsed)),
)

_STEP: Sequence[Column[ScanOf]] = (
    Column("segment", INTEGER, lambda of: of.segment),
    Column("step", INTEGER, lambda of: 0),
)

_TABLE = Column[ScanOf]("external_table_name", varchar(136), lambda of: of.external_name)

_RANGES: Sequence[Column[ScanOf]] = (
    Column("is_partitioned", varchar(1), lambda of: _flag(of.scan.partitioned)),
    Column("is_rrscan", varchar(1), lambda of: _flag(of.scan.ranged)),
)

_READ: Sequence[Column[ScanOf]] = (
    Column("s3_scanned_rows", BIGINT, lambda of: of.scan.counts.rows),
    Column("s3_scanned_bytes", BIGINT, lambda of: of.scan.counts.bytes),
    Column("s3query_returned_rows", BIGINT, lambda of: of.scan.counts.rows_given),
    Column("s3query_returned_bytes", BIGINT, lambda of: of.scan.counts.bytes_given),
)


def _files(name: str) -> Column[ScanOf]:
    return Column(name, INTEGER, lambda of: of.scan.counts.files)


_SIZE: Sequence[Column[ScanOf]] = (
    Column("total_split_size", BIGINT, lambda of: of.scan.counts.size),
    Column("max_split_size", BIGINT, lambda of: of.scan.counts.largest),
)

_REQUESTS: Sequence[Column[ScanOf]] = (
    Column("total_retries", INTEGER, lambda of: None),  # S3's client makes them, and does not tell
    Column("max_retries", INTEGER, lambda of: None),
    Column("max_request_duration", INTEGER, lambda of: _integer(of.scan.counts.longest_request // 1000)),
    Column("avg_request_duration", DOUBLE, lambda of: _average(_requests_elapsed(of), of.scan.counts.requests)),
    Column("max_request_parallelism", INTEGER, lambda of: of.scan.counts.most_requests),
    Column("avg_request_parallelism", DOUBLE, lambda of: _average(_requests_elapsed(of), of.scan.counts.whole.elapsed)),
    Column("total_slowdown_count", BIGINT, lambda of: None),
    Column("max_slowdown_count", INTEGER, lambda of: None),
)

S3QUERY_SUMMARY = Definition(
    "svl_s3query_summary",
    _scans,
    (
        *_NUMBER,
        Column("xid", BIGINT, lambda of: of.query.number),
        Column("pid", INTEGER, lambda of: os.getpid()),
        *_STEP,
        *_TIMES,
        Column("aborted", INTEGER, lambda of: int(of.query.aborted)),
        _TABLE,
        Column("file_format", varchar(16), lambda of: SPECTRUM_WORDS[of.scan.kind]),
        *_RANGES,
        Column("is_nested", varchar(1), lambda of: _flag(of.scan.nested)),
        *_READ,
        *map(_files, ("files", "files_max", "files_avg", "splits", "splits_max", "splits_avg")),
        *_SIZE,
        Column("avg_split_size", BIGINT, lambda of: of.scan.counts.size // max(of.scan.counts.files, 1)),
        *_REQUESTS,
    ),
)

S3QUERY = Definition(
    "svl_s3query",
    _scans,
    (*_NUMBER, *_STEP, *_PLACE, *_TIMES, _TABLE, *_RANGES, *_READ, *map(_files, ("files", "splits")), *_SIZE, *_REQUESTS),
)

S3PARTITION = Definition(
    "svl_s3partition",
    _partitioned,
    (
        _NUMBER[1],
        _STEP[0],
        *_PLACE,
        Column("starttime", TIMESTAMP, lambda of: of.scan.counts.pruning.started),
        Column("endtime", TIMESTAMP, lambda of: of.scan.counts.pruning.ended),
        Column("duration", BIGINT, lambda of: of.scan.counts.pruning.elapsed),
        Column("total_partitions", INTEGER, lambda of: of.scan.counts.partitions),
        Column("qualified_partitions", INTEGER, lambda of: of.scan.counts.partitions_left),
        Column("assigned_partitions", INTEGER, lambda of: of.scan.counts.partitions_read),
        Column("assignment", varchar(1), lambda of: "p"),
    ),
)

S3PARTITION_SUMMARY = Definition(
    "svl_s3partition_summary",
    _partitioned,
    (
        _NUMBER[1],
        _STEP[0],
        Column("assignment", varchar(1), lambda of: "p"),
        Column("min_starttime", TIMESTAMP, lambda of: of.scan.counts.pruning.started),
        Column("max_endtime", TIMESTAMP, lambda of: of.scan.counts.pruning.ended),
        Column("min_duration", BIGINT, lambda of: of.scan.counts.pruning.elapsed),
        Column("max_duration", BIGINT, lambda of: of.scan.counts.pruning.elapsed),
        Column("avg_duration", BIGINT, lambda of: of.scan.counts.pruning.elapsed),
        Column("total_partitions", INTEGER, lambda of: of.scan.counts.partitions),
        Column("qualified_partitions", INTEGER, lambda of: of.scan.counts.partitions_left),
        Column("min_assigned_partitions", INTEGER, lambda of: of.scan.counts.partitions_read),
        Column("max_assigned_partitions", INTEGER, lambda of: of.scan.counts.partitions_read),
        Column("avg_assigned_partitions", BIGINT, lambda of: of.scan.counts.partitions_read),
    ),
)

QUERY = Definition(
    "stl_query",
    QueryLog.queries,
    (
        Column("userid", INTEGER, lambda query: USER),
        Column("query", INTEGER, lambda query: query.number),
        Column("label", varchar(320), lambda query: "default"),
        Column("xid", BIGINT, lambda query: query.number),
        Column("pid", INTEGER, lambda query: os.getpid()),
        Column("database", varchar(32), lambda query: query.database[:32]),
        Column("querytxt", varchar(4000), lambda query: query.text[:4000]),
        Column("starttime", TIMESTAMP, lambda query: query.time.started),
        Column("endtime", TIMESTAMP, lambda query: query.time.ended),
        Column("aborted", INTEGER, lambda query: int(query.aborted)),
        Column("insert_pristine", INTEGER, lambda query: 0),
        Column("concurrency_scaling_status", INTEGER, lambda query: 0),
    ),
)

DEFINITIONS: Sequence[Definition[Any]] = (S3QUERY_SUMMARY, S3QUERY, S3PARTITION, S3PARTITION_SUMMARY, QUERY)
"""The tables over the log of queries."""


def system_tables(log: QueryLog) -> SystemTables:
    """What finds the system tables of an engine by their names, in any case."""
    of_log = {definition.name: definition.table(log) for definition in DEFINITIONS}

    def find(catalog: Catalog, name: str, schema: str | None) -> SystemTable | None:
        if name.lower().endswith(PARTITIONS):
            table = catalog.databases.table(name[: -len(PARTITIONS)], schema)
            return _partitions(table) if table is not None and table.keys else None
        return of_log.get(name.lower()) if schema is None or schema.lower() == SCHEMA else None

    return find


def _partitions(table: ExternalTable) -> SystemTable:
    """The partitions of a table that its queries look at: a row each with the keys, and its number, which `*` leaves out."""
    number = Field("partition_number", BIGINT, hidden=True)

    def rows(time: QueryTime) -> pa.Table:
        found = left(table, TRUE, time).rows.drop_columns([LOCATION])
        return found.append_column(number.name, pa.array(np.arange(1, found.num_rows + 1)))

    return SystemTable(f"{table.full_name}{PARTITIONS}", Schema((*table.key_fields, number)), rows)
