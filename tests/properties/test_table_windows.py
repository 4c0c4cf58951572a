"""OVER on tables, as DuckDB has it."""

from __future__ import annotations

import math
from decimal import Decimal

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from table_oracle import ours, tables, theirs

AGGREGATES = [
    "COUNT(*)",
    "COUNT(v)",
    "SUM(v)",
    "SUM(d)",
    "AVG(d)",
    "MIN(v)",
    "MAX(k)",
    "MIN(d)",
    "VAR_POP(d)",
    "STDDEV_SAMP(v)",
    "COUNT(DISTINCT v)",
    "SUM(DISTINCT d)",
    "SUM(v) FILTER (WHERE d > 0)",
    "COUNT_IF(d > 0)",
    "MAX_BY(v, d)",
    "MIN_BY(k, i) FILTER (WHERE d > 0)",
    "FIRST_VALUE(v)",
    "LAST_VALUE(k)",
    "NTH_VALUE(d, 2)",
]
THEIRS = {"COUNT_IF(d > 0)": "COUNT(*) FILTER (d > 0)", "MAX_BY": "ARG_MAX_NULL", "MIN_BY": "ARG_MIN_NULL"}
"""What DuckDB calls that gives no NULL of no rows, and passes over no rows for a NULL beside the key."""

IGNORING = ["FIRST_VALUE(v{})", "LAST_VALUE(k{})", "NTH_VALUE(v, 2{})", "LAG(v{})", "LEAD(k, 2{})"]
RANKS = [
    "ROW_NUMBER()",
    "RANK()",
    "DENSE_RANK()",
    "PERCENT_RANK()",
    "CUME_DIST()",
    "NTILE(3)",
    "LAG(v)",
    "LAG(v, 2)",
    "LAG(k, 1, 'none')",
    "LEAD(d)",
    "LEAD(v, 2, v)",
    "LEAD(v, 0)",
]
KEYS = {
    "k": "k NULLS LAST",
    "v": "v NULLS LAST",
    "v DESC": "v DESC NULLS FIRST",
    "d": "d NULLS LAST",
    "d DESC": "d DESC NULLS FIRST",
    "d NULLS FIRST": "d NULLS FIRST",
    "v DESC NULLS LAST": "v DESC NULLS LAST",
}
starts = ["UNBOUNDED PRECEDING", "2 PRECEDING", "1 PRECEDING", "CURRENT ROW", "1 FOLLOWING"]
ends = ["1 PRECEDING", "CURRENT ROW", "1 FOLLOWING", "2 FOLLOWING", "UNBOUNDED FOLLOWING"]
FRAMES = [f"BETWEEN {start} AND {end}" for start in starts for end in ends if (start, end) != ("1 FOLLOWING", "1 PRECEDING")]
FRAMES = [f for f in FRAMES if f not in ("BETWEEN CURRENT ROW AND 1 PRECEDING", "BETWEEN 1 FOLLOWING AND CURRENT ROW")]

partitions = st.sampled_from(["", "PARTITION BY k ", "PARTITION BY v IS NULL, d "])


def check(calls: list[str], window: str, their_window: str, their_calls: list[str], rows: pa.Table) -> None:
    """Rows that are equal in all keys are told apart by their number."""
    numbered = rows.append_column("I", pa.array(range(rows.num_rows), pa.int32()))
    shown = ", ".join(f"{call} OVER ({window})" for call in calls)
    for own, other in THEIRS.items():
        their_calls = [call.replace(own, other) for call in their_calls]
    shown_there = ", ".join(f"{call} OVER ({their_window})" for call in their_calls)
    wanted = theirs(f"SELECT i, {shown_there} FROM r ORDER BY i", r=numbered)
    given_rows = ours(f"SELECT i, {shown} FROM r", r=numbered)
    assert len(given_rows) == len(wanted)
    for one, other in zip(given_rows, wanted):
        assert all(map(_same, one, other)), f"{one} is not {other}"


