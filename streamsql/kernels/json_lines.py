"""Kernels: lines of JSON whose members are known.

`scan` goes through the bytes once and expects the members in the order of the table of names.  Whatever it cannot take exactly
as the rules say (`streamsql.io.conversion`) makes its line odd: such lines are only reported, for somebody else to decode.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from streamsql.kernels.jit import Int32s, Int64s, inlined, jit, named, read_only, writable
from streamsql.kernels.json_numbers import BAD, LARGEST_SIGNED, SIGN, Octets, as_double, as_scaled, fits_single, scan_number
from streamsql.kernels.json_values import (
    BACKSLASH,
    CLOSE_BRACE,
    COLON,
    COMMA,
    INTEGER,
    OCTET,
    OCTETS,
    OPEN_BRACE,
    QUOTE,
    after_blanks,
    resolve,
    scan_literal,
    scan_moment,
    scan_string,
    scan_value,
)
from streamsql.kernels.sliding import INTEGERS

ANY_TEXT, TEXT, WHOLE, DOUBLE, SINGLE, DECIMAL, TRUTH, MOMENT = range(8)
"""What a column takes: the source text of any value, or one sort of value only.  TEXT: strings; MOMENT: strings that spell a
timestamp."""

LINE_FEED = 10

PADDING = 32
"""Bytes that must follow the last line: fixed places are looked at before it is known that text is there."""


class Table(NamedTuple):
    """What is known of the members and columns.

    The name of member `m` is `names[ends[m - 1] : ends[m]]`, and its quote; `columns[m]` is what it feeds, -1 for none.  Of
    column `c`: `kinds[c]`, whether it is `required`, and `low[c]` and `high[c]`: the bounds of WHOLE, of DECIMAL scale and
    precision.
    """

    names: Octets
    ends: Int64s
    columns: Int64s
    kinds: Int64s
    required: Int64s
    low: Int64s
    high: Int64s


class Cells(NamedTuple):
    """What was found, a line a column.

    `values`: a whole number, the bits of a float64, a truth, milliseconds, digits of a DECIMAL, or where text begins; `sizes`:
    the bytes of text, doubled, and one more where it has escapes; `nulls`: whether it is NULL.
    """

    values: Int64s
    sizes: Int64s
    nulls: Octets


_OFFSET = INTEGER.from_bitwidth(32, signed=True)
_LINES = writable(INTEGER, 2)
_TABLE = named(Table, writable(OCTET), *[writable(INTEGER)] * 6)
_CELLS = named(Cells, _LINES, _LINES, writable(OCTET, 2))


@inlined
def _line(data: Octets, at: int, table: Table, cells: Cells, row: int, line: int, seen: Int64s) -> int:
    """One object that begins at `at` and is all of its line; gives where the line ends."""
    if data[at] != OPEN_BRACE:
        return BAD
    at = after_blanks(data, at + 1)
    count = member = 0
    first = True
    while data[at] != CLOSE_BRACE or not first:
        if data[at] != QUOTE:
            return BAD
        member, at = _member(data, at + 1, table, member)
        if at == BAD:
            return BAD
        at = after_blanks(data, at)
        if data[at] != COLON:
            return BAD
        at = after_blanks(data, at + 1)
        column = table.columns[member]
        if column < 0:
            at = scan_value(data, at)
        elif seen[column] == line:
            return BAD
        else:
            seen[column] = line
            count += 1
            at = _cell(data, at, table, cells, column, row)
        if at == BAD:
            return BAD
        at = after_blanks(data, at)
        if data[at] == CLOSE_BRACE:
            break
        if data[at] != COMMA:
            return BAD
        at = after_blanks(data, at + 1)
        member = member + 1 if member + 1 < len(table.columns) else 0
        first = False
    if count < len(table.kinds):
        for column in range(len(table.kinds)):
            if seen[column] != line:
                if table.required[column]:
                    return BAD
                _null(cells, column, row)
    at = after_blanks(data, at + 1)
    return at if data[at] == LINE_FEED else BAD


@inlined
def _null(cells: Cells, column: int, row: int) -> None:
    cells.values[column, row] = 0
    cells.sizes[column, row] = 0
    cells.nulls[column, row] = 1


@inlined
def _member(data: Octets, at: int, table: Table, expected: int) -> tuple[int, int]:
    """Which member has the name that begins at `at`, and where its closing quote ends."""
    for turn in range(len(table.columns) + 1):
        member = expected if turn == 0 else turn - 1
        start = table.ends[member - 1] if member else 0
        size = table.ends[member] - start
        offset = 0
        while offset < size and data[at + offset] == table.names[start + offset]:
            offset += 1
        if offset == size:
            return member, at + size
    return 0, BAD


@inlined
def _cell(data: Octets, at: int, table: Table, cells: Cells, column: int, row: int) -> int:
    """The value of a column; gives where it ends."""
    kind = table.kinds[column]
    cells.nulls[column, row] = 0
    code = data[at]
    if code == 110:
        if table.required[column]:
            return BAD
        at, _ = scan_literal(data, at)
        _null(cells, column, row)
        return at
    if kind == MOMENT:
        if code != QUOTE:
            return BAD
        at, moment = scan_moment(data, at + 1)
        cells.values[column, row] = moment
        return at
    if kind == TRUTH:
        at, truth = scan_literal(data, at)
        cells.values[column, row] = truth
        return at
    if kind in (ANY_TEXT, TEXT):
        return _text(data, at, kind == TEXT, cells, column, row)
    return _number(data, at, kind, table, cells, column, row)


@inlined
def _text(data: Octets, at: int, only_strings: bool, cells: Cells, column: int, row: int) -> int:
    if data[at] == QUOTE:
        end, saved = at + 1, 0
        while data[end] != QUOTE and data[end] != BACKSLASH and data[end] >= 32:
            end += 1
        if data[end] == QUOTE:
            end += 1
        else:
            end, saved = scan_string(data, at + 1)
        cells.values[column, row] = at + 1
        cells.sizes[column, row] = 2 * (end - at - 2 - saved) + (saved > 0)
        return end
    if only_strings:
        return BAD
    end = scan_value(data, at)
    if end == at + 2 and data[at] == 45 and data[at + 1] == 48:  # -0, which becomes 0
        return BAD
    cells.values[column, row] = at
    cells.sizes[column, row] = 2 * (end - at)
    return end


@inlined
def _number(data: Octets, at: int, kind: int, table: Table, cells: Cells, column: int, row: int) -> int:
    end, mantissa, exponent, negative, whole = scan_number(data, at)
    if end == BAD:
        return BAD
    if kind == WHOLE:
        if not whole or mantissa > LARGEST_SIGNED:
            return BAD
        value = -np.int64(mantissa) if negative else np.int64(mantissa)
        cells.values[column, row] = value
        return end if table.low[column] <= value <= table.high[column] else BAD
    if kind == DECIMAL:
        fits, digits = as_scaled(mantissa, exponent, table.low[column], table.high[column])
        cells.values[column, row] = -np.int64(digits) if negative else np.int64(digits)
        return end if fits else BAD
    fits, bits = as_double(mantissa, exponent)
    cells.values[column, row] = np.int64(bits | SIGN if negative else bits)
    return end if fits and (kind == DOUBLE or fits_single(bits)) else BAD


@jit((OCTETS, INTEGER, _TABLE, _CELLS, _LINES, writable(INTEGER)))
def scan(data: Octets, end: int, table: Table, cells: Cells, odd: Int64s, result: Int64s) -> None:
    """Take the lines of `data[:end]`, of which the last byte is a line feed.

    `odd` gets a line for each odd line: how many rows were in front of it, where it begins and ends.  `result` becomes the
    number of rows and that of odd lines.
    """
    seen = np.full(len(table.kinds), -1, np.int64)
    row = line = odds = at = 0
    while at < end:
        start = at
        at = after_blanks(data, at)
        if data[at] == LINE_FEED:
            at += 1
            continue
        at = _line(data, at, table, cells, row, line, seen)
        line += 1
        if at != BAD:
            row += 1
            at += 1
            continue
        at = start
        while data[at] != LINE_FEED:
            at += 1
        odd[odds, 0] = row
        odd[odds, 1] = start
        odd[odds, 2] = at
        odds += 1
        at += 1
    result[0] = row
    result[1] = odds


@jit((OCTETS, INTEGERS, INTEGERS, read_only(_OFFSET), writable(OCTET)))
def copy_text(data: Octets, starts: Int64s, sizes: Int64s, offsets: Int32s, result: Octets) -> None:
    """Put the texts of a column one behind the other."""
    for row in range(len(starts)):
        to, end = offsets[row], offsets[row + 1]
        at = starts[row]
        if sizes[row] & 1:
            resolve(data, at, result, to, end)
            continue
        for offset in range(end - to):
            result[to + offset] = data[at + offset]
