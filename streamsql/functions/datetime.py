"""Functions of dates, times and intervals: EXTRACT, epoch milliseconds, the current time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from streamsql.arrays import Values, from_unscaled, map_values, nulls, numbers
from streamsql.functions.arithmetic import checked
from streamsql.functions.calendar import DAY, in_milliseconds, month_start, months
from streamsql.functions.monotone import Monotonicity, ascending_in
from streamsql.functions.registry import scalar
from streamsql.functions.rounding import check_unit
from streamsql.rows import Datum, Rows
from streamsql.types import BIGINT, SqlType, decimal

TIMESTAMP = pa.timestamp("ms")


def _field_type(types: Sequence[SqlType]) -> SqlType:
    check_unit(types[0], types[1])
    qualifier = types[0].qualifier
    return decimal(5, 3) if qualifier is not None and qualifier.start == "SECOND" else BIGINT


@scalar("EXTRACT(unit: UNIT FROM t: DATETIME)", returns=_field_type)
@scalar("EXTRACT(unit: UNIT FROM i: INTERVAL)", returns=_field_type)
def extract(rows: Rows, unit: str, t: Datum) -> Datum:
    """A field of a time or interval: BIGINT, but DECIMAL(5, 3) for SECOND, with its milliseconds.

    >>> EXTRACT(DAY FROM INTERVAL '2 3:4:5.678' DAY TO SECOND)
    2
    >>> EXTRACT(HOUR FROM INTERVAL '2 3:4:5.678' DAY TO SECOND)
    3
    >>> EXTRACT(SECOND FROM INTERVAL '2 3:4:5.678' DAY TO SECOND)
    5.678
    >>> EXTRACT(MONTH FROM TIMESTAMP '2004-09-30 13:48:23')
    9
    """
    interval = pa.types.is_duration(t.type) or pa.types.is_int32(t.type)
    field = _interval_field if interval else _time_field
    if unit != "SECOND":
        return map_values(lambda v: field(in_milliseconds(v, t.type), unit), pa.int64(), t)
    column = rows.column(t)
    seconds = field(in_milliseconds(numbers(column), column.type), "SECOND")
    return from_unscaled(seconds, pa.decimal128(5, 3), nulls(column))


_SPANS = {"HOUR": (3_600_000, 24), "MINUTE": (60_000, 60), "SECOND": (1, 60_000)}
"""The length of a field's unit and how many of it there are; SECOND counts milliseconds."""


def _time_field(t: Values, unit: str) -> Values:
    if unit == "YEAR":
        return months(t) // 12 + 1970
    if unit == "MONTH":
        return months(t) % 12 + 1
    if unit == "DAY":
        return (t - month_start(months(t))) // DAY + 1
    length, count = _SPANS[unit]
    return t // length % count


def _interval_field(i: Values, unit: str) -> Values:
    sign, size = np.sign(i), np.abs(i)
    if unit == "YEAR":
        return size // 12 * sign
    if unit == "MONTH":
        return size % 12 * sign
    if unit == "DAY":
        return size // DAY * sign
    length, count = _SPANS[unit]
    return size // length % count * sign


@scalar("TSDIFF(start: TIMESTAMP, end: TIMESTAMP) -> BIGINT", fails=True, duckdb="(epoch_ms({end}) - epoch_ms({start}))")
@scalar("TSDIFF(start: BIGINT, end: BIGINT) -> BIGINT", fails=True, duckdb="({end} - {start})")
def tsdiff(rows: Rows, start: Datum, end: Datum) -> Datum:
    """The milliseconds from `start` to `end`, negative when `end` is the earlier one.

    [X] One page gives the arguments as TIMESTAMP, the other as epoch milliseconds: both are accepted.  The order is as
    documented, although a widely copied sample has it the other way round.

    >>> TSDIFF(TIMESTAMP '2004-09-30 13:48:23', TIMESTAMP '2004-09-30 13:48:24')
    1000
    >>> TSDIFF(CAST(NULL AS TIMESTAMP), TIMESTAMP '2004-09-30 13:48:24')
    NULL
    """
    return checked("-", rows, end.cast(pa.int64()), start.cast(pa.int64()))


@scalar("TO_TIMESTAMP(milliseconds: BIGINT) -> TIMESTAMP", monotone=ascending_in(0))
def to_timestamp(_rows: Rows, milliseconds: Datum) -> Datum:
    """The time so many milliseconds after 1970-01-01 00:00:00.

    >>> TO_TIMESTAMP(1525870241337)
    2018-05-09 12:50:41.337
    """
    return milliseconds.cast(TIMESTAMP)


@scalar("UNIX_TIMESTAMP(t: TIMESTAMP) -> BIGINT", monotone=ascending_in(0), duckdb="epoch_ms({t})")
def unix_timestamp(_rows: Rows, t: Datum) -> Datum:
    """The milliseconds (not seconds) from 1970-01-01 00:00:00 to a time.

    >>> UNIX_TIMESTAMP(TIMESTAMP '2018-05-09 12:50:41')
    1525870241000
    """
    return t.cast(pa.int64())


def _ascending(_directions: Sequence[Monotonicity], _constants: Sequence[Any]) -> Monotonicity:
    return Monotonicity.ASCENDING


@scalar("CURRENT_TIMESTAMP() -> TIMESTAMP")
@scalar("LOCALTIMESTAMP() -> TIMESTAMP", monotone=_ascending)
def current_timestamp(rows: Rows) -> Datum:
    """The moment at which the query started, UTC: the same in all its rows.

    >>> CURRENT_TIMESTAMP = LOCALTIMESTAMP
    TRUE
    """
    return pa.scalar(rows.time.started, TIMESTAMP)


@scalar("CURRENT_DATE() -> DATE", monotone=_ascending)
def current_date(rows: Rows) -> Datum:
    """The day on which the query started, UTC.

    >>> CURRENT_DATE = CAST(CURRENT_TIMESTAMP AS DATE)
    TRUE
    """
    return pa.scalar(rows.time.started // DAY, pa.date32())


@scalar("CURRENT_TIME() -> TIME")
@scalar("LOCALTIME() -> TIME", monotone=_ascending)
def current_time(rows: Rows) -> Datum:
    """The time of day at which the query started, UTC.

    >>> LOCALTIME = CAST(CURRENT_TIMESTAMP AS TIME)
    TRUE
    """
    return pa.scalar(rows.time.started % DAY, pa.time32("ms"))


@scalar("CURRENT_ROW_TIMESTAMP() -> TIMESTAMP", volatile=True, monotone=_ascending)
def current_row_timestamp(rows: Rows) -> Datum:
    """The time at which the row is processed, read from the clock once for the rows that are processed together.

    >>> CURRENT_ROW_TIMESTAMP >= CURRENT_TIMESTAMP
    TRUE
    """
    return pa.scalar(rows.now, TIMESTAMP)


@scalar("MONOTONIC(x: ANY) -> x", monotone=_ascending)
def monotonic(_rows: Rows, x: Datum) -> Datum:
    """The argument as it is, declared to ascend with the rows; when it does not, the result of a GROUP BY is unspecified.

    >>> MONOTONIC(7)
    7
    """
    return x
