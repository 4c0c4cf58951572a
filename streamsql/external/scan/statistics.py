"""The least and greatest values that a Parquet file tells of its row groups and pages."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from decimal import Context, Decimal
from math import isnan
from typing import Any, Literal

import pyarrow as pa

from streamsql.external.scan.bounds import Bounds, unknown
from streamsql.external.scan.conform import conformed
from streamsql.external.scan.thrift import TRUE, Struct
from streamsql.types import SqlType

_UNITS = {"milliseconds": "ms", "microseconds": "us", "nanoseconds": "ns"}


def bounds(metadata: Any, leaf: int, groups: Sequence[int], wanted: SqlType) -> Bounds:
    """The bounds of a column in some row groups, as values of its declared type."""
    chunks = [metadata.row_group(number).column(leaf) for number in groups]
    known = [chunk.statistics if chunk.is_stats_set else None for chunk in chunks]
    null = pa.array([None if s is None or not s.has_null_count else s.null_count > 0 for s in known], pa.bool_())
    valid = pa.array(
        [None if s is None or not s.has_null_count else s.null_count < c.num_values for s, c in zip(known, chunks, strict=True)],
        pa.bool_(),
    )
    held = _held_type(metadata.schema.column(leaf))
    nothing = unknown(wanted, len(groups))
    if held is None:
        return Bounds(nothing.low, nothing.high, null, valid)
    ends = []
    for end in ("min", "max"):
        name = f"{end}_raw" if pa.types.is_temporal(held) else end
        values = [getattr(s, name) if s is not None and s.has_min_max else None for s in known]
        ends.append(conformed(_array(values, held), wanted))
    low, high = ends
    if low is None or high is None:
        return Bounds(nothing.low, nothing.high, null, valid)
    return Bounds(low, high, null, valid)


def page_bounds(index: Struct, column: Any, count: int, wanted: SqlType) -> Bounds:
    """The bounds of the pages of a column chunk by its ColumnIndex, as values of its declared type."""
    nothing, held = unknown(wanted, count), _held_type(column)
    decode = None if held is None else _decoder(held, column)
    if decode is None or not index:
        return nothing
    try:
        empty = [value == TRUE for value in index[1].value.values]
        values = [[None if e else decode(v) for e, v in zip(empty, index[end].value.values, strict=True)] for end in (2, 3)]
        nulls = index[5].value.values if 5 in index else []
        null = pa.array([n > 0 for n in nulls] if len(nulls) == count else [None] * count, pa.bool_())
        low, high = (conformed(_array(each, held), wanted) for each in values)
    except (ValueError, KeyError, AttributeError, TypeError, struct.error):
        return nothing
    unsure = any(isinstance(value, float) and isnan(value) for each in values for value in each)
    if low is None or high is None or unsure or len(empty) != count:
        return nothing
    return Bounds(low, high, null, pa.array([not e for e in empty], pa.bool_()))


def _decoder(held: pa.DataType, column: Any) -> Callable[[bytes], Any] | None:
    """From a value as a page has it, in plain encoding, to the value; None where that is not known."""
    form = _FORMS.get(column.physical_type)
    if pa.types.is_decimal(held):
        order: Literal["little", "big"] = "little" if form else "big"
        return lambda value: Decimal(int.from_bytes(value, order, signed=True)).scaleb(-held.scale, _WIDE)
    if form is not None:
        return lambda value: struct.unpack(form, value)[0]
    if pa.types.is_string(held):
        return bytes.decode
    return bytes if pa.types.is_binary(held) else None


_FORMS = {"INT32": "<i", "INT64": "<q", "FLOAT": "<f", "DOUBLE": "<d"}

_WIDE = Context(prec=100)


def _array(values: Sequence[Any], held: pa.DataType) -> pa.Array:
    if pa.types.is_temporal(held):
        return pa.array(values, pa.int32() if held.bit_width == 32 else pa.int64()).view(held)
    return pa.array(values, held)


def _held_type(column: Any) -> pa.DataType | None:
    """As what the values of a column are to be understood; None where their order may be another one."""
    logical = column.logical_type.type
    physical = column.physical_type
    if logical == "DECIMAL":
        return pa.decimal128(column.precision, column.scale) if column.precision <= 38 else None
    if logical == "DATE":
        return pa.date32()
    if logical == "TIMESTAMP":
        unit = _UNITS.get(json.loads(column.logical_type.to_json()).get("timeUnit", ""))
        return None if unit is None else pa.timestamp(unit)
    if logical == "STRING":
        return pa.string()
    if logical == "INT":
        facts = json.loads(column.logical_type.to_json())
        return pa.int64() if facts.get("isSigned") else None
    return _PLAIN.get(physical) if logical == "NONE" else None


_PLAIN = {
    "BOOLEAN": pa.bool_(),
    "INT32": pa.int32(),
    "INT64": pa.int64(),
    "FLOAT": pa.float32(),
    "DOUBLE": pa.float64(),
    "BYTE_ARRAY": pa.binary(),
}
