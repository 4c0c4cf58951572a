"""Rows from text files: JSON, CSV by OpenCSVSerde, and fields with delimiters by LazySimpleSerDe.

JSON is read as everywhere in StreamSQL; a record that is none, or does not fit, goes to `error_stream`.  Fields with
delimiters are as Hive has them: what is no value of its column is NULL, missing fields are NULL, further ones are ignored.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.errors import not_supported
from streamsql.external.formats import FileKind
from streamsql.external.scan.asked import Constants
from streamsql.external.scan.counts import Counts
from streamsql.external.scan.delimited import DelimitedDecoder, Delimiters
from streamsql.external.scan.files import CountedFile, counted
from streamsql.external.scan.json_values import parsed
from streamsql.external.scan.portions import Portion
from streamsql.external.scan.request import PartitionFile
from streamsql.external.scan.rows import Given, RowMaker
from streamsql.external.signs import header_lines, signs_of
from streamsql.external.table import Column, ExternalTable
from streamsql.io.blocks import Decoded
from streamsql.io.compression import ENDINGS
from streamsql.io.decoding import Decoder, Target
from streamsql.io.json.lines import JsonLinesDecoder
from streamsql.io.json.records import unfolded_array
from streamsql.io.text_file import TextReader
from streamsql.operator import Failed, FailedRow
from streamsql.types import Field, varchar

if TYPE_CHECKING:
    from streamsql.external.scan.line_blocks import ReadsInto
    from streamsql.external.scan.plain_text import PlainTextReader

COMPRESSIONS = {**ENDINGS, ".bz2": "bz2"}
"""The codecs that endings of text files mean."""


class TextFileReader:
    """Reads the text files of one request; for all threads."""

    def __init__(self, maker: RowMaker, counts: Counts) -> None:
        self._maker = maker
        self._request = maker.request
        self._table = maker.request.table
        self._counts = counts
        self._properties = {k.lower(): v for k, v in self._table.stored.serde_properties.items()}
        delimiters = None if self._table.kind is FileKind.JSON else self._delimiters()
        self._plain = None if delimiters is None or not delimiters.plain else self._plain_reader(delimiters)
        wanted = {self._request.columns[place].path[0] for place in self._request.stored}
        self._roots = [column for column in self._table.columns if column.name in wanted] or [_counted(self._table)]
        for root in self._roots:
            if self._table.kind is not FileKind.JSON and root.field.type.is_nested:
                raise not_supported(f"{root.field.type} in text: column {root.name} of {self._table.full_name}")

    def read(self, file: PartitionFile) -> Iterator[Given]:
        """The rows of a file."""
        constants = file.constants(self._request)
        self._counts.add_file(file.file.entry.size)
        stream = counted(file.file, self._counts)
        try:
            if self._plain is not None:
                yield from self._plain.read(self._unpacked(stream, file), constants)
                return
            text = self._text(stream, file)
            portion = self._maker.portion()
            reader = TextReader(text, self._decoder(), 0, file.file.entry.size, plain=False, growing=False)
            while (decoded := reader.read()) is not None:
                yield from self._given(decoded, constants, portion)
            yield from portion.end()
        except (OSError, EOFError, pa.ArrowInvalid) as error:
            raise file.file.failed(error) from error
        finally:
            stream.close()

    def _plain_reader(self, delimiters: Delimiters) -> PlainTextReader:
        from streamsql.external.scan.plain_text import PlainTextReader  # it needs numba, which takes long to import

        return PlainTextReader(self._maker, delimiters, self._counts)

    def _given(self, decoded: Decoded, constants: Constants, portion: Portion) -> Iterator[Given]:
        self._counts.add(rows=decoded.count)
        if decoded.failed and self._properties.get("ignore.malformed.json", "").lower() != "true":
            yield Failed(tuple(row for _, row in decoded.failed))
        roots = list(decoded.rows.columns)
        failed: dict[int, FailedRow] = {}
        for i, root in enumerate(self._roots):
            if root.field.type.is_nested:
                roots[i], misfits = parsed(roots[i], root.field)
                failed = {**misfits, **failed}
        if failed:
            yield Failed(tuple(failed[row] for row in sorted(failed)))
            good = pa.array([row not in failed for row in range(decoded.rows.num_rows)])
            roots = [column.filter(good) for column in roots]
        if len(roots[0]):
            columns = {place: self._picked(roots, place) for place in self._request.stored}
            wanted, count = self._maker.wanted(columns, constants, len(roots[0]))
            yield from portion.give(wanted, constants, count)

    def _picked(self, roots: list[pa.Array], place: int) -> pa.Array:
        """A column of the request from the columns of the table that were read."""
        path = self._request.columns[place].path
        number = next(i for i, root in enumerate(self._roots) if root.name == path[0])
        column, within = roots[number], self._roots[number].field.type
        for name in path[1:]:
            inner = [field.name for field in within.fields].index(name)
            column, within = pc.struct_field(column, [inner]), within.fields[inner].type
        return column

    def _unpacked(self, stream: CountedFile, file: PartitionFile) -> ReadsInto:
        codec = _codec(file)
        unpacked: ReadsInto = stream if codec is None else pa.CompressedInputStream(stream, codec)
        return unpacked

    def _text(self, stream: CountedFile, file: PartitionFile) -> BinaryIO:
        codec = _codec(file)
        text: BinaryIO = pa.PythonFile(stream, mode="r") if codec is None else pa.CompressedInputStream(stream, codec)
        if self._properties.get("strip.outer.array", "").lower() == "true":
            unfolded = unfolded_array(text)
            if unfolded is None:
                raise file.file.failed("it is not one array of records, as 'strip.outer.array' says")
            return unfolded
        return text

    def _decoder(self) -> Decoder:
        if self._table.kind is FileKind.JSON:
            return JsonLinesDecoder(Target(tuple(map(self._member, self._roots))), 0)
        names = [column.name for column in self._table.columns]
        return DelimitedDecoder({names.index(root.name): root.field for root in self._roots}, self._delimiters())

    def _member(self, root: Column) -> Field:
        """A column as the reader of JSON knows it: by the name of its member, which matches in any case.

        Records and lists are read as the text that they are.
        """
        name = self._properties.get(f"mapping.{root.name.lower()}", root.name)
        return Field(name.upper(), varchar() if root.field.type.is_nested else root.field.type)

    def _delimiters(self) -> Delimiters:
        if self._table.kind is FileKind.CSV:
            return Delimiters(
                field=_one(self._properties.get("separatorchar", ",")),
                quote=_one(self._properties.get("quotechar", '"')),
                escape=_one(self._properties.get("escapechar", "\\")),
                null=None,
                header=header_lines(self._table),
                strict=True,
            )
        signs = signs_of(self._table)
        return Delimiters(signs.field, None, signs.escape, signs.null, signs.header, strict=False)


def _codec(file: PartitionFile) -> str | None:
    """How a file is compressed, by its ending."""
    return COMPRESSIONS.get(PurePath(file.file.name).suffix.lower())


def _counted(table: ExternalTable) -> Column:
    """A column to read where rows are only counted, as text so that it always fits."""
    return replace(table.columns[0], field=Field(table.columns[0].name, varchar()))


def _one(text: str) -> str:
    """The character that a property gives."""
    return text[:1]
