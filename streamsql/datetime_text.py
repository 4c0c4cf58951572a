"""DATE, TIME and TIMESTAMP as text and back.

The `parse_` functions take one text and raise `ValueError`; the plural ones work on whole arrays.  Times are whole
milliseconds, dates whole days, as everywhere.
"""

from __future__ import annotations

import re
from datetime import date
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.arrays import Values, from_numbers, nulls, numbers
from streamsql.time import Time, timestamp_text

DAY = 86_400_000

_DATE = r"(\d{4})-(\d{1,2})-(\d{1,2})"
_TIME = r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d+))?"
_DATE_ONLY = re.compile(_DATE, re.ASCII)
_TIME_ONLY = re.compile(_TIME, re.ASCII)
_TIMESTAMP = re.compile(f"{_DATE} {_TIME}", re.ASCII)
_ISO = re.compile(
    rf"{_DATE}(?:[T ](\d{{1,2}}):(\d{{1,2}})(?::(\d{{1,2}})(?:[.,](\d+))?)?)? ?(Z|[+-]\d{{2}}(?::?\d{{2}})?)?",
    re.ASCII,
)
_EPOCH = date(1970, 1, 1).toordinal()
_YEAR_0, _YEAR_9999 = -719_528, 2_932_896
_FIRST = (1 - _EPOCH) * DAY


def parse_date(text: str) -> int:
    """The days since 1970 of `yyyy-MM-dd`.

    >>> parse_date("1970-01-02")
    1
    """
    match = _DATE_ONLY.fullmatch(text)
    if match is None:
        raise ValueError(f"not in format 'yyyy-MM-dd': {text!r}")
    return _days(text, *match.groups())


def parse_time(text: str) -> int:
    """The milliseconds since midnight of `HH:mm:ss[.fff]`; what is below a millisecond is cut.

    >>> parse_time("00:00:01.5")
    1500
    """
    match = _TIME_ONLY.fullmatch(text)
    if match is None:
        raise ValueError(f"not in format 'HH:mm:ss': {text!r}")
    return _clock(text, *match.groups())


def parse_timestamp(text: str) -> Time:
    """The milliseconds since 1970 of `yyyy-MM-dd HH:mm:ss[.fff]`; what is below a millisecond is cut.

    >>> parse_timestamp("1970-01-01 00:00:01.0")
    1000
    """
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise ValueError(f"not in format 'yyyy-MM-dd HH:mm:ss': {text!r}")
    groups = match.groups()
    return _days(text, *groups[:3]) * DAY + _clock(text, *groups[3:])


def parse_iso_timestamp(text: str) -> Time:
    """The same for input records: `T` for the blank, no seconds, no time of day, `Z` or an offset are accepted too.

    >>> parse_iso_timestamp("1970-01-01T01:00:00.123456+01:00")
    123
    """
    match = _ISO.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not an ISO 8601 time: {text!r}")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    clock = _clock(text, hour or "0", minute or "0", second or "0", fraction)
    return _days(text, year, month, day) * DAY + clock - zone_offset(zone or "Z")


def zone_offset(zone: str) -> int:
    """The milliseconds that a zone written as `Z`, `+hh`, `+hhmm` or `+hh:mm` is ahead of UTC."""
    if zone == "Z":
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return (-minutes if zone[0] == "-" else minutes) * 60_000


def _days(text: str, year: str, month: str, day: str) -> int:
    try:
        return date(int(year), int(month), int(day)).toordinal() - _EPOCH
    except ValueError as error:
        raise ValueError(f"{error}: {text!r}") from None


def _clock(text: str, hour: str, minute: str, second: str, fraction: str | None) -> int:
    if int(hour) > 23 or int(minute) > 59 or int(second) > 59:
        raise ValueError(f"no time of day: {text!r}")
    milliseconds = int((fraction or "0")[:3].ljust(3, "0"))
    return ((int(hour) * 60 + int(minute)) * 60 + int(second)) * 1000 + milliseconds


def timestamps_of(texts: pa.Array, iso: bool = False) -> pa.Array | None:
    """All texts of an array as TIMESTAMPs when each has the usual form in full; None when some need a closer look.

    `iso` allows `T` for the blank; up to six fraction digits are read, those below a millisecond are cut.
    """
    shortest, longest = (bound.as_py() for bound in pc.min_max(pc.binary_length(texts)).values())
    if shortest is None:
        return pa.nulls(len(texts), pa.timestamp("ms"))
    if shortest < 19 or longest > 26 or (not iso and pc.any(pc.match_substring(texts, "T")).as_py()):
        return None
    try:
        fine = texts.cast(pa.timestamp("ms" if longest <= 23 else "us")).cast(pa.int64())
    except pa.ArrowInvalid:
        return None
    values = numbers(fine) if longest <= 23 else numbers(fine) // 1000
    null = nulls(texts)
    if np.min(values, where=True if null is None else ~null, initial=0) < _FIRST:
        return None
    return from_numbers(values, pa.timestamp("ms"), null)


def date_text(days: int) -> str:
    """A date as `yyyy-MM-dd`.

    >>> date_text(0)
    '1970-01-01'
    """
    return str(np.datetime64(days, "D"))


def time_text(t: int) -> str:
    """A time of day as CAST prints it: with a fraction only where it is not zero.

    >>> time_text(1000), time_text(1500)
    ('00:00:01', '00:00:01.500')
    """
    seconds, fraction = divmod(t, 1000)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{fraction:03d}" if fraction else text


