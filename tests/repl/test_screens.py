"""Golden screens: what a person sees, all of it, in terminals of several sizes."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from unicodedata import normalize

import pytest

from tests.repl.conftest import Start
from tests.repl.terminal import ALT_ENTER, COMMAND, CTRL_C, ENTER, PROMPT, Terminal

TOOLBAR = " in memory  │  0 pumps running  │  0 rows/s  │  \\? help"


@pytest.fixture(scope="module")
def terminal(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    return start(folder=tmp_path_factory.mktemp("screens"), columns=60, rows=24)


@pytest.fixture
def narrow(start: Start, tmp_path: Path) -> Terminal:
    return start(folder=tmp_path, columns=20, rows=15)


def screen(terminal: Terminal) -> list[str]:
    """The lines that have something in them, without the one at the bottom."""
    return [normalize("NFC", line) for line in terminal.lines() if line and "│" not in line]


def fresh(terminal: Terminal) -> None:
    terminal.type(CTRL_C + "\x0c")
    terminal.until(lambda: terminal.lines()[0] == PROMPT and len(screen(terminal)) == 1)


def test_texts_of_many_widths(terminal: Terminal) -> None:
    fresh(terminal)
    terminal.run("VALUES ('東京', 1.5, NULL)," + ENTER + "('e\u0301té', -20, 'a|b')," + ENTER + "('👍', 0, '한국어 텍스트');")
    assert screen(terminal) == [
        "streamsql> VALUES ('東京', 1.5, NULL),",
        "        -> ('été', -20, 'a|b'),",
        "        -> ('👍', 0, '한국어 텍스트');",
        " EXPR$0 | EXPR$1 | EXPR$2",
        "--------+--------+---------------",
        " 東京   |    1.5 | NULL",
        " été    |  -20.0 | a|b",
        " 👍     |    0.0 | 한국어 텍스트",
        "(3 rows)",
        "streamsql>",
    ]


def test_an_error_in_the_middle_of_a_statement(terminal: Terminal) -> None:
    fresh(terminal)
    terminal.run("CREATE STREAM trades (ticker VARCHAR(4), price DOUBLE);")
    terminal.run("SELECT STREAM ticker," + ENTER + "'東京' || tickr" + ENTER + "FROM trades;")
    assert screen(terminal) == [
        "streamsql> CREATE STREAM trades (ticker VARCHAR(4), price DO",
        "           UBLE);",
        "stream TRADES created",
        "streamsql> SELECT STREAM ticker,",
        "        -> '東京' || tickr",
        "        -> FROM trades;",
        "streamsql: <input>:2:9: no column TICKR in TRADES",
        "  2 | '東京' || tickr",
        "                ^^^^^",
        "  hint: did you mean TICKER?",
        "streamsql>",
    ]


def test_several_lines_are_edited_and_come_back_as_one(terminal: Terminal) -> None:
    fresh(terminal)
    terminal.run("VALUES (1," + ENTER + "  2);")
    terminal.type("\x1b[A")
    terminal.until(lambda: screen(terminal)[-1] == "        ->   2);")
    terminal.type("\x1b[A\x05\x1b[D5\x1b[B")  # up a line, to its end, behind the 1, and down again
    terminal.until(lambda: screen(terminal)[-2:] == ["streamsql> VALUES (15,", "        ->   2);"])
    assert terminal.run("").splitlines()[-2].split() == ["15", "|", "2"]


def test_the_menu_of_completions(terminal: Terminal) -> None:
    terminal.run("CREATE STREAM menus (frost DOUBLE, fraction INTEGER);")
    fresh(terminal)
    terminal.type("select stream f from menus" + "\x1b[D" * len(" from menus"))
    terminal.until("floor(")
    assert screen(terminal)[:3] == [
        "streamsql> select stream f from menus",
        " fraction                 MENUS INTEGER",
        " frost                    MENUS DOUBLE",
    ]
    terminal.type(CTRL_C)
    terminal.until(terminal.at_prompt)
    terminal.type("\\tim")
    terminal.until("show how long statements take")
    assert screen(terminal) == ["streamsql> \\tim", "                \\timing  show how long statements take"]
    assert terminal.bottom() == TOOLBAR
    terminal.type(CTRL_C)
    terminal.until(terminal.at_prompt)


def test_a_live_table(start: Start, tmp_path: Path) -> None:
    readings = tmp_path / "readings.jsonl"
    readings.write_text("".join(json.dumps({"k": k, "v": v}) + "\n" for k, v in (("東京", 1), ("b", 2), ("東京", 30))))
    live = start("--input", "R=readings.jsonl?follow=true", folder=tmp_path, columns=60, rows=12)
    live.type('SELECT STREAM "k", "v" FROM r \\live' + ENTER)
    live.until("(2 rows; the latest of 3)")
    picture = [" k    |  v", "------+----", " 東京 | 30", " b    |  2", "(2 rows; the latest of 3)"]
    assert screen(live) == ['streamsql> SELECT STREAM "k", "v" FROM r \\live', *picture]
    with readings.open("a") as file:
        file.write("".join(json.dumps({"k": f"key {n}", "v": n}) + "\n" for n in range(20)))
    live.until("(8 rows; the latest of 23; 14 have no room)")
    assert screen(live)[-4:] == [" key 17 | 17", " key 18 | 18", " key 19 | 19", "(8 rows; the latest of 23; 14 have no room)"]
    live.type(CTRL_C)
    live.until(live.at_prompt)
    live.type('SELECT STREAM "k", "v" FROM r \\chart' + ENTER)
    live.until("waiting for rows")
    for value in (1, 9, 5):
        with readings.open("a") as file:
            file.write(json.dumps({"k": "wave", "v": value}) + "\n")
        live.until(f" wave {value} ")
    assert screen(live)[-2:] == [" wave 5 ▁█▅", "(3 rows; v)"]
    live.type(CTRL_C)
    live.until(live.at_prompt)
    assert screen(live)[-3:] == [" wave 5 ▁█▅", "(3 rows; v; stopped)", PROMPT]


def test_a_terminal_of_20_columns(narrow: Terminal) -> None:
    narrow.run("\\pset footer off")
    fresh(narrow)
    narrow.run("VALUES (1, 'abcdefghi');")
    assert screen(narrow) == [
        "streamsql> VALUES (1",
        "           , 'abcdef",
        "           ghi');",
        " EXPR$0 | EXPR$1",
        "--------+-----------",
        "      1 | abcdefghi",
        PROMPT,
    ]
    narrow.run("CREATE STREAM s (k VARCHAR(8));")
    narrow.type("SELECT STREAM k FROM s;" + ENTER)
    narrow.until("waiting for rows; C")
    narrow.type(CTRL_C)
    narrow.until(narrow.at_prompt)
    assert "waiting" not in str(narrow)


def test_a_terminal_that_changes_its_size(start: Start, tmp_path: Path) -> None:
    resized = start(folder=tmp_path, columns=100, rows=20)
    assert resized.run(f"VALUES ('{'x' * 90}');").splitlines()[-2] == f" {'x' * 90}"
    resized.resize(40, 20)
    assert resized.run("\\g").splitlines()[-2] == f" {'x' * 37}…"


def test_ten_thousand_columns(terminal: Terminal) -> None:
    columns = ", ".join(f"{n} AS c{n}" for n in range(10_000))
    (terminal.folder / "wide.sql").write_text(f"SELECT {columns} FROM (VALUES (1)) AS t(x);\n")
    fresh(terminal)
    terminal.run("\\i wide.sql")
    assert screen(terminal) == [
        "streamsql> \\i wide.sql",
        " C0 | C1 | C2 | C3 | C4 | C5 | C6 | C7 | C8 | C9 | C10 | …",
        "----+----+----+----+----+----+----+----+----+----+-----+---",
        "  0 |  1 |  2 |  3 |  4 |  5 |  6 |  7 |  8 |  9 |  10 | …",
        "(1 row; 11 of 10,000 columns: \\x shows all)",
        PROMPT,
    ]


def test_a_million_rows(start: Start, tmp_path: Path) -> None:
    """They are shown up to the limit and written whole, and never are in memory at once as text."""
    digits = ", ".join(f"({n})" for n in range(1000))
    query = f"SELECT a.x * 1000 + b.x AS n FROM (VALUES {digits}) AS a(x), (VALUES {digits}) AS b(x);\n"
    (tmp_path / "many.sql").write_text(query)
    session = start(folder=tmp_path, columns=60, rows=24)
    assert session.run("\\i many.sql").endswith("(1,000 rows; the first 1,000 rows: \\pset limit 0 shows all)")
    before = session.peak_memory()
    session.run("\\o many.txt")
    session.run("\\i many.sql")
    session.run("\\o")
    with (tmp_path / "many.txt").open() as file:
        assert [*file][-2:] == [" 999999\n", "(1,000,000 rows)\n"]
    assert session.peak_memory() - before < 200 << 20


def test_a_terminal_that_can_nothing(start: Start, tmp_path: Path) -> None:
    dumb = start(folder=tmp_path, environment={"TERM": "dumb"})
    dumb.type("VALUES" + ENTER)
    dumb.until("        ->")
    dumb.type("(1);" + ENTER)
    dumb.until("(1 row)")
    assert dumb.lines()[:6] == ["streamsql> VALUES", "        -> (1);", " EXPR$0", "--------", "      1", "(1 row)"]
    dumb.type("\\q" + ENTER)  # such a prompt is there before the terminal leaves Ctrl-D to others
    assert dumb.status() == 0


@pytest.mark.parametrize("history", ["/nowhere/history", "folder", "garbage"])
def test_a_history_that_cannot_be_kept(start: Start, tmp_path: Path, history: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "garbage").write_bytes(os.urandom(2_000))
    session = start(folder=tmp_path, environment={"HOME": "", "STREAMSQL_HISTORY": history})
    assert session.run("VALUES (1);").endswith("(1 row)")
    assert session.leave() == 0


def test_keys_that_are_rubbish(start: Start, tmp_path: Path) -> None:
    session = start(folder=tmp_path)
    source = random.Random(3)
    for _ in range(100):
        garbage = source.randbytes(20).translate(None, b"\x04\x1a\x1c")  # Ctrl-D, Ctrl-Z and Ctrl-\\ leave
        session.type(garbage.decode("latin-1"))
    marks = iter(range(1_000, 2_000))

    def answers() -> bool:
        """Whether a statement is carried out: the rubbish may have begun a search, or a quotation of the next key."""
        mark = next(marks)
        session.type(f"\x07\x07{CTRL_C}{CTRL_C}VALUES ({mark} + 7000);{ALT_ENTER}")
        session.wait(1.0)
        return f"   {mark + 7_000}" in "\n".join(session.transcript())

    session.until(answers)
    assert "Traceback" not in "\n".join(session.transcript())


def test_the_session_is_suspended_and_goes_on(tmp_path: Path) -> None:
    """Ctrl-Z, at the prompt and in a query."""
    shell = Terminal(folder=tmp_path, command=["bash", "--norc", "-i"], environment={"PS1": "$ "})
    shell.until("$")
    shell.type(" ".join(COMMAND) + ENTER)
    shell.until(shell.at_prompt)
    shell.type("\x1a")
    shell.until("Stopped")
    shell.type("fg" + ENTER)
    shell.until(shell.at_prompt)
    shell.type("CREATE STREAM s (a INTEGER); SELECT STREAM a FROM s;" + ENTER)
    shell.until("waiting for rows")
    shell.type("\x1a")
    shell.until(lambda: str(shell).count("Stopped") == 2)
    shell.type("fg" + ENTER)
    shell.until(lambda: str(shell).count(" -m streamsql") == 5)
    shell.type(CTRL_C)
    shell.until(shell.at_prompt)
    assert shell.run("VALUES (42);").endswith("42\n(1 row)")
    shell.close()
