"""Results as text, in the form that the user has chosen.

A `Printer` gets the batches of one result one after another and gives the text for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from streamsql.display.printers.chart import ChartPrinter
from streamsql.display.printers.encoded import EncodedPrinter
from streamsql.display.printers.live import LivePrinter
from streamsql.display.printers.look import Look, Printer
from streamsql.display.printers.markdown import MarkdownPrinter
from streamsql.display.printers.table import TablePrinter
from streamsql.display.printers.vertical import VerticalPrinter
from streamsql.io.csv_encoder import CsvEncoder
from streamsql.io.json.lines import JsonLinesEncoder
from streamsql.types import Batch, Schema


def printer(schema: Schema, look: Look, running: bool = False) -> Printer:
    """The printer of a result with these columns.  `running`: rows come one by one and are to be seen at once."""
    return FORMATS[look.format](schema, look, running)


def render(schema: Schema, batches: Iterable[Batch], look: Look) -> str:
    """All of a finished result as one text."""
    to_text = printer(schema, look)
    parts = [text for batch in batches for text in to_text.write(batch)]
    return "".join([*parts, *to_text.end()])


def _table(schema: Schema, look: Look, running: bool) -> Printer:
    if look.expanded == "on":
        return VerticalPrinter(schema, look, running)
    return TablePrinter(schema, look, running)


FORMATS: dict[str, Callable[[Schema, Look, bool], Printer]] = {
    "table": _table,
    "vertical": VerticalPrinter,
    "csv": lambda schema, look, _running: EncodedPrinter(schema, lambda s: CsvEncoder(s, look.header)),
    "json": lambda schema, _look, _running: EncodedPrinter(schema, JsonLinesEncoder),
    "markdown": MarkdownPrinter,
    "live": LivePrinter,
    "chart": ChartPrinter,
}
"""A new form of results is one more entry."""
