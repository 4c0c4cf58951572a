"""One value a line."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow.compute as pc

from streamsql.display.printers.cells import cell_texts
from streamsql.display.printers.look import Look, footer
from streamsql.display.width import cut, fill, printable, text_width
from streamsql.types import Batch, Schema


class VerticalPrinter:
    """One value a line, a numbered rule above each row."""

    def __init__(self, schema: Schema, look: Look, running: bool = False) -> None:
        self._fields = schema.visible
        self._look = look
        self._rows = 0
        titles = [printable(field.name) for field in self._fields]
        self._room = max(map(text_width, titles), default=0)
        self._titles = [fill(title, self._room) for title in titles]

    def write(self, batch: Batch) -> Iterator[str]:
        columns = [
            pc.fill_null(cell_texts(column, field.type), self._look.null).to_pylist()
            for column, field in zip(batch.columns, self._fields, strict=True)
        ]
        for row in range(batch.num_rows):
            self._rows += 1
            yield self._rule() + "".join(
                f"{title} | {self._value(column[row])}\n" for title, column in zip(self._titles, columns, strict=True)
            )

    def end(self, note: str = "") -> Iterator[str]:
        if self._look.footer:
            yield footer(self._rows, note)

    def _rule(self) -> str:
        return f"-[ RECORD {self._rows} ]".ljust(self._room + 2, "-") + "\n"

    def _value(self, text: str) -> str:
        return cut(text, max(1, self._look.width - self._room - 3)) if self._look.width is not None else text
