"""The formats of inputs and outputs, and which endings mean which.

A new format is one more record in `FORMATS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import BinaryIO, Protocol, TypeAlias

import pyarrow as pa

from streamsql.errors import OperationalError
from streamsql.io.arrow import arrow_batches, arrow_schema, arrow_writer
from streamsql.io.compression import ENDINGS, compression_of
from streamsql.io.conversion import Value
from streamsql.io.csv import CsvDecoder, csv_values
from streamsql.io.csv_encoder import CsvEncoder
from streamsql.io.decoding import Decoder, Target
from streamsql.io.json.lines import JsonLinesDecoder, JsonLinesEncoder
from streamsql.io.json.records import json_values, unfolded_array
from streamsql.io.layout import Layout
from streamsql.io.parquet import parquet_batches, parquet_schema, parquet_writer
from streamsql.io.tables import TableWriter
from streamsql.io.transcoding import transcoded
from streamsql.io.uri import Uri, parse_uri, with_option
from streamsql.types import Batch, Schema


class Encoder(Protocol):
    """Turns rows into the bytes of a text format."""

    @property
    def header(self) -> bytes:
        """What stands once in front of all rows."""
        ...

    def encode(self, batch: Batch) -> bytes:
        """The bytes of some rows; those of several batches can be put one behind the other."""
        ...


@dataclass(frozen=True, slots=True)
class TextFormat:
    """A format of records one after another, which can be cut, appended to and compressed."""

    endings: tuple[str, ...]
    """The first one is that of files which StreamSQL names."""
    decoder: Callable[[Target, Layout, int], Decoder]
    """From what to fill, how the text is laid out, and the bytes to decode if known."""
    records: Callable[[bytes, Layout], Iterator[Iterable[tuple[str, Value]]]]
    """The names and values of whole records, for discovery."""
    join: Callable[[bytes, Layout], bytes]
    """The data of one record so that that of others may follow; it may be several documents or rows."""
    unfold: Callable[[BinaryIO], BinaryIO | None] | None
    """The text of a file that is one document over several lines, as lines; None for all others, or for all files."""
    encoder: Callable[[Schema, bool, str | None], Encoder]
    """From the columns, whether to write a header line, and the name of the stream where each line is to say it."""


@dataclass(frozen=True, slots=True)
class TableFormat:
    """A format of whole files of typed columns."""

    endings: tuple[str, ...]
    schema: Callable[[BinaryIO], pa.Schema]
    """The columns of a file."""
    batches: Callable[[BinaryIO, Sequence[str], int], Iterator[Batch]]
    """Some columns of a file, from a row on."""
    writer: Callable[[BinaryIO, pa.Schema], TableWriter]
    """Writes a file."""


Format: TypeAlias = TextFormat | TableFormat

FORMATS: tuple[Format, ...] = (
    TextFormat(
        ("jsonl", "json", "ndjson"),
        lambda target, layout, size: transcoded(JsonLinesDecoder(target, size, layout), layout.encoding),
        lambda data, _layout: json_values(data),
        lambda data, _layout: data.replace(b"\n", b" ") + b"\n",
        unfolded_array,
        lambda schema, _header, stream: JsonLinesEncoder(schema, stream),
    ),
    TextFormat(
        ("csv",),
        lambda target, layout, _size: transcoded(
            CsvDecoder(target, layout.header, layout.column_delimiter, layout.row_delimiter), layout.encoding
        ),
        lambda data, layout: csv_values(data, layout.header, layout.column_delimiter),
        lambda data, layout: data.removesuffix(layout.row_delimiter.encode()) + layout.row_delimiter.encode(),
        None,
        lambda schema, header, _stream: CsvEncoder(schema, header),
    ),
    TableFormat(("parquet",), parquet_schema, parquet_batches, parquet_writer),
    TableFormat(("arrow",), arrow_schema, arrow_batches, arrow_writer),
)


def format_of(uri: Uri, default: str | None = None, declared: str | None = None) -> Format:
    """The format that a URI names or that its ending means.  Raises OperationalError where there is none.

    `declared` is the format that the records must have by their schema, if they are text.
    """
    known = {ending: format for format in FORMATS for ending in format.endings}
    name = uri.options.format or _ending(uri.path) or default
    if declared is not None and uri.options.format is None and (name or "").lower() not in known:
        name = declared
    if name is None or name.lower() not in known:
        problem = f"unknown format {name!r} of {uri.text!r}" if name else f"{uri.text!r} does not tell its format"
        raise OperationalError(problem, hint=f"formats are {', '.join(known)}; ?format=NAME says which it is")
    format_ = known[name.lower()]
    if isinstance(format_, TableFormat) and compression_of(uri.path):
        raise OperationalError(f"{name} is compressed within the file: {uri.text!r} must not be compressed once more")
    if declared is not None and isinstance(format_, TextFormat) and format_ is not known[declared]:
        problem = f"{uri.text!r} is {name.upper()} by its name, and its schema declares {declared.upper()} records"
        raise OperationalError(problem, hint=f"?format={declared}, where only its name is wrong")
    return format_


def text_format_of(uri: Uri, default: str | None = None, declared: str | None = None) -> TextFormat:
    """The same where only text will do: in a pipe."""
    format_ = format_of(uri, declared or default, declared)
    if not isinstance(format_, TextFormat):
        raise OperationalError(f"{uri.text!r} cannot be {format_.endings[0]}: a pipe takes text formats only")
    return format_


def with_default_format(text: str, format: str) -> str:
    """The URI of an output, in this format where it does not tell one itself.

    >>> with_default_format("-", "csv"), with_default_format("out.jsonl", "csv")
    ('-?format=csv', 'out.jsonl')
    """
    uri = parse_uri(text)
    known = {ending for format_ in FORMATS for ending in format_.endings}
    tells = uri.options.format is not None or (_ending(uri.path) or "").lower() in known
    return text if tells else with_option(text, "format", format)


def _ending(path: str) -> str | None:
    suffixes = [suffix for suffix in PurePath(path).suffixes if suffix.lower() not in ENDINGS]
    return suffixes[-1][1:] if suffixes else None
