"""Java's `SimpleDateFormat`, not lenient, in the locale en_US and the zone UTC.

A pattern is read once into its parts.  Parsing takes a prefix of the text: what follows is ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from streamsql.datetime_text import zone_offset
from streamsql.functions.java.calendar import Fields, fields_of, moment_of
from streamsql.time import Time

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")

NUMBERS = {
    "y": "YEAR",
    "Y": "WEEK_YEAR",
    "M": "MONTH",
    "w": "WEEK_OF_YEAR",
    "W": "WEEK_OF_MONTH",
    "D": "DAY_OF_YEAR",
    "d": "DAY_OF_MONTH",
    "F": "DAY_OF_WEEK_IN_MONTH",
    "u": "DAY_OF_WEEK",
    "H": "HOUR_OF_DAY",
    "k": "HOUR_OF_DAY",
    "K": "HOUR",
    "h": "HOUR",
    "m": "MINUTE",
    "s": "SECOND",
    "S": "MILLISECOND",
}
"""The letters of fields that are numbers, M only up to two of them."""

LETTERS = set(NUMBERS) | set("GEazZX")

_YEARS = "yY"

_COUNTED_FROM_1 = {"k": 24, "h": 12}
"""Hours that are written from 1 to this number, which stands for 0."""

_ZONES = {
    "COORDINATED UNIVERSAL TIME": 0,
    "UTC": 0,
    "GMT": 0,
    "EST": -5,
    "EDT": -4,
    "CST": -6,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
}
"""Hours that the zones with a name are ahead of UTC."""

_DIGITS = re.compile(r"-?\d+", re.ASCII)
_OFFSET = re.compile(r"(?:GMT)?([+-])([01]\d|2[0-3]|\d(?=:)):?([0-5]\d)", re.ASCII | re.IGNORECASE)
_ISO_OFFSET = re.compile(r"Z|([+-])(\d{2})(?::?(\d{2}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Field:
    """A run of one pattern letter; `adjacent`: a number follows without anything between, so that the width counts."""

    letter: str
    count: int
    adjacent: bool = False

    @property
    def is_number(self) -> bool:
        return self.letter in NUMBERS and not (self.letter == "M" and self.count > 2)


Part = Field | str
"""A field, or literal text."""


@lru_cache(maxsize=512)
def parse_pattern(pattern: str) -> tuple[Part, ...]:
    """The parts of a pattern.

    >>> parse_pattern("dd''MM")
    (Field(letter='d', count=2, adjacent=False), "'", Field(letter='M', count=2, adjacent=False))
    """
    parts: list[Part] = []
    for match in re.finditer(r"'((?:[^']|'')*)('?)|([A-Za-z])\3*|(.)", pattern, re.DOTALL):
        quoted, closing, letter, other = match.groups()
        if letter is not None:
            if letter not in LETTERS:
                raise ValueError(f"illegal pattern character '{letter}'")
            parts.append(Field(letter, len(match[0])))
            continue
        if quoted is not None and not closing:
            raise ValueError("unterminated quote in the pattern")
        text = other if other is not None else quoted.replace("''", "'") or "'"
        if parts and isinstance(parts[-1], str):
            parts[-1] += text
        else:
            parts.append(text)
    return tuple(
        Field(part.letter, part.count, _is_number(following)) if isinstance(part, Field) else part
        for part, following in zip(parts, [*parts[1:], ""], strict=True)
    )


def _is_number(part: Part) -> bool:
    return isinstance(part, Field) and part.is_number


def format_time(pattern: str, t: Time) -> str:
    """A moment in the form of a pattern.

    >>> format_time("yyyy.MM.dd G 'at' HH:mm:ss z", 994_248_536_000)
    '2001.07.04 AD at 12:08:56 UTC'
    """
    fields = fields_of(t)
    return "".join(part if isinstance(part, str) else _formatted(part, fields) for part in parse_pattern(pattern))


def _formatted(field: Field, fields: Fields) -> str:
    letter, count = field.letter, field.count
    if field.is_number:
        value = fields[NUMBERS[letter]] + (letter == "M")
        if letter in _YEARS and count == 2:
            value %= 100
        elif letter == "u":
            value = (value - 2) % 7 + 1
        return str(value or _COUNTED_FROM_1.get(letter, 0)).zfill(count)
    match letter:
        case "M":
            name = MONTHS[fields["MONTH"]]
            return name if count > 3 else name[:3]
        case "E":
            name = WEEKDAYS[fields["DAY_OF_WEEK"] - 1]
            return name if count > 3 else name[:3]
        case "a":
            return ("AM", "PM")[fields["AM_PM"]]
        case "G":
            return "AD"
        case "z":
            return "UTC" if count < 4 else "Coordinated Universal Time"
    return "+0000" if letter == "Z" else "Z"


def parse_time_by(pattern: str, text: str, century: Time) -> Time:
    """The moment that a text names in the form of a pattern.

    A year of two digits in a field `y` or `yy` is one of the hundred years after `century`.  Where blanks stand before it, it
    counts with them and so is no year of two digits: this is how Java once read it, and the reference shows it.

    >>> parse_time_by("MMM dd, yy", "March 7, 10 at noon", century=-946_771_200_000) // 86_400_000
    14675
    """
    reading = _Reading(text, fields_of(century)["YEAR"])
    for part in parse_pattern(pattern):
        if isinstance(part, str):
            reading.literal(part)
        else:
            reading.field(part)
    try:
        t = moment_of(reading.fields)
        if reading.ambiguous and t < century:
            year = "YEAR" if "YEAR" in reading.fields else "WEEK_YEAR"
            t = moment_of(reading.fields | {year: reading.fields[year] + 100})
    except ValueError:
        raise reading.failure() from None
    return t - reading.offset


class _Reading:
    """A text that is read from left to right, and the fields found so far."""

    def __init__(self, text: str, century: int) -> None:
        self.text, self.century = text, century
        self.position = 0
        self.fields: Fields = {}
        self.offset = 0
        self.ambiguous = False

    def failure(self) -> ValueError:
        return ValueError(f'Unparseable date: "{self.text}"')

    def literal(self, literal: str) -> None:
        if not self.text.startswith(literal, self.position):
            raise self.failure()
        self.position += len(literal)

    def field(self, field: Field) -> None:
        start = self.position
        while self.text[self.position : self.position + 1] in (" ", "\t"):
            self.position += 1
        if self.position >= len(self.text):
            raise self.failure()
        if field.is_number:
            self._number(field, start)
        elif field.letter in "zZX":
            self._zone(field.letter)
        else:
            self.position = start  # blanks are skipped before numbers only
            _NAMED[field.letter](self)

    def _number(self, field: Field, start: int) -> None:
        end = start + field.count if field.adjacent else len(self.text)
        match = _DIGITS.match(self.text, self.position, end)
        if match is None or end > len(self.text):
            raise self.failure()
        self.position = match.end()
        value = int(match[0])
        letter = field.letter
        if letter in _YEARS and field.count <= 2 and re.fullmatch(r"\d\d", self.text[start : self.position], re.ASCII):
            self.ambiguous = value == self.century % 100
            value += self.century // 100 * 100 + (100 if value < self.century % 100 else 0)
        elif letter in _COUNTED_FROM_1:
            if not 0 <= value <= _COUNTED_FROM_1[letter]:  # 0 is taken for 0, as the reference shows of hh
                raise self.failure()
            value %= _COUNTED_FROM_1[letter]
        elif letter == "u":
            if not 1 <= value <= 7:
                raise self.failure()
            value = value % 7 + 1
        self._set(NUMBERS[letter], value - (letter == "M"))

    def _set(self, name: str, value: int) -> None:
        self.fields.pop(name, None)  # a field set again is the latest
        self.fields[name] = value

    def name(self, field: str, names: tuple[str, ...], first: int, short: bool) -> None:
        """Read the longest of some names, or their first three letters, in any case."""
        rest = self.text[self.position :].lower()
        candidates = [(name.lower(), i) for i, name in enumerate(names)]
        if short:
            candidates += [(name[:3].lower(), i) for i, name in enumerate(names)]
        found = max(((len(name), i) for name, i in candidates if rest.startswith(name)), default=None)
        if found is None:
            raise self.failure()
        self.position += found[0]
        self._set(field, found[1] + first)

    def _zone(self, letter: str) -> None:
        match = (_ISO_OFFSET if letter == "X" else _OFFSET).match(self.text, self.position)
        if match is not None:
            sign, hours, minutes = match.groups()
            self.offset = zone_offset(f"{sign}{hours:0>2}{minutes or '00'}" if sign else "Z")
            self.position = match.end()
            return
        rest = self.text[self.position :].upper()
        name = next((name for name in _ZONES if rest.startswith(name)), None)
        if name is None or letter == "X":
            raise self.failure()
        self.offset = _ZONES[name] * 3_600_000
        self.position += len(name)


_NAMED: dict[str, Callable[[_Reading], None]] = {
    "M": lambda reading: reading.name("MONTH", MONTHS, 0, short=True),
    "E": lambda reading: reading.name("DAY_OF_WEEK", WEEKDAYS, 1, short=True),
    "a": lambda reading: reading.name("AM_PM", ("AM", "PM"), 0, short=False),
    "G": lambda reading: reading.name("ERA", ("BC", "AD"), 0, short=False),
}
