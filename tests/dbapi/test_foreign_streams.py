"""Foreign streams of a connection: opened when they are used, and kept by a database."""

from __future__ import annotations

from pathlib import Path

import pytest

import streamsql
from streamsql import OperationalError, ProgrammingError
from tests.dbapi.conftest import DEADLINE, until
from tests.dbapi.test_attachments import rows_in

NUMBERS = """
CREATE OR REPLACE FOREIGN STREAM numbers (n BIGINT, k VARCHAR(1)) SERVER GENERATOR
OPTIONS (rows 1000, rows_per_second 0, start '2026-01-01 00:00:00', every '100ms', n 'sequence(0)', k 'choice(a, b)');
"""
SUMS = """
CREATE OR REPLACE FOREIGN STREAM sums (k VARCHAR(1), n BIGINT) SERVER FILE OPTIONS (uri 'sums.jsonl');
CREATE OR REPLACE PUMP adding AS INSERT INTO sums
SELECT STREAM k, SUM(n) FROM numbers GROUP BY k, STEP(numbers.ROWTIME BY INTERVAL '10' SECOND);
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def feeds(con: streamsql.Connection) -> list[str]:
    return con.call(lambda engine: list(engine.pipeline.feeds))


def test_it_begins_when_it_is_read(folder: Path) -> None:
    with streamsql.connect() as con:
        con.executescript(NUMBERS)
        assert feeds(con) == []
        cur = con.execute("SELECT STREAM n FROM numbers WHERE n < 3")
        cur.timeout = DEADLINE
        assert cur.fetchall() == [(0,), (1,), (2,)]
        assert feeds(con) == ["input NUMBERS"]


def test_a_view_reads_it_too(folder: Path) -> None:
    with streamsql.connect() as con:
        con.executescript(NUMBERS + "CREATE VIEW v AS SELECT STREAM n FROM numbers;")
        cur = con.execute("SELECT STREAM n FROM v LIMIT 2")
        cur.timeout = DEADLINE
        assert cur.fetchall() == [(0,), (1,)]


def test_pumps_write_files(folder: Path) -> None:
    with streamsql.connect() as con:
        con.executescript(NUMBERS + SUMS)
        con.wait(DEADLINE)
    rows = rows_in(folder / "sums.jsonl")
    assert len(rows) == 20 and sum(int(str(n)) for _, n in rows) == 999 * 500


def test_rows_of_insert_go_to_the_server(folder: Path) -> None:
    with streamsql.connect() as con:
        con.executescript("""
            CREATE FOREIGN STREAM f (n BIGINT) SERVER FILE OPTIONS (uri 'f.jsonl');
            INSERT INTO f VALUES (1);
        """)
        con.execute("INSERT INTO f VALUES (2)")
        tail = con.execute("SELECT STREAM n FROM f")
        tail.timeout = DEADLINE
        con.execute("INSERT INTO f VALUES (3)")
        assert tail.fetchone() == (3,)
        con.commit()
        assert rows_in(folder / "f.jsonl") == [(1,), (2,), (3,)]


def test_rows_of_a_script_reach_the_outputs(folder: Path) -> None:
    with streamsql.connect(outputs={"O": "o.jsonl"}) as con:
        con.executescript("CREATE STREAM o (n BIGINT); INSERT INTO o VALUES (1); INSERT INTO o VALUES (2);")
    assert rows_in(folder / "o.jsonl") == [(1,), (2,)]


def test_a_file_that_is_not_there_is_known_before_the_pump_is(folder: Path) -> None:
    with streamsql.connect() as con:
        con.executescript("""
            CREATE FOREIGN STREAM f (n BIGINT) SERVER FILE OPTIONS (uri 'f.jsonl');
            CREATE VIEW v AS SELECT STREAM n FROM f;
            CREATE STREAM o (n BIGINT);
        """)
        with pytest.raises(OperationalError, match=r"f\.jsonl"):
            con.execute("CREATE PUMP p AS INSERT INTO o SELECT STREAM n FROM v")
        assert not con.call(lambda engine: engine.catalog.pumps)
        (folder / "f.jsonl").write_text('{"n": 7}\n')
        live = con.execute("SELECT STREAM n FROM o")
        live.timeout = DEADLINE
        con.execute("CREATE PUMP p AS INSERT INTO o SELECT STREAM n FROM v")
        assert live.fetchone() == (7,)


def test_what_is_read_cannot_be_written(folder: Path) -> None:
    (folder / "f.jsonl").write_text('{"n": 7}\n')
    with streamsql.connect() as con:
        con.execute("CREATE FOREIGN STREAM f (n BIGINT) SERVER FILE OPTIONS (uri 'f.jsonl')")
        con.execute("SELECT STREAM n FROM f")
        with pytest.raises(ProgrammingError, match="F is read from its server, so it cannot be written"):
            con.execute("INSERT INTO f VALUES (1)")
    assert rows_in(folder / "f.jsonl") == [(7,)]


def test_a_replaced_stream_begins_anew(folder: Path) -> None:
    with streamsql.connect() as con:
        con.executescript(NUMBERS)
        first = con.execute("SELECT STREAM n FROM numbers LIMIT 1")
        first.timeout = DEADLINE
        assert first.fetchall() == [(0,)]
        con.executescript(NUMBERS.replace("sequence(0)", "sequence(500)"))
        again = con.execute("SELECT STREAM n FROM numbers LIMIT 1")
        again.timeout = DEADLINE
        assert again.fetchall() == [(500,)]
        con.execute("DROP FOREIGN STREAM numbers")
        assert feeds(con) == []


def test_an_input_of_the_connection_stands_in(folder: Path) -> None:
    (folder / "n.jsonl").write_text('{"n": 42, "k": "x"}\n')
    with streamsql.connect(inputs={"numbers": "n.jsonl"}) as con:
        con.executescript(NUMBERS)
        cur = con.execute("SELECT STREAM n FROM numbers")
        cur.timeout = DEADLINE
        assert cur.fetchall() == [(42,)]


def test_a_database_goes_on_where_it_was(folder: Path) -> None:
    slow = NUMBERS.replace("rows_per_second 0", "rows_per_second 2000").replace("rows 1000", "rows 1200")
    with streamsql.connect("db") as con:
        con.executescript(slow + SUMS)
        until(lambda: con.call(lambda engine: engine.pipeline.feeds["input NUMBERS"].rows) > 150)
    with streamsql.connect("db") as con:
        assert con.call(lambda engine: engine.pipeline.feeds["input NUMBERS"].source.position()["rows"]) > 150
        con.wait(DEADLINE)
    with streamsql.connect("db") as con:
        con.wait(DEADLINE)
        assert feeds(con) == []
    rows = rows_in(folder / "sums.jsonl")
    assert sum(int(str(n)) for _, n in rows) == 1199 * 600
    assert "SERVER GENERATOR" in (folder / "db" / "catalog.sql").read_text()


def test_a_database_forgets_what_was_dropped(folder: Path) -> None:
    with streamsql.connect("db") as con:
        con.executescript(NUMBERS + SUMS)
        con.wait(DEADLINE)
        con.execute("DROP PUMP adding")
        con.execute("DROP STREAM numbers")
    with streamsql.connect("db") as con:
        con.executescript(NUMBERS)
        cur = con.execute("SELECT STREAM n FROM numbers LIMIT 1")
        cur.timeout = DEADLINE
        assert cur.fetchall() == [(0,)]
