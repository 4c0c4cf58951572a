"""Every command of the REPL in a real terminal, the keys and files of a session, and what a person of psql tries first."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from streamsql.repl.commands import COMMANDS, ELSEWHERE
from streamsql.repl.syntax import STATEMENTS
from streamsql.sql.parser import parse
from tests.repl.conftest import Start
from tests.repl.terminal import CTRL_C, ENTER, Terminal


@pytest.fixture(scope="module")
def terminal(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """One session for all tests that leave it as they found it, but for what they create."""
    folder = tmp_path_factory.mktemp("commands")
    (folder / "startup.sql").write_text("CREATE STREAM from_startup (a INTEGER);\n\\pset null (none)\n")
    places = {"STREAMSQL_QUERIES": str(folder / "queries.json"), "STREAMSQL_RC": str(folder / "startup.sql")}
    session = start(folder=folder, environment=places)
    session.run("VALUES (1);")
    return session


@pytest.fixture
def reading(start: Start, tmp_path: Path) -> Terminal:
    """A session with an input that grows."""
    (tmp_path / "readings.jsonl").write_text('{"name": "a", "v": 1}\n{"name": "b", "v": 11}\n')
    return start("--input", "READINGS=readings.jsonl?follow=true", folder=tmp_path)


def append(terminal: Terminal, line: str) -> None:
    with (terminal.folder / "readings.jsonl").open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def test_every_command_has_a_test_in_a_terminal() -> None:
    texts = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    tested = set(re.findall(r"""["'\s](\\\\[\w?!]+|\.[a-z]+)""", texts))
    for command in COMMANDS:
        assert {name.replace("\\", "\\\\") for name in command.names} & tested, command.names


# -- the start ---------------------------------------------------------------------------------------------------------


def test_a_session_begins_with_the_startup_file(terminal: Terminal) -> None:
    assert "FROM_STARTUP" in terminal.run("\\ds")
    assert terminal.run("VALUES (1, NULL);").splitlines()[2] == "      1 | (none)"


def test_a_wrong_startup_file_is_told_and_the_session_goes_on(start: Start, tmp_path: Path) -> None:
    (tmp_path / "wrong.sql").write_text("\n\nSELECT nonsense;\n")
    session = start(folder=tmp_path, environment={"STREAMSQL_RC": "wrong.sql"})
    assert session.run("VALUES (1);").startswith("streamsql: wrong.sql:3:8: no column NONSENSE")
    assert session.run("VALUES (1);").endswith("(1 row)")


def test_without_colours(start: Start, tmp_path: Path) -> None:
    session = start("--no-color", folder=tmp_path)
    session.run("VALUES (1);")
    session.type("select 'text'")
    session.until("select 'text'")
    assert {session.colour(word) for word in ("select", "'text'")} == {"default"}


# -- the last statement ------------------------------------------------------------------------------------------------


def test_the_last_statement_again(terminal: Terminal) -> None:
    first = terminal.run("VALUES (7, 'b');")
    assert terminal.run("\\g") == first
    assert terminal.run("\\gx") == "-[ RECORD 1 ]\nEXPR$0 | 7\nEXPR$1 | b\n(1 row)"
    assert terminal.run("\\g") == first
    assert terminal.run("\\p") == "VALUES (7, 'b')"


def test_a_command_in_place_of_the_semicolon(terminal: Terminal) -> None:
    assert terminal.run("VALUES (8, '\\g')" + ENTER + " \\gx").endswith("EXPR$0 | 8\nEXPR$1 | \\g\n(1 row)")
    assert terminal.run("VALUES (9) \\g").endswith("      9\n(1 row)")


def test_the_rows_of_the_last_statement_to_a_file(terminal: Terminal) -> None:
    terminal.run("VALUES (7, 'b');")
    assert terminal.run("\\g again.json") == "1 row to again.json"
    assert (terminal.folder / "again.json").read_text() == '{"EXPR$0": 7, "EXPR$1": "b"}\n'
    terminal.run("\\w last.sql")
    assert (terminal.folder / "last.sql").read_text() == "VALUES (7, 'b');\n"


