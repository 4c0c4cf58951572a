"""Tables joined with tables, as DuckDB joins them."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from table_oracle import SCHEMA, check, tables

from streamsql.run.operators import table_index

KINDS = st.sampled_from(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
CONDITIONS = st.sampled_from(
    [
        "{x}.k = {y}.k",
        "{x}.k = {y}.k AND {y}.v = {x}.v",
        "{x}.v = {y}.d",
        "{x}.k = {y}.k AND {x}.v < {y}.v",
        "{x}.k = {y}.k AND {x}.v > 0",
        "{y}.d > 0 AND {y}.v = {x}.v",
        "{x}.v + 1 = {y}.v AND ({x}.k = 'a' OR {y}.k = 'b')",
        "{x}.v < {y}.v",
        "{x}.k || '' = {y}.k AND TRUE",
        "{x}.v = 1 AND {y}.v = 2",
        "FALSE",
    ]
)
WHERES = st.sampled_from(
    [
        "",
        " WHERE x.v = 1",
        " WHERE x.k = y.k AND x.v <> y.v",
        " WHERE y.k IS NULL",
        " WHERE x.v + y.v > 2",
        " WHERE y.v < 3",
        " WHERE y.k LIKE 'a%' AND x.d IS NOT NULL",
        " WHERE y.k IN ('a', 'b')",
        " WHERE y.v <> 1 OR x.v = 2",
    ]
)


@settings(max_examples=60, deadline=None)
@given(tables, tables, KINDS, CONDITIONS, WHERES)
def test_two_tables(r: pa.Table, s: pa.Table, kind: str, on: str, where: str) -> None:
    query = f"SELECT x.k, x.v, x.d, y.k, y.v, y.d FROM r AS x {kind} s AS y ON {on.format(x='x', y='y')}{where}"
    check(query, r=r, s=s)


@settings(max_examples=40, deadline=None)
@given(tables, tables, tables, KINDS, KINDS, CONDITIONS, CONDITIONS, WHERES)
def test_three_tables(r: pa.Table, s: pa.Table, t: pa.Table, first: str, second: str, on: str, on_too: str, where: str) -> None:
    conditions = on.format(x="x", y="y"), on_too.format(x="y", y="z")
    check(
        f"SELECT x.k, x.v, y.k, y.d, z.v FROM r AS x {first} s AS y ON {conditions[0]} {second} t AS z ON {conditions[1]}{where}",
        r=r,
        s=s,
        t=t,
    )
    if not first.startswith("RIGHT"):  # DuckDB's tree of these is another
        brackets = f"FROM r AS x {first} (s AS y {second} t AS z ON {conditions[1]}) ON {conditions[0]}{where}"
        check("SELECT x.k, x.v, y.k, y.d, z.v " + brackets, r=r, s=s, t=t)


@settings(max_examples=20, deadline=None)
@given(tables, tables, tables, KINDS, KINDS, st.sampled_from(["USING (k)", "USING (v, k)"]))
def test_using(r: pa.Table, s: pa.Table, t: pa.Table, first: str, second: str, using: str) -> None:
    check(f"SELECT k, x.v, y.d, x.k, y.k FROM r AS x {first} s AS y USING (k)", r=r, s=s)
    check(f"SELECT k, x.v, x.d, y.v, y.d FROM r AS x {first} s AS y {using}", r=r, s=s)
    check(f"SELECT k, x.d, y.d, z.d FROM r AS x {first} s AS y {using} {second} t AS z USING (k)", r=r, s=s, t=t)
    check(f"SELECT k, v, d FROM (SELECT k, v FROM r) AS x NATURAL {first} (SELECT k, d FROM s) AS y", r=r, s=s)


@settings(max_examples=20, deadline=None)
@given(tables, tables, st.sampled_from([",", " CROSS JOIN"]))
def test_products(r: pa.Table, s: pa.Table, comma: str) -> None:
    check(f"SELECT x.v, y.k FROM r AS x{comma} s AS y", r=r, s=s)
    check(f"SELECT x.v, y.k, z.d FROM r AS x{comma} s AS y{comma} s AS z WHERE x.k = z.k AND y.v = z.v", r=r, s=s)


def test_many_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Candidates are looked at a part at a time."""
    monkeypatch.setattr(table_index, "CANDIDATES", 100)
    rows = pa.table([pa.array(["a", "b"] * 60), pa.array(range(120), pa.int32()), pa.array([0.5] * 120)], schema=SCHEMA.arrow())
    check("SELECT x.v, y.v FROM r AS x LEFT JOIN r AS y ON x.k = y.k AND x.v < y.v - 90", r=rows)
    check("SELECT x.v, y.v FROM r AS x FULL JOIN r AS y ON x.v < y.v - 100", r=rows)
