"""Results in the text formats of outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from streamsql.io.csv import CsvEncoder
from streamsql.io.json_lines import JsonLinesEncoder
from streamsql.repl.printers.cells import has_own_text, texts_of
from streamsql.repl.printers.look import BLOCK_ROWS
from streamsql.types import Batch, Schema, varchar


class EncodedPrinter:
    """CSV or JSON lines, as outputs have them."""

    def __init__(self, schema: Schema, encoder: Callable[[Schema], CsvEncoder | JsonLinesEncoder]) -> None:
        fields = schema.visible
        self._own = [i for i, field in enumerate(fields) if has_own_text(field.type)]
        self._fields = fields
        self._encoder = encoder(Schema(tuple(replace(f, type=varchar()) if has_own_text(f.type) else f for f in fields)))
        self._header = self._encoder.header.decode()

    def write(self, batch: Batch) -> Iterator[str]:
        for start in range(0, batch.num_rows, BLOCK_ROWS):
            yield from self._begun()
            yield self._encoder.encode(self._plain(batch.slice(start, BLOCK_ROWS))).decode()

    def end(self, note: str = "") -> Iterator[str]:
        yield from self._begun()

    def _begun(self) -> Iterator[str]:
        header, self._header = self._header, ""
        if header:
            yield header

    def _plain(self, batch: Batch) -> Batch:
        """The rows with text in place of values that the formats have no form for."""
        for index in self._own:
            field = self._fields[index]
            batch = batch.set_column(index, field.name, texts_of(batch.column(index), field.type))
        return batch
