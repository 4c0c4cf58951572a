"""GROUP BY in several ways, as DuckDB has it."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from table_oracle import check, tables

keys = st.sampled_from(["k", "v", "d", "v + 1", "(k, v)"])
elements = st.one_of(
    keys,
    st.builds(
        "{}({})".format, st.sampled_from(["ROLLUP", "CUBE"]), st.lists(keys, min_size=1, max_size=3, unique=True).map(", ".join)
    ),
    st.builds(
        "GROUPING SETS ({})".format,
        st.lists(st.one_of(keys, st.sampled_from(["()", "(k, d)", "ROLLUP(k, v)"])), min_size=1, max_size=4).map(", ".join),
    ),
)


@settings(max_examples=100, deadline=None)
@given(tables, st.lists(elements, min_size=1, max_size=2), st.sampled_from(["", "HAVING COUNT(*) > 1"]))
def test_sets(r: pa.Table, group: list[str], having: str) -> None:
    if len(group) == 1 and group[0] in ("k", "v", "d", "v + 1", "(k, v)"):
        group = [f"ROLLUP({group[0]})"]
    clause = ", ".join(group)
    named = [name for name in ("k", "d") if name in clause.replace("GROUPING SETS", "").replace("CUBE", "")]
    flags = [f"GROUPING({name})" for name in named]
    shown = ", ".join([*named, *flags, "COUNT(*)", "SUM(v)", "COUNT(DISTINCT k)", "MAX(d)"])
    check(f"SELECT {shown} FROM r GROUP BY {clause} {having}", r=r)