def test_watching(terminal: Terminal) -> None:
    terminal.run("VALUES (4242);")
    terminal.type("\\watch 0.05" + ENTER)
    terminal.until(lambda: sum("every 0.05 seconds" in line for line in terminal.lines()) >= 3)
    terminal.type(CTRL_C)
    terminal.until(terminal.at_prompt)
    assert "not a number of seconds: often" in terminal.run("\\watch often")


def test_saved_statements(terminal: Terminal) -> None:
    assert terminal.run("\\ns pair VALUES ($1, '$2');") == "saved as pair: \\n pair runs it"
    assert terminal.run("\\n pair 5 x").endswith("      5 | x\n(1 row)")
    assert "pair takes 2 values" in terminal.run("\\n pair 5")
    assert terminal.run("\\n").splitlines()[2] == " pair | VALUES ($1, '$2')"
    assert "no saved statement pear" in terminal.run("\\n pear")
    assert terminal.run("\\nd pair") == "pair is deleted"
    assert json.loads((terminal.folder / "queries.json").read_text()) == {}


# -- pictures ------------------------------------------------------------------------------------------------------------


def test_the_latest_row_of_each_key_is_redrawn(reading: Terminal) -> None:
    reading.type('SELECT STREAM "name", "v" FROM readings \\live' + ENTER)
    reading.until("(2 rows; the latest of 2)")
    append(reading, '{"name": "a", "v": 33}')
    reading.until("(2 rows; the latest of 3)")
    reading.type(CTRL_C)
    reading.until(reading.at_prompt)
    assert reading.last_answer() == (
        " name |  v\n------+----\n a    | 33\n b    | 11\n(2 rows; the latest of 3; stopped)"
    )


def test_numbers_over_time_as_sparklines(reading: Terminal) -> None:
    reading.type("SELECT STREAM \"name\", \"v\" FROM readings WHERE \"name\" = 'c' \\chart" + ENTER)
    reading.until("waiting for rows")
    for value in (0, 50, 100):
        append(reading, f'{{"name": "c", "v": {value}}}')
    reading.until("(3 rows; v)")
    reading.type(CTRL_C)
    reading.until(reading.at_prompt)
    assert reading.last_answer() == " c 100 ▁▅█\n(3 rows; v; stopped)"


def test_a_finished_result_as_bars(terminal: Terminal) -> None:
    shown = terminal.run("VALUES ('x', 30, 1), ('long', 60, 2) \\chart EXPR$1").splitlines()
    assert shown[0] == " x    30 " + "█" * 30
    assert shown[1] == " long 60 " + "█" * 60
    assert terminal.run("VALUES ('x') \\chart").splitlines()[0] == "streamsql: a chart needs a column of numbers"


# -- files, and other programs -------------------------------------------------------------------------------------------


def test_copying(terminal: Terminal) -> None:
    terminal.run("CREATE STREAM copies (name VARCHAR(8), v INTEGER);")
    query = "SELECT a AS name, b AS v FROM (VALUES ('é', 1), ('b', 2)) AS t(a, b)"
    assert terminal.run(f"\\copy ({query}) to out.parquet").endswith("2 rows to out.parquet")
    assert pq.read_table(terminal.folder / "out.parquet").to_pylist() == [{"NAME": "é", "V": 1}, {"NAME": "b", "V": 2}]
    terminal.type("SELECT STREAM * FROM copies;" + ENTER)
    terminal.until("waiting for rows")
    terminal.type(CTRL_C)
    terminal.until(terminal.at_prompt)
    assert terminal.run("\\copy copies from out.parquet") == "2 rows into COPIES"
    (terminal.folder / "bad.csv").write_text("NAME,V\nc,3\nd,many\n")
    shown = terminal.run("\\copy copies FROM bad.csv")
    assert shown.startswith("1 row into COPIES; 1 could not be read, the first: Coercion error:")
    (terminal.folder / "other.csv").write_text("x,y\n1,2\n")
    assert "no column of other.csv is one of COPIES: it has x, y" in terminal.run("\\copy copies from other.csv")
    assert "\\copy NAME TO FILE" in terminal.run("\\copy copies")


