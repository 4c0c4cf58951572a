"""How a file is written: as Parquet, as JSON lines, or as fields with delimiters, each with its compression."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.errors import ProgrammingError, not_supported
from streamsql.external.formats import FileKind
from streamsql.external.signs import signs_of
from streamsql.external.table import ExternalTable
from streamsql.external.write.delimited import DelimitedEncoder, Style
from streamsql.io.json.lines import JsonLinesEncoder
from streamsql.io.sinks.parts import Part, TextPart
from streamsql.io.tables import ROW_GROUP
from streamsql.types import Batch, Field, Kind, Schema

CODECS: Mapping[FileKind, Mapping[str, str | None]] = {
    FileKind.PARQUET: {
        "GZIP": "gzip",
        "SNAPPY": "snappy",
        "ZSTD": "zstd",
        "LZ4": "lz4",
        "UNCOMPRESSED": "none",
        "NONE": "none",
    },
    FileKind.JSON: {"GZIP": "gzip", "ZSTD": "zstd", "BZIP2": "bz2", "UNCOMPRESSED": None, "NONE": None},
    FileKind.DELIMITED: {"GZIP": "gzip", "ZSTD": "zstd", "BZIP2": "bz2", "UNCOMPRESSED": None, "NONE": None},
}
"""The compressions of each format as properties name them, and Arrow's names of them.  Files without any say so or not."""

DEFAULT_COMPRESSION = "GZIP"
"""Athena's, for every format."""

GZIP_LEVEL = 6
"""Of Parquet files: zlib's own choice, as Hive's writers have it; Arrow's is the slowest."""

BLOOM_FILTER = {"ndv": ROW_GROUP, "fpp": 0.01}
"""What Bloom filters are made for: all values of a row group may differ, and one in a hundred that is not there may seem to be.
Arrow folds those that are larger than their values need."""

SAMPLE = 16_384
"""The first rows of a file, by which it is seen whether values come again."""

_ENDINGS = {"gzip": ".gz", "zstd": ".zst", "bz2": ".bz2", None: ""}

_PROPERTIES = ("write.compression", "compression_type")
_PARQUET = ("parquet.compression", *_PROPERTIES)
_BLOOM_FILTERS = "parquet.bloom.filter.columns"


@dataclass(frozen=True, slots=True)
class FileForm:
    """How the files of a place are written: the ending of their names, and what makes one."""

    ending: str
    new_part: Callable[[BinaryIO], Part]


class ParquetPart:
    """A Parquet file.  Its row groups do not depend on how the rows were cut into batches.

    Columns have dictionaries, but for those whose values in the first rows are mostly different: to look for equal ones costs
    more than all else then, and finds none.
    """

    def __init__(self, output: BinaryIO, schema: pa.Schema, codec: str, level: int | None, filtered: Sequence[str]) -> None:
        self._output = output
        self._schema = schema
        filters = dict.fromkeys(filtered, BLOOM_FILTER) or None
        self._settings: dict[str, Any] = {
            "compression": codec,
            "compression_level": level,
            "bloom_filter_options": filters,
            "write_page_index": True,
        }
        self._writer: Any = None
        self._waiting: list[Batch] = []
        self._rows = 0

    def write(self, batch: Batch) -> None:
        while self._rows + batch.num_rows >= ROW_GROUP:
            rest = ROW_GROUP - self._rows
            self._waiting.append(batch.slice(0, rest))
            self._flush()
            batch = batch.slice(rest)
        if batch.num_rows:
            self._waiting.append(batch)
            self._rows += batch.num_rows

    def finish(self) -> int:
        if self._waiting or self._writer is None:
            self._flush()
        self._writer.close()
        return self._output.tell()

    def _flush(self) -> None:
        rows = pa.Table.from_batches(self._waiting, self._schema).combine_chunks()
        if self._writer is None:
            from pyarrow.parquet import ParquetWriter

            self._writer = ParquetWriter(self._output, self._schema, use_dictionary=_coded(rows), **self._settings)
        if rows.num_rows:
            self._writer.write_table(rows)
        self._waiting, self._rows = [], 0


def _coded(rows: pa.Table) -> list[str] | bool:
    """The columns that have dictionaries, as far as the first rows tell; with records and lists among them all."""
    if any(pa.types.is_nested(field.type) for field in rows.schema):
        return True
    return [name for name in rows.column_names if _repeats(rows[name].slice(0, SAMPLE))] or False


def _repeats(column: pa.ChunkedArray) -> bool:
    """Whether values stand more than once, or are so few that it does not matter."""
    return len(column) < SAMPLE or 2 * pc.count_distinct(column, mode="all").as_py() < SAMPLE


