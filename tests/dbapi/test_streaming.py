"""Cursors over queries that have no end."""

from __future__ import annotations

import gc
import signal
import threading
import traceback
from datetime import datetime, timedelta

import polars
import pyarrow as pa
import pytest

import streamsql
from streamsql import InterfaceError, OperationalError, ProgrammingError
from streamsql.engine import row_queue
from streamsql.time import ManualClock
from tests.dbapi.conftest import DEADLINE, Background, until

START = datetime(2026, 1, 1)


def seconds(*offsets: float) -> list[tuple[datetime, float]]:
    """Rows with a ROWTIME so many seconds after the start, and the same number as value."""
    return [(START + timedelta(seconds=offset), offset) for offset in offsets]


@pytest.fixture
def s(con: streamsql.Connection) -> streamsql.Cursor:
    """A cursor, and the stream S(V)."""
    return con.execute("CREATE OR REPLACE STREAM s (v DOUBLE)")


def queries(con: streamsql.Connection) -> int:
    return con.call(lambda engine: len(engine.plans_running()))


def waits(con: streamsql.Connection) -> bool:
    """Whether some thread is at work with a connection."""
    return bool(con.session.loop._tasks)


# -- waiting -----------------------------------------------------------------------------------------------------------


def test_a_query_sees_the_rows_that_come_after_it(con: streamsql.Connection, s: streamsql.Cursor) -> None:
    s.executemany("INSERT INTO s VALUES (?)", [(0.0,)])
    live = con.execute("SELECT STREAM v FROM s")
    s.executemany("INSERT INTO s VALUES (?)", [(1.0,), (2.0,)])
    assert [live.fetchone(), live.fetchone()] == [(1.0,), (2.0,)]
    assert live.rowcount == -1


def test_reading_waits_for_rows(con: streamsql.Connection, s: streamsql.Cursor) -> None:
    live = con.execute("SELECT STREAM v FROM s")
    reading = Background(lambda: [next(live) for _ in range(3)])
    until(lambda: waits(con))
    for value in (1.0, 2.0, 3.0):
        assert not reading.done
        s.execute("INSERT INTO s VALUES (?)", (value,))
    assert reading.result() == [(1.0,), (2.0,), (3.0,)]


def test_fetchmany_gives_what_is_there_and_at_least_one(con: streamsql.Connection, s: streamsql.Cursor) -> None:
    live = con.execute("SELECT STREAM v FROM s")
    s.executemany("INSERT INTO s VALUES (?)", [(1.0,), (2.0,)])
    assert live.fetchmany(100) == [(1.0,), (2.0,)]
    reading = Background(lambda: live.fetchmany(100))
    until(lambda: waits(con))
    s.execute("INSERT INTO s VALUES (3.0)")
    assert reading.result() == [(3.0,)]


def test_two_cursors_on_one_stream_get_the_same_rows(con: streamsql.Connection, s: streamsql.Cursor) -> None:
    one, other = con.execute("SELECT STREAM v FROM s"), con.execute("SELECT STREAM v * 2 AS w FROM s WHERE v > 1.0")
    s.executemany("INSERT INTO s VALUES (?)", [(1.0,), (2.0,), (3.0,)])
    assert one.fetchmany(10) == [(1.0,), (2.0,), (3.0,)]
    assert other.fetchmany(10) == [(4.0,), (6.0,)]


def test_rows_come_in_order_whatever_the_threads_do(con: streamsql.Connection, s: streamsql.Cursor) -> None:
    live = con.execute("SELECT STREAM v FROM s LIMIT 400")
    writing = Background(lambda: [con.execute("INSERT INTO s VALUES (?), (?)", (2.0 * n, 2.0 * n + 1)) for n in range(200)])
    assert [v for (v,) in live] == [float(n) for n in range(400)]
    writing.result()


def test_the_clock_closes_windows(still: streamsql.Connection, clock: ManualClock) -> None:
    cur = still.execute("CREATE OR REPLACE STREAM s (v DOUBLE)")
    live = still.execute("SELECT STREAM COUNT(*) AS n FROM s GROUP BY STEP(s.ROWTIME BY INTERVAL '10' SECOND)")
    live.timeout = DEADLINE
    clock.set(1_000)
    cur.executemany("INSERT INTO s VALUES (?)", [(1.0,), (2.0,)])
    clock.set(10_000)
    assert live.fetchone() == (2,)


