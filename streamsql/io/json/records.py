"""The exact way from JSON text to rows: one record after another, each failing by itself.

A line holds any number of JSON documents one after another.  A document is an object, which is a record, or an array of
objects, which is as many records.  What cannot be parsed is one failed record, to the end of its line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, BinaryIO, NamedTuple

from streamsql.io.blocks import Decoded
from streamsql.io.conversion import Nested, Number, Value, convert, rowtime
from streamsql.io.decoding import BOM, Names, RowBuilder, Target, Unfit, unfit
from streamsql.time import Time


class Members(list[tuple[str, Any]]):
    """The names and values of an object; a value that is an array or object is a list."""


_scan = json.JSONDecoder(object_pairs_hook=Members, parse_float=Number, parse_int=Number, parse_constant=Number).scan_once  # type: ignore[attr-defined]
_HEAD = 1 << 16
"""Bytes in which a file's first character is looked for."""

_skip_blanks = re.compile(r"[ \t\r\n]*").match


class Record(NamedTuple):
    """A record: its members, or None and why it could not be parsed; its text."""

    members: Members | None
    text: str
    problem: str = ""


def records(line: str) -> Iterator[Record]:
    """The records of a line."""
    at = _after_blanks(line, 0)
    while at < len(line):
        try:
            document, end = _scan(line, at)
            found = _records_of(document, line[at:end])
        except (ValueError, StopIteration, RecursionError) as error:
            yield Record(None, line[at:].rstrip(), f"malformed JSON: {_problem(error)}")
            return
        yield from found
        at = _after_blanks(line, end)


def decoded(block: bytes, target: Target, add: Callable[[Record, RowBuilder], None]) -> Decoded:
    """Whole lines, record by record: `add` puts the rows of a record into the builder, what is no record fails."""
    builder = RowBuilder(target)
    for line in block.split(b"\n"):
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            builder.fail(unfit(f"not UTF-8: {error.reason} at byte {error.start}", None, line.strip()))
            continue
        for record in records(text):
            if record.members is None:
                builder.fail(unfit(record.problem, None, record.text.encode()))
            else:
                add(record, builder)
    return builder.finish()


class ExactDecoder:
    """Decodes lines record by record by the rules of `streamsql.io.conversion`."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._names = Names(target)
        declared = target.rowtime_index
        self._rowtime = len(target.fields) if declared is None else declared

    def decode(self, block: bytes) -> Decoded:
        """Decode whole lines."""
        return decoded(block, self._target, self._add)

    def _add(self, record: Record, builder: RowBuilder) -> None:
        add_row(builder, self._target, self._rowtime, self._matched(record), record.text)

    def _matched(self, record: Record) -> dict[int, Value]:
        """The value for each column that has a member."""
        found: dict[int, Value] = {}
        by_exact_name: set[int] = set()
        for number, (name, _) in enumerate(record.members or ()):
            match = self._names.column(name)
            if match is None:
                continue
            index, exact = match
            if exact:
                by_exact_name.add(index)
            elif index in by_exact_name:
                continue
            found[index] = _value(record, number)
        return found


def add_row(builder: RowBuilder, target: Target, rowtime_index: int, values: Mapping[int, Value], text: str) -> None:
    """Convert the values that a record has for the columns of a target; `text` is the record, for one that fails."""
    time: Time | None = None
    row: list[Any] = []
    try:
        if target.rowtime is not None:
            time = rowtime(values.get(rowtime_index))
            row.append(time)
        for index, field in enumerate(target.fields):
            value = values.get(index)
            if value is None and not field.nullable:
                raise Unfit(f"NULL in column {field.name}, which is NOT NULL")
            row.append(convert(value, field.type))
    except Unfit as problem:
        builder.fail(unfit(str(problem), time, text.encode()))
    else:
        builder.add(row)


def json_values(data: bytes) -> Iterator[list[tuple[str, Value]]]:
    """The names and values of each record that can be parsed."""
    for line in data.removeprefix(BOM).split(b"\n"):
        for record in records(line.decode(errors="replace")):
            yield [(name, _value(record, number)) for number, (name, _) in enumerate(record.members or ())]


def unfolded_array(stream: BinaryIO) -> BinaryIO | None:
    """The elements of a file that is one array over several lines, a line each; None for every other file.

    Such a file is read as a whole.
    """
    head = stream.read(_HEAD)
    if not head.removeprefix(BOM).lstrip().startswith(b"["):
        return None
    text = (head + stream.read()).removeprefix(BOM).decode(errors="replace").strip()
    try:
        document, end = _scan(text, 0)
    except (ValueError, StopIteration, RecursionError):
        return None
    if end < len(text) or not isinstance(document, list) or isinstance(document, Members):
        return None
    lines = (text[start:stop].replace("\n", " ") for start, stop in _elements(text))
    return BytesIO("".join(f"{line}\n" for line in lines).encode())


def _value(record: Record, number: int) -> Value:
    """The value of one member of a record."""
    members = record.members or Members()
    value = members[number][1]
    return Nested(_source(record.text, number)) if isinstance(value, list) else value


def _records_of(document: Any, text: str) -> list[Record]:
    """The records that a document is."""
    if isinstance(document, Members):
        return [Record(document, text)]
    if not isinstance(document, list) or not all(isinstance(element, Members) for element in document):
        raise ValueError("not an object")
    return [Record(element, text[start:end]) for element, (start, end) in zip(document, _elements(text), strict=True)]


def _elements(text: str) -> Iterator[tuple[int, int]]:
    """Where the elements of an array stand in its text, which is known to be well formed."""
    at = _after_blanks(text, 1)
    while text[at] != "]":
        _, end = _scan(text, at)
        yield at, end
        at = _after_blanks(text, end)
        if text[at] == ",":
            at = _after_blanks(text, at + 1)


def _source(text: str, number: int) -> str:
    """The source text of a member's value in the text of an object, which is known to be well formed."""
    end = 0
    for _ in range(number + 1):
        _, at = scanstring(text, text.index('"', end) + 1, True)
        start = _after_blanks(text, _after_blanks(text, at) + 1)
        _, end = _scan(text, start)
    return text[start:end]


def member_source(text: str, name: str) -> str:
    """The source text of the last member of a name in the text of an object, which is known to be well formed and to have it."""
    found, at = (0, 0), _after_blanks(text, 1)
    while text[at] != "}":
        key, end = scanstring(text, at + 1, True)
        start = _after_blanks(text, _after_blanks(text, end) + 1)
        _, end = _scan(text, start)
        found = (start, end) if key == name else found
        at = _after_blanks(text, end)
        at = _after_blanks(text, at + 1) if text[at] == "," else at
    return text[slice(*found)]


def element_sources(text: str) -> list[str]:
    """The source texts of the elements in the text of an array, which is known to be well formed."""
    return [text[start:end] for start, end in _elements(text)]


def _after_blanks(text: str, at: int) -> int:
    match = _skip_blanks(text, at)
    return match.end() if match else at


def _problem(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at column {error.pos + 1}"
    if isinstance(error, StopIteration):
        return f"Expecting value at column {error.value + 1}"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)
