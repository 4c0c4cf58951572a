"""Requests of the service's API: what CreateApplication was called with, in version 1 and version 2."""

from __future__ import annotations

from collections.abc import Iterable

from streamsql.configuration.model import Code, Configuration, Input, Output, Reference, Resource
from streamsql.configuration.part import Part
from streamsql.configuration.schema import record_schema
from streamsql.errors import not_supported

MOST_STREAMS = 64
"""In-application streams that one input may have."""

INPUT_KINDS = {"KinesisStreamsInput": "Kinesis stream", "KinesisFirehoseInput": "Firehose delivery stream"}
OUTPUT_KINDS = {
    "KinesisStreamsOutput": "Kinesis stream",
    "KinesisFirehoseOutput": "Firehose delivery stream",
    "LambdaOutput": "Lambda function",
}
FORMATS = ("JSON", "CSV")


def configuration_of(
    request: Part, outputs: Iterable[Part] = (), references: Iterable[Part] = (), name: str | None = None
) -> Configuration:
    """The application of a CreateApplication request, of either version.

    A template has `outputs` and `references` beside it and an application may have no name but its resource's.
    """
    given = request.get("ApplicationName")
    name = given.text() if given is not None else name
    if name is None:
        raise request.wrong(
            "this is neither a CreateApplication request nor a template: it has no ApplicationName and no Resources"
        )
    runtime = request.get("RuntimeEnvironment")
    if runtime is not None and not runtime.text().upper().startswith("SQL"):
        raise runtime.wrong(f"RuntimeEnvironment {runtime.text()} is not SQL-1_0: StreamSQL runs SQL applications")
    settings = request.get("ApplicationConfiguration")
    second = settings is not None or runtime is not None
    code = _code_of_version_2(request) if second else _code(request.need("ApplicationCode"))
    sql = settings.get("SqlApplicationConfiguration") if settings is not None else None if second else request
    return Configuration(
        name,
        code,
        tuple(map(_input, sql.list("Inputs") if sql is not None else ())),
        tuple(map(_output, [*(sql.list("Outputs") if sql is not None else ()), *outputs])),
        tuple(map(_reference, [*(sql.list("ReferenceDataSources") if sql is not None else ()), *references])),
    )


def _code(part: Part) -> Code:
    return Code(part.text(), part.name)


def _code_of_version_2(request: Part) -> Code:
    code = request.need("ApplicationConfiguration").need("ApplicationCodeConfiguration")
    content = code.need("CodeContent")
    for key in ("S3ContentLocation", "ZipFileContent", "ZipFileContentUpdate"):
        part = content.get(key)
        if part is not None:
            raise not_supported(f"code that is not in the configuration ({key})", part.node.span, "put it into TextContent")
    return _code(content.need("TextContent"))


def _input(part: Part) -> Input:
    parallelism = part.get("InputParallelism")
    count = None if parallelism is None else parallelism.get("Count")
    processing = part.get("InputProcessingConfiguration")
    processor = None if processing is None else processing.get("InputLambdaProcessor")
    return Input(
        part.need("NamePrefix").text(),
        record_schema(part.need("InputSchema")),
        1 if count is None else count.whole_number(1, MOST_STREAMS),
        _resource(part, INPUT_KINDS),
        None if processor is None else Resource("Lambda function", processor.described("ResourceARN")),
    )


def _output(part: Part) -> Output:
    format_ = part.need("DestinationSchema").need("RecordFormatType")
    if format_.text().upper() not in FORMATS:
        raise format_.wrong(f"RecordFormatType is JSON or CSV, not {format_.text()}")
    return Output(part.need("Name").text(), format_.text().lower(), _resource(part, OUTPUT_KINDS))


def _reference(part: Part) -> Reference:
    object_ = part.need("S3ReferenceDataSource")
    return Reference(
        part.need("TableName").text(),
        record_schema(part.need("ReferenceSchema")),
        Resource("S3 bucket", object_.described("BucketARN")),
        object_.described("FileKey"),
    )


def _resource(part: Part, kinds: dict[str, str]) -> Resource:
    for key, kind in kinds.items():
        resource = part.get(key)
        if resource is not None:
            return Resource(kind, resource.described("ResourceARN"))
    raise part.wrong(f"{part.name} has none of {', '.join(kinds)}")