def test_importing_makes_a_table(terminal: Terminal) -> None:
    (terminal.folder / "pairs.csv").write_text("k,n\na,1\nb,2\n")
    assert terminal.run(".import pairs.csv pairs") == "2 rows as table pairs"
    assert terminal.run('SELECT SUM("n") AS n FROM pairs;').endswith("3\n(1 row)")
    assert terminal.run("\\copy pairs to pairs.json") == "2 rows to pairs.json"
    assert (terminal.folder / "pairs.json").read_text() == '{"k": "a", "n": 1}\n{"k": "b", "n": 2}\n'


def test_the_next_result_goes_elsewhere(terminal: Terminal) -> None:
    terminal.run("\\once next.txt")
    terminal.run("VALUES (1);")
    assert (terminal.folder / "next.txt").read_text() == " EXPR$0\n--------\n      1\n(1 row)\n"
    terminal.run("\\once | tr 1 9 > piped.txt")
    terminal.run("VALUES (1);")
    assert (terminal.folder / "piped.txt").read_text().splitlines()[2] == "      9"
    terminal.run("\\o | cat > many.txt")
    terminal.run("VALUES (1);")
    terminal.run("\\echo between")
    terminal.run("VALUES (2);")
    terminal.run("\\o")
    assert (terminal.folder / "many.txt").read_text().splitlines()[2:6] == ["      1", "(1 row)", "between", " EXPR$0"]


def test_other_programs(terminal: Terminal) -> None:
    assert terminal.run("\\! echo from the shell") == "from the shell"
    assert terminal.run("\\! exit 3") == "the exit status is 3"


def test_a_long_result_goes_through_the_pager(start: Start, tmp_path: Path) -> None:
    pager = tmp_path / "pager"
    pager.write_text('#!/bin/sh\ncat > paged.txt\necho "left the pager"\n')
    pager.chmod(0o755)
    session = start(folder=tmp_path, environment={"PAGER": str(pager)}, rows=12)
    rows = ", ".join(f"({i})" for i in range(12))
    assert session.run(f"VALUES {rows};") == "left the pager"
    assert (tmp_path / "paged.txt").read_text().splitlines()[-1] == "(12 rows)"
    assert session.run("VALUES (1);").endswith("(1 row)")
    session.run("\\pset pager off")
    assert session.run(f"VALUES {rows};").endswith("(12 rows)")


# -- help ----------------------------------------------------------------------------------------------------------------


def test_inputs_and_outputs(reading: Terminal) -> None:
    assert reading.run("\\di").splitlines()[2].startswith(" READINGS | input | readings.jsonl?follow=true | waiting |")
    reading.run('CREATE STREAM o (v INTEGER); CREATE PUMP p AS INSERT INTO o SELECT STREAM "v" FROM readings;')
    assert reading.run("\\di").splitlines()[2].startswith(" READINGS | input | readings.jsonl?follow=true | reading |")


def test_databases_and_external_tables(terminal: Terminal) -> None:
    terminal.run("CREATE DATABASE d;")
    terminal.run("CREATE EXTERNAL TABLE d.t (a INT) PARTITIONED BY (p STRING) STORED AS PARQUET LOCATION 's3://b/t/';")
    listed = [[cell.strip() for cell in line.split("|")[:3]] for line in terminal.run("\\l").splitlines()]
    assert ["d", "", "1"] in listed
    assert ["default", "*", "0"] in listed
    terminal.run("USE d;")
    assert any(line.startswith(" t ") and "external table" in line for line in terminal.run("\\dt").splitlines())
    terminal.run("USE default;")


def test_how_statements_are_written(terminal: Terminal) -> None:
    assert terminal.run("\\h alter").endswith("ALTER PUMP name { START | STOP }")
    assert "  CREATE PUMP" in terminal.run("\\h")
    assert "no statement truncate" in terminal.run("\\h truncate")


