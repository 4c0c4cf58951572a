"""REGEX_REPLACE and SUBSTRING with a regular expression of Java."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

import pyarrow as pa

from streamsql.functions.java.regex import compile_java, java_replacement
from streamsql.functions.registry import scalar
from streamsql.functions.string import part_type
from streamsql.rows import Datum, ErrorName, Rows, map_rows
from streamsql.types import varchar

MAX_VARCHAR = 65_535


@scalar(
    "REGEX_REPLACE(s: CHARACTER, regex: CHARACTER, replacement: CHARACTER, start: INTEGRAL, occurrence: INTEGRAL)",
    returns=lambda _: varchar(MAX_VARCHAR),
    fails=True,
)
def regex_replace(rows: Rows, s: Datum, regex: Datum, replacement: Datum, start: Datum, occurrence: Datum) -> Datum:
    """`s` with a replacement for all matches of a regular expression from position `start` on, or for one `occurrence`.

    Occurrence 0 is all, 1 the first.  The replacement may name groups as `$1`.  From a start behind the end `s` comes back
    unchanged.

    >>> REGEX_REPLACE('http://www.amazon.com', 'http://', 'https://', 1, 0)
    https://www.amazon.com
    >>> REGEX_REPLACE('a-b-c', '-', '+', 1, 2)
    a-b+c
    >>> REGEX_REPLACE('abc', 'b', 'x', 0, 0)
    error: the start position of REGEX_REPLACE must be at least 1
    """
    return map_rows(rows, _replaced, [s, regex, replacement, start, occurrence], pa.string(), ErrorName.ARGUMENT)


def _replaced(text: str, regex: str, replacement: str, start: int, occurrence: int) -> str:
    if start < 1:
        raise ValueError("the start position of REGEX_REPLACE must be at least 1")
    if occurrence < 0:
        raise ValueError("the occurrence of REGEX_REPLACE must not be negative")
    pattern = compile_java(regex)
    parts = java_replacement(replacement, pattern.groups)
    out, end = [], 0
    for match in _chosen(pattern.finditer(text, int(start) - 1), int(occurrence)):
        out.append(text[end : match.start()])
        out += [part if isinstance(part, str) else match[part] or "" for part in parts]
        end = match.end()
    return "".join(out) + text[end:] if start <= len(text) else text


def _chosen(matches: Iterator[re.Match[str]], occurrence: int) -> Iterator[re.Match[str]]:
    return matches if occurrence == 0 else islice(matches, occurrence - 1, occurrence)


@scalar("SUBSTRING(s: CHARACTER FROM regex: CHARACTER)", returns=part_type, fails=True)
@scalar("SUBSTRING WITH COMMAS(s: CHARACTER, regex: CHARACTER)", returns=part_type, fails=True)
def substring_regex(rows: Rows, s: Datum, regex: Datum) -> Datum:
    """The first part of `s` that matches a regular expression, NULL where none does.

    >>> SUBSTRING('TECHNOLOGY' FROM 'L[A-Z]*')
    LOGY
    >>> SUBSTRING('TECHNOLOGY' FROM 'FOO')
    NULL
    >>> SUBSTRING('TECHNOLOGY' FROM 'O[A-Z]')
    OL
    """

    def first(text: str, regex: str) -> str | None:
        match = compile_java(regex).search(text)
        return match[0] if match else None

    return map_rows(rows, first, [s, regex], pa.string(), ErrorName.ARGUMENT)
