"""Tables of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow.compute as pc

from streamsql.display.printers.cells import cell_texts, is_right
from streamsql.display.printers.look import BLOCK_ROWS, Look
from streamsql.display.width import printable
from streamsql.types import Batch, Schema


class MarkdownPrinter:
    """A table as Markdown has it."""

    def __init__(self, schema: Schema, look: Look, running: bool = False) -> None:
        self._fields = schema.visible
        self._null = look.null
        self._begun = False

    def write(self, batch: Batch) -> Iterator[str]:
        yield from self._header()
        for start in range(0, batch.num_rows, BLOCK_ROWS):
            part = batch.slice(start, BLOCK_ROWS)
            columns = [
                pc.fill_null(cell_texts(column, field.type), self._null).to_pylist()
                for column, field in zip(part.columns, self._fields, strict=True)
            ]
            yield "".join(self._line(row) for row in zip(*columns, strict=True))

    def end(self, note: str = "") -> Iterator[str]:
        yield from self._header()

    def _header(self) -> Iterator[str]:
        if not self._begun:
            self._begun = True
            yield self._line(printable(field.name) for field in self._fields)
            yield "|" + "|".join(" ---: " if is_right(field.type) else " --- " for field in self._fields) + "|\n"

    def _line(self, cells: Iterable[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"
