"""FLOOR and CEIL of dates, times and intervals to a unit, and STEP: what windows are made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.arrays import Values, map_values, number
from streamsql.errors import ProgrammingError
from streamsql.functions.calendar import (
    DAY,
    MILLISECONDS,
    MONTHS,
    ceil_to,
    floor_multiple,
    floor_to,
    in_milliseconds,
    month_start,
    months,
)
from streamsql.functions.monotone import ascending_in
from streamsql.functions.registry import scalar
from streamsql.rows import Datum, ErrorName, Rows, mask_of
from streamsql.time import Time
from streamsql.types import SqlType

TIMESTAMP = pa.timestamp("ms")


def _whole(t: Time) -> Values:
    return np.array([t], np.int64)


def next_floor(t: Time, unit: str) -> Time:
    """The first time after `t` with another FLOOR: the start of the next unit."""
    return int(ceil_to(_whole(t + 1), unit)[0])


def next_ceil(t: Time, unit: str) -> Time:
    """The first time after `t` with another CEIL: a unit's start still belongs to the unit before it."""
    return int(ceil_to(_whole(t), unit)[0]) + 1


def next_step(t: Time, length: int) -> Time:
    """The first time after `t` with another STEP of so many milliseconds."""
    return (t // length + 1) * length


def next_month_step(t: Time, length: int) -> Time:
    """The first time after `t` with another STEP of so many months."""
    month = floor_multiple(months(_whole(t)), length) + length
    return int(month_start(month)[0])


@scalar(
    "FLOOR(t: TIMESTAMP TO unit: UNIT) -> t",
    monotone=ascending_in(0),
    next_change=next_floor,
    duckdb="date_trunc('{unit}', {t})",
)
def floor_timestamp(_rows: Rows, t: Datum, unit: str) -> Datum:
    """The start of the YEAR, MONTH, DAY, HOUR, MINUTE or SECOND that a time lies in.

    >>> FLOOR(TIMESTAMP '2004-09-30 13:48:23' TO HOUR)
    2004-09-30 13:00:00
    >>> FLOOR(TIMESTAMP '2004-09-30 13:48:23' TO MINUTE)
    2004-09-30 13:48:00
    >>> FLOOR(TIMESTAMP '2004-09-30 13:48:23' TO DAY)
    2004-09-30 00:00:00
    >>> FLOOR(TIMESTAMP '2004-09-30 13:48:23' TO YEAR)
    2004-01-01 00:00:00
    >>> FLOOR(CAST(NULL AS TIMESTAMP) TO DAY)
    NULL
    """
    return map_values(lambda v: floor_to(v, unit), TIMESTAMP, t)


@scalar("CEIL(t: TIMESTAMP TO unit: UNIT) -> t", monotone=ascending_in(0), next_change=next_ceil)
@scalar("CEILING(t: TIMESTAMP TO unit: UNIT) -> t", monotone=ascending_in(0), next_change=next_ceil)
def ceil_timestamp(_rows: Rows, t: Datum, unit: str) -> Datum:
    """The first start of a unit at or after a time.

    >>> CEIL(TIMESTAMP '2004-09-30 13:48:23' TO HOUR)
    2004-09-30 14:00:00
    >>> CEIL(TIMESTAMP '2004-09-30 13:48:23' TO MINUTE)
    2004-09-30 13:49:00
    >>> CEIL(TIMESTAMP '2004-09-30 13:48:23' TO DAY)
    2004-10-01 00:00:00
    >>> CEIL(TIMESTAMP '2004-09-30 13:48:23' TO YEAR)
    2005-01-01 00:00:00
    """
    return map_values(lambda v: ceil_to(v, unit), TIMESTAMP, t)


@scalar("FLOOR(d: DATE TO unit: UNIT) -> d", monotone=ascending_in(0), duckdb="CAST(date_trunc('{unit}', {d}) AS DATE)")
def floor_date(_rows: Rows, d: Datum, unit: str) -> Datum:
    """The first day of the year or month of a date.

    >>> FLOOR(DATE '2004-09-30' TO MONTH)
    2004-09-01
    """
    return map_values(lambda v: floor_to(in_milliseconds(v, d.type), unit) // DAY, d.type, d)


@scalar("CEIL(d: DATE TO unit: UNIT) -> d", monotone=ascending_in(0))
@scalar("CEILING(d: DATE TO unit: UNIT) -> d", monotone=ascending_in(0))
def ceil_date(_rows: Rows, d: Datum, unit: str) -> Datum:
    """The first start of a year or month at or after a date.

    >>> CEIL(DATE '2004-09-30' TO MONTH)
    2004-10-01
    """
    return map_values(lambda v: ceil_to(in_milliseconds(v, d.type), unit) // DAY, d.type, d)


@scalar("FLOOR(t: TIME TO unit: UNIT) -> t", monotone=ascending_in(0))
def floor_time(_rows: Rows, t: Datum, unit: str) -> Datum:
    """The start of the hour, minute or second of a time of day.

    >>> FLOOR(TIME '13:48:23' TO HOUR)
    13:00:00
    """
    return map_values(lambda v: floor_to(in_milliseconds(v, t.type), unit), t.type, t)


@scalar("CEIL(t: TIME TO unit: UNIT) -> t", monotone=ascending_in(0))
@scalar("CEILING(t: TIME TO unit: UNIT) -> t", monotone=ascending_in(0))
def ceil_time(_rows: Rows, t: Datum, unit: str) -> Datum:
    """The first start of an hour, minute or second at or after a time of day; midnight after the last.

    >>> CEIL(TIME '23:48:23' TO HOUR)
    00:00:00
    """
    return map_values(lambda v: ceil_to(in_milliseconds(v, t.type), unit) % DAY, t.type, t)


def _rounded_interval(types: Sequence[SqlType]) -> SqlType:
    check_unit(types[1], types[0])
    return types[0]


def check_unit(unit: SqlType, of: SqlType) -> None:
    """Days have no fixed number of months: a unit must be one of the interval's family."""
    if of.is_interval and unit.is_interval and unit.family is not of.family:
        raise ProgrammingError(f"{of} has no {unit.qualifier}")


@scalar("FLOOR(i: INTERVAL TO unit: UNIT)", returns=_rounded_interval, monotone=ascending_in(0))
def floor_interval(_rows: Rows, i: Datum, unit: str) -> Datum:
    """The largest number of whole units that is not above an interval.

    >>> FLOOR((TIMESTAMP '1970-01-01 00:01:45' - TIMESTAMP '1970-01-01 00:00:00') SECOND / 10 TO SECOND)
    +10
    """
    step = _unit_length(unit)
    return map_values(lambda v: floor_multiple(v, step), i.type, i)


@scalar("CEIL(i: INTERVAL TO unit: UNIT)", returns=_rounded_interval, monotone=ascending_in(0))
@scalar("CEILING(i: INTERVAL TO unit: UNIT)", returns=_rounded_interval, monotone=ascending_in(0))
def ceil_interval(_rows: Rows, i: Datum, unit: str) -> Datum:
    """The smallest number of whole units that is not below an interval.

    >>> CEIL((TIMESTAMP '1970-01-01 00:01:45' - TIMESTAMP '1970-01-01 00:00:00') SECOND / 10 TO SECOND)
    +11
    """
    step = _unit_length(unit)
    return map_values(lambda v: -floor_multiple(-v, step), i.type, i)


def _unit_length(unit: str) -> int:
    return MONTHS[unit] if unit in MONTHS else MILLISECONDS[unit]


@scalar(
    "STEP(t: TIMESTAMP BY i: DAYTIME) -> t",
    fails=True,
    monotone=ascending_in(0),
    next_change=next_step,
    duckdb="time_bucket({i}, {t}, TIMESTAMP '1970-01-01')",
)
@scalar("STEP(t: DATE BY i: DAYTIME) -> t", fails=True, monotone=ascending_in(0))
@scalar("STEP(t: TIME BY i: DAYTIME) -> t", fails=True, monotone=ascending_in(0))
def step(rows: Rows, t: Datum, i: Datum) -> Datum:
    """The start of the step of length `i` that a time lies in; steps are counted from 1970-01-01 00:00:00.

    [X] The reference has an example with INTERVAL '5' DAY that gives 2004-09-25, against its own formula; by the formula,
    which holds here, it is 2004-09-24.

    >>> STEP(TIMESTAMP '2004-09-30 13:48:23' BY INTERVAL '10' SECOND)
    2004-09-30 13:48:20
    >>> STEP(TIMESTAMP '2004-09-30 13:48:23' BY INTERVAL '2' HOUR)
    2004-09-30 12:00:00
    >>> STEP(TIMESTAMP '2004-09-30 13:48:23' BY INTERVAL '5' MINUTE)
    2004-09-30 13:45:00
    >>> STEP(TIMESTAMP '2004-09-27 13:48:23' BY INTERVAL '5' DAY)
    2004-09-24 00:00:00
    """
    i = _positive(rows, t, i)
    if t.type == TIMESTAMP:
        return map_values(floor_multiple, TIMESTAMP, t, i)
    if pa.types.is_date32(t.type):
        return map_values(lambda v, s: floor_multiple(in_milliseconds(v, t.type), s) // DAY, t.type, t, i)
    return map_values(lambda v, s: floor_multiple(np.asarray(v, np.int64), s), t.type, t, i)


@scalar("STEP(t: TIMESTAMP BY i: YEARMONTH) -> t", fails=True, monotone=ascending_in(0), next_change=next_month_step)
@scalar("STEP(t: DATE BY i: YEARMONTH) -> t", fails=True, monotone=ascending_in(0))
def step_months(rows: Rows, t: Datum, i: Datum) -> Datum:
    """The start of the step of so many months or years that a time lies in, counted from January 1970.

    >>> STEP(TIMESTAMP '2004-09-30 13:48:23' BY INTERVAL '1' YEAR)
    2004-01-01 00:00:00
    """

    def start(v: Values, length: Values) -> Values:
        return month_start(floor_multiple(months(in_milliseconds(v, t.type)), length))

    days = pa.types.is_date32(t.type)
    return map_values(lambda v, s: start(v, s) // DAY if days else start(v, s), t.type, t, _positive(rows, t, i))


def _positive(rows: Rows, t: Datum, i: Datum) -> Datum:
    """The length of a step at `t`, NULL where it is not above zero; such rows fail."""
    if isinstance(i, pa.Scalar) and i.is_valid and number(i) > 0:
        return i
    wrong = pc.less_equal(i.cast(pa.int64()), 0)
    failing = mask_of(pc.and_(wrong, pc.is_valid(t)), rows)
    if not failing.any():
        return i
    rows.fail(failing, "the interval of STEP must be positive", ErrorName.ARGUMENT)
    return pc.if_else(rows.column(wrong), pa.scalar(None, i.type), i)
