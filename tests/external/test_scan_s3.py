"""External tables on S3: what is listed, read and pruned against a server of S3's API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import streamsql

if TYPE_CHECKING:
    from s3_server import Bucket


def parquet(table: pa.Table, **settings: Any) -> bytes:
    """A Parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, **settings)
    return sink.getvalue().to_pybytes()


def numbers(start: int, stop: int) -> pa.Table:
    ids = range(start, stop)
    return pa.table({"id": pa.array(ids, pa.int32()), "name": [f"n{i % 10}" for i in ids], "price": [i / 2 for i in ids]})


@pytest.fixture
def con() -> streamsql.Connection:
    return streamsql.connect()


def test_partitions_under_hive_prefixes(bucket: Bucket, con: streamsql.Connection) -> None:
    for i, (year, month) in enumerate([("2023", "1"), ("2023", "12"), ("2024", "1"), ("2024", "2")]):
        bucket.put(f"t/year={year}/month={month}/a.parquet", parquet(numbers(100 * i, 100 * i + 100)))
    con.executescript(f"""
        CREATE EXTERNAL TABLE t (id int, name string, price double) PARTITIONED BY (year string, month int)
        STORED AS PARQUET LOCATION '{bucket.uri("t/")}';
        MSCK REPAIR TABLE t;
    """)
    assert con.execute("SELECT year, month, COUNT(*), MAX(id) FROM t GROUP BY year, month ORDER BY 1, 2").fetchall() == [
        ("2023", 1, 100, 99),
        ("2023", 12, 100, 199),
        ("2024", 1, 100, 299),
        ("2024", 2, 100, 399),
    ]
    found = con.execute("""SELECT DISTINCT "$path" FROM t WHERE year = '2024' AND month = 2""").fetchall()
    assert found == [(bucket.uri("t/year=2024/month=2/a.parquet"),)]
