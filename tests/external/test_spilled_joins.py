"""Tables that memory does not hold are joined on disk."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.errors import OperationalError
from streamsql.external.scan import dynamic
from tests.external.lake import Lake
from tests.external.spilling import analyzed, check_left, full_disk, little, temporary
from tests.external.test_scan_properties import ordered

KEY = st.none() | st.integers(0, 9)
ROWS = st.lists(
    st.fixed_dictionaries({"k": KEY, "s": st.none() | st.sampled_from(["", "a", "b", "ä"]), "v": st.integers(0, 5)}), max_size=40
)
TYPES = pa.schema([("k", pa.int32()), ("s", pa.string()), ("v", pa.int32())])
CONDITIONS = ["t.k = u.k", "t.k = u.k AND t.s = u.s", "t.k = u.v AND t.v < u.v", "u.s = t.s AND t.v > 2", "t.k + 1 = u.k"]
CONDITIONS += ["t.k = u.k AND u.v > 1", "t.v = u.k AND (t.s = 'a' OR u.s = 'b')"]
QUERIES = (
    *(f"SELECT t.k, t.s, t.v, u.k, u.s, u.v FROM t {kind} JOIN u ON {{0}}" for kind in ("INNER", "LEFT", "RIGHT", "FULL")),
    "SELECT * FROM t WHERE k IN (SELECT k FROM u WHERE v > 1)",
    "SELECT * FROM t WHERE k NOT IN (SELECT k FROM u WHERE k IS NOT NULL)",
    "SELECT * FROM t WHERE EXISTS (SELECT 1 FROM u WHERE {0})",
    "SELECT * FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE {0})",
    "SELECT k, v, (SELECT SUM(u.v) FROM u WHERE u.k = t.k) FROM t",
    "SELECT a.v, u.s, t.v FROM t AS a LEFT JOIN u ON a.k = u.k LEFT JOIN t ON t.v = u.v",
    "SELECT t.s, COUNT(*), SUM(u.v) FROM t JOIN u ON {0} GROUP BY t.s ORDER BY 1",
)


def lake_of(folder: Path, group: int = 50, **tables: pa.Table) -> Lake:
    lake = Lake(folder)
    for name, table in tables.items():
        lake.write(f"b/{name}/0.parquet", table, row_group_size=group)
        lake.run(f"CREATE EXTERNAL TABLE {name} (k int, s string, v int) STORED AS PARQUET LOCATION 's3://b/{name}/'")
    return lake


@settings(max_examples=15, deadline=None)
@given(ROWS, ROWS, st.integers(1, 9), st.sampled_from([0, 1500]), st.sampled_from(QUERIES), st.sampled_from(CONDITIONS))
def test_as_in_memory(
    rows: list[dict[str, Any]], others: list[dict[str, Any]], group: int, memory: int, query: str, condition: str
) -> None:
    folder = Path(tempfile.mkdtemp())
    t, u = (pa.Table.from_pylist(each, TYPES) for each in (rows, others))
    query = query.format(condition)
    try:
        lake = lake_of(folder, group, t=t, u=u)
        with little(memory, 100, group):
            found = ordered(lake.rows(query))
            assert found == ordered(lake.rows(query, rules=False))
        assert found == ordered(lake.rows(query))
        with duckdb.connect() as other:
            other.register("t", t)
            other.register("u", u)
            assert found == ordered(other.execute(query).fetchall())
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def temporaries(tmp_path: Path) -> Iterator[Path]:
    with temporary(tmp_path / "temporary"), little(4000, 1000):
        yield tmp_path / "temporary"


def numbered(count: int, step: int = 1) -> pa.Table:
    return pa.table(
        {"k": [n * step for n in range(count)], "s": [f"text {n}" for n in range(count)], "v": [n % 7 for n in range(count)]}
    )


def test_it_is_said(tmp_path: Path, temporaries: Path) -> None:
    lake = lake_of(tmp_path / "lake", t=numbered(900), u=numbered(600, 3))
    said = analyzed(lake, "SELECT t.s, u.s FROM t JOIN u ON t.k = u.k")
    assert re.search(r"Lookup inner on T.k = U.k \(300 rows\)\n +[1-9][\d,]+ bytes were put on disk", said)
    assert re.search(
        r"Mark .*\n +[1-9][\d,]+ bytes were put on disk", analyzed(lake, "SELECT s FROM t WHERE k IN (SELECT k FROM u)")
    )
    with little(1 << 30, 1 << 20):
        assert "on disk" not in analyzed(lake, "SELECT t.s, u.s FROM t JOIN u ON t.k = u.k")


def test_one_key_is_joined_in_memory(tmp_path: Path, temporaries: Path) -> None:
    """However often its rows are parted, they stay together."""
    same = pa.table({"k": [1] * 300, "s": ["a text"] * 300, "v": list(range(300))})
    lake = lake_of(tmp_path / "lake", t=same, u=same)
    assert lake.rows("SELECT COUNT(*), SUM(t.v) FROM t JOIN u ON t.k = u.k") == [(90_000, 300 * 44_850)]


def test_a_query_that_is_left(tmp_path: Path, temporaries: Path) -> None:
    lake = lake_of(tmp_path / "lake", t=numbered(900), u=numbered(600, 3))
    check_left(lake, "SELECT t.s, u.s FROM t LEFT JOIN u ON t.k = u.k", 900, temporaries)


def test_a_full_disk_is_said(tmp_path: Path, temporaries: Path) -> None:
    lake = lake_of(tmp_path / "lake", t=numbered(900), u=numbered(600, 3))
    with full_disk(), pytest.raises(OperationalError, match=r"rows that memory does not hold .* No space left on device"):
        lake.rows("SELECT t.s, u.s FROM t JOIN u ON t.k = u.k")


def test_rows_that_fail_are_lost_once(tmp_path: Path, temporaries: Path) -> None:
    """Whether it is the key of a row, that of the table, or a pair."""
    query = "SELECT t.s, u.s FROM t FULL JOIN u ON 100 / (t.v - 3) = 100 / (u.v - 5) AND 10 / (t.k - 7) < u.k"
    lake = lake_of(tmp_path / "lake", t=numbered(200), u=numbered(150))
    found, lost = ordered(lake.rows(query)), lake.lost
    lake.lost = []
    with little(1 << 30, 1 << 20):
        assert found == ordered(lake.rows(query))
    assert len(lost) > 50
    assert sorted(row["DATA_ROW"] for row in lost) == sorted(row["DATA_ROW"] for row in lake.lost)


@pytest.mark.parametrize("most", [10_000, 10])
def test_partitions_are_left_out_by_keys_on_disk(
    tmp_path: Path, temporaries: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Scans are told the keys before the parts are joined; of many the least and the greatest."""
    monkeypatch.setattr(dynamic, "MOST", most)
    lake = lake_of(tmp_path / "lake", u=pa.table({"k": [20 + n % 40 for n in range(600)], "s": ["x"] * 600, "v": [0] * 600}))
    for k in range(0, 100, 5):
        lake.write(f"b/p/k={k}/0.parquet", pa.table({"n": [k, k + 1]}))
    lake.run("CREATE EXTERNAL TABLE p (n int) PARTITIONED BY (k int) STORED AS PARQUET LOCATION 's3://b/p/'; MSCK REPAIR TABLE p")
    query = "SELECT COUNT(*), MIN(n), MAX(n) FROM p JOIN u ON u.k = p.k"
    assert lake.rows(query) == [(8 * 2 * 15, 20, 56)]
    assert lake.read(query)["p"].partitions_read == 8
