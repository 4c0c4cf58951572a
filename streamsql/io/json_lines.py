"""JSON lines: one object a line.

Blocks of lines go through Arrow's JSON reader, which is told what to read each member as; a sample of the block says how
the records spell their names and values.  What that reader refuses, or could understand otherwise than
`streamsql.io.json_records` does, is cut into smaller pieces and in the end decoded record by record, so the result is
always that of the exact way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.io.blocks import Decoded, concatenated
from streamsql.io.columns import Spelling, convert_array, reading_type, rowtime_array
from streamsql.io.conversion import Number
from streamsql.io.decoding import BOM, Names, Target
from streamsql.io.json_records import ExactDecoder, records
from streamsql.io.texts import LineBuilder, is_quoted, octets, special_numbers, value_texts
from streamsql.types import Batch, Family, Schema

FEW = 64
"""So many lines are decoded one by one sooner than Arrow's reader is set up."""

SAMPLE = 16
"""Lines looked at to see how a block spells its members."""

_PIECES = 8
_ARROW_ONLY = re.compile(rb"-NaN|[:,\[ \t-]Inf(?!inity)")
"""Numbers that Arrow's reader takes and JSON as Python reads it does not."""
_ESCAPED_LETTER = re.compile(rb"\\u00[4-7]")


@dataclass(frozen=True)
class _Reading:
    """What Arrow's reader is to read: for each column the name of its member and the Arrow type."""

    members: tuple[str, ...]
    types: tuple[pa.DataType, ...]
    closed: bool
    """Whether the records have no other members, so that one is a reason to look again."""


class JsonLinesDecoder:
    """Decodes JSON lines."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._names = Names(target)
        self._exact = ExactDecoder(target)
        self._reading: _Reading | None = None

    def read_header(self, data: bytes, complete: bool) -> int | None:
        """Nothing but a byte order mark."""
        if len(data) < len(BOM) and not complete:
            return None
        return len(BOM) if data.startswith(BOM) else 0

    def cut(self, data: bytes, complete: bool) -> int:
        """Up to the end of the last line."""
        return len(data) if complete else data.rfind(b"\n") + 1

    def decode(self, block: bytes) -> Decoded:
        """Decode whole lines."""
        return concatenated(list(self._parts(block)), self.target.schema)

    def _parts(self, block: bytes) -> Iterator[Decoded]:
        rows = None if block.count(b"\n") <= FEW else self._rows(block)
        if rows is not None:
            yield Decoded(rows)
        elif block.count(b"\n") <= FEW or self._sampled(block) is None:
            yield self._exact.decode(block)
        else:
            for piece in _pieces(block):
                yield from self._parts(piece)

    def _rows(self, block: bytes) -> Batch | None:
        """The rows by Arrow's reader, told what it was told last, or else what this block looks like."""
        lines = _plain_lines(block)
        if lines is None:
            return None
        rows = None if self._reading is None else self._fast(lines, self._reading)
        if rows is None:
            reading = self._sampled(block)
            if reading is not None and reading != self._reading:
                self._reading = reading
                rows = self._fast(lines, reading)
        return rows

    def _fast(self, lines: bytes, reading: _Reading) -> Batch | None:
        """The rows of these lines by Arrow's reader; None where only the exact way can tell."""
        arrays = _read(lines, reading)
        if arrays is None or not self._unambiguous(lines, reading, arrays):
            return None
        columns = []
        if self.target.rowtime is not None:
            index = self.target.rowtime_index
            columns.append(rowtime_array(arrays[-1 if index is None else index]))
        columns += [convert_array(array, field) for array, field in zip(arrays, self.target.fields, strict=False)]
        if any(column is None for column in columns):
            return None
        return pa.RecordBatch.from_arrays(columns, schema=self.target.schema.arrow())

    def _unambiguous(self, lines: bytes, reading: _Reading, arrays: list[pa.Array]) -> bool:
        """Whether no member that the reader was not told of feeds a column too, under another spelling of its name."""
        if reading.closed:
            return True
        if _ARROW_ONLY.search(lines):
            return False
        doubtful = [
            member
            for member, array in zip(reading.members, arrays, strict=True)
            if self._names.column(member.upper()) is not None and (array.null_count or member not in self._names.exact)
        ]
        if not doubtful:
            return True
        if _ESCAPED_LETTER.search(lines) or not all(map(str.isascii, doubtful)):
            return False
        lower = lines.lower()
        return all(lower.count(f'"{m.lower()}"'.encode()) == lines.count(f'"{m}"'.encode()) for m in doubtful)

    def _sampled(self, block: bytes) -> _Reading | None:
        """How the first lines of a block spell names and values; None where Arrow's reader cannot read that."""
        names: dict[int, str] = {}
        spellings: dict[int, Spelling] = {}
        others = False
        for name, value, index, exact in self._sample(block):
            known = names.get(index) if index is not None else None
            if index is None or known not in (None, name):
                others = True
            if index is None or (known is not None and known != name and not exact):
                continue
            names[index] = name
            spelling = _spelling(value)
            if spelling is not None:
                spellings[index] = _merged(spellings.get(index), spelling)
        return self._planned(names, spellings, closed=not others)

    def _sample(self, block: bytes) -> Iterator[tuple[str, Any, int | None, bool]]:
        for line in islice(re.finditer(rb"[^\n]*\S[^\n]*", block), SAMPLE):
            for record in records(line[0].decode(errors="replace")):
                for name, value in record.members or ():
                    match = self._names.column(name)
                    yield (name, value, None, False) if match is None else (name, value, *match)

    def _planned(self, names: dict[int, str], spellings: dict[int, Spelling], closed: bool) -> _Reading | None:
        types: list[pa.DataType] = []
        members: list[str] = []
        for index, field in enumerate(self.target.fields):
            natural = _NATURAL.get(field.type.family, Spelling.TEXT)
            type_ = reading_type(spellings.get(index, natural), field.type)
            if type_ is None:
                return None
            types.append(type_)
            members.append(names.get(index, field.name))
        if self.target.rowtime is not None and self.target.rowtime_index is None:
            index = len(self.target.fields)
            types.append(_ROWTIME_TYPES.get(spellings.get(index, Spelling.TEXT), pa.string()))
            members.append(names.get(index, self.target.rowtime))
        return _Reading(tuple(members), tuple(types), closed)


