"""Queries over tables whose partitions are projected."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pytest

from streamsql.errors import OperationalError
from streamsql.time import ManualClock, from_datetime
from tests.external.lake import Lake


@pytest.fixture
def logs(lake: Lake) -> Lake:
    for day in ("2024/02/28", "2024/02/29", "2024/03/01"):
        for region in ("eu", "us"):
            lake.write(f"b/{region}/logs/{day}/a.parquet", pa.table({"n": [1, 2]}))
    lake.engine.clock = ManualClock(from_datetime(datetime(2024, 3, 1, 12)))
    lake.run("""
        CREATE EXTERNAL TABLE logs (n int) PARTITIONED BY (region string, day string, tenant string)
        STORED AS PARQUET LOCATION 's3://b/'
        TBLPROPERTIES ('projection.enabled'='true',
            'projection.region.type'='enum', 'projection.region.values'='eu,us,asia',
            'projection.day.type'='date', 'projection.day.format'='yyyy/MM/dd', 'projection.day.range'='2024/02/01,NOW',
            'projection.tenant.type'='injected',
            'storage.location.template'='s3://b/${region}/${tenant}/${day}/')
    """)
    return lake


def test_partitions_follow_from_the_properties(logs: Lake) -> None:
    where = "WHERE tenant = 'logs' AND day >= '2024/02/29' AND region <> 'us'"
    query = f"SELECT region, day, SUM(n) FROM logs {where} GROUP BY region, day"
    assert logs.rows(query) == [("eu", "2024/02/29", 3), ("eu", "2024/03/01", 3)] == logs.rows(query, rules=False)
    counts = logs.counts(f"SELECT n FROM logs {where}")
    assert (counts.partitions, counts.partitions_left, counts.files) == (90, 4, 2)


def test_values_out_of_range_and_missing_folders_give_no_rows(logs: Lake) -> None:
    assert logs.rows("SELECT n FROM logs WHERE tenant = 'logs' AND day = '2023/01/01'") == []
    assert logs.rows("SELECT n FROM logs WHERE tenant = 'logs' AND region = 'asia'") == []


def test_injected_columns(logs: Lake) -> None:
    assert logs.rows("SELECT COUNT(*) FROM logs WHERE tenant IN ('logs', 'none')") == [(12,)]
    message = "CONSTRAINT_VIOLATION: For the injected projected partition column tenant"
    for where in ("", "WHERE tenant > 'a'", "WHERE region = 'eu'", "WHERE tenant = region"):
        with pytest.raises(OperationalError, match=message):
            logs.rows(f"SELECT COUNT(*) FROM logs {where}")


def test_conditions_over_several_keys(logs: Lake) -> None:
    where = "tenant = 'logs' AND (region = 'eu' AND day = '2024/02/28' OR region = 'us' AND day > '2024/02/29')"
    assert logs.rows(f"SELECT DISTINCT region, day FROM logs WHERE {where}") == [("eu", "2024/02/28"), ("us", "2024/03/01")]


def test_registered_partitions_do_not_count(logs: Lake) -> None:
    logs.run(
        "ALTER TABLE logs ADD PARTITION (region='eu', day='2020/01/01', tenant='logs') LOCATION 's3://b/eu/logs/2024/02/28/'"
    )
    assert logs.rows("SELECT COUNT(*) FROM logs WHERE tenant = 'logs' AND day < '2024/01/01'") == [(0,)]


def test_too_many_partitions(lake: Lake) -> None:
    properties = ", ".join(f"'projection.{k}.type'='integer', 'projection.{k}.range'='0,9999'" for k in "abc")
    lake.run(f"""
        CREATE EXTERNAL TABLE t (n int) PARTITIONED BY (a int, b int, c int) STORED AS PARQUET LOCATION 's3://b/'
        TBLPROPERTIES ('projection.enabled'='true', {properties})
    """)
    with pytest.raises(OperationalError, match=r"the projection of default\.t leaves 1,000,000,000,000 partitions"):
        lake.rows("SELECT * FROM t")
    assert lake.rows("SELECT * FROM t WHERE a = 1 AND b = 2 AND c = 3") == []
