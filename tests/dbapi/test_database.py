"""What a connection with a path keeps, and that nothing is lost or doubled when its process is killed."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

import streamsql
from streamsql import NotSupportedError, OperationalError, ProgrammingError
from streamsql.run import pipeline
from streamsql.session import session
from tests.dbapi.conftest import DEADLINE, until
from tests.dbapi.test_attachments import PUMP, rows_in, write_sensors

START = datetime(2026, 1, 1)

SUMS = """
CREATE OR REPLACE STREAM s (k VARCHAR(8), v DOUBLE);
CREATE OR REPLACE STREAM sums (k VARCHAR(8), v DOUBLE);
CREATE OR REPLACE VIEW big AS SELECT STREAM k, v FROM s WHERE v > 100;
CREATE OR REPLACE PUMP p AS INSERT INTO sums SELECT STREAM k, SUM(v) FROM s GROUP BY k, STEP(s.ROWTIME BY INTERVAL '1' MINUTE);
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def feed(con: streamsql.Connection, start: int, stop: int) -> None:
    """One row a second."""
    rows = [(START + timedelta(seconds=n), "a", 1.0) for n in range(start, stop)]
    con.executemany("INSERT INTO s (ROWTIME, k, v) VALUES (?, ?, ?)", rows)


def sums(con: streamsql.Connection) -> streamsql.Cursor:
    cur = con.execute("SELECT STREAM k, v FROM sums")
    cur.timeout = DEADLINE
    return cur


def names(con: streamsql.Connection) -> set[str]:
    return con.call(lambda engine: {*engine.catalog.relations, *engine.catalog.pumps}) - {"error_stream"}


def test_catalog_state_and_time_are_kept(folder: Path) -> None:
    with streamsql.connect("db") as con:
        con.executescript(SUMS)
        feed(con, 0, 90)
    with streamsql.connect("db") as con:
        assert names(con) == {"S", "SUMS", "BIG", "P"}
        live = sums(con)
        feed(con, 90, 130)
        assert live.fetchone() == ("a", 60.0)
        with pytest.raises(ProgrammingError, match="explicit ROWTIME"):
            con.execute("INSERT INTO s VALUES ('a', 1.0)")
    with streamsql.connect("db") as con:
        live = sums(con)
        feed(con, 130, 200)
        assert live.fetchone() == ("a", 60.0)


def test_the_catalog_is_a_script_for_people(folder: Path) -> None:
    with streamsql.connect("db") as con:
        con.executescript(SUMS + "CREATE PUMP q STOPPED AS INSERT INTO sums SELECT STREAM k, v FROM s;")
        con.execute("ALTER PUMP p STOP")
        con.execute("ALTER PUMP q START")
    script = (folder / "db" / "catalog.sql").read_text()
    assert 'ALTER PUMP "P" STOP;' in script and 'ALTER PUMP "Q" START;' in script
    with streamsql.connect() as other:
        other.executescript(script)
        assert names(other) == {"S", "SUMS", "BIG", "P", "Q"}
        assert other.call(lambda engine: [engine.pumps.runs("P"), engine.pumps.runs("Q")]) == [False, True]


def test_without_checkpoints_the_script_is_executed(folder: Path) -> None:
    (folder / "db").mkdir()
    (folder / "db" / "catalog.sql").write_text("-- mine\n" + SUMS)
    with streamsql.connect("db") as con:
        assert names(con) == {"S", "SUMS", "BIG", "P"}
        live = sums(con)
        feed(con, 0, 90)
        assert live.fetchone() == ("a", 60.0)


def test_functions_are_kept_in_an_order_that_can_be_executed(folder: Path) -> None:
    with streamsql.connect("db") as con:
        con.execute("CREATE FUNCTION twice(x DOUBLE) RETURNS DOUBLE RETURN x * CAST(2 AS DOUBLE)")
        con.execute("CREATE FUNCTION half(x DOUBLE) RETURNS DOUBLE RETURN x / CAST(2 AS DOUBLE)")
        con.execute("CREATE OR REPLACE FUNCTION twice(x DOUBLE) RETURNS DOUBLE RETURN half(x) * CAST(4 AS DOUBLE)")
        con.executescript(SUMS.replace("SUM(v)", "twice(SUM(v))"))
        feed(con, 0, 30)
    with streamsql.connect("db") as con:
        live = sums(con)
        feed(con, 30, 90)
        assert live.fetchone() == ("a", 120.0)
    script = (folder / "db" / "catalog.sql").read_text()
    assert script.index("FUNCTION half") < script.index("FUNCTION twice")
    with streamsql.connect() as other:
        other.executescript(script)
        assert other.execute("SELECT twice(CAST(3 AS DOUBLE))").fetchone() == (6.0,)


