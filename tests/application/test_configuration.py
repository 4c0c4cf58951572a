"""`streamsql run` with configurations: what stands in for the cloud, and what is said where nothing does."""

from __future__ import annotations

import io
import json
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from streamsql.application import Application, Settings
from streamsql.attach.attacher import Attachments
from streamsql.cli import cli
from streamsql.errors import OperationalError
from streamsql.monitor.log import Log
from tests.application.command import lines, streamsql

CODE = """\
CREATE OR REPLACE STREAM "DESTINATION_SQL_STREAM" ("ticker" VARCHAR(4), "company" VARCHAR(32), "n" BIGINT);
CREATE OR REPLACE PUMP "PUMP" AS INSERT INTO "DESTINATION_SQL_STREAM"
SELECT STREAM s."ticker", c."company", COUNT(*)
FROM "SOURCE_SQL_STREAM_001" AS s LEFT JOIN "COMPANY" AS c ON s."ticker" = c."ticker"
WHERE s."price" > ${Limit}
GROUP BY s."ticker", c."company", STEP(s.ROWTIME BY INTERVAL '10' SECOND);
"""
REQUEST: dict[str, Any] = {
    "ApplicationName": "counts",
    "RuntimeEnvironment": "SQL-1_0",
    "ApplicationConfiguration": {
        "SqlApplicationConfiguration": {
            "Inputs": [
                {
                    "NamePrefix": "SOURCE_SQL_STREAM",
                    "KinesisStreamsInput": {"ResourceARN": "arn:aws:kinesis:us-east-1:1:stream/trades"},
                    "InputSchema": {
                        "RecordFormat": {"RecordFormatType": "JSON"},
                        "RecordColumns": [
                            {"Name": "ticker", "SqlType": "VARCHAR(4)", "Mapping": "$.TICKER"},
                            {"Name": "price", "SqlType": "DOUBLE", "Mapping": "$.price"},
                        ],
                    },
                }
            ],
            "Outputs": [
                {
                    "Name": "DESTINATION_SQL_STREAM",
                    "DestinationSchema": {"RecordFormatType": "CSV"},
                    "KinesisFirehoseOutput": {"ResourceARN": "arn:aws:firehose:us-east-1:1:deliverystream/counts"},
                },
                {
                    "Name": "error_stream",
                    "DestinationSchema": {"RecordFormatType": "JSON"},
                    "LambdaOutput": {"ResourceARN": "arn:aws:lambda:us-east-1:1:function:errors"},
                },
            ],
            "ReferenceDataSources": [
                {
                    "TableName": "COMPANY",
                    "S3ReferenceDataSource": {"BucketARN": "arn:aws:s3:::tables", "FileKey": "company.txt"},
                    "ReferenceSchema": {
                        "RecordFormat": {
                            "RecordFormatType": "CSV",
                            "MappingParameters": {
                                "CSVMappingParameters": {"RecordRowDelimiter": "\n", "RecordColumnDelimiter": "|"}
                            },
                        },
                        "RecordColumns": [
                            {"Name": "ticker", "SqlType": "VARCHAR(4)"},
                            {"Name": "company", "SqlType": "VARCHAR(32)"},
                        ],
                    },
                }
            ],
        },
        "ApplicationCodeConfiguration": {"CodeContentType": "PLAINTEXT", "CodeContent": {"TextContent": CODE}},
    },
}
TRADES = """\
{"TICKER": "AMZN", "price": 10.5, "time": "2026-01-01 00:00:01"}
{"TICKER": "WXYZ", "price": 11, "time": "2026-01-01 00:00:02"}
{"ticker": "AMZN", "price": 99, "time": "2026-01-01 00:00:03"}
{"TICKER": "AMZN", "price": 0.5, "time": "2026-01-01 00:00:04"}
{"TICKER": "AMZN", "price": "x", "time": "2026-01-01 00:00:05"}
{"TICKER": "AMZN", "price": "12", "time": "2026-01-01 00:00:06"}
"""
INPUT = ("--input", "SOURCE_SQL_STREAM=trades.jsonl?rowtime=time")
TABLE = ("--reference", "COMPANY=tables/company.txt")
LIMIT = ("--parameter", "Limit=1")


@dataclass(frozen=True)
class Done:
    """What a command gave."""

    returncode: int
    stdout: str
    stderr: str


