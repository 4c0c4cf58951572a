"""What configurations say, in each of the forms that they are written in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streamsql.configuration.model import Configuration
from streamsql.configuration.read import read_configuration, read_schema
from streamsql.errors import ProgrammingError

SCHEMA: dict[str, Any] = {
    "RecordFormat": {"RecordFormatType": "JSON", "MappingParameters": {"JSONMappingParameters": {"RecordRowPath": "$"}}},
    "RecordEncoding": "UTF-8",
    "RecordColumns": [
        {"Name": "id", "SqlType": "VARCHAR(8)", "Mapping": "$.id"},
        {"Name": "amount", "SqlType": "DECIMAL(5,2)", "Mapping": "$.amount"},
    ],
}
INPUT: dict[str, Any] = {
    "NamePrefix": "SOURCE_SQL_STREAM",
    "InputParallelism": {"Count": 2},
    "InputProcessingConfiguration": {"InputLambdaProcessor": {"ResourceARN": "arn:aws:lambda:::function:clean"}},
    "KinesisStreamsInput": {"ResourceARN": "arn:aws:kinesis:::stream/in"},
    "InputSchema": SCHEMA,
}
OUTPUT: dict[str, Any] = {
    "Name": "DESTINATION_SQL_STREAM",
    "DestinationSchema": {"RecordFormatType": "CSV"},
    "LambdaOutput": {"ResourceARN": "arn:aws:lambda:::function:out"},
}
REFERENCE: dict[str, Any] = {
    "TableName": "COMPANY",
    "S3ReferenceDataSource": {"BucketARN": "arn:aws:s3:::bucket", "FileKey": "companies.csv"},
    "ReferenceSchema": {
        "RecordFormat": {
            "RecordFormatType": "CSV",
            "MappingParameters": {"CSVMappingParameters": {"RecordRowDelimiter": "\\r\\n", "RecordColumnDelimiter": "\\t"}},
        },
        "RecordColumns": [{"Name": "id", "SqlType": "VARCHAR(8)"}],
    },
}
CODE = 'CREATE OR REPLACE STREAM "DESTINATION_SQL_STREAM" (x INTEGER);'

VERSION_1: dict[str, Any] = {
    "ApplicationName": "app",
    "ApplicationCode": CODE,
    "Inputs": [INPUT],
    "Outputs": [OUTPUT],
    "ReferenceDataSources": [REFERENCE],
    "Tags": [{"Key": "a", "Value": "b"}],
}
VERSION_2: dict[str, Any] = {
    "ApplicationName": "app",
    "RuntimeEnvironment": "SQL-1_0",
    "ServiceExecutionRole": "arn:aws:iam:::role/r",
    "ApplicationConfiguration": {
        "SqlApplicationConfiguration": {"Inputs": [INPUT], "Outputs": [OUTPUT], "ReferenceDataSources": [REFERENCE]},
        "ApplicationCodeConfiguration": {"CodeContentType": "PLAINTEXT", "CodeContent": {"TextContent": CODE}},
    },
}


def template(version: str, properties: dict[str, Any]) -> dict[str, Any]:
    """A template with an application of one version and what belongs to it."""
    kind = f"AWS::KinesisAnalytics{version}::Application"
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {
            "App": {"Type": kind, "Properties": properties},
            "Out": {"Type": f"{kind}Output", "Properties": {"ApplicationName": {"Ref": "App"}, "Output": OUTPUT}},
            "Ref": {
                "Type": f"{kind}ReferenceDataSource",
                "Properties": {"ApplicationName": "app", "ReferenceDataSource": REFERENCE},
            },
            "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Name": {"Fn::GetAtt": ["Nothing", "Known"]}}},
        },
    }


SQL = {"ApplicationName": "app", "ApplicationCode": CODE, "Inputs": [INPUT]}
TEMPLATE_1 = template("", SQL)
TEMPLATE_2 = template(
    "V2",
    {
        **VERSION_2,
        "ApplicationConfiguration": {
            **VERSION_2["ApplicationConfiguration"],
            "SqlApplicationConfiguration": {"Inputs": [INPUT]},
        },
    },
)


def read(document: Any, given: dict[str, str] | None = None, wanted: str | None = None) -> Configuration:
    """The configuration of a document, as JSON with tabs, which YAML does not take."""
    return read_configuration(json.dumps(document, indent="\t"), "stack", given or {}, wanted)[0]


def from_yaml(text: str, given: dict[str, str] | None = None, wanted: str | None = None) -> Configuration:
    return read_configuration(text, "stack", given or {}, wanted)[0]


def test_all_forms_say_the_same() -> None:
    first = read(VERSION_1)
    assert (first.name, first.code.text, first.code.key) == ("app", CODE, "ApplicationCode")
    for document in (VERSION_2, TEMPLATE_1, TEMPLATE_2):
        other = read(document)
        assert (other.name, other.code.text) == (first.name, first.code.text)
        assert (other.inputs, other.outputs, other.references) == (first.inputs, first.outputs, first.references)
    assert read(VERSION_2).code.key == "TextContent"


def test_what_a_configuration_says() -> None:
    configuration = read(VERSION_1)
    (source,) = configuration.inputs
    assert source.streams == ("SOURCE_SQL_STREAM_001", "SOURCE_SQL_STREAM_002")
    assert [(f.name, str(f.type)) for f in source.schema.fields] == [("id", "VARCHAR(8)"), ("amount", "DECIMAL(5, 2)")]
    assert source.schema.layout.members == ("id", "amount")
    assert str(source.source) == "the Kinesis stream arn:aws:kinesis:::stream/in"
    assert str(source.processor) == "the Lambda function arn:aws:lambda:::function:clean"
    (output,) = configuration.outputs
    assert (output.stream, output.format) == ("DESTINATION_SQL_STREAM", "csv")
    (reference,) = configuration.references
    assert (reference.table, reference.key, reference.bucket.arn) == ("COMPANY", "companies.csv", "arn:aws:s3:::bucket")
    layout = reference.schema.layout
    assert (layout.header, layout.column_delimiter, layout.row_delimiter) == (False, "\t", "\n")


DELIMITERS = {
    "\n": "\n",
    "\\n": "\n",
    "\r\n": "\n",
    "\\r\\n": "\n",
    "\\r": "\r",
    "||": "||",
    "\\u0001": "\x01",
    "\\x1e": "\x1e",
    "\\\\n": "\\n",
}


@pytest.mark.parametrize(("written", "delimiter"), DELIMITERS.items())
def test_row_delimiters_may_be_escaped(written: str, delimiter: str) -> None:
    schema = json.loads(json.dumps(REFERENCE["ReferenceSchema"]))
    schema["RecordFormat"]["MappingParameters"]["CSVMappingParameters"]["RecordRowDelimiter"] = written
    assert read_schema(json.dumps(schema)).layout.row_delimiter == delimiter


def test_a_schema_may_be_within_the_answer_of_discovery() -> None:
    assert read_schema(json.dumps(SCHEMA)) == read_schema(json.dumps({"InputSchema": SCHEMA, "RawInputRecords": []}))
    assert read_schema(json.dumps({"ReferenceSchema": SCHEMA})).fields[0].name == "id"


TEXT = """\
Parameters:
  Stage: {Type: String, Default: dev}
  Seconds: {Type: Number, Default: 10}
  Names: {Type: CommaDelimitedList, Default: "a, b,c"}
  Zones: {Type: List<Number>, Default: "1,2"}
  Secret: {Type: "AWS::SSM::Parameter::Value<String>", Default: /key}
