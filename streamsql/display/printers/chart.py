"""Numbers as sparklines that move while a query runs, and as bars when it has ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.display.printers.canvas import MOST_KEYS, Canvas, is_label, named
from streamsql.display.printers.cells import cell_texts
from streamsql.display.printers.look import Look, footer
from streamsql.display.width import cut, fill, printable, text_width
from streamsql.errors import ProgrammingError
from streamsql.types import Batch, Schema

BARS = "▁▂▃▄▅▆▇█"
"""The eighths of a sparkline."""

PARTS = " ▏▎▍▌▋▊▉"
"""The eighths at the end of a bar."""

LABEL = 24
"""The columns that the label of a line may take."""

POINTS = 60
"""The values that a sparkline shows where the terminal is wider."""


@dataclass(slots=True)
class Series:
    """One line of a chart: its label, the values that are shown, and what the last one is called."""

    label: str
    values: deque[float]
    last: str


class ChartPrinter:
    """Numbers as sparklines while a query runs, as bars when all its rows are there.

    The numbers are those of the columns that the user names, else of the last column of numbers; the label of a line is what
    stands in the columns of text.
    """

    def __init__(self, schema: Schema, look: Look, running: bool) -> None:
        fields = schema.visible
        numbers = [i for i, f in enumerate(fields) if f.type.is_numeric]
        if not numbers:
            raise ProgrammingError("a chart needs a column of numbers", hint=f"there are {', '.join(f.name for f in fields)}")
        self._values = named(Schema(fields), look.columns) or numbers[-1:]
        for index in self._values:
            if not fields[index].type.is_numeric:
                raise ProgrammingError(f"{fields[index].name} is no column of numbers: {fields[index].type}")
        self._labels = [i for i, f in enumerate(fields) if is_label(f) and i not in self._values]
        self._fields = fields
        self._look = look
        self._running = running
        self._series: dict[tuple[str, int], Series] = {}
        self._seen = 0
        self._canvas = Canvas(look)

    def write(self, batch: Batch) -> Iterator[str]:
        if not batch.num_rows:
            return
        self._seen += batch.num_rows
        labels = self._label_texts(batch)
        for index in self._values:
            texts = cell_texts(batch.column(index), self._fields[index].type).to_pylist()
            for row, value in enumerate(pc.cast(batch.column(index), pa.float64(), safe=False).to_pylist()):
                if value is not None:
                    self._add(labels[row], index, value, texts[row])
        if self._running:
            yield from self._canvas.draw(self._picture(""))

    def end(self, note: str = "") -> Iterator[str]:
        yield from self._canvas.finish(self._picture(note))

    def _label_texts(self, batch: Batch) -> list[str]:
        if not self._labels:
            return [""] * batch.num_rows
        texts = [cell_texts(batch.column(i), self._fields[i].type) for i in self._labels]
        columns = [pc.fill_null(each, self._look.null).to_pylist() for each in texts]
        return [" ".join(parts) for parts in zip(*columns, strict=True)]

    def _add(self, label: str, index: int, value: float, text: str) -> None:
        """One more value.  While a query runs it goes on its label's line; else each row is a line of its own."""
        key = (label if self._running else f"{label}\0{len(self._series)}", index)
        series = self._series.pop(key, None) if self._running else None
        if series is None:
            title = " ".join(filter(None, [label, self._fields[index].name if len(self._values) > 1 or not label else ""]))
            series = Series(title, deque(maxlen=POINTS), "")
        series.values.append(value)
        series.last = text
        self._series[key] = series
        if len(self._series) > MOST_KEYS:
            del self._series[next(iter(self._series))]

    def _picture(self, note: str) -> list[str]:
        room = self._look.height - 3 if self._look.height and self._running else MOST_KEYS
        shown = list(self._series.values())[-room:]
        if self._running:
            shown.sort(key=lambda each: each.label)
        left_out = len(self._series) - len(shown)
        label = min(LABEL, max((text_width(printable(each.label)) for each in shown), default=0))
        number = max((text_width(each.last) for each in shown), default=0)
        width = max(8, (self._look.width or 80) - label - number - 5)
        low, high = _range(shown)
        draw = _sparkline if self._running else _bar
        lines = []
        for each in shown:
            title = fill(cut(printable(each.label), label), label)
            lines.append(f" {title} {fill(each.last, number, right=True)} {draw(each, low, high, min(width, POINTS))}".rstrip())
        notes = [f"{self._fields[i].name}" for i in self._values[:1]] + [f"{left_out:,} have no room" if left_out else "", note]
        return [*lines, footer(self._seen, *notes).rstrip("\n")]


def _range(series: Sequence[Series]) -> tuple[float, float]:
    """The least and the greatest finite value of all lines, so that they can be compared."""
    values = [value for each in series for value in each.values if abs(value) != float("inf") and value == value]
    return (min(values), max(values)) if values else (0.0, 0.0)


def _sparkline(series: Series, low: float, high: float, width: int) -> str:
    span = (high - low) or 1.0
    shown = list(series.values)[-width:]
    return "".join(_eighth((value - low) / span) for value in shown)


def _eighth(share: float) -> str:
    if share != share:
        return " "
    return BARS[min(len(BARS) - 1, max(0, int(share * len(BARS))))]


def _bar(series: Series, low: float, high: float, width: int) -> str:
    """A bar from zero, or from the least value where there are negative ones."""
    base = min(0.0, low)
    share = (series.values[-1] - base) / ((high - base) or 1.0)
    if share != share or share in (float("inf"), float("-inf")):
        return ""
    eighths = round(share * width * 8)
    return "█" * (eighths // 8) + PARTS[eighths % 8].strip()
