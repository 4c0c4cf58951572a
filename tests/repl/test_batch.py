"""Statements from `-c` and from stdin: results on stdout, all else on stderr, exit statuses."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from streamsql.dbapi import connect
from streamsql.repl.batch import run_statements

COMMAND = [sys.executable, "-m", "streamsql"]


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def streamsql(*arguments: str, stdin: str = "", cwd: Path | None = None) -> Done:
    """The real command, as a process."""
    done = subprocess.run([*COMMAND, *arguments], input=stdin, capture_output=True, text=True, cwd=cwd, timeout=120)
    return Done(done.returncode, done.stdout, done.stderr)


def batch(*texts: str, format: str = "table", **attached: Mapping[str, str]) -> Done:
    """What the command does, within this process."""
    out, err = io.StringIO(), io.StringIO()
    with connect(None, **attached) as connection:  # type: ignore[arg-type]
        return Done(run_statements(connection, texts, format, out, err), out.getvalue(), err.getvalue())


@pytest.fixture
def readings(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_text("".join(f'{{"k": "{"ab"[i % 2]}", "v": {i}, "t": "2026-01-01 00:00:0{i}"}}\n' for i in range(6)))
    return path


def test_results_are_tables_unless_a_format_is_given() -> None:
    done = streamsql("-c", "VALUES (1, 'a'), (NULL, 'b')", "-c", "VALUES ('東京'); VALUES (2)")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        " EXPR$0 | EXPR$1\n--------+--------\n      1 | a\n   NULL | b\n(2 rows)\n"
        " EXPR$0\n--------\n 東京\n(1 row)\n EXPR$0\n--------\n      2\n(1 row)\n"
    )
    assert batch("VALUES (1, 'a'), (NULL, 'b')", format="csv").stdout == "EXPR$0,EXPR$1\n1,a\n,b\n"
    rows = [json.loads(line) for line in streamsql("--format", "json", stdin="VALUES (1, 'a'), (NULL, 'b')").stdout.splitlines()]
    assert rows == [{"EXPR$0": 1, "EXPR$1": "a"}, {"EXPR$0": None, "EXPR$1": "b"}]


def test_a_query_over_a_stream_shows_what_the_statements_insert_and_ends() -> None:
    done = batch(
        """
            CREATE STREAM s (k VARCHAR(8), v INTEGER);
            CREATE STREAM doubled (k VARCHAR(8), v INTEGER);
            CREATE PUMP doubling AS INSERT INTO doubled SELECT STREAM k, v * 2 FROM s;
            SELECT STREAM k, v FROM doubled;
            INSERT INTO s VALUES ('a', 1), ('b', 2);
            INSERT INTO s VALUES ('c', 3);
        """,
        format="csv",
    )
    assert done == (0, "K,V\na,2\nb,4\nc,6\n", "")


def test_a_query_shows_rows_until_its_inputs_end(readings: Path) -> None:
    query = 'SELECT STREAM "k", SUM("v") AS total FROM s GROUP BY "k", STEP(s.ROWTIME BY INTERVAL \'2\' SECOND)'
    done = batch(query, inputs={"S": f"{readings}?rowtime=t"}, format="csv")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["k,TOTAL", "a,0", "b,1", "a,2", "b,3", "a,4", "b,5"]


def test_pumps_see_every_row_of_an_input_and_outputs_are_complete(readings: Path, tmp_path: Path) -> None:
    pumps = "; ".join(
        f'CREATE STREAM o{n} ("v" INTEGER); CREATE PUMP p{n} AS INSERT INTO o{n} SELECT STREAM "v" + {n} FROM s' for n in (10, 20)
    )
    outputs = ["--output", f"O10={tmp_path / 'o10.csv'}", "--output", f"O20={tmp_path / 'o20.csv'}"]
    done = streamsql("-c", pumps, "--input", f"S={readings}?rowtime=t", *outputs)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    for n in (10, 20):
        assert (tmp_path / f"o{n}.csv").read_text().split() == ["v", *(str(i + n) for i in range(6))]


def test_an_error_says_where_in_the_script_it_is() -> None:
    done = batch("VALUES (1);\n\n  VALUES (2); SELECT STREAM price\n  FROM trades;\nVALUES (3);\n")
    assert done.returncode == 2
    assert done.stdout.count("(1 row)") == 2
    assert done.stderr.startswith("streamsql: <input>:4:8: ")
    assert done.stderr.splitlines()[1:3] == ["  4 |   FROM trades", "             ^^^^^^"]


def test_wrong_syntax_is_2_and_so_is_a_comment_that_hides_everything() -> None:
    done = batch("SELEC 1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[:3] == [
        "streamsql: <input>:1:1: unexpected SELEC, expected a statement",
        "  1 | SELEC 1",
        "      ^^^^^",
    ]
    assert batch("-- SELECT 1").returncode == 2
    assert batch("\\nonsense").returncode == 2
    assert batch("") == (0, "", "")


def test_commands_work_in_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "more.sql").write_text("VALUES ('from the file');\n")
    commands = "\\ds s\n\\pset footer off\n\\i more.sql\n.mode csv\n\\o out.csv\nVALUES (1);\n\\q\nVALUES (2);"
    script = f"CREATE STREAM s (a INTEGER);\n{commands}"
    done = streamsql(stdin=script, cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout == (
        " Name | Kind   | Columns | Written by | Read by\n------+--------+---------+------------+---------\n"
        " S    | stream | A       |            |\n(1 row)\n EXPR$0\n---------------\n from the file\n"
    )
    assert (tmp_path / "out.csv").read_text() == "EXPR$0\n1\n"


def test_rows_that_fail_are_reported(tmp_path: Path) -> None:
    numbers = tmp_path / "in.jsonl"
    numbers.write_text("".join(f'{{"v": {v}}}\n' for v in [1, *[0] * 12, 5]))
    done = batch('SELECT STREAM 10 / "v" AS q FROM s', inputs={"S": str(numbers)}, format="csv")
    assert (done.returncode, done.stdout) == (0, "Q\n10\n2\n")
    assert len(done.stderr.splitlines()) == 11
    assert done.stderr.splitlines()[10] == "streamsql: 2 more rows in error_stream"
    counted = batch('SELECT STREAM 10 / "v" FROM s; SELECT STREAM MESSAGE FROM "error_stream"', inputs={"S": str(numbers)})
    assert counted.returncode == 0
    assert counted.stdout.endswith("(12 rows)\n")


def test_ctrl_c_leaves_with_130_and_what_there_was(readings: Path) -> None:
    command = [*COMMAND, "-c", 'SELECT STREAM "k", "v" FROM s', "--input", f"S={readings}?follow=true", "--format", "csv"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(7)][6] == "b,5\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "")


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    many = "CREATE STREAM s (a INTEGER);" + f"VALUES {', '.join(f'({i})' for i in range(9_000))};" * 3
    command = f"{sys.executable} -m streamsql | head -1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], input=many, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, " EXPR$0\n", "")


def test_a_database_goes_on_the_next_time(tmp_path: Path) -> None:
    database = str(tmp_path / "db")
    made = streamsql(database, "-c", "CREATE STREAM s (a INTEGER); CREATE VIEW v AS SELECT STREAM a FROM s")
    assert (made.returncode, made.stderr) == (0, "")
    shown = streamsql(database, "-c", "\\dv", "-c", "INSERT INTO s VALUES (1)")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert " V    | view | A" in shown.stdout


def test_what_cannot_be_opened_is_2(tmp_path: Path) -> None:
    done = streamsql("-c", "VALUES (1)", "--input", f"S={tmp_path / 'missing.jsonl'}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "missing.jsonl" in done.stderr
    assert "Traceback" not in done.stderr


def test_rows_of_a_stream_are_seen_before_its_input_ends(readings: Path) -> None:
    read, write = os.pipe()
    command = [*COMMAND, "-c", 'SELECT STREAM "k" FROM s', "--input", "S=-", "--format", "json"]
    process = subprocess.Popen(command, stdin=read, stdout=subprocess.PIPE, text=True)
    os.close(read)
    assert process.stdout is not None
    os.write(write, b'{"k": "first"}\n')
    deadline = time.monotonic() + 60
    assert process.stdout.readline() == '{"k": "first"}\n'
    assert time.monotonic() < deadline
    os.close(write)
    assert process.wait(timeout=60) == 0


ENDLESS = """
CREATE FOREIGN STREAM made (v INTEGER) SERVER GENERATOR OPTIONS (rows_per_second 0, v 'sequence(0)');
CREATE STREAM halves (v INTEGER);
CREATE PUMP halving AS INSERT INTO halves SELECT STREAM 10 / (v - 2) FROM made;
"""


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("SELECT STREAM v FROM made LIMIT 2", "V\n0\n1\n"),
        ("SELECT STREAM v FROM halves LIMIT 2", "V\n-5\n-10\n"),
        ('SELECT STREAM ERROR_NAME FROM "error_stream" LIMIT 1', "ERROR_NAME\nDivision by zero\n"),
    ],
)
def test_a_limit_ends_a_query_over_what_has_no_end(query: str, shown: str) -> None:
    done = batch(ENDLESS, query, format="csv")
    assert (done.returncode, done.stdout) == (0, shown)


def test_after_a_limit_outputs_are_complete(readings: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    pump = 'CREATE STREAM o ("v" INTEGER); CREATE PUMP p AS INSERT INTO o SELECT STREAM "v" FROM s;'
    done = batch(
        pump, 'SELECT STREAM "v" FROM s LIMIT 1', format="csv", inputs={"S": str(readings)}, outputs={"O": str(output)}
    )
    assert (done.returncode, done.stdout) == (0, "v\n0\n")
    assert len(output.read_text().splitlines()) == 6
