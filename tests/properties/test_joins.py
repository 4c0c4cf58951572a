"""Joins of streams against the obvious computation, however the rows come."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pyarrow as pa
from applications import STREAMS
from feeding import START, Move, batch_of, feed, inputs, moves
from hypothesis import given, settings
from hypothesis import strategies as st
from join_oracle import Condition, Row, Stream, Window, combinations, joined, joined_again
from session import Session, parsed

from streamsql.run.operators import join, join_rows
from streamsql.time import ManualClock
from streamsql.types import Batch

WINDOWS = st.sampled_from(
    [Window("RANGE", n) for n in (0, 1, 500, 5_000, 10_000, 60_000)]
    + [Window("ROWS", n) for n in (0, 1, 3)]
    + [Window("RANGE", None)]
)


KINDS = st.sampled_from(["INNER", "LEFT", "RIGHT", "FULL"])


def equal(x: Any, y: Any) -> bool:
    return x is not None and x == y


def less(x: Any, y: Any) -> bool:
    return x is not None and y is not None and x < y


CONDITIONS: dict[str, Condition] = {
    "x.k = y.k": lambda x, y: equal(x["K"], y["K"]),
    "x.k = y.k AND y.v = x.v": lambda x, y: equal(x["K"], y["K"]) and equal(x["V"], y["V"]),
    "x.k = y.k AND x.v < y.v": lambda x, y: equal(x["K"], y["K"]) and less(x["V"], y["V"]),
    "x.k = 'a' AND y.v > 1 AND x.v + 1 = y.v": lambda x, y: (
        x["K"] == "a" and less(1, y["V"]) and x["V"] is not None and equal(x["V"] + 1, y["V"])
    ),
    "x.d < y.d": lambda x, y: less(x["D"], y["D"]),
    "x.v = y.d": lambda x, y: equal(x["V"], y["D"]),
    "x.ROWTIME = y.ROWTIME": lambda x, y: x["ROWTIME"] == y["ROWTIME"],
    "x.k = y.k AND ROWTIME = y.ROWTIME": lambda x, y: equal(x["K"], y["K"]) and y["ROWTIME"] >= x["ROWTIME"],
    "TRUE": lambda *_: True,
}

CHAINS: dict[str, Condition] = {
    "x.k = y.k AND y.k = z.k": lambda x, y, z: equal(x["K"], y["K"]) and equal(y["K"], z["K"]),
    "x.k = z.k AND y.v = z.v": lambda x, y, z: equal(x["K"], z["K"]) and equal(y["V"], z["V"]),
    "x.k = y.k AND x.v = z.v AND z.k = y.k": lambda x, y, z: (
        equal(x["K"], y["K"]) and equal(x["V"], z["V"]) and equal(y["K"], z["K"])
    ),
    "x.k = y.k AND z.v > x.v + 1": lambda x, y, z: equal(x["K"], y["K"]) and x["V"] is not None and less(x["V"] + 1, z["V"]),
    "x.k = y.k AND x.v = y.v AND x.v = z.v AND y.v < 4 AND x.v = y.d": lambda x, y, z: (
        equal(x["K"], y["K"]) and equal(x["V"], y["V"]) and equal(x["V"], z["V"]) and less(y["V"], 4) and equal(x["V"], y["D"])
    ),
}


def rows_of(batch: Batch) -> tuple[list[int], list[Row]]:
    return batch.column(0).view(pa.int64()).to_pylist(), batch.to_pylist()


def tuples(table: pa.Table) -> list[tuple[Any, ...]]:
    columns = [c.combine_chunks().view(pa.int64()) if pa.types.is_timestamp(c.type) else c for c in table.columns]
    return list(zip(*(column.to_pylist() for column in columns)))


def expected(found: list[tuple[int, tuple[int | None, ...]]], streams: list[Stream]) -> list[tuple[Any, ...]]:
    result = []
    for t, chosen in found:
        values: list[Any] = [t]
        for i, stream in zip(chosen, streams):
            row = None if i is None else stream.rows[i]
            values += [None, None, None] if row is None or i is None else [stream.times[i], row["K"], row["V"]]
        result.append(tuple(values))
    return result


OUTER_CHAINS: dict[str, Condition] = {
    "z.k = x.k": lambda x, y, z: x is not None and equal(x["K"], z["K"]),
    "z.k = y.k": lambda x, y, z: y is not None and equal(y["K"], z["K"]),
    "z.k = COALESCE(x.k, y.k) AND z.v > 1": lambda x, y, z: (
        less(1, z["V"]) and equal(x["K"] if x is not None and x["K"] is not None else y and y["K"], z["K"])
    ),
    "y.k IS NULL": lambda x, y, z: y is None or y["K"] is None,
}

COLUMNS = "{0}.ROWTIME, {0}.k, {0}.v"


@contextmanager
def small(very: bool) -> Iterator[None]:
    """A join that finds the matches of few rows together, and soon forgets keys."""
    with patch.object(join_rows, "ROUND", 2 if very else 16_384), patch.object(join, "_LEAST_KEYS", 2 if very else 4_096):
        yield


@settings(max_examples=60, deadline=None)
@given(inputs, moves, WINDOWS, WINDOWS, KINDS, st.sampled_from(sorted(CONDITIONS)), st.booleans())
def test_two_streams(rows: dict[str, Batch], way: list[Move], x: Window, y: Window, kind: str, on: str, rounds: bool) -> None:
    columns = ", ".join(COLUMNS.format(name) for name in "xy")
    with small(rounds):
        [result], _ = feed(f"SELECT STREAM ROWTIME, {columns} FROM s {x.sql} AS x {kind} JOIN u {y.sql} AS y ON {on}", rows, way)
    streams = [Stream(*rows_of(rows["S"]), x), Stream(*rows_of(rows["U"]), y)]
    wanted = expected(joined(*streams, kind, CONDITIONS[on]), streams)
    if kind == "FULL":  # which of two unmatched rows of one ROWTIME comes first is not laid down
        assert sorted(tuples(result), key=repr) == sorted(wanted, key=repr)
    else:
        assert tuples(result) == wanted


@settings(max_examples=25, deadline=None)
@given(inputs, moves, WINDOWS, WINDOWS, WINDOWS, st.sampled_from(sorted(CHAINS)), st.booleans())
def test_three_streams(rows: dict[str, Batch], way: list[Move], x: Window, y: Window, z: Window, on: str, commas: bool) -> None:
    """One of them with itself; with commas the condition is in WHERE."""
    few = {name: batch.slice(0, 15) for name, batch in rows.items()}
    columns = ", ".join(COLUMNS.format(name) for name in "xyz")
    first, second = (",", ",") if commas else (" JOIN", " JOIN")
    source = f"FROM s {x.sql} AS x{first} u {y.sql} AS y{second} s {z.sql} AS z {'WHERE' if commas else 'ON'} {on}"
    [result], _ = feed(f"SELECT STREAM ROWTIME, {columns} {source}", few, way)
    s, u = rows_of(few["S"]), rows_of(few["U"])
    streams = [Stream(*s, x), Stream(*u, y), Stream(*s, z)]
    assert tuples(result) == expected(combinations(streams, CHAINS[on]), streams)


RANGES = st.sampled_from([Window("RANGE", n) for n in (0, 500, 5_000, 10_000, 60_000)])


@settings(max_examples=30, deadline=None)
@given(inputs, moves, RANGES, RANGES, RANGES, KINDS, KINDS, st.sampled_from(sorted(OUTER_CHAINS)))
def test_outer_joins_of_three(
    rows: dict[str, Batch], way: list[Move], x: Window, y: Window, z: Window, first: str, second: str, on: str
) -> None:
    if first == second == "INNER":
        second = "LEFT"
    few = {name: batch.slice(0, 12) for name, batch in rows.items()}
    columns = ", ".join(COLUMNS.format(name) for name in "xyz")
    source = f"FROM s {x.sql} AS x {first} JOIN u {y.sql} AS y ON x.k = y.k {second} JOIN s {z.sql} AS z ON {on}"
    [result], _ = feed(f"SELECT STREAM ROWTIME, {columns} {source}", few, way)
    s, u = rows_of(few["S"]), rows_of(few["U"])
    streams = [Stream(*s, x), Stream(*u, y), Stream(*s, z)]
    wanted = joined_again(streams, first, CONDITIONS["x.k = y.k"], second, OUTER_CHAINS[on])
    assert tuples(result) == expected(wanted, streams)


def test_what_has_left_its_window_is_forgotten() -> None:
    """The state of a join is its windows, however long it runs and however many keys it has seen."""
    session = Session(ManualClock(START))
    windows = [f"OVER (RANGE INTERVAL '{n}' SECOND PRECEDING)" for n in (1, 2)]
    query = f"SELECT STREAM s.v FROM s {windows[0]} LEFT JOIN u {windows[1]} ON s.v = u.v;"
    for statement in parsed(STREAMS + query):
        session.execute(statement)
    [operator] = [v.operator for v in session.engine.pipeline.vertices.values() if isinstance(v.operator, join.Join)]
    for n in range(60):
        rows = batch_of([(n * 5_000 if i == 0 else 1, "a", n * 1_000 + i, None, 0) for i in range(1_000)])
        session.insert("S", rows)
        session.insert("U", rows)
    sizes = {name: state.save().num_rows for name, state in operator.state.items()}
    assert all(size <= 10_000 for size in sizes.values()), sizes
    assert session.readings[0].rows().num_rows == 59_999
