"""From the texts of fields to values, as Hive's SerDes read them: whatever the text is."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.io.columns import convert_array
from streamsql.io.conversion import NUMBER, convert
from streamsql.io.decoding import Unfit
from streamsql.types import Family, Field, Kind

_STORAGE = {Family.DATE: pa.int32(), Family.TIMESTAMP: pa.int64()}
"""As what times are kept."""


def field_values(texts: pa.Array, field: Field, strict: bool) -> tuple[pa.Array, list[int]]:
    """The values of a column, NULL where a text is none; `strict` gives the rows of such texts."""
    if field.type.is_character:
        made = convert_array(texts, field)
        return (texts if made is None else made), []
    texts = pc.if_else(pc.equal(pc.utf8_trim_whitespace(texts), ""), None, texts)
    if field.type.kind is Kind.BOOLEAN:
        lower = pc.utf8_lower(pc.utf8_trim_whitespace(texts))
        known = pc.is_in(lower, pa.array(["true", "false"]))
        return pc.if_else(known, pc.equal(lower, "true"), None), _wrong(pc.and_not(texts.is_valid(), known), strict)
    made = None if strict and field.type.is_datetime else convert_array(texts, field)
    if made is not None:
        return made, []
    values = [_value(text, field, strict) for text in texts.to_pylist()]
    storage = _STORAGE.get(field.type.family)
    made = pa.array(values, field.type.arrow()) if storage is None else pa.array(values, storage).view(field.type.arrow())
    return made, _wrong(pc.and_(texts.is_valid(), made.is_null()), strict)


def _wrong(mask: pa.Array, strict: bool) -> list[int]:
    """The rows that fail, where any do."""
    return list(pc.indices_nonzero(mask.cast(pa.uint8())).to_pylist()) if strict else []


def _value(text: str | None, field: Field, strict: bool) -> Any:
    """A value, or None; OpenCSVSerde also takes days and milliseconds since 1970."""
    if text is None:
        return None
    if strict and field.type.kind in (Kind.DATE, Kind.TIMESTAMP) and NUMBER.fullmatch(text.strip()):
        return int(float(text))
    with suppress(Unfit):
        return convert(text, field.type)
    return None
