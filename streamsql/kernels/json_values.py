"""Kernels: text, times and values of any kind in JSON text.

As in `scan_numbers`, `BAD` stands for what is refused, and a line feed ends every text.
"""

from __future__ import annotations

import numpy as np

from streamsql.kernels.jit import inlined, jit, read_only
from streamsql.kernels.json_numbers import BAD, Octets
from streamsql.kernels.sliding import INTEGERS

INTEGER = INTEGERS.dtype
OCTET = INTEGER.from_bitwidth(8, signed=False)
OCTETS = read_only(OCTET)

DEEPEST = 60
"""Arrays and objects within one another, beyond which a value is refused."""

DAYS_BEFORE_MONTH = np.array([0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334], np.int64)
DAYS_IN_MONTH = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int64)

QUOTE, BACKSLASH, COMMA, COLON = 34, 92, 44, 58
OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET = 123, 125, 91, 93


@inlined
def after_blanks(data: Octets, at: int) -> int:
    """Behind blanks, tabs and carriage returns."""
    while data[at] == 32 or data[at] == 9 or data[at] == 13:
        at += 1
    return at


@inlined
def _escape(data: Octets, at: int) -> tuple[int, int]:
    """An escape sequence: its length and how many bytes of UTF-8 it stands for; half a surrogate pair is refused."""
    code = data[at + 1]
    if code in (QUOTE, BACKSLASH, 47, 98, 102, 110, 114, 116):
        return 2, 1
    if code != 117:  # u
        return BAD, 0
    point = _hexadecimal(data, at + 2)
    if point < 0:
        return BAD, 0
    if point < 0xD800 or point > 0xDFFF:
        return 6, 1 if point < 0x80 else 2 if point < 0x800 else 3
    if point > 0xDBFF or data[at + 6] != BACKSLASH or data[at + 7] != 117:
        return BAD, 0
    second = _hexadecimal(data, at + 8)
    return (12, 4) if 0xDC00 <= second <= 0xDFFF else (BAD, 0)


@inlined
def _hexadecimal(data: Octets, at: int) -> int:
    """The number that four hexadecimal digits spell, BAD where they are none."""
    value = 0
    for offset in range(4):
        code = data[at + offset]
        if 48 <= code <= 57:
            value = value * 16 + code - 48
        elif 65 <= code <= 70 or 97 <= code <= 102:
            value = value * 16 + (code & 15) + 9
        else:
            return BAD
    return value


@jit((OCTETS, INTEGER))
def scan_string(data: Octets, at: int) -> tuple[int, int]:
    """A string whose opening quote is in front of `at`: behind its closing quote, and how much shorter than its source it is
    once its escapes are resolved."""
    saved = 0
    while True:
        code = data[at]
        if code == QUOTE:
            return at + 1, saved
        if code < 32:
            return BAD, 0
        if code != BACKSLASH:
            at += 1
            continue
        length, size = _escape(data, at)
        if length == BAD:
            return BAD, 0
        saved += length - size
        at += length


@inlined
def resolve(data: Octets, at: int, result: Octets, to: int, end: int) -> None:
    """Write the string that begins at `at` into `result` from `to` to `end`, its escapes resolved."""
    while to < end:
        code = data[at]
        if code != BACKSLASH:
            result[to] = code
            at, to = at + 1, to + 1
            continue
        code = data[at + 1]
        if code != 117:
            result[to] = _escaped(code)
            at, to = at + 2, to + 1
            continue
        point = _hexadecimal(data, at + 2)
        at += 6
        if 0xD800 <= point <= 0xDFFF:
            point = 0x10000 + ((point & 0x3FF) << 10) + (_hexadecimal(data, at + 2) & 0x3FF)
            at += 6
        to = _write_point(point, result, to)


@inlined
def _escaped(code: int) -> int:
    """What a letter behind a backslash stands for."""
    if code == 98:
        return 8
    if code == 102:
        return 12
    if code == 110:
        return 10
    if code == 114:
        return 13
    return 9 if code == 116 else code


@inlined
def _write_point(point: int, result: Octets, to: int) -> int:
    """Write a code point as UTF-8."""
    if point < 0x80:
        result[to] = point
        return to + 1
    if point < 0x800:
        result[to] = 0xC0 | point >> 6
    elif point < 0x10000:
        result[to] = 0xE0 | point >> 12
        to += 1
        result[to] = 0x80 | point >> 6 & 0x3F
    else:
        result[to] = 0xF0 | point >> 18
        result[to + 1] = 0x80 | point >> 12 & 0x3F
        to += 2
        result[to] = 0x80 | point >> 6 & 0x3F
    result[to + 1] = 0x80 | point & 0x3F
    return to + 2


@inlined
def scan_literal(data: Octets, at: int) -> tuple[int, int]:
    """`null`, `false` or `true`: behind it, and -1, 0 or 1 for them."""
    if data[at] == 110 and data[at + 1] == 117 and data[at + 2] == 108 and data[at + 3] == 108:
        return at + 4, -1
    if data[at] == 116 and data[at + 1] == 114 and data[at + 2] == 117 and data[at + 3] == 101:
        return at + 4, 1
    if data[at] == 102 and data[at + 1] == 97 and data[at + 2] == 108 and data[at + 3] == 115 and data[at + 4] == 101:
        return at + 5, 0
    return BAD, 0


@inlined
def scan_plain(data: Octets, at: int) -> int:
    """The end of a value that is no array or object."""
    code = data[at]
    if code == QUOTE:
        return scan_string(data, at + 1)[0]
    if code == 45 or 48 <= code <= 57:
        return scan_number_end(data, at)
    return scan_literal(data, at)[0]


