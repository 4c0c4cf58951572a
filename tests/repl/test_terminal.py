"""The REPL as a person meets it, in a real terminal.

One session serves most tests, since a start costs a second; each test makes streams of its own.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.repl.conftest import Start
from tests.repl.terminal import ALT_ENTER, CTRL_C, CTRL_R, ENTER, PATIENCE, PROMPT, TAB, UP, Terminal


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("repl")


@pytest.fixture(scope="module")
def terminal(start: Start, folder: Path) -> Terminal:
    return start(folder=folder)


def eventually(holds: Callable[[], bool]) -> None:
    """Wait for something outside the terminal."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


# -- statements --------------------------------------------------------------------------------------------------------


def test_a_statement_is_run_when_it_is_complete(terminal: Terminal) -> None:
    terminal.type("VALUES (1, 'a;b')" + ENTER + ENTER)
    terminal.until(lambda: terminal.lines()[terminal.screen.cursor.y].startswith("        ->"))
    assert terminal.run(";") == " EXPR$0 | EXPR$1\n--------+--------\n      1 | a;b\n(1 row)"


def test_several_statements_at_once(terminal: Terminal) -> None:
    assert terminal.run("CREATE STREAM twice (a INTEGER); DROP STREAM twice;") == "stream TWICE created\nstream TWICE dropped"


def test_an_error_shows_its_place_and_the_session_goes_on(terminal: Terminal) -> None:
    terminal.run("CREATE STREAM prices (ticker VARCHAR(4), price DOUBLE);")
    assert terminal.run("SELECT STREAM ticker," + ENTER + "  prise FROM prices;") == (
        "streamsql: <input>:2:3: no column PRISE in PRICES\n  2 |   prise FROM prices\n        ^^^^^\n  hint: did you mean PRICE?"
    )
    assert terminal.run("VALUES (1);").endswith("(1 row)")


def test_whatever_is_typed_the_session_goes_on(terminal: Terminal) -> None:
    for text in (";;", "é ☃ \\ ;", "SELECT;", "-- SELECT 1;", "'", "\\", "\\d a b", ".", '"', 'SELECT * FROM "no\nsuch"'):
        shown = terminal.run(text, ALT_ENTER)
        assert "Traceback" not in shown
        assert "defect" not in shown
    assert terminal.run("VALUES (1);").endswith("(1 row)")


def test_wide_characters(terminal: Terminal) -> None:
    assert (
        terminal.run("VALUES ('東京', 1), ('ü', 22);")
        == " EXPR$0 | EXPR$1\n--------+--------\n 東京   |      1\n ü      |     22\n(2 rows)"
    )


def test_long_texts_are_cut_to_the_terminal(terminal: Terminal) -> None:
    shown = terminal.run(f"VALUES ('{'x' * 300}', 1);")
    assert max(map(len, shown.splitlines())) <= terminal.screen.columns
    assert "x… |" in shown


def test_colours_come_from_the_lexer(terminal: Terminal) -> None:
    terminal.type("select 'text', 12")
    terminal.until(lambda: terminal.colour("select") == "0087ff")
    assert [terminal.colour(word) for word in ("'text'", "12")] == ["00af5f", "af87d7"]
    terminal.type(CTRL_C)
    terminal.until(terminal.at_prompt)


# -- keys --------------------------------------------------------------------------------------------------------------


def test_ctrl_c_clears_what_was_typed(terminal: Terminal) -> None:
    terminal.type("SELECT nonsense")
    terminal.until("SELECT nonsense")
    terminal.type(CTRL_C)
    terminal.until(terminal.at_prompt)
    assert terminal.run("VALUES (2);").endswith("(1 row)")


def test_ctrl_c_stops_a_query_and_keeps_the_session(terminal: Terminal) -> None:
    terminal.run("CREATE STREAM quiet (k VARCHAR(8));")
    terminal.type("SELECT STREAM k FROM quiet;" + ENTER)
    terminal.until("waiting for rows; Ctrl-C stops the query")
    terminal.type(CTRL_C)
    terminal.until(terminal.at_prompt)
    assert terminal.last_answer() == " K\n----------\n(0 rows; stopped)"
    assert terminal.run("INSERT INTO quiet VALUES ('a');") == "1 row inserted"


