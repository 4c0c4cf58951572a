"""Results in the text formats of outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from streamsql.display.printers.look import BLOCK_ROWS
from streamsql.io.csv_encoder import CsvEncoder
from streamsql.io.json.lines import JsonLinesEncoder
from streamsql.types import Batch, Schema


class EncodedPrinter:
    """CSV or JSON lines, as outputs have them."""

    def __init__(self, schema: Schema, encoder: Callable[[Schema], CsvEncoder | JsonLinesEncoder]) -> None:
        self._encoder = encoder(Schema(schema.visible))
        self._header = self._encoder.header.decode()

    def write(self, batch: Batch) -> Iterator[str]:
        for start in range(0, batch.num_rows, BLOCK_ROWS):
            yield from self._begun()
            yield self._encoder.encode(batch.slice(start, BLOCK_ROWS)).decode()

    def end(self, note: str = "") -> Iterator[str]:
        yield from self._begun()

    def _begun(self) -> Iterator[str]:
        header, self._header = self._header, ""
        if header:
            yield header
