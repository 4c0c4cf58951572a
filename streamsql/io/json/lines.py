"""JSON lines: one object a line, or several.

There are three ways to decode them, with one result: record by record (`streamsql.io.json.records`), which is what counts; by
Arrow's reader; and by kernels, which are the fastest and slow to load.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.io.blocks import Decoded, concatenated
from streamsql.io.decoding import BOM, Names, Target
from streamsql.io.json.mapping import MappedDecoder
from streamsql.io.json.reader import ArrowReader
from streamsql.io.json.records import ExactDecoder
from streamsql.io.layout import PLAIN, Layout
from streamsql.io.texts import LineBuilder, is_quoted, octets, special_numbers, value_texts
from streamsql.types import Batch, Schema

if TYPE_CHECKING:
    from streamsql.io.json.scanner import Scanner

SCANNED_FROM = 1 << 25
"""From so many bytes on, in a file or so far in a pipe, the kernels are worth their loading ..."""

COMPILED_FROM = 1 << 29
"""... and from so many on the seconds that it takes to compile them, once in an installation."""

FEW = 4
"""So many lines are decoded one by one even where there is a scanner."""

SMALL = 1 << 12
"""Bytes of a block in which there may be so few lines."""


class JsonLinesDecoder:
    """Decodes JSON lines.  `size` is how many bytes there are, as far as that is known.

    By the paths of a layout, where they lead deeper into records than to their members, there is one way, record by record.
    """

    def __init__(self, target: Target, size: int = 0, layout: Layout = PLAIN) -> None:
        self.target = target
        mapped = layout.paths is not None and target.members is None
        self._mapped = MappedDecoder(target, layout.row_path, layout.paths or ()) if mapped else None
        self._names = Names(target)
        self._exact = ExactDecoder(target)
        self._reader = ArrowReader(target, self._names, self._exact)
        self._scanner: Scanner | None = None
        self._before_scanning = (SCANNED_FROM if _compiled() else COMPILED_FROM) - size

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
        if self._mapped is not None:
            return self._mapped.decode(block)
        decoded = self._scanned(block)
        return concatenated(list(self._reader.parts(block)), self.target.schema) if decoded is None else decoded

    def _scanned(self, block: bytes) -> Decoded | None:
        """The block decoded by the kernels, if they are worth it and able to."""
        self._before_scanning -= len(block)
        if self._before_scanning > 0 or (len(block) < SMALL and block.count(b"\n") <= FEW):
            return None
        if self._scanner is None:
            from streamsql.io.json.scanner import Scanner

            self._scanner = Scanner(self.target, self._names, self._exact)
        return self._scanner.decode(block)


def _compiled() -> bool:
    """Whether the kernels' machine code lies beside them; where numba keeps it elsewhere they count as not compiled."""
    return any((Path(__file__).parent / "__pycache__").glob("scan_lines.scan-*.nbi"))


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
