"""Lines of fields with a delimiter between them, without quotes: where the fields are, and the values of plain ones.

The text is looked at eight bytes at a time.  What is written in any other than the plainest form is left to the caller, which
knows the rules: these kernels are for the millions of fields that are written as everybody writes them.
"""

from __future__ import annotations

import numpy as np
from numba import types

from streamsql.kernels.jit import Bytes, Float64s, Int32s, Int64s, UInt64s, inlined, jit, read_only, writable

MISSING = -1
"""Where a field starts that its line does not have."""

GOOD, NULL, OTHER = 0, 1, 2
"""What a field is: a value in its plain form, none (missing, empty or written as NULL), or something else."""

NEWLINE, RETURN = np.uint8(10), np.uint8(13)
EACH = np.uint64(0x0101010101010101)
LOW_BITS = np.uint64(0x7F7F7F7F7F7F7F7F)
ONE, SEVEN, FIFTY_SIX = np.uint64(1), np.uint64(7), np.uint64(56)

POWERS = np.array([10.0**i for i in range(23)])
"""The powers of ten that a double holds exactly."""

_BYTES, _WORDS, _PLACES = read_only(types.uint8), read_only(types.uint64), read_only(types.int32)


@inlined
def zero_bytes(word: np.uint64) -> np.uint64:
    """The highest bit of each byte that is zero."""
    return ~(((word & LOW_BITS) + LOW_BITS) | word | LOW_BITS)


@inlined
def lowest_byte(marks: np.uint64) -> np.uint64:
    """The number of the lowest byte whose highest bit is marked."""
    below = ((marks & (~marks + ONE)) - ONE) >> SEVEN
    return ((below & EACH) * EACH) >> FIFTY_SIX


@jit((_BYTES,))
def survey(data: Bytes) -> tuple[int, bool]:
    """How many lines there are, and whether all of it is ASCII."""
    lines, every = 0, np.uint8(0)
    for byte in data:
        lines += int(byte == NEWLINE)
        every |= byte
    return lines, bool(every < 128)


@jit((_BYTES,))
def last_line_end(data: Bytes) -> int:
    """Where the last whole line ends: behind its newline, 0 where there is none."""
    for at in range(len(data) - 1, -1, -1):
        if data[at] == NEWLINE:
            return at + 1
    return 0


@jit((_BYTES, _WORDS, types.int64, read_only(types.int64), writable(types.int32, 2), writable(types.int32, 2)))
def split(data: Bytes, words: UInt64s, delimiter: int, columns: Int64s, starts: Int32s, ends: Int32s) -> None:
    """Where the fields of each line begin and end: `starts` and `ends` (columns, lines).

    `words` is `data` (bytes,) by eights, a whole number of lines and zeros behind them.  `columns` (fields,) says of the first
    fields of a line which column each is, below zero: none.  Delimiters behind these fields are not looked at.
    """
    delimiters, newlines = np.uint64(delimiter) * EACH, np.uint64(NEWLINE) * EACH
    line, field, start = 0, 0, 0
    for number in range(len(words)):
        word = words[number]
        newline_marks = zero_bytes(word ^ newlines)
        marks = newline_marks
        if field < len(columns) or newline_marks:
            marks |= zero_bytes(word ^ delimiters)
        while marks:
            at = 8 * number + int(lowest_byte(marks))
            lowest = marks & (~marks + ONE)
            marks ^= lowest
            ends_line = (newline_marks & lowest) != 0
            if field < len(columns):
                column = columns[field]
                if column >= 0:
                    end = at - 1 if ends_line and at > start and data[at - 1] == RETURN else at
                    starts[column, line] = start
                    ends[column, line] = end
            if ends_line:
                for missing in range(field + 1, len(columns)):
                    if columns[missing] >= 0:
                        starts[columns[missing], line] = MISSING
                        ends[columns[missing], line] = MISSING
                line += 1
                field = 0
            else:
                field += 1
            start = at + 1


@inlined
def kind_of(data: Bytes, start: int, end: int, null: Bytes) -> int:
    """Whether a field is none: missing, or the text that NULL is written as."""
    if start == MISSING:
        return NULL
    if end - start != len(null):
        return GOOD
    for i in range(len(null)):
        if data[start + i] != null[i]:
            return GOOD
    return NULL


@jit((_BYTES, _PLACES, _PLACES, _BYTES, writable(types.int32), writable(types.uint8)))
def sizes(data: Bytes, starts: Int32s, ends: Int32s, null: Bytes, offsets: Int32s, kinds: Bytes) -> int:
    """Where each text stands when they stand one behind the other: `offsets` (lines + 1,); gives the bytes of the longest."""
    total, longest = 0, 0
    offsets[0] = 0
    for i in range(len(starts)):
        start, end = int(starts[i]), int(ends[i])
        kind = kind_of(data, start, end, null)
        kinds[i] = kind
        if kind == GOOD:
            size = end - start
            total += size
            longest = max(longest, size)
        offsets[i + 1] = total
    return longest


@jit((_BYTES, _PLACES, _PLACES, writable(types.uint8)))
def gather(data: Bytes, starts: Int32s, offsets: Int32s, texts: Bytes) -> None:
    """The texts one behind the other."""
    for i in range(len(starts)):
        at = starts[i] - offsets[i]
        for j in range(offsets[i], offsets[i + 1]):
            texts[j] = data[at + j]


