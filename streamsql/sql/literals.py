"""Literals: their exact forms, their types, their values.

Values are what the engine counts with: a `date`, milliseconds since 1970 for a timestamp, since midnight for a time,
milliseconds or months for an interval, `Decimal` for an exact number with a point.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise

from streamsql import types
from streamsql.errors import ProgrammingError
from streamsql.sql.lexer import on_one_line
from streamsql.time import from_datetime
from streamsql.types import UNITS, IntervalQualifier, SqlType

MAX_PRECISION = 10
"""Digits of an interval's first field, and of its fraction."""

MAX_DIGITS = 38
"""Digits of an exact number."""

FORMATS = {"DATE": "yyyy-MM-dd", "TIME": "HH:mm:ss", "TIMESTAMP": "yyyy-MM-dd HH:mm:ss"}
"""The form of each literal, as messages show it."""

_DATE = r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
_TIME = r"(?P<hour>\d\d?):(?P<minute>\d\d):(?P<second>\d\d)(\.(?P<fraction>\d+))?"
_FORMS = {"DATE": re.compile(_DATE), "TIME": re.compile(_TIME), "TIMESTAMP": re.compile(f"{_DATE} {_TIME}")}

_MILLISECONDS = {"DAY": 86_400_000, "HOUR": 3_600_000, "MINUTE": 60_000, "SECOND": 1000}
_LIMITS = {"MONTH": 11, "HOUR": 23, "MINUTE": 59, "SECOND": 59}
"""The highest value of a field that is not the first of an interval."""


def unicode_text(body: str, escape: str) -> str:
    """The text of u&'body', in which `escape` and four hexadecimal digits are a character, `escape` twice is itself.

    >>> unicode_text("a!0062!!", "!")
    'ab!'
    """
    if len(escape) != 1 or escape in "'\"+ " or escape in "0123456789abcdefABCDEF":
        raise ProgrammingError(f"{escape!r} cannot be an escape character")
    mark = re.escape(escape)

    def character(match: re.Match[str]) -> str:
        digits = match.group(1)
        if digits is None:
            raise ProgrammingError(
                f"a unicode string needs four hexadecimal digits after {escape}", hint=f"{escape}{escape} is {escape} itself"
            )
        return escape if digits == escape else chr(int(digits, 16))

    return re.sub(f"{mark}(?:({mark}|[0-9a-fA-F]{{4}}))?", character, body)


def number(text: str) -> tuple[SqlType, int | Decimal | float]:
    """The type and the value of an unsigned number, exact unless it has an exponent.

    >>> [str(number(text)[0]) for text in ("12", "3000000000", "2.0", "1e2")]
    ['INTEGER', 'BIGINT', 'DECIMAL(2, 1)', 'DOUBLE']
    """
    if "e" in text.lower():
        return types.DOUBLE, float(text)
    digits, _, fraction = text.partition(".")
    if len(digits) + len(fraction) > MAX_DIGITS:
        raise ProgrammingError(f"a number of more than {MAX_DIGITS} digits", hint="write it with an exponent: 1.5E40")
    if fraction:
        return types.decimal(len(digits) + len(fraction), len(fraction)), Decimal(text)
    value = int(digits)
    if value < 2**31:
        return types.INTEGER, value
    return (types.BIGINT if value < 2**63 else types.decimal(len(digits))), value


def datetime_value(kind: str, text: str) -> date | int:
    """The value of DATE 'text', TIME 'text' or TIMESTAMP 'text'.

    >>> datetime_value("TIMESTAMP", "1970-01-01 00:00:01")
    1000
    """
    match = _FORMS[kind].fullmatch(text)
    try:
        if match:
            return _datetime_of(kind, match.groupdict())
    except ValueError:
        pass  # month 13 and its like have the form, but no value
    raise ProgrammingError(
        f"Illegal {kind} literal '{on_one_line(text)}': not in format '{FORMATS[kind]}'", hint=placeholder_hint(text)
    )


def _datetime_of(kind: str, fields: dict[str, str | None]) -> date | int:
    year, month, day, hour, minute, second = (
        int(fields.get(field) or default)
        for field, default in zip(("year", "month", "day", "hour", "minute", "second"), (1970, 1, 1, 0, 0, 0))
    )
    if kind == "DATE":
        return date(year, month, day)
    milliseconds = int((fields["fraction"] or "0")[:3].ljust(3, "0"))
    return from_datetime(datetime(year, month, day, hour, minute, second, tzinfo=UTC)) + milliseconds


def qualifier(start: str, end: str, precision: int = 2, fraction: int = 3) -> IntervalQualifier:
    """start(precision) TO end(fraction), if there is such a qualifier."""
    both_months = {start, end} <= {"YEAR", "MONTH"}
    both_times = not {start, end} & {"YEAR", "MONTH"}
    if UNITS.index(start) > UNITS.index(end) or not (both_months or both_times):
        raise ProgrammingError(
            f"there is no interval {start} TO {end}", hint="YEAR TO MONTH, or from DAY, HOUR or MINUTE to a smaller unit"
        )
    for digits in (precision, fraction):
        if not 1 <= digits <= MAX_PRECISION:
            raise ProgrammingError(f"the precision of an interval is from 1 to {MAX_PRECISION}, not {digits}")
    return IntervalQualifier(start, end, precision, fraction)


