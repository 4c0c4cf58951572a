"""Dates and times as text, by the templates of Redshift: TO_CHAR, TO_DATE, TO_TIMESTAMP."""

from __future__ import annotations

import re
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.functions.athena.formats import date_format, date_parse
from streamsql.functions.registry import scalar
from streamsql.rows import Datum, ErrorName, Rows, map_rows

PARTS = {
    "YYYY": "%Y", "YY": "%y", "MM": "%m", "MON": "%b", "MONTH": "%M", "DDD": "%j", "DD": "%d", "DY": "%a", "DAY": "%W",
    "HH24": "%H", "HH12": "%h", "HH": "%h", "MI": "%i", "SS": "%s", "US": "%f", "AM": "%p", "PM": "%p",
}  # fmt: skip
"""The parts of a template, and what they are in the patterns of MySQL."""

TEMPLATE = re.compile(rf'"([^"]*)"|({"|".join(sorted(PARTS, key=len, reverse=True))})|([A-Za-z]+)|(.)', re.IGNORECASE | re.DOTALL)


@cache
def pattern_of(template: str) -> str:
    """A template as a pattern of MySQL.  Raises ValueError.

    >>> pattern_of('YYYY-MM-DD"T"HH24:MI')
    '%Y-%m-%dT%H:%i'
    """
    pieces: list[str] = []
    for quoted, part, unknown, other in TEMPLATE.findall(template):
        if unknown:
            raise ValueError(f"{unknown} means nothing in the template of a date")
        pieces.append(PARTS[part.upper()] if part else (quoted or other).replace("%", "%%"))
    return "".join(pieces)


def _patterns(rows: Rows, templates: Datum, beside: Datum) -> Datum:
    """The patterns of the rows that have a value beside their template."""
    there = pc.if_else(pc.is_valid(beside), True, pa.scalar(None, pa.bool_()))
    return map_rows(rows, lambda template, _: pattern_of(template), [templates, there], pa.string(), ErrorName.ARGUMENT)


@scalar("TO_CHAR(t: MOMENT, template: CHARACTER) -> VARCHAR", fails=True)
def to_char(rows: Rows, t: Datum, template: Datum) -> Datum:
    """A time as text, by a template of Redshift.

    >>> TO_CHAR(TIMESTAMP '2004-09-30 13:48:23', 'YYYY-MM-DD HH24:MI:SS')
    2004-09-30 13:48:23
    >>> TO_CHAR(DATE '2004-09-30', 'DD Mon YY')
    30 Sep 04
    """
    return date_format(rows, t, _patterns(rows, template, t))


@scalar("TO_TIMESTAMP(s: CHARACTER, template: CHARACTER) -> TIMESTAMP", fails=True)
def to_timestamp(rows: Rows, s: Datum, template: Datum) -> Datum:
    """The time that a text says, by a template of Redshift.

    >>> TO_TIMESTAMP('30.09.2004 13:48', 'DD.MM.YYYY HH24:MI')
    2004-09-30 13:48:00
    """
    return date_parse(rows, s, _patterns(rows, template, s))


@scalar("TO_DATE(s: CHARACTER, template: CHARACTER) -> DATE", fails=True)
def to_date(rows: Rows, s: Datum, template: Datum) -> Datum:
    """The day that a text says, by a template of Redshift.

    >>> TO_DATE('20040930', 'YYYYMMDD')
    2004-09-30
    >>> TO_DATE('today', 'YYYYMMDD')
    error: 'today' does not follow the pattern %Y%m%d
    """
    return to_timestamp(rows, s, template).cast(pa.date32())
