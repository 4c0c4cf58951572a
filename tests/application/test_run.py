"""`streamsql run` as a user meets it: streams of rows, exit statuses, messages."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.application.command import COMMAND, TUMBLING, arguments, lines, streamsql, write_application


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_application(tmp_path)
    return tmp_path


def expected_counts(count: int = 1000) -> list[tuple[str, int, int]]:
    """The tumbling application's result, the obvious way: per second of 7 ms steps, names in the order of appearance."""
    seconds: dict[int, dict[str, list[int]]] = {}
    for i in range(count):
        seconds.setdefault(i * 7 // 1000, {}).setdefault(f"n{i * i % 5}", []).append(i % 13)
    return [(name, len(v), sum(v)) for second in seconds.values() for name, v in second.items()]


CLOSED = len(expected_counts(1000)) - 3
"""Rows that come out while the last window, with its three names, is still open."""


def test_rows_go_to_stdout_and_the_summary_to_stderr(folder: Path) -> None:
    done = streamsql(*arguments(folder))
    assert done.returncode == 0
    assert [(r["name"], r["n"], r["total"]) for r in lines(done.stdout)] == expected_counts()
    assert lines(done.stdout)[0]["window_end"] == "2026-01-01 00:00:01.000"
    assert done.stderr.startswith("streamsql: rows in 1,000, rows out ")


def test_a_named_output_is_a_file_and_stdout_stays_empty(folder: Path) -> None:
    done = streamsql(*arguments(folder, "--output", f"COUNTS={folder / 'out.jsonl'}"))
    assert (done.returncode, done.stdout) == (0, "")
    assert len(lines((folder / "out.jsonl").read_text())) == len(expected_counts())


def test_a_pipe_gives_what_the_file_gives(folder: Path) -> None:
    piped = ["run", str(folder / "app.sql"), "--input", "IN=-?rowtime=time", "--schema", f"IN={folder / 'schema.sql'}"]
    through_pipe = streamsql(*piped, stdin=(folder / "in.jsonl").read_text())
    assert through_pipe.stdout == streamsql(*arguments(folder)).stdout


def test_csv_on_stdout(folder: Path) -> None:
    done = streamsql(*arguments(folder, "--format", "csv"))
    name, n, total = expected_counts()[0]
    assert done.stdout.splitlines()[:2] == ["name,n,total,window_end", f"{name},{n},{total},2026-01-01 00:00:01.000"]


def test_several_final_streams_are_told_apart(folder: Path) -> None:
    second = 'CREATE STREAM b ("v" INTEGER); CREATE PUMP p AS INSERT INTO b SELECT STREAM "amount" FROM "IN" WHERE "amount" > 11;'
    (folder / "app.sql").write_text(TUMBLING + second)
    rows = lines(streamsql(*arguments(folder)).stdout)
    assert {row["stream"] for row in rows} == {"COUNTS", "B"}
    assert all(row["row"] == {"v": 12} for row in rows if row["stream"] == "B")


def test_a_query_in_the_application_goes_to_stdout(folder: Path) -> None:
    (folder / "app.sql").write_text('SELECT STREAM "amount" FROM "IN" WHERE "amount" = 12; VALUES (1);')
    rows = lines(streamsql(*arguments(folder)).stdout)
    assert rows[0] == {"EXPR$0": 1}
    assert len(rows) == 1 + sum(i % 13 == 12 for i in range(1000))


def test_lost_rows_are_shown_and_every_row_is_accounted_for(folder: Path) -> None:
    records = (folder / "in.jsonl").read_text().splitlines()
    records[10] = "not json"
    records[20] = '{"name": "a", "amount": "x", "time": "2026-01-01 00:00:00.140"}'
    records[30] = '{"name": "a", "amount": 1, "time": "2025-01-01 00:00:00"}'
    records[40] = '{"name": "a", "amount": 1}'
    (folder / "in.jsonl").write_text("\n".join(records) + "\n")
    sql = """CREATE STREAM out_s ("q" INTEGER);
    CREATE PUMP p AS INSERT INTO out_s SELECT STREAM 12 / "amount" FROM "IN" WHERE "amount" <> 5;"""
    (folder / "app.sql").write_text(sql)
    outputs = ["--output", f"OUT_S={folder / 'o.jsonl'}", "--output", f"error_stream={folder / 'e.jsonl'}"]
    done = streamsql(*arguments(folder, *outputs))
    assert done.returncode == 0
    out, errors = (lines((folder / name).read_text()) for name in ("o.jsonl", "e.jsonl"))
    kept = [i % 13 for i in range(1000) if i not in (10, 20, 30, 40)]
    assert len(out) == sum(v not in (0, 5) for v in kept)
    by_name = [row["ERROR_NAME"] for row in errors]
    assert by_name.count("Division by zero") == kept.count(0)
    assert by_name.count("Late row") == 1
    assert by_name.count("Coercion error") == 3
    filtered = kept.count(5)
    assert len(out) + filtered + len(errors) == 1000
    lost = next(row for row in errors if 'For input string: "x"' in row["MESSAGE"])
    assert bytes.fromhex(lost["DATA_ROW"]).decode() == records[20]
    assert lost["PUMP_NAME"] == "null"
    assert next(row for row in errors if row["ERROR_NAME"] == "Division by zero")["PUMP_NAME"] == "P"


def test_ten_lost_rows_are_shown_in_full_and_the_rest_counted(folder: Path) -> None:
    (folder / "app.sql").write_text(
        'CREATE STREAM o ("q" INTEGER); CREATE PUMP p AS INSERT INTO o SELECT STREAM 1 / 0 FROM "IN";'
    )
    done = streamsql(*arguments(folder))
    assert done.returncode == 0
    assert done.stderr.count("Division by zero in pump P") == 10
    assert "990 more rows in error_stream" in done.stderr


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ('SELECT STREAM nothing FROM "IN";', "app.sql:1:15: no column NOTHING in IN"),
        ('CREATE PUMP p AS INSERT INTO nowhere SELECT STREAM * FROM "IN";', "app.sql:1:30: no stream NOWHERE"),
        ("CREATE STREAM a (x INTEGER);\nCREATE STREM b (x INTEGER);", "app.sql:2:8: "),
    ],
)
def test_wrong_sql_is_status_2_with_file_line_column_and_caret(folder: Path, sql: str, message: str) -> None:
    (folder / "app.sql").write_text(sql)
    done = streamsql(*arguments(folder))
    assert done.returncode == 2
    assert done.stderr.startswith("streamsql: ") and message in done.stderr.splitlines()[0]
    assert "^" in done.stderr.splitlines()[2]
    assert "Traceback" not in done.stderr


