"""Groups that memory does not hold are put on disk, and come back."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.errors import OperationalError
from streamsql.run import groups
from tests.external.lake import Lake
from tests.external.test_scan_properties import ordered

CALLS = "COUNT(*), SUM(n), AVG(d), MIN(s), MAX(s), MIN(n), SUM(d)"
KEYS = st.none() | st.floats(0, 4).map(round).map(float) | st.sampled_from([float("nan"), -0.0, 0.0])


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Memory for a few groups; gives the folder for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(groups, "MEMORY", 2000)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert not list(folder.iterdir())  # all of it is gone


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


def analyzed(lake: Lake, query: str) -> str:
    (result,) = lake.engine.execute_script(f"EXPLAIN ANALYZE {query}")
    assert result.rows is not None
    return "\n".join(result.rows.take()["PLAN"].to_pylist())


QUERIES = (
    f"SELECT k, {CALLS} FROM t GROUP BY k",
    f"SELECT k, s, {CALLS} FROM t GROUP BY k, s HAVING COUNT(*) > 0",
    f"SELECT name, {CALLS.replace('SUM(n)', 'SUM(n + 0)')} FROM t JOIN u ON u.k = t.k GROUP BY name",
    "SELECT DISTINCT q.s FROM (SELECT s FROM t GROUP BY s, k) q",
)


@pytest.mark.parametrize("query", QUERIES)
def test_as_in_memory(tmp_path: Path, query: str, monkeypatch: pytest.MonkeyPatch, little: Path) -> None:
    lake = lake_of(tmp_path / "lake", 2000)
    found = ordered(lake.rows(query))
    assert re.search(r"[1-9][\d,]+ bytes of groups were put on disk", analyzed(lake, query))
    monkeypatch.setattr(groups, "MEMORY", 1 << 30)
    assert found == ordered(lake.rows(query))
    assert "on disk" not in analyzed(lake, query)


def test_one_group_stays(tmp_path: Path, little: Path) -> None:
    lake = lake_of(tmp_path / "lake", 2000)
    assert lake.rows("SELECT COUNT(*), MAX(s) FROM t") == [(2000, "text 96")]


def test_a_query_that_is_left(tmp_path: Path, little: Path) -> None:
    lake = lake_of(tmp_path / "lake", 2000)
    assert len(lake.rows("SELECT k, SUM(n) FROM t GROUP BY k LIMIT 3")) == 3


def test_a_full_disk_is_said(tmp_path: Path, little: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def write_batch(self, batch: pa.RecordBatch) -> None:
            raise OSError(28, "No space left on device")

        def close(self) -> None:
            pass

    monkeypatch.setattr(pa.ipc, "new_stream", lambda *_: Full())
    lake = lake_of(tmp_path / "lake", 2000)
    with pytest.raises(OperationalError, match="No space left on device"):
        lake.rows("SELECT k, SUM(n) FROM t GROUP BY k")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(KEYS, st.none() | st.sampled_from(["a", "b", ""])), max_size=40), st.integers(0, 3))
def test_equal_keys_meet_again(rows: list[tuple[float | None, str | None]], level: int) -> None:
    numbers = pa.array([n for n, _ in rows], pa.float64())
    texts = pa.array([text for _, text in rows], pa.string())
    hashes = groups._hashes([numbers, texts], level)
    by_key: dict[str, set[int]] = {}
    for (number, text), found in zip(rows, hashes.tolist(), strict=True):
        by_key.setdefault(repr((None if number is None else number + 0.0, text)), set()).add(found)
    assert all(len(found) == 1 for found in by_key.values())
