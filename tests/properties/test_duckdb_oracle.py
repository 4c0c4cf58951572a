"""A stream that has ended gives what DuckDB gives for the same rows in a table; and a table is a stream that ends.

Rows of equal ROWTIME are kept apart in OVER, since a window over a stream does not see rows that come later.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any
from unittest.mock import patch

import duckdb
import pyarrow as pa
import pytest
from applications import STREAMS
from feeding import EDGES, START, Move, batch_of, feed, moves
from hypothesis import given, settings
from hypothesis import strategies as st
from session import Session, parsed

from streamsql.functions.aggregates import distinct
from streamsql.time import ManualClock
from streamsql.types import Batch

GAPS = (0, 0, 1, 999, 1_000, 5_000, 61_000, *EDGES)
KEYS = st.sampled_from(["a", "b", "ab", None])
INTEGERS = st.sampled_from([None, -3, -2, -1, 0, 1, 2, 5])
REALS = st.sampled_from([None, -2.5, -0.5, 0.0, 0.25, 1.5, 8.0])


def streams(gaps: Sequence[int] = GAPS) -> st.SearchStrategy[Batch]:
    """The rows of one stream."""
    row = st.tuples(st.sampled_from(gaps), KEYS, INTEGERS, REALS, st.integers(-20_000, 20_000))
    return st.lists(row, max_size=40).map(batch_of)


def ours(query: str, s: Batch, way: list[Move], u: Batch | None = None) -> list[tuple[Any, ...]]:
    """The rows of a streaming query."""
    (rows,), _ = feed(query, {"S": s, "U": s.slice(0, 0) if u is None else u}, way)
    return list(zip(*(column.to_pylist() for column in rows.columns), strict=True)) if rows.num_columns else []


def theirs(query: str, **tables: Batch) -> list[tuple[Any, ...]]:
    """The rows that DuckDB gives; `i` is the place of a row in its stream."""
    with duckdb.connect() as connection:
        for name, batch in tables.items():
            connection.register(name, pa.table([*batch.columns, pa.array(range(batch.num_rows))], [*batch.schema.names, "i"]))
        return list(connection.sql(query).fetchall())


def assert_same(given_rows: Sequence[tuple[Any, ...]], wanted: Sequence[tuple[Any, ...]], ordered: bool = True) -> None:
    """Equal rows; reals may differ in their last digits."""
    if not ordered:
        given_rows, wanted = sorted(given_rows, key=repr), sorted(wanted, key=repr)
    assert len(given_rows) == len(wanted)
    for one, other in zip(given_rows, wanted):
        assert len(one) == len(other)
        assert all(map(_same, one, other)), f"{one} is not {other}"


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return bool(one == other)


# -- expressions: text that means the same in both dialects ------------------------------------------------------------

COMPARISONS = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])


def integers(depth: int) -> st.SearchStrategy[str]:
    leaves = st.sampled_from(["v", "1", "-2", "CHAR_LENGTH(k)"])
    if not depth:
        return leaves
    below = integers(depth - 1)
    return st.one_of(
        leaves,
        st.builds("({} {} {})".format, below, st.sampled_from(["+", "-", "*"]), below),
        st.builds("COALESCE({}, {})".format, below, below),
        st.builds("NULLIF({}, {})".format, below, below),
        st.builds("CASE WHEN {} THEN {} ELSE {} END".format, conditions(depth - 1), below, below),
        st.builds("ABS({})".format, below),
        st.builds("MOD({}, 3)".format, below),
    )


def reals(depth: int) -> st.SearchStrategy[str]:
    leaves = st.sampled_from(["d", "1e0", "CAST(v AS DOUBLE)"])
    if not depth:
        return leaves
    below = reals(depth - 1)
    return st.one_of(
        leaves,
        st.builds("({} {} {})".format, below, st.sampled_from(["+", "-", "*"]), below),
        st.builds("({} / 4e0)".format, below),
        st.builds("CASE WHEN {} THEN {} END".format, conditions(depth - 1), below),
        st.builds("FLOOR({})".format, below),
    )


def texts(depth: int) -> st.SearchStrategy[str]:
    leaves = st.sampled_from(["k", "'a'", "'xyz'"])
    if not depth:
        return leaves
    below = texts(depth - 1)
    return st.one_of(
        leaves,
        st.builds("UPPER({})".format, below),
        st.builds("({} || {})".format, below, below),
        st.builds("SUBSTRING({} FROM 1 FOR 2)".format, below),
        st.builds("COALESCE({}, {})".format, below, below),
    )


def conditions(depth: int) -> st.SearchStrategy[str]:
    number, real, text = integers(min(depth, 1)), reals(min(depth, 1)), texts(min(depth, 1))
    leaves = st.one_of(
        st.builds("{} {} {}".format, number, COMPARISONS, number),
        st.builds("{} {} {}".format, real, COMPARISONS, real),
        st.builds("{} {} {}".format, text, COMPARISONS, text),
        st.builds("({} IS NULL)".format, st.one_of(number, real, text)),
        st.builds("({} BETWEEN {} AND {})".format, number, number, number),
        st.builds("({} IN ({}, {}))".format, number, number, number),
        st.builds("({} LIKE '%a_')".format, text),
    )
    if not depth:
        return leaves
    below = conditions(depth - 1)
    return st.one_of(
        leaves,
        st.builds("({} {} {})".format, below, st.sampled_from(["AND", "OR"]), below),
        st.builds("(NOT {})".format, below),
    )


expressions = st.one_of(integers(2), reals(2), texts(2))

aggregates = st.lists(
    st.sampled_from(
        [
            "COUNT(*)",
            "COUNT(v)",
            "COUNT(k)",
            "SUM(v)",
            "SUM(d)",
            "AVG(d)",
            "MIN(v)",
            "MAX(d)",
            "MIN(k)",
            "MAX(k)",
            "VAR_POP(d)",
            "STDDEV_SAMP(d)",
            "SUM(v + 1)",
            "SUM(v) * 2 + COUNT(*)",
            "CASE WHEN COUNT(*) > 1 THEN MAX(v) ELSE MIN(v) END",
            "COUNT(DISTINCT v)",
            "COUNT(DISTINCT k)",
            "SUM(DISTINCT v) + COUNT(v)",
            "AVG(DISTINCT d)",
            "VAR_POP(DISTINCT d)",
            "MAX(DISTINCT k)",
            "COUNT(*) FILTER (WHERE v > 0 OR k = 'a')",
            "SUM(v) FILTER (WHERE d > 0)",
            "COUNT(DISTINCT v) FILTER (WHERE k IS NOT NULL)",
        ]
    ),
    min_size=1,
    max_size=4,
    unique=True,
)

WINDOWS = {
    "FLOOR(s.ROWTIME TO MINUTE)": "date_trunc('minute', rowtime)",
    "FLOOR(s.ROWTIME TO SECOND)": "date_trunc('second', rowtime)",
    "FLOOR(s.ROWTIME TO HOUR)": "date_trunc('hour', rowtime)",
    "FLOOR(s.ROWTIME TO DAY)": "date_trunc('day', rowtime)",
    "STEP(s.ROWTIME BY INTERVAL '10' SECOND)": "time_bucket(INTERVAL 10 SECOND, rowtime)",
    "STEP(s.ROWTIME BY INTERVAL '90' MINUTE)": "time_bucket(INTERVAL 90 MINUTE, rowtime)",
    "FLOOR(s.ROWTIME TO MINUTE) - INTERVAL '1' DAY": "date_trunc('minute', rowtime) - INTERVAL 1 DAY",
}
windows = st.sampled_from(list(WINDOWS.items()))


@settings(max_examples=30, deadline=None)
@given(rows=streams(), items=st.lists(expressions, min_size=1, max_size=3), condition=conditions(2), way=moves)
def test_filter_and_project(rows: Batch, items: list[str], condition: str, way: list[Move]) -> None:
    """WHERE and the select list."""
    shown = ", ".join(f"{item} AS c{i}" for i, item in enumerate(items))
    wanted = theirs(f"SELECT rowtime, {shown} FROM s WHERE {condition} ORDER BY i", s=rows)
    assert_same(ours(f"SELECT STREAM ROWTIME, {shown} FROM s WHERE {condition}", rows, way), wanted)


@settings(max_examples=30, deadline=None)
@given(rows=streams(), window=windows, by_key=st.booleans(), calls=aggregates, having=st.booleans(), way=moves)
def test_tumbling_windows(
    rows: Batch, window: tuple[str, str], by_key: bool, calls: list[str], having: bool, way: list[Move]
) -> None:
    """A window that has closed is a group of DuckDB's GROUP BY."""
    stream, table = window
    key, condition = ", k" * by_key, "HAVING COUNT(*) > 1 AND MAX(v) >= 0" if having else ""
    shown = ", ".join(calls)
    wanted = theirs(f"SELECT {table}, {shown}{key} FROM s GROUP BY {table}{key} {condition}", s=rows)
    given_rows = ours(f"SELECT STREAM {stream}, {shown}{key} FROM s GROUP BY {stream}{key} {condition}", rows, way)
    assert_same(given_rows, wanted, ordered=False)


