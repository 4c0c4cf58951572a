"""Pumps that write external tables: exactly once through kill -9, the same files as an undisturbed run."""

from __future__ import annotations

import gzip
import io
import json
import random
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from streamsql.application import Application, Settings
from streamsql.attach.attacher import Attachments
from streamsql.monitor.log import Log
from tests.application.command import COMMAND, arguments, lines, streamsql, write_application
from tests.application.kills import killed
from tests.application.test_reload import INPUT, PATIENCE, Running, append, replace
from tests.application.test_reload import run as running  # noqa: F401

TABLES = """
CREATE EXTERNAL TABLE readings (amount int, half int, at_time timestamp)
PARTITIONED BY (name string, minute int)
STORED AS PARQUET LOCATION 's3://lake/readings/'
TBLPROPERTIES ('write.maxfilerows'='700', 'write.maxfiletime'='40s', 'parquet.compression'='SNAPPY');
CREATE EXTERNAL TABLE counts (name string, n bigint)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://lake/counts/'
TBLPROPERTIES ('write.maxfilerows'='40');
CREATE PUMP raw AS INSERT INTO readings
SELECT STREAM "amount", 60 / "amount", s.ROWTIME, "name", CAST(EXTRACT(MINUTE FROM s.ROWTIME) AS INTEGER) FROM "IN" s;
CREATE PUMP counted AS INSERT INTO default.counts
SELECT STREAM "name", COUNT(*) FROM "IN" GROUP BY "name", STEP("IN".ROWTIME BY INTERVAL '5' SECOND);
"""


def command(folder: Path, into: Path, *more: str) -> list[str]:
    into.mkdir(exist_ok=True)
    errors = f"error_stream={into / 'errors.jsonl'}"
    return [*COMMAND, *arguments(folder, "--s3-root", str(into / "s3"), "--output", errors, *more)]


def files_of(into: Path) -> Mapping[str, Any]:
    """The rows of each file, by its path without the part of its name that is another one in each run."""
    found: dict[str, Any] = {}
    for path in sorted((into / "s3").rglob("*")):
        if path.is_file():
            assert not path.name.startswith((".", "_"))
            name = f"{path.parent.relative_to(into)}/{path.name.rpartition('_')[2]}"
            whole = pq.read_table(path, partitioning=None).to_pylist() if path.suffix == ".parquet" else _json(path)
            assert name not in found
            found[name] = whole
    return found


