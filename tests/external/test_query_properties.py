"""Queries of every form over external tables in every format, both made at random, as DuckDB has them."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.external.lake import Lake
from tests.external.made_queries import Made, Query, made_queries, tables, write


def check(t: Made, u: Made, asked: Sequence[str], in_order: bool = False) -> None:
    """The rows of queries over tables t and u, with the plan's rules and without."""
    folder = Path(tempfile.mkdtemp())
    try:
        lake = Lake(folder)
        write(lake, "t", t)
        write(lake, "u", u)
        with duckdb.connect() as con:
            con.register("t", t.rows)
            con.register("u", u.rows)
            for query in asked:
                wanted = _rows(con.execute(query).fetchall())
                for rules in (True, False):
                    given_ = _rows(lake.rows(query, rules))
                    assert given_ == wanted if in_order else sorted(given_) == sorted(wanted), query
                    assert not lake.lost, query
    finally:
        shutil.rmtree(folder)


def _rows(rows: Sequence[tuple[Any, ...]]) -> list[list[str]]:
    return [[_shown(value) for value in row] for row in rows]


def _shown(value: Any) -> str:
    """Numbers of all types alike, in the digits that do not depend on the order in which they are added up."""
    if isinstance(value, (float, Decimal, int)) and not isinstance(value, bool):
        return "nan" if isinstance(value, float) and math.isnan(value) else f"{float(value) + 0.0:.9g}"
    return str(value)


QUIET = settings(deadline=None, suppress_health_check=list(HealthCheck))


@settings(QUIET, max_examples=60)
@given(tables(), tables(), st.lists(made_queries(), min_size=1, max_size=3))
def test_queries(t: Made, u: Made, asked: list[Query]) -> None:
    check(t, u, [query.sql for query in asked])


@settings(QUIET, max_examples=20)
@given(tables(), tables(), made_queries(), st.integers(0, 5), st.integers(0, 3), st.booleans())
def test_sorted(t: Made, u: Made, query: Query, limit: int, offset: int, descending: bool) -> None:
    direction = "DESC NULLS LAST" if descending else "NULLS FIRST"
    keys = ", ".join(f"c{i} {direction}" for i in range(len(query.kinds)))
    check(t, u, [f"SELECT * FROM ({query.sql}) AS q ORDER BY {keys} LIMIT {limit} OFFSET {offset}"], in_order=True)


NAN = (
    "SELECT d, COUNT(*) FROM t GROUP BY d",
    "SELECT DISTINCT d FROM t",
    "SELECT MIN(d), MAX(d), COUNT(DISTINCT d), SUM(d) FROM t",
    "SELECT d, RANK() OVER (ORDER BY d NULLS LAST), MAX(d) OVER (ORDER BY i NULLS LAST) FROM t",
    "SELECT d FROM t UNION SELECT d FROM u",
    "SELECT d FROM t EXCEPT SELECT d FROM u",
    "SELECT d FROM t INTERSECT ALL SELECT d FROM u",
    "SELECT s, MAX(d), MIN(d) FROM t GROUP BY s HAVING COUNT(*) > 1",
)


@settings(QUIET, max_examples=20)
@given(tables(with_nan=True), tables(with_nan=True))
def test_nan(t: Made, u: Made) -> None:
    check(t, u, NAN)
    ordered = ["SELECT d, s FROM t ORDER BY d DESC NULLS LAST, s NULLS LAST", "SELECT d FROM t ORDER BY d NULLS LAST"]
    check(t, u, ordered, in_order=True)
