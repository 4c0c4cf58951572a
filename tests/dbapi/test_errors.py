"""What errors say: the place, the line with a caret, what to do."""

from __future__ import annotations

import traceback

import pytest

import streamsql
from streamsql import DataError, InterfaceError, InternalError, NotSupportedError, OperationalError, ProgrammingError

SQL = """SELECT STREAM
  prices
FROM s"""


@pytest.fixture
def cur(con: streamsql.Connection) -> streamsql.Cursor:
    return con.execute("CREATE STREAM s (price DOUBLE, k VARCHAR(8))")


def test_an_error_knows_its_place(cur: streamsql.Cursor) -> None:
    with pytest.raises(ProgrammingError) as caught:
        cur.execute(SQL)
    error = caught.value
    assert (error.line, error.column, error.hint) == (2, 3, "did you mean PRICE?")
    assert str(error) == "no column PRICES in S"
    assert error.render() == ("<input>:2:3: no column PRICES in S\n  2 |   prices\n        ^^^^^^\n  hint: did you mean PRICE?")


def test_a_traceback_shows_the_line_and_the_caret(cur: streamsql.Cursor) -> None:
    with pytest.raises(ProgrammingError) as caught:
        cur.execute(SQL)
    shown = "".join(traceback.format_exception_only(caught.value))
    assert "  2 |   prices\n        ^^^^^^\n  hint: did you mean PRICE?" in shown
    assert shown.count("hint:") == 1


def test_a_script_counts_its_own_lines(cur: streamsql.Cursor) -> None:
    with pytest.raises(ProgrammingError) as caught:
        cur.executescript("CREATE STREAM t (price DOUBLE);\n\nCREATE PUMP p AS INSERT INTO t\nSELECT STREAM nope FROM s;")
    assert (caught.value.line, caught.value.column) == (4, 15)
    assert cur.execute("EXPLAIN SELECT STREAM * FROM t").fetchall()  # what stands before the mistake was executed


def test_syntax(cur: streamsql.Cursor) -> None:
    with pytest.raises(ProgrammingError) as caught:
        cur.execute("SELECT STREAM price FROM s WHERE")
    assert caught.value.line == 1
    assert "^" in caught.value.render()


def test_several_statements(cur: streamsql.Cursor) -> None:
    with pytest.raises(ProgrammingError, match="one statement, and this text has 2") as caught:
        cur.execute("SELECT 1 AS x;\nSELECT 2 AS x")
    assert (caught.value.line, caught.value.hint) == (2, "executescript takes several")


@pytest.mark.parametrize("sql", ["", "  ", ";", "-- nothing"])
def test_no_statement(cur: streamsql.Cursor, sql: str) -> None:
    with pytest.raises(ProgrammingError):
        cur.execute(sql)
    with pytest.raises(ProgrammingError, match="no rows to fetch"):
        cur.fetchone()


def test_errors_leave_the_cursor_without_a_result(cur: streamsql.Cursor) -> None:
    cur.execute("SELECT 1 AS x")
    with pytest.raises(ProgrammingError):
        cur.execute("SELECT nope AS x")
    assert cur.description is None
    with pytest.raises(ProgrammingError, match="no rows to fetch"):
        cur.fetchall()


def test_what_is_not_there_yet(con: streamsql.Connection) -> None:
    with pytest.raises(NotSupportedError, match="no rollback"):
        con.rollback()
    with pytest.raises(NotSupportedError, match="no stored procedures"):
        con.cursor().callproc("f")


def test_what_the_engine_gets_wrong_is_an_internal_error(con: streamsql.Connection) -> None:
    def wrong(_: object) -> None:
        raise ZeroDivisionError("oops")

    with pytest.raises(InternalError, match="ZeroDivisionError: oops"):
        con.call(wrong)
    assert con.execute("SELECT 1 AS x").fetchall() == [(1,)]


def test_a_step_that_fails_ends_the_engine_and_says_so(cur: streamsql.Cursor, con: streamsql.Connection) -> None:
    live = con.execute("SELECT STREAM price FROM s")

    def break_it(engine: streamsql.engine.engine.Engine) -> None:  # type: ignore[name-defined]
        def step() -> bool:
            raise ZeroDivisionError("oops")

        engine.pipeline.step = step  # type: ignore[method-assign]

    con.call(break_it)
    live.timeout = 30
    for use in (live.fetchone, lambda: con.execute("SELECT 1 AS x"), con.commit):
        with pytest.raises(InternalError, match="ZeroDivisionError: oops"):
            use()
    con.close()
    with pytest.raises(InterfaceError, match="closed"):
        con.cursor()


def test_a_value_that_python_does_not_have(con: streamsql.Connection) -> None:
    cur = con.execute("SELECT TIMESTAMP '9999-12-31 23:59:59' + INTERVAL '99' DAY AS t")
    with pytest.raises(DataError, match="no Python form"):
        cur.fetchone()


def test_commit_outside_a_database(con: streamsql.Connection) -> None:
    con.commit()
    con.commit()


def test_what_connect_can_know_is_said_at_once() -> None:
    wrong: list[tuple[dict[str, dict[str, str]], str]] = [
        ({"inputs": {"S": "nowhere.jsonl"}}, "no such file"),
        ({"references": {"S": "nowhere.csv"}}, "no such file"),
        ({"schemas": {"S": "nowhere.sql"}}, "cannot read the schema"),
        ({"inputs": {"S": "x.jsonl?rowtimes=ts"}}, "unknown option"),
    ]
    for arguments, message in wrong:
        with pytest.raises(OperationalError, match=message):
            streamsql.connect(**arguments)  # type: ignore[arg-type]
