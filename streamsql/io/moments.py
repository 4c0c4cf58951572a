"""Dates and times as records spell them: `yyyy-MM-dd HH:mm:ss[.fff...]` and ISO 8601 with `T`, `Z` or an offset."""

from __future__ import annotations

import re
from datetime import date

from streamsql.time import Time

_MOMENT = re.compile(
    r"(?:(\d{4})-(\d{1,2})-(\d{1,2}))?(?:[T ]?(\d{1,2}):(\d{2}):(\d{2})(?:[.,](\d*))?)?\s*(Z|[+-]\d{2}:?\d{2})?", re.ASCII
)
_EPOCH = date(1970, 1, 1).toordinal()


def parse_timestamp(text: str) -> Time | None:
    """Milliseconds since 1970; None when it is no timestamp."""
    day, time, offset = _parts(text)
    return None if day is None else day * 86_400_000 + (time or 0) - offset


def parse_date(text: str) -> int | None:
    """Days since 1970; None when it is no date."""
    return _parts(text)[0]


def parse_time(text: str) -> int | None:
    """Milliseconds of the day; None when it is no time."""
    return _parts(text)[1]


def _parts(text: str) -> tuple[int | None, int | None, int]:
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None, None, 0
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        days = None if year is None else date(int(year), int(month), int(day)).toordinal() - _EPOCH
    except ValueError:
        return None, None, 0
    if hour is None:
        return days, None, 0
    if int(hour) > 23 or int(minute) > 59 or int(second) > 59:
        return None, None, 0
    milliseconds = int((fraction or "").ljust(3, "0")[:3])
    time = ((int(hour) * 60 + int(minute)) * 60 + int(second)) * 1000 + milliseconds
    return days, time, _offset(zone)


def _offset(zone: str | None) -> Time:
    if zone is None or zone == "Z":
        return 0
    digits = zone[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return (-minutes if zone[0] == "-" else minutes) * 60_000