@pytest.mark.parametrize(
    "example",
    [
        "ALTER PUMP p STOP",
        "CREATE OR REPLACE FOREIGN STREAM s (a INTEGER NOT NULL) SERVER files OPTIONS (uri 'a.csv')",
        "CREATE OR REPLACE PUMP p STOPPED DESCRIPTION 'text' AS INSERT INTO t (a) SELECT STREAM a FROM s",
        "CREATE OR REPLACE STREAM s (a INTEGER NOT NULL) DESCRIPTION 'text'",
        "CREATE OR REPLACE VIEW v (a) AS SELECT STREAM a FROM s",
        "DROP STREAM s CASCADE",
        "EXPLAIN SELECT STREAM a FROM s",
        "INSERT INTO s (ROWTIME, a) VALUES (TIMESTAMP '2026-01-01 00:00:00', 1)",
        "WITH c AS (SELECT STREAM a FROM s) SELECT STREAM a FROM c WHERE a > 1 UNION ALL SELECT STREAM a FROM s",
        "VALUES (1, 'a')",
        "ALTER TABLE d.t ADD IF NOT EXISTS PARTITION (p = 'a') LOCATION 's3://b/t/'",
        "CREATE DATABASE IF NOT EXISTS d COMMENT 'text' LOCATION 's3://b/'",
        "CREATE EXTERNAL TABLE IF NOT EXISTS d.t (a INT) PARTITIONED BY (p STRING) STORED AS PARQUET LOCATION 's3://b/t/'",
        "MSCK REPAIR TABLE d.t",
        "REFRESH TABLE d.t",
        "SHOW PARTITIONS d.t",
        "CREATE FUNCTION f (x INTEGER) RETURNS INTEGER RETURN x + 1",
    ],
)
def test_what_the_help_says_can_be_parsed(example: str) -> None:
    """Each of the forms that `\\h` shows, written out."""
    assert any(all(word in example for word in name.split()) for name in STATEMENTS)
    assert parse(example)


@pytest.mark.parametrize("name", ["\\du", "\\encoding", "\\H", "\\r", ".open", ".dump"])
def test_commands_of_other_shells_say_what_there_is_instead(name: str, terminal: Terminal) -> None:
    assert f"hint: {ELSEWHERE[name][:40]}" in terminal.run(name)


def test_names_of_commands_and_formats_that_other_shells_have(terminal: Terminal) -> None:
    terminal.run("CREATE STREAM known (a INTEGER);")
    for command in ("\\d+ known", "\\dS known"):
        assert terminal.run(command).startswith("stream KNOWN\n")
    assert terminal.run("\\ds+ kn*").endswith(" KNOWN | stream | A       |            |\n(1 row)")
    assert terminal.run("\\d k?own").endswith("(1 row)")
    assert terminal.run("\\dt nothing*") == "streamsql: no table matches nothing*"
    assert terminal.run("\\sf known") == "CREATE STREAM known (a INTEGER);"
    assert terminal.run("\\mode line") == "format is vertical"
    assert terminal.run(".mode box") == "format is table"
    assert "hint: \\t, or" in terminal.run("\\pset tuples_only")
    assert terminal.run(".show").startswith("format     table")


def test_help_as_people_write_it(terminal: Terminal) -> None:
    assert terminal.run("help alter pump").endswith("ALTER PUMP name { START | STOP }")
    assert terminal.run("help \\timing").startswith("\\timing .timer [on|off]")
    assert "no statement me" in terminal.run("HELP me;")


def test_databases_are_chosen_by_name(terminal: Terminal) -> None:
    terminal.run("CREATE DATABASE chosen;")
    terminal.run("CREATE EXTERNAL TABLE chosen.t (a INT) STORED AS PARQUET LOCATION 's3://b/t/';")
    assert terminal.run("\\d chosen.t").startswith("external table t\n")
    assert " t    | external table | a " in terminal.run("\\dt chosen.*")
    assert terminal.run("\\c chosen") == "database chosen is in use"
    assert terminal.run("\\u default") == "database default is in use"
    assert "hint: streamsql ./other, in the shell, opens it" in terminal.run("\\c ./other")
    assert terminal.run("\\c").startswith("version   StreamSQL ")


