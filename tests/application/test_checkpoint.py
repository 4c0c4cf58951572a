"""Exactly once: kill -9 at any moment, the same command again, and the output is that of an undisturbed run, byte for byte."""

from __future__ import annotations

import io
import json
import random
import subprocess
from pathlib import Path

import pytest

from streamsql.application import Application, Settings
from streamsql.attach.attacher import Attachments
from streamsql.errors import OperationalError
from streamsql.monitor.log import Log
from tests.application.command import COMMAND, arguments, streamsql, write_application, write_readings
from tests.application.kills import killed

SLOW_ENOUGH = """
CREATE OR REPLACE STREAM "SCORED" ("name" VARCHAR(8), "amount" INTEGER, ANOMALY_SCORE DOUBLE);
CREATE OR REPLACE STREAM "SORTED" ("name" VARCHAR(8), "amount" INTEGER, score DOUBLE, at_time TIMESTAMP);
CREATE OR REPLACE STREAM "COUNTS" ("name" VARCHAR(8), n BIGINT, q INTEGER);
CREATE OR REPLACE PUMP score AS INSERT INTO "SCORED"
SELECT STREAM * FROM TABLE(RANDOM_CUT_FOREST(CURSOR(SELECT STREAM "name", "amount" FROM "IN"), 60, 128));
CREATE OR REPLACE PUMP sorted AS INSERT INTO "SORTED"
SELECT STREAM "name", "amount", ANOMALY_SCORE, ROWTIME FROM "SCORED"
ORDER BY FLOOR("SCORED".ROWTIME TO SECOND), ANOMALY_SCORE DESC;
CREATE OR REPLACE PUMP counts AS INSERT INTO "COUNTS"
SELECT STREAM "name", COUNT(*), SUM(60 / "amount") FROM "IN" GROUP BY "name", STEP("IN".ROWTIME BY INTERVAL '5' SECOND);
"""

RATES = """
CREATE EXTERNAL TABLE rates (name string, rate int) PARTITIONED BY (minute int) STORED AS JSON LOCATION 's3://lake/rates/';
MSCK REPAIR TABLE rates;
CREATE OR REPLACE STREAM "RATED" ("name" VARCHAR(8), rate INTEGER);
CREATE OR REPLACE PUMP rated AS INSERT INTO "RATED"
SELECT STREAM i."name", r.rate FROM "IN" AS i
LEFT JOIN rates AS r ON r.name = i."name" AND r.minute = EXTRACT(MINUTE FROM i.ROWTIME)
WHERE i."amount" = 7;
"""

OUTPUTS = {"SORTED": "sorted.jsonl", "COUNTS": "counts.csv", "RATED": "rated.csv", "error_stream": "errors.jsonl"}


def write_rates(folder: Path) -> None:
    """Partitions that are read one after the other as time goes on, each with a row that is lost, and one that is never read."""
    for minute in range(6):
        partition = folder / f"s3/lake/rates/minute={minute}"
        partition.mkdir(parents=True)
        rates = [
            {"name": "n0", "rate": minute},
            {"name": "n4", "rate": f"no number in {minute}"},
            {"name": "n1", "rate": -minute},
        ]
        (partition / "rates.json").write_text("".join(f"{json.dumps(rate)}\n" for rate in rates))
    never = folder / "s3/lake/rates/minute=59"
    never.mkdir()
    (never / "rates.json.gz").write_bytes(b"no gzip")


