"""`streamsql discover`: the columns of an input, as a statement or as the service's DiscoverInputSchema answered."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any

from streamsql.io.discover import column_name
from streamsql.io.formats import TextFormat
from streamsql.io.json_path import JsonPath
from streamsql.io.layout import PLAIN
from streamsql.io.open import head_of, open_source
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
    name = _quoted(_stream_name(uri))
    return f"CREATE OR REPLACE FOREIGN STREAM {name} (\n{columns}\n)\nSERVER {_server(uri)};"


def _server(uri: str) -> str:
    """The server of a URI, and the options that say what the URI says."""
    parsed = parse_uri(uri)
    options: dict[str, Any] = {"uri": uri}
    if parsed.is_standard:
        options = {name: getattr(parsed.options, name) for name in ("format", "rowtime", "header")}
    shown = ", ".join(f"{name} {_literal(value)}" for name, value in options.items() if value is not None)
    return ("STDIN" if parsed.is_standard else "FILE") + (f" OPTIONS ({shown})" if shown else "")


def input_schema(uri: str, s3_root: str | None = None) -> str:
    """The input as DiscoverInputSchema described one: InputSchema and the first records, parsed."""
    source = open_source(uri, s3_root=s3_root)
    polled = source.poll(SHOWN)
    source.close()
    fields = _declared(source)
    rows = [] if polled.rows is None else polled.rows.select([field.name for field in fields]).to_pylist()
    head = head_of(uri, s3_root=s3_root)
    text = b"" if head is None else head[1]
    record_format = _record_format(uri, text)
    columns: list[dict[str, str]] = [{"Name": f.name, "SqlType": str(f.type)} for f in fields]
    if record_format["RecordFormatType"] == "JSON":
        members = {} if head is None else _members(*head)
        for column in columns:
            column["Mapping"] = str(JsonPath((members.get(column["Name"], column["Name"]),)))
    document = {
        "InputSchema": {"RecordFormat": record_format, "RecordEncoding": "UTF-8", "RecordColumns": columns},
        "ParsedInputRecords": [[_text(value) for value in row.values()] for row in rows],
        "RawInputRecords": text.decode("utf-8", "replace").splitlines()[: SHOWN + 1],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _members(format_: TextFormat, text: bytes) -> dict[str, str]:
    """For each column the name of the member that feeds it, which may be no name of SQL."""
    return {column_name(name): name for record in format_.records(text, PLAIN) for name, _ in record}


def _declared(source: Source) -> tuple[Field, ...]:
    return tuple(field for field in source.schema.fields if not field.hidden)


def _record_format(uri: str, text: bytes) -> dict[str, Any]:
    parsed = parse_uri(uri)
    if "csv" in (parsed.options.format or "") or ".csv" in parsed.path:
        rows = "\r\n" if b"\r\n" in text else "\n"
        mapping = {"CSVMappingParameters": {"RecordRowDelimiter": rows, "RecordColumnDelimiter": ","}}
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


def _literal(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return "'" + text.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
