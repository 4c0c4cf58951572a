"""The asyncio twin: waiting takes no thread, and a cancellation stops what was waited for."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any

import polars
import pyarrow as pa
import pytest

import streamsql
from streamsql import InterfaceError, OperationalError, ProgrammingError, aio
from tests.dbapi.conftest import DEADLINE

START = datetime(2026, 1, 1)
INSERT = "INSERT INTO s VALUES (?)"


def on_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a coroutine as a test."""

    @wraps(test)
    def run(*arguments: Any, **options: Any) -> None:
        async def limited() -> None:
            async with asyncio.timeout(DEADLINE):
                await test(*arguments, **options)

        asyncio.run(limited())

    return run


async def with_s(con: aio.Connection) -> aio.Cursor:
    """A cursor, and the stream S(V)."""
    return await con.execute("CREATE STREAM s (v DOUBLE)")


def queries(con: aio.Connection) -> int:
    return con._connection.call(lambda engine: len(engine.plans_running()))


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


async def waits(con: aio.Connection) -> None:
    """Until something is waited for."""
    await until(lambda: bool(con._news._waiters))


# -- the interface -----------------------------------------------------------------------------------------------------


def test_the_twins_have_the_same_names() -> None:
    names = {name for name in dir(streamsql.Cursor) if not name.startswith("_")} - {"result", "forget", "expire", "lastrowid"}
    blocking = {"fetch_record_batch", "fetch_arrow_batch", "callproc", "nextset", "setinputsizes", "setoutputsize"}
    assert names - blocking <= set(dir(aio.Cursor))
    names = {name for name in dir(streamsql.Connection) if not name.startswith("_")}
    exceptions = {name for name in names if name[0].isupper()}
    assert names - exceptions - {"autocommit", "call", "check"} <= set(dir(aio.Connection))


@on_loop
async def test_statements_and_rows() -> None:
    async with aio.connect() as con:
        cur = await with_s(con)
        live = await con.execute("SELECT STREAM v * :f AS w FROM s LIMIT 5", {"f": 2.0})
        assert live.rowcount == -1 and live.description is not None and live.description[0][:2] == ("W", "DOUBLE")
        await cur.executemany(INSERT, [(float(n),) for n in range(9)])
        assert cur.rowcount == 9
        assert await live.fetchone() == (0.0,)
        live.arraysize = 2
        assert await live.fetchmany() == [(2.0,), (4.0,)]
        assert [row async for row in live] == [(6.0,), (8.0,)]
        assert live.rownumber == 5
        assert await live.fetchone() is None
        assert await live.fetchmany(3) == await live.fetchall() == []
        await until(lambda: queries(con) == 0)


@on_loop
async def test_a_connection_can_be_awaited() -> None:
    con = await aio.connect(timeout=0.01, deadline=DEADLINE)
    assert (con.timeout, con.deadline, con.cursor().timeout, con.cursor().deadline) == (0.01, DEADLINE, 0.01, DEADLINE)
    await con.close()
    with pytest.raises(InterfaceError, match="closed"):
        con.cursor()


@on_loop
async def test_tables(tmp_path: Path) -> None:
    async with aio.connect(tmp_path / "db") as con, con.cursor() as cur:
        await con.register("t", pa.table({"x": range(200_000)}))
        await cur.execute("SELECT x FROM t")
        assert sum([x async for (x,) in cur]) == sum(range(200_000))
        assert len(await (await cur.execute("SELECT x FROM t")).fetchall()) == 200_000
        assert (await (await cur.execute("SELECT x FROM t")).fetch_df())["x"].sum() == sum(range(200_000))
        await con.unregister("t")
        with pytest.raises(ProgrammingError, match="no stream T"):
            await cur.execute("SELECT x FROM t")
        await con.commit()
        with pytest.raises(streamsql.NotSupportedError):
            await con.rollback()


