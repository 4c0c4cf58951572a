"""Rows that are added up before they are joined give the same groups as rows that are joined one by one."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.external.scan import portions
from streamsql.plan.explain import explain
from streamsql.sql.parser import parse
from tests.external.lake import Lake
from tests.external.test_grouped_scans import CALLS, files, lake_of
from tests.external.test_scan_properties import ordered

ENTRIES = st.tuples(
    st.none() | st.integers(-3, 3), st.none() | st.sampled_from(["a", "b", ""]), st.none() | st.sampled_from(["x", "y", "z"])
)
JOINS = (
    "t JOIN u ON t.i = u.id",
    "t JOIN u ON t.k = u.id",
    "t JOIN u ON t.s = u.name AND u.kind <> 'x'",
    "t JOIN u ON t.i = u.id AND t.s > u.name",
    "t JOIN u ON t.i + 1 = u.id JOIN u AS v ON v.name = t.s",
    "t JOIN u ON t.i = u.id JOIN u AS v ON v.kind = u.kind",
    "t JOIN (SELECT DISTINCT kind FROM u) AS u ON u.kind = t.p",
    "(SELECT * FROM t WHERE n > 0) AS t JOIN u ON t.i = u.id",
    "t, u",
    "t JOIN u ON t.d < u.id",
)
KEYS = ("u.kind", "t.p", "t.s", "UPPER(u.kind)", "t.k + 1", "t.t")
CONDITIONS = ("TRUE", "t.i > 0", "u.kind = 'y' OR t.s = 'a'", "t.k = 1")


def joined_lake(folder: Path, tables: list[pa.Table], group: int, entries: list[Any]) -> Lake:
    lake = lake_of(folder, tables, False, group)
    columns = zip(*entries, strict=True) if entries else ([], [], [])
    types = (pa.int32(), pa.string(), pa.string())
    arrays = [pa.array(column, type_) for column, type_ in zip(columns, types, strict=True)]
    lake.write("b/u/0.parquet", pa.table(arrays, names=["id", "name", "kind"]))
    lake.run("CREATE EXTERNAL TABLE u (id int, name string, kind string) STORED AS PARQUET LOCATION 's3://b/u/'")
    return lake


@settings(max_examples=80, deadline=None)
@given(st.lists(files(), max_size=4), st.integers(1, 9), st.lists(ENTRIES, max_size=6), st.sampled_from([2, 1024]), st.data())
def test_as_row_by_row(tables: list[pa.Table], group: int, entries: list[Any], sample: int, data: st.DataObject) -> None:
    folder = Path(tempfile.mkdtemp())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(portions, "SAMPLE", sample)
        patch.setattr(portions, "SAMPLES", 1)
        try:
            lake = joined_lake(folder, tables, group, entries)
            for _ in range(3):
                keys = data.draw(st.lists(st.sampled_from(KEYS), max_size=2, unique=True))
                drawn = data.draw(st.lists(st.sampled_from(CALLS), max_size=3, min_size=0 if keys else 1, unique=True))
                calls = [call.replace("(", "(t.") if call != "COUNT(*)" else call for call in drawn]
                query = f"SELECT {', '.join([*keys, *calls])} FROM {data.draw(st.sampled_from(JOINS))}"
                query += f" WHERE {data.draw(st.sampled_from(CONDITIONS))}" + (f" GROUP BY {', '.join(keys)}" if keys else "")
                assert ordered(lake.rows(query)) == ordered(lake.rows(query, rules=False)), query
        finally:
            shutil.rmtree(folder)


def test_when_rows_are_added_up_before_a_join(tmp_path: Path) -> None:
    lake = joined_lake(tmp_path, [], 1, [])

    def plan_of(query: str) -> str:
        return explain(lake.engine.plan_of(parse(query)[0]))

    assert "added up by i: SUM(n), COUNT(*)" in plan_of("SELECT kind, SUM(n), COUNT(*) FROM t JOIN u ON i = id GROUP BY kind")
    query = "SELECT kind, p, SUM(n) FROM t JOIN u ON s = name AND i > id WHERE e > DATE '2020-01-01' GROUP BY kind, p"
    assert "added up by i, s, p: SUM(n)" in plan_of(query)
    for query in (
        "SELECT kind, SUM(id) FROM t JOIN u ON i = id GROUP BY kind",
        "SELECT kind, SUM(n + id) FROM t JOIN u ON i = id GROUP BY kind",
        "SELECT kind, SUM(n) FROM t LEFT JOIN u ON i = id GROUP BY kind",
        "SELECT kind, STDDEV_POP(n) FROM t JOIN u ON i = id GROUP BY kind",
        "SELECT kind, SUM(10 / n) FROM t JOIN u ON i = id GROUP BY kind",
        "SELECT kind, SUM(n) FROM t JOIN u ON 10 / i = id GROUP BY kind",
        "SELECT kind, SUM(n) FROM t CROSS JOIN u GROUP BY kind",
    ):
        assert "added up" not in plan_of(query), query
