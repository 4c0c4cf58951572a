"""PEP 249, sentence by sentence.  The suite is run against sqlite3 too, so that the suite itself is checked."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

import pytest

from tests.dbapi.drivers import DRIVERS, Driver


@pytest.fixture(params=list(DRIVERS))
def driver(request: pytest.FixtureRequest) -> Driver:
    return DRIVERS[request.param]


@pytest.fixture
def connection(driver: Driver) -> Iterator[Any]:
    connection = driver.connect()
    yield connection
    connection.close()


@pytest.fixture
def cursor(connection: Any) -> Any:
    return connection.cursor()


# -- the module --------------------------------------------------------------------------------------------------------


def test_module_globals(driver: Driver) -> None:
    assert driver.module.apilevel == "2.0"
    assert driver.module.threadsafety in (0, 1, 2, 3)
    assert driver.module.paramstyle in ("qmark", "numeric", "named", "format", "pyformat")


def test_exceptions_inherit_as_the_pep_draws_them(driver: Driver) -> None:
    m = driver.module
    assert issubclass(m.Warning, Exception)
    assert issubclass(m.Error, Exception)
    assert not issubclass(m.Error, m.Warning)
    assert issubclass(m.InterfaceError, m.Error)
    assert issubclass(m.DatabaseError, m.Error)
    assert not issubclass(m.InterfaceError, m.DatabaseError)
    for name in ("DataError", "OperationalError", "IntegrityError", "InternalError", "ProgrammingError", "NotSupportedError"):
        assert issubclass(getattr(m, name), m.DatabaseError)


def test_exceptions_are_attributes_of_connections(driver: Driver, connection: Any) -> None:
    names = ("Warning", "Error", "InterfaceError", "DatabaseError", "DataError", "OperationalError", "IntegrityError")
    for name in (*names, "InternalError", "ProgrammingError", "NotSupportedError"):
        assert getattr(connection, name) is getattr(driver.module, name)


def test_constructors(driver: Driver) -> None:
    m = driver.module
    assert m.Date(2026, 1, 2) == date(2026, 1, 2)
    assert m.Time(3, 4, 5) == time(3, 4, 5)
    assert m.Timestamp(2026, 1, 2, 3, 4, 5) == datetime(2026, 1, 2, 3, 4, 5)
    assert bytes(m.Binary(b"\x00\xff")) == b"\x00\xff"
    assert isinstance(m.DateFromTicks(86_400 * 365.5), date)
    assert isinstance(m.TimeFromTicks(86_400 * 365.5), time)
    assert isinstance(m.TimestampFromTicks(86_400 * 365.5), datetime)


def test_type_objects(driver: Driver) -> None:
    if not driver.has_type_objects:
        pytest.skip("this module has none")
    m = driver.module
    objects = [m.STRING, m.BINARY, m.NUMBER, m.DATETIME, m.ROWID]
    for one in objects:
        assert [other == one for other in objects].count(True) == 1
        hash(one)


# -- connections -------------------------------------------------------------------------------------------------------


def test_commit_and_rollback(driver: Driver, connection: Any) -> None:
    connection.commit()
    with contextlib.suppress(driver.module.NotSupportedError):  # which the PEP allows
        connection.rollback()


def test_a_closed_connection_is_of_no_use(driver: Driver) -> None:
    connection = driver.connect()
    cursor = connection.cursor()
    connection.close()
    for use in (connection.cursor, connection.commit, lambda: cursor.execute("SELECT 1 AS n"), cursor.fetchone):
        with pytest.raises(driver.module.Error):
            use()
    connection.close()


def test_a_closed_cursor_is_of_no_use(driver: Driver, connection: Any) -> None:
    cursor = connection.cursor()
    cursor.execute(driver.rows([1]))
    cursor.close()
    for use in (lambda: cursor.execute("SELECT 1 AS n"), cursor.fetchone, cursor.fetchall, lambda: cursor.fetchmany(1)):
        with pytest.raises(driver.module.Error):
            use()
    assert connection.cursor().execute(driver.rows([1])) is not None


def test_cursors_of_a_connection_share_the_database(driver: Driver, connection: Any) -> None:
    one, other = connection.cursor(), connection.cursor()
    one.execute(driver.create)
    other.execute("INSERT INTO booze VALUES ('Victoria Bitter', 4.9)")
    assert other.rowcount == 1


def test_two_connections_do_not(driver: Driver, cursor: Any) -> None:
    cursor.execute(driver.create)
    other = driver.connect()
    with pytest.raises(driver.module.DatabaseError):
        other.cursor().execute("INSERT INTO booze VALUES ('Victoria Bitter', 4.9)")
    other.close()


# -- what a cursor says ------------------------------------------------------------------------------------------------


def test_description(driver: Driver, cursor: Any) -> None:
    assert cursor.description is None
    cursor.execute(driver.create)
    assert cursor.description is None
    cursor.execute("SELECT 'Boag' AS name, 1.5 AS strength")
    description = cursor.description
    assert [len(column) for column in description] == [7, 7]
    assert [column[0].upper() for column in description] == ["NAME", "STRENGTH"]
    if driver.has_type_objects:
        assert description[0][1] == driver.module.STRING
        assert description[1][1] == driver.module.NUMBER
        assert description[0][1] != driver.module.NUMBER
    cursor.execute("INSERT INTO booze VALUES ('Victoria Bitter', 4.9)")
    assert cursor.description is None


def test_rowcount(driver: Driver, cursor: Any) -> None:
    assert cursor.rowcount == -1
    cursor.execute(driver.create)
    assert cursor.rowcount in (-1, 0)
    cursor.execute("INSERT INTO booze VALUES ('Victoria Bitter', 4.9)")
    assert cursor.rowcount == 1
    cursor.execute(driver.rows([1, 2, 3]))
    assert cursor.rowcount in (-1, 3)
    cursor.fetchall()
    assert cursor.rowcount in (-1, 3)


def test_rowcount_outlives_the_cursor(driver: Driver, cursor: Any) -> None:
    cursor.execute(driver.create)
    cursor.executemany("INSERT INTO booze VALUES (?, ?)", [("a", 1.0), ("b", 2.0)])
    cursor.close()
    assert cursor.rowcount == 2


def test_arraysize(driver: Driver, cursor: Any) -> None:
    assert cursor.arraysize == 1
    cursor.execute(driver.rows(range(6)))
    assert len(cursor.fetchmany()) == 1
    cursor.arraysize = 3
    assert len(cursor.fetchmany()) == 3
    assert cursor.arraysize == 3


def test_sizes_may_be_set(cursor: Any) -> None:
    cursor.setinputsizes([25])
    cursor.setoutputsize(1_000)
    cursor.setoutputsize(2_000, 0)


def test_optional_methods_are_there_or_not_supported(driver: Driver, cursor: Any) -> None:
    if hasattr(cursor, "callproc"):
        with pytest.raises(driver.module.NotSupportedError):
            cursor.callproc("lower", ("FOO",))
    if hasattr(cursor, "nextset"):
        for prepare in (lambda: None, lambda: cursor.execute(driver.create)):
            prepare()
            with pytest.raises(driver.module.Error):
                cursor.nextset()
        cursor.execute(driver.rows([1]))
        assert cursor.nextset() is None


def test_optional_attributes_mean_what_the_pep_says(driver: Driver, connection: Any, cursor: Any) -> None:
    assert cursor.connection is connection
    if hasattr(cursor, "rownumber"):
        assert cursor.rownumber is None
        cursor.execute(driver.rows([5, 6]))
        assert [cursor.rownumber, cursor.fetchone(), cursor.rownumber] == [0, (5,), 1]
        cursor.execute(driver.create)
        assert cursor.rownumber is None
    if hasattr(cursor, "messages"):
        assert cursor.messages == connection.messages == []
    if hasattr(connection, "autocommit"):
        assert connection.autocommit in (True, False, -1)
    assert cursor.lastrowid is None


def test_a_connection_that_cannot_roll_back_commits_by_itself(driver: Driver, connection: Any) -> None:
    if not hasattr(connection, "autocommit") or connection.autocommit is not True:
        pytest.skip("this module has transactions")
    connection.autocommit = True
    with pytest.raises(driver.module.NotSupportedError):
        connection.autocommit = False


# -- execute -----------------------------------------------------------------------------------------------------------

NASTY = ["Cooper's", "'; DROP STREAM booze; --", '"', "?", ":name", "%s", "a\nb", "\\", "\u00e9\u4e2d\U0001f37a", ""]


@pytest.mark.parametrize("text", NASTY)
def test_values_are_values(cursor: Any, text: str) -> None:
    cursor.execute("SELECT ? AS v", (text,))
    assert cursor.fetchall() == [(text,)]
    cursor.execute("SELECT :v AS v", {"v": text})
    assert cursor.fetchall() == [(text,)]


@pytest.mark.parametrize("value", [0, -1, 2**31, 2**62, 1.5, -0.25, b"\x00\xff", None, "text"])
def test_values_come_back(cursor: Any, value: Any) -> None:
    cursor.execute("SELECT ? AS v", [value])
    assert cursor.fetchone() == (value,)


def test_named_parameters_may_stand_twice(cursor: Any) -> None:
    cursor.execute("SELECT :a AS x, :b AS y, :a AS z", {"a": 1, "b": 2, "other": 3})
    assert cursor.fetchall() == [(1, 2, 1)]


@pytest.mark.parametrize("parameters", [(), (1,), (1, 2, 3)])
def test_a_wrong_number_of_parameters(driver: Driver, cursor: Any, parameters: tuple[int, ...]) -> None:
    with pytest.raises(driver.module.ProgrammingError):
        cursor.execute("SELECT ? AS a, ? AS b", parameters)


def test_a_missing_name(driver: Driver, cursor: Any) -> None:
    with pytest.raises(driver.module.ProgrammingError):
        cursor.execute("SELECT :a AS a", {"b": 1})


@pytest.mark.parametrize("text", ["SELEC 1", "SELECT nothing FROM nowhere", "INSERT INTO nowhere VALUES (1)", "SELECT (", "1"])
def test_wrong_sql_raises_and_harms_nothing(driver: Driver, cursor: Any, text: str) -> None:
    with pytest.raises(driver.module.DatabaseError):
        cursor.execute(text)
    cursor.execute(driver.rows([1]))
    assert cursor.fetchall() == [(1,)]


def test_several_statements_are_refused(driver: Driver, cursor: Any) -> None:
    with pytest.raises((driver.module.Error, driver.module.Warning)):
        cursor.execute("SELECT 1 AS n; SELECT 2 AS n")


def test_a_new_statement_forgets_the_rows_of_the_last(driver: Driver, cursor: Any) -> None:
    cursor.execute(driver.rows([1, 2]))
    cursor.fetchone()
    cursor.execute(driver.rows([3]))
    assert cursor.fetchall() == [(3,)]


# -- executemany -------------------------------------------------------------------------------------------------------


def test_executemany(driver: Driver, cursor: Any) -> None:
    cursor.execute(driver.create)
    rows = [("Cooper's", 5.8), ("Boag's", 4.6), (None, None)]
    cursor.executemany("INSERT INTO booze VALUES (?, ?)", rows)
    assert cursor.rowcount == 3
    cursor.executemany("INSERT INTO booze VALUES (?, ?)", (row for row in rows))
    assert cursor.rowcount == 3
    cursor.executemany("INSERT INTO booze VALUES (:name, :strength)", [{"name": "a", "strength": 1.0}] * 2)
    assert cursor.rowcount == 2
    cursor.executemany("INSERT INTO booze VALUES (?, ?)", [])
    assert cursor.rowcount in (-1, 0)
    assert cursor.description is None


def test_executemany_is_not_for_queries(driver: Driver, cursor: Any) -> None:
    with pytest.raises(driver.module.ProgrammingError):
        cursor.executemany("SELECT ? AS n", [(1,)])


def test_executemany_with_a_wrong_number_of_parameters(driver: Driver, cursor: Any) -> None:
    cursor.execute(driver.create)
    with pytest.raises(driver.module.ProgrammingError):
        cursor.executemany("INSERT INTO booze VALUES (?, ?)", [("a", 1.0), ("b",)])


# -- fetching ----------------------------------------------------------------------------------------------------------


def test_fetching_needs_a_query(driver: Driver, cursor: Any) -> None:
    if not driver.fetch_needs_query:
        pytest.skip("this module does not mind")
    for prepare in (lambda: None, lambda: cursor.execute(driver.create)):
        prepare()
        for fetch in (cursor.fetchone, cursor.fetchmany, cursor.fetchall, lambda: next(iter(cursor))):
            with pytest.raises(driver.module.Error):
                fetch()


def test_fetchone(driver: Driver, cursor: Any) -> None:
    cursor.execute(driver.rows([1, 2]))
    assert [cursor.fetchone() for _ in range(4)] == [(1,), (2,), None, None]


def test_fetchmany(driver: Driver, cursor: Any) -> None:
    cursor.execute(driver.rows(range(7)))
    assert cursor.fetchmany(3) == [(0,), (1,), (2,)]
    assert cursor.fetchmany(3) == [(3,), (4,), (5,)]
    assert cursor.fetchmany(3) == [(6,)]
    assert cursor.fetchmany(3) == []
    assert cursor.fetchmany(3) == []


def test_fetchall(driver: Driver, cursor: Any) -> None:
    cursor.execute(driver.rows(range(4)))
    assert cursor.fetchall() == [(0,), (1,), (2,), (3,)]
    assert cursor.fetchall() == []


def test_all_ways_of_fetching_mixed(driver: Driver, cursor: Any) -> None:
    cursor.execute(driver.rows(range(10)))
    rows = [cursor.fetchone(), *cursor.fetchmany(4), next(iter(cursor)), *cursor.fetchall()]
    assert rows == [(n,) for n in range(10)]


def test_iteration(driver: Driver, cursor: Any) -> None:
    cursor.execute(driver.rows(range(3)))
    assert list(cursor) == [(0,), (1,), (2,)]
    assert list(cursor) == []


def test_a_query_without_rows(driver: Driver, cursor: Any) -> None:
    for fetch, end in ((cursor.fetchone, None), (cursor.fetchall, []), (cursor.fetchmany, [])):
        cursor.execute(f"SELECT n FROM ({driver.rows([1])}) AS t WHERE n > 1")
        assert fetch() == end
        assert cursor.description is not None


# -- threads -----------------------------------------------------------------------------------------------------------


def _at_once(work: Any, count: int = 4) -> list[Any]:
    results: list[Any] = [None] * count

    def run(number: int) -> None:
        try:
            results[number] = work(number)
        except BaseException as error:
            results[number] = error

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_threads_may_share_the_module(driver: Driver) -> None:
    if driver.module.threadsafety < 1:
        pytest.skip("not said of this module")

    def work(number: int) -> list[Any]:
        connection = driver.connect()
        cursor = connection.cursor()
        rows = []
        for n in range(20):
            cursor.execute("SELECT ? AS n", (number * 100 + n,))
            rows += cursor.fetchall()
        connection.close()
        return rows

    assert _at_once(work) == [[(number * 100 + n,) for n in range(20)] for number in range(4)]


def test_threads_may_share_a_connection(driver: Driver) -> None:
    if driver.module.threadsafety < 2:
        pytest.skip("not said of this module")
    arguments = {"check_same_thread": False, "isolation_level": None} if driver.module.__name__ == "sqlite3" else {}
    connection = driver.module.connect(*driver.arguments, **arguments)
    connection.cursor().execute(driver.create)

    def work(number: int) -> int:
        cursor = connection.cursor()
        count = 0
        for n in range(20):
            cursor.execute("INSERT INTO booze VALUES (?, ?)", (f"{number}", float(n)))
            count += cursor.rowcount
            cursor.execute("SELECT ? AS n", (n,))
            assert cursor.fetchall() == [(n,)]
        return count

    assert _at_once(work) == [20] * 4
    connection.close()
