"""The exact way from JSON text to rows: one record after another, each failing by itself.

A line holds any number of JSON documents one after another.  A document is an object, which is a record, or an array of
objects, which is as many records.  What cannot be parsed is one failed record, to the end of its line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, NamedTuple

from streamsql.io.conversion import convert, rowtime
from streamsql.io.decoding import Decoded, Names, RowBuilder, Target, Unfit, unfit
from streamsql.time import Time

_scan_value = json.JSONDecoder().scan_once  # type: ignore[attr-defined]
_skip_blanks = re.compile(r"[ \t\r\n]*").match


class Member(NamedTuple):
    """One member of an object: its value as `json.loads` gives it, and the value's source text."""

    name: str
    value: Any
    text: str


class Record(NamedTuple):
    """A record: its members, or None and why it could not be parsed; its text."""

    members: list[Member] | None
    text: str
    problem: str = ""


def records(line: str) -> Iterator[Record]:
    """The records of a line."""
    at = _after_blanks(line, 0)
    while at < len(line):
        try:
            found, end = _document(line, at)
        except (ValueError, StopIteration, RecursionError) as error:
            yield Record(None, line[at:], f"malformed JSON: {_problem(error)}")
            return
        yield from found
        at = _after_blanks(line, end)


class ExactDecoder:
    """Decodes lines record by record by the rules of `streamsql.io.conversion`."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._names = Names(target)
        declared = target.rowtime_index
        self._rowtime = len(target.fields) if declared is None else declared

    def decode(self, block: bytes) -> Decoded:
        """Decode whole lines."""
        builder = RowBuilder(self._target)
        for line in block.split(b"\n"):
            try:
                text = line.decode()
            except UnicodeDecodeError as error:
                builder.fail(unfit(f"not UTF-8: {error.reason} at byte {error.start}", None, line.strip()))
                continue
            for record in records(text):
                if record.members is None:
                    builder.fail(unfit(record.problem, None, record.text.rstrip().encode()))
                else:
                    self._add(record.members, record.text, builder)
        return builder.finish()

    def _add(self, members: list[Member], text: str, builder: RowBuilder) -> None:
        values = self._matched(members)
        time: Time | None = None
        row: list[Any] = []
        try:
            if self._target.rowtime is not None:
                value, source = values.get(self._rowtime, (None, "null"))
                time = rowtime(value, source)
                row.append(time)
            for index, field in enumerate(self._target.fields):
                value, source = values.get(index, (None, "null"))
                if value is None and not field.nullable:
                    raise Unfit(f"NULL in column {field.name}, which is NOT NULL")
                row.append(convert(value, source, field.type))
        except Unfit as problem:
            builder.fail(unfit(str(problem), time, text.encode()))
        else:
            builder.add(row)

    def _matched(self, members: list[Member]) -> dict[int, tuple[Any, str]]:
        """The value and source text for each column that has a member."""
        found: dict[int, tuple[Any, str]] = {}
        by_exact_name: set[int] = set()
        for name, value, text in members:
            match = self._names.column(name)
            if match is None:
                continue
            index, exact = match
            if exact:
                by_exact_name.add(index)
            elif index in by_exact_name:
                continue
            found[index] = (value, text)
        return found


def _document(text: str, at: int) -> tuple[list[Record], int]:
    if text[at] != "[":
        members, end = _object(text, at)
        return [Record(members, text[at:end])], end
    found: list[Record] = []
    at = _after_blanks(text, at + 1)
    if text[at : at + 1] == "]":
        return found, at + 1
    while True:
        members, end = _object(text, at)
        found.append(Record(members, text[at:end]))
        at = _after_blanks(text, end)
        if text[at : at + 1] == "]":
            return found, at + 1
        at = _after_blanks(text, _expect(text, at, ","))


def _object(text: str, at: int) -> tuple[list[Member], int]:
    """The members of the object that begins at `at`, and where it ends."""
    if text[at : at + 1] != "{":
        raise json.JSONDecodeError("Expecting an object", text, at)
    members: list[Member] = []
    at = _after_blanks(text, at + 1)
    if text[at : at + 1] == "}":
        return members, at + 1
    while True:
        name, at = scanstring(text, _expect(text, at, '"'), True)
        start = _after_blanks(text, _expect(text, _after_blanks(text, at), ":"))
        value, end = _scan_value(text, start)
        members.append(Member(name, value, text[start:end]))
        at = _after_blanks(text, end)
        if text[at : at + 1] == "}":
            return members, at + 1
        at = _after_blanks(text, _expect(text, at, ","))


def _after_blanks(text: str, at: int) -> int:
    match = _skip_blanks(text, at)
    return match.end() if match else at


def _expect(text: str, at: int, character: str) -> int:
    if text[at : at + 1] != character:
        raise json.JSONDecodeError(f"Expecting '{character}'", text, at)
    return at + 1


def _problem(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at column {error.pos + 1}"
    if isinstance(error, StopIteration):
        return f"Expecting a value at column {error.value + 1}"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)