def interval_value(text: str, fields: IntervalQualifier, negative: bool = False) -> int:
    """The milliseconds, or the months, of INTERVAL 'text' fields.

    >>> interval_value("1 00:00:00.5", IntervalQualifier("DAY", "SECOND"))
    86400500
    """
    units = UNITS[UNITS.index(fields.start) : UNITS.index(fields.end) + 1]
    match = re.fullmatch(_interval_pattern(units, fields.fraction), text.strip())
    if not match:
        raise ProgrammingError(
            f"Illegal INTERVAL literal '{on_one_line(text)}': not a value of {fields}",
            hint=placeholder_hint(text) or f"{fields} is written like '{_example(units)}'",
        )
    value = 0
    for unit in units:
        amount = int(match[unit])
        if unit == fields.start:
            _check_precision(amount, fields)
        elif amount > _LIMITS[unit]:
            raise ProgrammingError(f"Interval field value {amount} exceeds the range 0 to {_LIMITS[unit]} of {unit}")
        value += amount * (12 if unit == "YEAR" else _MILLISECONDS.get(unit, 1))
    if fields.end == "SECOND":
        value += int((match["fraction"] or "0")[:3].ljust(3, "0"))
    return -value if negative != (match["sign"] == "-") else value


def interval_in_words(text: str, negative: bool = False) -> tuple[IntervalQualifier, int]:
    """The fields and the value of an interval whose text names its units.

    >>> qualifier, value = interval_in_words("1 day 12 hours")
    >>> str(qualifier), value
    ('DAY(10) TO SECOND', 129600000)
    """
    parts = re.findall(r"([+-]?\s*\d+)\s*(year|month|week|day|hour|minute|second)s?\b", text, re.IGNORECASE)
    rest = re.sub(r"[+-]?\s*\d+\s*(year|month|week|day|hour|minute|second)s?\b|,|\s", "", text, flags=re.IGNORECASE)
    amounts = [(int(re.sub(r"\s", "", amount)), unit.upper()) for amount, unit in parts]
    is_long = {unit in ("YEAR", "MONTH") for _, unit in amounts}
    if rest or len(is_long) != 1:
        is_number = text.strip().isdigit()
        why = "the unit is missing" if is_number else "not numbers with their units"
        hint = f"a unit in the singular: INTERVAL '{text}' SECOND" if is_number else "INTERVAL '1 day 12 hours'"
        raise ProgrammingError(f"Illegal INTERVAL literal '{on_one_line(text)}': {why}", hint=placeholder_hint(text) or hint)
    lengths = {"YEAR": 12, "MONTH": 1} if True in is_long else {"WEEK": 7 * _MILLISECONDS["DAY"], **_MILLISECONDS}
    value = sum(amount * lengths[unit] for amount, unit in amounts)
    fields = ("YEAR", "MONTH") if True in is_long else ("DAY", "SECOND")
    return IntervalQualifier(*fields, MAX_PRECISION), -value if negative else value


def _check_precision(amount: int, fields: IntervalQualifier) -> None:
    digits = len(str(amount))
    if digits > fields.precision:
        rest = "" if fields.start == fields.end else f" TO {fields.end}"
        raise ProgrammingError(
            f"Interval field value {amount} exceeds precision of {fields.start}({fields.precision}) field",
            hint=f"{fields.start}({digits}){rest}" if digits <= MAX_PRECISION else None,
        )


def _interval_pattern(units: tuple[str, ...], fraction: int) -> str:
    pattern = rf"(?P<sign>[+-]?)\s*(?P<{units[0]}>\d+)"
    for before, unit in pairwise(units):
        separator = {"YEAR": "-", "DAY": " +"}.get(before, ":")
        pattern += rf"{separator}(?P<{unit}>\d\d?)"
    return pattern + (rf"(\.(?P<fraction>\d{{1,{fraction}}}))?" if units[-1] == "SECOND" else "")


def _example(units: tuple[str, ...]) -> str:
    """A value of these fields, for a hint: '1 02:03:04'."""
    text = "1"
    for position, (before, unit) in enumerate(pairwise(units), start=2):
        text += {"YEAR": "-", "DAY": " "}.get(before, ":") + (str(position) if unit == "MONTH" else f"0{position}")
    return text


def placeholder_hint(text: str) -> str | None:
    """What to do about a template's placeholder that was left in a literal, if there is one."""
    match = re.search(r"\$\{[^}]*\}|%%\w+%%|\{\w*\}", text)
    return f"{match.group()} is a template's placeholder: fill it in first" if match else None
