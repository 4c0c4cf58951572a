"""Functions of dates and times that Athena and Redshift have, beside those of the dialect.  Everything is in UTC."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.arrays import Values, map_values
from streamsql.functions.athena.time_units import LENGTHS, MONTH_UNITS, STAMP, WEEK, stamps, with_unit
from streamsql.functions.calendar import (
    DAY,
    add_months,
    floor_multiple,
    floor_to,
    month_start,
    months,
    months_between,
)
from streamsql.functions.registry import scalar
from streamsql.rows import Datum, Rows
from streamsql.types import DATE, TIMESTAMP, Kind, SqlType

BIGINT = pa.int64()
# -- parts of a time -----------------------------------------------------------------------------------------------------


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

    return with_unit(rows, unit, known, t.type, [t], floored)


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

    return with_unit(rows, unit, [*LENGTHS, *MONTH_UNITS], t.type, [n, t], moved)


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

    return with_unit(rows, unit, [*LENGTHS, *MONTH_UNITS], BIGINT, [a, b], between)


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

    return with_unit(rows, unit, [*LENGTHS, *MONTH_UNITS], BIGINT, [a, b], crossed)


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