@on_loop
async def test_arrow() -> None:
    async with aio.connect() as con:
        cur = await with_s(con)
        for fetch in ("fetch_arrow_table", "fetch_polars"):
            live = await con.execute("SELECT STREAM v FROM s LIMIT 3")
            inserting = asyncio.create_task(cur.executemany(INSERT, pa.table({"v": [1.0, 2.0, 3.0]})))
            table = await getattr(live, fetch)()
            assert polars.DataFrame(table)["V"].to_list() == [1.0, 2.0, 3.0]
            await inserting
        live = await con.execute("SELECT STREAM v FROM s LIMIT 3")
        batches = live.record_batches()
        for value in (1.0, 2.0, 3.0):
            await cur.execute(INSERT, (value,))
            assert (await anext(batches)).to_pydict() == {"V": [value]}
        assert [batch async for batch in batches] == []


@on_loop
async def test_scripts_warnings_and_errors() -> None:
    async with aio.connect() as con:
        cur = await con.executescript("CREATE STREAM s (v DOUBLE); CREATE STREAM t (v DOUBLE);")
        await cur.execute("CREATE PUMP p STOPPED AS INSERT INTO t SELECT STREAM v FROM s")
        assert "STOPPED" in str(cur.messages[0][1])
        with pytest.raises(ProgrammingError, match="no column W") as caught:
            await cur.execute("SELECT STREAM w FROM s")
        assert caught.value.column == 15
        with pytest.raises(ProgrammingError, match="was no query"):
            await cur.fetchone()


# -- waiting -----------------------------------------------------------------------------------------------------------


@on_loop
async def test_rows_come_while_others_are_at_work() -> None:
    async with aio.connect() as con:
        await with_s(con)

        async def read(number: int) -> list[float]:
            async with con.cursor() as cur:
                await cur.execute("SELECT STREAM v FROM s WHERE v >= ?", (float(number),))
                ready.release()
                return [(await cur.fetchone())[0] for _ in range(10 - number)]  # type: ignore[index]

        ready = asyncio.Semaphore(0)
        readers = [asyncio.create_task(read(number)) for number in range(10)]
        for _ in readers:
            await ready.acquire()
        for n in range(10):
            await con.execute(INSERT, (float(n),))
        assert await asyncio.gather(*readers) == [[float(n) for n in range(number, 10)] for number in range(10)]


@on_loop
async def test_waiting_takes_no_thread_and_no_time() -> None:
    async with aio.connect() as con:
        await with_s(con)
        cursors = [await con.execute("SELECT STREAM v FROM s") for _ in range(50)]
        await asyncio.to_thread(time.sleep, 0)
        threads = threading.active_count()
        reading = [asyncio.create_task(cur.fetchone()) for cur in cursors]
        await until(lambda: len(con._news._waiters) == 50)
        assert threading.active_count() == threads
        looks = 0
        look = con._news._look

        def counted() -> None:
            nonlocal looks
            looks += 1
            look()

        con._news._look = counted  # type: ignore[method-assign]
        await asyncio.sleep(0.3)
        assert looks == 0
        await con.execute(INSERT, (1.0,))
        assert await asyncio.gather(*reading) == [(1.0,)] * 50
        assert looks <= 5


@on_loop
async def test_the_event_loop_goes_on_while_a_statement_is_executed() -> None:
    async with aio.connect() as con:
        one = pa.table({"x": pa.array(range(10_000), pa.int64())})
        await con.register("big", pa.concat_tables([one] * 500))
        running = asyncio.create_task(con.execute("SELECT MAX(x) AS m FROM big"))
        turns = 0
        while not running.done():
            await asyncio.sleep(0)
            turns += 1
        assert turns > 5
        assert await (await running).fetchall() == [(9_999,)]


@pytest.mark.parametrize("fetch", ["fetchone", "fetchmany", "fetchall", "fetch_arrow_table"])
@on_loop
async def test_a_timeout_loses_nothing(fetch: str) -> None:
    async with aio.connect() as con:
        cur = await with_s(con)
        live = await con.execute("SELECT STREAM v FROM s LIMIT 1")
        live.timeout = 0.02
        with pytest.raises(OperationalError, match="no row came within"):
            await getattr(live, fetch)()
        await cur.execute(INSERT, (1.0,))
        live.timeout = DEADLINE
        assert await live.fetchall() == [(1.0,)]


