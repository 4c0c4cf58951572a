"""ORDER BY with LIMIT gives the rows that sorting all of them gives, and reads what can be among them."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.external.scan import first_rows, scan
from streamsql.keys.order import Direction, not_after, sorted_indices
from streamsql.plan.explain import explain
from streamsql.run.operators import sorted_rows
from streamsql.sql.parser import parse
from tests.external.lake import Lake
from tests.external.test_grouped_scans import COLUMNS, files, lake_of

KEYS = ("i", "n", "d", "m", "w", "s", "t", "e", "b", "k", "p", "i * 2", "UPPER(t)", "COALESCE(d, 1.0)", "10 / i", "-d")
CONDITIONS = ("TRUE", "s = 'a'", "i > 0 OR d < 1", "p = 'x'", "10 / i > 1")


@settings(max_examples=80, deadline=None)
@given(st.lists(files(), max_size=5), st.booleans(), st.integers(1, 9), st.data())
def test_as_all_sorted(tables: list[pa.Table], as_text: bool, group: int, data: st.DataObject) -> None:
    folder = Path(tempfile.mkdtemp())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(first_rows, "SAMPLE", 2)
        patch.setattr(sorted_rows, "SLACK", data.draw(st.sampled_from([2, 65_536])))
        try:
            lake = lake_of(folder, tables, as_text, group)
            for _ in range(3):
                keys = data.draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=2, unique=True))
                words = st.sampled_from(["", " DESC", " NULLS FIRST", " DESC NULLS LAST"])
                order = ", ".join(key + data.draw(words) for key in keys)
                query = f"SELECT s, i, d, k, n, i + 1 AS j FROM t WHERE {data.draw(st.sampled_from(CONDITIONS))} ORDER BY {order}"
                query += f" LIMIT {data.draw(st.integers(0, 6))} OFFSET {data.draw(st.integers(0, 3))}"
                assert repr(lake.rows(query)) == repr(lake.rows(query, rules=False)), query
        finally:
            shutil.rmtree(folder)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(COLUMNS)), st.booleans(), st.booleans(), st.data())
def test_what_does_not_come_after_a_value(name: str, descending: bool, nulls_first: bool, data: st.DataObject) -> None:
    _, type_, values = COLUMNS[name]
    key = pa.array(data.draw(st.lists(st.none() | values, min_size=1, max_size=8)), type_)
    direction = Direction(descending, nulls_first)
    order = sorted_indices([key], [direction])
    last = data.draw(st.integers(0, len(key) - 1))
    found = not_after(key, key[int(order[last])], direction)
    assert found[order[: last + 1]].all()
    places = np.flatnonzero(found[order])
    tied = [key[int(i)].as_py() for i in order[places[places > last]]]
    assert all(_same(value, key[int(order[last])].as_py()) for value in tied)


def _same(a: Any, b: Any) -> bool:
    return a == b or (a != a and b != b)


def plan_of(lake: Lake, query: str) -> str:
    return explain(lake.engine.plan_of(parse(query)[0]))


def test_when_a_scan_gives_the_first_rows(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, [], False, 1)
    query = "SELECT i, UPPER(s) FROM t WHERE n > 1 ORDER BY d DESC, i LIMIT 3 OFFSET 2"
    assert "Sort by d DESC, i, the first 5" in plan_of(lake, query)
    assert "those that can be among the first 5 by d DESC\n" in plan_of(lake, query) + "\n"
    for query in (
        "SELECT i FROM t ORDER BY d",
        "SELECT i FROM t WHERE 10 / i > 1 ORDER BY d LIMIT 3",  # a row that is left out could fail
        "SELECT i FROM t ORDER BY 10 / i LIMIT 3",
        "SELECT i FROM t ORDER BY d, 10 / i LIMIT 3",
        "SELECT i FROM (SELECT i, d FROM t LIMIT 5) q ORDER BY d LIMIT 3",
        "SELECT i FROM t ORDER BY d LIMIT 20000",
    ):
        assert "can be among" not in plan_of(lake, query)
    assert "the first" not in plan_of(lake, "SELECT 10 / i FROM t ORDER BY d LIMIT 3")


def test_row_groups_without_a_first_row_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "THREADS", 1)
    rows = 200_000
    table = pa.table({"n": pa.array(range(rows)), "s": [f"text {number:06}" for number in range(rows)]})
    for key in ("n", "s"):
        lake = lake_of(tmp_path / key, [table], False, 5000)
        assert lake.rows(f"SELECT n FROM t ORDER BY {key} LIMIT 2") == [(0,), (1,)]
        lake.rows(f"SELECT n FROM t ORDER BY {key} LIMIT 2")
        counts = lake.counts(f"SELECT n FROM t ORDER BY {key} LIMIT 2")
        assert counts.row_groups == 40 and counts.row_groups_read == 14
