"""APPROXIMATE_ARRIVAL_TIME and the other system columns of streams that inputs feed."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

import streamsql
from streamsql.application import Application, Settings
from streamsql.attach.attacher import Attachments
from streamsql.errors import ProgrammingError
from streamsql.monitor.log import Log
from tests.application.command import lines

TRADES = """\
{"ticker": "AMZN", "time": "2026-01-01 00:00:10"}
{"ticker": "WXYZ", "time": "2026-01-01 00:00:20"}
{"ticker": "AMZN", "time": "2026-01-01 00:01:10"}
"""
OUT = 'CREATE STREAM "OUT" ("ticker" VARCHAR(4), "n" BIGINT, "minute" TIMESTAMP);'


def rows_of(folder: Path, sql: str, more: str | None = None, **others: Any) -> list[Any]:
    """What an application writes to the stream OUT."""
    (folder / "trades.jsonl").write_text(TRADES)
    (folder / "app.sql").write_text(sql)
    inputs = {"S": f"{folder}/trades.jsonl?rowtime=time", **({} if more is None else {"MORE": more})}
    attachments = Attachments(inputs, {"OUT": f"{folder}/out.jsonl"}, **others)
    application = Application(folder / "app.sql", Settings(attachments), Log(io.StringIO()))
    application.prepare()
    application.run()
    return lines((folder / "out.jsonl").read_text())


@pytest.mark.parametrize(
    "name", ["APPROXIMATE_ARRIVAL_TIME", "approximate_arrival_time", '"APPROXIMATE_ARRIVAL_TIME"', "S.APPROXIMATE_ARRIVAL_TIME"]
)
def test_two_windows(tmp_path: Path, name: str) -> None:
    step = f"STEP({name} BY INTERVAL '60' SECOND)"
    sql = f"""{OUT} CREATE PUMP p AS INSERT INTO "OUT" SELECT STREAM "ticker", COUNT(*), {step} FROM S
        GROUP BY "ticker", {step}, STEP(S.ROWTIME BY INTERVAL '10' MINUTE);"""
    minutes = [(row["ticker"], row["n"], row["minute"]) for row in rows_of(tmp_path, sql)]
    assert minutes == [
        ("AMZN", 1, "2026-01-01 00:00:00.000"),
        ("WXYZ", 1, "2026-01-01 00:00:00.000"),
        ("AMZN", 1, "2026-01-01 00:01:00.000"),
    ]


def test_the_arrival_time_as_a_monotonic_key(tmp_path: Path) -> None:
    key = "STEP(MONOTONIC(APPROXIMATE_ARRIVAL_TIME) BY INTERVAL '1' MINUTE)"
    sql = f"""{OUT} CREATE PUMP p AS INSERT INTO "OUT" ("n", "minute") SELECT STREAM COUNT(*), {key} FROM S GROUP BY {key};"""
    assert [row["n"] for row in rows_of(tmp_path, sql)] == [2, 1]


def test_a_star_leaves_them_out(tmp_path: Path) -> None:
    sql = """CREATE STREAM "OUT" ("t" VARCHAR(4), "time" TIMESTAMP, id VARCHAR(64), number VARCHAR(128), key VARCHAR(8));
        CREATE PUMP p AS INSERT INTO "OUT" SELECT STREAM *, SHARD_ID, SEQUENCE_NUMBER, PARTITION_KEY FROM S;"""
    row = rows_of(tmp_path, sql)[1]
    assert (row["ID"], row["NUMBER"], row["KEY"]) == ("shardId-000000000000", "00000000000000000001", "1")


def test_of_a_stream_that_the_application_creates(tmp_path: Path) -> None:
    sql = f"""CREATE STREAM S ("ticker" VARCHAR(4)); {OUT}
        CREATE PUMP p AS INSERT INTO "OUT" ("ticker", "minute") SELECT STREAM "ticker", APPROXIMATE_ARRIVAL_TIME FROM S;"""
    assert rows_of(tmp_path, sql)[0]["minute"] == "2026-01-01 00:00:10.000"


def test_rows_that_a_pump_brings_have_no_metadata(tmp_path: Path) -> None:
    (tmp_path / "more.jsonl").write_text('{"ticker": "X", "time": "2026-01-01 00:00:15"}\n')
    sql = f"""CREATE STREAM S ("ticker" VARCHAR(4)); {OUT}
        CREATE PUMP q AS INSERT INTO S SELECT STREAM "ticker" FROM MORE;
        CREATE PUMP p AS INSERT INTO "OUT" ("ticker", "minute") SELECT STREAM "ticker", APPROXIMATE_ARRIVAL_TIME FROM S;"""
    rows = rows_of(tmp_path, sql, more=f"{tmp_path}/more.jsonl?rowtime=time")
    assert [(row["ticker"], row["minute"] is None) for row in rows][:3] == [("AMZN", False), ("X", True), ("WXYZ", False)]


def test_a_declared_column_takes_the_place_of_one(tmp_path: Path) -> None:
    (tmp_path / "schema.sql").write_text('CREATE STREAM s ("ticker" VARCHAR(4), SHARD_ID INTEGER);')
    sql = """CREATE STREAM "OUT" (a VARCHAR(4), b INTEGER, c TIMESTAMP);
        CREATE PUMP p AS INSERT INTO "OUT" SELECT STREAM *, APPROXIMATE_ARRIVAL_TIME FROM S;"""
    row = rows_of(tmp_path, sql, schemas={"S": str(tmp_path / "schema.sql")})[0]
    assert row == {"A": "AMZN", "B": None, "C": "2026-01-01 00:00:10.000"}


def test_other_streams_have_none(tmp_path: Path) -> None:
    sql = f"""{OUT} CREATE PUMP p AS INSERT INTO "OUT" ("ticker") SELECT STREAM "ticker" FROM S;
        SELECT STREAM APPROXIMATE_ARRIVAL_TIME FROM "OUT";"""
    with pytest.raises(ProgrammingError, match="no column APPROXIMATE_ARRIVAL_TIME in OUT"):
        rows_of(tmp_path, sql)


def test_in_a_session_a_later_query_finds_them(tmp_path: Path) -> None:
    (tmp_path / "trades.jsonl").write_text(TRADES)
    with streamsql.connect(inputs={"S": f"{tmp_path}/trades.jsonl?rowtime=time&follow=true"}) as con:
        con.execute("SELECT STREAM * FROM S").close()
        later = con.cursor()
        later.execute("SELECT STREAM SEQUENCE_NUMBER, APPROXIMATE_ARRIVAL_TIME FROM S")
        with (tmp_path / "trades.jsonl").open("a") as file:
            file.write(TRADES.splitlines()[2] + "\n")
        later.timeout = 30
        number, time = later.fetchone()
        assert number >= "00000000000000000000" and str(time).startswith("2026-01-01 00:0")
