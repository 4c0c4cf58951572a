"""Rows as lines of fields with delimiters: what LazySimpleSerDe reads, and what UNLOAD of Redshift writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.io.texts import LineBuilder, value_texts
from streamsql.types import Batch, Family, Field

ALL = r"(?s)^.*$"
NEEDED = r'[",\r\n]'


@dataclass(frozen=True, slots=True)
class Style:
    """How fields are written.

    `null` is how NULL is; `escape` the character in front of a delimiter, a line break and itself; `quoted` a pattern of the
    texts that stand in double quotes; `words` how BOOLEAN is spelled; `header` the lines at the head of each file, the first of
    which has the names.
    """

    delimiter: str
    null: str
    escape: str | None = None
    quoted: str | None = None
    words: tuple[str, str] = ("true", "false")
    header: int = 0


class DelimitedEncoder:
    """Encodes rows as lines."""

    def __init__(self, fields: Sequence[Field], style: Style) -> None:
        self._fields = fields
        self._style = style
        names = self._written(pa.array([field.name for field in fields], pa.string())).to_pylist()
        self.header = style.delimiter.join(names).encode() * bool(style.header) + b"\n" * style.header

    def encode(self, batch: Batch) -> bytes:
        """The lines of the rows; `batch` holds the fields."""
        lines = LineBuilder(int(batch.num_rows))
        for number, (field, column) in enumerate(zip(self._fields, batch.columns, strict=True)):
            if number:
                lines.constant(self._style.delimiter)
            lines.column(self._written(self._texts(column, field)))
        lines.constant("\n")
        return lines.joined(null=self._style.null)

    def _texts(self, column: pa.Array, field: Field) -> pa.Array:
        if field.type.family is Family.BOOLEAN:
            return pc.if_else(column, *self._style.words)
        return value_texts(column, field.type)

    def _written(self, texts: pa.Array) -> pa.Array:
        style = self._style
        if style.escape is not None:
            quotes = [] if style.quoted is None else ['"']
            for character in (style.escape, style.delimiter, "\n", "\r", *quotes):  # the escape first: it is what the others get
                texts = pc.replace_substring(texts, character, style.escape + character)
        if style.quoted is None:
            return texts
        needy = pc.match_substring_regex(texts, style.quoted)
        doubled = texts if style.escape is not None else pc.replace_substring(texts, '"', '""')
        return pc.if_else(needy, pc.binary_join_element_wise('"', doubled, '"', ""), texts)