def test_a_long_scan_says_how_far_it_is(terminal: Terminal, tmp_path: Path) -> None:
    part = tmp_path / "part.csv"
    part.write_text("".join(f"{i},name {i % 97}\n" for i in range(200_000)))
    (tmp_path / "big").mkdir()
    for number in range(400):
        (tmp_path / "big" / f"{number}.csv").hardlink_to(part)
    location = f"LOCATION '{tmp_path}/big/'"
    terminal.run(f"CREATE EXTERNAL TABLE big (a INT, b STRING) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' {location};")
    terminal.type("SELECT COUNT(b) FROM big;" + ENTER)
    terminal.until("%  ")
    line = terminal.lines()[terminal.screen.cursor.y]
    assert re.fullmatch(r"reading █* +\d+%  \d+ files  [\d,.]+ MB  [\d,]+ rows", line)
    terminal.type(CTRL_C)
    terminal.until(terminal.at_prompt)
    assert terminal.last_answer() == "stopped"
    terminal.run("DROP TABLE big;")


def test_tab_completes_by_grammar_and_catalog(terminal: Terminal) -> None:
    terminal.run("CREATE STREAM completed (temperature DOUBLE);")
    terminal.type("ins" + TAB)
    terminal.until(lambda: terminal.typed() == "insert")
    terminal.type(CTRL_C + "select tempe" + CTRL_C)
    terminal.type("SELECT STREAM TEMP" + CTRL_C)
    terminal.type("select stream temp from compl" + TAB)
    terminal.until(lambda: terminal.typed() == "select stream temp from completed")
    terminal.type(CTRL_C + "select floo")
    terminal.until("FLOOR(t: TIMESTAMP TO unit: UNIT)")
    terminal.type(CTRL_C + "\\tim" + TAB)
    terminal.until(lambda: terminal.typed() == "\\timing")
    terminal.type(CTRL_C)
    terminal.until(terminal.at_prompt)


def test_history_goes_from_session_to_session(start: Start, folder: Path, terminal: Terminal) -> None:
    terminal.run("VALUES ('remembered');")
    terminal.run("VALUES ('later');")
    later = start(folder=folder)
    later.type(UP)
    later.until(lambda: later.typed() == "VALUES ('later');")
    later.type(CTRL_C + CTRL_R + "remem")
    later.until("VALUES ('remembered');")
    assert "remembered" in later.run(ENTER)
    assert later.leave() == 0


def test_a_suggestion_from_the_history_stands_behind_the_cursor(terminal: Terminal) -> None:
    terminal.run("VALUES ('suggested', 'again');")
    terminal.type("VALUES ('sugg")
    terminal.until("VALUES ('suggested', 'again');")
    terminal.type(CTRL_C)
    terminal.until(terminal.at_prompt)


# -- commands ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def catalog(terminal: Terminal) -> Terminal:
    """The session with a stream, a view and a pump that the commands show."""
    terminal.run("CREATE STREAM orders (item VARCHAR(8), price INTEGER NOT NULL);")
    terminal.run("CREATE STREAM rates (item VARCHAR(8), rate INTEGER);")
    terminal.run("CREATE PUMP rating AS INSERT INTO rates SELECT STREAM item, 100 / price FROM orders;")
    terminal.run("CREATE VIEW dear AS SELECT STREAM item FROM orders WHERE price > 10;")
    return terminal


def test_help_lists_all_commands(catalog: Terminal) -> None:
    from streamsql.repl.commands import COMMANDS

    shown = catalog.run("\\?")
    assert all(name in shown for command in COMMANDS for name in command.names)
    assert "limit" in catalog.run("\\? pset")
    assert catalog.run(".help timing").startswith("\\timing .timer [on|off]")
    assert "statements end" in catalog.run("help").lower()


def test_an_unknown_command_names_the_nearest(catalog: Terminal) -> None:
    assert catalog.run("\\timimg") == "streamsql: no command \\timimg\n  hint: did you mean \\timing?"
    assert catalog.run(".quti") == "streamsql: no command .quti\n  hint: did you mean .quit?"