@inlined
def scan_number_end(data: Octets, at: int) -> int:
    """The end of a number of any length."""
    if data[at] == 45:
        at += 1
    start = at
    while 48 <= data[at] <= 57:
        at += 1
    if at == start or (data[start] == 48 and at > start + 1):
        return BAD
    if data[at] == 46:
        start = at + 1
        at = start
        while 48 <= data[at] <= 57:
            at += 1
        if at == start:
            return BAD
    if data[at] == 101 or data[at] == 69:
        at += 1
        if data[at] == 43 or data[at] == 45:
            at += 1
        start = at
        while 48 <= data[at] <= 57:
            at += 1
        if at == start:
            return BAD
    return at


@inlined
def _after_element(data: Octets, at: int, depth: int, objects: int) -> tuple[int, int, int]:
    """From the end of a value to the next one within the same or an outer array or object, or out of all of them."""
    while depth:
        at = after_blanks(data, at)
        if data[at] == COMMA:
            at = after_blanks(data, at + 1)
            return (_after_name(data, at) if objects & 1 else at), depth, objects
        if data[at] != (CLOSE_BRACE if objects & 1 else CLOSE_BRACKET):
            return BAD, depth, objects
        depth -= 1
        objects >>= 1
        at += 1
    return at, depth, objects


@inlined
def _after_name(data: Octets, at: int) -> int:
    """From the name of a member to its value."""
    if data[at] != QUOTE:
        return BAD
    at, _ = scan_string(data, at + 1)
    if at == BAD:
        return BAD
    at = after_blanks(data, at)
    return after_blanks(data, at + 1) if data[at] == COLON else BAD


@jit((OCTETS, INTEGER))
def scan_value(data: Octets, at: int) -> int:
    """The end of any value.

    `objects` has a bit for each open array or object, the innermost one lowest; 1 is an object.
    """
    depth = 0
    objects = 0
    while True:
        if data[at] == OPEN_BRACE or data[at] == OPEN_BRACKET:
            is_object = data[at] == OPEN_BRACE
            depth += 1
            objects = objects << 1 | is_object
            at = after_blanks(data, at + 1)
            if depth > DEEPEST:
                return BAD
            if data[at] == (CLOSE_BRACE if is_object else CLOSE_BRACKET):
                depth -= 1
                objects >>= 1
                at += 1
            elif is_object:
                at = _after_name(data, at)
                if at == BAD:
                    return BAD
                continue
            else:
                continue
        else:
            at = scan_plain(data, at)
            if at == BAD:
                return BAD
        at, depth, objects = _after_element(data, at, depth, objects)
        if at == BAD or depth == 0:
            return at


@inlined
def two_digits(data: Octets, at: int) -> int:
    """The number of two digits, below zero where they are none."""
    tens, ones = data[at] - 48, data[at + 1] - 48
    return tens * 10 + ones if 0 <= tens <= 9 and 0 <= ones <= 9 else -10_000


@inlined
def scan_moment(data: Octets, at: int) -> tuple[int, int]:
    """`yyyy-MM-dd HH:mm:ss`, with `T` for the blank, a fraction and a zone if there are, in quotes of which the first one is in
    front of `at`: behind the last one, and milliseconds since 1970."""
    year = two_digits(data, at) * 100 + two_digits(data, at + 2) if data[at] != 10 else BAD
    if year < 1 or data[at + 4] != 45 or data[at + 7] != 45:
        return BAD, 0
    month, day = two_digits(data, at + 5), two_digits(data, at + 8)
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= month <= 12 or not 1 <= day <= DAYS_IN_MONTH[month] + (leap and month == 2):
        return BAD, 0
    if (data[at + 10] != 32 and data[at + 10] != 84) or data[at + 13] != COLON or data[at + 16] != COLON:
        return BAD, 0
    hour, minute, second = two_digits(data, at + 11), two_digits(data, at + 14), two_digits(data, at + 17)
    if not 0 <= hour <= 23 or not 0 <= minute <= 59 or not 0 <= second <= 59:
        return BAD, 0
    before = year - 1
    days = before * 365 + before // 4 - before // 100 + before // 400 + DAYS_BEFORE_MONTH[month] + (leap and month > 2) + day
    at, fraction = _fraction(data, at + 19)
    at, zone = _zone(data, at)
    if at == BAD or data[at] != QUOTE:
        return BAD, 0
    return at + 1, (days - 719_163) * 86_400_000 + (hour * 3600 + minute * 60 + second) * 1000 + fraction - zone


@inlined
def _fraction(data: Octets, at: int) -> tuple[int, int]:
    """Behind a fraction of seconds, if there is one, and its milliseconds; what is below is cut."""
    if data[at] != 46 and data[at] != COMMA:
        return at, 0
    at += 1
    start = at
    fraction = 0
    while 48 <= data[at] <= 57:
        if at < start + 3:
            fraction = fraction * 10 + data[at] - 48
        at += 1
    digits = at - start
    if digits == 0:
        return BAD, 0
    return at, fraction * (100 if digits == 1 else 10 if digits == 2 else 1)


@inlined
def _zone(data: Octets, at: int) -> tuple[int, int]:
    """Behind `Z`, `+hh`, `+hhmm` or `+hh:mm`, if there is one, and its milliseconds."""
    if at == BAD or data[at] == QUOTE:
        return at, 0
    if data[at] == 90:
        return at + 1, 0
    if data[at] != 43 and data[at] != 45:
        return BAD, 0
    sign = 44 - data[at]
    hours, minutes = two_digits(data, at + 1), 0
    at += 3
    if hours >= 0 and data[at] != QUOTE:
        at += data[at] == COLON
        minutes = two_digits(data, at)
        at += 2
    return (BAD, 0) if hours < 0 or minutes < 0 else (at, sign * (hours * 60 + minutes) * 60_000)
