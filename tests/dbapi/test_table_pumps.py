"""External tables that pumps and statements of a connection write: when files appear, and what a database keeps of them."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import streamsql
from streamsql import IntegrityError
from streamsql.time import ManualClock
from tests.dbapi.conftest import until

START = datetime(2026, 1, 1)

TABLE = """
CREATE STREAM s (k VARCHAR(8), v INTEGER);
CREATE EXTERNAL TABLE kept (v int) PARTITIONED BY (k string) STORED AS PARQUET LOCATION 's3://lake/kept/'
TBLPROPERTIES ('write.maxfilerows'='5');
CREATE PUMP p AS INSERT INTO kept SELECT STREAM v, k FROM s;
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREAMSQL_S3_ROOT", str(tmp_path / "s3"))
    return tmp_path


def feed(con: streamsql.Connection, start: int, stop: int) -> None:
    """One row a second, for two keys in turn."""
    rows = [(START + timedelta(seconds=n), "ab"[n % 2], n) for n in range(start, stop)]
    con.executemany("INSERT INTO s (ROWTIME, k, v) VALUES (?, ?, ?)", rows)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "s3" / "lake").rglob("*") if path.is_file())


def values(con: streamsql.Connection) -> list[int]:
    return [v for (v,) in con.execute("SELECT v FROM kept ORDER BY v").fetchall()]


def test_complete_files_appear_at_once_and_the_others_at_the_end(folder: Path) -> None:
    with streamsql.connect() as con:
        con.executescript(TABLE)
        feed(con, 0, 11)
        until(lambda: len(files(folder)) == 2)
        assert values(con) == list(range(10))
        assert con.execute("SHOW PARTITIONS kept").fetchall() == [("k=a",), ("k=b",)]
    assert len(files(folder)) == 3


def test_a_pump_that_stops_leaves_whole_files(folder: Path) -> None:
    with streamsql.connect() as con:
        con.executescript(TABLE)
        feed(con, 0, 3)
        con.execute("ALTER PUMP p STOP")
        until(lambda: len(files(folder)) == 2)
        feed(con, 3, 6)
        con.execute("ALTER PUMP p START")
        feed(con, 6, 8)
        con.execute("DROP PUMP p")
        until(lambda: len(files(folder)) == 4)
        assert values(con) == [0, 1, 2, 6, 7]


def test_the_clock_completes_the_files_of_a_quiet_stream(folder: Path, clock: ManualClock) -> None:
    with streamsql.connect(clock=clock) as con:
        con.executescript(TABLE.replace("'write.maxfilerows'='5'", "'write.maxfiletime'='10s'"))
        con.execute("INSERT INTO s VALUES ('a', 1)")
        time.sleep(0.2)
        assert files(folder) == []
        clock.set(10_000)
        until(lambda: len(files(folder)) == 1)


def test_a_database_goes_on_with_files_that_are_not_complete(folder: Path) -> None:
    for start in range(0, 8, 2):
        with streamsql.connect("db") as con:
            if start == 0:
                con.executescript(TABLE)
            feed(con, start, start + 2)
        assert files(folder) == []
    with streamsql.connect("db") as con:
        feed(con, 8, 10)
        con.commit()
        assert [len(con.execute(f"SELECT v FROM kept WHERE k = '{k}'").fetchall()) for k in "ab"] == [5, 5]
        assert len(files(folder)) == 2
    with streamsql.connect("db") as con:
        assert con.execute("SHOW PARTITIONS kept").fetchall() == [("k=a",), ("k=b",)]
        feed(con, 10, 11)
        con.execute("DROP PUMP p")
        assert values(con) == list(range(11))
    assert not list((folder / "db" / "checkpoints" / "staged" / "tables").iterdir())