def test_rows_close_windows_where_they_bring_their_time(con: streamsql.Connection, s: streamsql.Cursor) -> None:
    live = con.execute("SELECT STREAM ROWTIME AS t, SUM(v) AS v FROM s GROUP BY STEP(s.ROWTIME BY INTERVAL '10' SECOND)")
    s.executemany("INSERT INTO s (ROWTIME, v) VALUES (?, ?)", seconds(0, 5, 9, 10, 25))
    assert [live.fetchone(), live.fetchone()] == [(START + timedelta(seconds=10), 14.0), (START + timedelta(seconds=20), 10.0)]
    live.timeout = 0.05
    with pytest.raises(OperationalError, match="no row came"):
        live.fetchone()


def test_a_stream_takes_its_time_in_one_way(con: streamsql.Connection, s: streamsql.Cursor) -> None:
    s.executemany("INSERT INTO s (ROWTIME, v) VALUES (?, ?)", seconds(0))
    for insert in (lambda: s.execute("INSERT INTO s VALUES (1.0)"), lambda: s.executemany("INSERT INTO s VALUES (?)", [(1.0,)])):
        with pytest.raises(ProgrammingError, match="explicit ROWTIME"):
            insert()


# -- time-outs and interruption ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fetch", ["fetchone", "fetchmany", "__next__", "fetch_record_batch"])
def test_a_timeout_bounds_the_wait(con: streamsql.Connection, s: streamsql.Cursor, fetch: str) -> None:
    live = con.execute("SELECT STREAM v FROM s")
    live.timeout = 0.05
    with pytest.raises(OperationalError, match="no row came within"):
        got = getattr(live, fetch)()
        got.read_next_batch()
    s.execute("INSERT INTO s VALUES (1.0)")
    live.timeout = DEADLINE
    assert live.fetchone() == (1.0,)


def test_a_timeout_of_fetchall_loses_nothing(con: streamsql.Connection, s: streamsql.Cursor) -> None:
    live = con.execute("SELECT STREAM v FROM s LIMIT 4")
    s.executemany("INSERT INTO s VALUES (?)", [(1.0,), (2.0,)])
    s.execute("INSERT INTO s VALUES (3.0)")
    assert live.fetchone() == (1.0,)
    live.timeout = 0.05
    for fetch in (live.fetchall, live.fetch_arrow_table):
        with pytest.raises(OperationalError, match="no row came"):
            fetch()
    s.execute("INSERT INTO s VALUES (4.0)")
    assert live.fetchall() == [(2.0,), (3.0,), (4.0,)]
    assert live.fetchall() == []


@pytest.mark.parametrize("fetch", ["fetchall", "fetch_arrow_table", "fetchone", "fetchmany", "__iter__", "fetch_record_batch"])
def test_a_deadline_ends_a_query(con: streamsql.Connection, s: streamsql.Cursor, fetch: str) -> None:
    live = con.cursor()
    live.deadline = 0.1
    live.execute("SELECT STREAM v FROM s")
    s.executemany("INSERT INTO s VALUES (?)", [(1.0,), (2.0,)])
    while live.fetchone() != (2.0,):
        pass
    got = getattr(live, fetch)()
    if fetch == "fetch_record_batch":
        got = got.read_all()
    assert (list(got.to_pylist()) if isinstance(got, pa.Table) else list(got or [])) == []
    s.execute("INSERT INTO s VALUES (3.0)")
    assert live.fetchone() is None
    until(lambda: queries(con) == 0)


def test_the_rows_that_came_by_the_deadline_are_all(con: streamsql.Connection, s: streamsql.Cursor) -> None:
    live = con.cursor()
    live.deadline = 0.0
    live.execute("SELECT STREAM v FROM s")
    s.executemany("INSERT INTO s VALUES (?)", [(1.0,), (2.0,)])
    assert live.fetchone() == (1.0,)
    s.execute("INSERT INTO s VALUES (3.0)")
    assert live.fetchall() == [(2.0,)]


def test_a_deadline_ends_a_query_that_never_pauses(con: streamsql.Connection, s: streamsql.Cursor) -> None:
    live = con.cursor()
    live.deadline = 0.05
    live.execute("SELECT STREAM v FROM s")
    stop = threading.Event()
    writing = Background(lambda: [s.execute("INSERT INTO s VALUES (1.0)") for _ in iter(stop.is_set, True)])
    rows = live.fetchall()
    stop.set()
    assert 0 < len(rows) <= len(writing.result())


