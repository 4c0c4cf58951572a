"""Inputs, outputs and reference tables of a connection."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pyarrow as pa
import pytest

import streamsql
from streamsql import OperationalError, ProgrammingError
from tests.dbapi.conftest import DEADLINE, Background, until

PUMP = """
CREATE OR REPLACE STREAM "OUT" (name VARCHAR(8), n BIGINT);
CREATE OR REPLACE PUMP p AS INSERT INTO "OUT"
SELECT STREAM name, COUNT(*) FROM sensors GROUP BY name, STEP(sensors.ROWTIME BY INTERVAL '1' MINUTE);
"""


def write_sensors(path: Path, minutes: int = 3) -> None:
    """Ten rows a minute, of two sensors in turn."""
    with path.open("w") as file:
        for n in range(minutes * 10):
            record = {"TS": f"2026-01-01 00:{n // 10:02d}:{n % 10 * 6:02d}.000", "NAME": f"s{n % 2}", "READING": n}
            print(json.dumps(record), file=file)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_sensors(tmp_path / "sensors.jsonl")
    return tmp_path


def rows_in(path: Path) -> list[tuple[object, ...]]:
    return [tuple(json.loads(line).values()) for line in path.read_text().splitlines()]


def test_an_input_feeds_a_stream_and_an_output_takes_one(folder: Path) -> None:
    with streamsql.connect(inputs={"sensors": "sensors.jsonl?rowtime=TS"}, outputs={"OUT": folder / "out.jsonl"}) as con:
        con.executescript(PUMP)
        con.wait(DEADLINE)
    assert rows_in(folder / "out.jsonl") == [(name, 5) for _ in range(3) for name in ("s0", "s1")]


def test_an_input_is_held_until_its_stream_is_read(folder: Path) -> None:
    with streamsql.connect(inputs={"sensors": "sensors.jsonl"}) as con:
        con.execute("CREATE STREAM other (x INTEGER)")
        con.execute("SELECT STREAM x FROM other")
        assert con.call(lambda engine: list(engine.pipeline.feeds)) == []
        con.execute("EXPLAIN SELECT STREAM name FROM sensors")
        assert con.call(lambda engine: list(engine.pipeline.feeds)) == []
        first = con.execute("SELECT STREAM reading FROM sensors")
        first.timeout = DEADLINE
        assert first.fetchall() == [(n,) for n in range(30)]
        late = con.execute("SELECT STREAM reading FROM sensors")
        assert late.fetchall() == []


def test_the_inputs_of_a_script_begin_after_its_last_statement(folder: Path) -> None:
    with streamsql.connect(inputs={"sensors": "sensors.jsonl?rowtime=TS"}, outputs={"A": "a.jsonl", "B": "b.jsonl"}) as con:
        pumps = [
            f"CREATE STREAM {x} (n INTEGER); CREATE PUMP {x} AS INSERT INTO {x} SELECT STREAM reading FROM sensors;" for x in "ab"
        ]
        con.executescript("\n".join(pumps))
        con.wait(DEADLINE)
    assert rows_in(folder / "a.jsonl") == rows_in(folder / "b.jsonl") == [(n,) for n in range(30)]


def test_a_declared_stream_gives_its_columns_to_its_input(folder: Path) -> None:
    with streamsql.connect(inputs={"S": "sensors.jsonl"}) as con:
        con.execute("CREATE STREAM s (name VARCHAR(1), reading DOUBLE, missing INTEGER)")
        rows = con.execute("SELECT STREAM * FROM s").fetchmany(1)
        assert rows == [("s", 0.0, None)]


def test_a_schema_gives_its_columns_to_an_input(folder: Path) -> None:
    (folder / "s.sql").write_text("CREATE STREAM whatever (reading DOUBLE)")
    with streamsql.connect(inputs={"S": "sensors.jsonl"}, schemas={"S": folder / "s.sql"}) as con:
        assert con.execute("SELECT STREAM * FROM s").fetchmany(2) == [(0.0,), (1.0,)]


def test_a_reference_table(folder: Path) -> None:
    (folder / "names.csv").write_text("name,room\ns0,hall\ns1,attic\n")
    with streamsql.connect(references={"names": "names.csv"}) as con:
        assert con.execute("SELECT room FROM names WHERE name = ?", ("s1",)).fetchall() == [("attic",)]


def test_an_output_without_rows_exists(folder: Path) -> None:
    with streamsql.connect(outputs={"OUT": "out.csv", "error_stream": "errors.jsonl"}) as con:
        con.execute("""CREATE STREAM "OUT" (a INTEGER, b INTEGER)""")
    assert (folder / "out.csv").read_text() == "A,B\n"
    assert (folder / "errors.jsonl").read_text() == ""


def test_outputs_are_committed_after_every_step(folder: Path) -> None:
    with streamsql.connect(outputs={"S": "s.jsonl", "T": "t.jsonl"}) as con:
        con.executescript("CREATE STREAM s (a INTEGER); CREATE STREAM t (a INTEGER)")
        con.executescript("CREATE PUMP p AS INSERT INTO t SELECT STREAM a FROM s")
        con.execute("INSERT INTO s VALUES (1), (2)")
        until(lambda: len(rows_in(folder / "t.jsonl")) == 2)
        con.execute("INSERT INTO s VALUES (3)")
        con.commit()
        assert rows_in(folder / "s.jsonl") == rows_in(folder / "t.jsonl") == [(1,), (2,), (3,)]


def test_closing_closes_the_windows_of_what_only_insert_feeds(folder: Path) -> None:
    with streamsql.connect(outputs={"OUT": "out.jsonl"}) as con:
        con.execute("CREATE STREAM sensors (name VARCHAR(8))")
        con.executescript(PUMP)
        con.executemany("INSERT INTO sensors VALUES (?)", [("a",)] * 3)
    assert rows_in(folder / "out.jsonl") == [("a", 3)]


def test_an_output_of_a_replaced_stream(folder: Path) -> None:
    with streamsql.connect(outputs={"OUT": "out.jsonl"}) as con:
        for columns in ("a INTEGER", "a INTEGER", "b DOUBLE"):
            cur = con.execute(f"""CREATE OR REPLACE STREAM "OUT" ({columns})""")
            con.execute("""INSERT INTO "OUT" VALUES (1)""")
    assert "begins anew" in str(cur.messages[-1][1])
    assert (folder / "out.jsonl").read_text() == '{"B": 1.0}\n'


def test_an_output_for_which_no_stream_is_created(folder: Path) -> None:
    con = streamsql.connect(outputs={"OUT": "out.jsonl"})
    with pytest.warns(UserWarning, match="nothing was written to OUT"):
        con.close()


def test_a_file_that_is_followed_has_no_end(folder: Path) -> None:
    with streamsql.connect(inputs={"sensors": "sensors.jsonl?follow=true"}) as con:
        live = con.execute("SELECT STREAM reading FROM sensors")
        assert [next(live) for _ in range(30)] == [(n,) for n in range(30)]
        with pytest.raises(ProgrammingError, match="goes on for ever"):
            live.fetchall()
        with pytest.raises(OperationalError, match="have not ended within"):
            con.wait(0.05)
        reading = Background(live.fetchone)
        with (folder / "sensors.jsonl").open("a") as file:
            print(json.dumps({"NAME": "s9", "READING": 99}), file=file)
        assert reading.result() == (99,)


def test_a_source_that_cannot_be_read_any_more(folder: Path) -> None:
    with streamsql.connect(inputs={"sensors": "sensors.jsonl?follow=true"}) as con:
        live = con.execute("SELECT STREAM reading FROM sensors")
        live.timeout = DEADLINE
        for _ in range(30):
            next(live)
        (folder / "sensors.jsonl").write_text("")
        with pytest.raises(OperationalError, match="shorter than it was"):
            live.fetchone()
        assert con.execute("SELECT 1 AS x").fetchall() == [(1,)]
        with pytest.raises(OperationalError, match="shorter than it was"):
            con.wait()


def test_an_ended_stream_takes_no_rows(folder: Path) -> None:
    with streamsql.connect(inputs={"sensors": "sensors.jsonl"}) as con:
        assert len(con.execute("SELECT STREAM reading FROM sensors").fetchall()) == 30
        with pytest.raises(ProgrammingError, match="has ended"):
            con.execute("INSERT INTO sensors (reading) VALUES (1)")


def test_forgotten_inputs_do_no_harm(folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with streamsql.connect(inputs={"sensors": "sensors.jsonl"}) as con:
            con.execute("EXPLAIN SELECT STREAM reading FROM sensors")


# -- tables of other libraries -----------------------------------------------------------------------------------------


def test_registered_tables(folder: Path) -> None:
    table = pa.table({"ticker": pa.array(["a", "b", None]).dictionary_encode(), "price": pa.array([1, 2, 3], pa.uint8())})
    reader = pa.RecordBatchReader.from_batches(table.schema, table.to_batches())
    with streamsql.connect() as con:
        for data in (table, table.to_batches()[0], reader):
            con.register("trades", data)
            rows = con.execute("SELECT Ticker, trades.PRICE * 2 AS double_price FROM Trades WHERE price > ?", (1,)).fetchall()
            assert rows == [("b", 4), (None, 6)]
        con.unregister("TRADES")
        with pytest.raises(ProgrammingError, match="no stream TRADES"):
            con.execute("SELECT * FROM trades")


def test_types_of_registered_tables() -> None:
    from datetime import date, datetime, time, timedelta
    from decimal import Decimal

    columns = {
        "a": (pa.array([1.5], pa.float16()), 1.5),
        "b": (pa.array(["x"], pa.large_string()), "x"),
        "c": (pa.array([b"x"], pa.large_binary()), b"x"),
        "d": (
            pa.array([datetime(2026, 1, 1, 1, 2, 3, 456_789)], pa.timestamp("ns", "UTC")),
            datetime(2026, 1, 1, 1, 2, 3, 456_000),
        ),
        "e": (pa.array([date(2026, 1, 1)], pa.date64()), date(2026, 1, 1)),
        "f": (pa.array([time(1, 2, 3)], pa.time64("us")), time(1, 2, 3)),
        "g": (pa.array([Decimal("1.50")], pa.decimal128(5, 2)), Decimal("1.50")),
        "h": (pa.array([timedelta(seconds=5)], pa.duration("us")), timedelta(seconds=5)),
        "i": (pa.array([None], pa.null()), None),
        "j": (pa.array([True]), True),
        "k": (pa.array(["x" * 100_000]), "x" * 100_000),
    }
    with streamsql.connect() as con:
        con.register("t", pa.table({name: array for name, (array, _) in columns.items()}))
        assert con.execute("SELECT * FROM t").fetchone() == tuple(value for _, value in columns.values())


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames(library: str) -> None:
    module = pytest.importorskip(library)
    with streamsql.connect() as con:
        con.register("t", module.DataFrame({"x": [1, 2], "y": ["a", "b"]}))
        assert con.execute("SELECT x, y FROM t").fetchall() == [(1, "a"), (2, "b")]


def test_what_cannot_be_registered() -> None:
    with streamsql.connect() as con:
        con.execute("CREATE STREAM s (x INTEGER)")
        with pytest.raises(streamsql.InterfaceError, match="a list is no table"):
            con.register("t", [1, 2])
        with pytest.raises(ProgrammingError, match="there is a stream S already"):
            con.register("S", pa.table({"x": [1]}))
        with pytest.raises(streamsql.DataError, match="stands twice"):
            con.register("t", pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["x", "x"]))


def test_a_query_reads_the_table_that_was_there_when_it_began() -> None:
    with streamsql.connect() as con:
        con.register("t", pa.table({"x": range(200_000)}))
        cur = con.execute("SELECT x FROM t")
        assert cur.rowcount == -1
        con.register("t", pa.table({"x": [0]}))
        assert len(cur.fetchall()) == 200_000
        assert cur.rowcount == 200_000
