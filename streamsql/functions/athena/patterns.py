"""Functions of regular expressions that Athena and Redshift have."""

from __future__ import annotations

import pyarrow as pa

from streamsql.functions.java.regex import compile_java, java_replacement
from streamsql.functions.registry import scalar
from streamsql.rows import Datum, ErrorName, Rows, map_rows
from streamsql.types import array, varchar

STRING = pa.string()


@scalar("REGEXP_LIKE(s: CHARACTER, regex: CHARACTER) -> BOOLEAN", fails=True)
def regexp_like(rows: Rows, s: Datum, regex: Datum) -> Datum:
    """Whether a regular expression matches somewhere in `s`.

    >>> REGEXP_LIKE('1a 2b 14m', '\\d+b')
    TRUE
    """

    def found(text: str, pattern: str) -> bool:
        return compile_java(pattern).search(text) is not None

    return map_rows(rows, found, [s, regex], pa.bool_(), ErrorName.ARGUMENT)


@scalar("REGEXP_EXTRACT(s: CHARACTER, regex: CHARACTER, group?: INTEGRAL) -> s", fails=True)
@scalar("REGEXP_SUBSTR(s: CHARACTER, regex: CHARACTER) -> s", fails=True)
def regexp_extract(rows: Rows, s: Datum, regex: Datum, *group: Datum) -> Datum:
    """The first match in `s`, or one of its groups; NULL where there is none.

    >>> REGEXP_EXTRACT('1a 2b 14m', '(\\d+)([a-z]+)', 2)
    a
    >>> REGEXP_EXTRACT('abc', '\\d')
    NULL
    """

    def extracted(text: str, pattern: str, number: int = 0) -> str | None:
        compiled = compile_java(pattern)
        if not 0 <= number <= compiled.groups:
            raise ValueError(f"the regular expression has no group {number}")
        match = compiled.search(text)
        return None if match is None else match[int(number)]

    return map_rows(rows, extracted, [s, regex, *group], STRING, ErrorName.ARGUMENT)


@scalar("REGEXP_REPLACE(s: CHARACTER, regex: CHARACTER, by?: CHARACTER) -> VARCHAR", fails=True)
def regexp_replace(rows: Rows, s: Datum, regex: Datum, *by: Datum) -> Datum:
    """`s` with another text for each match, which may name groups as `$1`; or without the matches.

    >>> REGEXP_REPLACE('1a 2b 14m', '(\\d+)([ab]) ', '3c$2 ')
    3ca 3cb 14m
    >>> REGEXP_REPLACE('a1b2', '\\d')
    ab
    """

    def replaced(text: str, pattern: str, replacement: str = "") -> str:
        compiled = compile_java(pattern)
        parts = java_replacement(replacement, compiled.groups)
        return compiled.sub(lambda match: "".join(part if isinstance(part, str) else match[part] or "" for part in parts), text)

    return map_rows(rows, replaced, [s, regex, *by], STRING, ErrorName.ARGUMENT)


@scalar("REGEXP_COUNT(s: CHARACTER, regex: CHARACTER) -> BIGINT", fails=True)
def regexp_count(rows: Rows, s: Datum, regex: Datum) -> Datum:
    """How many times a regular expression matches.

    >>> REGEXP_COUNT('1a 2b 14m', '\\d+')
    3
    """

    def counted(text: str, pattern: str) -> int:
        return sum(1 for _ in compile_java(pattern).finditer(text))

    return map_rows(rows, counted, [s, regex], pa.int64(), ErrorName.ARGUMENT)


@scalar("REGEXP_EXTRACT_ALL(s: CHARACTER, pattern: CHARACTER, group?: INTEGRAL)", returns=lambda _: array(varchar()), fails=True)
def regexp_extract_all(rows: Rows, s: Datum, pattern: Datum, *group: Datum) -> Datum:
    """All parts of a text that match a pattern, or of these a group, as a list.

    >>> ARRAY_JOIN(REGEXP_EXTRACT_ALL('1a 2b 14m', '([0-9]+)([a-z]+)', 2), ' ')
    a b m
    """

    def found(text: str, expression: str, *number: int) -> list[str | None]:
        compiled, place = compile_java(expression), int(number[0]) if number else 0
        if not 0 <= place <= compiled.groups:
            raise ValueError(f"the pattern has no group {place}")
        return [match[place] for match in compiled.finditer(text)]

    return map_rows(rows, found, [s, pattern, *group], pa.list_(STRING), ErrorName.ARGUMENT)
