"""Looking for three of 100,000 partitions: a whole query, where partitions are projected and where they are registered."""

from __future__ import annotations

import tempfile
from pathlib import Path

import streamsql
from bench.measure import Measurement, cpu_seconds

DAYS = [f"{year}-{month:02}-{day:02}" for year in range(2009, 2021) for month in range(1, 13) for day in range(1, 30)]
HOURS = 24
COLUMNS = "CREATE EXTERNAL TABLE {} (n int) PARTITIONED BY (day string, hour int) STORED AS PARQUET LOCATION 's3://b/t/'"
PROJECTED = """ TBLPROPERTIES ('projection.enabled'='true',
    'projection.day.type'='date', 'projection.day.format'='yyyy-MM-dd', 'projection.day.range'='2009-01-01,2020-06-01',
    'projection.hour.type'='integer', 'projection.hour.range'='0,23',
    'storage.location.template'='s3://b/t/day=${day}/hour=${hour}/')"""
QUERY = "SELECT COUNT(*) FROM {} WHERE day = '2019-02-03' AND hour < 3"


def measurements() -> list[Measurement]:
    """CPU milliseconds of parsing, planning and running the query."""
    found: list[Measurement] = []
    with tempfile.TemporaryDirectory() as folder, streamsql.connect(s3_root=folder) as connection:
        connection.execute(COLUMNS.format("projected") + PROJECTED)
        found.append(_measured(connection, "projected"))
        connection.execute(COLUMNS.format("registered"))
        for day in DAYS:
            for hour in range(HOURS):
                (Path(folder) / "b" / "t" / f"day={day}" / f"hour={hour}").mkdir(parents=True)
        connection.execute("MSCK REPAIR TABLE registered")
        found.append(_measured(connection, "registered"))
    return found


def _measured(connection: streamsql.Connection, table: str) -> Measurement:
    query = QUERY.format(table)
    count = len(connection.execute(f'SELECT * FROM "{table}$partitions"').fetchall())
    seconds = cpu_seconds(lambda: connection.execute(query).fetchall())
    return Measurement(f"3 of {count:,} partitions, {table}", "CPU ms", seconds * 1000, less=True)