@on_loop
async def test_a_timeout_begins_anew_with_every_row() -> None:
    async with aio.connect() as con:
        cur = await with_s(con)
        live = await con.execute("SELECT STREAM v FROM s LIMIT 4")
        live.timeout = 0.5
        reading = asyncio.create_task(live.fetchall())
        for n in range(4):
            await asyncio.sleep(0.15)
            await cur.execute(INSERT, (float(n),))
        assert await reading == [(0.0,), (1.0,), (2.0,), (3.0,)]


@on_loop
async def test_a_deadline_ends_a_query() -> None:
    async with aio.connect() as con:
        cur = await with_s(con)
        for fetch in ("fetchall", "iteration"):
            live = con.cursor()
            live.deadline = 0.05
            await live.execute("SELECT STREAM v FROM s")
            await cur.execute(INSERT, (1.0,))
            assert (await live.fetchall() if fetch == "fetchall" else [row async for row in live]) == [(1.0,)]
            await until(lambda: queries(con) == 0)


@on_loop
async def test_all_rows_of_an_endless_query() -> None:
    async with aio.connect() as con:
        await with_s(con)
        live = await con.execute("SELECT STREAM v FROM s")
        for fetch in (live.fetchall, live.fetch_arrow_table, live.fetch_df, live.fetch_polars):
            with pytest.raises(ProgrammingError, match="goes on for ever"):
                await fetch()
        await con.execute(INSERT, (1.0,))
        assert await live.fetchone() == (1.0,)


@on_loop
async def test_inputs_are_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "s.jsonl"
    file.write_text("".join(json.dumps({"V": n}) + "\n" for n in range(5)))
    async with aio.connect(inputs={"S": file}) as con:
        live = await con.execute("SELECT STREAM v FROM s")
        await con.wait(DEADLINE)
        assert await live.fetchall() == [(n,) for n in range(5)]
    async with aio.connect(inputs={"S": f"{file}?follow=true"}) as con:
        await con.execute("SELECT STREAM v FROM s")
        with pytest.raises(OperationalError, match="have not ended within"):
            await con.wait(0.02)


# -- interruption and cancellation -------------------------------------------------------------------------------------


@on_loop
async def test_interrupt_ends_a_wait_and_nothing_else() -> None:
    async with aio.connect() as con:
        cur = await with_s(con)
        live = await con.execute("SELECT STREAM v FROM s")
        reading = asyncio.create_task(live.fetchone())
        await waits(con)
        con.interrupt()
        with pytest.raises(OperationalError, match="interrupted"):
            await reading
        await cur.execute(INSERT, (1.0,))
        assert await live.fetchone() == (1.0,)


@pytest.mark.parametrize("fetch", ["fetchone", "fetchmany", "fetchall", "__anext__"])
@on_loop
async def test_cancelling_a_wait_stops_the_query(fetch: str) -> None:
    async with aio.connect() as con:
        await with_s(con)
        live = await con.execute("SELECT STREAM v FROM s LIMIT 1")
        other = await con.execute("SELECT STREAM v FROM s")
        reading = asyncio.create_task(getattr(live, fetch)())
        await waits(con)
        assert queries(con) == 2
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await until(lambda: queries(con) == 1)
        with pytest.raises(ProgrammingError, match="who waited for it was cancelled") as caught:
            await live.fetchone()
        assert "cursor.timeout" in str(caught.value.hint)
        await con.execute(INSERT, (1.0,))
        assert await other.fetchone() == (1.0,)
        assert await (await live.execute("SELECT 1 AS x")).fetchall() == [(1,)]


