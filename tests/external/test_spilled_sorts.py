"""Rows that memory does not hold are sorted on disk."""

from __future__ import annotations

import math
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
from tests.external.lake import Lake
from tests.external.spilling import analyzed, check_left, files_in, full_disk, little, temporary

TYPES = {"i": ("int", pa.int32()), "d": ("double", pa.float64()), "s": ("string", pa.string()), "n": ("int", pa.int32())}
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "i": st.none() | st.integers(-2, 2),
            "d": st.none() | st.sampled_from([-1.5, -0.0, 0.0, 2.0, math.nan, math.inf]),
            "s": st.none() | st.sampled_from(["", "a", "B", "b", "ä", "a long text that takes some room"]),
        }
    ),
    max_size=60,
)
KEYS = st.lists(
    st.tuples(st.sampled_from("ids"), st.sampled_from(["", " DESC"]), st.sampled_from([" NULLS FIRST", " NULLS LAST"])),
    min_size=1,
    max_size=3,
    unique_by=lambda key: key[0],
)


def lake_of(folder: Path, rows: pa.Table, group: int) -> Lake:
    lake = Lake(folder)
    lake.write("b/t/0.parquet", rows, row_group_size=group)
    columns = ", ".join(f"{name} {type_}" for name, (type_, _) in TYPES.items())
    lake.run(f"CREATE EXTERNAL TABLE t ({columns}) STORED AS PARQUET LOCATION 's3://b/t/'")
    return lake


def table_of(rows: list[dict[str, Any]]) -> pa.Table:
    numbered = [{**row, "n": n} for n, row in enumerate(rows)]
    return pa.Table.from_pylist(numbered, pa.schema([(name, type_) for name, (_, type_) in TYPES.items()]))


def same(rows: list[tuple[Any, ...]]) -> str:
    """Rows as text: NaN is NaN, and zero has a sign."""
    return repr(rows)


@settings(max_examples=15, deadline=None)
@given(ROWS, KEYS, st.integers(1, 9), st.sampled_from([(0, 0), (400, 100), (2000, 300)]), st.sampled_from([2, 64]), st.data())
def test_as_in_memory(
    rows: list[dict[str, Any]],
    keys: list[tuple[str, str, str]],
    group: int,
    sizes: tuple[int, int],
    at_once: int,
    data: st.DataObject,
) -> None:
    """Row by row: equal rows stay in their order."""
    folder = Path(tempfile.mkdtemp())
    table = table_of(rows)
    order = ", ".join(map("".join, keys))
    limit = data.draw(st.sampled_from(["", " LIMIT 7", " LIMIT 5 OFFSET 3", " LIMIT 0"]))
    query = f"SELECT i, d, s, n FROM t ORDER BY {order}{limit}"
    try:
        lake = lake_of(folder, table, group)
        with little(*sizes, group, at_once):
            found = lake.rows(query)
        assert same(found) == same(lake.rows(query))
        with duckdb.connect() as other:
            other.register("t", table)
            assert same(found) == same(other.execute(query.replace(order, f"{order}, n")).fetchall())
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def temporaries(tmp_path: Path) -> Iterator[Path]:
    with temporary(tmp_path / "temporary"), little(10_000, 1000):
        yield tmp_path / "temporary"


QUERY = "SELECT n, s FROM t ORDER BY i DESC, s"


def some(count: int) -> pa.Table:
    return table_of([{"i": n * 7919 % 101, "d": n / 4, "s": f"text {n % 13}"} for n in range(count)])


def test_it_is_said(tmp_path: Path, temporaries: Path) -> None:
    lake = lake_of(tmp_path / "lake", some(3000), 100)
    said = r"Sort by i DESC, s, complete at the end \(3,000 rows\)\n +[1-9][\d,]+ bytes were put on disk"
    assert re.search(said, analyzed(lake, QUERY))
    assert "on disk" not in analyzed(lake, f"{QUERY} LIMIT 10")
    with little(1 << 30, 1 << 20):
        assert "on disk" not in analyzed(lake, QUERY)


def test_rows_come_as_they_are_merged(tmp_path: Path, temporaries: Path) -> None:
    lake = lake_of(tmp_path / "lake", some(3000), 100)
    check_left(lake, QUERY, 300, temporaries)


def test_a_query_that_is_interrupted(tmp_path: Path, temporaries: Path) -> None:
    lake = lake_of(tmp_path / "lake", some(3000), 100)
    (result,) = lake.engine.execute_script(QUERY)
    rows = result.rows
    assert rows is not None

    def interrupt() -> None:
        if files_in(temporaries):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(rows.batches(interrupt))
    rows.close()
    assert not files_in(temporaries)


def test_a_full_disk_is_said(tmp_path: Path, temporaries: Path) -> None:
    lake = lake_of(tmp_path / "lake", some(3000), 100)
    with full_disk(), pytest.raises(OperationalError, match=r"rows that memory does not hold .* No space left on device"):
        lake.rows(QUERY)


def test_no_place_for_files_is_said(tmp_path: Path, temporaries: Path) -> None:
    lake = lake_of(tmp_path / "lake", some(3000), 100)
    temporaries.rmdir()
    with pytest.raises(OperationalError, match=r"in a temporary file in '.*/temporary': No such file or directory") as raised:
        lake.rows(QUERY)
    assert raised.value.hint == "TMPDIR=DIR names another place"


def test_the_first_rows_are_kept_alone(tmp_path: Path, temporaries: Path) -> None:
    """Of those that LIMIT wants: not where a row behind the sorting may fail."""
    lake = lake_of(tmp_path / "lake", some(3000), 100)
    first = "SELECT n FROM t ORDER BY d DESC, n LIMIT 3 OFFSET 2"
    failing = "SELECT 10 / (n - 2999) FROM t ORDER BY d DESC LIMIT 2"
    assert "Sort by d DESC, n, the first 5, complete at the end (5 rows)" in analyzed(lake, first)
    assert "the first" not in analyzed(lake, failing)
    assert lake.rows(first) == [(2997,), (2996,), (2995,)] == lake.rows(first, rules=False)
    assert lake.rows(failing) == [(-10,), (-5,)] == lake.rows(failing, rules=False)
