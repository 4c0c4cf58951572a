"""CAST and implicit conversion: from a pair of types to the function that converts a column.

An explicit CAST fails a row whose text does not fit, an assignment (INSERT, arguments) cuts it.  Numbers that do not fit fail
in both.  Intervals are cut even by an explicit CAST, as the reference's examples show.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.arrays import from_numbers, from_unscaled, map_values, nulls, numbers
from streamsql.coercion import assignable, castable
from streamsql.datetime_text import (
    dates_text,
    parse_date,
    parse_time,
    parse_timestamp,
    times_cast_text,
    timestamps_cast_text,
    timestamps_of,
)
from streamsql.errors import InternalError
from streamsql.functions.calendar import DAY, MILLISECONDS, MONTHS, truncate
from streamsql.functions.java.number_text import numbers_text, parse_numbers
from streamsql.functions.numbers import convert_number
from streamsql.interval_text import interval_text, parse_interval
from streamsql.rows import Datum, ErrorName, Rows, map_rows
from streamsql.types import Family, IntervalQualifier, Kind, SqlType

Converter = Callable[[Rows, Datum], Datum]
"""From a datum of the source's Arrow type to one of the target's; failing rows are reported and NULL."""

ColumnConverter = Callable[[Rows, pa.Array], pa.Array]


def converter(source: SqlType, target: SqlType, assignment: bool) -> Converter | None:
    """How values of `source` become values of `target`; None where they never do.

    `assignment`: by itself, as in an INSERT, not by an explicit CAST.
    """
    if not (assignable if assignment else castable)(source, target):
        return None
    if source.kind is Kind.NULL:
        type = target.arrow()
        return lambda rows, x: pa.scalar(None, type) if isinstance(x, pa.Scalar) else pa.nulls(rows.count, type)
    if source == target or source.family is Family.ROW:
        return _unchanged
    return CONVERSIONS[source.family, target.family](source, target, assignment)


def _unchanged(_rows: Rows, x: Datum) -> Datum:
    return x


def _of_columns(convert: ColumnConverter) -> Converter:
    """A conversion of arrays made one of datums: a scalar is converted once, and when it fails, all rows do."""

    def apply(rows: Rows, x: Datum) -> Datum:
        if not isinstance(x, pa.Scalar):
            return convert(rows, x)
        once = Rows(pa.record_batch([pa.nulls(1)], [""]), rows.time)
        result = convert(once, pa.repeat(x, 1))
        for failure in once.failures.values():
            rows.fail(np.ones(rows.count, bool), failure.message, failure.name)
        return result[0]

    return apply


# --------------------------------------------------------------------------------------------------------------- text


def _fitted(source: SqlType, target: SqlType, assignment: bool) -> ColumnConverter | None:
    """How text of `source` is brought to the length of `target`: cut or refused, padded; None: it always fits."""
    limit, fixed = target.length, target.kind is Kind.CHAR
    if limit is None or (source.is_character and source.length is not None and source.length <= limit and not fixed):
        return None
    cuts = assignment or source.is_interval

    def fit(rows: Rows, text: pa.Array) -> pa.Array:
        longest = pc.max(pc.binary_length(text)).as_py()
        if longest is not None and longest > limit:
            text = _shortened(rows, text, target, cuts)
        return pc.utf8_rpad(text, limit, " ") if fixed else text

    return fit


def _shortened(rows: Rows, text: pa.Array, target: SqlType, cuts: bool) -> pa.Array:
    """Texts cut to the target's length; where anything but blanks would be lost and `cuts` is not allowed, the row fails."""
    if not cuts:
        needed = pc.utf8_length(pc.utf8_rtrim(text, " "))
        failing = pc.fill_null(pc.greater(needed, target.length), False)
        if pc.any(failing).as_py():
            rows.fail(
                failing.to_numpy(zero_copy_only=False),
                lambda i: f'"{text[i]}" does not fit into {target}',
                ErrorName.COERCION,
            )
            text = pc.if_else(failing, pa.scalar(None, pa.string()), text)
    return pc.utf8_slice_codeunits(text, 0, target.length)


def _to_text(print_: Callable[[pa.Array], pa.Array]) -> Callable[[SqlType, SqlType, bool], Converter]:
    """The maker of conversions that print values with `print_` and fit the text into the target."""

    def make(source: SqlType, target: SqlType, assignment: bool) -> Converter:
        fit = _fitted(source, target, assignment)
        if fit is None:
            return _of_columns(lambda _rows, x: print_(x))
        return _of_columns(lambda rows, x: fit(rows, print_(x)))

    return make