@pytest.mark.parametrize("sql", ["SELECT MAX(x) AS m FROM big WHERE x < 0", "INSERT INTO s SELECT CAST(x AS DOUBLE) FROM big"])
@on_loop
async def test_cancelling_stops_a_statement(sql: str) -> None:
    async with aio.connect() as con:
        cur = await with_s(con)
        one = pa.table({"x": pa.array(range(10_000), pa.int64())})
        await con.register("big", pa.concat_tables([one] * 20_000))
        running = asyncio.create_task(cur.execute(sql))
        await until(lambda: bool(con._loop._tasks))
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert not con._loop._tasks  # what ran has stopped when the cancellation goes on
        assert await (await con.execute("SELECT 1 AS x")).fetchall() == [(1,)]


@on_loop
async def test_cancelling_stops_many_inserts_and_no_other() -> None:
    async with aio.connect() as con:
        cur = await with_s(con)
        live = await con.execute("SELECT STREAM v FROM s WHERE v = 2.0")
        writing = asyncio.create_task(cur.executemany(INSERT, ((1.0,) for _ in iter(int, 1))))  # noqa: RUF006 - it is below
        other = asyncio.create_task(live.fetchone())
        await waits(con)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        await con.execute(INSERT, (2.0,))
        assert await other == (2.0,)


@on_loop
async def test_a_statement_that_was_cancelled_before_it_began() -> None:
    async with aio.connect() as con:
        live = con.cursor()
        await with_s(con)
        executing = asyncio.create_task(live.execute("SELECT STREAM v FROM s"))
        await asyncio.sleep(0)
        executing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await executing
        await until(lambda: queries(con) == 0)


@on_loop
async def test_a_group_of_tasks_ends_together() -> None:
    async with aio.connect() as con:
        await with_s(con)

        async def consume() -> None:
            async for _ in await con.execute("SELECT STREAM v FROM s"):
                pass

        async def fail() -> None:
            await until(lambda: len(con._news._waiters) == 3)
            raise ZeroDivisionError

        with pytest.raises(ExceptionGroup):
            async with asyncio.TaskGroup() as group:
                for _ in range(3):
                    group.create_task(consume())
                group.create_task(fail())
        await until(lambda: queries(con) == 0)


@on_loop
async def test_closing_a_connection_ends_those_who_wait() -> None:
    con = await aio.connect()
    await with_s(con)
    live = await con.execute("SELECT STREAM v FROM s")
    reading = asyncio.create_task(live.fetchone())
    await waits(con)
    await con.close()
    with pytest.raises(InterfaceError, match="closed"):
        await reading


def test_an_event_loop_that_ends_before_its_connection() -> None:
    async def begin() -> aio.Connection:
        con = await aio.connect()
        await with_s(con)
        live = await con.execute("SELECT STREAM v FROM s")
        asyncio.get_running_loop().create_task(live.fetchone())
        await waits(con)
        return con

    con = asyncio.run(begin())
    con._connection.execute("INSERT INTO s VALUES (1.0)")
    con._connection.close()


@on_loop
async def test_many_waits_leave_nothing_behind() -> None:
    async with aio.connect() as con:
        cur = await with_s(con)
        live = await con.execute("SELECT STREAM v FROM s")
        for n in range(20):
            reading = asyncio.create_task(live.fetchone())
            await waits(con)
            await cur.execute("INSERT INTO s VALUES (?)", (float(n),))
            await reading
        assert not con._news._waiters and not con._loop._tasks and len(con._loop._listeners) == 1


@on_loop
async def test_windows_close_as_rows_bring_their_time() -> None:
    async with aio.connect() as con:
        cur = await with_s(con)
        live = await con.execute("SELECT STREAM SUM(v) AS v FROM s GROUP BY STEP(s.ROWTIME BY INTERVAL '10' SECOND) LIMIT 2")
        rows = [(START + timedelta(seconds=n), float(n)) for n in (0, 5, 10, 20)]
        reading = asyncio.create_task(live.fetchall())
        await cur.executemany("INSERT INTO s (ROWTIME, v) VALUES (?, ?)", rows)
        assert await reading == [(5.0,), (10.0,)]
