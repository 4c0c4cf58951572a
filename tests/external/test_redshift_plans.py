"""EXPLAIN in the form of Redshift: the names of its steps, and no number that is not known."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from streamsql.engine.result import Result
from streamsql.errors import Error
from tests.external.lake import Lake

DDL = """
CREATE EXTERNAL SCHEMA s FROM DATA CATALOG DATABASE 'rides' CREATE EXTERNAL DATABASE IF NOT EXISTS;
CREATE EXTERNAL TABLE s.nytaxirides (type varchar(8), passenger_count int, fare double precision)
PARTITIONED BY (year int, month int) STORED AS PARQUET LOCATION 's3://lake/NY-Pub';
CREATE EXTERNAL TABLE s.sales (eventid int, pricepaid decimal(8, 2)) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t'
LOCATION 's3://lake/tickit/sales' TABLE PROPERTIES ('numRows'='172000');
CREATE EXTERNAL TABLE s.event (eventid int, name varchar(20)) STORED AS PARQUET LOCATION 's3://lake/event';
MSCK REPAIR TABLE s.nytaxirides;
CREATE VIEW one AS SELECT 1 AS a;
"""

PLANS = (Path(__file__).parent / "redshift_plans.txt").read_text().split("====\n")
"""Queries, each with its plan behind `----`."""


@pytest.fixture
def rides(lake: Lake) -> Lake:
    for month in (1, 2, 3):
        lake.write(f"lake/NY-Pub/year=2016/month={month}/f.parquet", pa.table({"passenger_count": [1]}))
    lake.run(DDL)
    return lake


def lines(result: Result) -> list[str]:
    assert result.rows is not None
    batch = result.rows.take()
    assert batch is not None
    return [line for column in batch.columns for line in column.to_pylist()]


def explained(lake: Lake, statement: str) -> list[str]:
    return lines(lake.engine.execute_script(statement)[-1])


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.splitlines()[0])
def test_plans(plan: str, rides: Lake) -> None:
    query, _, expected = plan.partition("----\n")
    assert explained(rides, f"EXPLAIN {query}") == expected.splitlines()


def test_which_form(rides: Lake) -> None:
    by_schema, by_database = "SELECT name FROM s.event", "SELECT name FROM rides.event"
    redshift = explained(rides, f"EXPLAIN {by_schema}")
    assert redshift[0] == "XN S3 Query Scan event"
    assert explained(rides, f"EXPLAIN (FORMAT REDSHIFT) {by_database}") == redshift
    ours = explained(rides, f"EXPLAIN {by_database}")
    assert ours[0].startswith("Scan external rides.event")
    assert explained(rides, f"EXPLAIN (FORMAT TEXT) {by_schema}") == ours
    assert explained(rides, f"EXPLAIN (TYPE LOGICAL) {by_database}") == ours
    assert explained(rides, "EXPLAIN (SELECT a FROM one)") == explained(rides, "EXPLAIN SELECT a FROM one")
    assert (
        explained(rides, f"CREATE STREAM t (a INTEGER); EXPLAIN SELECT STREAM a FROM t JOIN ({by_schema}) e ON TRUE")[0]
        == "Project A"
    )


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("EXPLAIN (FORMAT JSON) SELECT 1", r"not supported yet: EXPLAIN \(FORMAT JSON\)"),
        ("EXPLAIN (COSTS off) SELECT 1", "EXPLAIN has no option COSTS"),
        ("CREATE STREAM t (a INTEGER); EXPLAIN (FORMAT REDSHIFT) SELECT STREAM a FROM t", "for queries over tables alone"),
    ],
)
def test_what_cannot_be_shown(lake: Lake, statement: str, message: str) -> None:
    with pytest.raises(Error, match=message):
        lake.run(statement)
