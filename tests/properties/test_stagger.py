"""WINDOWED BY STAGGER against the obvious computation: row by row, a dictionary of open windows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import pyarrow as pa
from feeding import START, Move, batch_of, feed, inputs, moves
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.functions.aggregates import distinct
from streamsql.types import Batch

LENGTHS = (1, 500, 5_000, 10_000, 60_000)

QUERY = """SELECT STREAM ROWTIME, {keys}, COUNT(*), SUM(v), MIN(d), MAX(k), FIRST_VALUE(v), LAST_VALUE(d), FIRST_VALUE(t),
    COUNT(DISTINCT v), SUM(DISTINCT v) FILTER (WHERE v > 1)
FROM s WINDOWED BY STAGGER (PARTITION BY {keys} RANGE INTERVAL '{length}' SECOND)"""


@dataclass
class Window:
    end: int
    key: tuple[Any, ...]
    rows: list[dict[str, Any]] = field(default_factory=list)

    def result(self) -> tuple[Any, ...]:
        v = [row["V"] for row in self.rows if row["V"] is not None]
        d = [row["D"] for row in self.rows if row["D"] is not None]
        k = [row["K"] for row in self.rows if row["K"] is not None]
        first, last = self.rows[0], self.rows[-1]
        values = (len(self.rows), sum(v) if v else None, min(d, default=None), max(k, default=None))
        distinct = (len(set(v)), sum({x for x in v if x > 1}) or None)
        return (self.end, *self.key, *values, first["V"], last["D"], first["T"], *distinct)


def expected(rows: Batch, keys: list[str], length: int) -> list[tuple[Any, ...]]:
    windows: list[Window] = []
    opened: dict[tuple[Any, ...], Window] = {}
    for row, time in zip(rows.to_pylist(), rows.column(0).view(pa.int64()).to_pylist()):
        key = tuple(row[name] for name in keys)
        window = opened.get(key)
        if window is None or time >= window.end:
            window = opened[key] = Window(time + length, key)
            windows.append(window)
        window.rows.append(row)
    return [window.result() for window in windows]


def given_(table: pa.Table) -> list[tuple[Any, ...]]:
    return list(zip(table.column(0).combine_chunks().view(pa.int64()).to_pylist(), *(c.to_pylist() for c in table.columns[1:])))


@settings(max_examples=40, deadline=None)
@given(inputs, moves, st.sampled_from(LENGTHS), st.sampled_from([["K"], ["V"], ["K", "V"], ["D"]]), st.booleans())
def test_the_windows_of_every_key(rows: dict[str, Batch], way: list[Move], length: int, keys: list[str], forgets: bool) -> None:
    """However the rows come: the windows in the order in which they open, each with its rows."""
    with patch.object(distinct, "LEAST_VALUES", 1 if forgets else 1024):
        [result], _ = feed(QUERY.format(keys=", ".join(keys), length=length / 1000), rows, way)
    assert given_(result) == expected(rows["S"], keys, length)


def test_many_keys_come_and_go() -> None:
    """Keys without a window are forgotten, and those with one are not."""
    rows = batch_of([(20 if n % 7 else 0, f"{n % 900 * 7 % 1000}", n, None, 0) for n in range(6_000)])
    way = [Move("S", 700, 0.5, restart=n % 3 == 0) for n in range(7)]
    query = QUERY.format(keys="k, v", length=10)
    [result], _ = feed(query, {"S": rows, "U": rows.slice(0, 0)}, way)
    assert given_(result) == expected(rows, ["K", "V"], 10_000)
    assert rows.column(0)[0].value == START
