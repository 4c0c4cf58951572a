"""How results are to look, what a printer is, and the line that ends a result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from streamsql.types import Batch

BLOCK_ROWS = 8_192
"""Rows that are made into text at a time."""


@dataclass(frozen=True, slots=True)
class Look:
    """How results are to look.

    `expanded` is on (one value a line), off, or auto: on where a table has no room.  `width` is that of the terminal, None
    where lines may be of any length; `height` is None where nothing can be redrawn.  `footer`: whether the number of rows
    follows a table.  `columns` are those that the user names for a live table or a chart.  `header`: whether names stand
    above the columns.
    """

    format: str = "table"
    null: str = "NULL"
    expanded: str = "off"
    width: int | None = None
    footer: bool = True
    height: int | None = None
    columns: tuple[str, ...] = ()
    header: bool = True


class Printer(Protocol):
    """Turns the rows of one result into text."""

    def write(self, batch: Batch) -> Iterator[str]:
        """The text that is due after these rows."""
        ...

    def end(self, note: str = "") -> Iterator[str]:
        """The text that is left when no row follows; `note` is added to the number of rows."""
        ...


def footer(rows: int, *notes: str) -> str:
    """The line that says how many rows there were."""
    counted = "1 row" if rows == 1 else f"{rows:,} rows"
    return f"({'; '.join([counted, *filter(None, notes)])})\n"
