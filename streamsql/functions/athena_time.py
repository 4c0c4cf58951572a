"""Functions of dates and times that Athena and Redshift have, beside those of the dialect.  Everything is in UTC."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.arrays import Values, map_values
from streamsql.functions.calendar import (
    DAY,
    MILLISECONDS,
    add_months,
    floor_multiple,
    floor_to,
    month_start,
    months,
    months_between,
)
from streamsql.functions.registry import scalar
from streamsql.rows import Datum, ErrorName, Rows, mask_of
from streamsql.types import DATE, TIMESTAMP, Kind, SqlType

STAMP = pa.timestamp("ms")
BIGINT = pa.int64()
WEEK = 7 * DAY

MONTH_UNITS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
"""The units of a number of months."""

LENGTHS = {"MILLISECOND": 1, **MILLISECONDS, "WEEK": WEEK}
"""The units of a fixed number of milliseconds."""

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

SPELLINGS = {
    "YEARS": "YEAR", "Y": "YEAR", "YR": "YEAR", "QTR": "QUARTER", "MONTHS": "MONTH", "MON": "MONTH", "WEEKS": "WEEK", "W": "WEEK",
    "DAYS": "DAY", "D": "DAY", "HOURS": "HOUR", "H": "HOUR", "HR": "HOUR", "MINUTES": "MINUTE", "M": "MINUTE", "MIN": "MINUTE",
    "SECONDS": "SECOND", "S": "SECOND", "SEC": "SECOND", "MILLISECONDS": "MILLISECOND", "MS": "MILLISECOND",
    "DOW": "DAY_OF_WEEK", "DAYOFWEEK": "DAY_OF_WEEK", "DOY": "DAY_OF_YEAR", "DAYOFYEAR": "DAY_OF_YEAR",
}  # fmt: skip
"""Other names of the units."""


def _unit(unit: str, known: Sequence[str]) -> str:
    """The unit that a text names; raises ValueError."""
    name = SPELLINGS.get(unit.upper(), unit.upper())
    if name not in known:
        raise ValueError(f"no unit {unit}: there are {', '.join(known).lower()}")
    return name


def _with_unit(
    rows: Rows,
    unit: Datum | str,
    known: Sequence[str],
    type: pa.DataType,
    others: Sequence[Datum],
    function: Callable[[str], Datum],
) -> Datum:
    """What `function` gives for the unit of each row; a row whose unit is none fails, where no other argument is NULL."""
    unit = pa.scalar(unit) if isinstance(unit, str) else unit
    result = pa.nulls(rows.count, type)
    units = rows.column(unit)
    complete = ~np.logical_or.reduce([mask_of(pc.is_null(rows.column(other)), rows) for other in others])
    for text in units.unique().to_pylist():
        if text is None:
            continue
        here = mask_of(pc.equal(units, text), rows)
        try:
            values = rows.column(function(_unit(text, known)))
        except ValueError as error:
            rows.fail(here & complete, str(error), ErrorName.ARGUMENT)
            continue
        result = pc.if_else(pa.array(here), values, result)
    return result


def stamps(t: Datum) -> Datum:
    """Dates as the moments at which they begin."""
    return t.cast(STAMP) if t.type == pa.date32() else t


# -- parts of a time -----------------------------------------------------------------------------------------------------


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
    return _with_unit(rows, unit, list(PARTS), BIGINT, [t], lambda name: _part(name, t))


# -- moving ----------------------------------------------------------------------------------------------------------------


def _same_kind(types: Sequence[SqlType]) -> SqlType:
    return DATE if types[-1].kind is Kind.DATE else TIMESTAMP


@scalar("DATE_TRUNC(unit: CHARACTER, t: MOMENT)", returns=_same_kind, fails=True)
def date_trunc(rows: Rows, unit: Datum, t: Datum) -> Datum:
    """The start of the year, quarter, month, week (a Monday), day, hour, minute or second of a time.

    >>> DATE_TRUNC('month', TIMESTAMP '2004-09-30 13:48:23')
    2004-09-01 00:00:00
    >>> DATE_TRUNC('week', DATE '2004-09-30')
    2004-09-27
    >>> DATE_TRUNC('age', DATE '2004-09-30')
    error: no unit age: there are millisecond, second, minute, hour, day, week, month, quarter, year
    """
    known = [*LENGTHS, *MONTH_UNITS]

    def floored(name: str) -> Datum:
        return map_values(lambda v: _floored(v, name), STAMP, stamps(t)).cast(t.type)

    return _with_unit(rows, unit, known, t.type, [t], floored)


def _floored(t: Values, unit: str) -> Values:
    if unit == "QUARTER":
        return month_start(floor_multiple(months(t), 3))
    if unit == "WEEK":  # the day before 1970 was a Wednesday: weeks begin three days earlier
        return floor_multiple(t + 3 * DAY, WEEK) - 3 * DAY
    return t if unit == "MILLISECOND" else floor_to(t, unit)


@scalar("DATE_ADD(unit: CHARACTER, n: INTEGRAL, t: MOMENT)", returns=_same_kind, fails=True)
@scalar("DATEADD(unit: UNIT, n: INTEGRAL, t: MOMENT)", returns=_same_kind, fails=True)
@scalar("DATEADD(unit: CHARACTER, n: INTEGRAL, t: MOMENT)", returns=_same_kind, fails=True)
def date_add(rows: Rows, unit: Datum | str, n: Datum, t: Datum) -> Datum:
    """A time so many units later; a month that is too short gives its last day.

    >>> DATE_ADD('month', 1, DATE '2004-01-31')
    2004-02-29
    >>> DATEADD(hour, -2, TIMESTAMP '2004-09-30 13:48:23')
    2004-09-30 11:48:23
    """

    def moved(name: str) -> Datum:
        if name in MONTH_UNITS:
            return _moved(lambda v, count: add_months(v, count * MONTH_UNITS[name]))
        return _moved(lambda v, count: v + count * LENGTHS[name])

    def _moved(function: Callable[..., Values]) -> Datum:
        return map_values(function, STAMP, stamps(t), pc.cast(n, BIGINT)).cast(t.type, safe=False)

    return _with_unit(rows, unit, [*LENGTHS, *MONTH_UNITS], t.type, [n, t], moved)


@scalar("DATE_DIFF(unit: CHARACTER, a: MOMENT, b: MOMENT) -> BIGINT", fails=True)
def date_diff(rows: Rows, unit: Datum, a: Datum, b: Datum) -> Datum:
    """Whole units from `a` to `b`, as Athena counts them.

    >>> DATE_DIFF('day', TIMESTAMP '2004-09-29 23:00:00', TIMESTAMP '2004-09-30 01:00:00')
    0
    >>> DATE_DIFF('month', DATE '2004-01-31', DATE '2004-03-01')
    1
    """

    def between(name: str) -> Datum:
        if name in MONTH_UNITS:
            size = MONTH_UNITS[name]
            return map_values(lambda x, y: _cut(months_between(y, x), size), BIGINT, stamps(a), stamps(b))
        return map_values(lambda x, y: _cut(y - x, LENGTHS[name]), BIGINT, stamps(a), stamps(b))

    return _with_unit(rows, unit, [*LENGTHS, *MONTH_UNITS], BIGINT, [a, b], between)


def _cut(span: Values, size: int) -> Values:
    """How often `size` goes into a span, cut toward zero."""
    quotient: Values = np.sign(span) * (np.abs(span) // size)
    return quotient


@scalar("DATEDIFF(unit: UNIT, a: MOMENT, b: MOMENT) -> BIGINT", fails=True)
@scalar("DATEDIFF(unit: CHARACTER, a: MOMENT, b: MOMENT) -> BIGINT", fails=True)
def datediff(rows: Rows, unit: Datum | str, a: Datum, b: Datum) -> Datum:
    """How many starts of units lie between `a` and `b`, as Redshift counts them.

    >>> DATEDIFF(day, TIMESTAMP '2004-09-29 23:00:00', TIMESTAMP '2004-09-30 01:00:00')
    1
    """

    def crossed(name: str) -> Datum:
        if name in MONTH_UNITS:
            size = MONTH_UNITS[name]
            return map_values(lambda x, y: months(y) // size - months(x) // size, BIGINT, stamps(a), stamps(b))
        return map_values(lambda x, y: (_floored(y, name) - _floored(x, name)) // LENGTHS[name], BIGINT, stamps(a), stamps(b))

    return _with_unit(rows, unit, [*LENGTHS, *MONTH_UNITS], BIGINT, [a, b], crossed)


@scalar("LAST_DAY_OF_MONTH(t: MOMENT) -> DATE")
@scalar("LAST_DAY(t: MOMENT) -> DATE")
def last_day(_rows: Rows, t: Datum) -> Datum:
    """The last day of the month of a time.

    >>> LAST_DAY_OF_MONTH(TIMESTAMP '2004-02-11 10:00:00')
    2004-02-29
    """
    return map_values(lambda v: month_start(months(v) + 1) // DAY - 1, pa.date32(), stamps(t))


# -- other forms -------------------------------------------------------------------------------------------------------------


@scalar("FROM_UNIXTIME(seconds: NUMERIC) -> TIMESTAMP", fails=True)
def from_unixtime(_rows: Rows, seconds: Datum) -> Datum:
    """The time so many seconds after 1970.

    >>> FROM_UNIXTIME(1096552103)
    2004-09-30 13:48:23
    >>> FROM_UNIXTIME(0.5)
    1970-01-01 00:00:00.500
    """
    milliseconds = pc.multiply(pc.cast(seconds, pa.float64(), safe=False), 1000.0)

    def rounded(values: Values) -> Values:
        whole: Values = np.round(values).astype(np.int64)
        return whole

    return map_values(rounded, STAMP, milliseconds)


@scalar("TO_UNIXTIME(t: TIMESTAMP) -> DOUBLE", duckdb="epoch({t})")
def to_unixtime(_rows: Rows, t: Datum) -> Datum:
    """The seconds since 1970.

    >>> TO_UNIXTIME(TIMESTAMP '1970-01-01 00:00:01.500')
    1.5
    """
    return map_values(lambda v: v / 1000.0, pa.float64(), t)


@scalar("ADD_MONTHS(t: MOMENT, n: INTEGRAL)", returns=lambda types: _same_kind(types[:1]), fails=True)
def add_months_to(rows: Rows, t: Datum, n: Datum) -> Datum:
    """A time so many months later, as DATE_ADD has it.

    >>> ADD_MONTHS(DATE '2024-01-31', 1)
    2024-02-29
    """
    return date_add(rows, pa.scalar("month"), n, t)


@scalar("TRUNC(t: TIMESTAMP) -> DATE", duckdb="CAST({t} AS DATE)")
def trunc(_rows: Rows, t: Datum) -> Datum:
    """The day of a time.

    >>> TRUNC(TIMESTAMP '2004-09-30 13:48:23')
    2004-09-30
    """
    return pc.floor_temporal(t, unit="day").cast(pa.date32())


@scalar("NOW() -> TIMESTAMP", volatile=True)
@scalar("GETDATE() -> TIMESTAMP", volatile=True)
def now(rows: Rows) -> Datum:
    """The time at which the statement began, as CURRENT_TIMESTAMP.

    >>> NOW() = CURRENT_TIMESTAMP
    TRUE
    """
    return pa.scalar(rows.time.started, STAMP)
