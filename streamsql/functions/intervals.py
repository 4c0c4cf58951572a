"""Arithmetic of times and intervals.

At run time a day-time interval is a duration in milliseconds whatever its qualifier, a year-month interval a number of months
(int32): the two never meet in one signature but through INTERVAL, where the Arrow type tells them apart.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.arrays import Values, map_values
from streamsql.coercion import common_type
from streamsql.errors import InternalError
from streamsql.functions.arithmetic import checked, negated, without_zeros
from streamsql.functions.calendar import DAY, MILLISECONDS, MONTHS, add_months, months_between, truncate
from streamsql.functions.monotone import (
    difference_direction,
    negative_direction,
    product_direction,
    quotient_direction,
    sum_direction,
)
from streamsql.functions.numbers import as_double, convert_number, round_to_integer
from streamsql.functions.registry import scalar
from streamsql.rows import Datum, Rows
from streamsql.types import SqlType, interval


def _common(types: Sequence[SqlType]) -> SqlType:
    common = common_type(types[:2])
    if common is None:
        raise InternalError(f"no common type of {types[0]} and {types[1]}")
    return common


def _shifted(symbol: str, rows: Rows, t: Datum, i: Datum) -> Datum:
    """A DATE, TIME or TIMESTAMP moved by an interval, `+` or `-`."""
    sign = 1 if symbol == "+" else -1
    if pa.types.is_int32(i.type):
        if pa.types.is_date32(t.type):
            return map_values(lambda d, m: add_months(_days(d), sign * _wide(m)) // DAY, t.type, t, i)
        return map_values(lambda s, m: add_months(s, sign * _wide(m)), t.type, t, i)
    if pa.types.is_date32(t.type):
        return map_values(lambda d, s: (_days(d) + sign * s) // DAY, t.type, t, i)
    if pa.types.is_time32(t.type):
        return map_values(lambda c, s: (c + sign * s) % DAY, t.type, t, i)
    return checked(symbol, rows, t, i)


def _wide(months: Values) -> Values:
    return np.asarray(months, np.int64)


def _days(date: Values) -> Values:
    return np.asarray(date, np.int64) * DAY


@scalar("+(t: DATETIME, i: DAYTIME) -> t", fails=True, infix=True, monotone=sum_direction)
@scalar("+(t: TIMESTAMP, i: YEARMONTH) -> t", fails=True, infix=True, monotone=sum_direction)
@scalar("+(t: DATE, i: YEARMONTH) -> t", fails=True, infix=True, monotone=sum_direction)
def add_interval(rows: Rows, t: Datum, i: Datum) -> Datum:
    """A DATE, TIME or TIMESTAMP moved forward; a TIME goes round at midnight, a month too short gives its last day.

    >>> TIMESTAMP '2009-03-31 10:00:00' + INTERVAL '1' DAY
    2009-04-01 10:00:00
    >>> TIMESTAMP '2009-03-31 10:00:00' + INTERVAL '1' MONTH
    2009-04-30 10:00:00
    >>> DATE '2004-02-28' + INTERVAL '1' DAY
    2004-02-29
    >>> TIME '23:30:00' + INTERVAL '1' HOUR
    00:30:00
    """
    return _shifted("+", rows, t, i)


@scalar("+(i: DAYTIME, t: DATETIME) -> t", fails=True, infix=True, monotone=sum_direction)
@scalar("+(i: YEARMONTH, t: TIMESTAMP) -> t", fails=True, infix=True, monotone=sum_direction)
@scalar("+(i: YEARMONTH, t: DATE) -> t", fails=True, infix=True, monotone=sum_direction)
def add_to_interval(rows: Rows, i: Datum, t: Datum) -> Datum:
    """The same with the interval first.

    >>> INTERVAL '1' MINUTE + TIMESTAMP '2009-03-31 10:00:00'
    2009-03-31 10:01:00
    """
    return _shifted("+", rows, t, i)


@scalar("-(t: DATETIME, i: DAYTIME) -> t", fails=True, infix=True, monotone=difference_direction)
@scalar("-(t: TIMESTAMP, i: YEARMONTH) -> t", fails=True, infix=True, monotone=difference_direction)
@scalar("-(t: DATE, i: YEARMONTH) -> t", fails=True, infix=True, monotone=difference_direction)
def subtract_interval(rows: Rows, t: Datum, i: Datum) -> Datum:
    """A DATE, TIME or TIMESTAMP moved back.

    >>> TIMESTAMP '2018-05-09 12:50:41' - INTERVAL '5' MINUTE
    2018-05-09 12:45:41
    >>> TIMESTAMP '2009-03-31 10:00:00' - INTERVAL '1' MONTH
    2009-02-28 10:00:00
    """
    return _shifted("-", rows, t, i)


@scalar("+(i: DAYTIME, j: DAYTIME)", returns=_common, fails=True, infix=True, monotone=sum_direction)
@scalar("+(i: YEARMONTH, j: YEARMONTH)", returns=_common, fails=True, infix=True, monotone=sum_direction)
def add_intervals(rows: Rows, i: Datum, j: Datum) -> Datum:
    """The sum of two intervals, with the fields of both.

    >>> INTERVAL '1' DAY + INTERVAL '3' DAY
    +4
    >>> INTERVAL '1' DAY + INTERVAL '3 4' DAY TO HOUR
    +4 04
    >>> INTERVAL '1' YEAR + INTERVAL '3-4' YEAR TO MONTH
    +4-04
    """
    return checked("+", rows, i, j)


@scalar("-(i: DAYTIME, j: DAYTIME)", returns=_common, fails=True, infix=True, monotone=difference_direction)
@scalar("-(i: YEARMONTH, j: YEARMONTH)", returns=_common, fails=True, infix=True, monotone=difference_direction)
def subtract_intervals(rows: Rows, i: Datum, j: Datum) -> Datum:
    """The difference of two intervals, with the fields of both.

    >>> INTERVAL '1' DAY - INTERVAL '3 4' DAY TO HOUR
    -2 04
    """
    return checked("-", rows, i, j)


@scalar("NEGATE(i: INTERVAL) -> i", fails=True, infix=True, monotone=negative_direction)
def negate_interval(rows: Rows, i: Datum) -> Datum:
    """An interval with the other sign.

    >>> -INTERVAL '3 4' DAY TO HOUR
    -3 04
    """
    return negated(rows, i)


@scalar("*(i: INTERVAL, n: NUMERIC) -> i", fails=True, infix=True, monotone=product_direction)
def multiply_interval(rows: Rows, i: Datum, n: Datum) -> Datum:
    """An interval `n` times, to the nearest millisecond or month.

    >>> INTERVAL '3 4' DAY TO HOUR * 2
    +6 08
    >>> INTERVAL '1' HOUR * 0.5
    +0
    """
    length = i.cast(pa.int64())
    if pa.types.is_integer(n.type):
        product = checked("*", rows, length, n)
    else:
        product = round_to_integer(rows, pc.multiply(as_double(length), as_double(n)), pa.int64())
    return _as_interval(rows, product, i.type)


@scalar("*(n: NUMERIC, i: INTERVAL) -> i", fails=True, infix=True, monotone=product_direction)
def multiply_by_interval(rows: Rows, n: Datum, i: Datum) -> Datum:
    """The same with the number first.

    >>> 2 * INTERVAL '3 4' DAY TO HOUR
    +6 08
    >>> 5000 * INTERVAL '0 00:00:00.001' DAY TO SECOND
    +0 00:00:05
    """
    return multiply_interval(rows, i, n)


@scalar("/(i: INTERVAL, n: NUMERIC) -> i", fails=True, infix=True, monotone=quotient_direction)
def divide_interval(rows: Rows, i: Datum, n: Datum) -> Datum:
    """The `n`th part of an interval.

    >>> INTERVAL '3 4' DAY TO HOUR / 2
    +1 14
    >>> INTERVAL '1' DAY / 0
    error: division by zero
    """
    length = i.cast(pa.int64())
    if pa.types.is_integer(n.type):
        quotient = checked("/", rows, length, n)
    else:
        quotient = round_to_integer(rows, pc.divide(as_double(length), as_double(without_zeros(rows, i, n))), pa.int64())
    return _as_interval(rows, quotient, i.type)


def _as_interval(rows: Rows, length: Datum, type: pa.DataType) -> Datum:
    return convert_number(rows, length, type) if pa.types.is_int32(type) else length.cast(type)


def _qualified(types: Sequence[SqlType]) -> SqlType:
    """The interval between the units that are the last two arguments."""
    start, end = types[2].qualifier, types[3].qualifier
    if start is None or end is None:
        raise InternalError("MINUS_DATETIME needs the types of its units")
    return interval(start.start, end.start)


@scalar("MINUS_DATETIME(a: TIMESTAMP, b: TIMESTAMP, start: UNIT, end: UNIT)", returns=_qualified, monotone=difference_direction)
@scalar("MINUS_DATETIME(a: DATE, b: DATE, start: UNIT, end: UNIT)", returns=_qualified, monotone=difference_direction)
@scalar("MINUS_DATETIME(a: TIME, b: TIME, start: UNIT, end: UNIT)", returns=_qualified, monotone=difference_direction)
def minus_datetime(_rows: Rows, a: Datum, b: Datum, _start: str, end: str) -> Datum:
    """The time from `b` to `a`: what `(a - b) start TO end` means; fields below `end` are cut off.

    With one unit it is both `start` and `end`.  A result that exceeds the default precision of its qualifier is no error.

    >>> (TIME '12:03:34' - TIME '11:57:23') MINUTE TO SECOND
    +6:11
    >>> (TIME '12:03:34' - TIME '11:57:23') SECOND
    +371
    >>> (TIME '12:03:23' - TIME '11:57:23') MINUTE
    +6
    >>> (TIMESTAMP '2004-05-01 12:03:34' - TIMESTAMP '2004-04-29 11:57:23') DAY TO SECOND
    +2 00:06:11
    >>> (DATE '2004-12-02' - DATE '2003-12-01') DAY
    +367
    """
    if end in MONTHS:
        return map_values(lambda x, y: truncate(months_between(_instant(a, x), _instant(b, y)), MONTHS[end]), pa.int32(), a, b)
    type = pa.duration("ms")
    if end == "SECOND":
        return map_values(lambda x, y: _instant(a, x) - _instant(b, y), type, a, b)
    return map_values(lambda x, y: truncate(_instant(a, x) - _instant(b, y), MILLISECONDS[end]), type, a, b)


def _instant(datum: Datum, values: Values) -> Values:
    """Days or milliseconds as milliseconds since 1970."""
    return _days(values) if pa.types.is_date32(datum.type) else np.asarray(values, np.int64)