def test_the_sooner_of_timeout_and_deadline_counts(con: streamsql.Connection, s: streamsql.Cursor) -> None:
    live = con.cursor()
    live.timeout, live.deadline = 0.01, DEADLINE
    with pytest.raises(OperationalError, match="no row came within 0"):
        live.execute("SELECT STREAM v FROM s").fetchall()
    live.timeout, live.deadline = DEADLINE, 0.01
    assert live.execute("SELECT STREAM v FROM s").fetchall() == []


def test_a_deadline_is_nothing_to_a_query_that_ends_by_itself(con: streamsql.Connection) -> None:
    cur = con.cursor()
    cur.deadline = 0.0
    assert cur.execute("SELECT 1 AS x").fetchall() == [(1,)]


def test_the_limits_of_a_connection_are_those_of_its_cursors() -> None:
    with streamsql.connect(timeout=0.01) as con:
        con.execute("CREATE STREAM s (v DOUBLE)")
        with pytest.raises(OperationalError, match="no row came"):
            con.execute("SELECT STREAM v FROM s LIMIT 1").fetchall()
        con.deadline = 0.0
        assert con.execute("SELECT STREAM v FROM s").fetchall() == []


def test_interrupt_ends_a_wait_and_nothing_else(con: streamsql.Connection, s: streamsql.Cursor) -> None:
    live = con.execute("SELECT STREAM v FROM s")
    reading = Background(live.fetchone)
    until(lambda: waits(con))
    con.interrupt()
    with pytest.raises(OperationalError, match="interrupted"):
        reading.result()
    s.execute("INSERT INTO s VALUES (1.0)")
    assert live.fetchone() == (1.0,)


def test_interrupt_without_anything_to_interrupt(con: streamsql.Connection, s: streamsql.Cursor) -> None:
    con.interrupt()
    assert s.execute("SELECT 1 AS x").fetchall() == [(1,)]


@pytest.mark.parametrize("sql", ["SELECT MAX(x) AS m FROM big WHERE x < 0", "INSERT INTO s SELECT CAST(x AS DOUBLE) FROM big"])
def test_interrupt_stops_a_statement(con: streamsql.Connection, s: streamsql.Cursor, sql: str) -> None:
    one = pa.table({"x": pa.array(range(10_000), pa.int64())})
    con.register("big", pa.concat_tables([one] * 2_000))
    running = Background(lambda: con.execute(sql))
    until(lambda: waits(con))
    while not running.done:
        con.interrupt()
    with pytest.raises(OperationalError, match="interrupted"):
        running.result()
    assert s.execute("SELECT 1 AS x").fetchall() == [(1,)]


def test_interrupt_stops_many_inserts(con: streamsql.Connection, s: streamsql.Cursor) -> None:
    running = Background(lambda: s.executemany("INSERT INTO s VALUES (?)", ((1.0,) for _ in iter(int, 1))))
    until(lambda: waits(con))
    con.interrupt()
    with pytest.raises(OperationalError, match="interrupted"):
        running.result()
    assert s.execute("SELECT 1 AS x").fetchall() == [(1,)]