def _json(path: Path) -> list[Any]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mapping[str, Any]]:
    folder = tmp_path_factory.mktemp("tables")
    write_application(folder, TABLES, count=40_000)
    done = subprocess.run(command(folder, folder / "plain"), capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return folder, files_of(folder / "plain")


def test_files_are_sized_by_rows_and_time(undisturbed: tuple[Path, Mapping[str, Any]]) -> None:
    _, files = undisturbed
    readings = {name: rows for name, rows in files.items() if "readings" in name}
    assert sum(map(len, readings.values())) == sum(1 for i in range(40_000) if i % 13)  # the others divide by zero
    assert max(map(len, readings.values())) == 700
    for name, rows in readings.items():
        times = [row["at_time"] for row in rows]
        assert (max(times) - min(times)).total_seconds() < 40
        assert {time.minute for time in times} == {int(name.split("minute=")[1].split("/")[0])}
    counts = [rows for name, rows in files.items() if "counts" in name]
    assert {len(rows) for rows in counts[:-1]} == {40}
    assert sum(row["n"] for rows in counts for row in rows) == 40_000


@pytest.mark.parametrize("seed", [1])
def test_kill_at_random_moments(undisturbed: tuple[Path, Mapping[str, Any]], seed: int) -> None:
    folder, expected = undisturbed
    draw = random.Random(seed)
    into = folder / f"killed-{seed}"
    kills = 0
    for _ in killed(command(folder, into), into / "state", draw, checkpoints=2, pause=0.02):
        kills += 1
        for name, rows in files_of(into).items():
            assert rows == expected[name], f"{name} is not whole, or another one"
    assert kills >= 2
    assert files_of(into) == expected
    assert len(lines((into / "errors.jsonl").read_text())) == 40_000 - sum(1 for i in range(40_000) if i % 13)
    assert not list((into / "state" / "staged" / "tables").rglob("*.arrow"))


def test_a_query_of_the_next_run_finds_what_was_written(undisturbed: tuple[Path, Mapping[str, Any]], tmp_path: Path) -> None:
    folder, _ = undisturbed
    sql = (
        TABLES.split("CREATE PUMP")[0] + "MSCK REPAIR TABLE readings; SELECT minute, COUNT(*) AS n FROM readings GROUP BY minute;"
    )
    (tmp_path / "look.sql").write_text(sql)
    done = streamsql("run", str(tmp_path / "look.sql"), "--s3-root", str(folder / "plain" / "s3"))
    assert done.returncode == 0, done.stderr
    assert sum(row["N"] for row in lines(done.stdout)) == sum(1 for i in range(40_000) if i % 13)


ONCE = """
CREATE DATABASE lake LOCATION 's3://lake/';
CREATE TABLE lake.one WITH (partitioned_by = ARRAY['k']) AS SELECT a, k FROM (VALUES (1, 'x'), (2, 'y')) AS t (a, k);
INSERT INTO lake.one VALUES (3, 'z');
UNLOAD (SELECT a FROM lake.one) TO 's3://lake/unloaded/' WITH (format = 'JSON');
CREATE STREAM counts (n BIGINT);
CREATE PUMP p AS INSERT INTO counts SELECT STREAM COUNT(*) FROM "IN" GROUP BY FLOOR("IN".ROWTIME TO HOUR);
SELECT COUNT(*) AS n, SUM(a) AS total FROM lake.one;
"""


def test_statements_that_write_are_carried_out_once(tmp_path: Path) -> None:
    """Also where the first run ends before its first checkpoint: what it wrote is written anew, under the same names."""
    write_application(tmp_path, ONCE.replace("SELECT COUNT(*) AS n,", "SELECT nothing,"), count=100)
    more = (
        "--s3-root",
        str(tmp_path / "s3"),
        "--checkpoint",
        str(tmp_path / "state"),
        "--output",
        f"COUNTS={tmp_path / 'out.jsonl'}",
    )
    assert streamsql(*arguments(tmp_path, *more)).returncode == 2
    (tmp_path / "app.sql").write_text(ONCE)
    for _ in range(2):
        done = streamsql(*arguments(tmp_path, *more))
        assert done.returncode == 0, done.stderr
        assert lines(done.stdout) == [{"N": 3, "TOTAL": 6}]
        assert {name: len(rows) for name, rows in files_of(tmp_path).items()} == {
            "s3/lake/one/k=x/000000000000.parquet": 1,
            "s3/lake/one/k=y/000000000001.parquet": 1,
            "s3/lake/one/k=z/000000000000.parquet": 1,
            "s3/lake/unloaded/000000000000.json.gz": 3,
        }


def test_what_is_only_looked_at_is_not_written(tmp_path: Path) -> None:
    write_application(tmp_path, ONCE.partition("CREATE STREAM")[0] + TABLES, count=100)
    done = streamsql(*arguments(tmp_path, "--s3-root", str(tmp_path / "s3"), "--explain", "--dry-run"))
    assert done.returncode == 0, done.stderr
    done = streamsql("explain", *arguments(tmp_path, "--s3-root", str(tmp_path / "s3"))[1:])
    assert done.returncode == 0, done.stderr
    assert "Insert into default.readings" in done.stdout
    assert not (tmp_path / "s3").exists()


def test_without_a_checkpoint_the_end_completes_all_files(tmp_path: Path) -> None:
    sql = TABLES.replace("'write.maxfilerows'='700', 'write.maxfiletime'='40s', ", "")
    write_application(tmp_path, sql, count=100)
    process = subprocess.Popen([*COMMAND, *arguments(tmp_path, "--s3-root", str(tmp_path / "s3")), "--log-format", "json"],
                               stderr=subprocess.PIPE, text=True)  # fmt: skip
    assert '"rows_out": ' in process.communicate(timeout=60)[1]
    assert process.returncode == 0
    found = {name: rows for name, rows in files_of(tmp_path).items() if "readings" in name}
    assert sum(map(len, found.values())) == sum(1 for i in range(100) if i % 13)


def test_a_reload_completes_the_files_of_a_pump_that_begins_anew(running: Callable[..., Running], tmp_path: Path) -> None:  # noqa: F811
    table = """
    CREATE EXTERNAL TABLE kept (v int) PARTITIONED BY (k string) STORED AS JSON LOCATION 's3://lake/kept/'
    TBLPROPERTIES ('write.maxfilerows'='2');
    CREATE PUMP p AS INSERT INTO kept SELECT STREAM "v", "k" FROM "IN";
    """
    more = ["--checkpoint", "state", "--checkpoint-interval", "20ms", "--s3-root", "s3", "--watch"]

    def kept() -> list[list[int]]:
        return sorted([row["v"] for row in _json(path)] for path in (tmp_path / "s3").rglob("*.gz"))

    append(tmp_path / "in.jsonl", ("a", 1), ("a", 2), ("a", 3))
    first = running(INPUT + table, *more, source="in.jsonl?follow=true")
    first.until(lambda: kept() == [[1, 2]])
    after = INPUT + table.replace('"v",', '"v" * 10,')
    replace(tmp_path / "app.sql", after)
    first.until(lambda: kept() == [[1, 2], [3]])
    append(tmp_path / "in.jsonl", ("a", 4), ("a", 5), ("a", 6))
    first.until(lambda: kept() == [[1, 2], [3], [40, 50]])
    first.process.kill()
    first.process.wait(PATIENCE)
    again = running(after, *more, source="in.jsonl?follow=true")
    append(tmp_path / "in.jsonl", ("a", 7))
    again.until(lambda: kept() == [[1, 2], [3], [40, 50], [60, 70]])


def test_a_reload_keeps_the_partitions_that_were_written(tmp_path: Path) -> None:
    sql = ONCE.partition("CREATE STREAM")[0]
    write_application(tmp_path, sql, count=10)
    attachments = Attachments({"IN": f"{tmp_path / 'in.jsonl'}?rowtime=time"}, s3_root=str(tmp_path / "s3"))
    application = Application(tmp_path / "app.sql", Settings(attachments), Log(io.StringIO()))
    application.prepare()
    (tmp_path / "app.sql").write_text(sql + "CREATE EXTERNAL TABLE t (a int) LOCATION 's3://lake/t/';")
    application.reload()
    table = application.engine.catalog.databases.table("one", "lake")
    assert table is not None
    assert sorted(table.partitions.names()) == ["k=x", "k=y", "k=z"]
    assert application.engine.catalog.databases.table("t") is not None


def test_a_run_without_a_checkpoint_that_is_told_to_stop_completes_its_files(
    running: Callable[..., Running],  # noqa: F811
    tmp_path: Path,
) -> None:
    table = """
    CREATE EXTERNAL TABLE kept (v int) STORED AS JSON LOCATION 's3://lake/kept/' TBLPROPERTIES ('write.maxfilerows'='2');
    CREATE PUMP p AS INSERT INTO kept SELECT STREAM "v" FROM "IN";
    """
    append(tmp_path / "in.jsonl", ("a", 1), ("a", 2), ("a", 3))
    run = running(INPUT + table, "--s3-root", "s3", source="in.jsonl?follow=true")
    run.until(lambda: len(list((tmp_path / "s3").rglob("*.gz"))) == 1)
    run.process.terminate()
    assert run.process.wait(PATIENCE) == 0
    assert sorted([row["v"] for row in _json(path)] for path in (tmp_path / "s3").rglob("*.gz")) == [[1, 2], [3]]
