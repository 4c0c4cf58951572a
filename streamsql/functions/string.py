"""Functions of text, by code points.  What matches a pattern is in `patterns` and `regex`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.functions.monotone import Monotonicity
from streamsql.functions.registry import scalar
from streamsql.rows import Datum, ErrorName, Rows, map_rows, mask_of
from streamsql.types import Kind, SqlType, varchar

STRING = pa.string()


@scalar("CHAR_LENGTH(s: CHARACTER) -> INTEGER", duckdb="length({s})")
@scalar("CHARACTER_LENGTH(s: CHARACTER) -> INTEGER", duckdb="length({s})")
def char_length(_rows: Rows, s: Datum) -> Datum:
    """The number of characters, the padding of a CHAR included.

    >>> CHAR_LENGTH('one')
    3
    >>> CHAR_LENGTH('')
    0
    >>> CHARACTER_LENGTH(CAST('fred' AS CHAR(16)))
    16
    >>> CHAR_LENGTH(CAST(NULL AS VARCHAR(3)))
    NULL
    """
    return pc.utf8_length(s)


@scalar("UPPER(s: CHARACTER) -> s", duckdb="upper({s})")
def upper(_rows: Rows, s: Datum) -> Datum:
    """The text in capital letters.

    >>> UPPER('abcDEFghi123')
    ABCDEFGHI123
    """
    return pc.utf8_upper(s)


@scalar("LOWER(s: CHARACTER) -> s", duckdb="lower({s})")
def lower(_rows: Rows, s: Datum) -> Datum:
    """The text in small letters.

    >>> LOWER('abcDEFghi123')
    abcdefghi123
    """
    return pc.utf8_lower(s)


@scalar("INITCAP(s: CHARACTER) -> s")
def initcap(rows: Rows, s: Datum) -> Datum:
    """The text with a capital letter at the start of each word and small ones behind it; words end at a blank.

    >>> INITCAP('Each FIRST lEtTeR is cAPITALIZED')
    Each First Letter Is Capitalized
    """
    return map_rows(rows, lambda text: " ".join(word.capitalize() for word in text.split(" ")), [s], STRING)


def _overlay_type(types: Sequence[SqlType]) -> SqlType:
    text, replacement = types[:2]
    if text.length is None or replacement.length is None:
        return varchar()
    return varchar(text.length + replacement.length)


@scalar("OVERLAY(s: CHARACTER PLACING r: CHARACTER FROM p: INTEGRAL FOR n?: INTEGRAL)", returns=_overlay_type, fails=True)
def overlay(rows: Rows, s: Datum, r: Datum, p: Datum, *n: Datum) -> Datum:
    """`s` with `r` in place of the `n` characters from position `p`; `n` is the length of `r` when it is not given.

    >>> OVERLAY('12345' PLACING 'foo' FROM 1)
    foo45
    >>> OVERLAY('12345' PLACING 'foo' FROM 0)
    foo345
    >>> OVERLAY('12345' PLACING 'foo' FROM -2)
    foo12345
    >>> OVERLAY('12345' PLACING 'foo' FROM 17)
    12345foo
    >>> OVERLAY('12345' PLACING 'foo' FROM 2 FOR 0)
    1foo2345
    >>> OVERLAY('12345' PLACING 'foo' FROM 2 FOR 9)
    1foo
    """

    def replace(text: str, replacement: str, position: int, count: int | None = None) -> str:
        length = len(replacement) if count is None else int(count)
        if length < 0:
            raise ValueError("OVERLAY of a negative length")
        position = int(position)
        return text[: max(position - 1, 0)] + replacement + text[max(position - 1 + length, 0) :]

    return map_rows(rows, replace, [s, r, p, *n], STRING, ErrorName.ARGUMENT)


@scalar("POSITION(part: CHARACTER IN s: CHARACTER) -> INTEGER", duckdb="position({part} in {s})")
def position(rows: Rows, part: Datum, s: Datum) -> Datum:
    """Where `part` first stands in `s`, counted from 1; 0 where it does not, 1 for an empty `part`.

    >>> POSITION('.com' IN 'http://www.amazon.com')
    18
    >>> POSITION('x' IN 'abc')
    0
    >>> POSITION('' IN 'abc')
    1
    """
    if isinstance(part, pa.Scalar) and part.is_valid and pc.all(rows.column(pc.string_is_ascii(s))).as_py() is not False:
        return pc.add(pc.find_substring(s, part.as_py()), pa.scalar(1, pa.int32()))
    return map_rows(rows, lambda p, text: text.find(p) + 1, [part, s], pa.int32())


def part_type(types: Sequence[SqlType]) -> SqlType:
    """A part of a text is at most as long as the whole."""
    kind = Kind.VARCHAR if types[0].is_character else Kind.VARBINARY
    return SqlType(kind, length=types[0].length)


def _prefix_direction(directions: Sequence[Monotonicity], constants: Sequence[object]) -> Monotonicity:
    """A prefix of constant length ascends with its text."""
    if constants[1] in (0, 1) and all(direction is Monotonicity.CONSTANT for direction in directions[1:]):
        return directions[0]
    return Monotonicity.CONSTANT if all(direction is Monotonicity.CONSTANT for direction in directions) else Monotonicity.NONE


@scalar(
    "SUBSTRING(s: CHARACTER FROM p: INTEGRAL FOR n?: INTEGRAL)",
    returns=part_type,
    fails=True,
    monotone=_prefix_direction,
)
@scalar("SUBSTRING(s: BINARYSTRING FROM p: INTEGRAL FOR n?: INTEGRAL)", returns=part_type, fails=True)
def substring(rows: Rows, s: Datum, p: Datum, *n: Datum) -> Datum:
    """The `n` characters (or bytes) of `s` from position `p`, counted from 1, or all from there.

    A position below 1 counts as 1 and takes `1 - p` off the length.  [X] Past the end the reference says both that it is
    empty and that it is NULL: by its examples it is empty for this form and NULL for the one with commas.

    >>> SUBSTRING('123456789' FROM 3 FOR 4)
    3456
    >>> SUBSTRING('123456789' FROM -1 FOR 4)
    12
    >>> SUBSTRING('123456789' FROM 8 FOR 4)
    89
    >>> SUBSTRING('123456789' FROM 17 FOR 4) = ''
    TRUE
    >>> SUBSTRING('123456789' FROM 6 FOR -1)
    error: SUBSTRING of a negative length
    """
    if not all(isinstance(bound, pa.Scalar) for bound in (p, *n)):
        return map_rows(rows, _part, [s, p, *n], s.type, ErrorName.ARGUMENT)
    if not all(bound.is_valid for bound in (p, *n)):
        return pa.scalar(None, s.type)
    start, stop = _bounds(int(p.as_py()), int(n[0].as_py()) if n else None)
    if stop is not None and stop < start:
        rows.fail(mask_of(pc.is_valid(s), rows), "SUBSTRING of a negative length", ErrorName.ARGUMENT)
        return pa.scalar(None, s.type)
    slice_ = pc.utf8_slice_codeunits if s.type == STRING else pc.binary_slice
    return slice_(s, start, stop)


@scalar("SUBSTRING WITH COMMAS(s: CHARACTER, p: INTEGRAL, n?: INTEGRAL)", returns=part_type, fails=True)
@scalar("SUBSTRING WITH COMMAS(s: BINARYSTRING, p: INTEGRAL, n?: INTEGRAL)", returns=part_type, fails=True)
def substring_with_commas(rows: Rows, s: Datum, p: Datum, *n: Datum) -> Datum:
    """What `SUBSTRING(s, p, n)` means: as with FROM and FOR, but NULL past the end.

    >>> SUBSTRING('123456789', 7, 4)
    789
    >>> SUBSTRING('123456789', 10, 4)
    NULL
    """
    part = substring(rows, s, p, *n)
    length = pc.utf8_length(s) if s.type == STRING else pc.binary_length(s)
    return pc.if_else(pc.greater(p, length), pa.scalar(None, s.type), part)


def _part(text: str | bytes, position: int, count: int | None = None) -> str | bytes:
    start, stop = _bounds(int(position), None if count is None else int(count))
    if stop is not None and stop < start:
        raise ValueError("SUBSTRING of a negative length")
    return text[start:stop]


def _bounds(position: int, count: int | None) -> tuple[int, int | None]:
    """The part as a slice; its stop is before its start when the length is negative."""
    start = max(position, 1) - 1
    if count is None:
        return start, None
    if count < 0:
        return 1, 0
    return start, max(position - 1 + count, start)


_TRIMMERS: dict[str, tuple[Callable[..., Datum], Callable[[str, str], str]]] = {
    "BOTH": (pc.utf8_trim, str.strip),
    "LEADING": (pc.utf8_ltrim, str.lstrip),
    "TRAILING": (pc.utf8_rtrim, str.rstrip),
}


@scalar("TRIM(s: CHARACTER)", returns=part_type, duckdb="trim({s}, ' ')")
def trim_blanks(_rows: Rows, s: Datum) -> Datum:
    """`s` without the blanks at both ends.

    >>> TRIM('  a b ')
    a b
    """
    return pc.utf8_trim(s, " ")


@scalar("TRIM(side: WORD character: CHARACTER FROM s: CHARACTER)", returns=lambda types: part_type(types[2:]), fails=True)
def trim(rows: Rows, side: str, character: Datum, s: Datum) -> Datum:
    """`s` without the `character`s at its LEADING or TRAILING end, or at BOTH, which is the default; the blank is the other.

    >>> TRIM(LEADING 'x' FROM 'xxxTrim frontxxx')
    Trim frontxxx
    >>> TRIM(TRAILING 'x' FROM 'xxxTrimxBackxxx')
    xxxTrimxBack
    >>> TRIM(BOTH 'y' FROM 'xxxNo y to trimxxx')
    xxxNo y to trimxxx
    >>> TRIM(BOTH 'xy' FROM 'xxx')
    error: TRIM takes exactly one character
    """
    kernel, method = _TRIMMERS[side]
    if isinstance(character, pa.Scalar) and character.is_valid and len(character.as_py()) == 1:
        return kernel(s, character.as_py())

    def trimmed(unwanted: str, text: str) -> str:
        if len(unwanted) != 1:
            raise ValueError("TRIM takes exactly one character")
        return method(text, unwanted)

    return map_rows(rows, trimmed, [character, s], STRING, ErrorName.ARGUMENT)
