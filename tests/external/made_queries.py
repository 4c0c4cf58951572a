"""Tables made at random, in files of every format, and queries over them made at random."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from tests.external.lake import Lake

COLUMNS: dict[str, tuple[str, pa.DataType, st.SearchStrategy[Any], tuple[str, ...]]] = {
    "i": ("int", pa.int32(), st.sampled_from([-1, 0, 1, 2, 3]), ("0", "1", "2")),
    "b": ("bigint", pa.int64(), st.sampled_from([0, 1, 2, 2**40]), ("1", "1099511627776")),
    "s": ("string", pa.string(), st.sampled_from(["", "a", "ab", "b", "é"]), ("'a'", "'b'", "''")),
    "d": ("double", pa.float64(), st.sampled_from([-1.5, 0.0, 0.25, 1.0, 3.0]), ("0.25", "1.0")),
    "m": ("decimal(8,2)", pa.decimal128(8, 2), st.sampled_from([Decimal(n) / 4 for n in range(-4, 9)]), ("0.25", "1")),
    "day": ("date", pa.date32(), st.sampled_from([date(2024, 2, n) for n in (27, 28, 29)]), ("'2024-02-28'",)),
    "ts": ("timestamp", pa.timestamp("ms"), st.sampled_from([datetime(2024, 3, n) for n in (1, 2, 3)]), ("'2024-03-02'",)),
    "f": ("boolean", pa.bool_(), st.booleans(), ("TRUE",)),
    "k": ("int", pa.int32(), st.sampled_from([0, 1, 2]), ("0", "1")),
}  # fmt: skip
"""The columns: as they are declared, as files have them, their values, and literals as SQL has them; k is the partition key."""

FORMATS = {
    "parquet": "STORED AS PARQUET",
    "json": "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'",
    "csv": "ROW FORMAT DELIMITED FIELDS TERMINATED BY '|'",
}


@dataclass(frozen=True)
class Made:
    """The files of a table: its rows in parts, each in a partition, their format, and how many rows a row group has."""

    format: str
    parts: tuple[pa.Table, ...]
    group: int

    @property
    def rows(self) -> pa.Table:
        return pa.concat_tables(self.parts)


def tables(with_nan: bool = False) -> st.SearchStrategy[Made]:
    """Up to three files of a table, some of them empty; NaN is only in Parquet."""
    values = {name: st.one_of(st.none(), column[2]) for name, column in COLUMNS.items() if name != "k"}
    if with_nan:
        values["d"] = st.one_of(values["d"], st.sampled_from([math.nan, math.inf]))
    row = st.fixed_dictionaries(values)
    part = st.builds(_table, st.lists(row, max_size=7), COLUMNS["k"][2])
    formats = ["parquet"] if with_nan else sorted(FORMATS)
    return st.builds(Made, st.sampled_from(formats), st.lists(part, min_size=1, max_size=3).map(tuple), st.integers(1, 4))


def _table(rows: list[dict[str, Any]], key: int) -> pa.Table:
    schema = pa.schema([(name, column[1]) for name, column in COLUMNS.items()], {"k": str(key)})
    return pa.Table.from_pylist([{**row, "k": key} for row in rows], schema)


def write(lake: Lake, name: str, made: Made) -> None:
    """The files, and the table over them."""
    for i, table in enumerate(made.parts):
        path, part = f"b/{name}/k={table.schema.metadata[b'k'].decode()}/{i}.{made.format}", table.drop_columns("k")
        if made.format == "parquet":
            lake.write(path, part, row_group_size=made.group)
        elif made.format == "json":
            lake.json(path, *({k: _json(v) for k, v in row.items()} for row in part.to_pylist()))
        else:
            lake.text(path, "".join("|".join(map(_text, row.values())) + "\n" for row in part.to_pylist()))
    columns = ", ".join(f"{column} {of[0]}" for column, of in COLUMNS.items() if column != "k")
    lake.run(f"CREATE EXTERNAL TABLE {name} ({columns}) PARTITIONED BY (k int) {FORMATS[made.format]} LOCATION 's3://b/{name}'")
    lake.run(f"MSCK REPAIR TABLE {name}")


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return str(value) if isinstance(value, (date, Decimal)) else value


def _text(value: Any) -> str:
    if value is None:
        return r"\N"
    return str(value).lower() if isinstance(value, bool) else str(_json(value))


# -- queries -------------------------------------------------------------------------------------------------------------------

Columns = list[tuple[str, str]]
"""Expressions, and the columns of `COLUMNS` that they are like."""

SUMS = {"i": "b", "k": "b", "d": "d", "m": "m"}
COMPARISONS = ["=", "<>", "<", "<=", ">", ">="]


@dataclass(frozen=True)
class Query:
    """A query, and what its columns are like; they are called c0, c1, ..."""

    sql: str
    kinds: tuple[str, ...]


@st.composite
def relations(draw: st.DrawFn, names: Iterator[int], depth: int) -> tuple[str, Columns]:
    """An item of FROM, and its columns."""
    form = draw(st.integers(0, 5)) if depth else 0
    if form <= 2:
        alias = f"a{next(names)}"
        table = draw(st.sampled_from("tu"))
        return f"{table} AS {alias}", [(f"{alias}.{column}", column) for column in COLUMNS]
    if form == 3:
        alias, query = f"a{next(names)}", draw(queries(names, depth - 1))
        return f"({query.sql}) AS {alias}", [(f"{alias}.c{i}", kind) for i, kind in enumerate(query.kinds)]
    left, columns = draw(relations(names, depth - 1))
    right, others = draw(relations(names, 0))
    kind = draw(st.sampled_from(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN"]))
    if kind == "CROSS JOIN":
        return f"{left} CROSS JOIN {right}", columns + others
    equal = [(x, y) for x, k in columns for y, other in others if k == other]
    condition = " = ".join(draw(st.sampled_from(equal))) if equal else draw(conditions(columns + others, 0))
    if kind == "JOIN" or draw(st.booleans()):
        more = draw(conditions(columns + others, 1)) if draw(st.integers(0, 3)) == 0 else None
        condition = f"{condition} AND ({more})" if more else condition
    return f"{left} {kind} {right} ON {condition}", columns + others


@st.composite
def values(draw: st.DrawFn, columns: Columns, kind: str | None = None) -> tuple[str, str]:
    """An expression over columns, and what it is like."""
    fitting = [column for column in columns if kind is None or column[1] == kind]
    if not fitting:
        return draw(st.sampled_from(COLUMNS[kind or "i"][3])), kind or "i"
    expression, kind = draw(st.sampled_from(fitting))
    match draw(st.integers(0, 7)):
        case 0 if kind in ("i", "b"):
            return f"({expression} + 1)", "b"
        case 0 if kind in ("s", "d", "i", "m"):
            return f"COALESCE({expression}, {draw(st.sampled_from(COLUMNS[kind][3]))})", kind if kind != "m" else "d"
        case 1 if kind == "s":
            return f"UPPER({expression})", "s"
        case 1 if kind in ("i", "s", "day"):
            return f"CASE WHEN {draw(conditions(columns, 0))} THEN {expression} END", kind
        case 2 if kind == "s":
            return f"({expression} || 'x')", "s"
        case _:
            return expression, kind


@st.composite
def conditions(draw: st.DrawFn, columns: Columns, depth: int = 1) -> str:
    if depth and draw(st.booleans()):
        parts = [draw(conditions(columns, depth - 1)) for _ in range(2)]
        joined = f"({parts[0]} {draw(st.sampled_from(['AND', 'OR']))} {parts[1]})"
        return f"NOT {joined}" if draw(st.integers(0, 4)) == 0 else joined
    expression, kind = draw(st.sampled_from(columns))
    literals = st.sampled_from(COLUMNS[kind][3])
    match draw(st.integers(0, 6)):
        case 0:
            return f"{expression} IS {draw(st.sampled_from(['', 'NOT ']))}NULL"
        case 1 if kind != "f":
            return f"{expression} {draw(st.sampled_from(['', 'NOT ']))}IN ({draw(literals)}, {draw(literals)})"
        case 2 if kind != "f":
            return f"{expression} BETWEEN {draw(literals)} AND {draw(literals)}"
        case 3 if kind == "s":
            pattern = draw(st.sampled_from(["a%", "_", "%B", "%"]))
            return f"{expression} {draw(st.sampled_from(['LIKE', 'ILIKE', 'NOT LIKE']))} '{pattern}'"
        case 4:
            return f"{expression} IS {draw(st.sampled_from(['', 'NOT ']))}DISTINCT FROM {draw(literals)}"
        case 5:
            other, _ = draw(st.sampled_from([column for column in columns if column[1] == kind]))
            return f"{expression} {draw(st.sampled_from(COMPARISONS))} {other}"
        case _:
            return f"{expression} {draw(st.sampled_from(COMPARISONS))} {draw(literals)}"


@st.composite
def subqueries(draw: st.DrawFn, columns: Columns, names: Iterator[int]) -> str:
    """A condition with a subquery, which may be tied to the query around it."""
    alias, table = f"a{next(names)}", draw(st.sampled_from("tu"))
    own: Columns = [(f"{alias}.{column}", column) for column in COLUMNS]
    ties = [f"{x} = {y}" for x, kind in columns for y, other in own if kind == other and kind in ("i", "s", "day")]
    tie = draw(st.sampled_from(ties)) if ties and draw(st.booleans()) else "TRUE"
    where = f"FROM {table} AS {alias} WHERE {tie} AND {draw(conditions(own))}"
    expression, kind = draw(st.sampled_from([column for column in columns if column[1] != "f"]))
    inner = draw(st.sampled_from([x for x, other in own if other == kind]))
    match draw(st.integers(0, 3)):
        case 0:
            return f"{draw(st.sampled_from(['', 'NOT ']))}EXISTS (SELECT 1 {where})"
        case 1:
            return f"{expression} {draw(st.sampled_from(['', 'NOT ']))}IN (SELECT {inner} {where})"
        case 2:
            name = draw(st.sampled_from(["MIN", "MAX"]))
            return f"{expression} {draw(st.sampled_from(COMPARISONS))} (SELECT {name}({inner}) {where})"
        case _:
            return f"(SELECT COUNT(*) {where}) {draw(st.sampled_from(COMPARISONS))} 1"


@st.composite
def aggregates(draw: st.DrawFn, columns: Columns) -> tuple[str, str]:
    expression, kind = draw(values(columns))
    distinct = draw(st.sampled_from(["", "", "DISTINCT "]))
    form = draw(st.integers(0, 4))
    if form == 0:
        return "COUNT(*)", "b"
    if form == 1:
        call, like = f"COUNT({distinct}{expression})", "b"
    elif form == 2 and kind in SUMS:
        call, like = f"SUM({distinct}{expression})", SUMS[kind]
    elif form == 3 and kind in ("i", "d"):
        call, like = f"AVG({distinct}{expression})", "d"
    else:
        expression, kind = (expression, kind) if kind != "f" else draw(values(columns, "i"))
        call, like = f"{draw(st.sampled_from(['MIN', 'MAX']))}({expression})", kind
    return (f"{call} FILTER (WHERE {draw(conditions(columns, 0))})", like) if draw(st.integers(0, 4)) == 0 else (call, like)


@st.composite
def windows(draw: st.DrawFn, columns: Columns) -> tuple[str, str]:
    """A call with OVER that does not depend on the order of equal rows."""
    partition = f"PARTITION BY {draw(st.sampled_from(columns))[0]} " if draw(st.booleans()) else ""
    order = f"{draw(st.sampled_from(columns))[0]} {draw(st.sampled_from(['NULLS FIRST', 'DESC NULLS LAST', 'NULLS LAST']))}"
    if draw(st.booleans()):
        name = draw(st.sampled_from(["RANK()", "DENSE_RANK()"]))
        return f"{name} OVER ({partition}ORDER BY {order})", "b"
    call, kind = draw(aggregates(columns))
    frame = draw(st.sampled_from(["", " RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING", " RANGE UNBOUNDED PRECEDING"]))
    return f"{call} OVER ({partition}{draw(st.sampled_from(['', f'ORDER BY {order}{frame}']))})", kind


@st.composite
def queries(draw: st.DrawFn, names: Iterator[int], depth: int = 2) -> Query:
    """A query of any form; its columns are called c0, c1, ..."""
    if depth and draw(st.integers(0, 4)) == 0:
        return draw(set_operations(names, depth - 1))
    source, columns = draw(relations(names, depth))
    where = " WHERE " + draw(conditions(columns)) if draw(st.booleans()) else ""
    if draw(st.integers(0, 3)) == 0:
        where = f"{where or ' WHERE TRUE'} AND {draw(subqueries(columns, names))}"
    if draw(st.booleans()):
        items = [draw(values(columns)) for _ in range(draw(st.integers(1, 3)))]
        if draw(st.integers(0, 3)) == 0:
            items.append(draw(windows(columns)))
        word = draw(st.sampled_from(["", "", "DISTINCT "]))
        return Query(f"SELECT {word}{_listed(items)} FROM {source}{where}", tuple(kind for _, kind in items))
    keys = [draw(values(columns)) for _ in range(draw(st.integers(0, 2)))]
    calls = [draw(aggregates(columns)) for _ in range(draw(st.integers(1, 2)))]
    group = f" GROUP BY {', '.join(key for key, _ in keys)}" if keys else ""
    having = f" HAVING {draw(conditions(calls, 0))}" if draw(st.integers(0, 3)) == 0 else ""
    items = keys + calls
    return Query(f"SELECT {_listed(items)} FROM {source}{where}{group}{having}", tuple(kind for _, kind in items))


@st.composite
def set_operations(draw: st.DrawFn, names: Iterator[int], depth: int) -> Query:
    left = draw(queries(names, depth))
    operator = draw(st.sampled_from(["UNION", "UNION ALL", "EXCEPT", "INTERSECT", "EXCEPT ALL", "INTERSECT ALL"]))
    source, columns = draw(relations(names, 0))
    items = [draw(values(columns, kind)) for kind in left.kinds]
    if [kind for _, kind in items] != list(left.kinds):
        items = [(next(x for x, k in columns if k == kind), kind) for kind in left.kinds]
    return Query(f"({left.sql}) {operator} (SELECT {_listed(items)} FROM {source})", left.kinds)


def _listed(items: Columns) -> str:
    return ", ".join(f"{expression} AS c{i}" for i, (expression, _) in enumerate(items))


def made_queries() -> st.SearchStrategy[Query]:
    return st.builds(count).flatmap(lambda names: queries(names))
