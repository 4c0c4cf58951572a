"""Set operations of tables, as DuckDB has them."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from table_oracle import check, tables

sides = st.one_of(
    st.builds("SELECT {} FROM {}{}".format, st.just("k, v"), st.sampled_from(["r", "s"]), st.sampled_from(["", " WHERE v > 0"])),
    st.sampled_from(
        ["SELECT k, d FROM r", "SELECT k, COUNT(*) FROM s GROUP BY k", "SELECT DISTINCT k, v + 1 FROM r", "VALUES ('a', 1)"]
    ),
    st.just("SELECT NULL, v FROM s"),
)
operators = st.sampled_from(["UNION", "UNION ALL", "UNION DISTINCT", "EXCEPT", "INTERSECT", "EXCEPT ALL", "INTERSECT ALL"])
queries = st.recursive(
    sides,
    lambda below: st.one_of(
        st.builds("{} {} {}".format, below, operators, below),
        st.builds("({}) {} {}".format, below, operators, below),
        st.builds("{} {} ({})".format, below, operators, below),
    ),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None)
@given(tables, tables, queries, operators, sides)
def test_set_operations(r: pa.Table, s: pa.Table, query: str, operator: str, last: str) -> None:
    """However they nest; INTERSECT binds tighter than the others."""
    check(f"{query} {operator} {last}", r=r, s=s)


@settings(max_examples=20, deadline=None)
@given(tables, tables, operators, operators, sides, sides)
def test_inside_queries(r: pa.Table, s: pa.Table, one: str, other: str, left: str, right: str) -> None:
    check(f"SELECT COUNT(*), MAX(b) FROM ({left} {one} {right}) AS t(a, b)", r=r, s=s)
    check(f"WITH t(a, b) AS ({left} {one} {right}) SELECT a FROM t {other} SELECT k FROM s", r=r, s=s)
    check(f"SELECT k FROM r WHERE EXISTS ({left} {one} {right})", r=r, s=s)
    check(
        f"SELECT k, v FROM r {one} SELECT k, v FROM s ORDER BY k, v LIMIT 3",
        theirs_is=f"SELECT k, v FROM r {one} SELECT k, v FROM s ORDER BY k NULLS LAST, v NULLS LAST LIMIT 3",
        ordered=True,
        r=r,
        s=s,
    )
