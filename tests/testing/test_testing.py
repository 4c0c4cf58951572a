"""`streamsql test`: the manual's example as it is written, and what each step finds wrong; the real command."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]

COUNTING = """
CREATE STREAM s (k VARCHAR(4), v INTEGER);
CREATE STREAM totals (k VARCHAR(4), total BIGINT, mean DOUBLE);
CREATE PUMP p AS INSERT INTO totals
SELECT STREAM k, SUM(v), AVG(CAST(v AS DOUBLE)) FROM s GROUP BY k, STEP(s.ROWTIME BY INTERVAL '1' MINUTE);
"""
ROWS = """INSERT INTO s (ROWTIME, k, v) VALUES
(TIMESTAMP '2026-01-01 00:00:01', 'a', 1), (TIMESTAMP '2026-01-01 00:00:02', 'a', 2);"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "streamsql", "test", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def tried(folder: Path, body: str, *arguments: str, name: str = "some") -> subprocess.CompletedProcess[str]:
    """The outcome of one test behind the counting application."""
    (folder / "a_test.sql").write_text(f"{COUNTING}\n--@test: {name}\n{body}\n")
    return run(folder, "a_test.sql", *arguments)


def test_the_manual(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "testing.md").read_text()
    script, shown = re.findall(r"```(?:sql)?\n(.*?)```", text, re.DOTALL)[:2]
    (tmp_path / "totals_test.sql").write_text(script)
    done = run(tmp_path, "totals_test.sql")
    assert done.returncode == 0
    assert re.sub(r"in \d.\d\d s", "in 0.03 s", done.stdout) == shown.partition("\n")[2]


def test_the_example() -> None:
    done = run(ROOT, "examples/tested_application")
    assert (done.returncode, done.stdout.splitlines()[-1][:18]) == (0, "5 passed, 0 failed")


