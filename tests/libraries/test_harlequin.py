"""The adapter for Harlequin: by its interface, and in Harlequin's own app without a terminal."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pyarrow as pa
import pytest
from harlequin import Harlequin
from harlequin.catalog import CatalogItem
from harlequin.exception import HarlequinConfigError, HarlequinConnectionError, HarlequinQueryError
from textual.pilot import Pilot
from textual.widgets.text_area import Selection

from streamsql.harlequin import StreamSQLAdapter
from streamsql.harlequin.adapter import StreamSQLConnection, StreamSQLCursor

DEADLINE = 30.0
"""Seconds after which a test that waits has failed."""

SCRIPT = """
CREATE STREAM trades (ticker VARCHAR(4), price DOUBLE, day DATE);
CREATE STREAM "Copies" (ticker VARCHAR(4));
CREATE VIEW dear AS SELECT STREAM ticker FROM trades WHERE price > 100.0;
CREATE PUMP copying AS INSERT INTO "Copies" SELECT STREAM ticker FROM trades;
CREATE PUMP still STOPPED AS INSERT INTO "Copies" SELECT STREAM ticker FROM trades;
"""


@pytest.fixture
def connection() -> Iterator[StreamSQLConnection]:
    connection = StreamSQLAdapter((), seconds="0.2").connect()
    connection._connection.register("companies", pa.table({"ticker": ["AAPL", "IBM"], "founded": [1976, 1911]}))
    connection._connection.executescript(SCRIPT)
    yield connection
    connection.close()


def executed(connection: StreamSQLConnection, sql: str) -> StreamSQLCursor:
    cursor = connection.execute(sql)
    assert cursor is not None
    return cursor


# -- the interface -----------------------------------------------------------------------------------------------------


def test_harlequin_finds_the_adapter() -> None:
    (entry,) = entry_points(group="harlequin.adapter", name="streamsql")
    assert entry.load() is StreamSQLAdapter


def test_statements_and_queries(connection: StreamSQLConnection) -> None:
    assert connection.execute("CREATE STREAM s (v DOUBLE)") is None
    cursor = executed(connection, "SELECT ticker, founded FROM companies ORDER BY founded;")
    assert cursor.columns() == [("ticker", "s"), ("founded", "##")]
    assert cursor.fetchall().to_pydict() == {"ticker": ["IBM", "AAPL"], "founded": [1911, 1976]}
    assert cursor.columns() == [("ticker", "s"), ("founded", "##")]
    assert executed(connection, "SELECT ticker FROM companies").set_limit(1).fetchall().num_rows == 1
    assert executed(connection, "SELECT ticker FROM companies").set_limit(0).fetchall().num_rows == 0
    empty = executed(connection, "SELECT ticker FROM companies WHERE founded < 0").fetchall()
    assert (empty.column_names, empty.num_rows) == (["ticker"], 0)


def test_a_query_over_streams_ends_in_time(connection: StreamSQLConnection) -> None:
    live = executed(connection, "SELECT STREAM ticker FROM trades")
    connection.execute("INSERT INTO trades (ticker) VALUES ('A'), ('B')")
    assert live.fetchall().to_pydict() == {"TICKER": ["A", "B"]}


def test_a_query_over_streams_ends_at_the_limit(connection: StreamSQLConnection) -> None:
    connection._connection.deadline = DEADLINE
    live = executed(connection, "SELECT STREAM ticker FROM trades").set_limit(3)
    connection.execute("INSERT INTO trades (ticker) VALUES ('A'), ('B')")
    connection.execute("INSERT INTO trades (ticker) VALUES ('C'), ('D')")
    assert live.fetchall().to_pydict() == {"TICKER": ["A", "B", "C"]}


def test_cancelling_gives_the_rows_that_came(connection: StreamSQLConnection) -> None:
    connection._connection.deadline = 10 * DEADLINE
    live = executed(connection, "SELECT STREAM ticker FROM trades")
    connection.execute("INSERT INTO trades (ticker) VALUES ('A')")
    found: list[pa.Table] = []
    reading = threading.Thread(target=lambda: found.append(live.fetchall()))
    reading.start()
    while reading.is_alive() and not live._cursor.rownumber:
        reading.join(0.01)
    connection.cancel()
    reading.join(DEADLINE)
    assert found[0].to_pydict() == {"TICKER": ["A"]}
    assert executed(connection, "SELECT 1 AS x").fetchall().num_rows == 1


def test_cancelling_is_not_missed_between_executing_and_fetching(connection: StreamSQLConnection) -> None:
    connection._connection.deadline = 10 * DEADLINE
    live = executed(connection, "SELECT STREAM ticker FROM trades")
    table = executed(connection, "SELECT ticker FROM companies")
    connection.execute("INSERT INTO trades (ticker) VALUES ('A')")
    connection.cancel()
    assert live.fetchall().to_pydict() == {"TICKER": ["A"]}
    assert table.fetchall().num_rows == 2, "what is computed already"
    later = executed(connection, "SELECT STREAM ticker FROM trades").set_limit(1)
    connection.execute("INSERT INTO trades (ticker) VALUES ('B')")
    assert later.fetchall().to_pydict() == {"TICKER": ["B"]}


def test_errors_show_their_place(connection: StreamSQLConnection) -> None:
    with pytest.raises(HarlequinQueryError) as caught:
        connection.execute("SELECT STREAM prices FROM trades")
    assert "<input>:1:15: no column PRICES" in caught.value.msg and "^^^^^^" in caught.value.msg
    with pytest.raises(HarlequinQueryError, match="no stream NOWHERE"):
        connection.execute("SELECT x FROM nowhere")


def test_the_catalog(connection: StreamSQLConnection) -> None:
    items = {item.label: item for item in connection.get_catalog().items}
    assert [(item.label, item.type_label) for item in items.values()] == [
        ("companies", "t"),
        ("Copies", "st"),
        ("DEAR", "v"),
        ("error_stream", "st"),
        ("TRADES", "st"),
        ("COPYING", "p"),
        ("STILL", "p"),
    ]

    def columns(item: CatalogItem) -> list[tuple[str, str, str | None]]:
        return [(column.label, column.type_label, column.type_name) for column in item.children]

    assert columns(items["TRADES"]) == [
        ("ROWTIME", "ts", "TIMESTAMP"),
        ("TICKER", "s", "VARCHAR(4)"),
        ("PRICE", "#.#", "DOUBLE"),
        ("DAY", "d", "DATE"),
    ]
    assert [column.label for column in items["DEAR"].children] == ["ROWTIME", "TICKER"]
    assert (items["Copies"].query_name, items["TRADES"].query_name) == ('"Copies"', "TRADES")
    assert (items["COPYING"].type_name, items["STILL"].type_name) == ("PUMP", "PUMP (STOPPED)")
    names = [child.qualified_identifier for item in items.values() for child in (item, *item.children)]
    assert len(names) == len(set(names))


def test_completions(connection: StreamSQLConnection) -> None:
    found = {(each.label, each.type_label) for each in connection.get_completions()}
    assert {("stream", "kw"), ("pump", "kw"), ("STEP", "fn"), ("AVG", "fn")} <= found


def test_validation(connection: StreamSQLConnection) -> None:
    assert connection.validate_sql("SELECT STREAM x FROM s; SELECT 1") != ""
    assert connection.validate_sql("SELECT FROM WHERE") == ""


def test_options_and_databases(tmp_path: Path) -> None:
    file = tmp_path / "s.jsonl"
    file.write_text("".join(json.dumps({"V": n}) + "\n" for n in range(3)))
    adapter = StreamSQLAdapter((str(tmp_path / "db"),), input=[f"S={file}"], other_option=1)
    assert adapter.connection_id == str(tmp_path / "db")
    connection = adapter.connect()
    assert executed(connection, "SELECT STREAM v FROM s").fetchall().to_pydict() == {"V": [0, 1, 2]}
    with pytest.raises(HarlequinConnectionError, match="is open elsewhere"):
        StreamSQLAdapter((str(tmp_path / "db"),)).connect()
    connection.close()
    for options in ({"input": ["S"]}, {"seconds": "soon"}):
        with pytest.raises(HarlequinConfigError):
            StreamSQLAdapter((), **options)
    with pytest.raises(HarlequinConfigError, match="one database"):
        StreamSQLAdapter(("a", "b"))


# -- Harlequin itself --------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Harlequin keeps caches and a history below the home directory."""
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))


