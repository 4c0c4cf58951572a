"""Aligned tables.

A table's column widths are fixed by the first rows: those of a finished result are collected up to `WIDTH_ROWS`, a running
query's are printed as they come, with room for what its types usually hold.  On a terminal a line never is wider than the
terminal: long texts are cut, and columns that have no room are left out, which the last line says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.display.printers.cells import cell_texts, is_right
from streamsql.display.printers.look import BLOCK_ROWS, Look, footer
from streamsql.display.printers.vertical import VerticalPrinter
from streamsql.display.width import CUT, cut, fill, printable, text_width
from streamsql.types import Batch, Field, Kind, Schema, SqlType

WIDTH_ROWS = 1_000
"""So many rows of a finished result are looked at before its columns get their widths."""

WIDEST = 500
"""No column of a table is wider than this."""

LEAST = 12
"""A column of text keeps at least this much room when a table is cut to the terminal's width."""

_ROOM: dict[Kind, int] = {
    Kind.BOOLEAN: 5,
    Kind.TINYINT: 4,
    Kind.SMALLINT: 6,
    Kind.INTEGER: 8,
    Kind.BIGINT: 8,
    Kind.DECIMAL: 10,
    Kind.REAL: 10,
    Kind.DOUBLE: 10,
    Kind.CHAR: LEAST,
    Kind.VARCHAR: LEAST,
    Kind.DATE: 10,
    Kind.TIME: 12,
    Kind.TIMESTAMP: 23,
}
"""The room that a running query's column gets even when its first values are shorter."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: where its values stand in a batch, and the room they get."""

    index: int
    field: Field
    width: int
    right: bool

    @property
    def title(self) -> str:
        return printable(self.field.name)