def _same(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return one == other


@settings(max_examples=80, deadline=None)
@given(
    tables,
    st.lists(st.sampled_from(AGGREGATES), min_size=1, max_size=3),
    partitions,
    st.sampled_from(sorted(KEYS)),
    st.sampled_from(FRAMES),
)
def test_rows(rows: pa.Table, calls: list[str], partition: str, key: str, frame: str) -> None:
    check(calls, f"{partition}ORDER BY {key}, i ROWS {frame}", f"{partition}ORDER BY {KEYS[key]}, i ROWS {frame}", calls, rows)


@settings(max_examples=80, deadline=None)
@given(
    tables,
    st.lists(st.sampled_from(AGGREGATES[:14]), min_size=1, max_size=3),
    partitions,
    st.sampled_from(["v", "v DESC", "d", "d DESC", "d NULLS FIRST", "v DESC NULLS LAST"]),
    st.sampled_from(["", *(f"RANGE {f}" for f in FRAMES)]),
)
def test_range(rows: pa.Table, calls: list[str], partition: str, key: str, frame: str) -> None:
    check(calls, f"{partition}ORDER BY {key} {frame}", f"{partition}ORDER BY {KEYS[key]} {frame}", calls, rows)


EDGES = [None, -(2**63), 1 - 2**63, -1, 0, 1, 2**63 - 2, 2**63 - 1]
measured = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.sampled_from([None, -1.5, 0.0, 1.0, 1.5, math.inf, -math.inf, math.nan]),
        st.one_of(st.none(), st.integers(-12, 12).map(lambda n: Decimal(n).scaleb(-1))),
        st.sampled_from(EDGES),
    ),
    max_size=12,
).map(lambda rows: pa.table([pa.array([r[i] for r in rows], t) for i, t in enumerate(MEASURED.values())], list(MEASURED)))
MEASURED = {"K": pa.string(), "D": pa.float64(), "M": pa.decimal128(10, 1), "B": pa.int64()}
ASCENDING = ["1 PRECEDING", "0.1 PRECEDING", "CURRENT ROW", "0.5 FOLLOWING", "1 FOLLOWING"]


@settings(max_examples=80, deadline=None)
@given(
    measured,
    st.sampled_from(["", "PARTITION BY k "]),
    st.sampled_from("dmb"),
    st.sampled_from(["NULLS LAST", "DESC NULLS FIRST", "NULLS FIRST", "DESC NULLS LAST"]),
    st.lists(st.sampled_from(range(5)), min_size=2, max_size=2).map(sorted),
)
def test_distances(rows: pa.Table, partition: str, key: str, direction: str, bounds: list[int]) -> None:
    window = f"{partition}ORDER BY {key} {direction} RANGE BETWEEN {ASCENDING[bounds[0]]} AND {ASCENDING[bounds[1]]}"
    if key == "b":
        window = window.replace("0.1", "0").replace("0.5", "1")
    check(["COUNT(*)"], window, window.replace("BY b", "BY CAST(b AS HUGEINT)"), ["COUNT(*)"], rows)


@settings(max_examples=60, deadline=None)
@given(tables, st.lists(st.sampled_from(RANKS), min_size=1, max_size=4), partitions, st.sampled_from(sorted(KEYS)), st.booleans())
def test_ranks(rows: pa.Table, calls: list[str], partition: str, key: str, ties: bool) -> None:
    ties = ties and all(call in RANKS[1:5] for call in calls)
    rest = "" if ties else ", i"
    check(calls, f"{partition}ORDER BY {key}{rest}", f"{partition}ORDER BY {KEYS[key]}{rest}", calls, rows)


@settings(max_examples=40, deadline=None)
@given(tables, st.lists(st.sampled_from(IGNORING), min_size=1, max_size=3), partitions, st.sampled_from(FRAMES))
def test_ignore_nulls(rows: pa.Table, calls: list[str], partition: str, frame: str) -> None:
    of_ours = [call.format("") + " IGNORE NULLS" for call in calls]
    of_theirs = [call.format(" IGNORE NULLS") for call in calls]
    check(of_ours, f"{partition}ORDER BY i ROWS {frame}", f"{partition}ORDER BY i ROWS {frame}", of_theirs, rows)


@settings(max_examples=30, deadline=None)
@given(tables, st.lists(st.sampled_from(AGGREGATES[:14]), min_size=1, max_size=3), partitions)
def test_whole_partitions(rows: pa.Table, calls: list[str], partition: str) -> None:
    check(calls, partition, partition, calls, rows)
