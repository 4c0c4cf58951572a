"""What is left out changes nothing: queries over files made at random, beside DuckDB on the same files, and beside a scan that
reads everything."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.external.lake import Lake

INTS = st.one_of(st.none(), st.integers(-3, 12))
WORDS = st.one_of(st.none(), st.sampled_from(["", "a", "ab", "abc", "b", "ba", "é", "z"]))
FLOATS = st.one_of(st.none(), st.sampled_from([-1.5, -0.0, 0.0, 0.25, 3.0, math.inf, -math.inf]))
DAYS = st.one_of(st.none(), st.integers(0, 9).map(lambda d: date(2024, 2, 25 + d) if d < 5 else date(2024, 3, d - 4)))
TIMES = st.one_of(st.none(), st.integers(0, 9).map(lambda h: datetime(2024, 3, 1, h, 30)))
TRUTHS = st.one_of(st.none(), st.booleans())


@dataclass(frozen=True)
class Kind:
    """A column: as it is declared, what files may hold of it, its values, and literals as SQL has them."""

    declared: str
    held: tuple[pa.DataType, ...]
    values: st.SearchStrategy[Any]
    literals: tuple[str, ...]


KINDS = {
    "i": Kind("bigint", (pa.int64(), pa.int32(), pa.int8()), INTS, ("0", "3", "7", "-1")),
    "n": Kind("int", (pa.int32(), pa.int16()), INTS, ("0", "5", "11")),
    "s": Kind("string", (pa.string(), pa.large_string()), WORDS, ("'a'", "'b'", "''", "'abz'")),
    "d": Kind("double", (pa.float64(), pa.float32()), FLOATS, ("CAST(0 AS DOUBLE)", "CAST(2.5 AS DOUBLE)")),
    "t": Kind("date", (pa.date32(),), DAYS, ("DATE '2024-02-27'", "DATE '2024-03-02'")),
    "m": Kind("timestamp", (pa.timestamp("ms"), pa.timestamp("us")), TIMES, ("TIMESTAMP '2024-03-01 04:30:00'",)),
    "b": Kind("boolean", (pa.bool_(),), TRUTHS, ("TRUE",)),
    "k": Kind("int", (), st.nothing(), ("1", "2")),
    "p": Kind("string", (), st.nothing(), ("'x'", "'y'")),
}
KEYS = ("k", "p")


@dataclass(frozen=True)
class File:
    partition: tuple[int, str]
    table: pa.Table
    group: int


@st.composite
def files(draw: st.DrawFn, values: dict[str, st.SearchStrategy[Any]]) -> File:
    """A file: some of the columns in any order, of types that may be narrower than declared."""
    names = draw(st.permutations([name for name in KINDS if name not in KEYS]))
    names = names[: draw(st.integers(1, len(names)))]
    count = draw(st.integers(0, 12))
    columns = {}
    for name in names:
        held = draw(st.sampled_from(KINDS[name].held))
        column = draw(st.lists(values[name], min_size=count, max_size=count))
        ordered = draw(st.booleans())
        if ordered:
            column = sorted(column, key=lambda v: (v is None, v if v is not None else 0))
        columns[name] = pa.array(column, held)
    partition = (draw(st.integers(1, 2)), draw(st.sampled_from("xy")))
    return File(partition, pa.table(columns), draw(st.integers(1, 6)))


@st.composite
def conditions(draw: st.DrawFn, depth: int = 2) -> str:
    if depth and draw(st.integers(0, 2)):
        parts = [draw(conditions(depth - 1)) for _ in range(2)]
        joined = f" {draw(st.sampled_from(['AND', 'OR']))} ".join(f"({part})" for part in parts)
        return f"NOT ({joined})" if draw(st.integers(0, 4)) == 0 else joined
    name = draw(st.sampled_from(list(KINDS)))
    kind = KINDS[name]
    literals = st.sampled_from(kind.literals)
    form = draw(st.integers(0, 6))
    if name == "b":
        return draw(st.sampled_from(["b", "NOT b", "b IS TRUE", "b IS NULL", "b IS NOT NULL"]))
    if form == 0:
        return f"{name} IS {draw(st.sampled_from(['', 'NOT ']))}NULL"
    if form == 1:
        return f"{name} IN ({draw(literals)}, {draw(literals)})"
    if form == 2:
        return f"{name} BETWEEN {draw(literals)} AND {draw(literals)}"
    if form == 3 and name in ("i", "n", "k"):
        return f"{draw(st.sampled_from(['i', 'n', 'k']))} {draw(st.sampled_from(['<', '=', '>=']))} {name}"
    if form == 4 and name == "s":
        return f"s LIKE '{draw(st.sampled_from(['a%', 'ab_', '%b', 'z']))}'"
    return f"{name} {draw(st.sampled_from(['=', '<>', '<', '<=', '>', '>=']))} {draw(literals)}"


QUERIES = (
    "SELECT {columns} FROM t WHERE {condition}",
    "SELECT COUNT(*), COUNT(i), SUM(i), MIN(s), MAX(t), MIN(d), MAX(m) FROM t WHERE {condition}",
    "SELECT p, k, COUNT(*), SUM(n), MAX(i) FROM t WHERE {condition} GROUP BY p, k",
    "SELECT s, COUNT(*) FROM t WHERE {condition} GROUP BY s HAVING COUNT(*) > 1",
    "SELECT {columns} FROM t WHERE {condition} AND p = 'x'",
    "SELECT DISTINCT s, p FROM (SELECT s, p, i FROM t WHERE {condition}) AS q WHERE i > 2",
)


def write(lake: Lake, made: Sequence[File]) -> list[str]:
    """The files, and a table over them; gives their paths."""
    paths = []
    for i, file in enumerate(made):
        path = f"b/t/k={file.partition[0]}/p={file.partition[1]}/{i}.parquet"
        lake.write(path, file.table, row_group_size=file.group)
        paths.append(str(lake.root / path))
    columns = ", ".join(f"{name} {kind.declared}" for name, kind in KINDS.items() if name not in KEYS)
    lake.run(f"CREATE EXTERNAL TABLE t ({columns}) PARTITIONED BY (k int, p string) STORED AS PARQUET LOCATION 's3://b/t'")
    lake.run("MSCK REPAIR TABLE t")
    return paths


def duck(paths: Sequence[str], query: str) -> list[tuple[Any, ...]]:
    """What DuckDB gives for the same files."""
    types = {"bigint": "BIGINT", "int": "INTEGER", "string": "VARCHAR", "double": "DOUBLE", "date": "DATE"}
    columns = ", ".join(f"CAST(NULL AS {types.get(k.declared, k.declared)}) AS {n}" for n, k in KINDS.items())
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE t AS SELECT {columns} WHERE FALSE")
        for path in paths:
            con.execute(f"INSERT INTO t BY NAME SELECT * FROM read_parquet('{path}', hive_partitioning = true)")
        return con.execute(query).fetchall()


def ordered(rows: Sequence[tuple[Any, ...]]) -> list[tuple[str, ...]]:
    return sorted(tuple(map(_text, row)) for row in rows)


def _text(value: Any) -> str:
    return str(value + 0.0) if isinstance(value, float) else str(value)


def column_lists() -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(list(KINDS)), min_size=1, max_size=4, unique=True).map(", ".join)


ASKED = st.lists(st.tuples(conditions(), column_lists()), min_size=1, max_size=3)
VALUES = {name: kind.values for name, kind in KINDS.items()}
WITH_NAN = {**VALUES, "d": st.one_of(FLOATS, st.just(math.nan))}


@settings(max_examples=60, deadline=None)
@given(st.lists(files(VALUES), min_size=1, max_size=5), ASKED, st.data())
def test_as_duckdb(made: list[File], asked: list[tuple[str, str]], data: st.DataObject) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        lake = Lake(folder)
        paths = write(lake, made)
        for condition, columns in asked:
            query = data.draw(st.sampled_from(QUERIES)).format(condition=condition, columns=columns)
            assert ordered(lake.rows(query)) == ordered(duck(paths, query)), query
    finally:
        shutil.rmtree(folder)


@settings(max_examples=40, deadline=None)
@given(st.lists(files(WITH_NAN), min_size=1, max_size=5), ASKED)
def test_as_when_everything_is_read(made: list[File], asked: list[tuple[str, str]]) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        lake = Lake(folder)
        write(lake, made)
        for condition, columns in asked:
            query = f"SELECT {columns} FROM t WHERE {condition}"
            found = [tuple(map(str, row)) for row in lake.rows(query)]
            assert found == [tuple(map(str, row)) for row in lake.rows(query, rules=False)], query
            counts = lake.counts(query)
            assert counts.rows_given == len(found)
            assert counts.row_groups_read <= counts.row_groups
    finally:
        shutil.rmtree(folder)
