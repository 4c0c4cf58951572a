"""Times to and from text in the form of a pattern of Java's `SimpleDateFormat`.

Patterns of numbers of fixed width, which most are, work on whole columns of characters; the others row by row.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.arrays import map_values, nulls
from streamsql.datetime_text import Characters, strings_of, timestamp_characters, timestamps_of
from streamsql.functions.calendar import DAY, add_months
from streamsql.functions.java.simple_date_format import Field, Part, format_time, parse_pattern, parse_time_by
from streamsql.functions.registry import scalar
from streamsql.rows import Datum, ErrorName, Rows, map_rows
from streamsql.time import Time

TIMESTAMP = pa.timestamp("ms")

_COLUMNS = {
    ("y", 4): slice(0, 4),
    ("M", 2): slice(5, 7),
    ("d", 2): slice(8, 10),
    ("H", 2): slice(11, 13),
    ("m", 2): slice(14, 16),
    ("s", 2): slice(17, 19),
    ("S", 3): slice(20, 23),
}
"""Where the fields of fixed width stand in `yyyy-MM-dd HH:mm:ss.SSS`."""

_DEFAULT = np.frombuffer(b"1970-01-01 00:00:00.000", np.uint8)
_HALF_DAY = np.array([list(f"{hour % 12 or 12:02d}".encode()) for hour in range(24)], np.uint8)


@scalar("CHAR_TO_TIMESTAMP(format: CHARACTER, s: CHARACTER) -> TIMESTAMP", fails=True)
def char_to_timestamp(rows: Rows, format: Datum, s: Datum) -> Datum:
    """The time that a text names in the form of a pattern; what follows in the text is ignored.

    Missing fields are those of 1970-01-01 00:00:00.  `hh` counts to 12: the hours of the afternoon need `HH`.  A year of two
    digits is one of the hundred years that started 80 years before the query.  Years end at 9999.

    >>> CHAR_TO_TIMESTAMP('yyyy-MM-dd hh:mm:ss', '2009-09-16 03:15:24')
    2009-09-16 03:15:24
    >>> CHAR_TO_TIMESTAMP('MMM dd, yyyy', 'March 7, 2010')
    2010-03-07 00:00:00
    >>> CHAR_TO_TIMESTAMP('dd-MM-yy hh:mm:ss', '23-06-11 10:11:12')
    2011-06-23 10:11:12
    >>> CHAR_TO_TIMESTAMP('yyyy-MM hh', '2009-09-16 03:15:24')
    error: Unparseable date: "2009-09-16 03:15:24"
    """
    if isinstance(format, pa.Scalar) and format.is_valid and not isinstance(s, pa.Scalar):
        regular = _parsed_by_columns(format.as_py(), s)
        if regular is not None:
            return regular
    century = _century(rows.time.started)
    return map_rows(rows, lambda f, text: parse_time_by(f, text, century), [format, s], TIMESTAMP, ErrorName.ARGUMENT)


@scalar("CHAR_TO_DATE(format: CHARACTER, s: CHARACTER) -> DATE", fails=True)
def char_to_date(rows: Rows, format: Datum, s: Datum) -> Datum:
    """The day that a text names in the form of a pattern; the text may go on with a time.

    >>> CHAR_TO_DATE('yyyy-MM-dd', '2009-09-16 03:15:24')
    2009-09-16
    """
    return map_values(lambda t: t // DAY, pa.date32(), char_to_timestamp(rows, format, s))


@scalar("CHAR_TO_TIME(format: CHARACTER, s: CHARACTER) -> TIME", fails=True)
def char_to_time(rows: Rows, format: Datum, s: Datum) -> Datum:
    """The time of day that a text names in the form of a pattern.

    >>> CHAR_TO_TIME('HH:mm:ss', '21:08:07')
    21:08:07
    """
    return map_values(lambda t: t % DAY, pa.time32("ms"), char_to_timestamp(rows, format, s))


@scalar("TIMESTAMP_TO_CHAR(format: CHARACTER, t: TIMESTAMP) -> VARCHAR", strict=False, fails=True)
def timestamp_to_char(rows: Rows, format: Datum, t: Datum) -> Datum:
    """A time in the form of a pattern; NULL gives the text `null`, as in the original.

    >>> TIMESTAMP_TO_CHAR('yyyy-MM-dd hh:mm:ss', TIMESTAMP '2018-05-09 12:50:41')
    2018-05-09 12:50:41
    >>> TIMESTAMP_TO_CHAR('EEE, d MMM yyyy', TIMESTAMP '2001-07-04 12:08:56')
    Wed, 4 Jul 2001
    >>> TIMESTAMP_TO_CHAR('yyyy', CAST(NULL AS TIMESTAMP))
    null
    """
    text = _formatted(rows, format, t)
    return pc.if_else(rows.column(pc.and_(pc.is_null(t), pc.is_valid(format))), "null", text)


@scalar("DATE_TO_CHAR(format: CHARACTER, d: DATE) -> VARCHAR", fails=True)
def date_to_char(rows: Rows, format: Datum, d: Datum) -> Datum:
    """A date in the form of a pattern.

    >>> DATE_TO_CHAR('dd.MM.yyyy', DATE '2009-09-16')
    16.09.2009
    """
    return _formatted(rows, format, map_values(lambda v: v.astype(np.int64) * DAY, TIMESTAMP, d))


@scalar("TIME_TO_CHAR(format: CHARACTER, t: TIME) -> VARCHAR", fails=True)
def time_to_char(rows: Rows, format: Datum, t: Datum) -> Datum:
    """A time of day in the form of a pattern.

    >>> TIME_TO_CHAR('h:mm a', TIME '21:08:07')
    9:08 PM
    """
    return _formatted(rows, format, map_values(lambda v: v.astype(np.int64), TIMESTAMP, t))


def _century(started: Time) -> Time:
    """The first moment of the hundred years that years of two digits mean."""
    return int(add_months(np.array([started], np.int64), np.array([-80 * 12], np.int64))[0])


def _formatted(rows: Rows, format: Datum, t: Datum) -> Datum:
    if isinstance(format, pa.Scalar) and format.is_valid and not isinstance(t, pa.Scalar):
        regular = _formatted_by_columns(format.as_py(), t)
        if regular is not None:
            return regular
    milliseconds = t.cast(pa.int64())
    return map_rows(rows, format_time, [format, milliseconds], pa.string(), ErrorName.ARGUMENT)


def _formatted_by_columns(pattern: str, t: pa.Array) -> pa.Array | None:
    """Times in the form of a pattern whose fields have a fixed width; None for other patterns."""
    parts = _fixed_parts(pattern)
    if parts is None:
        return None
    characters = timestamp_characters(t)
    if characters is None:
        return None
    columns = []
    for part in parts:
        if isinstance(part, str):
            columns.append(np.broadcast_to(np.frombuffer(part.encode(), np.uint8), (len(t), len(part))))
        elif part.letter == "h":
            hour = (characters[:, 11] - ord("0")) * 10 + (characters[:, 12] - ord("0"))
            columns.append(_HALF_DAY[hour])
        else:
            columns.append(characters[:, _COLUMNS[part.letter, part.count]])
    return strings_of(np.hstack(columns), nulls(t))


def _parsed_by_columns(pattern: str, s: pa.Array) -> pa.Array | None:
    """Texts of one length read by a pattern whose fields have a fixed width; None when the pattern or a text is not so."""
    parts = _fixed_parts(pattern)
    if parts is None or s.null_count or len(s) == 0:
        return None
    width = sum(len(part) if isinstance(part, str) else part.count for part in parts)
    shortest, longest = (bound.as_py() for bound in pc.min_max(pc.binary_length(s)).values())
    fields = ["H" if part.letter == "h" else part.letter for part in parts if not isinstance(part, str)]
    if not shortest == longest >= width or len(set(fields)) < len(fields):
        return None
    start = int(np.frombuffer(s.buffers()[1], np.int32)[s.offset])
    text: Characters = np.frombuffer(s.buffers()[2], np.uint8, len(s) * longest, start).reshape(len(s), longest)
    if longest > width and not isinstance(parts[-1], str) and _are_digits(text[:, width]).any():
        return None  # the last number goes on
    times = np.tile(_DEFAULT, (len(s), 1))
    position = 0
    for part in parts:
        length = len(part) if isinstance(part, str) else part.count
        if not _read_column(part, text[:, position : position + length], times):
            return None
        position += length
    return timestamps_of(strings_of(times, None))


def _read_column(part: Part, column: Characters, times: Characters) -> bool:
    """Put the characters of one part of a pattern into their place in `times`; False when they do not fit it."""
    if isinstance(part, str):
        return bool((column == np.frombuffer(part.encode(), np.uint8)).all())
    if not _are_digits(column).all():
        return False
    if part.letter == "h":
        hour = (column[:, 0] - ord("0")) * 10 + (column[:, 1] - ord("0"))
        if not ((hour >= 1) & (hour <= 12)).all():
            return False
        column = np.where((hour == 12)[:, None], np.uint8(ord("0")), column)
        part = Field("H", 2)
    times[:, _COLUMNS[part.letter, part.count]] = column
    return True


def _are_digits(characters: Characters) -> npt.NDArray[np.bool_]:
    return (characters >= ord("0")) & (characters <= ord("9"))


@lru_cache(maxsize=256)
def _fixed_parts(pattern: str) -> tuple[Part, ...] | None:
    """The parts of a pattern of ASCII text and fields of fixed width; None for other, also malformed, patterns."""
    try:
        parts = parse_pattern(pattern)
    except ValueError:
        return None
    fixed = all(part.isascii() if isinstance(part, str) else (part.letter, part.count) in (*_COLUMNS, ("h", 2)) for part in parts)
    return parts if fixed and parts else None