def run(*arguments: str) -> Done:
    """The command within this process, which takes a tenth of the time."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        result = CliRunner().invoke(cli, arguments)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Done(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.json").write_text(json.dumps(REQUEST, indent="\t"))
    (tmp_path / "trades.jsonl").write_text(TRADES)
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "company.txt").write_text("AMZN|Amazon\nMSFT|Microsoft\n")
    return tmp_path


def test_a_request_runs(folder: Path) -> None:
    outputs = ("--output", "DESTINATION_SQL_STREAM=out.txt", "--output", "error_stream=errors.jsonl")
    done = streamsql("run", "app.json", *INPUT, *TABLE, *LIMIT, *outputs, cwd=folder)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert (folder / "out.txt").read_text() == "ticker,company,n\nAMZN,Amazon,2\nWXYZ,,1\n,,1\n"
    (lost,) = lines((folder / "errors.jsonl").read_text())
    assert (lost["MESSAGE"], lost["PUMP_NAME"]) == ('For input string: "x"', "null")


def test_without_outputs_rows_go_to_stdout(folder: Path) -> None:
    done = run("run", "app.json", "--input", "source_sql_stream_001=trades.jsonl?rowtime=time", *TABLE, *LIMIT)
    assert [row["n"] for row in lines(done.stdout)] == [2, 1, 1], done.stderr
    csv = run("run", "app.json", *INPUT, *TABLE, *LIMIT, "--output", "DESTINATION_SQL_STREAM=-", "--output",
                    "error_stream=e.jsonl")  # fmt: skip
    assert csv.stdout.splitlines()[:2] == ["ticker,company,n", "AMZN,Amazon,2"], csv.stderr


def test_a_bucket_under_the_s3_root_is_the_object_itself(folder: Path) -> None:
    done = run("run", "app.json", *INPUT, *LIMIT, "--s3-root", ".")
    assert [row["company"] for row in lines(done.stdout)] == ["Amazon", None, None], done.stderr


def test_explain_needs_no_stand_ins(folder: Path) -> None:
    done = run("explain", "app.json", *LIMIT)
    assert done.returncode == 0, done.stderr
    assert 'pump "PUMP"' in done.stdout and "COMPANY" in done.stdout


def test_what_has_no_stand_in_names_its_option(folder: Path) -> None:
    done = run("run", "app.json", *LIMIT, "--output", "DESTINATION_SQL_STREAM=out.csv")
    assert done.returncode == 2
    message, hint = done.stderr.splitlines()
    assert "the Kinesis stream arn:aws:kinesis:us-east-1:1:stream/trades of input SOURCE_SQL_STREAM" in message
    assert "company.txt in the S3 bucket arn:aws:s3:::tables of table COMPANY" in message
    assert "the Lambda function arn:aws:lambda:us-east-1:1:function:errors of output error_stream" in message
    assert hint == "  hint: --input SOURCE_SQL_STREAM=URI --reference COMPANY=URI --output error_stream=URI"


def test_an_error_in_the_sql_points_into_the_sql(folder: Path) -> None:
    (folder / "app.json").write_text(json.dumps(REQUEST).replace("COUNT(*)", "COUNT(*) +"))
    done = run("run", "app.json", *LIMIT)
    assert done.returncode == 2
    assert done.stderr.startswith("streamsql: app.json#TextContent:4:1: unexpected FROM")
    assert "  4 | FROM" in done.stderr


def test_an_error_in_the_configuration_points_into_it(folder: Path) -> None:
    (folder / "app.json").write_text(json.dumps(REQUEST, indent=2).replace("DOUBLE", "DOUBEL"))
    done = run("run", "app.json", *LIMIT)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == "streamsql: app.json:24:28: SqlType DOUBEL: unexpected DOUBEL, expected a type"


def test_a_placeholder_that_is_not_filled_in_names_the_option(folder: Path) -> None:
    done = run("run", "app.json")
    assert done.returncode == 2
    assert "${Limit} is a template's placeholder" in done.stderr and "--parameter" in done.stderr


def test_placeholders_of_a_script(folder: Path) -> None:
    (folder / "app.sql").write_text("VALUES (${one}, %%TWO%%, '${three}');")
    done = run("run", "app.sql", "--parameter", "one=1", "--parameter", "TWO=2")
    assert lines(done.stdout) == [{"EXPR$0": 1, "EXPR$1": 2, "EXPR$2": "${three}"}], done.stderr
    wrong = run("run", "app.sql", "--parameter", "on=1")
    assert wrong.returncode == 2
    assert wrong.stderr == "streamsql: --parameter on: app.sql has no such parameter\n  hint: did you mean one?\n"
    assert run("run", "app.sql", "--parameter", "one").returncode == 2


TEMPLATE = """\
Parameters:
  Limit: {Type: Number, Default: 1}
