"""What stands around a run: dry runs, plans, logs, metrics, the live table; the real command in real processes."""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest

from tests.application.command import COMMAND, arguments, lines, streamsql, write_application

PATIENCE = 60.0

FAILING = """
CREATE OR REPLACE STREAM "RATIOS" ("name" VARCHAR(8), "ratio" INTEGER);
CREATE OR REPLACE PUMP "RATIO_PUMP" AS INSERT INTO "RATIOS" SELECT STREAM "name", 100 / "amount" FROM "IN";
"""


def test_a_dry_run_looks_at_everything_and_changes_nothing(tmp_path: Path) -> None:
    write_application(tmp_path, count=10)
    output = tmp_path / "out.jsonl"
    done = streamsql(*arguments(tmp_path, "--output", f"COUNTS={output}", "--dry-run"))
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"streamsql: {tmp_path / 'app.sql'} can run\n"
    assert not output.exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda folder: (folder / "app.sql").write_text("SELECT STREAM nonsense FROM t"), "no stream T"),
        (lambda folder: (folder / "in.jsonl").unlink(), "no such file"),
        (lambda folder: (folder / "schema.sql").write_text("nonsense"), "nonsense"),
        (lambda folder: (folder / "out.jsonl").mkdir(), "is a directory"),
    ],
)
def test_a_dry_run_says_what_is_wrong(change: object, told: str, tmp_path: Path) -> None:
    write_application(tmp_path, count=10)
    change(tmp_path)  # type: ignore[operator]
    done = streamsql(*arguments(tmp_path, "--output", f"COUNTS={tmp_path / 'out.jsonl'}", "--dry-run"))
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_an_output_that_cannot_be_is_found_by_a_dry_run(tmp_path: Path) -> None:
    write_application(tmp_path, count=10)
    for output, told in {
        "COUNTS=nowhere/out.jsonl": "there is no folder 'nowhere'",
        "COUNTS=out.xml": "unknown format 'xml'",
        "OTHER=out.jsonl": "no stream of this name",
    }.items():
        done = streamsql(*arguments(tmp_path, "--output", output, "--dry-run"), cwd=tmp_path)
        assert done.returncode == 2
        assert told in done.stderr


def test_plans_before_the_run(tmp_path: Path) -> None:
    write_application(tmp_path, count=10)
    done = streamsql(*arguments(tmp_path, "--explain"))
    assert done.returncode == 0
    assert done.stderr.startswith('pump "COUNT_PUMP"\n')
    assert len(lines(done.stdout)) == 3


def test_a_log_for_programs(tmp_path: Path) -> None:
    write_application(tmp_path, FAILING, count=26)
    done = streamsql(*arguments(tmp_path, "--log-format", "json"))
    records = lines(done.stderr)
    lost = [record for record in records if record["level"] == "error"]
    assert [(record["error"], record["pump"]) for record in lost] == [("Division by zero", "RATIO_PUMP")] * 2
    assert json.loads(lost[0]["row"]) == {"name": "n0", "amount": 0}
    assert {key: records[-1][key] for key in ("level", "rows_in", "rows_out", "errors")} == {
        "level": "info",
        "rows_in": 26,
        "rows_out": 24,
        "errors": 2,
    }
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", record["time"]) for record in records)


def test_a_wrong_statement_in_a_log_for_programs(tmp_path: Path) -> None:
    write_application(tmp_path, 'SELECT STREAM\n  nonsense FROM "IN";', count=1)
    done = streamsql(*arguments(tmp_path, "--log-format", "json"))
    assert done.returncode == 2
    (record,) = lines(done.stderr)
    assert (record["level"], record["line"], record["column"]) == ("error", 2, 3)
    assert record["file"].endswith("app.sql")


# -- metrics -------------------------------------------------------------------------------------------------------------


@contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A run on an input that is followed, and the address of its metrics."""
    command = [*COMMAND, *arguments(folder, "--output", f"COUNTS={folder / 'out.jsonl'}", "--metrics", "0")]
    command = [word.replace("?rowtime=time", "?rowtime=time&follow=true") for word in command]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        address = process.stderr.readline().split()[-1]
        yield process, address
    finally:
        process.terminate()
        process.wait(PATIENCE)


def scrape(address: str) -> dict[str, float]:
    with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        text = answer.read().decode()
    samples = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in samples}


def test_metrics(tmp_path: Path) -> None:
    write_application(tmp_path, count=1000)
    late = {"name": "n1", "amount": 1, "time": "2020-01-01 00:00:00.000"}
    with (tmp_path / "in.jsonl").open("a") as file:
        file.write(json.dumps(late) + "\n")
    with serving(tmp_path) as (process, address):
        assert address.startswith("http://127.0.0.1:")
        deadline = time.monotonic() + PATIENCE
        while (found := scrape(address))['streamsql_rows_in_total{stream="IN"}'] < 1001:
            assert time.monotonic() < deadline
        assert found['streamsql_rows_out_total{stream="COUNTS"}'] == found['streamsql_pump_rows_total{pump="COUNT_PUMP"}'] == 18
        assert found['streamsql_open_groups{pump="COUNT_PUMP"}'] == 3
        assert found['streamsql_state_bytes{pump="COUNT_PUMP"}'] > 0
        assert found['streamsql_errors_total{pump="null",name="Late row"}'] == found["streamsql_late_rows_total"] == 1
        assert found['streamsql_lag_seconds{stream="IN"}'] > 0
        assert found["streamsql_step_seconds_count"] > 0
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(address.replace("metrics", "other"), timeout=PATIENCE)
        process.terminate()
        assert process.wait(PATIENCE) == 0


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    write_application(tmp_path, count=10)
    with serving(tmp_path) as (_, address):
        port = address.rpartition(":")[2].partition("/")[0]
        done = streamsql(*arguments(tmp_path, "--metrics", port))
        assert done.returncode == 2
        assert f"cannot listen on 127.0.0.1:{port}" in done.stderr


# -- the live table ------------------------------------------------------------------------------------------------------


def test_the_live_table_on_a_terminal(tmp_path: Path) -> None:
    write_application(tmp_path, count=1000)
    words = arguments(tmp_path, "--output", f"COUNTS={tmp_path / 'out.jsonl'}")
    words = [word.replace("?rowtime=time", "?rowtime=time&follow=true") for word in words]
    process = pexpect.spawn(COMMAND[0], [*COMMAND[1:], *words], dimensions=(24, 100), timeout=PATIENCE, encoding="utf-8")
    process.expect(r"COUNT_PUMP +18 +3")
    process.sendintr()
    process.expect(pexpect.EOF)
    process.close()
    assert process.exitstatus == 130


@pytest.mark.parametrize("option", ["--explain", "--dry-run"])
def test_an_explained_run_reads_its_pipe_once(tmp_path: Path, option: str) -> None:
    """The columns are discovered from the first records, which belong to the run."""
    (tmp_path / "app.sql").write_text('CREATE STREAM o ("v" INTEGER); CREATE PUMP p AS INSERT INTO o SELECT STREAM "v" FROM s;')
    command = [*COMMAND, "run", "app.sql", "--input", "S=-", option]
    done = subprocess.run(command, input='{"v": 1}\n{"v": 2}\n', capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == (['{"v": 1}', '{"v": 2}'] if option == "--explain" else [])
    assert ("pump p" in done.stderr) == (option == "--explain")
