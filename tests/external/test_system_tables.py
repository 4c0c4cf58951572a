"""The system tables of Redshift over the log of queries, and Athena's list of partitions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import streamsql
from streamsql.engine import query_log
from streamsql.engine.query_log import QueryLog
from streamsql.errors import Error
from streamsql.time import ManualClock
from tests.external.lake import Lake

COLUMNS = {
    "svl_s3query_summary": """userid query xid pid segment step starttime endtime elapsed aborted external_table_name file_format
        is_partitioned is_rrscan is_nested s3_scanned_rows s3_scanned_bytes s3query_returned_rows s3query_returned_bytes files
        files_max files_avg splits splits_max splits_avg total_split_size max_split_size avg_split_size total_retries max_retries
        max_request_duration avg_request_duration max_request_parallelism avg_request_parallelism total_slowdown_count
        max_slowdown_count""",
    "svl_s3query": """userid query segment step node slice starttime endtime elapsed external_table_name is_partitioned is_rrscan
        s3_scanned_rows s3_scanned_bytes s3query_returned_rows s3query_returned_bytes files splits total_split_size max_split_size
        total_retries max_retries max_request_duration avg_request_duration max_request_parallelism avg_request_parallelism
        total_slowdown_count max_slowdown_count""",
    "svl_s3partition": """query segment node slice starttime endtime duration total_partitions qualified_partitions
        assigned_partitions assignment""",
    "svl_s3partition_summary": """query segment assignment min_starttime max_endtime min_duration max_duration avg_duration
        total_partitions qualified_partitions min_assigned_partitions max_assigned_partitions avg_assigned_partitions""",
    "stl_query": """userid query label xid pid database querytxt starttime endtime aborted insert_pristine
        concurrency_scaling_status""",
}

TABLES = """CREATE DATABASE web; USE web;
    CREATE EXTERNAL TABLE logs (who string, bytes bigint) PARTITIONED BY (year int, month string)
    ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://b/logs/';
    MSCK REPAIR TABLE logs;
    CREATE EXTERNAL TABLE names (who string, given struct<first:string>) STORED AS PARQUET LOCATION 's3://b/names/';"""


@pytest.fixture
def filled(lake: Lake) -> Lake:
    for year, month in ((2023, "12"), (2024, "01"), (2024, "02")):
        lake.text(f"b/logs/year={year}/month={month}/f.csv", f"ann,{year}\nbob,{month}\n")
    names = {"who": ["ann", "bob", "cid", "dan"], "given": [{"first": x} for x in "ABCD"]}
    lake.write("b/names/f.parquet", pa.table(names), row_group_size=2)
    lake.run(TABLES)
    return lake


@pytest.fixture
def con(filled: Lake) -> Iterator[streamsql.Connection]:
    with streamsql.connect(s3_root=filled.root) as connection:
        connection.executescript(TABLES)
        yield connection


@pytest.mark.parametrize("name", COLUMNS)
def test_columns(name: str, con: streamsql.Connection) -> None:
    description = con.execute(f"SELECT * FROM {name}").description
    assert description is not None
    assert [column[0] for column in description] == COLUMNS[name].split()
    assert con.execute(f"SELECT COUNT(*) FROM pg_catalog.{name.upper()}").fetchone() is not None


def test_what_a_scan_has_read(filled: Lake) -> None:
    filled.rows("SELECT who FROM logs WHERE year = 2024 AND bytes > 1")
    columns = "query, segment, aborted, external_table_name, file_format, is_partitioned, is_rrscan, is_nested"
    assert filled.rows(f"SELECT {columns} FROM svl_s3query_summary") == [
        (1, 0, 0, "S3 Scan web_web_logs", "TEXT", "t", "f", "f"),
    ]
    columns = "s3_scanned_rows, s3_scanned_bytes, s3query_returned_rows, files, splits, total_split_size, max_split_size"
    assert filled.rows(f"SELECT {columns} FROM svl_s3query WHERE query = 1") == [(4, 32, 3, 2, 2, 32, 16)]
    columns = "query, segment, total_partitions, qualified_partitions, assigned_partitions, assignment"
    assert filled.rows(f"SELECT {columns} FROM svl_s3partition WHERE query = 1") == [(1, 0, 3, 2, 2, "p")]


def test_each_scan_of_a_query_is_a_segment(filled: Lake) -> None:
    query = "SELECT l.bytes FROM logs l JOIN names n ON l.who = n.who WHERE n.given.first = 'B' AND n.who < 'c'"
    assert len(filled.rows(query)) == 3
    columns = "segment, external_table_name, is_rrscan, is_nested, s3_scanned_rows, s3query_returned_rows"
    assert filled.rows(f"SELECT {columns} FROM svl_s3query_summary WHERE query = pg_last_query_id() ORDER BY segment") == [
        (0, "S3 Scan web_web_names", "t", "t", 2, 1),
        (1, "S3 Scan web_web_logs", "f", "f", 6, 3),
    ]
    assert filled.rows("SELECT segment FROM svl_s3partition") == [(1,)]
    assert filled.rows("SELECT segment, min_assigned_partitions, avg_assigned_partitions FROM svl_s3partition_summary") == [
        (1, 3, 3)
    ]


def test_times_are_those_of_the_clock(tmp_path: Path) -> None:
    clock = ManualClock(1_700_000_000_000)
    (tmp_path / "b/t").mkdir(parents=True)
    (tmp_path / "b/t/f.csv").write_text("1\n")
    with streamsql.connect(s3_root=tmp_path, clock=clock) as con:
        con.execute("CREATE EXTERNAL TABLE t (a int) LOCATION 's3://b/t/'")
        con.execute("SELECT * FROM t").fetchall()
        clock.set(1_700_000_060_000)
        query = "SELECT DATEDIFF(s, q.starttime, LOCALTIMESTAMP), DATEDIFF(s, s.endtime, LOCALTIMESTAMP), s.elapsed >= 0"
        joined = f"{query} FROM stl_query q JOIN svl_s3query_summary s USING (query)"
        assert con.execute(joined).fetchall() == [(60, 60, True)]


def test_the_last_query_is_the_last_that_read_a_table(filled: Lake) -> None:
    last = "SELECT pg_last_query_id()"
    assert filled.rows(last) == [(-1,)]
    filled.rows("SELECT COUNT(*) FROM logs")
    assert filled.rows(last) == [(1,)]
    filled.rows("SELECT 1 + 1")
    filled.rows("VALUES (1)")
    filled.run("EXPLAIN SELECT * FROM logs")
    assert filled.rows(last) == [(1,)]
    assert filled.rows("SELECT query FROM stl_query WHERE query = pg_last_query_id()") == [(1,)]
    assert filled.rows(last) == [(2,)], "a query of a system table is one, as in Redshift"
    filled.run("EXPLAIN ANALYZE SELECT who FROM logs")
    assert filled.rows("SELECT querytxt FROM stl_query WHERE query = pg_last_query_id()") == [
        ("EXPLAIN ANALYZE SELECT who FROM logs",),
    ]


def test_inserts_are_queries(filled: Lake) -> None:
    filled.run("CREATE STREAM s (who VARCHAR(8)); INSERT INTO s SELECT who FROM logs; INSERT INTO s VALUES ('x')")
    assert filled.rows("SELECT query, querytxt, database FROM stl_query") == [(1, "INSERT INTO s SELECT who FROM logs", "web")]


def test_a_query_that_is_left_is_aborted(con: streamsql.Connection) -> None:
    con.register("many", pa.table({"a": pa.array(range(300_000))}))
    cursor = con.cursor()
    cursor.execute("SELECT a FROM many")
    cursor.fetchone()
    assert con.execute("SELECT pg_last_query_id()").fetchone() == (-1,), "it is not over yet"
    cursor.close()
    assert con.execute("SELECT query, aborted FROM stl_query WHERE query = pg_last_query_id()").fetchall() == [(1, 1)]


def test_a_query_that_fails_is_aborted(filled: Lake) -> None:
    (filled.root / "b/names/f.parquet").write_bytes(b"nothing")
    with pytest.raises(Error):
        filled.rows("SELECT who FROM names")
    assert filled.rows("SELECT aborted FROM stl_query") == [(1,)]
    assert filled.rows("SELECT aborted, s3query_returned_rows FROM svl_s3query_summary WHERE query = 1") == [(1, 0)]


def test_the_last_queries_are_kept() -> None:
    log = QueryLog(ManualClock())
    for _ in range(query_log.KEPT + 5):
        with log.watched("SELECT 1", "default", []):
            pass
    assert [query.number for query in log.queries()][:: query_log.KEPT - 1] == [6, query_log.KEPT + 5]


def test_partitions(filled: Lake) -> None:
    assert filled.rows('SELECT * FROM "logs$partitions" ORDER BY partition_number') == [(2023, "12"), (2024, "01"), (2024, "02")]
    assert filled.rows('SELECT MAX(month) FROM web."logs$partitions" WHERE year = 2024') == [("02",)]
    assert filled.rows(
        """SELECT COUNT(*) FROM logs WHERE month = (SELECT MAX(month) FROM "LOGS$partitions" WHERE year = 2024)"""
    ) == [(2,)]
    with pytest.raises(Error, match=r"no table names\$partitions in database web"):
        filled.rows('SELECT * FROM web."names$partitions"')


def test_partitions_of_a_projection_are_those_that_queries_look_at(lake: Lake) -> None:
    lake.run(
        """CREATE EXTERNAL TABLE t (a int) PARTITIONED BY (day string, n int) LOCATION 's3://b/t/' TBLPROPERTIES (
        'projection.enabled'='true', 'projection.day.type'='enum', 'projection.day.values'='mon,tue',
        'projection.n.type'='integer', 'projection.n.range'='1,2')"""
    )
    assert lake.rows('SELECT n, day, partition_number FROM "t$partitions" ORDER BY 3') == [
        (1, "mon", 1),
        (2, "mon", 2),
        (1, "tue", 3),
        (2, "tue", 4),
    ]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("INSERT INTO stl_query VALUES (1)", "system table"),
        ("DROP VIEW stl_query", "no view STL_QUERY"),
        ("CREATE STREAM stl_query (a INTEGER)", "there is a system table STL_QUERY already"),
        ("CREATE OR REPLACE VIEW svl_s3query AS SELECT 1 AS a", "there is a system table SVL_S3QUERY already"),
        ("CREATE OR REPLACE STREAM logs (a INTEGER)", "there is an external table LOGS already"),
        ("SELECT * FROM other.stl_query", "no"),
    ],
)
def test_they_cannot_be_changed(filled: Lake, statement: str, message: str) -> None:
    with pytest.raises(Error, match=message):
        filled.run(statement)


def test_views_over_them(filled: Lake) -> None:
    filled.run("CREATE VIEW slow AS SELECT query, elapsed FROM svl_s3query_summary WHERE query = pg_last_query_id()")
    filled.rows("SELECT * FROM logs")
    assert [query for query, _ in filled.rows("SELECT * FROM slow")] == [1]
