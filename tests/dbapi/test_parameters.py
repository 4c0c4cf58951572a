"""Values of placeholders: many rows at once give exactly what one row after the other gives."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import streamsql
from streamsql import DataError, InterfaceError, NotSupportedError, ProgrammingError
from streamsql.dbapi.parameters import table_of_rows
from streamsql.dbapi.prepared import prepared

COLUMNS = {
    "BOOLEAN": lambda draw: draw.random() < 0.5,
    "SMALLINT": lambda draw: draw.randint(-40_000, 40_000),
    "INTEGER": lambda draw: draw.randint(-(2**40), 2**33),
    "BIGINT": lambda draw: draw.randint(-(2**62), 2**62),
    "DOUBLE": lambda draw: draw.choice([draw.random() * 1e300, float("nan"), float("inf"), -0.0]),
    "REAL": lambda draw: draw.choice([draw.random(), 1e300]),
    "DECIMAL(9, 2)": lambda draw: Decimal(draw.randint(-(10**9), 10**9)).scaleb(-draw.randint(0, 4)),
    "VARCHAR(4)": lambda draw: "äx\U0001f37ay'"[: draw.randint(0, 5)] * draw.randint(0, 2),
    "CHAR(3)": lambda draw: "abcd"[: draw.randint(0, 4)],
    "VARBINARY(4)": lambda draw: bytes(range(draw.randint(0, 6))),
    "DATE": lambda draw: date(1, 1, 1) + timedelta(days=draw.randint(0, 3_000_000)),
    "TIME": lambda draw: time(draw.randint(0, 23), 59, 59, draw.randint(0, 999_999)),
    "TIMESTAMP": lambda draw: datetime(1960, 1, 1) + timedelta(microseconds=draw.randint(0, 10**15)),
}
Draw = Callable[[random.Random], Any]


def stream_of(con: streamsql.Connection, type_: str) -> streamsql.Cursor:
    con.execute(f"CREATE OR REPLACE STREAM s (v {type_})")
    return con.execute("SELECT STREAM v FROM s")


def inserted(con: streamsql.Connection, type_: str, insert: Callable[[streamsql.Cursor], object]) -> tuple[list[Any], list[Any]]:
    """The rows, and the failures, of what some inserts give."""
    live = stream_of(con, type_)
    errors = con.execute("""SELECT STREAM ERROR_NAME, MESSAGE, DATA_ROW FROM "error_stream" """)
    insert(con.cursor())
    con.call(lambda engine: engine.pipeline.release_errors())
    assert live._rows is not None and errors._rows is not None
    rows = [repr(row[0].as_py()) for batch in iter(live._rows.reader.now, None) for row in zip(batch.column(0), strict=True)]
    failed = [row for batch in iter(errors._rows.reader.now, None) for row in batch.to_pylist()]
    live.close()
    errors.close()
    return rows, failed


@pytest.mark.parametrize("type_", list(COLUMNS))
def test_many_rows_at_once_are_as_one_after_the_other(con: streamsql.Connection, type_: str) -> None:
    draw = random.Random(type_)
    values = [(None if draw.random() < 0.1 else COLUMNS[type_](draw),) for _ in range(60)]
    sql = "INSERT INTO s VALUES (?)"
    known = prepared(sql)
    assert table_of_rows(known.statement, known.keys, values) is not None  # type: ignore[arg-type]
    at_once = inserted(con, type_, lambda cur: cur.executemany(sql, values))
    one_by_one = inserted(con, type_, lambda cur: [cur.execute(sql, row) for row in values])
    assert at_once[0] == one_by_one[0]
    assert [row["ERROR_NAME"] for row in at_once[1]] == [row["ERROR_NAME"] for row in one_by_one[1]]


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO s VALUES (? * 2)",
        "INSERT INTO s VALUES (? / 2)",
        "INSERT INTO s VALUES (CASE WHEN ? > 5 THEN 1.5 ELSE 2.5 END)",
        "INSERT INTO s (v) VALUES (CAST(? AS VARCHAR(4)) || 'x')",
        "INSERT INTO s VALUES (7)",
        "INSERT INTO s SELECT ? AS v",
    ],
)
@pytest.mark.parametrize("values", [[1, 2, None, 9], [1, 2**40], [1.5, 9], [Decimal("1.5"), 3], [None, None]])
def test_expressions_of_parameters(con: streamsql.Connection, sql: str, values: list[Any]) -> None:
    type_ = "VARCHAR(9)" if "||" in sql else "DOUBLE"
    rows = [(value,) for value in values] if "?" in sql else [()] * len(values)

    def outcome(insert: Callable[[streamsql.Cursor], object]) -> Any:
        try:
            return inserted(con, type_, insert)[0]
        except streamsql.Error as error:
            return type(error), error.message

    at_once = outcome(lambda cur: cur.executemany(sql, rows))
    assert at_once == outcome(lambda cur: [cur.execute(sql, row) for row in rows])


def test_a_row_that_is_wrong_stops_behind_those_before_it(con: streamsql.Connection) -> None:
    live = stream_of(con, "DOUBLE")
    with pytest.raises(ProgrammingError, match="VARCHAR"):
        con.executemany("INSERT INTO s VALUES (?)", [(1.0,), (2.0,), ("three",), (4.0,)])
    assert live.fetchmany(10) == [(1.0,), (2.0,)]


def test_rows_that_fail_are_lost_alone(con: streamsql.Connection) -> None:
    live = stream_of(con, "SMALLINT")
    cur = con.executemany("INSERT INTO s VALUES (?)", [(1,), (70_000,), (3,)])
    assert cur.rowcount == 2
    assert live.fetchmany(10) == [(1,), (3,)]


def test_many_batches(con: streamsql.Connection) -> None:
    live = con.execute("CREATE STREAM s (k VARCHAR(8), v DOUBLE)").execute("SELECT STREAM k, v FROM s LIMIT 200000")
    cur = con.executemany("INSERT INTO s VALUES (:k, :v)", ({"k": f"k{n % 10}", "v": float(n)} for n in range(200_000)))
    assert cur.rowcount == 200_000
    table = live.fetch_arrow_table()
    assert table["V"].to_pylist() == [float(n) for n in range(200_000)]
    assert table["K"].to_pylist() == [f"k{n % 10}" for n in range(200_000)]


def test_a_table_of_parameters(con: streamsql.Connection) -> None:
    live = con.execute("CREATE STREAM s (k VARCHAR(8), v DOUBLE)").execute("SELECT STREAM k, v FROM s LIMIT 6")
    table = pa.table({"v": [1, 2], "k": pa.array(["a", None]).dictionary_encode()})
    con.executemany("INSERT INTO s VALUES (:k, :v)", table)
    con.executemany("INSERT INTO s (v, k) VALUES (?, ?)", table)
    con.executemany("INSERT INTO s VALUES (:k, :v + 1)", table.to_batches()[0])
    assert live.fetchall() == [("a", 1.0), (None, 2.0)] * 2 + [("a", 2.0), (None, 3.0)]
    with pytest.raises(ProgrammingError, match="no column for :x"):
        con.executemany("INSERT INTO s VALUES (:k, :x)", table)
    with pytest.raises(ProgrammingError, match="takes 1 parameters, and the table has 2"):
        con.executemany("INSERT INTO s (v) VALUES (?)", table)


ZONE = timezone(timedelta(hours=2))
PLAIN = [
    (True, True),
    (1, 1),
    (2**40, 2**40),
    (1.5, 1.5),
    ("x", "x"),
    (b"x", b"x"),
    (bytearray(b"x"), b"x"),
    (memoryview(b"x"), b"x"),
    (Decimal("1.50"), Decimal("1.50")),
    (Decimal("15E2"), Decimal("1500")),
    (date(2026, 1, 2), date(2026, 1, 2)),
    (time(1, 2, 3, 456_789), time(1, 2, 3, 456_000)),
    (datetime(2026, 1, 2, 3, 4, 5, 678_912), datetime(2026, 1, 2, 3, 4, 5, 678_000)),
    (datetime(2026, 1, 2, 3, tzinfo=ZONE), datetime(2026, 1, 2, 1)),
    (datetime(2026, 1, 2, 3, tzinfo=UTC), datetime(2026, 1, 2, 3)),
    (None, None),
    (np.int32(5), 5),
    (np.float64(1.5), 1.5),
    (np.bool_(True), True),
    (np.str_("x"), "x"),
    (np.datetime64("2026-01-02T03:04:05"), datetime(2026, 1, 2, 3, 4, 5)),
    (np.datetime64("2026-01-02T03:04:05.123456789"), datetime(2026, 1, 2, 3, 4, 5, 123_000)),
]


def named(value: Any) -> str:
    """A name that is the same in every process: that of a memoryview would hold its address."""
    return "memoryview" if isinstance(value, memoryview) else f"{type(value).__name__} {value}"[:40]


@pytest.mark.parametrize(("value", "back"), PLAIN, ids=named)
def test_python_values_and_back(con: streamsql.Connection, value: Any, back: Any) -> None:
    row = con.execute("SELECT ? AS v", (value,)).fetchone()
    assert row == (back,)
    assert type(row[0]) is type(back)


def test_an_interval(con: streamsql.Connection) -> None:
    delta = timedelta(days=100, hours=2, milliseconds=5)
    moment = datetime(2026, 1, 1)
    assert con.execute("SELECT CAST(? AS TIMESTAMP) + ? AS v", (moment, delta)).fetchone() == (moment + delta,)


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, Decimal("NaN"), Decimal("Infinity")])
def test_values_outside_every_type(con: streamsql.Connection, value: Any) -> None:
    with pytest.raises(DataError, match="parameter 1"):
        con.execute("SELECT ? AS v", (value,))
    con.execute("CREATE STREAM s (v DECIMAL(18, 2))")
    with pytest.raises(DataError, match="parameter 1"):
        con.executemany("INSERT INTO s VALUES (?)", [(value,)])


def test_values_of_no_type(con: streamsql.Connection) -> None:
    with pytest.raises(ProgrammingError, match="a list cannot be the value of a parameter"):
        con.execute("SELECT ? AS v", ([1],))


@pytest.mark.parametrize("parameters", ["a", b"a", 5, {"a"}, (x for x in "a")])
def test_parameters_of_no_form(con: streamsql.Connection, parameters: Any) -> None:
    with pytest.raises(ProgrammingError, match="a sequence or a mapping"):
        con.execute("SELECT ? AS v", parameters)


def test_both_kinds_of_placeholder(con: streamsql.Connection) -> None:
    with pytest.raises(ProgrammingError, match="one statement"):
        con.execute("SELECT ? AS v, :b AS b", (1,))
    with pytest.raises(ProgrammingError, match="a sequence was given for :name"):
        con.execute("SELECT :a AS v", (1,))
    with pytest.raises(ProgrammingError, match=r"a mapping was given for \?"):
        con.execute("SELECT ? AS v", {"a": 1})


def test_parameters_of_a_running_query_and_of_limit(con: streamsql.Connection) -> None:
    con.execute("CREATE STREAM s (v DOUBLE)")
    live = con.execute("SELECT STREAM v * :f AS v FROM s WHERE v > :least LIMIT :n", {"f": 2.0, "least": 1.5, "n": 2})
    con.executemany("INSERT INTO s VALUES (?)", [(1.0,), (2.0,), (3.0,), (4.0,)])
    assert live.fetchall() == [(4.0,), (6.0,)]


@pytest.mark.parametrize("sql", ["CREATE PUMP p AS INSERT INTO s SELECT STREAM ? FROM s", "CREATE VIEW w AS SELECT ? AS a"])
def test_what_the_catalog_keeps_has_no_parameters(con: streamsql.Connection, sql: str) -> None:
    con.execute("CREATE STREAM s (v DOUBLE)")
    with pytest.raises(NotSupportedError, match="parameters"):
        con.execute(sql, (1.0,))


@pytest.mark.parametrize("operation", [None, 5, b"SELECT 1 AS x"])
def test_statements_are_texts(con: streamsql.Connection, operation: Any) -> None:
    with pytest.raises(InterfaceError, match="a statement is a text"):
        con.execute(operation)
