"""The text of values in JSON and CSV output, for whole Arrow arrays.

* DOUBLE and REAL: the shortest decimal text that gives back the same 64-bit or 32-bit value, always with a point or an
  exponent (`1.0`, `0.1`, `1e+10`).  NaN and the infinities are `NaN`, `Infinity` and `-Infinity`, in JSON between quotes.
* DECIMAL: all digits of its scale, never an exponent.
* TIMESTAMP: `yyyy-MM-dd HH:mm:ss.SSS`; DATE: `yyyy-MM-dd`; TIME: `HH:mm:ss.SSS`.
* BINARY: base64.
* Intervals as CAST AS VARCHAR prints them; records and maps: JSON objects; lists: JSON arrays.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.interval_text import interval_text
from streamsql.time import timestamp_text
from streamsql.types import Family, Kind, SqlType

_PLAIN_BELOW = 1e10
"""Whole numbers from here on are written with an exponent."""

_YEARS = (-62_135_596_800_000, 253_402_300_799_999)
"""The timestamps of the years 1 to 9999."""


def value_texts(array: pa.Array, type: SqlType) -> pa.Array:
    """The text of each value, NULL for NULL.  Character values are given as they are."""
    return _TEXTS[type.family](array, type)


def is_quoted(type: SqlType) -> bool:
    """Whether JSON writes values of this type between quotes."""
    return type.family not in (Family.NUMERIC, Family.BOOLEAN) and not type.is_nested


def special_numbers(array: pa.Array) -> pa.Array | None:
    """Where an array of numbers is NaN or infinite; None when it is nowhere."""
    if not pa.types.is_floating(array.type):
        return None
    special = pc.invert(pc.is_finite(array))
    return special if pc.any(special).as_py() else None


def _numbers(array: pa.Array, type: SqlType) -> pa.Array:
    texts = pc.cast(array, pa.string())
    if type.kind is Kind.DECIMAL:
        return _without_exponents(array, texts)
    if type.kind not in (Kind.REAL, Kind.DOUBLE):
        return texts
    whole = pc.and_(pc.equal(array, pc.trunc(array)), pc.less(pc.abs(array), _PLAIN_BELOW))
    if pc.any(whole).as_py():
        texts = pc.if_else(whole, pc.binary_join_element_wise(texts, ".0", ""), texts)
    special = special_numbers(array)
    if special is None:
        return texts
    names = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    return pa.array([names.get(text, text) for text in texts.to_pylist()], pa.string())


def _without_exponents(array: pa.Array, texts: pa.Array) -> pa.Array:
    if not pc.any(pc.match_substring(texts, "E")).as_py():
        return texts
    return pa.array([None if value is None else f"{value:f}" for value in array.to_pylist()], pa.string())


def _timestamps(array: pa.Array, _: SqlType) -> pa.Array:
    bounds = pc.min_max(pc.cast(array, pa.int64())).as_py()
    if bounds["min"] is None or (_YEARS[0] <= bounds["min"] and bounds["max"] <= _YEARS[1]):
        return pc.cast(array, pa.string())
    times = pc.cast(array, pa.int64()).to_pylist()
    return pa.array([None if time is None else timestamp_text(time) for time in times], pa.string())


def _binaries(array: pa.Array, _: SqlType) -> pa.Array:
    values = array.to_pylist()
    return pa.array([None if value is None else base64.b64encode(value).decode() for value in values], pa.string())


def _as_they_are(array: pa.Array, _: SqlType) -> pa.Array:
    return array


def _cast(array: pa.Array, _: SqlType) -> pa.Array:
    return pc.cast(array, pa.string())


def _intervals(array: pa.Array, type: SqlType) -> pa.Array:
    assert type.qualifier is not None
    lengths = pc.cast(array, pa.int64()).to_pylist()
    texts = [None if length is None else interval_text(length, type.qualifier) for length in lengths]
    return pa.array(texts, pa.string())


def _records(array: pa.Array, type: SqlType) -> pa.Array:
    names = [json.dumps(field.name, ensure_ascii=False) for field in type.fields]
    columns = [_json_values(column, field.type) for column, field in zip(array.flatten(), type.fields, strict=True)]
    rows = zip(*columns, strict=True) if columns else [()] * len(array)
    texts = [f"{{{', '.join(map(': '.join, zip(names, row, strict=True)))}}}" for row in rows]
    return pa.array(texts, pa.string(), mask=array.is_null().to_numpy(zero_copy_only=False))


def _lists(array: pa.Array, type: SqlType) -> pa.Array:
    elements = iter(_json_values(array.flatten(), type.fields[0].type))
    lengths = pc.list_value_length(array).to_pylist()
    return pa.array([None if n is None else f"[{', '.join(islice(elements, n))}]" for n in lengths], pa.string())


def _maps(array: pa.Array, type: SqlType) -> pa.Array:
    key, value = type.fields
    entries = array.cast(pa.list_(pa.struct([pa.field("key", key.type.arrow(), nullable=False), value.arrow()])))
    keys, values = entries.flatten().flatten()
    names = [json.dumps(text, ensure_ascii=False) for text in value_texts(keys, key.type).to_pylist()]
    members = map(": ".join, zip(names, _json_values(values, value.type), strict=True))
    lengths = pc.list_value_length(entries).to_pylist()
    return pa.array([None if n is None else f"{{{', '.join(islice(members, n))}}}" for n in lengths], pa.string())


def _json_values(array: pa.Array, type: SqlType) -> list[str]:
    """Each value as JSON has it."""
    is_bare = not is_quoted(type)

    def value(text: str | None) -> str:
        if text is None:
            return "null"
        return text if is_bare and text not in ("NaN", "Infinity", "-Infinity") else json.dumps(text, ensure_ascii=False)

    return [value(text) for text in value_texts(array, type).to_pylist()]


_TEXTS: dict[Family, Callable[[pa.Array, SqlType], pa.Array]] = {
    Family.NUMERIC: _numbers,
    Family.BOOLEAN: _cast,
    Family.CHARACTER: _as_they_are,
    Family.BINARY: _binaries,
    Family.DATE: _cast,
    Family.TIME: _cast,
    Family.TIMESTAMP: _timestamps,
    Family.DAY_TIME: _intervals,
    Family.YEAR_MONTH: _intervals,
    Family.ROW: _records,
    Family.ARRAY: _lists,
    Family.MAP: _maps,
    Family.NULL: _cast,
}


def octets(array: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    """The bytes of all values of a text array, one behind the other."""
    offsets = np.frombuffer(array.buffers()[1], np.int32, len(array) + 1, 4 * array.offset) if len(array) else None
    data = array.buffers()[2]
    if offsets is None or data is None:
        return np.zeros(0, np.uint8)
    return np.frombuffer(data, np.uint8, int(offsets[-1] - offsets[0]), int(offsets[0]))


class LineBuilder:
    """Builds one line a row out of constants and columns of text."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._parts: list[Any] = []

    def constant(self, text: str) -> None:
        """Text that stands in every line."""
        if self._parts and isinstance(self._parts[-1], str):
            self._parts[-1] += text
        else:
            self._parts.append(text)

    def column(self, texts: pa.Array) -> None:
        """Text that differs from line to line."""
        self._parts.append(texts)

    def joined(self, null: str) -> bytes:
        """All lines, with `null` in the place of NULLs."""
        if all(isinstance(part, str) for part in self._parts):
            return "".join(self._parts).encode() * self._rows
        lines = pc.binary_join_element_wise(*self._parts, "", null_handling="replace", null_replacement=null)
        return octets(lines).tobytes()
