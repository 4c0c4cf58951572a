"""Queries over tables made at random, and what DuckDB says of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import pyarrow as pa
from hypothesis import strategies as st

from streamsql.catalog import Table
from streamsql.engine.engine import Engine
from streamsql.time import ManualClock
from streamsql.types import BIGINT, DOUBLE, INTEGER, Field, Schema, decimal, varchar

SCHEMA = Schema((Field("K", varchar(4)), Field("V", INTEGER), Field("D", DOUBLE)))
CONNECTION = duckdb.connect()

row = st.tuples(
    st.sampled_from(["a", "b", "c", "ab", None]),
    st.sampled_from([None, -1, 0, 1, 2, 3]),
    st.sampled_from([None, -1.5, 0.0, 1.0, 2.0]),
)
tables = st.lists(row, max_size=15).map(
    lambda rows: pa.table(
        [pa.array([r[i] for r in rows], f.type.arrow()) for i, f in enumerate(SCHEMA.fields)], schema=SCHEMA.arrow()
    )
)


def ours(query: str, use_rules: bool = True, **named: pa.Table) -> list[tuple[Any, ...]]:
    """The rows of a query over tables of these names."""
    engine = Engine(clock=ManualClock(0), use_rules=use_rules)
    for name, rows in named.items():
        engine.catalog.relations[name.upper()] = Table(name.upper(), _schema(rows), rows)
    queue = engine.execute_script(query)[0].rows
    assert queue is not None
    found: list[tuple[Any, ...]] = []
    while (batch := queue.take()) is not None:
        batch.validate(full=True)
        found += zip(*(column.to_pylist() for column in batch.columns), strict=True)
    return found


TYPES = {field.name: field.type for field in SCHEMA.fields} | {"I": INTEGER, "B": BIGINT, "M": decimal(10, 1)}
"""The types of the columns of tables, by their names."""


def _schema(rows: pa.Table) -> Schema:
    return Schema(tuple(Field(name, TYPES[name]) for name in rows.column_names))


def theirs(query: str, **named: pa.Table) -> list[tuple[Any, ...]]:
    """The rows that DuckDB gives."""
    cursor = CONNECTION.cursor()
    for name, rows in named.items():
        cursor.register(name, rows)
    return list(cursor.sql(query).fetchall())


def check(query: str, ordered: bool = False, theirs_is: str | None = None, **named: pa.Table) -> None:
    """The same rows as DuckDB's, with the plan's rules and without; `theirs_is`: as DuckDB spells the query."""
    wanted = theirs(theirs_is or query, **named)
    for rules in (True, False):
        given = ours(query, rules, **named)
        assert given == wanted if ordered else _in_order(given) == _in_order(wanted)


def _in_order(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=repr)