def test_what_insert_registers_is_kept(folder: Path) -> None:
    with streamsql.connect("db") as con:
        con.executescript(TABLE + "DROP PUMP p; INSERT INTO kept VALUES (1, 'x'), (2, NULL);")
        con.execute("INSERT INTO kept (v, k) VALUES (?, ?)", (3, "y"))
        con.executemany("INSERT INTO kept VALUES (?, ?)", [(4, "z"), (5, "x")])
    with streamsql.connect("db") as con:
        assert values(con) == [1, 2, 3, 4, 5]
        assert len(con.execute("SHOW PARTITIONS kept").fetchall()) == 4


def test_parameters_in_create_table_as_and_unload(folder: Path) -> None:
    with streamsql.connect() as con:
        con.execute("CREATE DATABASE d LOCATION 's3://lake/d/'")
        con.execute("CREATE TABLE d.t AS SELECT CAST(? AS INTEGER) AS a, CAST(? AS VARCHAR) AS b", (1, "x"))
        assert con.execute("SELECT * FROM d.t").fetchall() == [(1, "x")]
        con.execute("UNLOAD (SELECT a FROM d.t WHERE a = ?) TO 's3://lake/u/' WITH (format = 'JSON')", (1,))
        assert len(files(folder)) == 2


def test_a_table_that_a_pump_writes_stays_as_it_is(folder: Path) -> None:
    with streamsql.connect() as con:
        con.executescript(TABLE)
        for change in ("ADD COLUMNS (w int)", "DROP COLUMN v", "SET LOCATION 's3://lake/other/'"):
            with pytest.raises(IntegrityError, match=r"table default\.kept cannot change: pump P writes it"):
                con.execute(f"ALTER TABLE kept {change}")
        with pytest.raises(IntegrityError, match=r"table default\.kept cannot be dropped"):
            con.execute("DROP TABLE kept")
        con.execute("ALTER TABLE kept ADD PARTITION (k='c')")


# -- kill -9 -----------------------------------------------------------------------------------------------------------

PROGRAM = """
import sys
import streamsql
from streamsql.session import session
from streamsql.run import pipeline
session.CHECKPOINT_SECONDS = 0.02
pipeline.LIVE_ROWS = pipeline.REPLAY_ROWS = 300
with streamsql.connect("db", inputs={"S": "in.jsonl?rowtime=t"}) as con:
    if "P" not in con.call(lambda engine: engine.catalog.pumps):
        con.executescript(open("app.sql").read())
    con.wait()
    con.execute("DROP PUMP p")
"""


def test_kill_at_any_moment(folder: Path) -> None:
    with (folder / "in.jsonl").open("w") as file:
        for n in range(5_000):
            print(json.dumps({"t": str(START + timedelta(seconds=n)), "K": "abc"[n % 3], "V": n}), file=file)
    (folder / "app.sql").write_text(TABLE.replace("'5'", "'70'"))
    (folder / "program.py").write_text(PROGRAM)
    environment = {**os.environ, "PYTHONPATH": str(Path(streamsql.__file__).parents[1])}
    draw = random.Random(3)
    unfinished = 0
    for _ in killed(folder, environment, draw):
        unfinished += len(files(folder)) < 5_000 / 70
    assert unfinished
    with streamsql.connect("db") as con:
        assert values(con) == list(range(5_000))
        sizes = [n for (n,) in con.execute('SELECT COUNT(*) FROM kept GROUP BY "$path"').fetchall()]
        assert sorted(sizes)[3:] == [70] * (5_000 // 70 // 3 * 3)


def killed(folder: Path, environment: dict[str, str], draw: random.Random) -> Iterator[None]:
    """Kill the program a few times, then let it come to its end."""
    for kill in (True, True, False):
        seen = newest(folder)
        process = subprocess.Popen([sys.executable, "program.py"], env=environment, cwd=folder)
        if kill:
            until(lambda: process.poll() is not None or newest(folder) > seen + 1)  # noqa: B023
            time.sleep(draw.random() * 0.1)
            process.kill()
        assert process.wait(60) in (0, -9)
        yield


def newest(folder: Path) -> int:
    """The number of the newest checkpoint."""
    checkpoints = folder / "db" / "checkpoints"
    return max((int(path.name) for path in checkpoints.glob("*") if path.name.isdigit()), default=0)