Resources:
  Trades: {Type: AWS::Kinesis::Stream}
  App:
    Type: AWS::KinesisAnalytics::Application
    Properties:
      ApplicationCode: !Sub |
        CREATE OR REPLACE STREAM "OUT" ("ticker" VARCHAR(4));
        CREATE OR REPLACE PUMP "PUMP" AS INSERT INTO "OUT"
        SELECT STREAM "ticker" FROM "IN_001" WHERE "price" > ${Limit};
      Inputs:
        - NamePrefix: IN
          KinesisStreamsInput: {ResourceARN: !GetAtt Trades.Arn, RoleARN: !GetAtt Role.Arn}
          InputSchema:
            RecordFormat: {RecordFormatType: JSON}
            RecordColumns:
              - {Name: ticker, SqlType: VARCHAR(4), Mapping: $.TICKER}
              - {Name: price, SqlType: DOUBLE, Mapping: $.price}
  Out:
    Type: AWS::KinesisAnalytics::ApplicationOutput
    Properties:
      ApplicationName: !Ref App
      Output:
        Name: OUT
        DestinationSchema: {RecordFormatType: JSON}
        KinesisStreamsOutput: {ResourceARN: !GetAtt Trades.Arn}
"""


@pytest.mark.parametrize(("parameter", "count"), [((), 4), (("--parameter", "Limit=11"), 2)])
def test_a_template_runs(folder: Path, parameter: tuple[str, ...], count: int) -> None:
    (folder / "stack.yaml").write_text(TEMPLATE)
    command = ("run", "stack.yaml#App", "--input", "IN=trades.jsonl?rowtime=time", *parameter, "--output", "OUT=o.jsonl")
    done = run(*command)
    assert done.returncode == 0, done.stderr
    assert len(lines((folder / "o.jsonl").read_text())) == count


def test_a_template_that_is_wrong(folder: Path) -> None:
    (folder / "stack.yaml").write_text(TEMPLATE.replace("${Limit}", "${Limt}"))
    done = run("run", "stack.yaml")
    assert done.returncode == 2
    assert done.stderr.startswith("streamsql: stack.yaml:8:24: there is no parameter or resource Limt\n")
    assert "did you mean Limit?" in done.stderr
    (folder / "stack.yaml").write_text(TEMPLATE)
    unknown = run("run", "stack.yaml", "--parameter", "Limits=2")
    assert unknown.stderr == "streamsql: --parameter Limits: stack.yaml has no such parameter\n  hint: did you mean Limit?\n"
    other = run("run", "stack.yaml#Ap", "--parameter", "Limit=2")
    assert "there is no application Ap" in other.stderr and "did you mean App?" in other.stderr


def test_inputs_that_contradict_each_other(folder: Path) -> None:
    done = run("run", "app.json", *INPUT, "--input", "SOURCE_SQL_STREAM_001=trades.jsonl", *TABLE, *LIMIT)
    assert done.returncode == 2
    assert "come from --input SOURCE_SQL_STREAM already" in done.stderr


def test_a_file_of_another_format_than_declared(folder: Path) -> None:
    (folder / "trades.csv").write_text("a,1\n")
    done = run("run", "app.json", "--input", "SOURCE_SQL_STREAM=trades.csv", *TABLE, *LIMIT)
    assert done.returncode == 2
    assert "'trades.csv' is CSV by its name, and its schema declares JSON records" in done.stderr
    assert "?format=json" in done.stderr


def test_a_schema_file_comes_before_the_configuration(folder: Path) -> None:
    (folder / "local.sql").write_text('CREATE STREAM s ("ticker" VARCHAR(4), "price" DOUBLE);')
    (folder / "trades.csv").write_text("ticker,price,time\nAMZN,2,2026-01-01 00:00:00\n")
    source = ("--input", "SOURCE_SQL_STREAM=trades.csv?rowtime=time", "--schema", "SOURCE_SQL_STREAM=local.sql")
    done = run("run", "app.json", *source, *TABLE, *LIMIT)
    assert lines(done.stdout) == [{"ticker": "AMZN", "company": "Amazon", "n": 1}], done.stderr


def test_a_schema_file_may_be_an_input_schema(folder: Path) -> None:
    source = REQUEST["ApplicationConfiguration"]["SqlApplicationConfiguration"]["Inputs"][0]
    (folder / "schema.json").write_text(json.dumps({"InputSchema": source["InputSchema"]}))
    (folder / "app.sql").write_text('SELECT STREAM "ticker" FROM S WHERE "price" > 10;')
    done = run("run", "app.sql", "--input", "S=trades.jsonl", "--schema", "S=schema.json")
    assert [row["ticker"] for row in lines(done.stdout)] == ["AMZN", "WXYZ", None, "AMZN"], done.stderr
    (folder / "schema.json").write_text('{"RecordColumns": []}')
    wrong = run("run", "app.sql", "--input", "S=trades.jsonl", "--schema", "S=schema.json")
    assert wrong.stderr.startswith("streamsql: schema.json:1:1: the schema has no RecordFormat\n")


def test_a_dry_run_looks_for_stand_ins(folder: Path) -> None:
    assert run("run", "app.json", "--dry-run", *INPUT, *TABLE, *LIMIT).stderr == "streamsql: app.json can run\n"
    done = run("run", "app.json", "--dry-run", *TABLE, *LIMIT)
    assert (done.returncode, "--input SOURCE_SQL_STREAM=URI" in done.stderr) == (2, True)


def test_a_reload_takes_new_sql_and_nothing_else(folder: Path) -> None:
    inputs, tables = {"SOURCE_SQL_STREAM": "trades.jsonl?rowtime=time"}, {"COMPANY": "tables/company.txt"}
    settings = Settings(Attachments(inputs, references=tables), parameters={"Limit": "1"})
    application = Application(folder / "app.json", settings, Log(io.StringIO()))
    application.prepare()
    (folder / "app.json").write_text(json.dumps(REQUEST).replace("10", "20"))
    application.reload()
    assert application.run().rows_out == 3
    (folder / "app.json").write_text(json.dumps(REQUEST).replace("$.price", "$.cost"))
    with pytest.raises(OperationalError, match="cannot change while it runs"):
        application.reload()


SHARDED = """\
ApplicationName: sharded
ApplicationCode: |
  CREATE STREAM "OUT" (id INTEGER, x INTEGER, shard VARCHAR(64));
  CREATE PUMP p1 AS INSERT INTO "OUT" SELECT STREAM "id", "x", SHARD_ID FROM IN_001;
  CREATE PUMP p2 AS INSERT INTO "OUT" SELECT STREAM "id", "x", 'second' FROM IN_002;
