"""The published investigation of a slow query, statement by statement: what it looks at says what the article says of it.

Six customers, 84 months, a partition for each of both, as text and as Parquet; the questions are about three customers and the
last three months.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import streamsql

CUSTOMERS = range(1, 7)
MONTHS = [year * 100 + month for year in range(1992, 1999) for month in range(1, 13)]
ROWS = 4
"""Rows of each partition."""

DDL = """
create external schema clickstream from data catalog database 'clickstream_data'
iam_role 'arn:aws:iam::123456789012:role/spectrum' create external database if not exists;

create external table clickstream.uservisits_csv10 (custKey int, yearMonthKey int, adRevenue float8)
partitioned by (customer int, visitYearMonth int)
row format delimited fields terminated by '|' stored as textfile location 's3://l/csv10/';

create external table clickstream.uservisits_parquet1 (custKey int, yearMonthKey int, adRevenue float8)
partitioned by (customer int, visitYearMonth int) stored as parquet location 's3://l/parquet1/';

msck repair table clickstream.uservisits_csv10;
msck repair table clickstream.uservisits_parquet1;
"""

JOIN = """SELECT c.c_name, c.c_mktsegment, t.prettyMonthYear, SUM(uv.adRevenue)
FROM clickstream.{table} as uv
RIGHT OUTER JOIN customer as c ON c.c_custkey = uv.{customer}
INNER JOIN (
  SELECT DISTINCT d_yearmonthnum, (d_month||','||d_year) as prettyMonthYear
  FROM dwdate WHERE d_yearmonthnum >= 199810) as t ON uv.{month} = t.d_yearmonthnum
WHERE c.c_custkey <= 3
GROUP BY c.c_name, c.c_mktsegment, t.prettyMonthYear, uv.yearMonthKey
ORDER BY c.c_name, c.c_mktsegment, uv.yearMonthKey  ASC"""

PUSHED_DOWN = """SELECT c.c_name, c.c_mktsegment, t.prettyMonthYear, uv.totalRevenue
FROM (
  SELECT customer, visitYearMonth, SUM(adRevenue) as totalRevenue
  FROM clickstream.uservisits_parquet1
  WHERE customer <= 3 and visitYearMonth >= 199810
  GROUP BY  customer, visitYearMonth) as uv
RIGHT OUTER JOIN customer as c ON c.c_custkey = uv.customer
INNER JOIN (
  SELECT DISTINCT d_yearmonthnum, (d_month||','||d_year) as prettyMonthYear
  FROM dwdate WHERE d_yearmonthnum >= 199810) as t ON uv.visitYearMonth = t.d_yearmonthnum
ORDER BY c.c_name, c.c_mktsegment, uv.visitYearMonth ASC;"""

SUMMARY = """select elapsed, s3_scanned_rows, s3_scanned_bytes,
  s3query_returned_rows, s3query_returned_bytes, files, avg_request_parallelism
from svl_s3query_summary
where query = pg_last_query_id()
order by query,segment;"""

PARTITIONS = """SELECT query, segment,
       MIN(starttime) AS starttime,
       MAX(endtime) AS endtime,
       datediff(ms,MIN(starttime),MAX(endtime)) AS dur_ms,
       MAX(total_partitions) AS total_partitions,
       MAX(qualified_partitions) AS qualified_partitions,
       MAX(assignment) as assignment_type
