"""LIKE, SIMILAR TO and SUBSTRING ... SIMILAR.

A constant pattern is translated once and matched by Arrow; a pattern that is a column is matched row by row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.functions.registry import FailRule, scalar
from streamsql.functions.similar import (
    LIKE_SPECIAL,
    SIMILAR_SPECIAL,
    like_to_arrow,
    like_to_regex,
    similar_parts,
    similar_to_regex,
)
from streamsql.functions.string import part_type
from streamsql.rows import Datum, ErrorName, Rows, map_rows, mask_of

_BEYOND_LIKE = set(SIMILAR_SPECIAL) - set(LIKE_SPECIAL) - {"-"}
"""The characters that mean something outside of sets in SIMILAR TO and nothing in LIKE, which is faster."""


def _matched(
    rows: Rows,
    s: Datum,
    pattern: tuple[Datum, ...],
    translate: Callable[..., str],
    match: Callable[[Datum, str], Datum],
    match_one: Callable[..., object],
    type: pa.DataType,
) -> Datum:
    """`match(s, translated pattern)` for a constant pattern (with its escape), else `match_one(text, *pattern)` for each row."""
    if not all(isinstance(part, pa.Scalar) for part in pattern):
        return map_rows(rows, match_one, [s, *pattern], type, ErrorName.ARGUMENT)
    if not all(part.is_valid for part in pattern):
        return pa.scalar(None, type)
    try:
        translated = translate(*(part.as_py() for part in pattern))
    except ValueError as error:
        rows.fail(mask_of(pc.is_valid(s), rows), str(error), ErrorName.ARGUMENT)
        return pa.scalar(None, type)
    return match(s, translated)


def _unless_valid(translate: Callable[..., str]) -> FailRule:
    """Rows fail in a pattern that is not constant, or is one that `translate` refuses."""

    def fails(constants: Sequence[Any]) -> bool:
        _, *pattern = constants
        if any(part is None for part in pattern):
            return True
        try:
            translate(*pattern)
        except ValueError:
            return True
        return False

    return fails


@scalar(
    "LIKE(s: CHARACTER, pattern: CHARACTER ESCAPE escape?: CHARACTER) -> BOOLEAN",
    fails=_unless_valid(like_to_arrow),
    infix=True,
    duckdb="({s} LIKE {pattern})",
)
def like(rows: Rows, s: Datum, pattern: Datum, *escape: Datum) -> Datum:
    """Whether the whole of `s` fits a pattern in which `_` stands for one character and `%` for any number of them.

    >>> 'abcd' LIKE 'a%'
    TRUE
    >>> 'a' LIKE 'A'
    FALSE
    >>> 'a%' LIKE 'a!%' ESCAPE '!'
    TRUE
    >>> 'ab' LIKE 'a!b' ESCAPE '!'
    error: invalid escape sequence '!b'
    """

    def match_one(text: str, pattern: str, escape: str | None = None) -> bool:
        return like_to_regex(pattern, escape).fullmatch(text) is not None

    return _matched(rows, s, (pattern, *escape), like_to_arrow, pc.match_like, match_one, pa.bool_())


@scalar(
    "SIMILAR TO(s: CHARACTER, pattern: CHARACTER ESCAPE escape?: CHARACTER) -> BOOLEAN",
    fails=_unless_valid(similar_to_regex),
    infix=True,
)
def similar_to(rows: Rows, s: Datum, pattern: Datum, *escape: Datum) -> Datum:
    """Whether the whole of `s` fits a pattern of `_ % ( ) | * + ? {n,m}` and sets such as `[a-z]`, `[^a-z]`, `[a-z^aeiou]`.

    >>> 'TECHNOLOGY' SIMILAR TO '%TECH%'
    TRUE
    >>> 'accccd' SIMILAR TO 'ab*c+d'
    TRUE
    >>> 'cd' SIMILAR TO '[a-e^c]d'
    FALSE
    >>> 'ad' SIMILAR TO '[^(a-e)]d'
    error: invalid pattern '[^(a-e)]d': '(' at 3 must be escaped
    """

    if not escape and isinstance(pattern, pa.Scalar) and pattern.is_valid and not set(pattern.as_py()) & _BEYOND_LIKE:
        return like(rows, s, pattern)

    def match(s: Datum, regex: str) -> Datum:
        return pc.match_substring_regex(s, rf"\A{regex}\z")

    def match_one(text: str, pattern: str, escape: str | None = None) -> bool:
        return re.fullmatch(similar_to_regex(pattern, escape), text) is not None

    return _matched(rows, s, (pattern, *escape), similar_to_regex, match, match_one, pa.bool_())


@scalar("SUBSTRING SIMILAR(s: CHARACTER, pattern: CHARACTER ESCAPE escape: CHARACTER)", returns=part_type, fails=True)
def substring_similar(rows: Rows, s: Datum, pattern: Datum, escape: Datum) -> Datum:
    """The part of `s` that fits the middle of a pattern of three parts, which need not fit the whole text; NULL if none does.

    >>> SUBSTRING('123456789' SIMILAR '23#"456#"78' ESCAPE '#')
    456
    >>> SUBSTRING('TECHNOLOGY' SIMILAR 'TECH%"NOLO%"GY' ESCAPE '%')
    NOLO
    """

    def match(s: Datum, regex: str) -> Datum:
        return pc.struct_field(pc.extract_regex(s, regex), "part")

    def match_one(text: str, pattern: str, escape: str) -> str | None:
        found = re.search(similar_parts(pattern, escape), text)
        return found["part"] if found else None

    return _matched(rows, s, (pattern, escape), similar_parts, match, match_one, pa.string())
