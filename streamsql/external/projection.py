"""Partition projection: the partitions of a table follow from its properties instead of being registered.

    projection.enabled = true
    projection.COLUMN.type = enum | integer | date | injected      with .values or .range, .interval, .digits, .format ...
    storage.location.template = s3://bucket/table/${COLUMN}/

The messages are those of Athena.  Values are made a column at a time, so that a filter over one column can drop most of
them before the columns are combined.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import pyarrow as pa

from streamsql.errors import OperationalError, ProgrammingError
from streamsql.external.date_steps import UNITS, DateSteps, date_steps
from streamsql.external.partitions import typed
from streamsql.time import Time
from streamsql.types import Family, Field

MOST_VALUES = 10_000_000
"""Values that one column may have."""

_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
_NOW = re.compile(r"\s*NOW\s*(?:([+-])\s*(\d+)\s*(YEAR|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND)S?\s*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Values:
    """The values that a column may have: as paths spell them, and as queries see them."""

    texts: pa.Array
    values: pa.Array


@dataclass(frozen=True, slots=True)
class Injected:
    """A column whose values the query itself must give."""


ColumnProjection: TypeAlias = Callable[[Time], Values] | Injected
"""What a column projects, at a time that stands for NOW."""


@dataclass(frozen=True, slots=True)
class Projection:
    """How the partitions of a table follow from its properties: its columns in order, and where each partition is."""

    columns: Mapping[str, ColumnProjection]
    template: tuple[str, ...]
    """The location of a partition: text and names of columns in turn, text first."""


def projection_of(table: str, keys: Sequence[Field], location: str, properties: Mapping[str, str]) -> Projection | None:
    """The projection that properties configure; None where it is not enabled.

    Raises OperationalError for columns that are not configured, ProgrammingError for a property that cannot be.
    """
    known = {name.lower(): value for name, value in properties.items()}
    if known.get("projection.enabled", "").strip().lower() != "true" or not keys:
        return None
    missing = [key.name for key in keys if f"projection.{key.name.lower()}.type" not in known]
    if missing:
        raise OperationalError(
            f"HIVE_METASTORE_ERROR: Table {table} is configured for partition projection, but the following partition columns "
            f"are missing projection configuration: [{', '.join(missing)}] (table {table})"
        )
    columns: dict[str, ColumnProjection] = {}
    for key in keys:
        settings = _Settings(table, key, known)
        kind = settings["type"].lower()
        if kind not in _KINDS:
            raise settings.wrong("type", f"one of {', '.join(_KINDS)}")
        columns[key.name] = _KINDS[kind](settings, key)
    return Projection(columns, _template(table, keys, location, properties))


class _Settings:
    """The properties of one column."""

    def __init__(self, table: str, key: Field, known: Mapping[str, str]) -> None:
        self._table = table
        self._prefix = f"projection.{key.name.lower()}."
        self._known = known
        self.column = key.name

    def __getitem__(self, name: str) -> str:
        """A property that must be there, without the blanks around it."""
        value = self.raw(name)
        if value is None:
            raise self.missing(name)
        return value.strip()

    def raw(self, name: str) -> str | None:
        return self._known.get(self._prefix + name)

    def missing(self, name: str) -> ProgrammingError:
        """The error for a property that is not there."""
        return ProgrammingError(f"INVALID_TABLE_PROPERTY: {self._prefix}{name} of table {self._table} is missing")

    def wrong(self, name: str, wanted: str) -> ProgrammingError:
        """The error for a value that cannot be."""
        value = self.raw(name)
        text = f"INVALID_TABLE_PROPERTY: {self._prefix}{name} of table {self._table} is {value!r}, which is not {wanted}"
        return ProgrammingError(text)

    def number(self, name: str, default: int | None) -> int | None:
        """A positive whole number."""
        text = self.raw(name)
        if text is None:
            return default
        if not re.fullmatch(r"\s*\d+\s*", text, re.ASCII) or int(text) < 1:
            raise self.wrong(name, "a positive whole number")
        return int(text)

    def bounds(self) -> tuple[str, str]:
        """The two ends of a range."""
        value = self.raw("range") or ""
        if not value:
            raise self.missing("range")
        low, comma, high = value.partition(",")
        if not comma or "," in high:
            raise self.wrong("range", "two values with a comma between them")
        return low, high


def _enum(settings: _Settings, key: Field) -> ColumnProjection:
    text = settings.raw("values")  # blanks belong to the values
    if text is None:
        raise settings.missing("values")
    values = text.split(",")
    made = Values(pa.array(values, pa.string()), typed(values, key))
    return lambda _: made


def _integer(settings: _Settings, key: Field) -> ColumnProjection:
    low, high = settings.bounds()
    if not all(re.fullmatch(r"\s*-?\d+\s*", bound, re.ASCII) for bound in (low, high)):
        raise settings.wrong("range", "two whole numbers")
    step, digits = settings.number("interval", 1), settings.number("digits", None)
    numbers = range(int(low), int(high) + 1, step or 1)
    if len(numbers) > MOST_VALUES:
        raise settings.wrong("range", f"at most {MOST_VALUES:,} values")
    texts = pa.array(numbers, pa.int64()).cast(pa.string())
    if digits is not None:
        texts = pa.array([f"{number:0{digits + (number < 0)}d}" for number in numbers], pa.string())
    made = Values(texts, texts if key.type.is_character else typed(texts.to_pylist(), key))
    return lambda _: made


def _date(settings: _Settings, key: Field) -> ColumnProjection:
    low, high = settings.bounds()
    unit = settings.raw("interval.unit")
    if unit is not None and unit.strip().upper() not in UNITS:
        raise settings.wrong("interval.unit", f"one of {', '.join(UNITS)}")
    try:
        steps = date_steps(settings["format"], settings.number("interval", None), unit and unit.strip().upper())
    except ValueError as error:
        raise settings.wrong("format", f"a date format: {error}") from None
    if steps is None:
        raise settings.missing("interval.unit" if settings.raw("interval") else "interval")
    for bound in (low, high):
        if _NOW.fullmatch(bound) is None and steps.parse(bound) is None:
            raise settings.wrong("range", f"two dates of the format {settings['format']!r}, or NOW")

    def values(now: Time) -> Values:
        try:
            texts, times = steps.values(_moment(low, steps, now), _moment(high, steps, now), MOST_VALUES)
        except ValueError as error:
            raise settings.wrong("range", str(error)) from None
        if key.type.is_character:
            return Values(texts, texts)
        if key.type.family in (Family.DATE, Family.TIMESTAMP):
            return Values(texts, times.cast(key.type.arrow(), safe=False))
        return Values(texts, typed(texts.to_pylist(), key))

    return values


def _moment(bound: str, steps: DateSteps, now: Time) -> Time:
    """A bound of a range: a date, or NOW and how far from it."""
    match = _NOW.fullmatch(bound)
    if match is None:
        found = steps.parse(bound)
        assert found is not None
        return found
    sign, count, unit = match.groups()
    return steps.moved(now, int(f"{sign}{count}"), f"{unit.upper()}S") if sign else now


def _injected(settings: _Settings, key: Field) -> ColumnProjection:
    if not key.type.is_character:
        raise settings.wrong("type", f"possible for a column of type {key.type}: injected columns are strings")
    return Injected()


_KINDS: Mapping[str, Callable[[_Settings, Field], ColumnProjection]] = {
    "enum": _enum,
    "integer": _integer,
    "date": _date,
    "injected": _injected,
}


def _template(table: str, keys: Sequence[Field], location: str, properties: Mapping[str, str]) -> tuple[str, ...]:
    given = next((value for name, value in properties.items() if name.lower() == "storage.location.template"), None)
    root = location if location.endswith("/") else location + "/"
    template = root + "".join(f"{key.name}=${{{key.name}}}/" for key in keys) if given is None else given
    parts = _PLACEHOLDER.split(template)
    names = {key.name.lower(): key.name for key in keys}
    used = [part.lower() for part in parts[1::2]]
    unknown = [name for name in used if name not in names]
    missing = [name for lower, name in names.items() if lower not in used]
    if unknown or missing:
        problem = f"names no column {', '.join(unknown)}" if unknown else f"has no placeholder for {', '.join(missing)}"
        raise ProgrammingError(f"INVALID_TABLE_PROPERTY: storage.location.template of table {table} {problem}: {template!r}")
    return tuple(names[part.lower()] if i % 2 else part for i, part in enumerate(parts))
