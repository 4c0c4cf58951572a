"""The moment that a set of calendar fields names: the rules of Java's `GregorianCalendar`, not lenient, in the locale en_US.

Fields have Java's names and values (months count from 0, Sunday is 1).  Where they contradict each other, those that were set
last decide the day; a field that the resulting moment does not have after all is an error.  The calendar is Gregorian at all
times, also before 1582.
"""

from __future__ import annotations

from datetime import date

from streamsql.time import Time

DAY = 86_400_000
MAX_DAY = date.max.toordinal()
_EPOCH = date(1970, 1, 1).toordinal()
SUNDAY = 1
AD = 1

_RANGES = {
    "ERA": (0, 1),
    "YEAR": (1, 292_278_994),
    "WEEK_YEAR": (1, 292_278_994),
    "MONTH": (0, 11),
    "WEEK_OF_YEAR": (1, 53),
    "WEEK_OF_MONTH": (0, 6),
    "DAY_OF_MONTH": (1, 31),
    "DAY_OF_YEAR": (1, 366),
    "DAY_OF_WEEK": (1, 7),
    "DAY_OF_WEEK_IN_MONTH": (-1, 6),
    "AM_PM": (0, 1),
    "HOUR": (0, 11),
    "HOUR_OF_DAY": (0, 23),
    "MINUTE": (0, 59),
    "SECOND": (0, 59),
    "MILLISECOND": (0, 999),
}

_OUTSIDE_OF_WEEKS = {"ERA", "YEAR", "MONTH", "WEEK_OF_MONTH", "DAY_OF_MONTH", "DAY_OF_YEAR", "DAY_OF_WEEK_IN_MONTH"}
"""The fields of a day that say nothing beside a year of weeks."""

Fields = dict[str, int]
"""Values by name, in the order in which they were set."""


def fields_of(t: Time) -> Fields:
    """All fields of a moment."""
    days, clock = divmod(t, DAY)
    day = date.fromordinal(days + _EPOCH)
    return _day_fields(day) | _clock_fields(clock)


def moment_of(fields: Fields) -> Time:
    """The moment that `fields` name; what is missing is that of 1970-01-01 00:00:00."""
    for name, value in fields.items():
        low, high = _RANGES[name]
        if not low <= value <= high:
            raise ValueError(f"{name} {value} is out of range")
    if fields.get("ERA", AD) != AD:
        raise ValueError("years before Christ are not supported")
    ignored = _OUTSIDE_OF_WEEKS if _goes_by_weeks(fields) else {"WEEK_YEAR"}
    fields = {name: value for name, value in fields.items() if name not in ignored}
    ordinal, clock = _day(fields), _clock(fields)
    if not 1 <= ordinal <= MAX_DAY:
        raise ValueError("the year is out of range")
    actual = _day_fields(date.fromordinal(ordinal)) | _clock_fields(clock)
    for name, value in fields.items():
        if actual[name] != value:
            raise ValueError(f"{name} {value} contradicts the other fields")
    return (ordinal - _EPOCH) * DAY + clock


def _goes_by_weeks(fields: Fields) -> bool:
    """Whether the year is one of weeks: that it was set, and no ordinary year after it."""
    order = list(fields)
    return "WEEK_YEAR" in fields and ("YEAR" not in fields or order.index("WEEK_YEAR") > order.index("YEAR"))


def _day_fields(day: date) -> Fields:
    of_year = day.timetuple().tm_yday
    of_week = day.isoweekday() % 7 + 1
    week = _week_of_year(day)
    return {
        "ERA": AD,
        "WEEK_YEAR": day.year + (day.month == 12 and week == 1),
        "YEAR": day.year,
        "MONTH": day.month - 1,
        "WEEK_OF_YEAR": week,
        "WEEK_OF_MONTH": _week(day.day, of_week),
        "DAY_OF_MONTH": day.day,
        "DAY_OF_YEAR": of_year,
        "DAY_OF_WEEK": of_week,
        "DAY_OF_WEEK_IN_MONTH": (day.day - 1) // 7 + 1,
    }


def _week(number: int, of_week: int) -> int:
    """The week that the day of this number in its month or year is in; the first one may be short, weeks start on Sunday."""
    return (number - of_week + 6) // 7 + 1


def _week_of_year(day: date) -> int:
    """The week of the year; the last days of December are in week 1 when January starts in their week."""
    of_week = day.isoweekday() % 7 + 1
    if day.month == 12 and day.day + 7 - of_week > 31:
        return 1
    return _week(day.timetuple().tm_yday, of_week)