@settings(max_examples=30, deadline=None)
@given(rows=streams(), way=moves)
def test_first_last_and_truncated_averages(rows: Batch, way: list[Move]) -> None:
    """What depends on the order of arrival, and AVG of integers, which is cut."""
    wanted = theirs(
        """SELECT date_trunc('minute', rowtime) AS m, k, first(v ORDER BY i), last(d ORDER BY i),
                  CAST(trunc(sum(v) / count(v)) AS INTEGER)
           FROM s GROUP BY m, k""",
        s=rows,
    )
    given_rows = ours(
        """SELECT STREAM FLOOR(s.ROWTIME TO MINUTE), k, FIRST_VALUE(v), LAST_VALUE(d), AVG(v)
           FROM s GROUP BY FLOOR(s.ROWTIME TO MINUTE), k""",
        rows,
        way,
    )
    assert_same(given_rows, wanted, ordered=False)


ORDERS = {
    "v": "v NULLS LAST",
    "v DESC": "v DESC NULLS FIRST",
    "k": "k NULLS LAST",
    "d DESC": "d DESC NULLS FIRST",
    "v + 1": "v + 1",
}


@settings(max_examples=20, deadline=None)
@given(rows=streams(), window=windows, keys=st.lists(st.sampled_from(list(ORDERS)), max_size=3, unique=True), way=moves)
def test_order_by(rows: Batch, window: tuple[str, str], keys: list[str], way: list[Move]) -> None:
    """The rows of each window in order; equal ones as they came."""
    stream, table = window
    wanted = theirs(f"SELECT k, v, d, rowtime FROM s ORDER BY {', '.join([table, *(ORDERS[k] for k in keys), 'i'])}", s=rows)
    given_rows = ours(f"SELECT STREAM k, v, d, s.ROWTIME FROM s ORDER BY {', '.join([stream, *keys])}", rows, way)
    assert_same(given_rows, wanted)


