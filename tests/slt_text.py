"""The text of `.slt` files: records, rows and values (`slt.py` says what they mean)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from streamsql.functions.cast import converter
from streamsql.io.texts import value_texts
from streamsql.rows import QueryTime, Rows
from streamsql.time import END, Time, from_datetime
from streamsql.types import Batch, Family, Kind, Schema, SqlType, varchar

LETTERS = {
    Family.CHARACTER: "T",
    Family.NUMERIC: "I",
    Family.BOOLEAN: "B",
    Family.TIMESTAMP: "P",
    Family.DATE: "D",
    Family.TIME: "H",
    Family.DAY_TIME: "V",
    Family.YEAR_MONTH: "V",
    Family.BINARY: "X",
}


Value = str | None
Row = tuple[Value, ...]


class SltError(Exception):
    """A record whose result is not as written, or a file that cannot be read."""


@dataclass
class Record:
    """One record: its line in the file, its words, the lines below it, and those below `----` (None: there is none)."""

    line: int
    words: list[str]
    body: list[str]
    result: list[str] | None
    end: int

    @property
    def kind(self) -> str:
        return self.words[0]

    @property
    def rest(self) -> str:
        """What stands behind the first word."""
        return " ".join(self.words[1:])

    @property
    def sql(self) -> str:
        return "\n".join(self.body)

    def failed(self, message: str) -> SltError:
        return SltError(f"line {self.line}: {message}")


@dataclass
class Section:
    """A test: its records."""

    title: str
    folder: Path
    records: list[Record] = field(default_factory=list)


def read(path: Path) -> list[Section]:
    """The sections of a file: what stands before the first is the beginning of all of them."""
    sections = [Section(path.stem, path.parent)]
    lines = path.read_text().splitlines()
    at = 0
    while at < len(lines):
        line = lines[at]
        if line.startswith("==="):
            sections.append(Section(line.strip("= "), path.parent))
        elif line.strip() and not line.startswith("#"):
            record = _record(lines, at)
            sections[-1].records.append(record)
            at = record.end - 1
        at += 1
    shared, *others = sections
    for section in others:
        section.records[:0] = shared.records
    return others or [shared]


def _record(lines: Sequence[str], at: int) -> Record:
    end = at + 1
    if not _is_line(lines[at]):
        while end < len(lines) and lines[end].strip() and not _is_line(lines[end]):
            end += 1
    block = list(lines[at + 1 : end])
    cut = block.index("----") if "----" in block else len(block)
    return Record(at + 1, lines[at].split(), block[:cut], block[cut + 1 :] if cut < len(block) else None, end)


def _is_line(line: str) -> bool:
    """Whether a record is this one line, so that it needs no blank line around it."""
    return re.match(r"(bound|clock|date|start) \S|run$", line) is not None


def values_of(line: str) -> Row:
    """The values of a line of rows."""
    found = re.findall(r'"((?:[^"]|"")*)"(?=  |\s*$)|(\S+(?: \S+)*)', line)
    return tuple(None if plain == "NULL" else plain or quoted.replace('""', '"') for quoted, plain in found)


def table(rows: Sequence[Row]) -> list[str]:
    """Rows as lines, their columns below each other."""
    texts = [[shown(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts)]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip() for row in texts]


def shown(value: Value) -> str:
    """A value as it stands in a file, quoted where it must be."""
    if value is None:
        return "NULL"
    needs = value in ("", "NULL") or value != value.strip() or "  " in value or '"' in value
    return '"' + value.replace('"', '""') + '"' if needs else value


def types_of(schema: Schema) -> str:
    """The letters of a result's columns."""
    return "".join(_letter(f.type) for f in schema.fields)


def _letter(type_: SqlType) -> str:
    if type_.kind is Kind.DECIMAL:
        return "N"
    return "R" if type_.kind in (Kind.REAL, Kind.DOUBLE) else LETTERS.get(type_.family, "?")


class Calendar:
    """Values as text, times of day being those of one day."""

    def __init__(self, day: str = "2020-01-01") -> None:
        self.day = day

    def time(self, text: str) -> Time:
        if text == "END":
            return END
        return from_datetime(datetime.fromisoformat(text if "-" in text else f"{self.day} {text}"))

    def batch(self, rows: Sequence[Row], schema: Schema) -> Batch:
        """Rows of text as a batch of these columns."""
        columns = [pa.array([self._value(row[i], f.type) for row in rows], f.type.arrow()) for i, f in enumerate(schema.fields)]
        return pa.RecordBatch.from_arrays(columns, schema=schema.arrow())

    def _value(self, value: Value, type_: SqlType) -> Any:
        if value is None:
            return None
        match type_.family:
            case Family.TIMESTAMP:
                return self.time(value)
            case Family.BOOLEAN:
                return {"TRUE": True, "FALSE": False}[value.upper()]
            case Family.NUMERIC:
                return int(value) if type_.is_integer else Decimal(value) if type_.kind is Kind.DECIMAL else float(value)
            case Family.DATE:
                return datetime.fromisoformat(value).date()
            case Family.TIME:
                return datetime.fromisoformat(f"2000-01-01 {value}").time()
            case Family.BINARY:
                return bytes.fromhex(value)
            case _:
                return value

    def rows(self, batch: pa.Table, schema: Schema) -> list[Row]:
        """The rows of a result as text."""
        columns = [self._column(column.combine_chunks(), f.type) for column, f in zip(batch.columns, schema.fields, strict=True)]
        return list(zip(*columns, strict=True)) if columns else [()] * batch.num_rows

    def _column(self, column: pa.Array, type_: SqlType) -> list[Value]:
        if type_.family is Family.BINARY:
            return [None if value is None else value.hex() for value in column.to_pylist()]
        if type_.family in (Family.CHARACTER, Family.ROW):
            return list(value_texts(column, type_).to_pylist())
        convert = converter(type_, varchar(), False)
        assert convert is not None
        rows = Rows(pa.RecordBatch.from_arrays([column], names=["value"]), QueryTime())
        day = f"{self.day} " if type_.family is Family.TIMESTAMP else "\0"
        texts = rows.column(convert(rows, column)).to_pylist()
        return [None if text is None else text.removeprefix(day) for text in texts]
