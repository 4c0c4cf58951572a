"""Nothing is lost silently: rows in = rows out + rows that the SQL filters + rows in `error_stream`."""

from __future__ import annotations

import json
from collections import Counter

import pyarrow as pa
from feeding import START, Move, batch_of, feed, moves, row
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.types import Batch

streams = st.lists(row, max_size=40).map(batch_of)

ERRORS = """
SELECT STREAM ERROR_NAME, MESSAGE, DATA_ROWTIME, DATA_ROW, PUMP_NAME, ERROR_TIME, ERROR_LEVEL FROM "error_stream";
"""


def run(script: str, s: Batch, way: list[Move]) -> list[pa.Table]:
    """The rows of each query of an application that reads S alone."""
    return feed(script + ERRORS, {"S": s, "U": s.slice(0, 0)}, way)[0]


def lost(errors: pa.Table, pump: str) -> list[dict[str, object]]:
    """The rows that a pump lost, as they came in."""
    rows = errors.filter(pa.compute.equal(errors["PUMP_NAME"], pump)).to_pylist()
    return [json.loads(bytes.fromhex(r["DATA_ROW"])) | {"ROWTIME": r["DATA_ROWTIME"]} for r in rows]


@settings(max_examples=20, deadline=None)
@given(rows=streams, way=moves)
def test_a_pump_with_failing_expressions(rows: Batch, way: list[Move]) -> None:
    """WHERE, a division, a conversion and a NOT NULL column, each of which may lose a row: every row is somewhere."""
    out, errors = run(
        """
        CREATE STREAM o (n TINYINT, k VARCHAR(4) NOT NULL);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM 120 / v * 2, k FROM s WHERE d IS NULL OR 1 / (v - 5) <= 0;
        SELECT STREAM * FROM o;""",
        rows,
        way,
    )
    passed, filtered, failed = Counter(), 0, []
    for record in rows.to_pylist():
        v, d, k = record["V"], record["D"], record["K"]
        if d is not None and v is None:
            filtered += 1  # d is not NULL, and 1 / NULL <= 0 is unknown
        elif (d is not None and v == 5) or v == 0 or k is None or (v is not None and 120 // v * 2 > 127):
            failed.append(record)
        else:
            passed[None if v is None else 120 // v * 2, k] += 1
    assert out.num_rows + filtered + errors.num_rows == rows.num_rows
    assert Counter(zip(*(column.to_pylist() for column in out.columns))) == passed
    assert lost(errors, "P") == [_as_json(record) for record in failed]


def _as_json(record: dict[str, object]) -> dict[str, object]:
    """A source row as DATA_ROW shows it, with its ROWTIME."""
    text = record["T"].strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]  # type: ignore[attr-defined]
    return record | {"T": text}


@settings(max_examples=20, deadline=None)
@given(rows=streams, way=moves)
def test_a_grouped_pump(rows: Batch, way: list[Move]) -> None:
    """Rows absorbed into groups and rows lost on the way there: COUNT says how many were absorbed."""
    out, errors = run(
        """
        CREATE STREAM o (n BIGINT);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM COUNT(*) FROM s WHERE v IS NOT NULL
            GROUP BY FLOOR(s.ROWTIME TO MINUTE), 12 / v;
        SELECT STREAM * FROM o;""",
        rows,
        way,
    )
    filtered = rows.column("V").null_count
    assert sum(out["N"].to_pylist()) + filtered + errors.num_rows == rows.num_rows


@settings(max_examples=20, deadline=None)
@given(rows=streams, way=moves)
def test_late_rows(rows: Batch, way: list[Move]) -> None:
    """A new ROWTIME loses exactly the rows before the highest one so far, each with a row in `error_stream`."""
    out, errors = run("SELECT STREAM ROWTIME, k FROM (SELECT STREAM t AS ROWTIME, k FROM s);", rows, way)
    highest, kept = None, []
    for t in rows.column("T").to_pylist():
        if highest is None or t >= highest:
            highest = t
            kept.append(t)
    assert out["ROWTIME"].to_pylist() == kept
    assert out.num_rows + errors.num_rows == rows.num_rows
    assert set(errors["ERROR_NAME"].to_pylist()) <= {"Late row"}


@settings(max_examples=20, deadline=None)
@given(rows=streams, shifts=st.lists(st.integers(0, 90_000), min_size=40, max_size=40), cut=st.integers(1, 9))
def test_late_rows_from_outside(rows: Batch, shifts: list[int], cut: int) -> None:
    """Rows that come out of order: those that the stream has passed are in `error_stream`, each of them."""
    times = [t - shift for t, shift in zip(rows.column(0).view(pa.int64()).to_pylist(), shifts)]
    disorderly = pa.RecordBatch.from_arrays([pa.array(times, pa.timestamp("ms")), *rows.columns[1:]], schema=rows.schema)
    script = "SELECT STREAM ROWTIME, k, v FROM s;"
    out, errors = run(script, disorderly, [])
    highest, kept = START - 10**9, 0
    for t in times:
        if t >= highest:
            highest, kept = t, kept + 1
    assert (out.num_rows, errors.num_rows) == (kept, rows.num_rows - kept)
    pieces = run(script, disorderly, [Move("S", cut, restart=i % 3 == 0) for i in range(0, rows.num_rows, cut)])
    assert pieces == [out, errors]


@settings(max_examples=15, deadline=None)
@given(rows=streams, way=moves)
def test_a_chain(rows: Batch, way: list[Move]) -> None:
    """Along a chain of pumps each names its own losses."""
    a, b, errors = run(
        """
        CREATE STREAM a (v INTEGER NOT NULL);
        CREATE STREAM b (v TINYINT);
        CREATE PUMP p AS INSERT INTO a SELECT STREAM v FROM s;
        CREATE PUMP q AS INSERT INTO b SELECT STREAM 60 * v / v FROM a WHERE v <> 1;
        SELECT STREAM * FROM a;
        SELECT STREAM * FROM b;""",
        rows,
        way,
    )
    by_pump = Counter(errors["PUMP_NAME"].to_pylist())
    assert a.num_rows + by_pump["P"] == rows.num_rows
    assert b.num_rows + by_pump["Q"] + a["V"].to_pylist().count(1) == a.num_rows
    assert set(by_pump) <= {"P", "Q"}
