"""The promises of the published interface: names, the example as it is written, what an import costs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import streamsql
from streamsql import dbapi
from streamsql.session import session
from streamsql.time import WallClock
from tests.dbapi.conftest import until

HEAVY = ("pyarrow", "numpy", "numba", "sqlglot", "lark", "streamsql.dbapi", "prompt_toolkit", "rich")


def imported_by(code: str) -> set[str]:
    """The modules of `HEAVY` that some code imports."""
    script = f"import sys; {code}; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1].replace("'", '"')))


def test_an_import_is_cheap() -> None:
    assert imported_by("import streamsql; streamsql.__version__; dir(streamsql)") == set()


def test_the_version_is_told_without_the_engine() -> None:
    code = "from contextlib import suppress; from click.testing import CliRunner; from streamsql.cli import cli; "
    assert imported_by(code + "assert CliRunner().invoke(cli, ['--version']).exit_code == 0") <= {"rich"}


def test_a_batch_of_statements_does_without_what_terminals_need() -> None:
    assert not imported_by("from streamsql.repl import batch") & {"numba", "prompt_toolkit", "rich"}


def test_numba_is_not_needed_for_a_connection() -> None:
    assert "numba" not in imported_by("import streamsql; streamsql.connect().close()")


def test_the_package_has_the_names_of_the_module() -> None:
    assert set(dbapi.__all__) | {"__version__"} == set(streamsql.__all__)
    assert set(streamsql.__all__) <= set(dir(streamsql))
    for name in dbapi.__all__:
        assert getattr(streamsql, name) is getattr(dbapi, name)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        streamsql.nothing  # type: ignore[attr-defined]  # noqa: B018


def test_what_the_module_says_of_itself() -> None:
    assert (streamsql.apilevel, streamsql.paramstyle, streamsql.threadsafety) == ("2.0", "qmark", 2)
    assert re.fullmatch(r"\d+\.\d+\.\d+", streamsql.__version__)


def test_type_codes() -> None:
    with streamsql.connect() as con:
        cur = con.execute(
            "SELECT 'x' AS a, 1 AS b, 1.5 AS c, DATE '2026-01-01' AS d, TIMESTAMP '2026-01-01 00:00:00' AS e, "
            "TRUE AS f, CAST(1.5 AS DECIMAL(5, 2)) AS g, CAST('x' AS VARCHAR(7)) AS h, CAST(1 AS BIGINT) AS i"
        )
        assert cur.description is not None
        codes = {column[0]: column[1:] for column in cur.description}
    number, string, moment = streamsql.NUMBER, streamsql.STRING, streamsql.DATETIME
    expected = (string, number, number, moment, moment, number, number, string, number)
    for name, type_object in zip("ABCDEFGHI", expected, strict=True):
        assert codes[name][0] == type_object and type_object == codes[name][0]
        assert codes[name][0] != streamsql.BINARY
    assert codes["G"] == ("DECIMAL", None, None, 5, 2, True)
    assert codes["H"][:3] == ("VARCHAR", None, 7)


# -- the example -------------------------------------------------------------------------------------------------------


def example(shared: Path) -> list[str]:
    text = (shared / "interfaces.md").read_text()
    block = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert block is not None
    return block[1].splitlines()


class FastClock:
    """A clock by which ten seconds take a quarter of one."""

    def __init__(self) -> None:
        self._start = WallClock().now()

    def now(self) -> int:
        return self._start + 40 * (WallClock().now() - self._start)


def test_the_example_runs_as_it_is_written(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Line by line; the loop without an end is ended as the example says, by `interrupt` from another thread."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(session, "WallClock", FastClock)
    (tmp_path / "sensor.jsonl").write_text('{"iotName": "a", "iotValue": 1}\n')
    names: dict[str, Any] = {"datetime": datetime, "arrow_table": pa.table({"ticker": ["x"], "price": [1.5]})}
    rows: list[Any] = []
    for line in example(shared):
        if not line.startswith("for row in live"):
            exec(line, names)
            continue

        def stop(con: Any = names["con"]) -> None:
            until(lambda: len(rows) == 2)
            until(lambda: bool(con.session.loop._tasks))
            con.interrupt()

        thread = threading.Thread(target=stop)
        thread.start()
        names |= {"rows": rows}
        with pytest.raises(streamsql.OperationalError, match="interrupted"):
            exec(line.split("...")[0] + "rows.append(row)", names)
        thread.join()
        assert sorted(rows) == [("a", 1), ("b", 1)]
    con = names["con"]
    assert con.execute("SELECT ticker, price FROM trades").fetchall() == [("x", 1.5)]
    with pytest.warns(UserWarning, match="DESTINATION_SQL_STREAM"):
        con.close()


# -- the loop ----------------------------------------------------------------------------------------------------------


def test_an_idle_connection_sleeps() -> None:
    with streamsql.connect() as con:
        con.execute("CREATE STREAM s (v DOUBLE)")
        con.execute("CREATE STREAM t (v DOUBLE)")
        con.execute("CREATE PUMP p AS INSERT INTO t SELECT STREAM SUM(v) FROM s GROUP BY STEP(s.ROWTIME BY INTERVAL '1' HOUR)")
        steps = 0
        step = con.session.engine.step

        def counted() -> bool:
            nonlocal steps
            steps += 1
            return step()

        con.session.engine.step = counted  # type: ignore[method-assign]
        time.sleep(0.3)
        assert steps <= 2  # nothing has come, so there is no clock to look at
        con.execute("INSERT INTO s VALUES (1.0)")
        steps = 0
        time.sleep(0.5)
        assert 1 <= steps <= 15


def test_calls_from_many_threads_are_made_one_after_the_other() -> None:
    with streamsql.connect() as con:
        con.execute("CREATE STREAM s (v DOUBLE)")
        live = con.execute("SELECT STREAM v FROM s LIMIT 400")
        inside = []

        def work(number: int) -> None:
            cur = con.cursor()
            for n in range(100):
                cur.execute("INSERT INTO s VALUES (?)", (float(number * 100 + n),))
                con.call(lambda engine: (inside.append(1), inside.pop()))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        values = [v for (v,) in live.fetchall()]
        for thread in threads:
            thread.join()
        assert sorted(values) == [float(n) for n in range(400)]
        for number in range(4):
            own = [v for v in values if v // 100 == number]
            assert own == sorted(own)


def test_a_call_within_a_call() -> None:
    with streamsql.connect() as con:
        con.execute("CREATE STREAM s (v DOUBLE)")
        live = con.execute("SELECT STREAM v FROM s")
        assert con.call(lambda _: con.call(lambda engine: engine.catalog.relation("S").name)) == "S"
        live.close()
