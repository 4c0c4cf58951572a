"""Applications that say themselves where rows come from and go to, as processes."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.application.command import COMMAND, lines, streamsql, write_readings

GENERATED = """
CREATE OR REPLACE FOREIGN STREAM readings (sensor VARCHAR(8), v INTEGER, t TIMESTAMP)
SERVER GENERATOR OPTIONS (rows 60000, rows_per_second 0, start '2026-01-01 00:00:00', every '20ms', seed 7,
    sensor 'choice(a, b, c)', v 'random(0, 20), 1% random(100, 120), 1% null');
CREATE OR REPLACE FOREIGN STREAM minutes (sensor VARCHAR(8), n BIGINT, total BIGINT, highest INTEGER)
SERVER FILE OPTIONS (uri 'minutes.csv');
CREATE OR REPLACE FOREIGN STREAM high (sensor VARCHAR(8), v INTEGER, t TIMESTAMP) SERVER FILE OPTIONS (uri 'high.jsonl');
CREATE OR REPLACE PUMP per_minute AS INSERT INTO minutes
SELECT STREAM sensor, COUNT(*), SUM(v), MAX(v) FROM readings GROUP BY sensor, STEP(readings.ROWTIME BY INTERVAL '10' SECOND);
CREATE OR REPLACE PUMP high_ones AS INSERT INTO high
SELECT STREAM sensor, MAX(v) OVER (PARTITION BY sensor ROWS 3 PRECEDING), t FROM readings WHERE v > 15;
"""


def outputs(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in ("minutes.csv", "high.jsonl")}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("generated")
    (folder / "app.sql").write_text(GENERATED)
    done = streamsql("run", "app.sql", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "" and "rows in 60,000" in done.stderr
    return outputs(folder)


def test_a_file_alone_is_an_application(undisturbed: dict[str, bytes]) -> None:
    first, *rows = undisturbed["minutes.csv"].decode().splitlines()
    assert first == "SENSOR,N,TOTAL,HIGHEST"
    assert len(rows) == 3 * 120
    assert sum(int(row.split(",")[1]) for row in rows) == 60_000


def test_killed_at_random_moments(undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "app.sql").write_text(GENERATED)
    run = [*COMMAND, "run", "app.sql", "--checkpoint", "state", "--checkpoint-interval", "5ms"]
    draw, kills = random.Random(3), 0
    while True:
        process = subprocess.Popen(run, cwd=tmp_path, stderr=subprocess.PIPE)
        before = {entry.name for entry in (tmp_path / "state").glob("*")}
        while process.poll() is None and {entry.name for entry in (tmp_path / "state").glob("*")} <= before:
            time.sleep(0.002)
        time.sleep(draw.random() * 0.1)
        if process.poll() is not None:
            assert process.returncode == 0, process.communicate()[1]
            break
        process.kill()
        process.communicate()
        kills += 1
    assert kills >= 1
    assert outputs(tmp_path) == undisturbed


def test_the_manual(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "foreign-streams.md").read_text(encoding="utf-8")
    (tmp_path / "app.sql").write_text("\n".join(re.findall(r"```sql\n(.*?)```", text, re.DOTALL)))
    done = streamsql("run", "app.sql", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    first, *rows = (tmp_path / "minutes.csv").read_text().splitlines()
    assert first == "SENSOR,N,HIGHEST"
    assert len(rows) == 6 and sum(int(row.split(",")[1]) for row in rows) == 6000


def test_the_demonstration(tmp_path: Path) -> None:
    folder = Path(__file__).parents[2] / "examples" / "iot_anomaly"
    done = streamsql("run", str(folder / "anomaly.sql"), "--output", "DESTINATION_SQL_STREAM=scored.jsonl", cwd=tmp_path)
    assert done.returncode == 0 and "rows out 20,000, errors 0" in done.stderr, done.stderr
    shown = subprocess.run(
        [sys.executable, folder / "show.py", tmp_path / "scored.jsonl"], capture_output=True, text=True, check=True
    )
    readme = (folder.parents[1] / "README.md").read_text(encoding="utf-8")
    assert shown.stdout in readme


def test_the_command_line_stands_in_for_a_server(tmp_path: Path) -> None:
    (tmp_path / "app.sql").write_text(GENERATED)
    (tmp_path / "in.jsonl").write_text('{"sensor": "z", "v": 17, "t": "2026-01-01 00:00:00"}\n')
    done = streamsql("run", "app.sql", "--input", "READINGS=in.jsonl?rowtime=t", "--output", "high=-", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert lines(done.stdout) == [{"SENSOR": "z", "V": 17, "T": "2026-01-01 00:00:00.000"}]
    assert (tmp_path / "minutes.csv").read_text() == "SENSOR,N,TOTAL,HIGHEST\nz,1,17,17\n"
    assert not (tmp_path / "high.jsonl").exists()


def test_stdin_and_stdout(tmp_path: Path) -> None:
    (tmp_path / "app.sql").write_text("""
        CREATE FOREIGN STREAM i (a INTEGER, b VARCHAR(4)) SERVER STDIN OPTIONS (format 'csv', header 'false');
        CREATE FOREIGN STREAM o (b VARCHAR(4), a INTEGER) SERVER STDOUT;
        CREATE PUMP p AS INSERT INTO o SELECT STREAM b, a + 1 FROM i;
    """)
    done = streamsql("run", "app.sql", stdin="1,x\n2,y\n", cwd=tmp_path)
    assert lines(done.stdout) == [{"B": "x", "A": 2}, {"B": "y", "A": 3}]
    kept = streamsql("run", "app.sql", "--checkpoint", "state", stdin="", cwd=tmp_path)
    assert kept.returncode == 2 and "stdin, which cannot be read again" in kept.stderr


@pytest.mark.parametrize("extra", [[], ["--output", "O=out.jsonl"]])
def test_rows_of_insert_come_out(tmp_path: Path, extra: list[str]) -> None:
    (tmp_path / "app.sql").write_text("""
        CREATE STREAM s (v INTEGER);
        CREATE STREAM o (v INTEGER);
        CREATE FOREIGN STREAM f (v INTEGER) SERVER FILE OPTIONS (uri 'f.jsonl');
        CREATE PUMP p AS INSERT INTO o SELECT STREAM v + 1 FROM s;
        INSERT INTO s (ROWTIME, v) VALUES (TIMESTAMP '2026-01-01 00:00:00', 1), (TIMESTAMP '2026-01-01 00:00:01', 2);
        INSERT INTO f (ROWTIME, v) VALUES (TIMESTAMP '2026-01-01 00:00:00', 5);
    """)
    done = streamsql("run", "app.sql", *extra, "--checkpoint", "state", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert lines((tmp_path / "f.jsonl").read_text()) == [{"V": 5}]
    if extra:
        assert lines((tmp_path / "out.jsonl").read_text()) == [{"V": 2}, {"V": 3}]
        streamsql("run", "app.sql", *extra, "--checkpoint", "state", cwd=tmp_path)
        assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("trades.jsonl", '{"ticker": "A\'B", "year": 7, "at": "2026-01-01 00:00:00"}\n'),
        ("trades.csv", "ticker,year,at\nA'B,7,2026-01-01 00:00:00\n"),
    ],
)
def test_what_discover_prints_runs(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).write_text(text)
    for address in (file, f"{file}?rowtime=at"):
        printed = streamsql("discover", address, cwd=tmp_path)
        (tmp_path / "app.sql").write_text(f"{printed.stdout}\nSELECT STREAM * FROM trades;\n")
        done = streamsql("run", "app.sql", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert [list(row.values()) for row in lines(done.stdout)] == [["A'B", 7, "2026-01-01 00:00:00.000"]]


def test_discover_of_stdin(tmp_path: Path) -> None:
    printed = streamsql("discover", "--", "-?format=csv", stdin="a,b\n1,x\n", cwd=tmp_path)
    assert "SERVER STDIN OPTIONS (format 'csv')" in printed.stdout
    (tmp_path / "app.sql").write_text(f"{printed.stdout} SELECT STREAM * FROM SOURCE_SQL_STREAM_001;")
    assert lines(streamsql("run", "app.sql", stdin="a,b\n1,x\n", cwd=tmp_path).stdout) == [{"a": 1, "b": "x"}]


def test_what_cannot_be_opened_is_known_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "app.sql").write_text("""
        CREATE FOREIGN STREAM i (a INTEGER) SERVER FILE OPTIONS (uri 'nowhere.jsonl');
        SELECT STREAM * FROM i;
    """)
    done = streamsql("run", "app.sql", cwd=tmp_path)
    assert done.returncode == 2 and "nowhere.jsonl" in done.stderr
    (tmp_path / "app.sql").write_text("CREATE FOREIGN STREAM o (a INTEGER) SERVER STDOUT; SELECT STREAM * FROM o;")
    done = streamsql("run", "app.sql", cwd=tmp_path)
    assert done.returncode == 2 and "O cannot be read: SERVER STDOUT takes rows and gives none" in done.stderr


def test_statements_from_stdin_and_c(tmp_path: Path) -> None:
    write_readings(tmp_path / "in.jsonl", 3)
    script = """CREATE FOREIGN STREAM i ("name" VARCHAR(8), "amount" INTEGER)
        SERVER FILE OPTIONS (uri 'in.jsonl', rowtime 'time'); SELECT STREAM "amount" FROM i;"""
    given = streamsql("--format", "json", "-c", script, cwd=tmp_path)
    for done in (given, streamsql("--format", "json", stdin=script, cwd=tmp_path)):
        assert [json.loads(line)["amount"] for line in done.stdout.splitlines() if line.startswith("{")] == [0, 1, 2]


ENDLESS = """
CREATE FOREIGN STREAM readings (v INTEGER) SERVER GENERATOR OPTIONS (rows_per_second 0, v 'random(1, 9)');
CREATE STREAM high (v INTEGER);
CREATE PUMP high_ones AS INSERT INTO high SELECT STREAM v FROM readings WHERE v > 5;
SELECT STREAM v FROM high LIMIT 4;
"""


def test_a_run_ends_when_its_queries_have_their_rows(tmp_path: Path) -> None:
    (tmp_path / "app.sql").write_text(ENDLESS)
    done = streamsql("run", "app.sql", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(lines(done.stdout)) == 4 and "rows out 4" in done.stderr


@pytest.mark.parametrize("other", ["SELECT STREAM v FROM readings", "an output"])
def test_a_run_goes_on_while_something_else_is_written(tmp_path: Path, other: str) -> None:
    text = ENDLESS.replace("rows_per_second 0", "rows_per_second 0, rows 100000")
    arguments = ["--output", "HIGH=high.jsonl"] if other == "an output" else []
    (tmp_path / "app.sql").write_text(text if arguments else f"{text}{other};")
    done = streamsql("run", "app.sql", *arguments, cwd=tmp_path)
    assert done.returncode == 0 and "rows in 100,000" in done.stderr
