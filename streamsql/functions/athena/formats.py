"""Dates and times as text, by the patterns of MySQL that Athena takes, and in ISO 8601."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable

import pyarrow as pa

from streamsql.functions.athena.time_units import STAMP, stamps
from streamsql.functions.registry import scalar
from streamsql.rows import Datum, ErrorName, Rows, map_rows
from streamsql.time import from_datetime

BIGINT = pa.int64()

EPOCH = datetime.datetime(1970, 1, 1)

PATTERN = re.compile(r"%(.)")

FIELDS: dict[str, tuple[str, Callable[[datetime.datetime], str]]] = {
    "Y": (r"(?P<Y>\d{4})", lambda t: f"{t.year:04}"),
    "y": (r"(?P<y>\d{2})", lambda t: f"{t.year % 100:02}"),
    "m": (r"(?P<m>\d{1,2})", lambda t: f"{t.month:02}"),
    "c": (r"(?P<m>\d{1,2})", lambda t: f"{t.month}"),
    "d": (r"(?P<d>\d{1,2})", lambda t: f"{t.day:02}"),
    "e": (r"(?P<d>\d{1,2})", lambda t: f"{t.day}"),
    "H": (r"(?P<H>\d{1,2})", lambda t: f"{t.hour:02}"),
    "k": (r"(?P<H>\d{1,2})", lambda t: f"{t.hour}"),
    "h": (r"(?P<h>\d{1,2})", lambda t: f"{(t.hour - 1) % 12 + 1:02}"),
    "I": (r"(?P<h>\d{1,2})", lambda t: f"{(t.hour - 1) % 12 + 1:02}"),
    "i": (r"(?P<i>\d{1,2})", lambda t: f"{t.minute:02}"),
    "s": (r"(?P<s>\d{1,2})", lambda t: f"{t.second:02}"),
    "S": (r"(?P<s>\d{1,2})", lambda t: f"{t.second:02}"),
    "f": (r"(?P<f>\d{1,9})", lambda t: f"{t.microsecond:06}"),
    "p": (r"(?P<p>AM|PM|am|pm)", lambda t: "AM" if t.hour < 12 else "PM"),
    "j": (r"(?P<j>\d{1,3})", lambda t: f"{t.timetuple().tm_yday:03}"),
    "b": (r"(?P<b>[A-Za-z]{3})", lambda t: t.strftime("%b")),
    "M": (r"(?P<M>[A-Za-z]+)", lambda t: t.strftime("%B")),
    "a": (r"[A-Za-z]{3}", lambda t: t.strftime("%a")),
    "W": (r"[A-Za-z]+", lambda t: t.strftime("%A")),
    "T": (r"(?P<H>\d{1,2}):(?P<i>\d{1,2}):(?P<s>\d{1,2})", lambda t: f"{t:%H:%M:%S}"),
    "%": ("%", lambda _: "%"),
}  # fmt: skip
"""What the letters of DATE_FORMAT and DATE_PARSE stand for: the expression that reads it, and how it is written."""

MONTHS_BY_NAME = {datetime.date(2000, number, 1).strftime("%b").lower(): number for number in range(1, 13)}


def _field(letter: str) -> tuple[str, Callable[[datetime.datetime], str]]:
    if letter not in FIELDS:
        raise ValueError(f"%{letter} means nothing in the pattern of a date")
    return FIELDS[letter]


@scalar("DATE_FORMAT(t: MOMENT, pattern: CHARACTER) -> VARCHAR", fails=True)
def date_format(rows: Rows, t: Datum, pattern: Datum) -> Datum:
    """A time as text, by a pattern of MySQL.

    >>> DATE_FORMAT(TIMESTAMP '2004-09-30 13:48:23', '%Y-%m-%d %H:%i:%s')
    2004-09-30 13:48:23
    >>> DATE_FORMAT(TIMESTAMP '2004-09-30 13:48:23', '%e %b %y, %h %p')
    30 Sep 04, 01 PM
    """

    def written(milliseconds: int, text: str) -> str:
        value = EPOCH + datetime.timedelta(milliseconds=milliseconds)
        return PATTERN.sub(lambda match: _field(match[1])[1](value), text)

    return map_rows(rows, written, [stamps(t).cast(BIGINT), pattern], pa.string(), ErrorName.ARGUMENT)


@scalar("DATE_PARSE(s: CHARACTER, pattern: CHARACTER) -> TIMESTAMP", fails=True)
def date_parse(rows: Rows, s: Datum, pattern: Datum) -> Datum:
    """The time that a text says, by a pattern of MySQL.

    >>> DATE_PARSE('2004-09-30 13:48', '%Y-%m-%d %H:%i')
    2004-09-30 13:48:00
    >>> DATE_PARSE('30/Sep/2004', '%d/%b/%Y')
    2004-09-30 00:00:00
    >>> DATE_PARSE('2004-09-30 2004', '%Y-%m-%d %Y')
    2004-09-30 00:00:00
    >>> DATE_PARSE('today', '%Y')
    error: 'today' does not follow the pattern %Y
    """

    def read(text: str, form: str) -> int:
        match = re.fullmatch(_expression(form), text)
        if match is None:
            raise ValueError(f"{text!r} does not follow the pattern {form}")
        return from_datetime(_moment(match.groupdict()))

    result = map_rows(rows, read, [s, pattern], BIGINT, ErrorName.ARGUMENT)
    return result.cast(STAMP)


def _expression(pattern: str) -> str:
    """The regular expression of a pattern; a field that stands twice is read where it stands first."""
    pieces: list[str] = []
    seen: set[str] = set()
    for place, piece in enumerate(PATTERN.split(pattern)):
        expression = re.escape(piece) if place % 2 == 0 else _field(piece)[0]
        for name in re.findall(r"\(\?P<(\w)>", expression) if place % 2 else ():
            expression = expression.replace(f"(?P<{name}>", "(?:") if name in seen else expression
            seen.add(name)
        pieces.append(expression)
    return "".join(pieces)


def _moment(found: dict[str, str]) -> datetime.datetime:
    """The time of the fields that were read; those that were not are the least."""
    year = int(found.get("Y") or 1970)
    if "y" in found:
        short = int(found["y"])
        year = short + (2000 if short < 70 else 1900)
    month = int(found.get("m") or 1)
    name = found.get("b") or found.get("M")
    if name is not None:
        if name[:3].lower() not in MONTHS_BY_NAME:
            raise ValueError(f"{name} is no month")
        month = MONTHS_BY_NAME[name[:3].lower()]
    hour = int(found.get("H") or found.get("h") or 0)
    if "p" in found:
        hour = hour % 12 + (12 if found["p"].upper() == "PM" else 0)
    fraction = int((found.get("f") or "0").ljust(6, "0")[:6])
    day, minute, second = int(found.get("d") or 1), int(found.get("i") or 0), int(found.get("s") or 0)
    moment = datetime.datetime(year, month, day, hour, minute, second, fraction)
    return moment + datetime.timedelta(days=int(found["j"]) - 1) if "j" in found else moment


@scalar("FROM_ISO8601_TIMESTAMP(s: CHARACTER) -> TIMESTAMP", fails=True)
def from_iso8601(rows: Rows, s: Datum) -> Datum:
    """The time that a text in ISO 8601 says, in UTC.

    >>> FROM_ISO8601_TIMESTAMP('2004-09-30T13:48:23+02:00')
    2004-09-30 11:48:23
    """

    def read(text: str) -> int:
        return from_datetime(datetime.datetime.fromisoformat(text))

    return map_rows(rows, read, [s], BIGINT, ErrorName.ARGUMENT).cast(STAMP)
