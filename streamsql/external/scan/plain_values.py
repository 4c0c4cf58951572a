"""Values as the plain encoding of a Parquet column has them: the bytes of which Bloom filters keep the hashes.

A file's values become those of the declared type when they are read, so it is the other way round that is asked for here: which
values of the file become this one.  Where there may be more than can be named (a finer unit of time, more digits, texts that are
cut), nothing is known.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterable, Mapping
from decimal import Context, Decimal
from typing import Any, Literal

from streamsql.types import Kind, SqlType

_WIDE = Context(prec=100)

_SIZES = {"INT32": 4, "INT64": 8}
"""The bytes of a whole number."""

_FLOATS = {"FLOAT": "<f", "DOUBLE": "<d"}

Encoded = tuple[bytes, ...]
"""What a file may hold for one value; nothing where that is not known."""


def plain_values(values: Iterable[Any], type: SqlType, column: Any) -> list[bytes] | None:
    """What a column of a file (as pyarrow's schema shows it) may hold for any of some values of a declared type.

    TIMESTAMP is whole milliseconds, DATE whole days.  None where that is not known of all values.
    """
    encode = _ENCODINGS.get(type.kind)
    if encode is None:
        return None
    encoded = [encode(value, type, column) for value in values]
    return [each for of_one in encoded for each in of_one] if all(encoded) else None


def _integer(value: int, _: SqlType, column: Any) -> Encoded:
    logical = column.logical_type
    if logical.type not in ("NONE", "INT"):
        return ()
    signed = logical.type == "NONE" or json.loads(logical.to_json())["isSigned"]
    return _whole(value, _SIZES.get(column.physical_type, 0), "little", signed)


def _float(value: float, type: SqlType, column: Any) -> Encoded:
    form = _FLOATS.get(column.physical_type)
    if form is None or column.logical_type.type != "NONE" or (type.kind is Kind.REAL and form != "<f"):
        return ()
    try:
        encoded = struct.pack(form, value)
    except OverflowError:
        return ()
    if struct.unpack(form, encoded) != (value,):
        return ()
    return (encoded,) if value else (struct.pack(form, 0.0), struct.pack(form, -0.0))


def _decimal(value: Decimal, type: SqlType, column: Any) -> Encoded:
    if column.logical_type.type != "DECIMAL" or column.scale > type.scale:
        return ()
    unscaled = value.scaleb(column.scale, _WIDE)
    if unscaled != int(unscaled):
        return ()
    if column.physical_type == "FIXED_LEN_BYTE_ARRAY":
        return _whole(int(unscaled), column.length, "big")
    return _whole(int(unscaled), _SIZES.get(column.physical_type, 0), "little")  # of as few bytes as it takes, or more: who knows


def _text(value: str | bytes, type: SqlType, column: Any) -> Encoded:
    """Longer ones are cut, so one that is as long as can be may have been another."""
    texts = column.physical_type == "BYTE_ARRAY" and column.logical_type.type in ("STRING", "ENUM", "JSON", "NONE")
    if not texts or (type.length is not None and len(value) >= type.length):
        return ()
    return (value.encode() if isinstance(value, str) else value,)


def _date(value: int, _: SqlType, column: Any) -> Encoded:
    return _whole(value, 4, "little") if column.logical_type.type == "DATE" else ()


def _timestamp(value: int, _: SqlType, column: Any) -> Encoded:
    logical = column.logical_type
    held = logical.type == "TIMESTAMP" and json.loads(logical.to_json())["timeUnit"] == "milliseconds"
    return _whole(value, 8, "little") if held else ()


def _whole(value: int, size: int, order: Literal["little", "big"], signed: bool = True) -> Encoded:
    """A whole number of so many bytes, where it is one."""
    try:
        return (value.to_bytes(size, order, signed=signed),) if size else ()
    except OverflowError:
        return ()


_ENCODINGS: Mapping[Kind, Callable[[Any, SqlType, Any], Encoded]] = {
    **dict.fromkeys((Kind.TINYINT, Kind.SMALLINT, Kind.INTEGER, Kind.BIGINT), _integer),
    Kind.REAL: _float,
    Kind.DOUBLE: _float,
    Kind.DECIMAL: _decimal,
    Kind.VARCHAR: _text,
    Kind.VARBINARY: _text,
    Kind.DATE: _date,
    Kind.TIMESTAMP: _timestamp,
}