def test_d_lists_and_describes(catalog: Terminal) -> None:
    listed = catalog.run("\\d")
    assert " ORDERS " in listed
    assert " DEAR " in listed
    assert catalog.run("\\ds orders") == (
        " Name   | Kind   | Columns     | Written by | Read by\n--------+--------+-------------+------------+---------\n"
        " ORDERS | stream | ITEM, PRICE |            | RATING\n(1 row)"
    )
    assert catalog.run("\\d orders") == (
        "stream ORDERS\n Column  | Type       | Null\n---------+------------+----------\n ROWTIME | TIMESTAMP  | not null\n"
        " ITEM    | VARCHAR(8) |\n PRICE   | INTEGER    | not null\nread by RATING\n\n"
        "CREATE STREAM orders (item VARCHAR(8), price INTEGER NOT NULL);"
    )
    assert catalog.run("\\d rating").startswith("pump RATING: running, reads ORDERS, writes RATES\n\nCREATE PUMP rating AS")
    assert catalog.run("\\dv").splitlines()[2:] == [" DEAR | view | ITEM    |            |", "(1 row)"]
    assert " ORDERS " not in catalog.run("\\dt")
    assert catalog.run(".tables") == listed
    assert catalog.run("\\d ordres") == "streamsql: no stream, table, view or pump ordres\n  hint: did you mean ORDERS?"
    assert catalog.run(".schema dear") == "CREATE VIEW dear AS SELECT STREAM item FROM orders WHERE price > 10;"
    assert "CREATE PUMP rating" in catalog.run(".schema")


def test_pumps_and_whether_they_run(catalog: Terminal) -> None:
    assert catalog.run("\\dp rating").splitlines()[2:] == [" RATING | running | ORDERS | RATES", "(1 row)"]
    catalog.until(lambda: "1 pump running" in catalog.bottom())
    catalog.run("ALTER PUMP rating STOP;")
    assert catalog.run("\\pumps rating").splitlines()[2:] == [" RATING | stopped | ORDERS | RATES", "(1 row)"]
    catalog.until(lambda: "0 of 1 pumps running" in catalog.bottom())
    catalog.run("ALTER PUMP rating START;")


def test_df_lists_and_explains_functions(catalog: Terminal) -> None:
    shown = catalog.run("\\df tsdiff")
    assert shown.startswith("TSDIFF(")
    assert ">>> TSDIFF(" in shown
    listed = catalog.run("\\df stddev_")
    assert "STDDEV_POP(" in listed
    assert "STDDEV_SAMP(" in listed
    assert "RANDOM_CUT_FOREST" in catalog.run("\\df random_cut_forest")
    catalog.run("CREATE FUNCTION doubled(x DOUBLE) RETURNS DOUBLE\n RETURN x + x;")
    assert catalog.run("\\df doubled").startswith("DOUBLED(X: DOUBLE) -> DOUBLE\n\n  CREATE FUNCTION doubled(x DOUBLE)")
    assert "DOUBLED(X: DOUBLE) -> DOUBLE | application" in catalog.run("\\df dou*")
    assert catalog.run("\\df florr").startswith("streamsql: no function florr\n  hint: did you mean FLOOR?")


def test_failed_rows_are_counted_and_shown(catalog: Terminal) -> None:
    catalog.run("INSERT INTO orders VALUES ('a', 0), ('b', 5);")
    catalog.until(lambda: "1 error (\\errors)" in catalog.bottom())
    shown = catalog.run("\\errors 5")
    assert "RATING" in shown
    assert '"ITEM"' in shown
    assert shown.endswith("(1 row)")


def test_status(catalog: Terminal) -> None:
    shown = catalog.run("\\status")
    assert shown.startswith("version   StreamSQL ")
    assert "database  in memory\n" in shown
    assert "1 running of 1" in shown
    assert "format table, null 'NULL'" in catalog.run("\\conninfo")


def test_expanded(catalog: Terminal) -> None:
    assert catalog.run("\\x") == "expanded is on"
    assert catalog.run("VALUES (1, NULL);") == "-[ RECORD 1 ]\nEXPR$0 | 1\nEXPR$1 | NULL\n(1 row)"
    assert catalog.run("\\x auto") == "expanded is auto"
    assert catalog.run("VALUES (1);").startswith(" EXPR$0\n")
    assert catalog.run("\\x off") == "expanded is off"