@settings(max_examples=20, deadline=None)
@given(rows=streams(), way=moves)
def test_distinct(rows: Batch, way: list[Move]) -> None:
    """Each row once a minute, where it first appears."""
    wanted = theirs("SELECT min(i), date_trunc('minute', rowtime) AS m, k, v FROM s GROUP BY m, k, v ORDER BY 1", s=rows)
    given_rows = ours("SELECT STREAM DISTINCT FLOOR(s.ROWTIME TO MINUTE) AS m, k, v FROM s", rows, way)
    assert_same(given_rows, [row[1:] for row in wanted])


@settings(max_examples=20, deadline=None)
@given(s=streams(), u=streams(), way=moves)
def test_union_all(s: Batch, u: Batch, way: list[Move]) -> None:
    """Both streams in ROWTIME order; of rows of one time those of the first stream come first."""
    query = "SELECT rowtime, k, v FROM (SELECT *, 1 AS side FROM s UNION ALL SELECT *, 2 FROM u) ORDER BY rowtime, side, i"
    given_rows = ours("SELECT STREAM ROWTIME, k, v FROM s UNION ALL SELECT STREAM ROWTIME, k, v FROM u", s, way, u)
    assert_same(given_rows, theirs(query, s=s, u=u))


FRAMES = {
    "RANGE INTERVAL '10' SECOND PRECEDING": "RANGE BETWEEN INTERVAL 10 SECOND PRECEDING AND CURRENT ROW",
    "RANGE INTERVAL '1' MINUTE PRECEDING": "RANGE BETWEEN INTERVAL 1 MINUTE PRECEDING AND CURRENT ROW",
    "ROWS 2 PRECEDING": "ROWS BETWEEN 2 PRECEDING AND CURRENT ROW",
    "ROWS CURRENT ROW": "ROWS BETWEEN CURRENT ROW AND CURRENT ROW",
    "ROWS UNBOUNDED PRECEDING": "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
}
SLIDING = [
    "COUNT(*)",
    "COUNT(v)",
    "SUM(v)",
    "SUM(d)",
    "AVG(d)",
    "MIN(v)",
    "MAX(k)",
    "FIRST_VALUE(v)",
    "LAST_VALUE(d)",
    "VAR_POP(d)",
    "COUNT(DISTINCT v)",
    "SUM(DISTINCT v)",
    "SUM(DISTINCT d)",
    "AVG(DISTINCT d)",
    "STDDEV_SAMP(DISTINCT v)",
    "COUNT(DISTINCT k) FILTER (WHERE v > 0)",
]