def command(folder: Path, into: Path, *more: str) -> list[str]:
    into.mkdir(exist_ok=True)
    outputs = [word for name, file in OUTPUTS.items() for word in ("--output", f"{name}={into / file}")]
    return [*COMMAND, *arguments(folder, "--s3-root", str(folder / "s3"), *outputs, *more)]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    folder = tmp_path_factory.mktemp("checkpoint")
    write_application(folder, SLOW_ENOUGH + RATES, count=60_000)
    write_rates(folder)
    done = subprocess.run(command(folder, folder / "plain"), capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return folder, {file: (folder / "plain" / file).read_bytes() for file in OUTPUTS.values()}


def test_partitions_are_read_as_their_keys_arrive(undisturbed: tuple[Path, dict[str, bytes]]) -> None:
    _, files = undisturbed
    rates = set(files["rated.csv"].decode().splitlines()[1:])
    assert rates == {"n4,", *(f"n{n},{sign * minute}" for n, sign in ((0, 1), (1, -1)) for minute in range(6)), "n0,", "n1,"}
    errors = files["errors.jsonl"].decode()
    assert [errors.count(f"no number in {minute}") for minute in range(6)] == [1] * 6


@pytest.mark.parametrize("seed", [1, 2])
def test_kill_at_random_moments(undisturbed: tuple[Path, dict[str, bytes]], seed: int) -> None:
    folder, expected = undisturbed
    draw = random.Random(seed)
    into = folder / f"killed-{seed}"
    kills = 0
    for _ in killed(command(folder, into), into / "state", draw, checkpoints=4, pause=0.06):
        kills += 1
        for file, whole in expected.items():
            assert whole.startswith((into / file).read_bytes()), f"{file} is no prefix of the undisturbed output"
    assert kills >= 3
    assert {file: (into / file).read_bytes() for file in OUTPUTS.values()} == expected


def test_a_run_goes_on_when_a_partition_can_be_read(tmp_path: Path) -> None:
    write_application(tmp_path, RATES)
    write_readings(tmp_path / "in.jsonl", 400, step_milliseconds=1000)
    write_rates(tmp_path)
    broken = tmp_path / "s3/lake/rates/minute=5/rates.json.gz"
    broken.write_bytes(b"no gzip")
    attachments = Attachments(
        {"IN": f"{tmp_path / 'in.jsonl'}?rowtime=time"},
        {"RATED": str(tmp_path / "rated.csv")},
        schemas={"IN": str(tmp_path / "schema.sql")},
        s3_root=str(tmp_path / "s3"),
    )

    def run() -> None:
        application = Application(tmp_path / "app.sql", Settings(attachments, tmp_path / "state"), Log(io.StringIO()))
        application.prepare()
        application.run()

    with pytest.raises(OperationalError, match=r"cannot read 's3://lake/rates/minute=5/rates\.json\.gz'"):
        run()
    broken.unlink()
    run()
    rates = (tmp_path / "rated.csv").read_text().splitlines()[1:]
    assert len(rates) == sum(1 for i in range(400) if i % 13 == 7) and {"n0,5", "n1,-5", "n4,"} <= set(rates)


def test_a_finished_run_does_nothing_and_one_whose_input_grew_says_so(tmp_path: Path) -> None:
    write_application(tmp_path, count=2000)
    run = arguments(tmp_path, "--output", f"COUNTS={tmp_path / 'out.jsonl'}", "--checkpoint", str(tmp_path / "state"))
    assert streamsql(*run).returncode == 0
    whole = (tmp_path / "out.jsonl").read_bytes()
    again = streamsql(*run)
    assert again.returncode == 0 and "rows in 0" in again.stderr
    assert (tmp_path / "out.jsonl").read_bytes() == whole
    with (tmp_path / "in.jsonl").open("a") as file:
        file.write('{"name": "new", "amount": 1, "time": "2026-02-01 00:00:00"}\n')
    grown = streamsql(*run)
    assert grown.returncode == 2
    assert "follow=true" in grown.stderr and "--fresh" in grown.stderr
    fresh = streamsql(*run, "--fresh")
    assert fresh.returncode == 0
    assert b'"new"' in (tmp_path / "out.jsonl").read_bytes()


def test_a_changed_application_is_refused_by_name(tmp_path: Path) -> None:
    write_application(tmp_path, count=500)
    run = arguments(tmp_path, "--output", f"COUNTS={tmp_path / 'out.jsonl'}", "--checkpoint", str(tmp_path / "state"))
    assert streamsql(*run).returncode == 0
    app = tmp_path / "app.sql"
    app.write_text(app.read_text().replace("TO SECOND", "TO MINUTE"))
    changed = streamsql(*run)
    assert changed.returncode == 2
    assert "pump COUNT_PUMP" in changed.stderr and "--fresh" in changed.stderr


def test_stdin_cannot_have_a_checkpoint(tmp_path: Path) -> None:
    write_application(tmp_path)
    done = streamsql(
        "run", str(tmp_path / "app.sql"), "--input", "IN=-?rowtime=time", "--schema", f"IN={tmp_path / 'schema.sql'}",
        "--checkpoint", str(tmp_path / "state"), stdin="",
    )  # fmt: skip
    assert done.returncode == 2 and "stdin" in done.stderr


@pytest.mark.parametrize("changed", ["mapping", "processor"])
def test_a_checkpoint_knows_how_records_were_read(tmp_path: Path, changed: str) -> None:
    """The columns are the same, and the values come from elsewhere in the records: nothing may go on with them."""
    (tmp_path / "app.sql").write_text("CREATE STREAM o (v INTEGER); CREATE PUMP p AS INSERT INTO o SELECT STREAM v FROM s;")
    (tmp_path / "s.jsonl").write_text('{"a": 1, "b": 2}\n')
    kept = "{'recordId': r['recordId'], 'result': 'Ok', 'data': r['data']}"
    body = f"return {{'records': [{kept} for r in event['records']]}}"
    (tmp_path / "lambdas.py").write_text(f"def one(event, context):\n    {body}\n\n\ntwo = one\n")

    def run(path: str, function: str) -> subprocess.CompletedProcess[str]:
        mapping = f'"RecordColumns": [{{"Name": "V", "SqlType": "INTEGER", "Mapping": "$.{path}"}}]'
        (tmp_path / "s.json").write_text(f'{{"RecordFormat": {{"RecordFormatType": "JSON"}}, {mapping}}}')
        options = ["--input", "S=s.jsonl", "--schema", "S=s.json", "--processor", f"S=lambdas:{function}"]
        return streamsql("run", "app.sql", *options, "--output", "O=o.jsonl", "--checkpoint", "c", cwd=tmp_path)

    assert run("a", "one").returncode == 0
    assert (tmp_path / "o.jsonl").read_text() == '{"V": 1}\n'
    assert run("a", "one").returncode == 0
    again = run("b", "one") if changed == "mapping" else run("a", "two")
    assert again.returncode == 2
    assert again.stderr.startswith(f"streamsql: the checkpoint in c is of another application: {changed} S changed\n")