def _text_to_text(source: SqlType, target: SqlType, assignment: bool) -> Converter:
    fit = _fitted(source, target, assignment)
    return _unchanged if fit is None else _of_columns(fit)


def _booleans_text(x: pa.Array) -> pa.Array:
    return pc.if_else(x, "TRUE", "FALSE")


def _interval_to_text(source: SqlType, target: SqlType, assignment: bool) -> Converter:
    qualifier = _qualifier(source)

    def print_(x: pa.Array) -> pa.Array:
        values = x.cast(pa.int64()).to_pylist()
        return pa.array([None if v is None else interval_text(v, qualifier) for v in values], pa.string())

    return _to_text(print_)(source, target, assignment)


def _text_to_boolean(_source: SqlType, _target: SqlType, _assignment: bool) -> Converter:
    def convert(rows: Rows, text: pa.Array) -> pa.Array:
        word = pc.utf8_upper(pc.utf8_trim_whitespace(text))
        failing = pc.invert(pc.fill_null(pc.is_in(word, pa.array(["TRUE", "FALSE", "UNKNOWN"])), True))
        failing = pc.and_(failing, pc.is_valid(text))
        if pc.any(failing).as_py():
            rows.fail(failing.to_numpy(zero_copy_only=False), lambda i: f'For input string: "{text[i]}"', ErrorName.COERCION)
        known = pc.is_in(word, pa.array(["TRUE", "FALSE"]))
        return pc.if_else(known, pc.equal(word, "TRUE"), pa.scalar(None, pa.bool_()))

    return _of_columns(convert)


def _text_to_number(_source: SqlType, target: SqlType, _assignment: bool) -> Converter:
    type = target.arrow()
    return _of_columns(lambda rows, text: parse_numbers(rows, text, type))


def _parsed(rows: Rows, text: pa.Array, parse: Callable[[str], int], type: pa.DataType) -> pa.Array:
    return map_rows(rows, lambda value: parse(value.strip()), [text], type, ErrorName.COERCION)


def _text_to_timestamp(_source: SqlType, target: SqlType, _assignment: bool) -> Converter:
    def convert(rows: Rows, text: pa.Array) -> pa.Array:
        regular = timestamps_of(text)
        return _parsed(rows, text, parse_timestamp, target.arrow()) if regular is None else regular

    return _of_columns(convert)


def _text_to_date_or_time(_source: SqlType, target: SqlType, _assignment: bool) -> Converter:
    parse = parse_date if target.kind is Kind.DATE else parse_time
    return _of_columns(lambda rows, text: _parsed(rows, text, parse, target.arrow()))


def _text_to_interval(_source: SqlType, target: SqlType, _assignment: bool) -> Converter:
    qualifier = _qualifier(target)
    return _of_columns(lambda rows, text: _parsed(rows, text, lambda t: parse_interval(t, qualifier), target.arrow()))


# ------------------------------------------------------------------------------------- numbers, bytes, times, intervals


def _number_to_number(_source: SqlType, target: SqlType, _assignment: bool) -> Converter:
    type = target.arrow()
    return _of_columns(lambda rows, x: convert_number(rows, x, type))


def _bytes_to_bytes(_source: SqlType, target: SqlType, assignment: bool) -> Converter:
    """Bytes cut or refused like text; BINARY is padded with zeros."""
    limit, fixed = target.length, target.kind is Kind.BINARY
    if limit is None:
        return _unchanged

    def fit(value: bytes) -> bytes:
        if len(value) > limit and not assignment:
            raise ValueError(f"{len(value)} bytes do not fit into {target}")
        return value[:limit].ljust(limit, b"\0") if fixed else value[:limit]

    return _of_columns(lambda rows, x: map_rows(rows, fit, [x], pa.binary(), ErrorName.COERCION))


def _date_to_timestamp(_source: SqlType, target: SqlType, _assignment: bool) -> Converter:
    return lambda _rows, x: map_values(lambda v: v.astype(np.int64) * DAY, target.arrow(), x)


def _time_to_timestamp(_source: SqlType, target: SqlType, _assignment: bool) -> Converter:
    """The time of the day on which the query started."""

    def convert(rows: Rows, x: Datum) -> Datum:
        today = rows.time.started // DAY * DAY
        return map_values(lambda v: v.astype(np.int64) + today, target.arrow(), x)

    return convert


