"""`--processor`: records through a Python function, as the service passed them to Lambda."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streamsql.application import Application, Settings
from streamsql.attach.attacher import Attachments
from streamsql.errors import Error, OperationalError, ProgrammingError
from streamsql.io.processing import BATCH
from streamsql.monitor.log import Log
from tests.application.command import lines, streamsql

FUNCTION = """
import base64, json

EVENTS = []

def answer(record, result, data=b""):
    return {"recordId": record["recordId"], "result": result, "data": base64.b64encode(data).decode()}

def clean(event, context):
    EVENTS.append(event)
    records = []
    for record in event["records"]:
        text = base64.b64decode(record["data"]).decode()
        word, _, value = text.partition(" ")
        if word == "drop":
            records.append(answer(record, "Dropped"))
        elif word == "fail":
            records.append(answer(record, "ProcessingFailed"))
        else:
            pair = [json.dumps({"word": word, "value": value}, indent=1), json.dumps({"word": word + "2"})]
            records.append(answer(record, "Ok", "".join(pair).encode()))
    return {"records": records[::-1]}

def as_csv(event, context):
    assert context.get_remaining_time_in_millis() > 0 and context.function_name == "as_csv"
    return {"records": [answer(r, "Ok", base64.b64decode(r["data"]).replace(b" ", b",")) for r in event["records"]]}

def raises(event, context):
    return 1 / 0

def forgets(event, context):
    return {"records": [answer(r, "Ok") for r in event["records"][1:]]}

def twice(event, context):
    return {"records": [answer(r, "Ok") for r in event["records"] * 2]}

def no_records(event, context):
    return [1]

def other_result(event, context):
    return {"records": [answer(r, "OK") for r in event["records"]]}

def no_base64(event, context):
    return {"records": [{"recordId": r["recordId"], "result": "Ok", "data": "\\xe9"} for r in event["records"]]}

