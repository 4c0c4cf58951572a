"""EXPLAIN ANALYZE: the plan with what was measured.  Times are replaced, and the bytes of Parquet: they are its writer's."""

from __future__ import annotations

import re
from collections.abc import Callable

import pyarrow as pa
import pytest

from streamsql.errors import Error
from tests.external.lake import Lake

Analyze = Callable[[str], list[str]]


@pytest.fixture
def analyze(lake: Lake) -> Analyze:
    for year in (2022, 2023, 2024):
        values = pa.table({"k": ["a", "b"] * 50, "v": pa.array(range(100), pa.int64())})
        lake.write(f"b/sales/y={year}/f.parquet", values, row_group_size=25)
    lake.text("b/names/f.csv", "a,Ann\nc,Cid\n")
    lake.json("b/logs/f.json", {"n": 1}, {"n": 2}, {"n": 3})
    lake.run(
        """CREATE EXTERNAL TABLE sales (k string, v bigint) PARTITIONED BY (y int) STORED AS PARQUET LOCATION 's3://b/sales/';
        MSCK REPAIR TABLE sales;
        CREATE EXTERNAL TABLE names (k string, name string) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://b/names/';
        CREATE EXTERNAL TABLE logs (n int) STORED AS JSON LOCATION 's3://b/logs/';"""
    )

    def analyzed(query: str) -> list[str]:
        (result,) = lake.engine.execute_script(f"EXPLAIN ANALYZE {query}")
        assert result.rows is not None
        text = "\n".join(result.rows.take()["PLAN"].to_pylist())
        text = re.sub(r"[\d.,]+ ms", "N ms", text)
        text = re.sub(r"[\d,]+ (bytes read; \d+ files?) of [\d,]+ bytes(?=.* row groups)", r"N \1 of N bytes", text)
        return text.splitlines()

    return analyzed


def test_partitions_and_row_groups(analyze: Analyze) -> None:
    assert analyze("SELECT k, COUNT(*) AS n FROM sales WHERE y >= 2023 AND v < 30 GROUP BY k ORDER BY n DESC LIMIT 1") == [
        "Limit 1 (1 row)",
        "  Project k, COUNT(*) AS N (1 row)",
        "    Sort by COUNT(*) DESC, the first 1, complete at the end (1 row)",
        "      Combine by k: COUNT(*), complete at the end (2 rows)",
        "        Scan external default.sales (k, v), PARQUET; partitions where y >= 2023; rows where v < 30; "
        "added up by k: COUNT(*) (4 rows)",
        "            100 rows scanned, N bytes read; "
        "2 files of N bytes; 2 of 3 partitions; 4 of 8 row groups, 4 passed over; N ms",
        "1 row in N ms",
    ]


def test_a_join_tells_what_is_read(analyze: Analyze) -> None:
    assert analyze("SELECT s.v FROM sales s JOIN (SELECT 2022 AS y UNION ALL SELECT 1999) t ON t.y = s.y WHERE s.v = 7") == [
        "Project v (1 row)",
        "  Lookup inner on Y = y (1 row)",
        "    Scan external default.sales (v, y), PARQUET; rows where v = 7; dynamic filters on y (1 row)",
        "        25 rows scanned, N bytes read; 1 file of N bytes; 1 of 3 partitions; 1 of 4 row groups, 3 passed over; N ms",
        "    Union (2 rows)",
        "      Project 2022 AS Y (1 row)",
        "        Values 1 row (1 row)",
        "      Project 1999 AS Y (1 row)",
        "        Values 1 row (1 row)",
        "1 row in N ms",
    ]


def test_text_is_read_whole(analyze: Analyze) -> None:
    assert analyze("SELECT name FROM names WHERE k = 'a'") == [
        "Project name (1 row)",
        "  Scan external default.names (k, name), TEXTFILE; rows where k = 'a' (1 row)",
        "      2 rows scanned, 12 bytes read; 1 file of 12 bytes; N ms",
        "1 row in N ms",
    ]
    assert analyze("SELECT n FROM logs LIMIT 2") == [
        "Limit 2 (2 rows)",
        "  Scan external default.logs (n), JSON; at most 2 rows (2 rows)",
        "      3 rows scanned, 27 bytes read; 1 file of 27 bytes; N ms",
        "2 rows in N ms",
    ]


def test_a_table_read_twice_is_counted_twice(analyze: Analyze) -> None:
    assert analyze("WITH t AS (SELECT n FROM logs) SELECT n FROM t WHERE n < 2 UNION ALL SELECT n FROM t WHERE n > 1") == [
        "Union (3 rows)",
        "  Scan external default.logs (n), JSON; rows where n < 2 (1 row)",
        "      3 rows scanned, 27 bytes read; 1 file of 27 bytes; N ms",
        "  Scan external default.logs (n), JSON; rows where n > 1 (2 rows)",
        "      3 rows scanned, 27 bytes read; 1 file of 27 bytes; N ms",
        "3 rows in N ms",
    ]


def test_without_rules(analyze: Analyze, lake: Lake) -> None:
    lake.engine.use_rules = False
    assert analyze("SELECT v FROM sales WHERE y = 2024 AND v < 10") == [
        "Project v (10 rows)",
        "  Filter v < 10",
        "    Scan external default.sales (k, v, y, $path, $size, $file_size, $file_modified_time, $partition), PARQUET; "
        "partitions where y = 2024 (100 rows)",
        "        100 rows scanned, N bytes read; 1 file of N bytes; 1 of 3 partitions; 4 of 4 row groups, 0 passed over; N ms",
        "10 rows in N ms",
    ]


def test_rows_of_other_tables(analyze: Analyze) -> None:
    assert analyze("SELECT a + 1 AS b FROM (VALUES (1), (2), (3)) AS t (a) WHERE a > 1") == [
        "Project A + 1 AS B (2 rows)",
        "  Filter A > 1",
        "    Values 3 rows (3 rows)",
        "2 rows in N ms",
    ]


def test_it_can_be_interrupted_before_the_first_row(analyze: Analyze, lake: Lake) -> None:
    lake.engine.interrupted = True
    with pytest.raises(Error, match="interrupted"):
        analyze("SELECT COUNT(*) FROM sales")
    assert [query.aborted for query in lake.engine.log.queries()] == [True]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("CREATE STREAM s (a INTEGER); EXPLAIN ANALYZE SELECT STREAM a FROM s", "reads a stream, which never ends"),
        ("CREATE STREAM s (a INTEGER); EXPLAIN ANALYZE INSERT INTO s VALUES (1)", "runs a query, and this is none"),
        ("EXPLAIN ANALYZE SELECT * FROM nothing", "no stream NOTHING"),
    ],
)
def test_what_cannot_be_run(lake: Lake, statement: str, message: str) -> None:
    with pytest.raises(Error, match=message):
        lake.run(statement)


@pytest.mark.parametrize("target", ["s", "names"])
def test_an_insert_can_be_interrupted_while_it_has_no_rows(analyze: Analyze, lake: Lake, target: str) -> None:
    lake.run("CREATE STREAM s (k VARCHAR(9), n VARCHAR(9))")
    statement = f"INSERT INTO {target} SELECT k, k FROM sales GROUP BY k HAVING COUNT(*) > 999"
    lake.engine.interrupted = True
    with pytest.raises(Error, match="interrupted"):
        lake.engine.execute_script(statement)
    lake.engine.interrupted = False
    assert lake.rows("SELECT COUNT(*) FROM names") == [(2,)]