def test_what_is_missing_at_the_start_is_status_2(folder: Path) -> None:
    for wrong in (
        ["run", str(folder / "nothing.sql")],
        ["run", str(folder / "app.sql"), "--input", f"IN={folder / 'nothing.jsonl'}", "--schema", f"IN={folder / 'schema.sql'}"],
        ["run", str(folder / "app.sql"), "--input", "IN"],
        ["run", str(folder / "app.sql"), "--no-such-option"],
        [*arguments(folder), "--output", f"NOWHERE={folder / 'o.jsonl'}"],
    ):
        done = streamsql(*wrong)
        assert done.returncode == 2, wrong
        assert "Traceback" not in done.stderr and done.stderr


def test_sigterm_commits_and_leaves_with_0(folder: Path) -> None:
    command = ["run", str(folder / "app.sql"), "--input", f"IN={folder / 'in.jsonl'}?rowtime=time&follow=true"]
    command += ["--schema", f"IN={folder / 'schema.sql'}", "--output", f"COUNTS={folder / 'out.jsonl'}"]
    process = subprocess.Popen([*COMMAND, *command], stderr=subprocess.PIPE, text=True)
    out = folder / "out.jsonl"
    _wait_until(lambda: out.exists() and out.read_text().count("\n") == CLOSED)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 0, stderr
    assert "rows in 1,000" in stderr


