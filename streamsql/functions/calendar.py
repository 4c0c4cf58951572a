"""Calendar arithmetic on arrays of milliseconds since 1970 (proleptic Gregorian, UTC, floor division before 1970)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from streamsql.arrays import Values

DAY = 86_400_000
"""Milliseconds of a day."""

MILLISECONDS = {"SECOND": 1_000, "MINUTE": 60_000, "HOUR": 3_600_000, "DAY": DAY}
"""The units of a fixed length."""

MONTHS = {"MONTH": 1, "YEAR": 12}
"""The units of a number of months."""


def floor_to(t: Values, unit: str) -> Values:
    """The start of the unit that `t` lies in."""
    if unit in MONTHS:
        return month_start(floor_multiple(months(t), MONTHS[unit]))
    return floor_multiple(t, MILLISECONDS[unit])


def ceil_to(t: Values, unit: str) -> Values:
    """The first start of a unit at or after `t`."""
    if unit in MONTHS:
        return month_start(floor_multiple(months(t - 1), MONTHS[unit]) + MONTHS[unit])
    step = MILLISECONDS[unit]
    return floor_multiple(t + (step - 1), step)


def floor_multiple(x: Values, step: int | np.integer | Values) -> Values:
    """The largest multiple of `step` that is not above `x`."""
    quotient: Values = np.floor_divide(x, step)
    return np.multiply(quotient, step)


def months(t: Values) -> Values:
    """Whole months from 1970-01 to the month of `t`."""
    number: Values = np.asarray(t, np.int64).view("datetime64[ms]").astype("datetime64[M]").astype(np.int64)
    return number


def month_start(month: Values) -> Values:
    """The first millisecond of a month that is given by its number since 1970-01."""
    start: Values = np.asarray(month, np.int64).view("datetime64[M]").astype("datetime64[ms]").astype(np.int64)
    return start


def add_months(t: Values, number: Values) -> Values:
    """`t` some months later: the same day and time, or the last day of a month that is too short for it."""
    month = months(t)
    start = month_start(month + number)
    length = month_start(month + number + 1) - start
    since = t - month_start(month)
    day, clock = since // DAY, since % DAY
    later: Values = start + np.minimum(day, length // DAY - 1) * DAY + clock
    return later


def months_between(a: Values, b: Values) -> Values:
    """Whole months from `b` to `a`, cut toward zero."""
    number = months(a) - months(b)
    rest = (a - month_start(months(a))) - (b - month_start(months(b)))
    early = (number > 0) & (rest < 0)
    late = (number < 0) & (rest > 0)
    whole: Values = number - early + late
    return whole


def truncate(x: Values, step: int) -> Values:
    """A span of time without what is less than `step`, cut toward zero."""
    whole: Values = x - np.fmod(x, step)
    return whole


def in_milliseconds(values: Values, type: pa.DataType) -> Values:
    """Days or milliseconds as milliseconds since 1970."""
    wide = np.asarray(values, np.int64)
    return wide * DAY if pa.types.is_date32(type) else wide