FROM svl_s3partition
WHERE query=pg_last_query_id()
GROUP BY query, segment"""

ALL = len(CUSTOMERS) * len(MONTHS)


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[streamsql.Connection]:
    lake = tmp_path_factory.mktemp("lake")
    for customer in CUSTOMERS:
        for month in MONTHS:
            text, parquet = (_folder(lake, name, customer, month) for name in ("csv10", "parquet1"))
            revenues = [customer + row / 2 for row in range(ROWS)]
            (text / "part.csv").write_text("".join(f"{customer}|{month}|{revenue}\n" for revenue in revenues))
            keys = [pa.array([key] * ROWS, pa.int32()) for key in (customer, month)]
            pq.write_table(pa.table([*keys, revenues], ["custKey", "yearMonthKey", "adRevenue"]), parquet / "part.parquet")
    with streamsql.connect(s3_root=lake) as connection:
        connection.executescript(DDL)
        names = [f"Customer#{number}" for number in range(1, 11)]
        keys = pa.array(range(1, 11), pa.int32())
        connection.register("customer", pa.table({"c_custkey": keys, "c_name": names, "c_mktsegment": ["BUILDING"] * 10}))
        days = [month for month in MONTHS for _ in range(28)]
        dates = {"d_month": [f"M{day % 100}" for day in days], "d_year": pa.array([day // 100 for day in days], pa.int32())}
        connection.register("dwdate", pa.table({"d_yearmonthnum": pa.array(days, pa.int32()), **dates}))
        yield connection


def _folder(lake: Path, table: str, customer: int, month: int) -> Path:
    folder = lake / "l" / table / f"customer={customer}" / f"visityearmonth={month}"
    folder.mkdir(parents=True)
    return folder


def expected() -> list[tuple[str, str, str, float]]:
    """What all of the queries give."""
    revenue = {customer: sum(customer + row / 2 for row in range(ROWS)) for customer in CUSTOMERS}
    return [(f"Customer#{c}", "BUILDING", f"M{m},1998", revenue[c]) for c in (1, 2, 3) for m in (10, 11, 12)]


def read(con: streamsql.Connection, query: str) -> dict[str, Any]:
    """Run a query, and then look at what it read as the article does."""
    assert con.execute(query).fetchall() == expected()
    cursor = con.execute(SUMMARY)
    assert cursor.description is not None
    (row,) = cursor.fetchall()
    return dict(zip([column[0] for column in cursor.description], row, strict=True))


def test_the_whole_data_set_is_scanned(con: streamsql.Connection) -> None:
    found = read(con, JOIN.format(table="uservisits_csv10", customer="custKey", month="yearMonthKey"))
    assert (found["s3_scanned_rows"], found["files"]) == (ALL * ROWS, ALL)
    assert found["s3query_returned_rows"] == 9 * ROWS  # Redshift returned all: it did not know the keys of the joins
    assert found["s3_scanned_bytes"] == ALL * ROWS * len("1|199201|1.5\n")
    assert found["elapsed"] > 0


def test_a_partition_key_halves_it(con: streamsql.Connection) -> None:
    found = read(con, JOIN.format(table="uservisits_csv10", customer="customer", month="yearMonthKey"))
    assert (found["s3_scanned_rows"], found["files"]) == (ALL * ROWS // 2, ALL // 2)
    assert found["s3_scanned_bytes"] == ALL * ROWS * len("1|199201|1.5\n") // 2


def test_both_keys_leave_what_is_needed(con: streamsql.Connection) -> None:
    found = read(con, JOIN.format(table="uservisits_csv10", customer="customer", month="visitYearMonth"))
    assert (found["s3_scanned_rows"], found["s3query_returned_rows"], found["files"]) == (9 * ROWS, 9 * ROWS, 9)


def test_an_aggregate_that_is_pushed_down_returns_nine_rows(con: streamsql.Connection) -> None:
    found = read(con, PUSHED_DOWN)
    assert (found["s3_scanned_rows"], found["s3query_returned_rows"], found["files"]) == (9 * ROWS, 9, 9)


def test_partitions_that_qualify(con: streamsql.Connection) -> None:
    for table in ("uservisits_csv10", "uservisits_parquet1"):
        con.execute(JOIN.format(table=table, customer="customer", month="visitYearMonth")).fetchall()
        ((_, segment, begun, ended, duration, *partitions),) = con.execute(PARTITIONS).fetchall()
        assert (segment, partitions) == (0, [ALL, 9, "p"])
        assert duration >= 0 and begun <= ended


def explained(con: streamsql.Connection, query: str) -> str:
    cursor = con.execute(f"EXPLAIN \n{query}")
    assert cursor.description is not None
    assert cursor.description[0][0] == "QUERY PLAN"
    return "\n".join(line for (line,) in cursor.fetchall())


def test_the_plan_scans_all_partitions(con: streamsql.Connection) -> None:
    assert (
        explained(con, JOIN.format(table="uservisits_csv10", customer="custKey", month="yearMonthKey"))
        == """\
XN Sort
  Sort Key: c_name, c_mktsegment, yearMonthKey
  ->  XN HashAggregate
        ->  XN Hash Join DS_DIST_NONE
              Hash Cond: ("outer".yearMonthKey = "inner".d_yearmonthnum)
              ->  XN Hash Join DS_DIST_NONE
                    Hash Cond: ("outer".custKey = "inner".c_custkey)
                    Join Filter: (c_custkey <= 3)
                    ->  XN Partition Loop
                          ->  XN Seq Scan PartitionInfo of clickstream.uservisits_csv10  (rows=504)
                          ->  XN S3 Query Scan uservisits_csv10
                                ->  S3 Seq Scan clickstream.uservisits_csv10 location:"s3://l/csv10/" format:TEXT
                    ->  XN Hash
                          ->  XN Seq Scan on customer  (rows=10)
              ->  XN Hash
                    ->  XN Unique
                          ->  XN Seq Scan on dwdate  (rows=2352)
                                Filter: (d_yearmonthnum >= 199810)"""
    )


def test_the_plan_prunes_partitions_by_the_joins(con: streamsql.Connection) -> None:
    plan = explained(con, JOIN.format(table="uservisits_csv10", customer="customer", month="visitYearMonth"))
    assert (
        """\
->  XN Seq Scan PartitionInfo of clickstream.uservisits_csv10
                                Filter: ((subplan 1: (visitYearMonth = $1)) AND (subplan 2: (customer = $2)))
"""
        in plan
    )


def test_the_plan_has_an_aggregate_where_the_files_are(con: streamsql.Connection) -> None:
    joins = "(subplan 1: (visitYearMonth = $1)) AND (subplan 2: (customer = $2))"
    assert f"""\
->  XN HashAggregate
                    ->  XN Partition Loop
                          ->  XN Seq Scan PartitionInfo of clickstream.uservisits_parquet1
                                Filter: ((customer <= 3) AND (visitYearMonth >= 199810) AND {joins})
                          ->  XN S3 Query Scan uservisits_parquet1
                                ->  S3 Aggregate
                                      ->  S3 Seq Scan clickstream.uservisits_parquet1 location:"s3://l/parquet1/" format:PARQUET
""" in explained(con, PUSHED_DOWN)