def test_variables(terminal: Terminal) -> None:
    terminal.run("\\set least 2")
    terminal.run("\\set word 'it''s'")
    assert terminal.run("SELECT x, :word AS w FROM (VALUES (1), (2), (3)) AS t(x) WHERE x >= :least;") == (
        " X | W\n---+------\n 2 | it's\n 3 | it's\n(2 rows)"
    )
    assert terminal.run("\\set word") == "word is 'it''s'"
    assert terminal.run("\\set").splitlines() == ["least = 2", "word = 'it''s'"]
    assert "no name of a variable: got_expr$0" in terminal.run("VALUES (7, 'b') \\gset got_")
    assert terminal.run("SELECT 5 AS five, NULL AS nothing FROM (VALUES (1)) AS t(x) \\gset") == ""
    assert terminal.run("VALUES (:five + 1);").splitlines()[2].strip() == "6"
    assert terminal.run("\\unset five") == ""
    assert terminal.run("VALUES (:five);").endswith("hint: \\set NAME VALUE sets a variable, :NAME takes it")
    assert terminal.run("VALUES (1), (2) \\gset") == "streamsql: the statement gave more than one row"
    assert "the first error ends a script" in terminal.run("\\set ON_ERROR_STOP on")
    assert "no name of a variable: a-b" in terminal.run("\\set a-b 1")


def test_the_columns_that_a_statement_would_give(terminal: Terminal) -> None:
    shown = terminal.run("SELECT 1 AS one, CAST(NULL AS VARCHAR(8)) AS word FROM (VALUES (1)) AS t(x) \\gdesc")
    assert shown == " Column | Type\n--------+------------\n ONE    | INTEGER\n WORD   | VARCHAR(8)\n(2 rows)"
    assert "gives no rows" in terminal.run("CREATE DATABASE IF NOT EXISTS described \\gdesc")


def test_rows_only(terminal: Terminal) -> None:
    assert terminal.run("\\t") == "header and footer are off"
    assert terminal.run("VALUES (1, 'a');") == "      1 | a"
    assert terminal.run("\\t off") == "header and footer are on"
    terminal.run(".headers off")
    terminal.run("\\mode csv")
    assert terminal.run("VALUES (1, 'a');") == "1,a"
    terminal.run("\\mode table")
    assert terminal.run(".header on") == "header is on"
    assert terminal.run(".maxrows 5") == "limit is 5"
    terminal.run("\\pset limit 1000")


def test_the_history_is_shown_and_written(terminal: Terminal) -> None:
    terminal.run("VALUES ('in the history');")
    assert "VALUES ('in the history');" in terminal.run("\\s").splitlines()
    terminal.run("\\s past.sql")
    assert "VALUES ('in the history');" in (terminal.folder / "past.sql").read_text()


def test_texts_beside_results(terminal: Terminal) -> None:
    terminal.run("\\o results.txt")
    assert terminal.run("\\warn beside") == "beside"
    assert terminal.run("\\qecho within") == ""
    terminal.run("\\o")
    assert (terminal.folder / "results.txt").read_text() == "within\n"


def test_a_program_that_ends_gives_the_results_back(terminal: Terminal) -> None:
    terminal.run("\\o | exit 0")
    shown = terminal.run("VALUES (1);")
    if "has ended" not in shown:  # it may have begun to read
        shown = terminal.run("VALUES (1);")
    assert shown == "exit 0 has ended: results go to the terminal again"
    assert terminal.run("VALUES (1);").endswith("(1 row)")


def test_bytes_that_look_like_a_mouse(terminal: Terminal) -> None:
    terminal.type("VALUES ('\x1b[31m\x1b[M!!!');")
    assert "Traceback" not in terminal.run("")
    assert terminal.run("VALUES (1);").endswith("(1 row)")


def test_markdown(terminal: Terminal) -> None:
    terminal.run("\\mode markdown")
    assert terminal.run("VALUES (1, 'a|b');") == "| EXPR$0 | EXPR$1 |\n| ---: | --- |\n| 1 | a\\|b |"
    terminal.run("\\mode table")
