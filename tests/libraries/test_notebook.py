"""Results in notebooks, and the cell magic in IPython itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars
import pyarrow as pa
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

import streamsql


class Cells(HTMLParser):
    """The rows of cells of a page, and whether each tag is closed where it should be."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


# -- cursors -----------------------------------------------------------------------------------------------------------


def test_a_cursor_shows_its_rows_and_keeps_them() -> None:
    with streamsql.connect() as con:
        table = {"a": ["<b>&", None], "n": [1, 2], "t": [datetime(2026, 1, 2, 3, 4, 5), None], "x": [b"\x00\xff", b""]}
        con.register("t", pa.table(table))
        cur = con.execute("SELECT * FROM t")
        page = Cells(cur._repr_html_() or "")
        assert page.rows == [
            ["a", "n", "t", "x"],
            ["<b>&", "1", "2026-01-02 03:04:05.000", "00ff"],
            ["NULL", "2", "NULL", ""],
        ]
        assert not page.open
        assert "<b>&" not in (cur._repr_html_() or "")
        assert len(cur.fetchall()) == 2
        cur.close()
        assert cur._repr_html_() is None
        assert con.execute("CREATE STREAM s (v DOUBLE)")._repr_html_() is None


def test_what_is_shown_is_bounded() -> None:
    with streamsql.connect() as con:
        con.register("wide", pa.table({f"c{n}": ["x" * 1_000] * 30 for n in range(300)}))
        cur = con.execute("SELECT * FROM wide")
        html = cur._repr_html_() or ""
        assert len(html) < 500_000
        page = Cells(html)
        assert (len(page.rows), len(page.rows[1]), len(page.rows[1][0])) == (21, 50, 200)
        assert "250 more columns" in html and "20 rows and more" in html
        assert cur.rownumber == 0


def test_a_running_query_shows_what_has_come() -> None:
    with streamsql.connect() as con:
        con.execute("CREATE STREAM s (v DOUBLE)")
        live = con.execute("SELECT STREAM v FROM s")
        assert Cells(live._repr_html_() or "").rows == [["V"]]
        con.execute("INSERT INTO s VALUES (1.0)")
        assert Cells(live._repr_html_() or "").rows == [["V"], ["1.0"]]
        con.execute("INSERT INTO s VALUES (2.0)")
        assert "2 rows; the query runs" in (live._repr_html_() or "")
        assert live.fetchmany(5) == [(1.0,), (2.0,)]


def test_a_time_that_python_does_not_have() -> None:
    with streamsql.connect() as con:
        cur = con.execute("SELECT TIMESTAMP '9999-12-31 23:59:59' + INTERVAL '99' DAY AS t")
        assert Cells(cur._repr_html_() or "").rows[1][0].startswith("10000-04-0")


# -- the magic ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "streamsql")
    yield shell
    own = shell.magics_manager.registry["StreamSQLMagics"]._own  # type: ignore[attr-defined]
    if own is not None:
        own.close()
    shell.history_manager.end_session()  # type: ignore[union-attr]
    InteractiveShell.clear_instance()


def cell(shell: InteractiveShell, text: str) -> Any:
    """What a cell gives; an error is raised."""
    done = shell.run_cell(text)
    done.raise_error()
    return done.result


def test_a_cell_gives_its_last_query(shell: InteractiveShell) -> None:
    result = cell(shell, "%%streamsql\nCREATE STREAM s (v DOUBLE);\nSELECT 1 AS one, '<i>' AS two;")
    assert result.table.to_pydict() == {"ONE": [1], "TWO": ["<i>"]}
    assert Cells(result._repr_html_()).rows == [["ONE", "TWO"], ["1", "<i>"]]
    assert "ONE" in repr(result) and "1 row" in repr(result)
    assert result.df()["ONE"].to_list() == [1] and result.pl()["ONE"].to_list() == [1]
    assert polars.DataFrame(result).rows() == [(1, "<i>")]
    assert cell(shell, "%%streamsql\nINSERT INTO s VALUES (1.0)") is None


def test_variables_are_values(shell: InteractiveShell) -> None:
    shell.user_ns |= {"con": streamsql.connect(), "least": 2}
    shell.user_ns["con"].register("t", pa.table({"x": [1, 2, 3]}))
    assert cell(shell, "%%streamsql -c con\nSELECT x FROM t WHERE x >= :least").table["x"].to_pylist() == [2, 3]
    assert cell(shell, "%%streamsql -c con -o kept\nSELECT SUM(x) AS total FROM t") is None
    assert shell.user_ns["kept"].table.to_pydict() == {"TOTAL": [6]}
    shell.user_ns["con"].close()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\nSELECT 1 AS x;\n  SELECT nope AS x", "<input>:2:10: no name NOPE|<input>:2:10: no column NOPE"),
        ("\nSELECT", "<input>:1:"),
        ("\nSELECT :nothing AS x", "there is no variable nothing"),
        (" -c missing\nSELECT 1 AS x", "missing is no connection"),
    ],
)
def test_errors_have_no_traceback(shell: InteractiveShell, text: str, message: str) -> None:
    with capture_output() as captured:
        done = shell.run_cell(f"%%streamsql{text}")
    assert done.error_in_exec is not None
    shown = captured.stderr + captured.stdout
    assert "UsageError" in shown and "Traceback" not in shown
    assert any(part in shown for part in message.split("|"))


def test_a_query_over_streams_is_shown_as_it_comes(shell: InteractiveShell) -> None:
    con = shell.user_ns["con"] = streamsql.connect()
    con.execute("CREATE STREAM s (v DOUBLE)")

    def write() -> None:
        while not con.call(lambda engine: engine.plans_running()):
            pass
        con.executemany("INSERT INTO s VALUES (?)", [(float(n),) for n in range(5)])

    for options, count in (("-n 3 -t 60", 3), ("-t 1.5", 5)):
        writing = threading.Thread(target=write)
        writing.start()
        with capture_output() as captured:
            assert cell(shell, f"%%streamsql -c con {options}\nSELECT STREAM v FROM s") is None
        writing.join()
        assert not con.call(lambda engine: engine.plans_running())
        last = captured.outputs[-1].data["text/html"]
        assert Cells(last).rows == [["V"], *([f"{float(n)}"] for n in range(count))]
    con.close()


def test_the_inputs_of_a_cell_begin_after_its_last_statement(shell: InteractiveShell, tmp_path: Path) -> None:
    file = tmp_path / "s.jsonl"
    file.write_text("".join(json.dumps({"V": n}) + "\n" for n in range(3)))
    con = shell.user_ns["con"] = streamsql.connect(inputs={"S": file})
    text = "%%streamsql -c con -o rows\nCREATE STREAM t (v INTEGER);\n"
    text += "CREATE PUMP p AS INSERT INTO t SELECT STREAM v FROM s;\nSELECT STREAM v FROM t"
    cell(shell, text)
    assert shell.user_ns["rows"].table["V"].to_pylist() == [0, 1, 2]
    con.close()
