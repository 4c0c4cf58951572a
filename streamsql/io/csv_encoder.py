"""Rows as CSV."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.io.csv import _has_empty
from streamsql.io.texts import LineBuilder, value_texts
from streamsql.types import Batch, Schema


class CsvEncoder:
    """Encodes rows as CSV: quotes only where they are needed, NULL as an empty field, lines that end in LF."""

    def __init__(self, schema: Schema, header: bool = True) -> None:
        self._fields = schema.visible
        names = ",".join(_needed_quotes(field.name) for field in self._fields)
        self.header = f"{names}\n".encode() if header else b""

    def encode(self, batch: Batch) -> bytes:
        """The lines of the rows; `batch` holds the visible columns."""
        lines = LineBuilder(int(batch.num_rows))
        for number, (field, column) in enumerate(zip(self._fields, batch.columns, strict=True)):
            if number:
                lines.constant(",")
            texts = value_texts(column, field.type)
            may_need_quotes = _has_empty(field.type) or field.type.is_nested
            lines.column(_with_needed_quotes(texts) if may_need_quotes else texts)
        lines.constant("\n")
        return lines.joined(null="")


_NEEDS_QUOTES = r'^$|[",\r\n]|^[ \t]|[ \t]$'


def _needed_quotes(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"' if re.search(_NEEDS_QUOTES, text) else text


def _with_needed_quotes(texts: pa.Array) -> pa.Array:
    needy = pc.match_substring_regex(texts, _NEEDS_QUOTES)
    if not pc.any(needy).as_py():
        return texts
    return pc.if_else(needy, pc.binary_join_element_wise('"', pc.replace_substring(texts, '"', '""'), '"', ""), texts)