def parquet_form(fields: Sequence[Field], compression: str, level: int | None = None, filtered: Sequence[str] = ()) -> FileForm:
    """Parquet files with these columns, of which those in `filtered` have Bloom filters."""
    schema, codec = Schema(tuple(fields)).arrow(), CODECS[FileKind.PARQUET][compression] or "none"
    level = GZIP_LEVEL if codec == "gzip" else level
    return FileForm(".parquet", lambda output: ParquetPart(output, schema, codec, level, filtered))


def json_form(fields: Sequence[Field], compression: str) -> FileForm:
    """Files of JSON lines whose members have the names of the fields."""
    encoder, codec = JsonLinesEncoder(Schema(tuple(fields))), CODECS[FileKind.JSON][compression]
    return FileForm(f".json{_ENDINGS[codec]}", lambda output: TextPart(output, encoder, codec, header=False))


def delimited_form(fields: Sequence[Field], style: Style, compression: str, ending: str = ".txt") -> FileForm:
    """Files of lines of fields.  Raises NotSupportedError for fields that are records, lists or maps."""
    for field in fields:
        if field.type.is_nested:
            raise not_supported(f"{field.type} in text: column {field.name}", hint="JSON and Parquet hold it")
    encoder, codec = DelimitedEncoder(fields, style), CODECS[FileKind.DELIMITED][compression]
    return FileForm(ending + _ENDINGS[codec], lambda output: TextPart(output, encoder, codec, bool(style.header)))


def form_of(table: ExternalTable) -> FileForm:
    """How new files of a table are written.

    Raises ProgrammingError for a compression that there is not, NotSupportedError for a format that can only be read.
    """
    fields = [column.field for column in table.columns]
    compression = _compression(table)
    if table.kind is FileKind.PARQUET:
        return parquet_form(fields, compression, _level(table), _filtered(table))
    if table.kind is FileKind.JSON:
        names = _lower(table.stored.serde_properties)
        members = [replace(field, name=names.get(f"mapping.{field.name.lower()}", field.name)) for field in fields]
        return json_form(members, compression)
    if table.kind is FileKind.DELIMITED:
        return delimited_form(fields, style_of(table), compression)
    if table.kind is FileKind.ORC:
        raise not_supported(f"writing ORC files, which table {table.full_name} has", hint="STORED AS PARQUET")
    raise not_supported(f"writing files of OpenCSVSerde, which table {table.full_name} has", hint="ROW FORMAT DELIMITED")


def style_of(table: ExternalTable) -> Style:
    """The style of a table's text files."""
    signs = signs_of(table)
    return Style(signs.field, signs.null, signs.escape, header=signs.header)


def _compression(table: ExternalTable) -> str:
    properties = _lower(table.properties)
    names = _PARQUET if table.kind is FileKind.PARQUET else _PROPERTIES
    name = next((name for name in names if name in properties), None)
    codecs = CODECS.get(table.kind, {})
    value = DEFAULT_COMPRESSION if name is None else properties[name].strip().upper()
    if codecs and value not in codecs:
        text = f"property {name} of table {table.full_name} is {value!r}, which is no compression of {table.kind.value}"
        raise ProgrammingError(text, hint=f"there are {', '.join(codecs)}")
    return value


def _level(table: ExternalTable) -> int | None:
    """The level that `compression_level` sets, which only Zstandard has."""
    text = _lower(table.properties).get("compression_level")
    if text is None or _compression(table) != "ZSTD":
        return None
    if not text.strip().isdigit() or not 1 <= int(text) <= 22:
        text = f"property compression_level of table {table.full_name} is {text!r}, which is not from 1 to 22"
        raise ProgrammingError(text)
    return int(text)


def _filtered(table: ExternalTable) -> list[str]:
    """The columns that are to have Bloom filters in Parquet files, by the property that Impala and Trino have for it."""
    text = _lower(table.properties).get(_BLOOM_FILTERS, "")
    fields = {column.name.lower(): column.field for column in table.columns}
    found: list[str] = []
    for name in filter(None, (each.strip().lower() for each in text.split(","))):
        field = fields.get(name)
        if field is None or field.type.is_nested or field.type.kind is Kind.BOOLEAN:
            problem = "no column of its files" if field is None else f"{field.type}, of which there are no filters"
            raise ProgrammingError(f"property {_BLOOM_FILTERS} of table {table.full_name} names {name}, which is {problem}")
        found.append(field.name)
    return found


def _lower(properties: Mapping[str, str]) -> dict[str, str]:
    return {key.lower(): value for key, value in properties.items()}