def test_control_c_ends_a_wait(con: streamsql.Connection, s: streamsql.Cursor) -> None:
    live = con.execute("SELECT STREAM v FROM s")
    threading.Timer(0.1, lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        live.fetchone()
    s.execute("INSERT INTO s VALUES (1.0)")
    assert live.fetchone() == (1.0,)


def test_control_c_reaches_a_wait_beside_polars(con: streamsql.Connection, s: streamsql.Cursor) -> None:
    """polars has interrupted system calls restarted, so that a wait without a limit never returns to Python."""
    assert polars.__version__
    test_control_c_ends_a_wait(con, s)


# -- ends --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fetch", ["fetchall", "fetch_arrow_table"])
def test_all_rows_of_an_endless_query(con: streamsql.Connection, s: streamsql.Cursor, fetch: str) -> None:
    live = con.execute("SELECT STREAM v FROM s")
    s.execute("INSERT INTO s VALUES (1.0)")
    with pytest.raises(ProgrammingError, match="goes on for ever") as caught:
        getattr(live, fetch)()
    assert "LIMIT" in str(caught.value.hint)
    assert traceback.format_exception(caught.value)[-1] == f"  hint: {caught.value.hint}\n"
    assert live.fetchone() == (1.0,)


def test_a_limit_ends_a_query_and_detaches_it(con: streamsql.Connection, s: streamsql.Cursor) -> None:
    live = con.execute("SELECT STREAM v FROM s LIMIT 2")
    s.executemany("INSERT INTO s VALUES (?)", [(1.0,), (2.0,), (3.0,)])
    assert live.fetchall() == [(1.0,), (2.0,)]
    assert live.fetchone() is None
    until(lambda: queries(con) == 0)


def test_close_and_the_next_statement_detach_a_query(con: streamsql.Connection, s: streamsql.Cursor) -> None:
    first, second = con.execute("SELECT STREAM v FROM s"), con.execute("SELECT STREAM v FROM s")
    assert queries(con) == 2
    first.close()
    until(lambda: queries(con) == 1)
    second.execute("SELECT 1 AS x")
    until(lambda: queries(con) == 0)


def test_a_cursor_that_another_thread_closes_is_at_its_end(con: streamsql.Connection, s: streamsql.Cursor) -> None:
    live = con.execute("SELECT STREAM v FROM s")
    reading = Background(live.fetchone)
    until(lambda: waits(con))
    live.close()
    assert reading.result() is None


def test_a_forgotten_cursor_is_detached(con: streamsql.Connection, s: streamsql.Cursor) -> None:
    con.execute("SELECT STREAM v FROM s")
    gc.collect()
    until(lambda: queries(con) == 0)


def test_closing_a_connection_ends_those_who_wait(s: streamsql.Cursor) -> None:
    connection = streamsql.connect()
    connection.execute("CREATE STREAM s (v DOUBLE)")
    live = connection.execute("SELECT STREAM v FROM s")
    reading = Background(live.fetchone)
    until(lambda: waits(connection))
    connection.close()
    with pytest.raises(InterfaceError, match="closed"):
        reading.result()
    with pytest.raises(InterfaceError, match="closed"):
        live.fetchone()


def test_a_forgotten_connection_is_closed() -> None:
    connection = streamsql.connect()
    connection.execute("CREATE STREAM s (v DOUBLE)")
    live = connection.execute("SELECT STREAM v FROM s")
    loop = connection.session.loop
    assert loop.running
    del connection, live
    gc.collect()
    assert loop.closed


def test_dropping_a_stream_ends_its_queries(con: streamsql.Connection, s: streamsql.Cursor) -> None:
    live = con.execute("SELECT STREAM v FROM s")
    s.execute("INSERT INTO s VALUES (1.0)")
    s.execute("DROP STREAM s")
    assert live.fetchone() == (1.0,)
    with pytest.raises(OperationalError, match="dropped"):
        live.fetchone()
    assert queries(con) == 0


def test_a_thread_runs_only_when_something_goes_on(con: streamsql.Connection, s: streamsql.Cursor) -> None:
    con.register("t", pa.table({"x": [1, 2]}))
    assert s.execute("SELECT SUM(x) AS x FROM t").fetchall() == [(3,)]
    s.executemany("INSERT INTO s VALUES (?)", [(1.0,)])
    assert not con.session.loop.running
    s.execute("SELECT STREAM v FROM s")
    assert con.session.loop.running


# -- Arrow -------------------------------------------------------------------------------------------------------------


def test_a_reader_of_a_running_query_gives_batches_as_they_come(con: streamsql.Connection, s: streamsql.Cursor) -> None:
    live = con.execute("SELECT STREAM v FROM s")
    reader = live.fetch_record_batch()
    assert reader.schema == pa.schema([("V", pa.float64())])
    for value in (1.0, 2.0):
        s.executemany("INSERT INTO s VALUES (?)", [(value,)] * 3)
        assert reader.read_next_batch().to_pydict() == {"V": [value] * 3}


def test_tuples_and_arrow_mixed(con: streamsql.Connection, s: streamsql.Cursor) -> None:
    live = con.execute("SELECT STREAM v FROM s LIMIT 10000")
    s.executemany("INSERT INTO s VALUES (?)", [(float(n),) for n in range(10_000)])
    assert live.fetchone() == (0.0,)
    assert len(live.fetchmany(5_000)) == 5_000
    table = live.fetch_arrow_table()
    assert table["V"].to_pylist() == [float(n) for n in range(5_001, 10_000)]
    assert live.rownumber == 10_000


def test_other_libraries_can_take_a_cursor_for_a_table(con: streamsql.Connection, s: streamsql.Cursor) -> None:
    live = con.execute("SELECT STREAM v FROM s LIMIT 2")
    s.executemany("INSERT INTO s VALUES (?)", [(1.0,), (2.0,)])
    assert pa.table(live).to_pydict() == {"V": [1.0, 2.0]}


def test_not_null_columns_as_arrow(con: streamsql.Connection) -> None:
    con.execute("CREATE STREAM strict_one (v DOUBLE NOT NULL)")
    live = con.execute("SELECT STREAM * FROM strict_one LIMIT 1")
    con.execute("INSERT INTO strict_one VALUES (1.0)")
    assert live.fetch_arrow_table().to_pydict() == {"V": [1.0]}


# -- a slow reader -----------------------------------------------------------------------------------------------------


def test_what_a_slow_reader_leaves_goes_to_disk(
    con: streamsql.Connection, s: streamsql.Cursor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_queue, "MEMORY_LIMIT", 10_000)
    live = con.execute("SELECT STREAM v FROM s LIMIT 100000")
    for start in range(0, 100_000, 5_000):
        s.executemany("INSERT INTO s VALUES (?)", [(float(n),) for n in range(start, start + 5_000)])
    queue = live._rows.reader._rows  # type: ignore[union-attr]
    assert isinstance(queue, row_queue.RowQueue)
    assert queue.spilled > 700_000
    assert [v for (v,) in live] == [float(n) for n in range(100_000)]
    assert queue.spilled == 0


# -- what is lost ------------------------------------------------------------------------------------------------------


def test_the_error_stream_can_be_read(con: streamsql.Connection, s: streamsql.Cursor) -> None:
    con.execute("CREATE STREAM idle (v DOUBLE)")
    idle = con.execute("SELECT STREAM v FROM idle")  # which never moves, and holds up nobody
    errors = con.execute("""SELECT STREAM ERROR_NAME, MESSAGE, PUMP_NAME FROM "error_stream" """)
    errors.timeout = DEADLINE
    con.execute("CREATE STREAM out1 (v INTEGER)")
    con.execute("CREATE PUMP halves AS INSERT INTO out1 SELECT STREAM 10 / CAST(v AS INTEGER) FROM s")
    s.executemany("INSERT INTO s (ROWTIME, v) VALUES (?, ?)", seconds(5, 0, 6))
    name, message, _ = errors.fetchone()  # type: ignore[misc]
    assert name == "Late row" and "2026-01-01 00:00:00.000" in message
    s.execute("INSERT INTO s (ROWTIME, v) VALUES (?, ?)", (START + timedelta(seconds=9), 0.0))
    name, _, pump = errors.fetchone()  # type: ignore[misc]
    assert (name, pump) == ("Division by zero", "HALVES")
    idle.close()


def test_the_error_stream_cannot_be_written(con: streamsql.Connection) -> None:
    with pytest.raises(ProgrammingError, match="cannot be written"):
        con.execute("""INSERT INTO "error_stream" (MESSAGE) VALUES ('x')""")


def test_lost_rows_of_tables_go_to_the_error_stream(con: streamsql.Connection) -> None:
    errors = con.execute("""SELECT STREAM ERROR_NAME FROM "error_stream" """)
    errors.timeout = DEADLINE
    con.register("t", pa.table({"x": [1, 0, 2]}))
    assert con.execute("SELECT 10 / x AS y FROM t").fetchall() == [(10,), (5,)]
    assert errors.fetchone() == ("Division by zero",)


def test_replacing_a_stream_drops_its_pumps_and_says_so(con: streamsql.Connection, s: streamsql.Cursor) -> None:
    con.executescript("CREATE STREAM t (v DOUBLE); CREATE PUMP p AS INSERT INTO t SELECT STREAM v FROM s")
    s.execute("CREATE OR REPLACE STREAM s (v DOUBLE)")
    assert ["pump P is dropped" in str(warning) for _, warning in s.messages] == [True]
    con.execute("CREATE PUMP p AS INSERT INTO t SELECT STREAM v FROM s")
    live = con.execute("SELECT STREAM v FROM t")
    s.execute("INSERT INTO s VALUES (1.0)")
    assert live.fetchone() == (1.0,)


def test_a_replaced_function_is_taken_from_its_pumps(con: streamsql.Connection) -> None:
    con.executescript("""
        CREATE FUNCTION scaled(x DOUBLE) RETURNS DOUBLE RETURN x + x;
        CREATE STREAM s (v DOUBLE);
        CREATE STREAM o (v DOUBLE);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM scaled(v) FROM s;
    """)
    cur = con.execute("CREATE OR REPLACE FUNCTION scaled(x DOUBLE) RETURNS DOUBLE RETURN x + x + x")
    assert [str(warning) for _, warning in cur.messages] == ["pump P is dropped with the function SCALED that it used"]