@jit((_BYTES, _PLACES, _PLACES, _BYTES, types.int64, types.int64, writable(types.int64), writable(types.uint8)))
def integers(
    data: Bytes, starts: Int32s, ends: Int32s, null: Bytes, low: int, high: int, values: Int64s, kinds: Bytes
) -> None:
    """Whole numbers from `low` to `high`: at most 18 digits, a minus in front."""
    for i in range(len(starts)):
        start, end = int(starts[i]), int(ends[i])
        kind = NULL if start == end else kind_of(data, start, end, null)
        value = 0
        if kind == GOOD:
            negative = data[start] == 45
            if negative:
                start += 1
            if start == end or end - start > 18:
                kind = OTHER
            for at in range(start, end):
                digit = int(data[at]) - 48
                if digit < 0 or digit > 9:
                    kind = OTHER
                value = 10 * value + digit
            if negative:
                value = -value
            if value < low or value > high:
                kind = OTHER
        kinds[i] = kind
        values[i] = value if kind == GOOD else 0


@jit((_BYTES, _PLACES, _PLACES, _BYTES, read_only(types.float64), writable(types.float64), writable(types.uint8)))
def doubles(
    data: Bytes, starts: Int32s, ends: Int32s, null: Bytes, powers: Float64s, values: Float64s, kinds: Bytes
) -> None:
    """Doubles of at most 15 digits, a point among them, a minus in front.

    Such digits are a whole number that a double holds exactly, and its division by a power of ten rounds once, so it gives the
    double that is nearest to what is written (Clinger 1990).
    """
    for i in range(len(starts)):
        start, end = int(starts[i]), int(ends[i])
        kind = NULL if start == end else kind_of(data, start, end, null)
        value = 0.0
        if kind == GOOD:
            negative = data[start] == 45
            if negative:
                start += 1
            whole, point = 0, end
            if end - start > 16 or start == end:
                kind = OTHER
            else:
                for at in range(start, end):
                    digit = int(data[at]) - 48
                    if digit == -2 and point == end and at > start:
                        point = at
                    elif digit < 0 or digit > 9:
                        kind = OTHER
                    else:
                        whole = 10 * whole + digit
                behind = max(end - point - 1, 0)
                if point == end - 1 or (point == end and end - start > 15):
                    kind = OTHER
                value = np.float64(whole) / powers[behind] if kind == GOOD else 0.0
                if negative:
                    value = -value
        kinds[i] = kind
        values[i] = value


@inlined
def digits(data: Bytes, start: int, count: int) -> int:
    """The number that so many digits are; below zero where some are none."""
    value = 0
    for at in range(start, start + count):
        digit = int(data[at]) - 48
        if digit < 0 or digit > 9:
            return -1
        value = 10 * value + digit
    return value


@inlined
def day_of(data: Bytes, start: int) -> int:
    """The days since 1970 that YYYY-MM-DD is, from year 1 on; below -999999 where it is no day."""
    year, month, day = digits(data, start, 4), digits(data, start + 5, 2), digits(data, start + 8, 2)
    if data[start + 4] != 45 or data[start + 7] != 45 or year < 1 or month < 1 or month > 12 or day < 1:
        return -1_000_000
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if month == 2:
        last = 29 if leap else 28
    else:
        last = 30 if month == 4 or month == 6 or month == 9 or month == 11 else 31
    if day > last:
        return -1_000_000
    # the days of a year that begins in March follow from a line, and leap days come at its end (Richards 2013)
    from_march = month + 9 if month < 3 else month - 3
    years = year - 1 if month < 3 else year
    return 365 * years + years // 4 - years // 100 + years // 400 + (153 * from_march + 2) // 5 + day - 719_469


@jit((_BYTES, _PLACES, _PLACES, _BYTES, writable(types.int32), writable(types.uint8)))
def dates(data: Bytes, starts: Int32s, ends: Int32s, null: Bytes, values: Int32s, kinds: Bytes) -> None:
    """Days since 1970 of YYYY-MM-DD."""
    for i in range(len(starts)):
        start, end = int(starts[i]), int(ends[i])
        kind = NULL if start == end else kind_of(data, start, end, null)
        value = 0
        if kind == GOOD:
            value = day_of(data, start) if end - start == 10 else -1_000_000
            if value == -1_000_000:
                kind = OTHER
                value = 0
        kinds[i] = kind
        values[i] = value


@jit((_BYTES, _PLACES, _PLACES, _BYTES, writable(types.int64), writable(types.uint8)))
def timestamps(data: Bytes, starts: Int32s, ends: Int32s, null: Bytes, values: Int64s, kinds: Bytes) -> None:
    """Milliseconds since 1970 of YYYY-MM-DD HH:MM:SS, with up to three digits of a second or without."""
    for i in range(len(starts)):
        start, end = int(starts[i]), int(ends[i])
        kind = NULL if start == end else kind_of(data, start, end, null)
        value = 0
        if kind == GOOD:
            size = end - start
            kind = OTHER
            if size == 19 or (21 <= size <= 23 and data[start + 19] == 46):
                day = day_of(data, start)
                hour, minute, second = digits(data, start + 11, 2), digits(data, start + 14, 2), digits(data, start + 17, 2)
                part = digits(data, start + 20, size - 20) if size > 19 else 0
                apart = data[start + 10] == 32 and data[start + 13] == 58 and data[start + 16] == 58
                within = 0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60
                if day > -1_000_000 and apart and within and part >= 0:
                    for _ in range(size, 23):
                        part *= 10 if size > 19 else 1
                    value = 86_400_000 * day + 3_600_000 * hour + 60_000 * minute + 1000 * second + part
                    kind = GOOD
        kinds[i] = kind
        values[i] = value
