"""Where the rows with some values of the partition keys are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from streamsql.external.changes import folder_text
from streamsql.external.partitions import LOCATION, NULL_VALUE, typed
from streamsql.external.projection import Injected, Projection
from streamsql.external.table import ExternalTable, prefix
from streamsql.io.texts import value_texts
from streamsql.time import Time
from streamsql.types import Field

Key: TypeAlias = tuple[str | None, ...]
"""Values of the partition keys as texts, None for NULL."""

Place: TypeAlias = Callable[[Key], str | None]
"""The location of the files of a key; None where there can be none."""

LONGEST = 255
"""Bytes of the name of a folder: what file systems take."""


def key_texts(array: pa.Array, field: Field) -> list[str | None]:
    """The values of a partition key as texts.  An empty text is NULL, as Hive has it: a folder cannot say it."""
    return [text or None for text in value_texts(array, field.type).to_pylist()]


def keys_of(columns: Sequence[pa.Array], fields: Sequence[Field]) -> tuple[list[Key], npt.NDArray[np.intp]]:
    """The keys that some rows have, in the order of their first rows, and which of them each row has."""
    codes = np.zeros(len(columns[0]), np.intp)
    for column, field in zip(columns, fields, strict=True):
        encoded = column.dictionary_encode(null_encoding="encode")
        texts = key_texts(encoded.dictionary, field)
        same = {text: code for code, text in enumerate(texts)}
        code_of = np.array([same[text] for text in texts], np.intp)
        codes = codes * len(texts) + code_of[encoded.indices.to_numpy()]
        _, codes = np.unique(codes, return_inverse=True)
    _, firsts, codes = np.unique(codes, return_index=True, return_inverse=True)
    order = np.argsort(firsts)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    rows = pa.array(firsts[order])
    texts_of = [key_texts(column.take(rows), field) for column, field in zip(columns, fields, strict=True)]
    return list(zip(*texts_of, strict=True)), rank[codes]


def folders(location: str, names: Sequence[str]) -> Place:
    """Hive's folders `name=value` below a location."""

    def place(key: Key) -> str | None:
        parts = [f"{n}={folder_text(NULL_VALUE if text is None else text)}" for n, text in zip(names, key, strict=True)]
        if any(len(part.encode()) > LONGEST for part in parts):
            return None
        path = "".join(f"{part}/" for part in parts)
        return prefix(location) + (path.replace("%", "%25") if location.startswith("file://") else path)

    return place


def places_of(table: ExternalTable, now: Callable[[], Time]) -> Place:
    """Where a table keeps each partition: where it is registered or projected, else in Hive's folders.

    `now` gives what NOW means in a projection, whose last days come while the table is written.
    Raises the errors of a projection that is not configured.
    """
    projection = table.projection() if table.keys else None
    if projection is not None:
        return _projected(projection, table.key_fields, now)
    made = folders(table.location, [key.name for key in table.keys])
    known = _registered(table)
    return lambda key: known.get(key) or made(key)


def _registered(table: ExternalTable) -> dict[Key, str]:
    rows = table.partitions.rows
    texts = [key_texts(rows[field.name].combine_chunks(), field) for field in table.key_fields]
    return dict(zip(zip(*texts, strict=True), rows[LOCATION].to_pylist(), strict=True)) if texts else {}


def _projected(projection: Projection, keys: Sequence[Field], now: Callable[[], Time]) -> Place:
    """The template filled in with the texts that the projection has for the values."""
    known: dict[str, tuple[Time, dict[str | None, str]]] = {}

    def spelled(field: Field, text: str | None) -> str | None:
        column, at = projection.columns[field.name], now()
        if isinstance(column, Injected):
            return text
        made_at, texts = known.get(field.name, (None, {}))
        if text not in texts and made_at != at:
            made = column(at)
            texts = dict(zip(key_texts(made.values, field), made.texts.to_pylist(), strict=True))
            known[field.name] = (at, texts)
        return texts.get(text)

    def place(key: Key) -> str | None:
        texts = {field.name: spelled(field, text) for field, text in zip(keys, key, strict=True)}
        if None in texts.values():
            return None
        return "".join(str(texts[part]) if i % 2 else part for i, part in enumerate(projection.template))

    return place


def registered(table: ExternalTable, found: Mapping[Key, str]) -> ExternalTable:
    """The table with partitions at these locations too; those that it knows stay, and a projection needs none."""
    if not table.keys or table.projection() is not None:
        return table
    known = _registered(table)
    new = {key: location for key, location in found.items() if key not in known}
    if not new:
        return table
    columns = [typed(list(texts), field) for texts, field in zip(zip(*new, strict=True), table.key_fields, strict=True)]
    keys = pa.table(columns, names=[field.name for field in table.key_fields])
    return replace(table, partitions=table.partitions.added(keys, list(new.values())))
