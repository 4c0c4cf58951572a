"""JSON lines by Arrow's reader, which is told what to read each member as.

What that reader refuses, or could understand otherwise than `streamsql.io.json.records` does, is cut into smaller pieces and
in the end decoded record by record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from streamsql.io.blocks import Decoded
from streamsql.io.columns import Spelling, batch_of, reading_type
from streamsql.io.decoding import Names, Target
from streamsql.io.json.records import ExactDecoder
from streamsql.io.json.sample import Sample, sampled
from streamsql.types import Batch, Family

FEW = 64
"""So many lines are decoded one by one sooner than the reader is set up."""

_PIECES = 8
_ARROW_ONLY = re.compile(rb"-NaN|[:,\[ \t-]Inf(?!inity)")
"""Numbers that Arrow's reader takes and JSON as Python reads it does not."""
_ESCAPED_LETTER = re.compile(rb"\\u00[4-7]")
_NATURAL = {Family.NUMERIC: Spelling.NUMBER, Family.BOOLEAN: Spelling.TRUTH}
_ROWTIME_TYPES = {Spelling.WHOLE: pa.int64(), Spelling.NUMBER: pa.float64()}


@dataclass(frozen=True)
class _Reading:
    """What the reader is to read: for each column the name of its member and the Arrow type."""

    members: tuple[str, ...]
    types: tuple[pa.DataType, ...]
    closed: bool
    """Whether the records have no other members, so that one is a reason to look again."""


class ArrowReader:
    """Reads blocks of JSON lines."""

    def __init__(self, target: Target, names: Names, exact: ExactDecoder) -> None:
        self._target = target
        self._names = names
        self._exact = exact
        self._reading: _Reading | None = None

    def parts(self, block: bytes) -> Iterator[Decoded]:
        """The block decoded, in pieces where not all of it can be read at once."""
        few = block.count(b"\n") <= FEW
        rows = None if few else self._rows(block)
        if rows is not None:
            yield Decoded(rows)
        elif few or self._planned(sampled(block, self._names)) is None:
            yield self._exact.decode(block)
        else:
            for piece in _pieces(block):
                yield from self.parts(piece)

    def _rows(self, block: bytes) -> Batch | None:
        """The rows, read as the last block was, or else as this one looks."""
        lines = _plain_lines(block)
        if lines is None:
            return None
        rows = None if self._reading is None else self._read(lines, self._reading)
        if rows is None:
            reading = self._planned(sampled(block, self._names))
            if reading is not None and reading != self._reading:
                self._reading = reading
                rows = self._read(lines, reading)
        return rows

    def _planned(self, sample: Sample) -> _Reading | None:
        """What to read; None where the reader cannot read it."""
        types: list[pa.DataType] = []
        members: list[str] = []
        for index, field in enumerate(self._target.fields):
            natural = _NATURAL.get(field.type.family, Spelling.TEXT)
            type_ = reading_type(sample.spellings.get(index, natural), field.type)
            if type_ is None:
                return None
            types.append(type_)
            names = self._target.members
            members.append(sample.members.get(index, field.name if names is None else names[index]))
        if self._target.rowtime is not None and self._target.rowtime_index is None:
            index = len(self._target.fields)
            types.append(_ROWTIME_TYPES.get(sample.spellings.get(index, Spelling.TEXT), pa.string()))
            members.append(sample.members.get(index, self._target.rowtime))
        return _Reading(tuple(members), tuple(types), sample.closed)

    def _read(self, lines: bytes, reading: _Reading) -> Batch | None:
        """The rows of these lines; None where only the exact way can tell."""
        arrays = _arrays(lines, reading)
        if arrays is None or not self._unambiguous(lines, reading, arrays):
            return None
        return batch_of(arrays, self._target)

    def _unambiguous(self, lines: bytes, reading: _Reading, arrays: list[pa.Array]) -> bool:
        """Whether no member that the reader was not told of feeds a column too, under another spelling of its name."""
        if reading.closed:
            return True
        if _ARROW_ONLY.search(lines) or self._names.has_renamed:
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


def _arrays(lines: bytes, reading: _Reading) -> list[pa.Array] | None:
    """The members; None when the reader finds something else than it was told."""
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
    return block if is_utf8(block) else None


def is_utf8(block: bytes) -> bool:
    """Whether the bytes are text."""
    try:
        return block.isascii() or block.decode() is not None
    except UnicodeDecodeError:
        return False


def _one_object_a_line(block: bytes) -> bool:
    inner = block.count(b"\n") - block.endswith(b"\n")
    return block.startswith(b"{") and block.endswith((b"}", b"}\n")) and block.count(b"}\n{") == inner


def _pieces(block: bytes) -> Iterator[bytes]:
    """Some pieces of whole lines."""
    lines = block.splitlines(keepends=True)
    size = -(-len(lines) // _PIECES)
    return (b"".join(lines[start : start + size]) for start in range(0, len(lines), size))
