"""Subqueries in expressions over tables, as DuckDB has them; and on the rows of a stream as on those of a table."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from table_oracle import SCHEMA, check, tables

from streamsql.run.operators import table_index

EQUATIONS = ["", "s.v > 0", "s.v = r.v", "r.k = s.k AND s.v = r.v", "s.v = r.v + 1 AND s.k IS NOT NULL", "s.k = 'a'"]
OTHERS = ["s.v = r.v AND s.d < r.d", "s.v < r.v", "r.k = 'a'", "s.k = r.k OR s.v = r.v", "s.v = r.v AND r.d > 0"]


def _where(conditions: list[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(conditions).map(lambda condition: f" WHERE {condition}" if condition else "")


wheres = _where(EQUATIONS + OTHERS)

values = st.one_of(
    st.builds("(SELECT MAX(v) FROM s{})".format, wheres),
    st.builds("(SELECT COUNT(*) FROM s{})".format, wheres),
    st.builds("(SELECT COUNT(v) + r.v FROM s{})".format, wheres),
    st.builds("(SELECT COALESCE(SUM(v), 7) * 2 FROM s{})".format, wheres),
    st.builds("(SELECT v FROM s{} ORDER BY v DESC NULLS LAST LIMIT 1)".format, wheres),
    st.builds("(SELECT MIN(d) FROM s{} GROUP BY k ORDER BY 1 DESC NULLS LAST LIMIT 1 OFFSET 1)".format, wheres),
    st.just("(SELECT DISTINCT s.v + 1 FROM s WHERE s.v = r.v)"),
    st.just("(SELECT r.v + 1)"),
)

atoms = st.one_of(
    st.builds("r.k {} (SELECT k FROM s{})".format, st.sampled_from(["IN", "NOT IN"]), wheres),
    st.builds("r.v {} (SELECT v + 1 FROM s{})".format, st.sampled_from(["IN", "NOT IN"]), wheres),
    st.builds("r.v IN (SELECT s.v + r.v FROM s{})".format, wheres),
    st.builds("(r.k, r.v) {} (SELECT k, v FROM s{})".format, st.sampled_from(["IN", "NOT IN"]), _where(["", "s.v > 0"])),
    st.builds("{} (SELECT * FROM s{})".format, st.sampled_from(["EXISTS", "NOT EXISTS"]), wheres),
    st.builds("EXISTS (SELECT MAX(v) FROM s{})".format, wheres),
    st.builds("EXISTS (SELECT v FROM s{} GROUP BY v HAVING COUNT(*) > 1)".format, wheres),
    st.builds("r.v IN (SELECT v FROM s{} ORDER BY v NULLS LAST LIMIT 2)".format, wheres),
    st.builds(
        "r.v {} {} (SELECT v FROM s{})".format,
        st.sampled_from(["=", "<>", "<", "<=", ">", ">="]),
        st.sampled_from(["ANY", "ALL"]),
        wheres,
    ),
    st.builds("r.v IN (SELECT MAX(v) FROM s{})".format, wheres),
    st.builds("r.v {} {}".format, st.sampled_from(["=", "<", "<>"]), values),
    st.builds("r.v IN (SELECT v FROM s WHERE s.d IN (SELECT t.d FROM t{}))".format, st.sampled_from(["", " WHERE t.v = s.v"])),
    st.sampled_from(["r.v = 1", "r.k IS NULL", "r.d > 0"]),
)

conditions = st.recursive(
    atoms,
    lambda below: st.one_of(
        st.builds("({} AND {})".format, below, below),
        st.builds("({} OR {})".format, below, below),
        st.builds("(NOT {})".format, below),
    ),
    max_leaves=3,
)


@settings(max_examples=120, deadline=None)
@given(tables, tables, tables, conditions)
def test_conditions(r: pa.Table, s: pa.Table, t: pa.Table, condition: str) -> None:
    """In WHERE, and as a value."""
    check(f"SELECT k, v, d FROM r WHERE {condition}", r=r, s=s, t=t)
    check(f"SELECT k, v, {condition} AS c FROM r", r=r, s=s, t=t)


@settings(max_examples=60, deadline=None)
@given(tables, tables, tables, values, values)
def test_values(r: pa.Table, s: pa.Table, t: pa.Table, value: str, other: str) -> None:
    """In the select list, inside other expressions, and in ORDER BY."""
    check(f"SELECT k, v, {value}, COALESCE({other} + {value}, -1) FROM r", r=r, s=s, t=t)
    check(f"SELECT CASE WHEN v > 0 THEN {value} ELSE {other} END FROM r WHERE v IS NOT NULL ORDER BY {value}, v", r=r, s=s, t=t)


@settings(max_examples=60, deadline=None)
@given(tables, tables, tables, _where(["", "s.v > 0", "s.v = r.v", "s.v = r.v + 1 AND s.k IS NOT NULL"]))
def test_groups(r: pa.Table, s: pa.Table, t: pa.Table, where: str) -> None:
    """Over the groups of a query, inside its aggregates and in its keys."""
    source = f"FROM r GROUP BY v HAVING COUNT(*) > (SELECT COUNT(*) FROM s{where}) OR v IN (SELECT t.v FROM t)"
    check(f"SELECT v, COUNT(*), (SELECT MAX(k) FROM s{where}) {source}", r=r, s=s, t=t)
    check(f"SELECT SUM((SELECT COUNT(*) FROM s{where})), MAX(v) FROM r", r=r, s=s, t=t)
    check(f"SELECT COUNT(*), EXISTS (SELECT * FROM s{where}) AS e FROM r GROUP BY EXISTS (SELECT * FROM s{where})", r=r, s=s, t=t)


@settings(max_examples=40, deadline=None)
@given(tables, tables, tables, conditions)
def test_joins(r: pa.Table, s: pa.Table, t: pa.Table, condition: str) -> None:
    """Behind joins, the condition of which stays one."""
    check(f"SELECT r.k, y.v, r.d FROM r, t AS y WHERE r.k = y.k AND {condition}", r=r, s=s, t=t)
    check(f"SELECT r.k, y.v, r.d FROM r LEFT JOIN t AS y ON r.k = y.k WHERE {condition} AND y.v > 0", r=r, s=s, t=t)


@settings(max_examples=30, deadline=None)
@given(tables, tables, st.sampled_from(EQUATIONS + OTHERS))
def test_rows(r: pa.Table, s: pa.Table, condition: str) -> None:
    """A row in a subquery that refers to the query around it: spelled out, since DuckDB has none of these."""
    where, equal = f"({condition})" if condition else "TRUE", "(r.k = s.k AND r.v = s.v)"
    is_in = f"CASE WHEN EXISTS (SELECT * FROM s WHERE {where} AND {equal}) THEN TRUE"
    is_in += f" WHEN EXISTS (SELECT * FROM s WHERE {where} AND {equal} IS NULL) THEN NULL ELSE FALSE END"
    query = f"SELECT k, v, (r.k, r.v) IN (SELECT k, v FROM s WHERE {where}) AS c FROM r"
    check(query, theirs_is=f"SELECT k, v, {is_in} AS c FROM r", r=r, s=s)


def test_many_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Candidates are looked at a part at a time."""
    monkeypatch.setattr(table_index, "CANDIDATES", 100)
    rows = pa.table([pa.array(["a", "b"] * 60), pa.array(range(120), pa.int32()), pa.array([0.5] * 120)], schema=SCHEMA.arrow())
    check("SELECT v FROM r WHERE EXISTS (SELECT * FROM r AS s WHERE s.k = r.k AND s.v > r.v + 90)", r=rows)
    check("SELECT v, v < ALL (SELECT v FROM r AS s WHERE s.v > 100) FROM r", r=rows)
