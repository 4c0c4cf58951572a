"""Random input for the property tests: rows, and the many ways in which the same rows can reach an engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
from applications import SCHEMA, STREAMS
from hypothesis import strategies as st
from session import Session, parsed

from streamsql.time import ManualClock, Time
from streamsql.types import Batch

START: Time = 1_577_872_800_000
"""2020-01-01 10:00:00: when the first row may come."""

EDGES = {-1: (10_000, 0), -2: (10_000, -1), -3: (60_000, 0), -4: (60_000, -1)}
"""Gaps that lead to the next edge of a window, or to the millisecond before it."""

GAPS = (0, 0, 0, 1, 499, 1_000, 5_000, 31_000, 60_000, 200_000, *EDGES)


def times_of_gaps(gaps: list[int]) -> list[Time]:
    """Times that lie these gaps apart."""
    times, time = [], START
    for gap in gaps:
        if gap in EDGES:
            width, shift = EDGES[gap]
            time = max(time, time - time % width + width + shift)
        else:
            time += gap
        times.append(time)
    return times


row = st.tuples(
    st.sampled_from(GAPS),
    st.sampled_from(["a", "b", "c", None]),
    st.sampled_from([None, 0, 1, 2, 3, 4, 5]),
    st.sampled_from([None, -1.5, 0.1, 0.2, 1e16, 3.0]),
    st.integers(-40_000, 10_000),
)


def batch_of(rows: list[tuple[int, str | None, int | None, float | None, int]]) -> Batch:
    """Rows whose ROWTIMEs are these gaps apart."""
    times = times_of_gaps([gap for gap, *_ in rows])
    columns = [(time, k, v, d, time + shift) for time, (_, k, v, d, shift) in zip(times, rows)]
    arrays = [pa.array([r[i] for r in columns], f.type.arrow()) for i, f in enumerate(SCHEMA.fields)]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA.arrow())


inputs = st.fixed_dictionaries({"S": st.lists(row, max_size=40).map(batch_of), "U": st.lists(row, max_size=25).map(batch_of)})
"""The rows of both streams."""


@dataclass(frozen=True)
class Move:
    """The next `rows` rows of `stream`, then perhaps a bound and a restart.

    `bound` says how far it lies between the last row and the next one; 0: none.
    """

    stream: str
    rows: int
    bound: float = 0
    restart: bool = False


moves = st.lists(
    st.builds(
        Move,
        st.sampled_from(["S", "U"]),
        st.integers(0, 12),
        st.sampled_from([0, 0.001, 0.5, 1.0]),
        st.booleans(),
    ),
    max_size=20,
)
"""A way in which rows can come: cut at will, the streams interleaved at will, with bounds and restarts between them."""


def feed(script: str, rows: Mapping[str, Batch], way: list[Move], rules: bool = True) -> tuple[list[pa.Table], list[list[int]]]:
    """Run an application: all rows of each of its queries, and how many there were after each move."""
    session = Session(ManualClock(START), rules)
    for statement in parsed(STREAMS + script):
        session.execute(statement)
    at = dict.fromkeys(rows, 0)
    counts: list[list[int]] = []
    for move in way:
        stream, start = move.stream, at[move.stream]
        stop = min(start + move.rows, rows[stream].num_rows)
        at[stream] = stop
        if stop > start:
            session.insert(stream, rows[stream].slice(start, stop - start))
        if move.bound:
            session.advance(stream, _between(rows[stream], stop, move.bound))
        if move.restart:
            session.restart()
        counts.append([reading.rows().num_rows for reading in session.readings])
    for stream, start in at.items():
        session.insert(stream, rows[stream].slice(start))
    session.end()
    assert all(reading.ended for reading in session.readings)
    return [reading.rows() for reading in session.readings], counts


def _between(rows: Batch, next_row: int, fraction: float) -> Time:
    """A promise that the rows keep: between the last one given and the next one."""
    times = rows.column(0).view(pa.int64()).to_pylist()
    last = times[next_row - 1] if next_row else START - 1000
    following = times[next_row] if next_row < len(times) else last + 3_600_000
    return last + int(fraction * (following - last))
