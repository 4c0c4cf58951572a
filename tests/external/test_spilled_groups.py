"""Groups that memory does not hold are put on disk, and come back."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.errors import OperationalError
from streamsql.run.operators import spill
from tests.external.lake import Lake
from tests.external.spilling import analyzed, files_in, full_disk, little, temporary
from tests.external.test_scan_properties import ordered

CALLS = "COUNT(*), SUM(n), AVG(d), MIN(s), MAX(s), MIN(n), SUM(d)"
KEYS = st.none() | st.floats(0, 4).map(round).map(float) | st.sampled_from([float("nan"), -0.0, 0.0])


@pytest.fixture
def temporaries(tmp_path: Path) -> Iterator[Path]:
    """Memory for a few groups; gives the folder for temporary files."""
    with temporary(tmp_path / "temporary"), little(20_000, 4000, 100):
        yield tmp_path / "temporary"


def lake_of(folder: Path, rows: int) -> Lake:
    lake = Lake(folder)
    for part in range(3):
        numbers = range(part, rows, 3)
        columns = {"n": [n * 7 for n in numbers], "s": [f"text {n % 97}" for n in numbers], "d": [n / 4 for n in numbers]}
        lake.write(f"b/t/{part}.parquet", pa.table({**columns, "k": [n % 501 for n in numbers]}), row_group_size=100)
    lake.write("b/u/a.parquet", pa.table({"k": list(range(501)), "name": [f"name {k}" for k in range(501)]}))
    lake.run("CREATE EXTERNAL TABLE t (n bigint, s string, d double, k int) STORED AS PARQUET LOCATION 's3://b/t/'")
    lake.run("CREATE EXTERNAL TABLE u (k int, name string) STORED AS PARQUET LOCATION 's3://b/u/'")
    return lake


QUERIES = (
    f"SELECT k, {CALLS} FROM t GROUP BY k",
    f"SELECT k, s, {CALLS} FROM t GROUP BY k, s HAVING COUNT(*) > 0",
    f"SELECT name, {CALLS.replace('SUM(n)', 'SUM(n + 0)')} FROM t JOIN u ON u.k = t.k GROUP BY name",
    "SELECT DISTINCT q.s FROM (SELECT s FROM t GROUP BY s, k) q",
    "SELECT k, COUNT(DISTINCT s), SUM(DISTINCT n), STDDEV(d), VAR_POP(n) FROM t GROUP BY k",
    "SELECT s, ARRAY_JOIN(ARRAY_AGG(n), ','), LISTAGG(s, ',') WITHIN GROUP (ORDER BY n DESC), MEDIAN(d) FROM t GROUP BY s",
    "SELECT k, FIRST_VALUE(n), LAST_VALUE(s), MAX_BY(s, n), COUNT_IF(n > 300), CORR(n, d) FROM t GROUP BY k",
    "SELECT s, k, COUNT(DISTINCT n) FROM t GROUP BY GROUPING SETS ((s), (k), (s, k), ())",
)


@pytest.mark.parametrize("query", QUERIES)
def test_as_in_memory(tmp_path: Path, query: str, temporaries: Path) -> None:
    lake = lake_of(tmp_path / "lake", 900)
    found = ordered(lake.rows(query))
    assert re.search(r"[1-9][\d,]+ bytes were put on disk", analyzed(lake, query))
    with little(1 << 30, 1 << 20):
        assert found == ordered(lake.rows(query))
        assert "on disk" not in analyzed(lake, query)


def test_one_group_stays(tmp_path: Path, temporaries: Path) -> None:
    lake = lake_of(tmp_path / "lake", 900)
    assert lake.rows("SELECT COUNT(*), MAX(s) FROM t") == [(900, "text 96")]
    assert lake.rows("SELECT COUNT(DISTINCT n), MAX(s) FROM t") == [(900, "text 96")]


def test_groups_that_fail_are_lost_alone(tmp_path: Path, temporaries: Path) -> None:
    lake = Lake(tmp_path / "lake")
    numbers = range(600)
    lake.write("b/t/0.parquet", pa.table({"k": [n % 200 for n in numbers], "n": [2**62 if n % 200 < 3 else n for n in numbers]}))
    lake.run("CREATE EXTERNAL TABLE t (k int, n bigint) STORED AS PARQUET LOCATION 's3://b/t/'")
    assert len(lake.rows("SELECT k, SUM(n), COUNT(DISTINCT n) FROM t GROUP BY k")) == 197
    assert len(lake.lost) == 3


def test_a_query_that_is_left(tmp_path: Path, temporaries: Path) -> None:
    lake = lake_of(tmp_path / "lake", 900)
    assert len(lake.rows("SELECT k, SUM(n) FROM t GROUP BY k LIMIT 3")) == 3
    for query in QUERIES:
        (result,) = lake.engine.execute_script(query)
        rows = result.rows
        assert rows is not None
        assert rows.take() is not None
        assert files_in(temporaries)
        rows.close()
        assert not files_in(temporaries)


def test_a_full_disk_is_said(tmp_path: Path, temporaries: Path) -> None:
    lake = lake_of(tmp_path / "lake", 900)
    for query in QUERIES:
        (result,) = lake.engine.execute_script(query)
        assert result.rows is not None
        expected = f"cannot be kept in a temporary file in '{temporaries}': No space left"
        with full_disk(), pytest.raises(OperationalError, match=expected) as raised:
            result.rows.take()
        assert raised.value.hint == "TMPDIR=DIR names another place"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(KEYS, st.none() | st.sampled_from(["a", "b", ""])), max_size=40), st.integers(0, 3))
def test_equal_keys_meet_again(rows: list[tuple[float | None, str | None]], level: int) -> None:
    numbers = pa.array([n for n, _ in rows], pa.float64())
    texts = pa.array([text for _, text in rows], pa.string())
    parts = spill.part_of([numbers, texts], level)
    by_key: dict[str, set[int]] = {}
    for (number, text), found in zip(rows, parts.tolist(), strict=True):
        by_key.setdefault(repr((None if number is None else number + 0.0, text)), set()).add(found)
    assert all(len(found) == 1 for found in by_key.values())


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.tuples(st.none() | st.integers(0, 30), st.sampled_from("abcd"), st.floats(-1e9, 1e9)), max_size=60),
    st.integers(1, 9),
    st.sampled_from([500, 4000]),
    st.sampled_from(["k", "s", "k, s"]),
)
def test_the_order_of_rows_is_kept(rows: list[tuple[int | None, str, float]], group: int, memory: int, keys: str) -> None:
    """Sums of DOUBLEs in the order of the rows are the same to the last digit, lists are, and so is what came first."""
    folder = Path(tempfile.mkdtemp())
    try:
        lake = Lake(folder)
        columns = [pa.array([row[i] for row in rows], type) for i, type in enumerate([pa.int32(), pa.string(), pa.float64()])]
        lake.write("b/t/0.parquet", pa.table(columns, names=["k", "s", "d"]), row_group_size=group)
        lake.run("CREATE EXTERNAL TABLE t (k int, s string, d double) STORED AS PARQUET LOCATION 's3://b/t/'")
        calls = "SUM(d), STDDEV_SAMP(d), COUNT(DISTINCT d), SUM(DISTINCT d), ARRAY_AGG(d), FIRST_VALUE(s), LAST_VALUE(d)"
        query = f"SELECT {keys}, {calls}, ARRAY_AGG(DISTINCT s), ARRAY_AGG(d ORDER BY s DESC) FROM t GROUP BY {keys}"
        assert _ordered(lake, query, memory, 0, group) == _ordered(lake, query, 1 << 30, 1 << 20, 1000)
    finally:
        shutil.rmtree(folder)


def _ordered(lake: Lake, query: str, memory: int, block: int, rows: int) -> Sequence[str]:
    with little(memory, block, rows):
        return sorted(map(repr, lake.rows(query)))