_NATURAL = {Family.NUMERIC: Spelling.NUMBER, Family.BOOLEAN: Spelling.TRUTH}
_ROWTIME_TYPES = {Spelling.WHOLE: pa.int64(), Spelling.NUMBER: pa.float64()}


def _read(lines: bytes, reading: _Reading) -> list[pa.Array] | None:
    """The members by Arrow's reader; None when it finds something else than it was told."""
    from pyarrow.json import ParseOptions, ReadOptions, read_json

    parse = ParseOptions(
        explicit_schema=pa.schema(list(zip(reading.members, reading.types, strict=True))),
        newlines_in_values=False,
        unexpected_field_behavior="error" if reading.closed else "ignore",
    )
    read = ReadOptions(use_threads=False, block_size=len(lines) + 1)
    try:
        table = read_json(pa.BufferReader(lines), read_options=read, parse_options=parse)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    return [column.combine_chunks() for column in table.select(list(range(len(reading.members)))).columns]


def _plain_lines(block: bytes) -> bytes | None:
    """The block without blank lines, if every line begins with `{`, ends with `}` and is proper text.

    Arrow's reader does not care where lines end: only so is it certain that no record goes over the end of its line, for
    `}` and `{` never follow one another within a record.
    """
    if not _one_object_a_line(block):
        block = b"\n".join(line for line in map(bytes.strip, block.split(b"\n")) if line)
        if not _one_object_a_line(block):
            return None
    try:
        if not block.isascii():
            block.decode()
    except UnicodeDecodeError:
        return None
    return block


def _one_object_a_line(block: bytes) -> bool:
    inner = block.count(b"\n") - block.endswith(b"\n")
    return block.startswith(b"{") and block.endswith((b"}", b"}\n")) and block.count(b"}\n{") == inner


def _pieces(block: bytes) -> Iterator[bytes]:
    """Some pieces of whole lines."""
    lines = block.splitlines(keepends=True)
    size = -(-len(lines) // _PIECES)
    return (b"".join(lines[start : start + size]) for start in range(0, len(lines), size))


def _spelling(value: Any) -> Spelling | None:
    """How a value is spelled; None for null, which fits everything."""
    if isinstance(value, Number):
        return Spelling.WHOLE if value.removeprefix("-").isdigit() else Spelling.NUMBER
    if isinstance(value, str):
        return Spelling.TEXT
    if isinstance(value, bool):
        return Spelling.TRUTH
    return None if value is None else Spelling.NESTED


def _merged(one: Spelling | None, other: Spelling) -> Spelling:
    """A spelling for both; where there is none the first one stands, and the reader will refuse the others."""
    return Spelling.NUMBER if {one, other} == {Spelling.WHOLE, Spelling.NUMBER} else one or other


class JsonLinesEncoder:
    """Encodes rows as JSON lines, spaced as Python's `json.dumps` does it.

    With `stream` each line is `{"stream": NAME, "row": {...}}`.
    """

    header = b""

    def __init__(self, schema: Schema, stream: str | None = None) -> None:
        self._fields = schema.visible
        self._open = "{" if stream is None else f'{{"stream": {_string(stream)}, "row": {{'
        self._close = "}\n" if stream is None else "}}\n"

    def encode(self, batch: Batch) -> bytes:
        """The lines of the rows; `batch` holds the visible columns."""
        lines = LineBuilder(int(batch.num_rows))
        lines.constant(self._open)
        for number, (field, column) in enumerate(zip(self._fields, batch.columns, strict=True)):
            lines.constant(f"{', ' if number else ''}{_string(field.name)}: ")
            texts = value_texts(column, field.type)
            if not is_quoted(field.type):
                special = special_numbers(column)
                lines.column(texts if special is None else pc.if_else(special, _quoted(texts), texts))
            elif column.null_count:
                lines.column(_quoted(_escaped(texts)))
            else:
                lines.constant('"')
                lines.column(_escaped(texts))
                lines.constant('"')
        lines.constant(self._close)
        return lines.joined(null="null")


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _quoted(texts: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise('"', texts, '"', "")


def _escaped(texts: pa.Array) -> pa.Array:
    """Texts with what must not stand between JSON's quotes escaped."""
    data = octets(texts)
    if not ((data < 32) | (data == ord('"')) | (data == ord("\\"))).any():
        return texts
    present = set(np.unique(data).tolist())
    for code in (ord("\\"), ord('"'), *range(32)):  # the backslash first: it is what the others are escaped with
        if code in present:
            texts = pc.replace_substring(texts, chr(code), _string(chr(code))[1:-1])
    return texts