@settings(max_examples=40, deadline=None)
@given(
    rows=streams(gaps=(1, 999, 1_000, 5_000, 10_000, 61_000, -1, -3)),
    calls=st.lists(st.tuples(st.sampled_from(SLIDING), st.sampled_from(list(FRAMES)), st.booleans()), min_size=1, max_size=4),
    way=moves,
    forgets=st.booleans(),
)
def test_sliding_windows(rows: Batch, calls: list[tuple[str, str, bool]], way: list[Move], forgets: bool) -> None:
    """OVER, with several windows in one query; `forgets`: values that are in no frame are soon forgotten."""
    stream, table = [], []
    for call, frame, by_key in calls:
        partition = "PARTITION BY k " * by_key
        stream.append(f"{call} OVER ({partition}{frame})")
        table.append(f"{call} OVER ({partition}ORDER BY rowtime {FRAMES[frame]})")
    wanted = theirs(f"SELECT rowtime, {', '.join(table)} FROM s ORDER BY i", s=rows)
    with patch.object(distinct, "LEAST_VALUES", 1 if forgets else 1024):
        assert_same(ours(f"SELECT STREAM ROWTIME, {', '.join(stream)} FROM s", rows, way), wanted)


# -- a table is a stream that ends -------------------------------------------------------------------------------------

TABLE_QUERIES = [
    "SELECT k, COUNT(*) AS n, SUM(v), MIN(v), MAX(d) FROM {t} GROUP BY k ORDER BY k, n",
    "SELECT COUNT(*), SUM(v), MIN(k) FROM {t}",
    "SELECT COUNT(*) FROM {t} WHERE v > 100",
    "SELECT k, SUM(v) AS total FROM {t} WHERE v <> 0 GROUP BY k HAVING COUNT(*) > 1 ORDER BY total, k",
    "SELECT v, k FROM {t} ORDER BY 1, 2 LIMIT 3",
    "SELECT v, k FROM {t} ORDER BY v, k LIMIT 3 OFFSET 2",
    "SELECT k, v FROM {t} WHERE v > 0 UNION ALL SELECT k, v FROM {t} WHERE v <= 0 ORDER BY 1, 2",
    "WITH q AS (SELECT k, v * 2 AS w FROM {t}) SELECT w, COUNT(*) FROM q GROUP BY w ORDER BY w",
]


@pytest.mark.parametrize("query", TABLE_QUERIES)
@settings(max_examples=6, deadline=None)
@given(rows=st.lists(st.tuples(KEYS, INTEGERS, REALS), min_size=1, max_size=30))
def test_tables(query: str, rows: list[tuple[str | None, int | None, float | None]]) -> None:
    """The same operators over VALUES, which end at once."""
    values = ", ".join(
        f"(CAST({_literal(k)} AS VARCHAR(4)), CAST({_literal(v)} AS INTEGER), CAST({_literal(d)} AS DOUBLE))" for k, v, d in rows
    )
    text = query.format(t=f"(VALUES {values}) AS t(k, v, d)")
    assert_same(_table_rows(text), theirs(text))


def _literal(value: str | float | None) -> str:
    return "NULL" if value is None else f"'{value}'" if isinstance(value, str) else str(value)


def _table_rows(query: str) -> list[tuple[Any, ...]]:
    result = Session(ManualClock(START)).execute(parsed(query)[0]).rows
    assert result is not None
    rows: list[tuple[Any, ...]] = []
    while (batch := result.take()) is not None:
        rows += zip(*(column.to_pylist() for column in batch.columns), strict=True)
    return rows


@settings(max_examples=20, deadline=None)
@given(rows=streams(), way=moves)
def test_a_table_is_a_stream_that_ends(rows: Batch, way: list[Move]) -> None:
    """GROUP BY over VALUES gives what the same GROUP BY over the stream gives, when one window holds all of it."""
    if not rows.num_rows:
        return
    columns: Mapping[str, list[Any]] = rows.to_pydict()
    values = ", ".join(
        f"(CAST({_literal(k)} AS VARCHAR(4)), CAST({_literal(v)} AS INTEGER))" for k, v in zip(columns["K"], columns["V"])
    )
    of_table = _table_rows(f"SELECT k, COUNT(*), SUM(v), FIRST_VALUE(v) FROM (VALUES {values}) AS t(k, v) GROUP BY k")
    query = "SELECT STREAM k, COUNT(*), SUM(v), FIRST_VALUE(v) FROM s GROUP BY k, FLOOR(s.ROWTIME TO DAY)"
    assert of_table == ours(query, rows, way)


def test_the_streams_are_there() -> None:
    """The application that these queries are put into is one that runs."""
    assert len(parsed(STREAMS)) == 2