Mappings:
  Sizes:
    dev: {n: 3}
    prod: {n: 9}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  NotProd: !Not [!Condition IsProd]
  Both: !And [!Condition NotProd, !Equals [a, a], {Condition: NotProd}]
  Either: !Or [!Condition IsProd, !Equals [a, b]]
Resources:
  Stream: {Type: AWS::Kinesis::Stream, Properties: {Name: !Sub "${Stage}-in"}}
  Bucket: {Type: AWS::S3::Bucket}
  Topic: {Type: AWS::SNS::Topic}
  App:
    Type: AWS::KinesisAnalytics::Application
    Properties:
      ApplicationCode: |
        SELECT 1
      Inputs: []
      ApplicationName: VALUE
"""


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("!Ref Stage", "dev"),
        ("{Ref: Stage}", "dev"),
        ("!Ref Seconds", "10"),
        ("!Ref AWS::Region", "us-east-1"),
        ("!Sub '${AWS::Region}-${AWS::AccountId}-${AWS::Partition}-${AWS::StackName}'", "us-east-1-000000000000-aws-stack"),
        ("!Ref Stream", "dev-in"),
        ("!Ref Bucket", "Bucket"),
        ("!Ref Topic", "Topic"),
        ("!Sub '${Stage} ${!Stage} ${ Seconds }'", "dev ${Stage} 10"),
        ("!Sub ['${a}${Stage}', {a: !Ref Seconds}]", "10dev"),
        ("!Sub '${Stream.Arn}'", "arn:aws:kinesis:us-east-1:000000000000:stream/dev-in"),
        ("!GetAtt Stream.Arn", "arn:aws:kinesis:us-east-1:000000000000:stream/dev-in"),
        ("!GetAtt [Bucket, Arn]", "arn:aws:s3:::Bucket"),
        ("{Fn::GetAtt: [App, Arn]}", None),
        ("!Join ['-', [a, !Ref Stage, 1]]", "a-dev-1"),
        ("!Join ['', !Ref Names]", "abc"),
        ("!Join [',', [a, !If [IsProd, b, !Ref AWS::NoValue], c]]", "a,c"),
        ("!Select [1, !Ref Names]", "b"),
        ("!Select ['1', !Ref Zones]", "2"),
        ("!Select [2, !Split ['/', 'a/b/c']]", "c"),
        ("!Select [1, !Split ['-', !Ref Stream]]", "in"),
        ("!FindInMap [Sizes, !Ref Stage, n]", "3"),
        ("!If [IsProd, a, b]", "b"),
        ("!If [NotProd, a, b]", "a"),
        ("!If [Both, !Ref Stage, b]", "dev"),
        ("!If [Either, a, b]", "b"),
        ("!If [Either, a, !Ref AWS::NoValue]", "App"),
        ("!ImportValue exported", "given"),
        ("!GetAtt Nested.Outputs.Name", "nested"),
        ("!Ref Secret", "s3cret"),
        ("yes-as-text", "yes-as-text"),
    ],
)
def test_intrinsic_functions(written: str, value: str | None) -> None:
    given = {"exported": "given", "Nested.Outputs.Name": "nested", "Secret": "s3cret"}
    text = TEXT.replace("VALUE", written)
    if value is None:
        with pytest.raises(ProgrammingError, match="stands for itself"):
            from_yaml(text, given)
    else:
        assert from_yaml(text, given).name == value


def test_parameters_come_before_defaults() -> None:
    given = {"Stage": "prod", "AWS::Region": "eu-west-1", "Names": "x,y"}
    text = TEXT.replace(
        "VALUE", "!Sub ['${Stage} ${AWS::Region} ${n} ${s}', {n: !Join ['', !Ref Names], s: !FindInMap [Sizes, !Ref Stage, n]}]"
    )
    configuration, taken = read_configuration(text, "stack", given, None)
    assert configuration.name == "prod eu-west-1 xy 9"
    assert taken >= {"Stage", "Secret", "AWS::Region"}


def test_a_resource_whose_condition_fails_is_not_there() -> None:
    document = json.loads(json.dumps(TEMPLATE_1))
    document["Conditions"] = {"Never": {"Fn::Equals": ["a", "b"]}}
    document["Resources"]["Out"]["Condition"] = "Never"
    assert read(document).outputs == ()
    document["Resources"]["App"]["Condition"] = "Never"
    with pytest.raises(ProgrammingError, match="no resource is of type"):
        read(document)


def test_one_of_several_applications() -> None:
    document = json.loads(json.dumps(TEMPLATE_1))
    second = {**SQL, "ApplicationName": "second", "ApplicationCode": "SELECT 2;"}
    document["Resources"]["Other"] = {"Type": "AWS::KinesisAnalytics::Application", "Properties": second}
    with pytest.raises(ProgrammingError, match="there are 2 applications: App, Other"):
        read(document)
    assert len(read(document, wanted="App").outputs) == 1
    assert (read(document, wanted="Other").code.text, read(document, wanted="Other").outputs) == ("SELECT 2;", ())


def test_an_arn_that_nobody_can_know_is_no_hindrance() -> None:
    document = json.loads(json.dumps(TEMPLATE_1))
    document["Resources"]["Out"]["Properties"]["Output"]["LambdaOutput"]["ResourceARN"] = {"Fn::ImportValue": "out-arn"}
    assert read(document).outputs[0].destination.arn == "!ImportValue out-arn"


def test_an_anchor_may_stand_in_several_places() -> None:
    text = TEXT.replace("Default: dev", "Default: &name dev").replace("VALUE", "*name")
    assert from_yaml(text).name == "dev"
