"""Lines of fields with delimiters between them, as Hive's LazySimpleSerDe and OpenCSVSerde read them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from streamsql.external.scan.field_values import field_values
from streamsql.io.blocks import Decoded
from streamsql.io.decoding import BOM, Target, unfit
from streamsql.operator import FailedRow
from streamsql.types import Field, Schema

Lines = list[list[str]]


@dataclass(frozen=True, slots=True)
class Delimiters:
    """How fields are told apart.

    `null` is how NULL is written; `header` the lines at the head of a file that are no rows.  `strict`: a value that does not
    fit fails its row, otherwise it is NULL.
    """

    field: str
    quote: str | None
    escape: str | None
    null: str | None
    header: int
    strict: bool

    @property
    def plain(self) -> bool:
        """Whether every delimiter is one, wherever it stands."""
        return self.quote is None and self.escape is None and self.null is not None and len(self.field.encode()) == 1


class DelimitedDecoder:
    """Decodes the columns in `fields`, at least one, which are by the position of their fields in a line."""

    def __init__(self, fields: Mapping[int, Field], delimiters: Delimiters) -> None:
        self.target = Target(tuple(fields.values()))
        self._positions = list(fields)
        self._delimiters = delimiters

    def read_header(self, data: bytes, complete: bool) -> int | None:
        """Pass over the lines that are no rows."""
        at = len(BOM) if data.startswith(BOM) else 0
        for _ in range(self._delimiters.header):
            end = data.find(b"\n", at)
            if end < 0:
                return len(data) if complete else None
            at = end + 1
        return at

    def cut(self, data: bytes, complete: bool) -> int:
        """Up to the end of the last line."""
        return len(data) if complete else data.rfind(b"\n") + 1

    def decode(self, block: bytes) -> Decoded:
        """Decode whole lines."""
        texts = self._by_arrow(block)
        if texts is None:
            texts = self._line_by_line(block)
        columns: list[pa.Array] = []
        misfits: dict[int, str] = {}
        for field, column in zip(self.target.fields, texts, strict=True):
            made, wrong = field_values(column, field, self._delimiters.strict)
            columns.append(made)
            misfits |= {row: f"{column[row].as_py()!r} is no {field.type}, which column {field.name} is" for row in wrong}
        rows = pa.RecordBatch.from_arrays(columns, schema=Schema(self.target.fields).arrow())
        if not misfits:
            return Decoded(rows)
        good = pa.array([row not in misfits for row in range(rows.num_rows)])
        failed = tuple((row, self._failed(texts, row, text)) for row, text in sorted(misfits.items()))
        return Decoded(rows.filter(good), failed)

    def _failed(self, texts: list[pa.Array], row: int, message: str) -> FailedRow:
        values = [column[row].as_py() or "" for column in texts]
        return unfit(message, None, self._delimiters.field.join(values).encode())

    # -- lines to texts ------------------------------------------------------------------------------------------------

    def _by_arrow(self, block: bytes) -> list[pa.Array] | None:
        """The texts of the columns by Arrow's reader; None where lines have unlike numbers of fields, or none."""
        first = next(self._fields([block[: block.find(b"\n") + 1 or len(block)].decode(errors="replace")]), [])
        if len(first) <= max(self._positions) or len(self._delimiters.field) != 1:
            return None
        names = [str(i) for i in range(len(first))]
        wanted = [str(position) for position in self._positions]
        try:
            table = self._read(block, names, wanted)
        except pa.ArrowInvalid:
            return None
        return [table[name].combine_chunks() for name in wanted]

    def _read(self, block: bytes, names: list[str], wanted: list[str]) -> pa.Table:
        from pyarrow import csv as arrow

        signs = self._delimiters
        parse = arrow.ParseOptions(
            delimiter=signs.field,
            quote_char=signs.quote or False,
            escape_char=signs.escape or False,
            newlines_in_values=False,
            ignore_empty_lines=False,
        )
        return arrow.read_csv(
            pa.BufferReader(block if block.endswith(b"\n") else block + b"\n"),
            read_options=arrow.ReadOptions(column_names=names, use_threads=False, block_size=len(block) + 2),
            parse_options=parse,
            convert_options=arrow.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=wanted,
                null_values=[] if signs.null is None else [signs.null],
                strings_can_be_null=signs.null is not None,
            ),
        )

    def _line_by_line(self, block: bytes) -> list[pa.Array]:
        rows = list(self._fields(_lines(block)))
        null = self._delimiters.null
        texts: list[pa.Array] = []
        for position in self._positions:
            values = [row[position] if position < len(row) else None for row in rows]
            texts.append(pa.array([None if value == null else value for value in values], pa.string()))
        return texts

    def _fields(self, lines: list[str]) -> Iterator[list[str]]:
        """The fields of each line."""
        signs = self._delimiters
        if signs.quote is None and signs.escape is None:
            return (line.rstrip("\r\n").split(signs.field) for line in lines)
        settings: dict[str, Any] = {"delimiter": signs.field, "escapechar": signs.escape, "strict": False}
        settings |= {"quoting": csv.QUOTE_NONE} if signs.quote is None else {"quotechar": signs.quote}
        return (next(csv.reader([line.rstrip("\r\n")], **settings), [""]) for line in lines)


def _lines(block: bytes) -> list[str]:
    lines = block.decode(errors="replace").split("\n")
    return lines[:-1] if lines[-1] == "" else lines