def _clock_fields(clock: int) -> Fields:
    hour = clock // 3_600_000
    return {
        "AM_PM": hour // 12,
        "HOUR": hour % 12,
        "HOUR_OF_DAY": hour,
        "MINUTE": clock // 60_000 % 60,
        "SECOND": clock // 1000 % 60,
        "MILLISECOND": clock % 1000,
    }


def _clock(fields: Fields) -> int:
    """Milliseconds since midnight: by HOUR and AM_PM only where they, together, were set after HOUR_OF_DAY."""
    order = {name: i for i, name in enumerate(fields)}
    of_day = order.get("HOUR_OF_DAY", -1)
    both = max(order["HOUR"], order["AM_PM"]) if "HOUR" in order and "AM_PM" in order else -1
    if of_day >= 0 and of_day >= both:
        hour = fields["HOUR_OF_DAY"]
    else:
        hour = fields.get("HOUR", 0) + 12 * fields.get("AM_PM", 0)
    minutes = hour * 60 + fields.get("MINUTE", 0)
    return (minutes * 60 + fields.get("SECOND", 0)) * 1000 + fields.get("MILLISECOND", 0)


def _day(fields: Fields) -> int:
    """The day's number, by the group of fields that was completed last."""
    if "WEEK_YEAR" in fields:
        start = _week_start(_first_of(fields["WEEK_YEAR"], 0), fields.get("DAY_OF_WEEK"))
        return start + 7 * (fields.get("WEEK_OF_YEAR", 1) - 1)
    year = fields.get("YEAR", 1970)
    first = _first_of(year, 0)
    way = _way_to_day(fields)
    if way == "DAY_OF_YEAR":
        return first + fields["DAY_OF_YEAR"] - 1
    if way == "WEEK_OF_YEAR":
        return _week_start(first, fields.get("DAY_OF_WEEK")) + 7 * (fields["WEEK_OF_YEAR"] - 1)
    month = fields.get("MONTH", 0)
    first = _first_of(year, month)
    if way == "DAY_OF_MONTH":
        return first + fields.get("DAY_OF_MONTH", 1) - 1
    if way == "WEEK_OF_MONTH":
        return _week_start(first, fields.get("DAY_OF_WEEK")) + 7 * (fields["WEEK_OF_MONTH"] - 1)
    nth = fields.get("DAY_OF_WEEK_IN_MONTH", 1)
    of_week = fields.get("DAY_OF_WEEK", SUNDAY)
    if nth >= 0:
        return _on_or_before(first + 7 * nth - 1, of_week)
    last = _first_of(year + (month == 11), (month + 1) % 12) - 1
    return _on_or_before(last + 7 * (nth + 1), of_week)


def _way_to_day(fields: Fields) -> str:
    """Which field leads to the day."""
    order = {name: i for i, name in enumerate(fields)}
    of_week = order.get("DAY_OF_WEEK", -1)
    weeks = ("WEEK_OF_MONTH", "DAY_OF_WEEK_IN_MONTH", "WEEK_OF_YEAR")
    complete: dict[str, int] = {name: order[name] for name in ("DAY_OF_MONTH", "DAY_OF_YEAR") if name in order}
    if of_week >= 0:
        complete |= {name: max(order[name], of_week) for name in weeks if name in order}
    if not complete:
        complete = {name: order[name] for name in weeks if name in order}
        if of_week >= 0:
            complete["DAY_OF_WEEK_IN_MONTH"] = max(complete.get("DAY_OF_WEEK_IN_MONTH", -1), of_week)
    if not complete:
        return "DAY_OF_MONTH"
    latest = max(complete.values())
    ties = [name for name, stamp in complete.items() if stamp == latest]
    return max(ties, key=lambda name: order.get(name, -1))


def _first_of(year: int, month: int) -> int:
    if not 1 <= year <= date.max.year:
        raise ValueError(f"the year {year} is out of range")
    return date(year, month + 1, 1).toordinal()


def _week_start(first: int, of_week: int | None) -> int:
    """The day of the week `of_week` (Sunday if there is none) in the week that holds the day `first`."""
    start = _on_or_before(first + 6, SUNDAY)
    if start > first:
        start -= 7
    return start if of_week is None else _on_or_before(start + 6, of_week)


def _on_or_before(day: int, of_week: int) -> int:
    """The last day of a weekday that is not after `day`."""
    return day - (day - (of_week - 1)) % 7
