"""The formats of inputs and outputs, and which endings mean which.

A new format is one more record in `FORMATS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Protocol

from streamsql.errors import OperationalError
from streamsql.io.compression import ENDINGS
from streamsql.io.csv import CsvDecoder, CsvEncoder
from streamsql.io.decoding import Decoder, Target
from streamsql.io.json_lines import JsonLinesDecoder, JsonLinesEncoder
from streamsql.io.uri import Uri
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

    name: str
    endings: tuple[str, ...]
    decoder: Callable[[Target, bool, str], Decoder]
    """From what to fill, whether there is a header line, and the delimiter of fields."""
    encoder: Callable[[Schema, bool, str | None], Encoder]
    """From the columns, whether to write a header line, and the name of the stream where each line is to say it."""


FORMATS: tuple[TextFormat, ...] = (
    TextFormat(
        "jsonl",
        ("jsonl", "json", "ndjson"),
        lambda target, _header, _delimiter: JsonLinesDecoder(target),
        lambda schema, _header, stream: JsonLinesEncoder(schema, stream),
    ),
    TextFormat("csv", ("csv",), CsvDecoder, lambda schema, header, _stream: CsvEncoder(schema, header)),
)


def format_of(uri: Uri, default: str | None = None) -> TextFormat:
    """The format that a URI names or that its ending means.  Raises OperationalError where there is none."""
    name = uri.options.format or _ending(uri.path) or default
    known = {ending: format for format in FORMATS for ending in format.endings}
    if name is None or name.lower() not in known:
        problem = f"unknown format {name!r} of {uri.text!r}" if name else f"{uri.text!r} does not tell its format"
        raise OperationalError(problem, hint=f"formats are {', '.join(known)}; ?format=NAME says which it is")
    return known[name.lower()]


def _ending(path: str) -> str | None:
    suffixes = [suffix for suffix in PurePath(path).suffixes if suffix.lower() not in ENDINGS]
    return suffixes[-1][1:] if suffixes else None