def test_following_a_file_sees_it_grow(folder: Path) -> None:
    source, out = folder / "in.jsonl", folder / "out.jsonl"
    records = source.read_text().splitlines(keepends=True)
    source.write_text("".join(records[:400]))
    command = ["run", str(folder / "app.sql"), "--input", f"IN={source}?rowtime=time&follow=true"]
    command += ["--schema", f"IN={folder / 'schema.sql'}", "--output", f"COUNTS={out}"]
    process = subprocess.Popen([*COMMAND, *command], stderr=subprocess.DEVNULL)
    try:
        _wait_until(lambda: out.exists() and out.read_text().count("\n") == 2 * 3)
        with source.open("a") as file:
            file.write("".join(records[400:]))
        _wait_until(lambda: out.read_text().count("\n") == CLOSED)
    finally:
        process.kill()
        process.wait()


def test_the_clock_closes_the_windows_of_a_live_pipe_that_is_silent(folder: Path) -> None:
    command = ["run", str(folder / "app.sql"), "--input", "IN=-", "--schema", f"IN={folder / 'schema.sql'}"]
    process = subprocess.Popen([*COMMAND, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.write(b'{"name": "a", "amount": 3}\n')
        process.stdin.flush()
        assert lines(process.stdout.readline().decode())[0]["total"] == 3
    finally:
        process.stdin.close()
        process.stdout.close()
        process.kill()
        process.wait()


def test_a_reader_that_goes_away_ends_the_run_quietly(folder: Path) -> None:
    write_application(folder, 'SELECT STREAM * FROM "IN";', count=50_000)
    process = subprocess.Popen([*COMMAND, *arguments(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    stderr = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(30) == 0
    assert "Traceback" not in stderr and "Exception" not in stderr


def test_ctrl_c_is_130(folder: Path) -> None:
    command = ["run", str(folder / "app.sql"), "--input", f"IN={folder / 'in.jsonl'}?rowtime=time&follow=true"]
    command += ["--schema", f"IN={folder / 'schema.sql'}", "--output", f"COUNTS={folder / 'out.jsonl'}"]
    process = subprocess.Popen([*COMMAND, *command], stderr=subprocess.PIPE, text=True)
    _wait_until(lambda: (folder / "out.jsonl").exists() and (folder / "out.jsonl").stat().st_size > 0)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in stderr


def test_explain_needs_only_the_columns(folder: Path) -> None:
    done = streamsql("explain", str(folder / "app.sql"), "--schema", f"IN={folder / 'schema.sql'}")
    assert done.returncode == 0
    assert "Aggregate by name, FLOOR(ROWTIME TO SECOND)" in done.stdout
    unknown = streamsql("explain", str(folder / "app.sql"))
    assert unknown.returncode == 2
    assert "--schema" in unknown.stderr


def test_version_and_help() -> None:
    assert streamsql("--version").stdout.startswith("streamsql ")
    assert "run" in streamsql("--help").stdout
    assert "--checkpoint" in streamsql("run", "--help").stdout


def _wait_until(condition: object, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "csv", "csv.zst", "parquet", "arrow"])
def test_an_output_of_any_format_is_an_input_again(folder: Path, ending: str) -> None:
    between, last = folder / f"between.{ending}", folder / "last.jsonl"
    assert streamsql(*arguments(folder, "--output", f"COUNTS={between}")).returncode == 0
    (folder / "second.sql").write_text("""CREATE STREAM o ("name" VARCHAR(8), "n" BIGINT, "total" BIGINT);
    CREATE PUMP p AS INSERT INTO o SELECT STREAM "name", "n", "total" FROM "BETWEEN";""")
    (folder / "between.sql").write_text('CREATE STREAM b ("name" VARCHAR(8), "n" BIGINT, "total" BIGINT);')
    second = ["run", str(folder / "second.sql"), "--input", f"BETWEEN={between}?rowtime=window_end"]
    done = streamsql(*second, "--schema", f"BETWEEN={folder / 'between.sql'}", "--output", f"O={last}")
    assert done.returncode == 0, done.stderr
    assert [(r["name"], r["n"], r["total"]) for r in lines(last.read_text())] == expected_counts()


def test_a_glob_is_one_stream_and_columns_are_discovered(folder: Path) -> None:
    records = (folder / "in.jsonl").read_text().splitlines(keepends=True)
    (folder / "part-1.jsonl").write_text("".join(records[:500]))
    (folder / "part-2.jsonl").write_text("".join(records[500:]))
    done = streamsql("run", str(folder / "app.sql"), "--input", f"IN={folder}/part-*.jsonl?rowtime=time")
    assert [(r["name"], r["n"], r["total"]) for r in lines(done.stdout)] == expected_counts()


def test_a_bucket_under_the_s3_root(folder: Path) -> None:
    bucket = folder / "root" / "bucket" / "in"
    bucket.mkdir(parents=True)
    (folder / "in.jsonl").rename(bucket / "in.jsonl")
    s3 = ["--input", "IN=s3://bucket/in/in.jsonl?rowtime=time", "--output", "COUNTS=s3://bucket/out/counts.jsonl"]
    done = streamsql("run", str(folder / "app.sql"), *s3, "--s3-root", str(folder / "root"))
    assert done.returncode == 0, done.stderr
    assert len(lines((folder / "root/bucket/out/counts.jsonl").read_text())) == len(expected_counts())


def test_disorder_within_lateness_is_sorted(folder: Path) -> None:
    records = (folder / "in.jsonl").read_text().splitlines(keepends=True)
    swapped = [record for i in range(0, 1000, 2) for record in (records[i + 1], records[i])]
    (folder / "in.jsonl").write_text("".join(swapped))
    source = f"IN={folder / 'in.jsonl'}?rowtime=time&lateness=1s"
    done = streamsql("run", str(folder / "app.sql"), "--input", source, "--schema", f"IN={folder / 'schema.sql'}")
    assert [(r["name"], r["n"], r["total"]) for r in lines(done.stdout)] == expected_counts()
    late = streamsql(*arguments(folder))
    assert "Late row" in late.stderr


@pytest.mark.parametrize("output", ["--output=GOAL=out.jsonl", "--output=GOAL=-", ""])
def test_rows_of_insert_reach_the_outputs(tmp_path: Path, output: str) -> None:
    """INSERT runs where it stands, before the outputs are open: behind the first pump, in front of the second."""
    (tmp_path / "app.sql").write_text("""
    CREATE STREAM given (a INTEGER);
    CREATE STREAM goal (a INTEGER);
    CREATE PUMP first AS INSERT INTO goal SELECT STREAM 10 / a FROM given;
    INSERT INTO given VALUES (1), (0), (2);
    CREATE PUMP second AS INSERT INTO goal SELECT STREAM -a FROM given;
    INSERT INTO given VALUES (5);
    """)
    done = streamsql("run", "app.sql", *filter(None, [output]), cwd=tmp_path)
    assert done.returncode == 0
    text = (tmp_path / "out.jsonl").read_text() if "jsonl" in output else done.stdout
    assert sorted(row["A"] for row in lines(text)) == [-5, 2, 5, 10]
    assert "Division by zero in pump FIRST" in done.stderr
    assert "rows out 4, errors 1" in done.stderr


def test_rows_of_insert_come_once_with_a_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "app.sql").write_text("""
    CREATE STREAM goal (a INTEGER);
    INSERT INTO goal VALUES (1), (2);
    """)
    command = ["run", "app.sql", "--output", "GOAL=out.jsonl", "--checkpoint", "state"]
    for _ in range(2):
        assert streamsql(*command, cwd=tmp_path).returncode == 0
        assert [row["A"] for row in lines((tmp_path / "out.jsonl").read_text())] == [1, 2]