def _timestamp_to_date(_source: SqlType, target: SqlType, _assignment: bool) -> Converter:
    return lambda _rows, x: map_values(lambda v: v // DAY, target.arrow(), x)


def _timestamp_to_time(_source: SqlType, target: SqlType, _assignment: bool) -> Converter:
    return lambda _rows, x: map_values(lambda v: v % DAY, target.arrow(), x)


def _same(_source: SqlType, _target: SqlType, _assignment: bool) -> Converter:
    return _unchanged


def _interval_to_interval(source: SqlType, target: SqlType, _assignment: bool) -> Converter:
    """Fields below the target's last are cut off."""
    end = _qualifier(target).end
    if end in ("SECOND", "MONTH"):
        return _unchanged
    unit = MONTHS.get(end) or MILLISECONDS[end]
    return lambda _rows, x: map_values(lambda v: truncate(v, unit), source.arrow(), x)


def _interval_to_number(source: SqlType, target: SqlType, _assignment: bool) -> Converter:
    """The one field of the interval, SECOND with its fraction."""
    unit = _qualifier(source).end
    type = target.arrow()

    def convert(rows: Rows, x: pa.Array) -> pa.Array:
        values, null = numbers(x).astype(np.int64), nulls(x)
        if unit == "SECOND":
            return convert_number(rows, from_unscaled(values, pa.decimal128(18, 3), null), type)
        length = MONTHS.get(unit) or MILLISECONDS[unit]
        whole = truncate(values, length) // length
        return convert_number(rows, from_numbers(whole, pa.int64(), null), type)

    return _of_columns(convert)


def _qualifier(type: SqlType) -> IntervalQualifier:
    if type.qualifier is None:
        raise InternalError(f"an interval without qualifier: {type}")
    return type.qualifier


CONVERSIONS: dict[tuple[Family, Family], Callable[[SqlType, SqlType, bool], Converter]] = {
    (Family.NUMERIC, Family.NUMERIC): _number_to_number,
    (Family.NUMERIC, Family.CHARACTER): _to_text(numbers_text),
    (Family.CHARACTER, Family.CHARACTER): _text_to_text,
    (Family.CHARACTER, Family.NUMERIC): _text_to_number,
    (Family.CHARACTER, Family.BOOLEAN): _text_to_boolean,
    (Family.CHARACTER, Family.DATE): _text_to_date_or_time,
    (Family.CHARACTER, Family.TIME): _text_to_date_or_time,
    (Family.CHARACTER, Family.TIMESTAMP): _text_to_timestamp,
    (Family.CHARACTER, Family.DAY_TIME): _text_to_interval,
    (Family.CHARACTER, Family.YEAR_MONTH): _text_to_interval,
    (Family.BOOLEAN, Family.BOOLEAN): _same,
    (Family.BOOLEAN, Family.CHARACTER): _to_text(_booleans_text),
    (Family.BINARY, Family.BINARY): _bytes_to_bytes,
    (Family.DATE, Family.DATE): _same,
    (Family.DATE, Family.TIMESTAMP): _date_to_timestamp,
    (Family.DATE, Family.CHARACTER): _to_text(dates_text),
    (Family.TIME, Family.TIME): _same,
    (Family.TIME, Family.TIMESTAMP): _time_to_timestamp,
    (Family.TIME, Family.CHARACTER): _to_text(times_cast_text),
    (Family.TIMESTAMP, Family.TIMESTAMP): _same,
    (Family.TIMESTAMP, Family.DATE): _timestamp_to_date,
    (Family.TIMESTAMP, Family.TIME): _timestamp_to_time,
    (Family.TIMESTAMP, Family.CHARACTER): _to_text(timestamps_cast_text),
    (Family.DAY_TIME, Family.DAY_TIME): _interval_to_interval,
    (Family.DAY_TIME, Family.NUMERIC): _interval_to_number,
    (Family.DAY_TIME, Family.CHARACTER): _interval_to_text,
    (Family.YEAR_MONTH, Family.YEAR_MONTH): _interval_to_interval,
    (Family.YEAR_MONTH, Family.NUMERIC): _interval_to_number,
    (Family.YEAR_MONTH, Family.CHARACTER): _interval_to_text,
}
"""One maker for each pair of `coercion.CASTABLE`."""
