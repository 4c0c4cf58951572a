"""Functions of text that Athena and Redshift have, beside those of the dialect; positions count from 1."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.functions.registry import scalar
from streamsql.rows import Datum, ErrorName, Rows, map_rows
from streamsql.types import SqlType, array, varchar

STRING = pa.string()

LONGEST = 1 << 24
"""No text that REPEAT or a padding makes is longer than so many characters."""


def _together(types: Sequence[SqlType]) -> SqlType:
    lengths = [type.length for type in types]
    return varchar() if None in lengths else varchar(sum(length or 0 for length in lengths))


@scalar("CONCAT(texts...: CHARACTER)", returns=_together)
def concat(_rows: Rows, *texts: Datum) -> Datum:
    """All texts one behind the other.

    >>> CONCAT('a', 'b', 'c')
    abc
    >>> CONCAT('a', CAST(NULL AS VARCHAR(3)))
    NULL
    """
    return pc.binary_join_element_wise(*(pc.cast(text, STRING) for text in texts), "")


@scalar("LENGTH(s: CHARACTER) -> BIGINT", duckdb="length({s})")
@scalar("LEN(s: CHARACTER) -> BIGINT", duckdb="length({s})")
def length(_rows: Rows, s: Datum) -> Datum:
    """The number of characters.

    >>> LENGTH('one')
    3
    >>> LEN('')
    0
    """
    return pc.cast(pc.utf8_length(s), pa.int64())


@scalar("LPAD(s: CHARACTER, n: INTEGRAL, pad?: CHARACTER) -> VARCHAR", fails=True)
def lpad(rows: Rows, s: Datum, n: Datum, *pad: Datum) -> Datum:
    """`s` filled in front to `n` characters, or cut to them.

    >>> LPAD('7', 3, '0')
    007
    >>> LPAD('abc', 2)
    ab
    """

    def padded(text: str, size: int, filling: str = " ") -> str:
        return (_filling(text, size, filling) + text)[: int(size)] if len(text) < size else text[: int(size)]

    return map_rows(rows, padded, [s, n, *pad], STRING, ErrorName.ARGUMENT)


@scalar("RPAD(s: CHARACTER, n: INTEGRAL, pad?: CHARACTER) -> VARCHAR", fails=True)
def rpad(rows: Rows, s: Datum, n: Datum, *pad: Datum) -> Datum:
    """`s` filled behind to `n` characters, or cut to them.

    >>> RPAD('20051231', 4, 'NA')
    2005
    >>> RPAD('7', 4, 'NA')
    7NAN
    >>> RPAD('7', -1, 'x')
    error: the length of a padded text must not be negative
    """

    def padded(text: str, size: int, filling: str = " ") -> str:
        return (text + _filling(text, size, filling))[: int(size)]

    return map_rows(rows, padded, [s, n, *pad], STRING, ErrorName.ARGUMENT)


def _filling(text: str, size: int, filling: str) -> str:
    """What is missing to so many characters."""
    if size < 0:
        raise ValueError("the length of a padded text must not be negative")
    if not filling:
        raise ValueError("there is nothing to fill the text with")
    if size > LONGEST:
        raise ValueError(f"a text of {size} characters is too long")
    missing = max(0, int(size) - len(text))
    return (filling * (missing // len(filling) + 1))[:missing]


@scalar("REPLACE(s: CHARACTER, part: CHARACTER, by?: CHARACTER) -> VARCHAR", duckdb="replace({s}, {part}, '')")
def replace(rows: Rows, s: Datum, part: Datum, *by: Datum) -> Datum:
    """`s` with another text for each `part`, or without it.

    >>> REPLACE('a-b-c', '-', '+')
    a+b+c
    >>> REPLACE('a-b-c', '-')
    abc
    """
    return map_rows(rows, lambda text, old, new="": text.replace(old, new) if old else text, [s, part, *by], STRING)


@scalar("REVERSE(s: CHARACTER) -> s", duckdb="reverse({s})")
def reverse(_rows: Rows, s: Datum) -> Datum:
    """The characters from the last to the first.

    >>> REVERSE('abc')
    cba
    """
    return pc.utf8_reverse(s)


@scalar("REPEAT(s: CHARACTER, n: INTEGRAL) -> VARCHAR", fails=True)
def repeat(rows: Rows, s: Datum, n: Datum) -> Datum:
    """`s` so many times.

    >>> REPEAT('ab', 3)
    ababab
    >>> REPEAT('ab', -1)
    error: a text cannot be repeated -1 times
    """

    def repeated(text: str, count: int) -> str:
        if count < 0 or count * len(text) > LONGEST:
            raise ValueError(f"a text cannot be repeated {count} times")
        return text * int(count)

    return map_rows(rows, repeated, [s, n], STRING, ErrorName.ARGUMENT)


@scalar("LEFT(s: CHARACTER, n: INTEGRAL) -> s")
def left(rows: Rows, s: Datum, n: Datum) -> Datum:
    """The first `n` characters; with a negative `n` all but so many last ones.

    >>> LEFT('abcdef', 2)
    ab
    >>> LEFT('abcdef', -2)
    abcd
    """
    return map_rows(rows, lambda text, count: text[: int(count)], [s, n], STRING)


@scalar("RIGHT(s: CHARACTER, n: INTEGRAL) -> s")
def right(rows: Rows, s: Datum, n: Datum) -> Datum:
    """The last `n` characters; with a negative `n` all but so many first ones.

    >>> RIGHT('abcdef', 2)
    ef
    >>> RIGHT('abcdef', 0) || '.'
    .
    """
    return map_rows(rows, lambda text, count: text[-int(count) :] if count else "", [s, n], STRING)


@scalar("SUBSTR(s: CHARACTER, start: INTEGRAL, n?: INTEGRAL) -> s")
def substr(rows: Rows, s: Datum, start: Datum, *n: Datum) -> Datum:
    """The part of `s` from a position on; a negative one counts from the end.

    >>> SUBSTR('abcdef', 2, 3)
    bcd
    >>> SUBSTR('abcdef', -2)
    ef
    >>> SUBSTR('abcdef', 9) || '.'
    .
    """

    def part(text: str, place: int, count: int | None = None) -> str:
        if place == 0 or -place > len(text) or (count is not None and count <= 0):
            return ""
        begin = int(place) - 1 if place > 0 else len(text) + int(place)
        return text[begin:] if count is None else text[begin : begin + int(count)]

    return map_rows(rows, part, [s, start, *n], STRING)


@scalar("STRPOS(s: CHARACTER, part: CHARACTER) -> BIGINT", duckdb="strpos({s}, {part})")
def strpos(rows: Rows, s: Datum, part: Datum) -> Datum:
    """Where `part` first stands in `s`; 0 where it does not.

    >>> STRPOS('abcabc', 'c')
    3
    """
    return map_rows(rows, lambda text, wanted: text.find(wanted) + 1, [s, part], pa.int64())


@scalar("CHARINDEX(part: CHARACTER, s: CHARACTER) -> BIGINT", duckdb="strpos({s}, {part})")
def charindex(rows: Rows, part: Datum, s: Datum) -> Datum:
    """The same with the part first.

    >>> CHARINDEX('c', 'abcabc')
    3
    """
    return strpos(rows, s, part)


@scalar("CONCAT_WS(separator: CHARACTER, texts...: CHARACTER) -> VARCHAR", strict=False)
def concat_ws(rows: Rows, separator: Datum, *texts: Datum) -> Datum:
    """All texts that are not NULL one behind the other, with a separator between them; NULL where that is NULL.

    >>> CONCAT_WS('-', 'a', CAST(NULL AS VARCHAR(3)), 'c')
    a-c
    """
    columns = [rows.column(text).to_pylist() for text in (separator, *texts)]
    joined = [
        None if between is None else between.join(text for text in row if text is not None)
        for between, *row in zip(*columns, strict=True)
    ]
    return pa.array(joined, STRING)


@scalar("ENDS_WITH(s: CHARACTER, suffix: CHARACTER) -> BOOLEAN", duckdb="ends_with({s}, {suffix})")
def ends_with(rows: Rows, s: Datum, suffix: Datum) -> Datum:
    """Whether a text ends with another.

    >>> ENDS_WITH('abc', 'bc')
    TRUE
    """
    return map_rows(rows, str.endswith, [s, suffix], pa.bool_())


@scalar("BTRIM(s: CHARACTER, characters?: CHARACTER) -> VARCHAR")
def btrim(rows: Rows, s: Datum, *characters: Datum) -> Datum:
    """A text without the characters, or the blanks, at both of its ends.

    >>> BTRIM('xyabcyx', 'xy')
    abc
    """
    return map_rows(rows, lambda text, *of: text.strip(of[0] if of else " "), [s, *characters], STRING)


@scalar("SPLIT(s: CHARACTER, delimiter: CHARACTER)", returns=lambda _: array(varchar()), fails=True)
def split(rows: Rows, s: Datum, delimiter: Datum) -> Datum:
    """The parts of a text that a delimiter cuts, as a list.

    >>> SPLIT('a,b,c', ',')[2]
    b
    """

    def parts(text: str, between: str) -> list[str]:
        if not between:
            raise ValueError("a delimiter is not empty")
        return text.split(between)

    return map_rows(rows, parts, [s, delimiter], pa.list_(STRING), ErrorName.ARGUMENT)


@scalar("SPLIT_PART(s: CHARACTER, delimiter: CHARACTER, n: INTEGRAL) -> s", fails=True)
def split_part(rows: Rows, s: Datum, delimiter: Datum, n: Datum) -> Datum:
    """The n-th part of a text that a delimiter cuts; NULL where there are fewer.

    >>> SPLIT_PART('a,b,c', ',', 2)
    b
    >>> SPLIT_PART('a,b,c', ',', 9)
    NULL
    """

    def part(text: str, between: str, number: int) -> str | None:
        if number < 1:
            raise ValueError("the parts of a text count from 1")
        parts = text.split(between) if between else [text]
        return parts[int(number) - 1] if number <= len(parts) else None

    return map_rows(rows, part, [s, delimiter, n], STRING, ErrorName.ARGUMENT)


@scalar("LTRIM(s: CHARACTER, characters?: CHARACTER) -> s")
def ltrim(rows: Rows, s: Datum, *characters: Datum) -> Datum:
    """`s` without the blanks, or the given characters, at its beginning.

    >>> LTRIM('  a ') || '.'
    a .
    >>> LTRIM('xya', 'yx')
    a
    """
    return map_rows(rows, lambda text, cut=" ": text.lstrip(cut), [s, *characters], STRING)


@scalar("RTRIM(s: CHARACTER, characters?: CHARACTER) -> s")
def rtrim(rows: Rows, s: Datum, *characters: Datum) -> Datum:
    """`s` without the blanks, or the given characters, at its end.

    >>> RTRIM('a  ') || '.'
    a.
    """
    return map_rows(rows, lambda text, cut=" ": text.rstrip(cut), [s, *characters], STRING)


@scalar("STARTS_WITH(s: CHARACTER, beginning: CHARACTER) -> BOOLEAN", duckdb="starts_with({s}, {beginning})")
def starts_with(rows: Rows, s: Datum, beginning: Datum) -> Datum:
    """Whether a text begins with another.

    >>> STARTS_WITH('abc', 'ab')
    TRUE
    """
    return map_rows(rows, str.startswith, [s, beginning], pa.bool_())


@scalar("TRANSLATE(s: CHARACTER, from: CHARACTER, to: CHARACTER) -> s")
def translate(rows: Rows, s: Datum, old: Datum, new: Datum) -> Datum:
    """`s` with each character of `from` as the one of `to` at its place; those without one are left out.

    >>> TRANSLATE('abcd', 'abc', 'xy')
    xyd
    """

    def translated(text: str, before: str, after: str) -> str:
        table: dict[int, str] = {}
        for place, character in enumerate(before):
            table.setdefault(ord(character), after[place] if place < len(after) else "")
        return text.translate(table)

    return map_rows(rows, translated, [s, old, new], STRING)


@scalar("CHR(n: INTEGRAL) -> VARCHAR", fails=True)
def chr_(rows: Rows, n: Datum) -> Datum:
    """The character of a code point.

    >>> CHR(65)
    A
    """
    return map_rows(rows, lambda number: chr(int(number)), [n], STRING, ErrorName.ARGUMENT)


@scalar("CODEPOINT(s: CHARACTER) -> INTEGER", fails=True)
@scalar("ASCII(s: CHARACTER) -> INTEGER", fails=True)
def codepoint(rows: Rows, s: Datum) -> Datum:
    """The code point of the first character.

    >>> CODEPOINT('A')
    65
    >>> ASCII('')
    error: an empty text has no first character
    """

    def first(text: str) -> int:
        if not text:
            raise ValueError("an empty text has no first character")
        return ord(text[0])

    return map_rows(rows, first, [s], pa.int32(), ErrorName.ARGUMENT)


@scalar("MD5(s: CHARACTER) -> VARCHAR")
def md5(rows: Rows, s: Datum) -> Datum:
    """The MD5 digest of a text in UTF-8, as 32 hexadecimal digits.

    >>> MD5('abc')
    900150983cd24fb0d6963f7d28e17f72
    """
    return map_rows(rows, lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(), [s], STRING)