def test_a_script_that_is_wrong_says_where(folder: Path) -> None:
    (folder / "db").mkdir()
    (folder / "db" / "catalog.sql").write_text("CREATE STREAM s (v DOUBLE);\nCREATE STREM t (v DOUBLE);\n")
    with pytest.raises(ProgrammingError) as caught:
        streamsql.connect("db")
    assert "catalog.sql:2:8" in caught.value.render()


def test_pumps_stay_as_they_were(folder: Path) -> None:
    with streamsql.connect("db") as con:
        con.executescript(SUMS)
        con.execute("ALTER PUMP p STOP")
    with streamsql.connect("db") as con:
        assert not con.call(lambda engine: engine.pumps.runs("P"))
        con.execute("ALTER PUMP p START")
    with streamsql.connect("db") as con:
        assert con.call(lambda engine: engine.pumps.runs("P"))
        con.execute("DROP PUMP p")
        con.execute("DROP VIEW big")
    with streamsql.connect("db") as con:
        assert names(con) == {"S", "SUMS"}


def test_what_comes_and_goes_leaves_the_others_in_place(folder: Path) -> None:
    """Pumps that were stopped, dropped and started again; queries that came and went: the state still fits."""
    with streamsql.connect("db") as con:
        con.executescript(SUMS)
        con.execute("CREATE PUMP copies AS INSERT INTO sums SELECT STREAM k, v FROM big")
        con.execute("CREATE PUMP gone AS INSERT INTO sums SELECT STREAM k, -v FROM s")
        con.execute("SELECT STREAM k FROM s").close()
        feed(con, 0, 30)
        con.execute("ALTER PUMP p STOP")
        con.execute("DROP PUMP gone")
        con.execute("ALTER PUMP p START")
        con.execute("SELECT STREAM k FROM sums")
        feed(con, 30, 50)
    for start, stop, expected in ((50, 70, [("a", 30.0)]), (70, 130, [("a", 60.0)]), (130, 131, [])):
        with streamsql.connect("db") as con:
            live = sums(con)
            feed(con, start, stop)
            assert [live.fetchone() for _ in expected] == expected
    with streamsql.connect("db") as con:
        live = sums(con)
        rows = [(START + timedelta(seconds=200 + n), "b", 1000.0 * n) for n in range(3)]
        con.executemany("INSERT INTO s (ROWTIME, k, v) VALUES (?, ?, ?)", rows)
        assert [live.fetchone(), live.fetchone()] == [("a", 11.0), ("b", 1000.0)]


def test_inputs_and_outputs_go_on(folder: Path) -> None:
    write_sensors(folder / "sensors.jsonl", minutes=3)
    inputs = {"sensors": "sensors.jsonl?rowtime=TS&follow=true"}
    with streamsql.connect("db", inputs=inputs, outputs={"OUT": "out.jsonl"}) as con:
        con.executescript(PUMP)
        until(lambda: con.call(lambda engine: sum(feed.rows for feed in engine.pipeline.feeds.values())) == 30)
        con.commit()
        assert rows_in(folder / "out.jsonl") == [("s0", 5), ("s1", 5)] * 2
    with (folder / "sensors.jsonl").open("a") as file:
        for second in (1, 2):
            print(json.dumps({"TS": f"2026-01-01 00:03:{second:02d}.000", "NAME": "s0", "READING": 1}), file=file)
        print(json.dumps({"TS": "2026-01-01 00:04:00.000", "NAME": "s0", "READING": 1}), file=file)
    with streamsql.connect("db") as con:  # it remembers what is attached
        until(lambda: con.call(lambda engine: sum(feed.rows for feed in engine.pipeline.feeds.values())) == 3)
    assert rows_in(folder / "out.jsonl") == [*[("s0", 5), ("s1", 5)] * 3, ("s0", 2)]


