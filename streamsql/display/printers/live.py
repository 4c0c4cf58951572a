"""The latest row of each key, as a table that is redrawn in its place.

Where no terminal redraws anything, the last picture is printed once, at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa

from streamsql.display.printers.canvas import MOST_KEYS, Canvas, is_label, named
from streamsql.display.printers.look import Look, footer
from streamsql.display.printers.table import TablePrinter
from streamsql.types import Batch, Schema


class LivePrinter:
    """The latest row of each key, redrawn whenever rows come.

    The keys are the columns that the user names, else those of text; a result without any is its latest row.
    """

    def __init__(self, schema: Schema, look: Look, running: bool) -> None:
        self._schema = Schema(schema.visible)
        self._look = look
        self._keys = named(self._schema, look.columns) or [i for i, f in enumerate(self._schema.fields) if is_label(f)]
        self._latest: pa.Table | None = None
        self._seen = 0
        self._canvas = Canvas(look)

    def write(self, batch: Batch) -> Iterator[str]:
        if batch.num_rows:
            self._seen += batch.num_rows
            self._keep(batch)
            yield from self._canvas.draw(self._picture(""))

    def end(self, note: str = "") -> Iterator[str]:
        yield from self._canvas.finish(self._picture(note))

    def _keep(self, batch: Batch) -> None:
        """Take the rows in, the last one of each key."""
        rows = pa.Table.from_batches([batch])
        rows = rows if self._latest is None else pa.concat_tables([self._latest, rows])
        keys = list(zip(*(rows.column(i).to_pylist() for i in self._keys), strict=True)) or [()] * rows.num_rows
        last = {key: row for row, key in enumerate(keys)}
        places = list(last.values())
        if len(places) > MOST_KEYS:
            places = [place for place in places if place in set(sorted(places)[-MOST_KEYS:])]
        self._latest = rows.take(pa.array(places, pa.int64())).combine_chunks()

    def _picture(self, note: str) -> list[str]:
        room = self._look.height - 4 if self._look.height else MOST_KEYS
        batches = self._latest.to_batches() if self._latest is not None else []
        count = self._latest.num_rows if self._latest is not None else 0
        left_out = max(0, count - room)
        table = TablePrinter(self._schema, replace(self._look, footer=False), running=False)
        texts = [text for batch in batches for text in table.write(batch.slice(left_out))]
        lines = "".join([*texts, *table.end()]).splitlines()
        notes = [f"the latest of {self._seen:,}", f"{left_out:,} have no room" if left_out else "", note]
        return [*lines, footer(count - left_out, *notes).rstrip("\n")]
