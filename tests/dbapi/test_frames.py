"""Rows to and from other libraries: Arrow's PyCapsule interface, pandas, polars, DuckDB."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pandas
import polars
import pyarrow as pa
import pytest

import streamsql
from streamsql import ProgrammingError

COLUMNS = pa.table(
    {
        "k": ["a", None],
        "n": pa.array([1, None], pa.int32()),
        "x": [1.5, None],
        "d": [Decimal("1.50"), None],
        "t": pa.array([datetime(2026, 1, 2, 3, 4, 5, 678_000), None], pa.timestamp("ms")),
        "day": pa.array([date(2026, 1, 2), None], pa.date32()),
        "b": [True, None],
    }
)


class Capsules:
    """An object that has nothing but Arrow's interface."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


class Struct:
    """The same for one batch."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        arrays: tuple[object, object] = self._batch.__arrow_c_array__(requested_schema)
        return arrays


# -- out ---------------------------------------------------------------------------------------------------------------


def test_a_data_frame_of_pandas(con: streamsql.Connection) -> None:
    con.register("t", COLUMNS)
    frame = con.execute("SELECT * FROM t").fetch_df()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == COLUMNS.column_names
    assert frame["t"][0] == pandas.Timestamp("2026-01-02 03:04:05.678")
    assert frame["x"].dtype == "float64"
    assert frame.isna().iloc[1].all()


def test_a_data_frame_of_polars(con: streamsql.Connection) -> None:
    con.register("t", COLUMNS)
    frame = con.execute("SELECT * FROM t").fetch_polars()
    assert isinstance(frame, polars.DataFrame)
    assert frame.schema["t"] == polars.Datetime("ms")
    assert frame.rows() == [tuple(row.values()) for row in COLUMNS.to_pylist()]


@pytest.mark.parametrize("fetch", ["fetch_df", "fetch_polars"])
def test_frames_of_queries_over_streams(con: streamsql.Connection, fetch: str) -> None:
    con.execute("CREATE STREAM s (v DOUBLE)")
    live, endless = con.execute("SELECT STREAM v FROM s LIMIT 2"), con.execute("SELECT STREAM v FROM s")
    con.executemany("INSERT INTO s VALUES (?)", [(1.0,), (2.0,), (3.0,)])
    assert list(getattr(live, fetch)()["V"]) == [1.0, 2.0]
    with pytest.raises(ProgrammingError, match="goes on for ever"):
        getattr(endless, fetch)()


READERS: dict[str, Any] = {
    "pyarrow": lambda cur: pa.table(cur).to_pydict(),
    "polars": lambda cur: polars.DataFrame(cur).to_dict(as_series=False),
    "pandas": lambda cur: pandas.DataFrame.from_arrow(cur).to_dict("list"),
    "duckdb": lambda cur: duckdb.sql("SELECT * FROM cur").to_arrow_table().to_pydict(),
}


@pytest.mark.parametrize("library", list(READERS))
def test_libraries_read_a_cursor(con: streamsql.Connection, library: str) -> None:
    con.register("t", pa.table({"x": range(200_000)}))
    cur = con.execute("SELECT x FROM t")
    assert cur.fetchone() == (0,)
    assert READERS[library](cur) == {"x": list(range(1, 200_000))}


def test_another_schema_can_be_asked_for(con: streamsql.Connection) -> None:
    cur = con.execute("SELECT 1 AS x")
    wanted = pa.schema([("X", pa.int64())])
    assert pa.RecordBatchReader.from_stream(cur, wanted).read_all() == pa.table({"X": [1]}, wanted)


# -- in ----------------------------------------------------------------------------------------------------------------

SOURCES: dict[str, Any] = {
    "stream of capsules": Capsules,
    "array of capsules": lambda table: Struct(table.to_batches()[0]),
    "pandas": lambda table: table.to_pandas(types_mapper=pandas.ArrowDtype),
    "polars": polars.DataFrame,
    "duckdb": lambda table: duckdb.from_arrow(table),
}


@pytest.mark.parametrize("source", list(SOURCES))
def test_tables_of_other_libraries(con: streamsql.Connection, source: str) -> None:
    con.register("t", SOURCES[source](COLUMNS))
    assert con.execute("SELECT * FROM t").fetchall() == [tuple(row.values()) for row in COLUMNS.to_pylist()]


@pytest.mark.parametrize("source", list(SOURCES))
def test_tables_of_other_libraries_are_inserted(con: streamsql.Connection, source: str) -> None:
    con.execute("CREATE STREAM s (k VARCHAR(8), x DOUBLE)")
    live = con.execute("SELECT STREAM k, x FROM s LIMIT 2")
    assert con.executemany("INSERT INTO s VALUES (:k, :x)", SOURCES[source](COLUMNS)).rowcount == 2
    assert live.fetchall() == [("a", 1.5), (None, None)]


def test_the_rows_of_a_cursor_as_a_table(con: streamsql.Connection) -> None:
    con.execute("CREATE STREAM s (v DOUBLE)")
    live, endless = con.execute("SELECT STREAM v FROM s LIMIT 2"), con.execute("SELECT STREAM v FROM s")
    con.executemany("INSERT INTO s VALUES (?)", [(1.0,), (2.0,)])
    con.register("kept", live)
    assert con.execute("SELECT SUM(v) AS v FROM kept").fetchall() == [(3.0,)]
    with pytest.raises(ProgrammingError, match="goes on for ever"):
        con.register("kept", endless)