def test_an_input_that_has_ended_is_not_read_again(folder: Path) -> None:
    write_sensors(folder / "sensors.jsonl")
    with streamsql.connect("db", inputs={"sensors": "sensors.jsonl?rowtime=TS"}, outputs={"OUT": "out.jsonl"}) as con:
        con.executescript(PUMP)
        con.wait(DEADLINE)
    expected = [("s0", 5), ("s1", 5)] * 3
    assert rows_in(folder / "out.jsonl") == expected
    (folder / "sensors.jsonl").unlink()
    with pytest.raises(OperationalError, match="no such file"):
        streamsql.connect("db", inputs={"sensors": "sensors.jsonl"})
    with streamsql.connect("db") as con:
        assert con.execute("SELECT STREAM name FROM sensors").fetchall() == []
    assert rows_in(folder / "out.jsonl") == expected


def test_a_database_is_open_once(folder: Path) -> None:
    with streamsql.connect("db"), pytest.raises(OperationalError, match="open elsewhere"):
        streamsql.connect("db")
    streamsql.connect("db").close()


def test_a_database_where_none_can_be(folder: Path) -> None:
    (folder / "db").write_text("a file")
    with pytest.raises(OperationalError, match="cannot open the database"):
        streamsql.connect("db")


def test_stdin_cannot_be_kept(folder: Path) -> None:
    with pytest.raises(OperationalError, match="stdin cannot be read again"):
        streamsql.connect("db", inputs={"S": "-"})


def test_registered_tables_are_not_kept(folder: Path) -> None:
    with streamsql.connect("db") as con:
        con.register("t", pa.table({"x": [1]}))
        con.execute("CREATE VIEW v AS SELECT x FROM t")
    with streamsql.connect("db") as con:
        assert names(con) == {"V"}
        with pytest.raises(ProgrammingError, match="no stream T"):
            con.execute("SELECT * FROM v")
        con.register("t", pa.table({"x": [2]}))
        assert con.execute("SELECT * FROM v").fetchall() == [(2,)]


def test_pumps_read_reference_tables(folder: Path) -> None:
    (folder / "rooms.csv").write_text("k,room\na,hall\nb,attic\n")
    join = "CREATE PUMP j AS INSERT INTO t SELECT STREAM r.room FROM s JOIN rooms AS r ON s.k = r.k"
    for attached in ({"references": {"rooms": "rooms.csv"}}, {}):
        with streamsql.connect("db", **attached) as con:
            if attached:
                con.executescript("CREATE STREAM s (k VARCHAR(8)); CREATE STREAM t (room VARCHAR(8));" + join)
            live = con.execute("SELECT STREAM room FROM t")
            live.timeout = DEADLINE
            con.execute("INSERT INTO s VALUES ('b')")
            assert live.fetchone() == ("attic",)


def test_pumps_do_not_read_tables_that_are_not_kept(folder: Path) -> None:
    table = pa.table({"k": ["b"], "room": ["attic"]})
    script = "CREATE STREAM s (k VARCHAR(8)); CREATE STREAM t (room VARCHAR(8));"
    join = "CREATE PUMP j AS INSERT INTO t SELECT STREAM r.room FROM s JOIN rooms AS r ON s.k = r.k"
    with streamsql.connect("db") as con:
        con.executescript(script)
        con.register("rooms", table)
        with pytest.raises(NotSupportedError, match="registered table rooms"):
            con.execute(join)
    with streamsql.connect() as con:
        con.executescript(script)
        con.register("rooms", table)
        con.execute(join)
        live = con.execute("SELECT STREAM room FROM t")
        con.execute("INSERT INTO s VALUES ('b')")
        assert live.fetchone() == ("attic",)


def test_nothing_is_written_while_nothing_happens(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "CHECKPOINT_SECONDS", 0.01)
    with streamsql.connect("db") as con:
        con.executescript(SUMS)
        feed(con, 0, 10)
        until(lambda: not con.session._dirty)
        before = sorted(path.name for path in (folder / "db" / "checkpoints").iterdir())
        time.sleep(0.2)
        assert sorted(path.name for path in (folder / "db" / "checkpoints").iterdir()) == before


