"""Parts of dates and times, as Athena and Redshift name them.  Everything is in UTC."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.functions.athena.time_units import stamps, with_unit
from streamsql.functions.registry import scalar
from streamsql.rows import Datum, Rows

BIGINT = pa.int64()

PARTS: dict[str, Callable[[Datum], Datum]] = {
    "YEAR": pc.year,
    "QUARTER": pc.quarter,
    "MONTH": pc.month,
    "WEEK": pc.iso_week,
    "DAY": pc.day,
    "DAY_OF_WEEK": lambda t: pc.day_of_week(t, count_from_zero=False),
    "DAY_OF_YEAR": pc.day_of_year,
    "HOUR": pc.hour,
    "MINUTE": pc.minute,
    "SECOND": pc.second,
    "MILLISECOND": pc.millisecond,
    "EPOCH": lambda t: pc.cast(pc.floor(pc.divide(pc.cast(pc.cast(t, pa.int64()), pa.float64()), 1000.0)), pa.int64()),
}


def _part(name: str, t: Datum) -> Datum:
    return pc.cast(PARTS[name](stamps(t)), BIGINT)


@scalar("YEAR(t: MOMENT) -> BIGINT", duckdb="year({t})")
def year(_rows: Rows, t: Datum) -> Datum:
    """The year.

    >>> YEAR(TIMESTAMP '2004-09-30 13:48:23')
    2004
    """
    return _part("YEAR", t)


@scalar("QUARTER(t: MOMENT) -> BIGINT", duckdb="quarter({t})")
def quarter(_rows: Rows, t: Datum) -> Datum:
    """The quarter of the year, 1 to 4.

    >>> QUARTER(TIMESTAMP '2004-09-30 13:48:23')
    3
    """
    return _part("QUARTER", t)


@scalar("MONTH(t: MOMENT) -> BIGINT", duckdb="month({t})")
def month(_rows: Rows, t: Datum) -> Datum:
    """The month of the year, 1 to 12.

    >>> MONTH(DATE '2004-09-30')
    9
    """
    return _part("MONTH", t)


@scalar("WEEK(t: MOMENT) -> BIGINT", duckdb="week({t})")
@scalar("WEEK_OF_YEAR(t: MOMENT) -> BIGINT", duckdb="week({t})")
def week(_rows: Rows, t: Datum) -> Datum:
    """The ISO week of the year.

    >>> WEEK(DATE '2004-12-31')
    53
    """
    return _part("WEEK", t)


@scalar("DAY(t: MOMENT) -> BIGINT", duckdb="day({t})")
@scalar("DAY_OF_MONTH(t: MOMENT) -> BIGINT", duckdb="day({t})")
def day(_rows: Rows, t: Datum) -> Datum:
    """The day of the month.

    >>> DAY(DATE '2004-09-30')
    30
    """
    return _part("DAY", t)


@scalar("DAY_OF_WEEK(t: MOMENT) -> BIGINT", duckdb="isodow({t})")
@scalar("DOW(t: MOMENT) -> BIGINT", duckdb="isodow({t})")
def day_of_week(_rows: Rows, t: Datum) -> Datum:
    """The day of the week, 1 for Monday to 7 for Sunday.

    >>> DAY_OF_WEEK(DATE '2004-09-30')
    4
    """
    return _part("DAY_OF_WEEK", t)


@scalar("DAY_OF_YEAR(t: MOMENT) -> BIGINT", duckdb="dayofyear({t})")
@scalar("DOY(t: MOMENT) -> BIGINT", duckdb="dayofyear({t})")
def day_of_year(_rows: Rows, t: Datum) -> Datum:
    """The day of the year, from 1.

    >>> DAY_OF_YEAR(DATE '2004-12-31')
    366
    """
    return _part("DAY_OF_YEAR", t)


@scalar("HOUR(t: MOMENT) -> BIGINT", duckdb="hour({t})")
def hour(_rows: Rows, t: Datum) -> Datum:
    """The hour of the day.

    >>> HOUR(TIMESTAMP '2004-09-30 13:48:23')
    13
    """
    return _part("HOUR", t)


@scalar("MINUTE(t: MOMENT) -> BIGINT", duckdb="minute({t})")
def minute(_rows: Rows, t: Datum) -> Datum:
    """The minute of the hour.

    >>> MINUTE(TIMESTAMP '2004-09-30 13:48:23')
    48
    """
    return _part("MINUTE", t)


@scalar("SECOND(t: MOMENT) -> BIGINT", duckdb="second({t})")
def second(_rows: Rows, t: Datum) -> Datum:
    """The second of the minute.

    >>> SECOND(TIMESTAMP '2004-09-30 13:48:23')
    23
    """
    return _part("SECOND", t)


@scalar("DATE_PART(unit: CHARACTER, t: MOMENT) -> BIGINT", fails=True)
@scalar("DATE_PART(unit: UNIT, t: MOMENT) -> BIGINT", fails=True)
def date_part(rows: Rows, unit: Datum | str, t: Datum) -> Datum:
    """A part of a time.

    It is year, quarter, month, week, day, day_of_week (dow: 1 for Monday), day_of_year (doy), hour, minute, second, millisecond
    or epoch (the seconds since 1970).

    >>> DATE_PART('dow', DATE '2004-09-30')
    4
    >>> DATE_PART(year, DATE '2004-09-30')
    2004
    """
    return with_unit(rows, unit, list(PARTS), BIGINT, [t], lambda name: _part(name, t))
