"""CSV by RFC 4180, with what people write besides: blanks in front of a quoted field, lines that end in CR LF or LF.

An empty field without quotes is NULL; `""` is the empty string, or NULL in a column that is no text.  A record with fewer
fields than columns has NULL in the rest, fields beyond the columns are ignored, empty lines are skipped.  With a header
line its names decide which field feeds which column, as JSON's names do; without one the columns go by position.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.errors import OperationalError
from streamsql.io.blocks import Decoded, concatenated
from streamsql.io.columns import batch_of
from streamsql.io.conversion import NUMBER, Number, Value, convert, rowtime
from streamsql.io.decoding import BOM, Names, RowBuilder, Target, Unfit, unfit
from streamsql.time import Time
from streamsql.types import TIMESTAMP, Batch, Family, SqlType

FEW = 64
"""So many records are decoded one by one sooner than Arrow's reader is set up."""

_PIECES = 8


class CsvDecoder:
    """Decodes CSV."""

    def __init__(self, target: Target, header: bool = True, delimiter: str = ",", row_delimiter: str = "\n") -> None:
        self.target = target
        self._header = header
        self._delimiter = delimiter
        self._row_delimiter = row_delimiter
        self._field = _field_pattern(delimiter, row_delimiter)
        self._octets = (_as_octets(delimiter), _as_octets(row_delimiter))
        self._octet_field = _field_pattern(*self._octets)
        self._in_lines = row_delimiter == "\n"
        self._is_simple = self._in_lines and len(self._octets[0]) == 1
        """Whether single bytes part fields and records."""
        names = [field.name for field in target.fields]
        self._fields: list[int | None] = list(range(len(names)))
        """For each field of a record, the column that it feeds."""
        if target.rowtime is not None and target.rowtime_index is None:
            if not header:
                raise OperationalError(
                    f"rowtime={target.rowtime} names no declared column", hint="without a header line, only these can be named"
                )
            self._fields.append(None)

    def read_header(self, data: bytes, complete: bool) -> int | None:
        """Take the order of the fields from the header line, if there is one."""
        ends = self._ends(data)
        if not (ends or complete):
            return None
        start = len(BOM) if data.startswith(BOM) else 0
        if not self._header:
            return start
        end = ends[0] if ends else len(data)
        self._take_names(data[start:end].decode(errors="replace"))
        return end

    def _take_names(self, record: str) -> None:
        names = Names(self.target)
        self._fields = []
        taken: dict[int, tuple[int, bool]] = {}
        for position, name in enumerate(self._record(record)):
            match = names.column((name or "").strip(" \t"))
            self._fields.append(None)
            if match is None or (taken.get(match[0], (0, False))[1] and not match[1]):
                continue
            index, exact = match
            if index in taken:
                self._fields[taken[index][0]] = None
            taken[index] = (position, exact)
            self._fields[position] = index

    def cut(self, data: bytes, complete: bool) -> int:
        """Up to the end of the last record: a line's end that is not between quotes."""
        if complete:
            return len(data)
        if b'"' not in data:
            end = data.rfind(self._row_delimiter.encode())
            return 0 if end < 0 else end + len(self._row_delimiter.encode())
        ends = self._ends(data)
        return ends[-1] if ends else 0

    def decode(self, block: bytes) -> Decoded:
        """Decode whole records."""
        return concatenated(list(self._parts(block)), self.target.schema)

    def _parts(self, block: bytes) -> Iterator[Decoded]:
        rows = self._fast(self._as_lines(block))
        if rows is not None:
            yield Decoded(rows)
            return
        ends = self._ends(block)
        if len(ends) <= FEW or len(self._octets[0]) > 1:
            yield self._exact(block)
            return
        start = 0
        for end in [*ends[len(ends) // _PIECES :: len(ends) // _PIECES + 1], len(block)]:
            if end > start:
                yield from self._parts(block[start:end])
            start = end

    def _as_lines(self, block: bytes) -> bytes:
        """The block with line feeds behind its records, or nothing where that could change what it says."""
        if self._in_lines:
            return block
        rows = self._row_delimiter.encode()
        return b"" if b'"' in block or b"\n" in block or b"\r" in block.replace(rows, b"") else block.replace(rows, b"\n")

    def _fast(self, block: bytes) -> Batch | None:
        """The rows by Arrow's reader; None where only the exact way can tell."""
        if block.count(b"\n") <= FEW or not self._plain(block):
            return None
        columns = self._read(block if block.endswith(b"\n") else block + b"\n")  # Arrow takes an open end for an empty text
        if columns is None:
            return None
        count = len(columns[0])
        fed = {index: column for index, column in zip(self._fields, columns, strict=False) if index is not None}
        arrays = [_null_if_empty(fed.get(i), f.type, count) for i, f in enumerate(self.target.fields)]
        if self.target.rowtime is not None and self.target.rowtime_index is None:
            arrays.append(_null_if_empty(fed.get(len(arrays)), TIMESTAMP, count))
        return batch_of(arrays, self.target)

    def _read(self, block: bytes) -> list[pa.Array] | None:
        from pyarrow import csv

        first = block[: block.find(b"\n")] if b'"' not in block else block[: next(iter(self._ends(block)), len(block))]
        count = len(self._record(first.decode(errors="replace")))
        names = [str(position) for position in range(count)]
        read = csv.ReadOptions(column_names=names, use_threads=False, block_size=len(block) + 1)
        parse = csv.ParseOptions(delimiter=self._delimiter, newlines_in_values=True)
        convert = csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            include_columns=[name for name, index in zip(names, self._fields, strict=False) if index is not None] or names[:1],
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        )
        try:
            table = csv.read_csv(pa.BufferReader(block), read_options=read, parse_options=parse, convert_options=convert)
        except pa.ArrowInvalid:
            return None
        nothing = pa.nulls(table.num_rows, pa.string())
        return [table[name].combine_chunks() if name in table.column_names else nothing for name in names]

    def _plain(self, block: bytes) -> bool:
        """Whether Arrow's reader finds the same records and fields in it as this one does."""
        if len(self._octets[0]) > 1 or block.count(b"\r") != block.count(b"\r\n"):
            return False
        quotes = self._quotes(block) if b'"' in block else np.zeros(0, np.int64)
        return quotes is not None and len(quotes) % 2 == 0

    def _quotes(self, data: bytes) -> np.ndarray[tuple[int], np.dtype[np.int64]] | None:
        """Where the quotes are, if each one opens or closes a whole field or is one of a doubled pair; None if not so.

        Counting from the beginning of a record, a quote that opens a field or follows a closing one has an even number.
        """
        if not self._is_simple:
            return None
        octets = np.frombuffer(data, np.uint8)
        quotes = np.flatnonzero(octets == ord('"'))
        padded = np.concatenate([[10], octets, [10]])
        outer = np.array([ord(self._delimiter), 10, ord('"')], np.uint8)
        before = np.isin(padded[quotes[0::2]], outer)
        after = np.isin(padded[quotes[1::2] + 2], np.append(outer, 13))
        return quotes if before.all() and after.all() else None

    def _ends(self, data: bytes) -> list[int]:
        """Where records end."""
        quotes = self._quotes(data) if b'"' in data else np.zeros(0, np.int64)
        if quotes is not None and self._in_lines:
            lines = np.flatnonzero(np.frombuffer(data, np.uint8) == 10)
            outside = np.searchsorted(quotes, lines) % 2 == 0
            ends: list[int] = (lines[outside] + 1).tolist()
            return ends
        text = data.decode("latin-1")  # one character a byte
        ends = []
        at = 0
        while at < len(text):
            at, closed = self._skip_record(text, at)
            if closed:
                ends.append(at)
        return ends

    def _skip_record(self, text: str, at: int) -> tuple[int, bool]:
        """The end of the record that begins at `at`, and whether a delimiter closes it; a character of the text is a byte."""
        delimiter, row_delimiter = self._octets
        while True:
            match = self._octet_field.match(text, at)
            at = match.end() if match else len(text)
            if text.startswith(delimiter, at):
                at += len(delimiter)
            else:
                return min(at + len(row_delimiter), len(text)), at < len(text)

    def _record(self, text: str) -> list[str | None]:
        """The fields of a record, None for an empty one without quotes."""
        fields: list[str | None] = []
        at = 0
        text = text.removesuffix("\n").removesuffix("\r") if self._in_lines else text.removesuffix(self._row_delimiter)
        while True:
            match = self._field.match(text, at)
            if match is None or match["open"] is not None:
                raise Unfit("malformed CSV: a quote is not closed")
            quoted = match["quoted"]
            if quoted is None:
                fields.append(match["plain"] or None)
            else:
                fields.append(quoted.replace('""', '"') + match["rest"])
            at = match.end()
            if not text.startswith(self._delimiter, at):
                return fields
            at += len(self._delimiter)

    def fields(self, data: bytes) -> Iterator[list[str | None]]:
        """The fields of each record that can be parsed."""
        for record in self._records(data):
            with suppress(Unfit):
                yield self._record(record.decode(errors="replace"))

    def _records(self, data: bytes) -> Iterator[bytes]:
        start = 0
        for end in [*self._ends(data), len(data)]:
            record, start = data[start:end].removesuffix(self._row_delimiter.encode()), end
            record = record.rstrip(b"\r\n") if self._in_lines else record
            if record:
                yield record

    def _exact(self, block: bytes) -> Decoded:
        builder = RowBuilder(self.target)
        for record in self._records(block):
            self._add(record, builder)
        return builder.finish()

    def _add(self, record: bytes, builder: RowBuilder) -> None:
        time: Time | None = None
        row: list[object] = []
        try:
            try:
                fields = self._record(record.decode())
            except UnicodeDecodeError as error:
                raise Unfit(f"not UTF-8: {error.reason} at byte {error.start}") from None
            values = {i: value for i, value in zip(self._fields, fields, strict=False) if i is not None}
            if self.target.rowtime is not None:
                index = self.target.rowtime_index
                value = values.get(len(self.target.fields) if index is None else index) or None
                time = rowtime(value)
                row.append(time)
            for index, field in enumerate(self.target.fields):
                value = values.get(index)
                if not value and not _has_empty(field.type):
                    value = None
                if value is None and not field.nullable:
                    raise Unfit(f"NULL in column {field.name}, which is NOT NULL")
                row.append(convert(value, field.type))
        except Unfit as problem:
            builder.fail(unfit(str(problem), time, record))
        else:
            builder.add(row)


def _as_octets(text: str) -> str:
    """Text whose characters are the bytes of a text."""
    return text.encode().decode("latin-1")


def _field_pattern(delimiter: str, row_delimiter: str) -> re.Pattern[str]:
    """A field: quoted (with anything behind the closing quote up to the delimiter), plain, or a quote that never closes."""
    if len(delimiter) == len(row_delimiter) == 1:
        other = f"[^{re.escape(delimiter + row_delimiter)}]"
    else:
        other = f"(?:(?!{re.escape(delimiter)}|{re.escape(row_delimiter)})[\\s\\S])"
    blanks = "[ \t]*" if delimiter != "\t" else " *"
    quoted = f'{blanks}"(?P<quoted>[^"]*+(?:""[^"]*+)*+)"(?P<rest>{other}*)'
    return re.compile(f'{quoted}|(?P<open>{blanks}"[\\s\\S]*)|(?P<plain>{other}*)')


def _has_empty(type: SqlType) -> bool:
    """Whether there is an empty value of the type, which is not NULL and so takes quotes."""
    return type.family in (Family.CHARACTER, Family.BINARY)


def _null_if_empty(array: pa.Array | None, type: SqlType, count: int) -> pa.Array:
    if array is None:
        return pa.nulls(count, pa.string())
    return array if _has_empty(type) else pc.if_else(pc.equal(array, ""), pa.scalar(None, pa.string()), array)


def csv_values(data: bytes, header: bool, delimiter: str) -> Iterator[list[tuple[str, Value]]]:
    """The names and values of each record: what a field spells counts as a number or as truth."""
    decoder = CsvDecoder(Target(()), header, delimiter)
    names: list[str] | None = None
    for fields in decoder.fields(data.removeprefix(BOM)):
        if names is None and header:
            names = [(name or "").strip(" \t") for name in fields]
            continue
        names = names or [f"COL_{number}" for number in range(len(fields))]
        yield [(name, _spelled(field)) for name, field in zip(names, fields, strict=False)]


def _spelled(field: str | None) -> Value:
    if field is None or field == "":
        return None
    text = field.strip()
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    return Number(text) if NUMBER.fullmatch(text) and not _PADDED.match(text) else field


_PADDED = re.compile(r"[+-]?0\d")
"""A number that is rather a code: its zeros in front would be lost."""
