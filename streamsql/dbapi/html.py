"""Rows as HTML, for notebooks: bounded in every direction, and every text escaped."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Any

import pyarrow as pa

from streamsql.types import Batch

ROWS = 20
"""Rows that are shown; of so many columns and characters of a value, too, that a page stays usable."""

COLUMNS = 50
CHARACTERS = 200

_RIGHT = ' style="text-align: right"'


def html_table(batch: Batch, remark: str) -> str:
    """The first rows and columns of a batch as a table, with a remark below it."""
    shown = batch.slice(0, ROWS).select(range(min(COLUMNS, batch.num_columns)))
    more = batch.num_columns - shown.num_columns
    sides = [_RIGHT if _is_number(field.type) else "" for field in shown.schema]
    heads = "".join(f"<th{side}>{escape(_cut(name))}</th>" for name, side in zip(shown.schema.names, sides))
    rows = "\n".join(
        "<tr>" + "".join(f"<td{side}>{_cell(value)}</td>" for value, side in zip(row, sides)) + "</tr>" for row in _rows(shown)
    )
    remarks = [f"{more:,} more columns"] if more else []
    below = "<br>".join(escape(text) for text in [*remarks, remark] if text)
    return f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>\n<p>{below}</p>"


def _rows(batch: Batch) -> list[tuple[Any, ...]]:
    columns = [_values(column) for column in batch.columns]
    return list(zip(*columns)) if columns else [()] * batch.num_rows


def _values(column: pa.Array) -> list[Any]:
    try:
        values: list[Any] = column.to_pylist()
    except (OverflowError, ValueError):  # a time that Python does not have
        values = column.cast(pa.string()).to_pylist()
    return values


def _cell(value: Any) -> str:
    if value is None:
        return "<i>NULL</i>"
    if isinstance(value, datetime):
        return escape(value.isoformat(" ", "milliseconds"))
    return escape(_cut(value.hex() if isinstance(value, bytes) else str(value)))


def _cut(text: str) -> str:
    return text if len(text) <= CHARACTERS else text[: CHARACTERS - 1] + "…"


def _is_number(type_: pa.DataType) -> bool:
    return bool(pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_))