def test_formats_and_nulls(catalog: Terminal) -> None:
    assert catalog.run("\\pset format csv") == "format is csv"
    assert catalog.run("VALUES (1, NULL);") == "EXPR$0,EXPR$1\n1,"
    assert catalog.run(".mode json") == "format is json"
    assert catalog.run("VALUES (1, NULL);") == '{"EXPR$0": 1, "EXPR$1": null}'
    assert catalog.run("\\mode vertical") == "format is vertical"
    assert catalog.run("VALUES (1);") == "-[ RECORD 1 ]\nEXPR$0 | 1\n(1 row)"
    assert catalog.run("\\mode tabel").startswith("streamsql: no value 'tabel'\n  hint: one of table, vertical, csv, json, ")
    catalog.run("\\mode table")
    assert catalog.run(".nullvalue -") == "null is '-'"
    assert catalog.run("VALUES (NULL, 1);").splitlines()[2] == " -      |      1"
    catalog.run("\\pset null NULL")
    assert catalog.run("\\pset").splitlines()[:2] == ["format     table", "null       'NULL'"]


def test_the_limit_of_rows(catalog: Terminal) -> None:
    catalog.run("\\pset limit 2")
    assert catalog.run("VALUES (1), (2), (3);").endswith("(2 rows; the first 2 rows: \\pset limit 0 shows all)")
    assert catalog.run("VALUES (1), (2);").endswith("(2 rows)")
    catalog.run("\\pset limit 1000")


def test_timing(catalog: Terminal) -> None:
    assert catalog.run("\\timing") == "timing is on"
    assert catalog.run("VALUES (1);").splitlines()[-1].startswith("time: ")
    assert catalog.run(".timer off") == "timing is off"


def test_results_go_to_a_file_and_back(catalog: Terminal, folder: Path) -> None:
    assert catalog.run("\\o results.txt") == ""
    assert catalog.run("VALUES ('in the file');") == ""
    assert catalog.run("\\o") == ""
    assert "in the file" in (folder / "results.txt").read_text()
    assert catalog.run("VALUES (1);").endswith("(1 row)")
    assert catalog.run("\\o /nowhere/at/all").startswith("streamsql: cannot write /nowhere/at/all")


def test_statements_and_commands_from_a_file(catalog: Terminal, folder: Path) -> None:
    (folder / "some.sql").write_text(
        "-- a remark\n\\x on\nVALUES ('first');\n\\x off\nVALUES (1);\nSELECT nothing;\nVALUES (2);\n"
    )
    shown = catalog.run("\\i some.sql")
    assert "EXPR$0 | first" in shown
    assert "streamsql: some.sql:6:8: no column NOTHING" in shown
    assert "      2" not in shown
    assert catalog.run(".read missing.sql") == "streamsql: cannot read missing.sql: No such file or directory"
    (folder / "itself.sql").write_text("\\i itself.sql\n")
    assert "does itself.sql read itself?" in catalog.run("\\i itself.sql")


def test_a_statement_is_written_in_an_editor(start: Start, folder: Path) -> None:
    editor = folder / "editor"
    editor.write_text("#!/bin/sh\nsed -i s/before/after/ $1\n")
    editor.chmod(0o755)
    editing = start(folder=folder, environment={"EDITOR": str(editor), "VISUAL": ""})
    editing.run("VALUES ('before');")
    editing.type("\\e" + ENTER)
    editing.until(lambda: editing.typed() == "VALUES ('after');")
    assert "after" in editing.run("")
    editing.type("\\q" + ENTER)
    assert editing.status() == 0


# -- inputs, pumps and applications -------------------------------------------------------------------------------------


APPLICATION = """
CREATE OR REPLACE STREAM counted ("name" VARCHAR(16), n INTEGER);
CREATE OR REPLACE PUMP counting AS INSERT INTO counted SELECT STREAM "name", 7077 FROM readings WHERE "v" > 10;
"""


@pytest.fixture
def live(start: Start, tmp_path: Path) -> Terminal:
    """A session with inputs that grow and an output."""
    folder = tmp_path
    (folder / "readings.jsonl").write_text('{"name": "a", "v": 1}\n{"name": "b", "v": 11}\n')
    (folder / "app.sql").write_text(APPLICATION)
    (folder / "iot.jsonl").write_text("".join(f'{{"iotName": "t{i % 2}", "iotValue": {i % 7}}}\n' for i in range(300)))
    inputs = ["--input", "READINGS=readings.jsonl?follow=true", "--input", "SOURCE_SQL_STREAM_001=iot.jsonl?follow=true"]
    return start(*inputs, "--output", "COUNTED=out.jsonl", folder=folder)


