"""The rules of `streamsql.io.conversion` for whole Arrow arrays.

Every function gives None where it cannot do exactly what those rules say for each value of the array; the caller then goes
record by record.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.arrays import from_numbers, nulls, numbers
from streamsql.datetime_text import DAY, timestamps_of
from streamsql.io.conversion import EXACT_AS_DOUBLE
from streamsql.io.decoding import Target
from streamsql.types import Batch, Family, Field, Kind, SqlType

_DECIMAL = pa.decimal256(76, 18)
"""As what the numbers for a DECIMAL column are read, before they are rounded to its scale.

With 128 bits Arrow gives another number for one of more than 20 digits before the point, and says nothing.
"""

_DATE_LENGTH = len("yyyy-MM-dd")
_TIMESTAMP_LENGTH = len("yyyy-MM-dd HH:mm:ss")

_YEAR_1 = -62_135_596_800_000
"""The first timestamp that text can spell."""


class Spelling(Enum):
    """How a record spells a value."""

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number with a fraction or an exponent"
    TRUTH = "true or false"
    NESTED = "array or object"


def reading_type(spelling: Spelling, type: SqlType) -> pa.DataType | None:
    """As what a reader should read values so spelled for a column of this type; None: not as an Arrow value at all."""
    if spelling is Spelling.NESTED or type.family is Family.BINARY:
        return None
    if spelling is Spelling.TEXT:
        return pa.string()
    if type.family in (Family.DATE, Family.TIME, Family.TIMESTAMP):
        return None
    if spelling is Spelling.TRUTH:
        return pa.bool_()
    if type.kind is Kind.DECIMAL:
        return _DECIMAL
    if type.kind in (Kind.REAL, Kind.DOUBLE):
        return type.arrow()
    if type.is_character:
        return pa.int64() if spelling is Spelling.WHOLE else None
    return type.arrow() if type.is_integer and spelling is Spelling.WHOLE else pa.float64()


def convert_array(array: pa.Array, field: Field) -> pa.Array | None:
    """An array as it was read for a column, as the column's values; None where a value fits only by the exact rules."""
    if array.null_count and not field.nullable:
        return None
    if pa.types.is_temporal(array.type) and array.type == field.type.arrow():
        return array
    try:
        return _CONVERSIONS[field.type.family](array, field.type)
    except pa.ArrowInvalid:
        return None


def batch_of(arrays: Sequence[pa.Array], target: Target) -> Batch | None:
    """The rows of a target from an array for each of its columns and, where ROWTIME is none of them, one for ROWTIME."""
    values = []
    if target.rowtime is not None:
        index = target.rowtime_index
        values.append(rowtime_array(arrays[-1 if index is None else index]))
    values += [convert_array(array, field) for array, field in zip(arrays, target.fields, strict=False)]
    if any(value is None for value in values):
        return None
    return pa.RecordBatch.from_arrays(values, schema=target.schema.arrow())


def rowtime_array(array: pa.Array) -> pa.Array | None:
    """The ROWTIMEs that an array of texts or numbers gives."""
    if array.null_count or pa.types.is_boolean(array.type) or pa.types.is_float32(array.type):
        return None  # a REAL has lost digits already
    if pa.types.is_timestamp(array.type):
        return array
    try:
        if pa.types.is_string(array.type):
            moments = _timestamps(array)
            if moments is not None:
                return moments
        if pa.types.is_floating(array.type):
            array = pc.floor(array)
        milliseconds = _integers(array, pa.int64())
        return None if milliseconds is None else pc.cast(milliseconds, pa.timestamp("ms"))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def _numbers(array: pa.Array, type: SqlType) -> pa.Array | None:
    if type.kind is Kind.DECIMAL:
        return _decimals(array, type)
    if type.kind in (Kind.REAL, Kind.DOUBLE):
        return _finite(pc.cast(array, type.arrow()))
    return _integers(array, type.arrow())


def _integers(array: pa.Array, type: pa.DataType) -> pa.Array | None:
    if pa.types.is_string(array.type) and pc.any(pc.match_substring(array, "x", ignore_case=True)).as_py():
        return None  # Arrow takes 0x1F for a number
    if (
        pa.types.is_floating(array.type)
        and not pc.all(pc.less(pc.abs(array), EXACT_AS_DOUBLE)).as_py()
        and len(array) > array.null_count
    ):
        return None
    return pc.cast(array, type)


def _finite(array: pa.Array) -> pa.Array | None:
    return array if pc.all(pc.is_finite(array)).as_py() is not False else None


def _decimals(array: pa.Array, type: SqlType) -> pa.Array | None:
    if pa.types.is_boolean(array.type):
        array = pc.cast(array, pa.int8())
    exact = array if pa.types.is_decimal(array.type) else pc.cast(array, _DECIMAL)
    return pc.cast(pc.round(exact, type.scale, "half_towards_infinity"), type.arrow())


def _booleans(array: pa.Array, _: SqlType) -> pa.Array | None:
    if pa.types.is_string(array.type):
        return pc.equal(pc.utf8_lower(pc.utf8_trim_whitespace(array)), "true")
    return array if pa.types.is_boolean(array.type) else pc.not_equal(array, 0)


def _characters(array: pa.Array, type: SqlType) -> pa.Array:
    text = pc.cast(array, pa.string())
    if type.length is None:
        return text
    longest = pc.max(pc.binary_length(text)).as_py()
    if longest is not None and longest > type.length:
        text = pc.utf8_slice_codeunits(text, 0, type.length)
    return pc.utf8_rpad(text, type.length) if type.kind is Kind.CHAR else text


def _timestamps(array: pa.Array, _: SqlType | None = None) -> pa.Array | None:
    if pc.any(pc.ends_with(array, "Z")).as_py():
        if not pc.all(pc.ends_with(array, "Z")).as_py():
            return None
        array = pc.utf8_slice_codeunits(array, 0, -1)
    return timestamps_of(array, iso=True)


def _dates(array: pa.Array, _: SqlType) -> pa.Array | None:
    longest = pc.max(pc.binary_length(array)).as_py()
    moments = pc.cast(array, pa.timestamp("ms")) if longest == _DATE_LENGTH else _timestamps(array)
    return None if moments is None or _before_year_1(moments) else pc.cast(moments, pa.date32(), safe=False)


def _before_year_1(moments: pa.Array) -> bool:
    first = pc.min(pc.cast(moments, pa.int64())).as_py()
    return first is not None and first < _YEAR_1


def _times(array: pa.Array, _: SqlType) -> pa.Array | None:
    shortest = pc.min(pc.binary_length(array)).as_py()
    if shortest is not None and shortest < _TIMESTAMP_LENGTH:
        array = pc.binary_join_element_wise("1970-01-01 ", array, "")
    moments = _timestamps(array)
    return None if moments is None else from_numbers(numbers(moments) % DAY, pa.time32("ms"), nulls(moments))


_CONVERSIONS: dict[Family, Callable[[pa.Array, SqlType], pa.Array | None]] = {
    Family.NUMERIC: _numbers,
    Family.BOOLEAN: _booleans,
    Family.CHARACTER: _characters,
    Family.TIMESTAMP: _timestamps,
    Family.DATE: _dates,
    Family.TIME: _times,
}
