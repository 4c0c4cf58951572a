"""Rows that are added up where they are read give the same groups as rows that are given one by one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.external.scan import parquet, portions
from streamsql.keys.interner import Interner
from streamsql.plan.explain import explain
from streamsql.sql.parser import parse
from tests.external.lake import Lake
from tests.external.test_scan_properties import ordered

QUARTERS = st.integers(-400, 400).map(lambda n: n / 4)  # so that every order of adding gives the same sum
COLUMNS: dict[str, tuple[str, pa.DataType, st.SearchStrategy[Any]]] = {
    "i": ("int", pa.int32(), st.integers(-3, 3) | st.sampled_from([2**31 - 1, -(2**31)])),
    "n": ("bigint", pa.int64(), st.integers(-(2**62), 2**62)),
    "d": ("double", pa.float64(), QUARTERS | st.sampled_from([float("nan"), 0.0, -0.0])),
    "m": ("decimal(6,2)", pa.decimal128(6, 2), st.integers(-9999, 9999).map(lambda n: Decimal(n) / 100)),
    "w": ("decimal(30,2)", pa.decimal128(30, 2), st.integers(-(10**29), 10**29).map(lambda n: Decimal(n).scaleb(-2))),
    "s": ("string", pa.string(), st.sampled_from(["a", "b", "", "ä", "long " * 5])),
    "t": ("varchar(2)", pa.string(), st.sampled_from(["a", "ab", "abc", "abd"])),
    "e": ("date", pa.date32(), st.dates(date(1960, 1, 1), date(2030, 1, 1))),
    "b": ("boolean", pa.bool_(), st.booleans()),
}
CALLS = ("COUNT(*)", "COUNT(s)", "SUM(i)", "SUM(m)", "SUM(d)", "AVG(d)", "AVG(m)", "AVG(i)", "MIN(i)", "MAX(n)")
CALLS += ("MIN(d)", "MAX(d)", "MIN(s)", "MAX(t)", "MIN(e)", "MAX(m)", "MIN(b)", "SUM(i * 2.5)", "COUNT(b)", "SUM(k)")
CALLS += ("MIN(p)", "SUM(w)", "AVG(w)", "MAX(w)")
DISTINCT = ("COUNT(DISTINCT {})", "MIN(DISTINCT {})", "MAX(DISTINCT {})")
KEYS = ("k", "p", "s", "t", "i", "e", "b", "d", "UPPER(s)", "UPPER(p)", "m", "k + 0e0")
CONDITIONS = ("TRUE", "s = 'a'", "s <> 'a' AND i > 0", "s IS NULL", "t LIKE 'a%'", "t = 'ab' OR i < 0", "p = 'x'")
CONDITIONS += ("n < 0 AND t IS NOT NULL",)


@st.composite
def files(draw: st.DrawFn) -> pa.Table:
    count = draw(st.integers(0, 30))
    columns = {}
    for name, (_, held, values) in COLUMNS.items():
        if draw(st.integers(0, 5)):
            columns[name] = pa.array(draw(st.lists(st.none() | values, min_size=count, max_size=count)), held)
    return pa.table(columns or {"i": pa.nulls(count, pa.int32())})


def lake_of(folder: Path, tables: Sequence[pa.Table], as_text: bool, group: int) -> Lake:
    lake = Lake(folder)
    declared = ", ".join(f"{name} {type_}" for name, (type_, _, _) in COLUMNS.items())
    for place, table in enumerate(tables):
        partition = f"b/t/k={place % 3}/p={'xy'[place % 2]}"
        if as_text:
            arrays = [table[n] if n in table.column_names else pa.nulls(table.num_rows) for n in COLUMNS]
            rows = zip(*(array.to_pylist() for array in arrays), strict=True)
            lake.text(f"{partition}/{place}.csv", "".join("|".join(map(_field, row)) + "\n" for row in rows))
        else:
            lake.write(f"{partition}/{place}.parquet", table, row_group_size=group)
    stored = "ROW FORMAT DELIMITED FIELDS TERMINATED BY '|'" if as_text else "STORED AS PARQUET"
    lake.run(f"CREATE EXTERNAL TABLE t ({declared}) PARTITIONED BY (k int, p string) {stored} LOCATION 's3://b/t/'")
    lake.run("MSCK REPAIR TABLE t")
    return lake


def _field(value: Any) -> str:
    return "\\N" if value is None else str(value)


@settings(max_examples=80, deadline=None)
@given(st.lists(files(), max_size=5), st.booleans(), st.integers(1, 9), st.sampled_from([2, 1024]), st.data())
def test_as_row_by_row(tables: list[pa.Table], as_text: bool, group: int, sample: int, data: st.DataObject) -> None:
    folder = Path(tempfile.mkdtemp())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(portions, "SAMPLE", sample)  # 2: parts whose first two rows differ are not grouped
        patch.setattr(parquet, "SHORT", 1000)  # all texts as dictionaries
        try:
            lake = lake_of(folder, tables, as_text, group)
            for _ in range(3):
                keys = data.draw(st.lists(st.sampled_from(KEYS), max_size=3, unique=True))
                calls = data.draw(st.lists(st.sampled_from(CALLS), min_size=1, max_size=4, unique=True))
                query = f"SELECT {', '.join([*keys, *calls])} FROM t WHERE {data.draw(st.sampled_from(CONDITIONS))}"
                query += f" GROUP BY {', '.join(keys)}" if keys else ""
                assert ordered(lake.rows(query)) == ordered(lake.rows(query, rules=False)), query
        finally:
            shutil.rmtree(folder)


@settings(max_examples=40, deadline=None)
@given(st.lists(files(), max_size=5), st.booleans(), st.integers(1, 9), st.data())
def test_distinct_values_as_row_by_row(tables: list[pa.Table], as_text: bool, group: int, data: st.DataObject) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        lake = lake_of(folder, tables, as_text, group)
        for _ in range(3):
            keys = data.draw(st.lists(st.sampled_from(KEYS), max_size=2, unique=True))
            argument = data.draw(st.sampled_from(KEYS))
            calls = [call.format(argument) for call in data.draw(st.lists(st.sampled_from(DISTINCT), min_size=1, unique=True))]
            query = f"SELECT {', '.join([*keys, *calls])} FROM t WHERE {data.draw(st.sampled_from(CONDITIONS))}"
            query += f" GROUP BY {', '.join(keys)}" if keys else ""
            assert ordered(lake.rows(query)) == ordered(lake.rows(query, rules=False)), query
    finally:
        shutil.rmtree(folder)


def plan_of(lake: Lake, query: str) -> str:
    return explain(lake.engine.plan_of(parse(query)[0]))


def test_when_a_scan_adds_up(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, [], False, 1)
    assert "added up by s: SUM(i)" in plan_of(lake, "SELECT s, SUM(i) FROM t GROUP BY s")
    inner = "SELECT s, i FROM t WHERE i > 1"
    assert "added up by s: SUM(i)" in plan_of(lake, f"SELECT s FROM ({inner}) q GROUP BY s HAVING SUM(i) > 3")
    assert "distinct by s" in plan_of(lake, "SELECT s FROM t GROUP BY s")
    assert "distinct by s, i" in plan_of(lake, "SELECT s, COUNT(DISTINCT i), SUM(DISTINCT i) FROM t GROUP BY s")
    for query in (
        "SELECT s, COUNT(DISTINCT i), COUNT(*) FROM t GROUP BY s",
        "SELECT s, COUNT(DISTINCT i), COUNT(DISTINCT d) FROM t GROUP BY s",
        "SELECT s, STDDEV_POP(DISTINCT i) FROM t GROUP BY s",
        "SELECT s, STDDEV_POP(i) FROM t GROUP BY s",
        "SELECT 10 / i, COUNT(*) FROM t GROUP BY 10 / i",
        "SELECT s, SUM(i) FROM (SELECT s, i FROM t LIMIT 5) q GROUP BY s",
        "SELECT s, COUNT(*) FROM t WHERE 10 / i > 1 GROUP BY s",
    ):
        assert "added up" not in plan_of(lake, query)


@pytest.mark.parametrize(
    ("calls", "read"),
    [
        ("COUNT(*)", 0),
        ("COUNT(i), MIN(i), MAX(e), MIN(m), COUNT(*)", 1),
        ("k, COUNT(*), MAX(i)", 0),
        ("MIN(s)", 4),
        ("MIN(d)", 4),
        ("SUM(i)", 4),
        ("COUNT(*), MIN(absent)", 0),
    ],
)
def test_what_footers_say_is_not_read(tmp_path: Path, calls: str, read: int) -> None:
    lake = Lake(tmp_path)
    for k in (1, 2):
        days = [date(2024, 5, day) for day in (1, 2, 3, 4)]
        rows = {"i": [1, 2, 3, None if k == 1 else 4], "e": days, "m": [Decimal("1.5")] * 4, "s": ["a"] * 4, "d": [1.0] * 4}
        lake.write(f"b/t/k={k}/a.parquet", pa.table(rows), row_group_size=2)
    lake.run("""CREATE EXTERNAL TABLE t (i int, e date, m decimal(6,2), s string, d double, absent int) PARTITIONED BY (k int)
        STORED AS PARQUET LOCATION 's3://b/t/'; MSCK REPAIR TABLE t""")
    query = f"SELECT {calls} FROM t{' GROUP BY k' if calls.startswith('k') else ''}"
    assert ordered(lake.rows(query)) == ordered(lake.rows(query, rules=False))
    assert lake.read(query)["t"].row_groups_read == read


def test_of_no_rows(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, [], False, 1)
    assert lake.rows("SELECT COUNT(*), SUM(i), MIN(s) FROM t") == [(0, None, None)]
    assert lake.rows("SELECT s, COUNT(*) FROM t GROUP BY s") == []


def test_a_sum_that_does_not_fit_in_the_end(tmp_path: Path) -> None:
    whole = pa.table({"n": pa.array([2**62, 2**62])})
    lake = lake_of(tmp_path, [whole, whole, pa.table({"n": pa.array([-(2**62)] * 3)})], False, 1)
    assert lake.rows("SELECT SUM(n) FROM t") == [(2**62,)]
    assert lake.rows("SELECT k, SUM(n) FROM t WHERE k < 2 GROUP BY k") == []
    assert len(lake.lost) == 2


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None, "c"]), st.sampled_from(["x", None, "y"])), min_size=1, max_size=30))
def test_keys_that_are_dictionaries(rows: list[tuple[str | None, str | None]]) -> None:
    first, second = (pa.array(column, pa.string()) for column in zip(*rows, strict=True))
    entries = pa.array(["unused", "c", "b", "a", "also", "x", "y"])
    coded = [pa.DictionaryArray.from_arrays(pa.compute.index_in(column, entries), entries) for column in (first, second)]
    for columns in ([coded[0]], coded, [coded[0], second]):
        interner = Interner([pa.string()] * len(columns))
        ids = interner.ids(columns, len(rows))
        found = [column.take(pa.array(ids)).to_pylist() for column in interner.columns()]
        assert found == [column.to_pylist() for column in (first, second)[: len(columns)]]
        assert len(interner) == len(set(zip(*found, strict=True))) == len(np.unique(ids))


def test_footers_do_not_count_values_that_do_not_fit(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.write("b/t/a.parquet", pa.table({"n": [1, 2**40, 3], "m": [1, 2, 3]}))
    lake.run("CREATE EXTERNAL TABLE t (n int, m int) STORED AS PARQUET LOCATION 's3://b/t/'")
    assert lake.rows("SELECT COUNT(n) FROM t") == [(2,)] == lake.rows("SELECT COUNT(n) FROM t", rules=False)
    assert len(lake.lost) == 2
    assert lake.rows("SELECT COUNT(m) FROM t") == [(3,)]
    assert lake.read("SELECT COUNT(m) FROM t")["t"].row_groups_read == 0