# -- kill -9 -----------------------------------------------------------------------------------------------------------

PROGRAM = """
import sys
import streamsql
from streamsql.session import session
from streamsql.run import pipeline
session.CHECKPOINT_SECONDS = 0.02
pipeline.LIVE_ROWS = pipeline.REPLAY_ROWS = 300
names = {"OUT": "OUT.jsonl", "MEANS": "MEANS.csv", "error_stream": "error_stream.jsonl"}
attached = {}
if sys.argv[2:]:
    outputs = {name: sys.argv[2] + file for name, file in names.items()}
    attached = {"inputs": {"sensors": "sensors.jsonl?rowtime=TS"}, "outputs": outputs}
with streamsql.connect(sys.argv[1], **attached) as con:
    if "P" not in con.call(lambda engine: engine.catalog.pumps):
        con.executescript(open("app.sql").read())
    con.wait()
"""

APPLICATION = (
    PUMP
    + """
CREATE OR REPLACE STREAM means (name VARCHAR(8), m DOUBLE);
CREATE OR REPLACE PUMP q AS INSERT INTO means
SELECT STREAM name, SUM(100 / MOD(reading, 50)) FROM sensors GROUP BY name, STEP(sensors.ROWTIME BY INTERVAL '30' SECOND);
"""
)

OUTPUTS = ("OUT.jsonl", "MEANS.csv", "error_stream.jsonl")


def test_kill_at_any_moment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_sensors(folder / "sensors.jsonl", minutes=59)
    with (folder / "sensors.jsonl").open("a") as file:
        for n in range(1_500):
            record = {
                "TS": f"2026-01-01 {1 + n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d}.000",
                "NAME": f"s{n % 3}",
                "READING": n,
            }
            print(json.dumps(record), file=file)
    (folder / "app.sql").write_text(APPLICATION)
    (folder / "program.py").write_text(PROGRAM)
    command = [sys.executable, "program.py", "db"]
    environment = {**os.environ, "PYTHONPATH": str(Path(streamsql.__file__).parents[1])}
    monkeypatch.setattr(sys, "argv", ["program.py", "plain", "plain-"])
    monkeypatch.setattr(session, "CHECKPOINT_SECONDS", session.CHECKPOINT_SECONDS)
    monkeypatch.setattr(pipeline, "LIVE_ROWS", pipeline.LIVE_ROWS)
    monkeypatch.setattr(pipeline, "REPLAY_ROWS", pipeline.REPLAY_ROWS)
    exec(PROGRAM, {})
    expected = {name: (folder / f"plain-{name}").read_bytes() for name in OUTPUTS}
    assert all(len(data) > 1_000 for data in expected.values())
    draw = random.Random(1)
    unfinished = 0
    for kills in range(2):
        seen = _newest(folder)
        process = subprocess.Popen([*command, *(["killed-"] if kills % 2 == 0 else [])], env=environment)
        try:
            until(lambda: process.poll() is not None or _newest(folder) > seen)  # noqa: B023
            time.sleep(draw.random() * 0.1)
        finally:
            process.kill()
            process.wait()
        found = {name: (folder / f"killed-{name}").read_bytes() for name in OUTPUTS}
        assert all(expected[name].startswith(found[name]) for name in OUTPUTS)
        unfinished += found != expected
    assert unfinished
    monkeypatch.setattr(sys, "argv", ["program.py", "db"])
    exec(PROGRAM, {})
    assert {name: (folder / f"killed-{name}").read_bytes() for name in OUTPUTS} == expected


def _newest(folder: Path) -> int:
    """The number of the newest checkpoint."""
    checkpoints = folder / "db" / "checkpoints"
    found = [int(path.name) for path in checkpoints.iterdir() if path.name.isdigit()] if checkpoints.exists() else []
    return max(found, default=0)


def test_memory_is_no_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with streamsql.connect(":memory:") as con:
        con.execute("CREATE STREAM s (a INTEGER)")
    assert list(tmp_path.iterdir()) == []
