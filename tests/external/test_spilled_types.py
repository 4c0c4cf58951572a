"""Values of all types go to disk and come back, as keys and beside them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from tests.external.lake import Lake
from tests.external.spilling import analyzed, little

ROWS = range(400)
DECLARED = "k int, m map<string,bigint>, l array<bigint>, r struct<x:bigint,y:string>, w decimal(30,2), e date, ts timestamp"
QUERIES = (
    "SELECT * FROM t ORDER BY w DESC, e, ts, b, f, k",
    "SELECT * FROM t ORDER BY f NULLS FIRST, b DESC, v",
    "SELECT t.*, u.* FROM t FULL JOIN t AS u ON t.w = u.w AND t.e = u.e",
    "SELECT t.*, u.* FROM t LEFT JOIN t AS u ON t.f = u.f AND t.b = u.b AND t.k = u.k",
    "SELECT t.*, u.* FROM t JOIN t AS u ON t.v = u.v AND t.ts = u.ts",
    "SELECT *, COUNT(*) OVER (PARTITION BY w), MAX(e) OVER (PARTITION BY w ORDER BY ts) FROM t",
    "SELECT *, COUNT(*) OVER (PARTITION BY f, b) FROM t",
    "SELECT DISTINCT w, e, f, b, v, ts FROM t",
    "SELECT w, e, f, b, v, ts FROM t EXCEPT ALL SELECT w, e, f, b, v, ts FROM t WHERE k < 20",
    "SELECT f, b, ARRAY_AGG(m), ARRAY_AGG(l), ARRAY_AGG(r), MAX_BY(m, k), SUM(w), FIRST_VALUE(r) FROM t GROUP BY f, b",
    "SELECT w, v, e, ts, COUNT(*), MAX(v), COUNT(DISTINCT w), ARRAY_AGG(w ORDER BY f DESC) FROM t GROUP BY w, v, e, ts",
    "SELECT r.y, k, MAP_AGG(k, e), ARRAY_AGG(DISTINCT e), APPROX_PERCENTILE(k, 0.5), EVERY(b) FROM t GROUP BY r.y, k",
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake(tmp_path_factory.mktemp("lake"))
    columns = {
        "k": pa.array([n % 50 if n % 7 else None for n in ROWS], pa.int32()),
        "m": pa.array([[("a", n), ("b", n * 2)] if n % 3 else None for n in ROWS], pa.map_(pa.string(), pa.int64())),
        "l": pa.array([[n, None] if n % 5 else [] for n in ROWS], pa.list_(pa.int64())),
        "r": pa.array([{"x": n, "y": "t"} if n % 4 else None for n in ROWS]),
        "w": pa.array([Decimal(n) * 10**20 if n % 6 else None for n in ROWS], pa.decimal128(30, 2)),
        "e": pa.array([date(2024, 1, 1 + n % 28) for n in ROWS]),
        "ts": pa.array([datetime(2024, 1, 1 + n % 28) for n in ROWS], pa.timestamp("ms")),
        "b": pa.array([None if n % 3 == 0 else n % 2 == 0 for n in ROWS]),
        "f": pa.array([float("nan") if n % 9 == 0 else -0.0 if n % 8 == 0 else n % 8 / 4 for n in ROWS], pa.float32()),
        "v": pa.array([bytes([n % 256]) for n in ROWS]),
    }
    lake.write("b/t/0.parquet", pa.table(columns))
    lake.run(f"CREATE EXTERNAL TABLE t ({DECLARED}, b boolean, f float, v binary) STORED AS PARQUET LOCATION 's3://b/t/'")
    return lake


@pytest.mark.parametrize("query", QUERIES)
def test_as_in_memory(lake: Lake, query: str) -> None:
    with little(20_000, 2000, 40):
        found = [repr(row) for row in lake.rows(query)]
        assert "bytes were put on disk" in analyzed(lake, query)
    expected = [repr(row) for row in lake.rows(query)]
    if query.startswith("SELECT * FROM t ORDER BY"):
        assert found == expected
    assert sorted(found) == sorted(expected)