def timestamp_cast_text(t: Time) -> str:
    """A time as CAST prints it: with a fraction only where it is not zero.

    >>> timestamp_cast_text(1000), timestamp_cast_text(1500)
    ('1970-01-01 00:00:01', '1970-01-01 00:00:01.500')
    """
    days, clock = divmod(t, DAY)
    return f"{date_text(days)} {time_text(clock)}"


def dates_text(dates: pa.Array) -> pa.Array:
    """DATEs as `yyyy-MM-dd`."""
    days = numbers(dates)
    if not _in_range(days):
        return pa.array([None if d is None else date_text(d) for d in dates.cast(pa.int32()).to_pylist()], pa.string())
    return strings_of(_date_bytes(days), nulls(dates))


def times_cast_text(times: pa.Array) -> pa.Array:
    """TIMEs as CAST prints them."""
    return _without_zero_fractions(_clock_bytes(numbers(times)), nulls(times))


def timestamps_text(times: pa.Array) -> pa.Array:
    """TIMESTAMPs as `yyyy-MM-dd HH:mm:ss.SSS`, the form of output records."""
    characters = timestamp_characters(times)
    if characters is None:
        values = times.cast(pa.int64()).to_pylist()
        return pa.array([None if t is None else timestamp_text(t) for t in values], pa.string())
    return strings_of(characters, nulls(times))


def timestamps_cast_text(times: pa.Array) -> pa.Array:
    """TIMESTAMPs as CAST prints them."""
    characters = timestamp_characters(times)
    if characters is None:
        values = times.cast(pa.int64()).to_pylist()
        return pa.array([None if t is None else timestamp_cast_text(t) for t in values], pa.string())
    return _without_zero_fractions(characters, nulls(times))


Characters = npt.NDArray[np.uint8]
"""Texts of equal length: a row of bytes each."""


def _in_range(days: Values) -> bool:
    """Whether all are in the years 0 to 9999, which print with four digits."""
    return bool(days.size == 0 or (days.min() >= _YEAR_0 and days.max() <= _YEAR_9999))


def timestamp_characters(times: pa.Array) -> Characters | None:
    """The 23 characters of `yyyy-MM-dd HH:mm:ss.SSS` of each time; None when some year has not four digits."""
    values, null = numbers(times), nulls(times)
    if null is not None:
        values = np.where(null, 0, values)
    days = values // DAY
    if not _in_range(days):
        return None
    characters = np.empty((len(values), 23), np.uint8)
    characters[:, :10] = _date_bytes(days)
    characters[:, 10] = ord(" ")
    characters[:, 11:] = _clock_bytes(values - days * DAY)
    return characters


def _date_bytes(days: Values) -> Characters:
    low, high = (int(days.min()), int(days.max())) if days.size else (0, 0)
    if high - low > days.size:
        return _bytes(np.datetime_as_string(days.astype("datetime64[D]")), 10)
    table = _bytes(np.datetime_as_string(np.arange(low, high + 1).astype("datetime64[D]")), 10)
    characters: Characters = table[days - low]
    return characters


def _clock_bytes(times: Values) -> Characters:
    """`HH:mm:ss.SSS` of milliseconds since midnight."""
    seconds, fractions = _clock_tables()
    second = times // 1000
    characters = np.empty((len(times), 12), np.uint8)
    characters[:, :8] = seconds[second].view(np.uint8).reshape(-1, 8)
    characters[:, 8:] = fractions[times - second * 1000].view(np.uint8).reshape(-1, 4)
    return characters


@cache
def _clock_tables() -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint32]]:
    """The text of every second of a day in eight bytes, and of every fraction in four."""
    seconds = np.datetime_as_string(np.arange(86_400).astype("datetime64[s]"))
    fractions = np.array([f".{i:03d}" for i in range(1000)])
    clock = np.ascontiguousarray(_bytes(seconds, 19)[:, 11:])
    return clock.view(np.uint64).ravel(), _bytes(fractions, 4).view(np.uint32).ravel()


def _bytes(texts: npt.NDArray[np.str_], width: int) -> Characters:
    """ASCII texts of one width as rows of bytes."""
    encoded = texts.astype(f"S{width}")
    return encoded.view(np.uint8).reshape(len(texts), width)


def strings_of(characters: Characters, null: npt.NDArray[np.bool_] | None) -> pa.Array:
    """Texts of equal length as an array, NULL where `null` is true."""
    count, width = characters.shape
    offsets = np.arange(0, (count + 1) * width, width, dtype=np.int32)
    return _string_array(offsets, np.ascontiguousarray(characters), null)


def _without_zero_fractions(characters: Characters, null: npt.NDArray[np.bool_] | None) -> pa.Array:
    """Texts that end in `.SSS`, without it where it is `.000`."""
    width = characters.shape[1]
    whole = (characters[:, -3:] == ord("0")).all(axis=1)
    if whole.all():
        return strings_of(characters[:, :-4], null)
    lengths = np.where(whole, width - 4, width)
    kept = characters[np.arange(width) < lengths[:, None]]
    return _string_array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32), kept, null)


def _string_array(offsets: npt.NDArray[np.int32], data: Characters, null: npt.NDArray[np.bool_] | None) -> pa.Array:
    validity = None if null is None else pa.py_buffer(np.packbits(~null, bitorder="little"))
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(data), validity)
