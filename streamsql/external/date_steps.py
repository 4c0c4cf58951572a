"""The values of a projected date column: from one date to another in steps, in the form of a pattern of Java's."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.functions.java.simple_date_format import Field, format_time, parse_pattern, parse_time_by
from streamsql.time import Time, from_datetime

_MILLISECONDS = {
    "MILLISECONDS": 1,
    "SECONDS": 1000,
    "MINUTES": 60_000,
    "HOURS": 3_600_000,
    "DAYS": 86_400_000,
    "WEEKS": 7 * 86_400_000,
}
_MONTHS = {"MONTHS": 1, "YEARS": 12}

UNITS = ("YEARS", "MONTHS", "WEEKS", "DAYS", "HOURS", "MINUTES", "SECONDS", "MILLISECONDS")
"""The units of steps, as a property names them."""

_SAME_IN_BOTH = str.maketrans({"u": "y", "L": "M"})
"""Letters of `DateTimeFormatter` that `SimpleDateFormat` spells in another way."""

_FINER_THAN_DAYS = set("HkKhmsSa")
_DAYS = set("dDEF")

CENTURY = from_datetime(datetime(2000, 1, 1, tzinfo=UTC))
"""From when on years of two digits count."""

Moments = npt.NDArray[np.int64]
"""Milliseconds since 1970."""

_CLOCK = {
    **dict.fromkeys("HkKha", (3_600_000, 24)),
    "m": (60_000, 60),
    "s": (1000, 60),
    "S": (1, 1000),
    "E": (86_400_000, 7),
}
"""For the letters whose texts come again and again: the milliseconds of each, and after how many they do."""


@dataclass(frozen=True, slots=True)
class DateSteps:
    """Dates of a pattern, `interval` units apart."""

    pattern: str
    interval: int
    unit: str

    def parse(self, text: str) -> Time | None:
        """The moment that a text names; None where it names none."""
        try:
            return parse_time_by(self.pattern, text, CENTURY)
        except ValueError:
            return None

    def moved(self, t: Time, count: int, unit: str) -> Time:
        """The moment some units later, or earlier."""
        if unit in _MILLISECONDS:
            return t + count * _MILLISECONDS[unit]
        return _months_later(t, count * _MONTHS[unit])

    def values(self, low: Time, high: Time, most: int) -> tuple[pa.Array, pa.Array]:
        """The texts from `low` to `high`, both included, and their moments; raises ValueError for more than `most`."""
        low, high = self._cut(low), self._cut(high)
        return _values(self.pattern, self.interval, self.unit, low, high, most)

    def _cut(self, t: Time) -> Time:
        """A moment without what the pattern does not show."""
        found = self.parse(format_time(self.pattern, t))
        return t if found is None else found


def date_steps(pattern: str, interval: int | None, unit: str | None) -> DateSteps | None:
    """Steps as properties say them; None where they say too little.  Raises ValueError for a pattern that is none.

    Patterns of single days and single months need not say their steps.
    """
    translated = pattern.translate(_SAME_IN_BOTH)
    letters = {part.letter for part in parse_pattern(translated) if isinstance(part, Field)}
    if unit is None and not letters & _FINER_THAN_DAYS:
        unit = "DAYS" if letters & _DAYS else "MONTHS" if "M" in letters else None
        interval = interval or (1 if unit else None)
    if unit is None or interval is None:
        return None
    return DateSteps(translated, interval, unit)


@lru_cache(maxsize=64)
def _values(pattern: str, interval: int, unit: str, low: Time, high: Time, most: int) -> tuple[pa.Array, pa.Array]:
    if unit in _MILLISECONDS:
        step = interval * _MILLISECONDS[unit]
        if (high - low) // step >= most:
            raise ValueError(f"more than {most:,} values")
        times = np.arange(low, high + 1, step, dtype=np.int64)
    else:
        found = []
        t = low
        while t <= high:
            found.append(t)
            t = _months_later(t, interval * _MONTHS[unit])
        times = np.array(found, np.int64)
    return _texts(pattern, times), pa.array(times, pa.int64()).cast(pa.timestamp("ms"))


def _texts(pattern: str, times: Moments) -> pa.Array:
    """Moments in the form of a pattern, letter by letter: a letter has few texts, however many moments there are."""
    parts = [part if isinstance(part, str) else _letter_texts(part, times) for part in parse_pattern(pattern)]
    if not len(times) or all(isinstance(part, str) for part in parts):
        return pa.array(["".join(map(str, parts))] * len(times), pa.string())
    return pc.binary_join_element_wise(*parts, "")


def _letter_texts(field: Field, times: Moments) -> pa.Array:
    _, first, places = np.unique(_cells(field.letter, times), return_index=True, return_inverse=True)
    pattern = field.letter * field.count
    texts = pa.array([format_time(pattern, int(times[i])) for i in first], pa.string())
    return texts.take(pa.array(places))


def _cells(letter: str, times: Moments) -> Moments:
    """A number for each moment: moments of one number have the same text of a letter."""
    if letter in _CLOCK:
        size, count = _CLOCK[letter]
        return times // size % count
    days = times.astype("datetime64[ms]").astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    cells: Moments = days.astype(np.int64)
    if letter == "y":
        cells = months.astype("datetime64[Y]").astype(np.int64)
    elif letter == "M":
        cells = months.astype(np.int64) % 12
    elif letter == "d":
        cells = (days - months.astype("datetime64[D]")).astype(np.int64)
    return cells


def _months_later(t: Time, months: int) -> Time:
    """As Java adds months: the same day, or the last of a month that is too short."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=t)
    years, month = divmod(moment.month - 1 + months, 12)
    year = moment.year + years
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return from_datetime(moment.replace(year=year, month=month + 1, day=day))
