"""`streamsql discover`: the columns of an input, as a statement or as the service's DiscoverInputSchema answered."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any

from streamsql.io.open import open_source
from streamsql.io.source import Source
from streamsql.io.uri import parse_uri
from streamsql.time import from_datetime, timestamp_text
from streamsql.types import Field

SHOWN = 10
"""Records that the DiscoverInputSchema form shows."""


def statement(uri: str, s3_root: str | None = None) -> str:
    """The input as a CREATE FOREIGN STREAM statement."""
    source = open_source(uri, s3_root=s3_root)
    source.close()
    columns = ",\n".join(f"    {_quoted(field.name)} {field.type}" for field in _declared(source))
    address = uri.replace("'", "''")
    name = _quoted(_stream_name(uri))
    return f"CREATE OR REPLACE FOREIGN STREAM {name} (\n{columns}\n)\nSERVER FILE OPTIONS (uri '{address}');"


def input_schema(uri: str, s3_root: str | None = None) -> str:
    """The input as DiscoverInputSchema described one: InputSchema and the first records, parsed."""
    source = open_source(uri, s3_root=s3_root)
    polled = source.poll(SHOWN)
    source.close()
    fields = _declared(source)
    rows = [] if polled.rows is None else polled.rows.select([field.name for field in fields]).to_pylist()
    document = {
        "InputSchema": {
            "RecordFormat": _record_format(uri),
            "RecordEncoding": "UTF-8",
            "RecordColumns": [{"Name": f.name, "Mapping": f"$.{f.name}", "SqlType": str(f.type)} for f in fields],
        },
        "ParsedInputRecords": [[_text(value) for value in row.values()] for row in rows],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _declared(source: Source) -> tuple[Field, ...]:
    return tuple(field for field in source.schema.fields if not field.hidden)


def _record_format(uri: str) -> dict[str, Any]:
    parsed = parse_uri(uri)
    if "csv" in (parsed.options.format or "") or ".csv" in parsed.path:
        mapping = {"CSVMappingParameters": {"RecordRowDelimiter": "\n", "RecordColumnDelimiter": ","}}
        return {"RecordFormatType": "CSV", "MappingParameters": mapping}
    return {"RecordFormatType": "JSON", "MappingParameters": {"JSONMappingParameters": {"RecordRowPath": "$"}}}


def _stream_name(uri: str) -> str:
    """A name for the stream: that of the file, upper case."""
    stem = PurePosixPath(parse_uri(uri).path).name.partition(".")[0].upper()
    name = "".join(c if c.isalnum() else "_" for c in stem).strip("_")
    return name if name and name[0].isalpha() else "SOURCE_SQL_STREAM_001"


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return timestamp_text(from_datetime(value)) if hasattr(value, "hour") and hasattr(value, "year") else str(value)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
