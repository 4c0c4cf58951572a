"""Rows that windows are computed over, distinct ones and those of set operations, where memory does not hold them."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.external.spilling import analyzed, files_in, little, temporary
from tests.external.test_spilled_joins import ROWS, TYPES, lake_of, numbered

QUERIES = (
    "SELECT k, v, RANK() OVER (PARTITION BY k ORDER BY v), SUM(v) OVER (PARTITION BY k) FROM t",
    "SELECT k, s, v, COUNT(*) OVER (PARTITION BY s, k), MAX(v) OVER (PARTITION BY k ORDER BY v RANGE UNBOUNDED PRECEDING) FROM t",
    "SELECT s, v, DENSE_RANK() OVER (PARTITION BY s ORDER BY v DESC), COUNT(k) OVER (PARTITION BY v) FROM t",
    "SELECT s, v, SUM(k) OVER (ORDER BY v) FROM t",
    "SELECT k, v, SUM(v) OVER (PARTITION BY k ORDER BY v ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) FROM t",
    "SELECT s, v, COUNT(v) OVER (PARTITION BY s ORDER BY v ROWS 2 PRECEDING), MIN(v) OVER (PARTITION BY s ORDER BY v) FROM t",
    "SELECT DISTINCT k, s FROM t",
    "SELECT DISTINCT s FROM t",
    "SELECT k, s FROM t UNION SELECT v, s FROM t WHERE k > 2",
    "SELECT DISTINCT k + v, s FROM t WHERE v < 4",
    "SELECT k, s FROM t INTERSECT ALL SELECT v, s FROM t",
    "SELECT k, s FROM t EXCEPT SELECT v, s FROM t WHERE v > 1",
    "SELECT v, s FROM t EXCEPT ALL SELECT k, s FROM t",
)


@settings(max_examples=15, deadline=None)
@given(ROWS, st.integers(1, 9), st.sampled_from([0, 1500]), st.sampled_from(QUERIES))
def test_as_in_memory(rows: list[dict[str, Any]], group: int, memory: int, query: str) -> None:
    folder = Path(tempfile.mkdtemp())
    t = pa.Table.from_pylist(rows, TYPES)
    try:
        lake = lake_of(folder, group, t=t)
        with little(memory, 100, group):
            found = sorted(lake.rows(query), key=repr)
            assert found == sorted(lake.rows(query, rules=False), key=repr)
        assert found == sorted(lake.rows(query), key=repr)
        with duckdb.connect() as other:
            other.register("t", t)
            assert found == sorted(other.execute(query).fetchall(), key=repr)
    finally:
        shutil.rmtree(folder)


@settings(max_examples=15, deadline=None)
@given(ROWS, st.integers(1, 9))
def test_equal_rows_stay_in_their_order(rows: list[dict[str, Any]], group: int) -> None:
    folder = Path(tempfile.mkdtemp())
    query = "SELECT k, v, s, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v), LAG(s) OVER (PARTITION BY k ORDER BY v) FROM t"
    try:
        lake = lake_of(folder, group, t=pa.Table.from_pylist(rows, TYPES))
        with little(0, 100, group):
            found = sorted(lake.rows(query), key=repr)
        assert found == sorted(lake.rows(query), key=repr)
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("query", "node"),
    [
        ("SELECT s, COUNT(*) OVER (PARTITION BY k), MAX(v) OVER (PARTITION BY v, k) FROM t", "Over"),
        ("SELECT DISTINCT s, 10 / (v + 1) FROM t", "Distinct"),
    ],
)
def test_it_is_said(tmp_path: Path, query: str, node: str) -> None:
    lake = lake_of(tmp_path / "lake", t=numbered(3000))
    with temporary(tmp_path / "temporary"), little(40_000, 1000):
        assert re.search(rf"{node}.*\n +[1-9][\d,]+ bytes were put on disk", analyzed(lake, query))
        (result,) = lake.engine.execute_script(query)
        rows = result.rows
        assert rows is not None
        while not files_in(tmp_path / "temporary"):
            assert rows.take() is not None
        rows.close()
    assert "on disk" not in analyzed(lake, query)


def test_windows_without_a_partition_in_common_stay_in_memory(tmp_path: Path) -> None:
    lake = lake_of(tmp_path / "lake", t=numbered(3000))
    with little(40_000, 1000):
        assert "on disk" not in analyzed(lake, "SELECT COUNT(*) OVER (PARTITION BY k), SUM(v) OVER (PARTITION BY s) FROM t")


def test_rows_that_fail_are_lost_once(tmp_path: Path) -> None:
    lake = lake_of(tmp_path / "lake", t=numbered(700))
    query = "SELECT k, COUNT(*) OVER (PARTITION BY 10 / (v - 3) ORDER BY 10 / (v - 5)) FROM t"
    with little(4000, 1000):
        found = sorted(lake.rows(query))
    assert len(found) == 500
    assert len(lake.lost) == 200
    assert found == sorted(lake.rows(query))
    assert len(lake.lost) == 400
