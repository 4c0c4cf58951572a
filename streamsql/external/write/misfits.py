"""Which rows a table cannot keep: what its delimiters cannot tell apart, and what has no place among its partitions."""

from __future__ import annotations

from collections.abc import Callable
from itertools import compress
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.external.formats import FileKind
from streamsql.external.table import ExternalTable
from streamsql.external.write.delimited import Style
from streamsql.external.write.forms import style_of
from streamsql.external.write.places import Key, keys_of, places_of
from streamsql.io.texts import value_texts
from streamsql.time import Time
from streamsql.types import Batch, Field

Misfits: TypeAlias = Callable[[Batch], dict[int, str]]
"""Gives the rows that cannot be kept, and why; batches have the columns of the table, with or without ROWTIME in front."""


def misfits_of(table: ExternalTable, now: Callable[[], Time]) -> Misfits:
    """What finds the rows that a table cannot keep."""
    place, known = places_of(table, now), set[Key]()
    style = style_of(table) if table.kind is FileKind.DELIMITED else None
    columns = [column.field for column in table.columns]

    def find(batch: Batch) -> dict[int, str]:
        offset = batch.num_columns - len(columns) - len(table.keys)
        found: dict[int, str] = {}
        for number, field in enumerate(columns if style is not None else ()):
            assert style is not None
            for row in _untellable(batch.column(offset + number), field, style):
                found.setdefault(
                    row, f"column {field.name} of {table.full_name} has a delimiter or a line break, or is as NULL is"
                )
        if not table.keys:
            return found
        keys, which = keys_of([batch.column(offset + len(columns) + i) for i in range(len(table.keys))], table.key_fields)
        for number, key in enumerate(keys):
            if key in known:
                continue
            if place(key) is not None:
                known.add(key)
            else:
                for row in np.flatnonzero(which == number).tolist():
                    found.setdefault(row, f"{table.full_name} has no partition {_written(table, key)}")
        return found

    return find


def _untellable(column: pa.Array, field: Field, style: Style) -> list[int]:
    """The rows whose texts would be read as others."""
    texts = value_texts(column, field.type)
    wrong = pc.match_substring(texts, "\n")
    if style.null:
        wrong = pc.or_(wrong, pc.equal(texts, style.null))
    if style.escape is None:
        wrong = pc.or_(wrong, pc.match_substring(texts, style.delimiter))
    marks = pc.fill_null(wrong, False).to_pylist()
    return list(compress(range(len(marks)), marks))


def _written(table: ExternalTable, key: Key) -> str:
    return "/".join(f"{k.name}={'NULL' if text is None else text}" for k, text in zip(table.keys, key, strict=True))[:200]