class TablePrinter:
    """Aligned columns under a header."""

    def __init__(self, schema: Schema, look: Look, running: bool) -> None:
        self._fields = schema.visible
        self._look = look
        self._running = running
        self._rows = 0
        self._waiting: list[Batch] = []
        self._columns: list[Column] | None = None
        self._vertical: VerticalPrinter | None = None

    def write(self, batch: Batch) -> Iterator[str]:
        self._rows += batch.num_rows
        if self._vertical is not None:
            yield from self._vertical.write(batch)
        elif self._columns is not None:
            yield from self._lines(batch)
        elif batch.num_rows:
            self._waiting.append(batch)
            if self._running or self._rows >= WIDTH_ROWS:
                yield from self._begin()

    def end(self, note: str = "") -> Iterator[str]:
        if self._columns is None and self._vertical is None:
            yield from self._begin()
        if self._vertical is not None:
            yield from self._vertical.end(note)
        elif self._look.footer:
            shown = len(self._columns or ())
            left_out = f"{shown:,} of {len(self._fields):,} columns: \\x shows all" if shown < len(self._fields) else ""
            yield footer(self._rows, left_out, note)

    def _begin(self) -> Iterator[str]:
        """The header, and the rows that waited for it."""
        waiting, self._waiting = self._waiting, []
        first = [_head(waiting, index) for index in range(self._considered())]
        columns = _columns(self._fields, first, self._look, self._running)
        fitting = _fitted(columns, self._look.width)
        if self._look.expanded == "auto" and (len(fitting) < len(self._fields) or fitting != columns):
            self._vertical = VerticalPrinter(Schema(self._fields), self._look, self._running)
            for batch in waiting:
                yield from self._vertical.write(batch)
            return
        self._columns = fitting
        if self._look.header:
            yield from self._header(fitting)
        for batch in waiting:
            yield from self._lines(batch)

    def _considered(self) -> int:
        """How many columns can have room at all."""
        width, count = self._look.width, len(self._fields)
        return count if width is None else min(count, width // 4 + 2)

    def _header(self, columns: Sequence[Column]) -> Iterator[str]:
        titles = [fill(cut(c.title, c.width), c.width, c.right) for c in columns]
        more = len(columns) < len(self._fields)
        yield " " + " | ".join([*titles, *([CUT] if more else [])]).rstrip() + "\n"
        yield "+".join("-" * (width + 2) for width in [*(c.width for c in columns), *([1] if more else [])]) + "\n"

    def _lines(self, batch: Batch) -> Iterator[str]:
        for start in range(0, batch.num_rows, BLOCK_ROWS):
            yield self._block(batch.slice(start, BLOCK_ROWS))

    def _block(self, batch: Batch) -> str:
        assert self._columns is not None
        cutting = self._look.width is not None
        more = len(self._columns) < len(self._fields)
        parts: list[Any] = []
        for number, column in enumerate(self._columns):
            texts = pc.fill_null(cell_texts(batch.column(column.index), column.field.type), self._look.null)
            last = number == len(self._columns) - 1 and not more
            width = column.width + (self._spare() if last and not column.right else 0)
            parts += [" | " if number else " ", _filled(texts, width, column.right, cutting)]
        if not parts:
            return "\n" * int(batch.num_rows)
        parts.append(f" | {CUT}" if more else "")
        lines = pc.binary_join_element_wise(*parts, "").to_pylist()
        return "".join([f"{line.rstrip(' ')}\n" for line in lines])

    def _spare(self) -> int:
        """The columns of the terminal behind the table, which its last column may use."""
        return 0 if self._look.width is None else max(0, self._look.width - _table_width(self._columns or ()) - 1)


def _head(batches: Sequence[Batch], index: int) -> pa.Array | None:
    """The first values of a column."""
    if not batches:
        return None
    return pa.chunked_array([batch.column(index) for batch in batches]).slice(0, WIDTH_ROWS).combine_chunks()


def _columns(fields: Sequence[Field], first: Sequence[pa.Array | None], look: Look, running: bool) -> list[Column]:
    """The columns with the room that their first values ask for."""
    columns = []
    for index, (field, array) in enumerate(zip(fields, first, strict=False)):
        width = max(text_width(printable(field.name)), 1)
        if array is not None:
            texts = pc.fill_null(cell_texts(array, field.type), look.null)
            width = max(width, _widest(texts))
        if running:
            width = max(width, _usual_room(field.type))
        columns.append(Column(index, field, min(width, WIDEST), is_right(field.type)))
    return columns


def _usual_room(type: SqlType) -> int:
    room = _ROOM.get(type.kind, LEAST)
    return room if type.length is None else min(2 * room, type.length)


def _fitted(columns: list[Column], room: int | None) -> list[Column]:
    """The columns that have room, texts cut down where that helps; at least one."""
    if room is None:
        return columns
    columns = _narrowed(columns, room)
    if _table_width(columns) <= room:
        return columns
    used, kept = len(f" | {CUT}"), 0
    for column in columns:
        used += column.width + 3
        if used > room + 2:
            break
        kept += 1
    if kept:
        return columns[:kept]
    return [replace(columns[0], width=max(1, min(columns[0].width, room - 6)))]


def _narrowed(columns: list[Column], room: int) -> list[Column]:
    """The columns with the widest texts narrowed until all have room, or none can be narrowed any more."""
    least = [min(c.width, max(LEAST, text_width(c.title))) if c.field.type.is_character else c.width for c in columns]
    free = room - _table_width([replace(c, width=w) for c, w in zip(columns, least, strict=True)])
    if free < 0:
        return [replace(c, width=w) for c, w in zip(columns, least, strict=True)]
    top = _level([c.width for c in columns], least, free)
    return [replace(c, width=max(w, min(c.width, top))) for c, w in zip(columns, least, strict=True)]


def _level(wanted: Sequence[int], least: Sequence[int], free: int) -> int:
    """The greatest width so that no column is wider, and all together take no more than `free` above their least."""
    low, high = 0, max(wanted, default=0)
    while low < high:
        middle = (low + high + 1) // 2
        if sum(max(0, min(w, middle) - bound) for w, bound in zip(wanted, least, strict=True)) <= free:
            low = middle
        else:
            high = middle - 1
    return low


def _table_width(columns: Sequence[Column]) -> int:
    return sum(column.width + 3 for column in columns) - 1


def _text_widths(texts: pa.Array) -> list[int] | None:
    """The width of each text; None where it is the number of its characters."""
    if pc.all(pc.string_is_ascii(texts)).as_py() is not False:
        return None
    return [text_width(text) for text in texts.to_pylist()]


def _widest(texts: pa.Array) -> int:
    if not len(texts):
        return 0
    widths = _text_widths(texts)
    return max(widths) if widths is not None else pc.max(pc.utf8_length(texts)).as_py()


def _filled(texts: pa.Array, width: int, right: bool, cutting: bool) -> pa.Array:
    """Texts filled to a width; longer ones are cut where `cutting`, and stay as they are elsewhere."""
    if _text_widths(texts) is not None:
        values = texts.to_pylist()
        return pa.array([fill(cut(v, width) if cutting else v, width, right) for v in values], pa.string())
    if cutting and pc.max(pc.utf8_length(texts)).as_py() > width:
        shortened = pc.binary_join_element_wise(pc.utf8_slice_codeunits(texts, 0, width - len(CUT)), CUT, "")
        texts = pc.if_else(pc.greater(pc.utf8_length(texts), width), shortened, texts)
    return pc.utf8_lpad(texts, width) if right else pc.utf8_rpad(texts, width)