@contextlib.asynccontextmanager
async def harlequin(seconds: float) -> AsyncIterator[tuple[Harlequin, Pilot[None], StreamSQLConnection]]:
    """The app, when it is connected."""
    app = Harlequin(StreamSQLAdapter((), seconds=seconds), connection_hash="", record_history=False, no_download_tzdata=True)
    async with asyncio.timeout(DEADLINE), app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: app.connection is not None and app.editor is not None)
        assert isinstance(app.connection, StreamSQLConnection)
        app.connection._connection.executescript(SCRIPT)
        try:
            yield app, pilot, app.connection
        finally:
            app.connection.close()


async def until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    while not condition():
        await pilot.pause(0.02)


async def run(app: Harlequin, pilot: Pilot[None], sql: str) -> None:
    """Type a statement into the editor, and run it as the key does."""
    assert app.editor is not None
    app.editor.focus()
    await pilot.pause()
    app.editor.text = sql
    app.editor.selection = Selection((0, 0), (0, len(sql)))
    await pilot.press("ctrl+j")


def test_harlequin_shows_rows_and_errors() -> None:
    async def use() -> None:
        async with harlequin(seconds=0.3) as (app, pilot, connection):
            await run(app, pilot, "SELECT 1 AS one, 'x' AS two")
            await until(pilot, lambda: app.results_viewer.get_visible_table() is not None)
            table = app.results_viewer.get_visible_table()
            assert table is not None and table.row_count == 1
            assert table.get_row_at(0) == [1, "x"]
            await run(app, pilot, "SELECT nope FROM trades")
            await until(pilot, lambda: len(app.screen_stack) > 1)
            shown = "\n".join(str(label.render()) for label in app.screen.query("Static"))
            assert "no column NOPE" in shown and "^^^^" in shown
            await pilot.press("escape")
            assert connection._connection.execute("SELECT 1 AS x").fetchall() == [(1,)]

    asyncio.run(use())


def test_harlequin_cancels_a_query_over_streams() -> None:
    async def use() -> None:
        async with harlequin(seconds=10 * DEADLINE) as (app, pilot, connection):
            await run(app, pilot, "SELECT STREAM ticker FROM trades")
            con = connection._connection
            await until(pilot, lambda: con.call(lambda engine: bool(engine.plans_running())))
            con.execute("INSERT INTO trades (ticker) VALUES ('A'), ('B')")
            await until(pilot, lambda: any(cursor._cursor.rownumber == 2 for cursor in connection._open))
            app._cancel_query()
            await until(pilot, lambda: app.results_viewer.get_visible_table() is not None)
            table = app.results_viewer.get_visible_table()
            assert table is not None and table.row_count == 2
            assert not con.call(lambda engine: engine.plans_running())

    asyncio.run(use())