def append(terminal: Terminal, name: str, line: str) -> None:
    with (terminal.folder / name).open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def test_rows_are_shown_as_they_come(live: Terminal) -> None:
    live.type('SELECT STREAM "name", "v" FROM readings;' + ENTER)
    live.until(" b ")
    append(live, "readings.jsonl", '{"name": "東京", "v": 22}')
    live.until(" 東京")
    live.type(CTRL_C)
    live.until(live.at_prompt)
    assert live.last_answer() == (
        " name |        v\n------+----------\n a    |        1\n b    |       11\n 東京 |       22\n(3 rows; stopped)"
    )


def test_pumps_run_while_one_types(live: Terminal) -> None:
    assert live.run("\\i app.sql") == "stream COUNTED created\npump COUNTING created"
    live.type("SELECT STREAM n FROM coun")
    append(live, "readings.jsonl", '{"name": "c", "v": 33}')
    output = live.folder / "out.jsonl"
    eventually(lambda: output.exists() and output.read_text().splitlines()[-1:] == ['{"name": "c", "N": 7077}'])
    live.until(lambda: live.typed() == "SELECT STREAM n FROM coun")
    live.type("ted;" + ENTER)
    live.until("waiting for rows")
    append(live, "readings.jsonl", '{"name": "d", "v": 44}')
    live.until("    7077")
    live.type(CTRL_C)
    live.until(live.at_prompt)
    assert live.last_answer().endswith("(1 row; stopped)")


def test_an_application_is_read_again(live: Terminal) -> None:
    live.run("\\i app.sql")
    shown = live.run("\\i app.sql")
    assert "warning: pump COUNTING is dropped with the stream COUNTED that it used" in shown
    live.until(lambda: "1 pump running" in live.bottom())


def test_the_anomaly_application_and_the_screen(live: Terminal, shared: Path) -> None:
    shown = live.run(f"\\i {shared / 'cases' / 'seed' / 'iot_anomaly.sql'}")
    assert shown.splitlines()[-2:] == ["pump STREAM_PUMP_1 created", "pump OUTPUT_PUMP created"]
    live.until(lambda: "2 pumps running" in live.bottom())
    live.type('SELECT STREAM "iotName", "iotValue" FROM "DESTINATION_SQL_STREAM" WHERE ANOMALY_SCORE > 3;' + ENTER)
    live.until("waiting for rows")
    append(live, "iot.jsonl", '{"iotName": "odd", "iotValue": 30000}')
    live.until(" odd ")
    live.type(CTRL_C)
    live.until(live.at_prompt)
    assert live.last_answer().endswith("(1 row; stopped)")
    live.type("\x0c")
    live.until(lambda: live.lines()[0] == PROMPT)
    live.run("\\dp")
    live.run("SELECT STREAM " + ENTER + "wrong FROM readings;")
    live.until(lambda: "│  0 rows/s" in live.bottom())
    assert [line for line in live.lines() if line] == [
        "streamsql> \\dp",
        " Pump          | State   | Reads                 | Writes",
        "---------------+---------+-----------------------+------------------------",
        " STREAM_PUMP_1 | running | SOURCE_SQL_STREAM_001 | TEMP_STREAM",
        " OUTPUT_PUMP   | running | TEMP_STREAM           | DESTINATION_SQL_STREAM",
        "(2 rows)",
        "streamsql> SELECT STREAM",
        "        -> wrong FROM readings;",
        "streamsql: <input>:2:1: no column WRONG in READINGS",
        "  2 | wrong FROM readings",
        "      ^^^^^",
        '  hint: there are "name", "v"',
        "streamsql>",
        " in memory  │  2 pumps running  │  0 rows/s  │  \\? help",
    ]


def test_leaving_while_pumps_run(live: Terminal) -> None:
    live.run("\\i app.sql")
    live.until(lambda: "1 pump running" in live.bottom())
    assert live.leave() == 0
    assert "Traceback" not in str(live)


def test_what_cannot_be_opened_ends_the_session_with_2(start: Start, folder: Path) -> None:
    failing = start("--input", "S=missing.jsonl", folder=folder)
    assert failing.status() == 2
    assert "missing.jsonl" in str(failing)
    assert "Traceback" not in str(failing)