Inputs:
  - NamePrefix: IN
    InputParallelism: {Count: 2}
    KinesisFirehoseInput: {ResourceARN: "arn:f"}
    InputSchema:
      RecordFormat: {RecordFormatType: JSON}
      RecordColumns:
        - {Name: id, SqlType: INTEGER, Mapping: $.id}
        - {Name: x, SqlType: INTEGER, Mapping: "$.at.x"}
"""


@pytest.fixture
def sharded(folder: Path) -> Path:
    (folder / "app.yaml").write_text(SHARDED)
    records = ({"id": i, "at": {"x": 10 * i}, "time": 1000 * i} for i in range(5))
    (folder / "in.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return folder


@pytest.mark.parametrize("options", ["", "?rowtime=time", "?rowtime=time&lateness=2s"])
def test_the_rows_of_an_input_are_spread_over_its_streams(sharded: Path, options: str) -> None:
    done = run("run", "app.yaml", "--input", f"IN=in.jsonl{options}", "--output", "OUT=-")
    rows = sorted((row["ID"], row["X"], row["SHARD"]) for row in lines(done.stdout))
    assert rows == [(i, 10 * i, "second" if i % 2 else "shardId-000000000000") for i in range(5)], done.stderr


def test_streams_of_an_input_may_have_files_of_their_own(sharded: Path) -> None:
    (sharded / "second.jsonl").write_text('{"id": 7}\n')
    done = run("run", "app.yaml", "--input", "IN_001=in.jsonl", "--input", "IN_002=second.jsonl", "--output", "OUT=-")
    assert [row["SHARD"] for row in lines(done.stdout)].count("second") == 1, done.stderr
    missing = run("run", "app.yaml", "--input", "IN_001=in.jsonl", "--output", "OUT=-")
    assert (missing.returncode, "--input IN_002=URI" in missing.stderr) == (2, True)


def test_a_spread_input_goes_on_from_a_checkpoint(sharded: Path) -> None:
    settings = Settings(Attachments({"IN": "in.jsonl?rowtime=time&follow=true"}, {"OUT": "out.jsonl"}), checkpoint=Path("state"))
    for more in (None, '{"id": 5, "time": 9000}\n{"id": 6, "time": 9500}\n'):
        if more is not None:
            with (sharded / "in.jsonl").open("a") as file:
                file.write(more)
        application = Application(Path("app.yaml"), settings, Log(io.StringIO()))
        application.prepare()
        application.run(lambda application=application: application.stop() if application.rows_in in (2, 5) else None)
    found = {row["ID"]: row["SHARD"] for row in lines((sharded / "out.jsonl").read_text())}
    assert found == {i: "second" if i % 2 else "shardId-000000000000" for i in range(7)}
