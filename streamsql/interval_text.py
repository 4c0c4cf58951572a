"""Intervals as text and back: `+2 00:06:11` for DAY TO SECOND, `+3-04` for YEAR TO MONTH."""

from __future__ import annotations

import re
from functools import cache

from streamsql.types import UNITS, IntervalQualifier

_LENGTHS = {"YEAR": 12, "MONTH": 1, "DAY": 86_400_000, "HOUR": 3_600_000, "MINUTE": 60_000, "SECOND": 1_000}
"""Months of YEAR and MONTH, milliseconds of the others."""

_LIMITS = {"MONTH": 12, "HOUR": 24, "MINUTE": 60, "SECOND": 60}
"""How many of a unit make the next longer one: what a field that is not the first must stay below."""

_BEFORE = {"MONTH": "-", "HOUR": " ", "MINUTE": ":", "SECOND": ":"}
"""What stands before a field that is not the first."""


def _fields(qualifier: IntervalQualifier) -> tuple[str, ...]:
    return UNITS[UNITS.index(qualifier.start) : UNITS.index(qualifier.end) + 1]


def interval_text(value: int, qualifier: IntervalQualifier) -> str:
    """An interval of so many milliseconds or months: its sign, its fields, a fraction only where it is not zero.

    >>> interval_text(371_000, IntervalQualifier("MINUTE", "SECOND"))
    '+6:11'
    """
    rest = abs(value)
    text = "-" if value < 0 else "+"
    for unit in _fields(qualifier):
        number, rest = divmod(rest, _LENGTHS[unit])
        text += str(number) if unit == qualifier.start else f"{_BEFORE[unit]}{number:02d}"
    return f"{text}.{rest:03d}" if qualifier.end == "SECOND" and rest else text


def parse_interval(text: str, qualifier: IntervalQualifier) -> int:
    """The milliseconds or months of an interval that has exactly the fields of its qualifier.

    >>> parse_interval("-3 4", IntervalQualifier("DAY", "HOUR")) // 3_600_000
    -76
    """
    match = _pattern(qualifier.start, qualifier.end).fullmatch(text.strip())
    if match is None:
        raise ValueError(f"illegal interval {text!r} for {qualifier}")
    sign, *fields = match.groups()
    value = 0
    for unit, digits in zip(_fields(qualifier), fields, strict=False):
        number = int(digits)
        if unit == qualifier.start and len(str(number)) > qualifier.precision:
            raise ValueError(f"Interval field value {number} exceeds precision of {unit}({qualifier.precision}) field")
        if unit != qualifier.start and number >= _LIMITS[unit]:
            raise ValueError(f"interval field {unit} must be below {_LIMITS[unit]}: {text!r}")
        value += number * _LENGTHS[unit]
    if qualifier.end == "SECOND" and fields[-1]:
        value += int(fields[-1][:3].ljust(3, "0"))
    return -value if sign == "-" else value


@cache
def _pattern(start: str, end: str) -> re.Pattern[str]:
    units = _fields(IntervalQualifier(start, end))
    fields = "".join(r"(\d+)" if unit == start else rf"{_BEFORE[unit]}(\d{{1,2}})" for unit in units)
    return re.compile(rf"([+-])?\s*{fields}" + (r"(?:\.(\d+))?" if end == "SECOND" else ""), re.ASCII)