def test_a_test_writes_no_files(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    (tmp_path / "a_test.sql").write_text(f"""
        CREATE STREAM s (v INTEGER);
        CREATE TABLE made WITH (external_location = '{lake}/made/') AS SELECT 1 AS v;
        CREATE EXTERNAL TABLE kept (v int) STORED AS JSON LOCATION '{lake}/kept/' TBLPROPERTIES ('write.maxfilerows'='1');
        CREATE PUMP p AS INSERT INTO kept SELECT STREAM v FROM s;
--@test: writes
INSERT INTO kept VALUES (1);
UNLOAD (SELECT 2 AS v) TO '{lake}/u/' WITH (format = 'JSON');
INSERT INTO s (ROWTIME, v) VALUES (TIMESTAMP '2026-01-01 00:00:01', 1);
ADVANCE TO END;
""")
    done = run(tmp_path, "a_test.sql")
    assert (done.returncode, lake.exists()) == (0, False), done.stdout


def test_foreign_streams_are_written_and_asserted_in_place_of_their_servers(tmp_path: Path) -> None:
    (tmp_path / "app.sql").write_text("""
        CREATE FOREIGN STREAM s (v INTEGER) SERVER GENERATOR OPTIONS (rows_per_second 0);
        CREATE FOREIGN STREAM totals (total BIGINT) SERVER FILE OPTIONS (uri 'out.jsonl');
        CREATE PUMP p AS INSERT INTO totals SELECT STREAM SUM(v) FROM s GROUP BY STEP(s.ROWTIME BY INTERVAL '1' MINUTE);
    """)
    (tmp_path / "a_test.sql").write_text("""RUN SCRIPT 'app.sql';
--@test: sums
INSERT INTO s (ROWTIME, v) VALUES (TIMESTAMP '2026-01-01 00:00:01', 1), (TIMESTAMP '2026-01-01 00:00:02', 2);
ADVANCE TO '2026-01-01 00:01:00';
ASSERT VALUES totals VALUES (3);
--@test: wrong options are wrong
--@expected.error: no option url
CREATE FOREIGN STREAM f (v INTEGER) SERVER FILE OPTIONS (url 'a.csv');
""")
    done = run(tmp_path, "a_test.sql")
    assert done.returncode == 0, done.stdout
    assert not (tmp_path / "out.jsonl").exists()


def test_a_difference(tmp_path: Path) -> None:
    done = tried(tmp_path, f"{ROWS}\nADVANCE TO END;\nASSERT VALUES totals (k, total) VALUES ('a', 4), ('b', 1);")
    assert done.returncode == 1
    assert done.stdout == (
        "FAIL  a_test.sql:11: some\n"
        "      a_test.sql:11:15: TOTALS gave other rows (- expected, + came)\n"
        "          K  TOTAL\n"
        "        - a  4\n"
        "        - b  1\n"
        "        + a  3\n"
        "        11 | ASSERT VALUES totals (k, total) VALUES ('a', 4), ('b', 1)\n"
        "                           ^^^^^^\n" + done.stdout.splitlines()[-1] + "\n"
    )
    assert done.stdout.splitlines()[-1].startswith("0 passed, 1 failed in ")


@pytest.mark.parametrize(
    "body",
    [
        f"{ROWS} ADVANCE TO '2026-01-01 00:01:00'; ASSERT VALUES totals VALUES ('a', 3, 1.5); ASSERT NULL VALUES totals;",
        f"{ROWS} ADVANCE TO TIMESTAMP '2026-01-01 00:01:00'; assert values totals (mean) values (1.50000000001);",
        f"{ROWS} ADVANCE TO END; ASSERT VALUES totals (ROWTIME) VALUES (TIMESTAMP '2026-01-01 00:01:00');",
        f"{ROWS} ASSERT VALUES s (v) VALUES (1); ASSERT VALUES s (v) VALUES (2); ASSERT\n NULL   VALUES s;",
        "INSERT INTO s VALUES ('a', 1); ADVANCE TO '1970-01-01 00:01:00'; ASSERT VALUES totals (total) VALUES (1);",
        "ADVANCE TO '1970-01-02 00:00:00'; INSERT INTO s VALUES ('a', 1);\n"
        "ASSERT VALUES s (ROWTIME) VALUES (TIMESTAMP '1970-01-02 00:00:00');",
        "INSERT INTO s (k) VALUES (NULL); ASSERT VALUES s VALUES (NULL, NULL);",
        "ASSERT STREAM totals (k VARCHAR(4), total BIGINT, mean DOUBLE);",
        "--@expected.error: no STREAM nosuch\nASSERT NULL VALUES nosuch;",
    ],
)
def test_what_holds(body: str, tmp_path: Path) -> None:
    done = tried(tmp_path, body)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (f"{ROWS} ASSERT NULL VALUES s;", "S gave 2 more rows"),
        ("ASSERT VALUES s VALUES ('a', 1);", "S gave other rows"),
        ("ASSERT STREAM s (k VARCHAR(4));", "S has other columns"),
        ("ASSERT VALUES s (nosuch) VALUES (1);", "no column NOSUCH in S"),
        ("ASSERT VALUES nosuch VALUES (1);", "no stream NOSUCH"),
        ("ASSERT TRUE;", "no assertion of this form"),
        ("SELECT STREAM * FROM s;", "nobody sees the rows of a query in a test"),
        ("ADVANCE TO tomorrow;", "ADVANCE TO takes a time"),
        ("ADVANCE TO '2026-01-01 00:00:00'; ADVANCE TO '2025-01-01 00:00:00';", "time does not go back"),
        ("RUN SCRIPT nothing;", "RUN SCRIPT takes a file in quotes"),
        ("RUN SCRIPT 'nothing.sql';", "cannot read nothing.sql"),
        ("--@expected.error: something\nADVANCE TO END;", "no step failed, and an error was expected: 'something'"),
        ("--@expected.error: something\nSELECT;", "the error is not the expected one, 'something'"),
        ("SELECT 'unclosed", "unclosed"),
    ],
)
def test_what_is_wrong(body: str, told: str, tmp_path: Path) -> None:
    done = tried(tmp_path, body)
    assert done.returncode == 1
    assert told in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_an_error_in_a_script_has_its_place_there(tmp_path: Path) -> None:
    (tmp_path / "app.sql").write_text("CREATE STREAM t (a INTEGER);\nSELEC;\n")
    done = tried(tmp_path, "RUN SCRIPT 'app.sql';")
    assert "app.sql:2:1:" in done.stdout


def test_each_test_begins_anew(tmp_path: Path) -> None:
    again = f"{ROWS}\nASSERT VALUES s (v) VALUES (1), (2);\n--@test: second\n{ROWS}\nASSERT VALUES s (v) VALUES (1), (2);"
    assert tried(tmp_path, again).stdout.count("ok    ") == 2


def test_only_some_and_junit(tmp_path: Path) -> None:
    body = "ASSERT NULL VALUES s;\n--@test: other <&>\nASSERT VALUES s VALUES ('a', 1);"
    assert tried(tmp_path, body, "--match", "SOM").returncode == 0
    assert tried(tmp_path, body, "--junit", "out.xml").returncode == 1
    suite = ElementTree.parse(tmp_path / "out.xml").getroot()[0]
    assert {key: suite.get(key) for key in ("name", "tests", "failures")} == {"name": "a_test.sql", "tests": "2", "failures": "1"}
    assert [(case.get("name"), len(case)) for case in suite] == [("some", 0), ("other <&>", 1)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("SELECT 1;", "no tests"),
        ("--@tset: x\n", "no directive --@tset"),
        ("--@expected.error: x\n--@test: y\n", "belongs into a test"),
    ],
)
def test_wrong_files_are_2(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "x.sql").write_text(text)
    done = run(tmp_path, "x.sql")
    assert done.returncode == 2
    assert told in done.stderr
    assert run(tmp_path, "nosuch.sql").returncode == 2