number = 1
"""
SQL = """CREATE STREAM "OUT" ("word" VARCHAR(16), "value" INTEGER);
CREATE PUMP p AS INSERT INTO "OUT" SELECT STREAM "word", "value" FROM S;"""
SCHEMA = 'CREATE STREAM s ("word" VARCHAR(16), "value" INTEGER);'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "functions_under_test.py").write_text(FUNCTION)
    (tmp_path / "broken_under_test.py").write_text("1 / 0")
    (tmp_path / "app.sql").write_text(SQL)
    (tmp_path / "schema.sql").write_text(SCHEMA)
    (tmp_path / "in.jsonl").write_text("a 1\ndrop\n\nb x\nfail 3\nc 4\n")
    yield tmp_path
    sys.modules.pop("functions_under_test", None)


def prepared(function: str = "functions_under_test:clean", source: str = "in.jsonl", **more: Any) -> Application:
    outputs = {"OUT": "out.jsonl", "error_stream": "errors.jsonl"}
    attachments = Attachments({"S": source}, outputs, schemas={"S": "schema.sql"}, processors={"S": function})
    application = Application(Path("app.sql"), Settings(attachments, **more), Log(io.StringIO()))
    application.prepare()
    return application


def test_records_pass_the_function_before_they_are_mapped(folder: Path) -> None:
    prepared().run()
    rows = [(row["word"], row["value"]) for row in lines((folder / "out.jsonl").read_text())]
    assert rows == [("a", 1), ("a2", None), ("b2", None), ("c", 4), ("c2", None)]
    errors = {row["ERROR_NAME"]: bytes.fromhex(row["DATA_ROW"]).decode() for row in lines((folder / "errors.jsonl").read_text())}
    assert errors["Processing failed"] == "fail 3"
    assert json.loads(errors["Coercion error"]) == {"word": "b", "value": "x"}


def test_the_event_is_that_of_the_service(folder: Path) -> None:
    application = prepared()
    application.run()
    (event,) = sys.modules["functions_under_test"].EVENTS
    assert set(event) == {"invocationId", "applicationArn", "streamArn", "records"}
    record = event["records"][2]
    assert set(record) == {"recordId", "data", "kinesisStreamRecordMetadata"}
    assert record["kinesisStreamRecordMetadata"] == {
        "shardId": "shardId-000000000000",
        "partitionKey": "10",
        "sequenceNumber": "00000000000000000010",
        "approximateArrivalTimestamp": (application.engine.started or 0) // 1000,
    }


def test_csv(folder: Path) -> None:
    (folder / "in.csv").write_text("".join(f"w{i} {i}\n" for i in range(BATCH + 3)))
    prepared("functions_under_test:as_csv", "in.csv?header=false").run()
    assert [row["value"] for row in lines((folder / "out.jsonl").read_text())] == list(range(BATCH + 3))


def test_columns_are_discovered_behind_the_function(folder: Path) -> None:
    command = ["run", "app.sql", "--input", "S=in.jsonl", "--processor", "S=functions_under_test:clean", "--output", "OUT=-"]
    sql = SQL.replace('"value" INTEGER', '"value" VARCHAR(4)')
    (folder / "app.sql").write_text(sql.replace('"word", "value"', '"word", "COL_value"'))
    done = streamsql(*command, cwd=folder)
    assert [row["value"] for row in lines(done.stdout)] == ["1", None, "x", None, "4", None], done.stderr
    piped = streamsql(*command[:3], "S=-", *command[4:], stdin=(folder / "in.jsonl").read_text(), cwd=folder)
    assert piped.stdout == done.stdout, piped.stderr


def test_a_run_goes_on_behind_the_last_record(folder: Path) -> None:
    for text, count in (("a 1\nb 2\n", 4), ("c 3\ndrop\nd 4\n", 4)):
        with (folder / "in.jsonl").open("w" if count == 4 and text.startswith("a") else "a") as file:
            file.write(text)
        application = prepared(source="in.jsonl?follow=true", checkpoint=folder / "state")
        application.run(lambda application=application, count=count: application.stop() if application.rows_in == count else None)
    assert [row["word"] for row in lines((folder / "out.jsonl").read_text())] == ["a", "a2", "b", "b2", "c", "c2", "d", "d2"]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("raises", "ZeroDivisionError: division by zero"),
        ("forgets", "its answer lacks 1 of 5 records, the first is 00000000000000000000"),
        ("twice", "its answer has 10 records for 5"),
        ("no_records", "its answer must be an object with a list of records"),
        ("other_result", "the result of a record is 'OK'"),
        ("no_base64", "the data of a record that is Ok must be base64 text"),
    ],
)
def test_a_function_that_fails_ends_the_run(folder: Path, function: str, message: str) -> None:
    application = prepared(f"functions_under_test:{function}")
    with pytest.raises(OperationalError) as caught:
        application.run()
    assert caught.value.message == f"the processor functions_under_test:{function} of input S failed: {message}"


def test_a_failure_while_running_is_status_1_and_shows_the_place(folder: Path) -> None:
    source = ["--input", "S=in.jsonl", "--schema", "S=schema.sql"]
    done = streamsql("run", "app.sql", *source, "--processor", "S=functions_under_test:raises", cwd=folder)
    assert done.returncode == 1
    assert "functions_under_test.py:" in done.stderr and "in raises" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("processor", "message"),
    [
        ("S=clean", "--processor S: 'clean' is not module:function"),
        ("S=nowhere_at_all:f", "--processor S: there is no module nowhere_at_all"),
        ("S=broken_under_test:f", "--processor S: importing broken_under_test failed: ZeroDivisionError: division by zero"),
        ("S=functions_under_test:number", "--processor S: module functions_under_test has no function number"),
        ("T=functions_under_test:clean", "--processor T: no input of this name"),
    ],
)
def test_what_is_wrong_with_the_option(folder: Path, processor: str, message: str) -> None:
    name, _, function = processor.partition("=")
    attachments = Attachments({"S": "in.jsonl"}, schemas={"S": "schema.sql"}, processors={name: function})
    with pytest.raises(ProgrammingError) as caught:
        Application(Path("app.sql"), Settings(attachments), Log(io.StringIO())).prepare()
    assert caught.value.message == message


CONFIGURATION = """\
ApplicationName: words
ApplicationCode: |
  CREATE STREAM "OUT" ("word" VARCHAR(16));
  CREATE PUMP p AS INSERT INTO "OUT" SELECT STREAM "word" FROM S_001;
Inputs:
  - NamePrefix: S
    KinesisFirehoseInput: {ResourceARN: "arn:aws:firehose:::deliverystream/words"}
    InputProcessingConfiguration: {InputLambdaProcessor: {ResourceARN: "arn:aws:lambda:::function:clean"}}
    InputSchema:
      RecordFormat: {RecordFormatType: JSON}
      RecordColumns: [{Name: word, SqlType: VARCHAR(16), Mapping: $.word}]
"""


def test_a_configuration_needs_its_function(folder: Path) -> None:
    (folder / "app.yaml").write_text(CONFIGURATION)
    attachments = Attachments({"S": "in.jsonl"}, {"OUT": "out.jsonl"})
    with pytest.raises(Error) as caught:
        Application(Path("app.yaml"), Settings(attachments), Log(io.StringIO())).prepare()
    assert "the Lambda function arn:aws:lambda:::function:clean of input S" in caught.value.message
    assert caught.value.hint == "--processor S=module:function"
    attachments.processors["S"] = "functions_under_test:clean"
    application = Application(Path("app.yaml"), Settings(attachments), Log(io.StringIO()))
    application.prepare()
    application.run()
    assert len(lines((folder / "out.jsonl").read_text())) == 6
    event = sys.modules["functions_under_test"].EVENTS[0]
    assert event["streamArn"] == "arn:aws:firehose:::deliverystream/words"
    assert "application/words" in event["applicationArn"]
    assert set(event["records"][0]["kinesisFirehoseRecordMetadata"]) == {"approximateArrivalTimestamp"}
