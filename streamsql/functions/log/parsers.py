"""The log parsers: functions that make a record of a text.

What the reference leaves open: a field longer than its type is cut, as in an INSERT; a field that is no text and blank is NULL;
a text that does not fit fails its row, except for REGEX_LOG_PARSE, of which the reference says that it gives NULL.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

from streamsql.errors import ProgrammingError
from streamsql.functions.java.regex import compile_java
from streamsql.functions.log.column_descriptions import TEXT, Description, descriptions, fields_of, numbered
from streamsql.functions.log.delimited import Delimited
from streamsql.functions.log.fast_regex import compile_fast
from streamsql.functions.log.records import records
from streamsql.functions.log.web_log import compile_format
from streamsql.functions.registry import scalar
from streamsql.rows import Datum, Rows
from streamsql.types import TIMESTAMP, Field

MISFIT = "the text does not fit the pattern"


def _fast_fields(values: Sequence[Any]) -> tuple[Field, ...]:
    try:
        return fields_of(numbered(compile_fast(_text(values[0], "pattern")).groups))
    except ValueError as error:
        raise ProgrammingError(f"the pattern of FAST_REGEX_LOG_PARSE is wrong: {error}") from None


@scalar("FAST_REGEX_LOG_PARSE(s: CHARACTER, pattern: CHARACTER) -> RECORD", record=_fast_fields, fails=True)
@scalar("FAST_REGEX_LOG_PARSER(s: CHARACTER, pattern: CHARACTER) -> RECORD", record=_fast_fields, fails=True)
def fast_regex_log_parse(rows: Rows, s: Datum, pattern: Datum) -> Datum:
    """The groups of a pattern as the fields COLUMN1, COLUMN2 ... of type VARCHAR(1024).

    The pattern must take the whole text, without ever going back: each part takes the least that brings it to the part
    behind it.  It knows `[ab]`, `[^a-z]`, `.`, `|`, `&` (both), `?`, `*`, `+`, `{n}`, `{n,}`, `{n,m}`, `"text"`, `@` (any
    text), `#` (nothing at all), `<1-12>` (a number), `\\c` (the character c) and sets by name: `<Digit>`, `<Upper>`, `<Lower>`,
    `<ASCII>`, `<Alpha>`, `<Alnum>`, `<Punct>`, `<Blank>`, `<Space>`, `<Cntrl>`, `<XDigit>`, `<Print>`, `<Graph>`.  The time
    that it takes grows with the length of the text and no faster.  A text that does not fit fails its row.

    >>> FAST_REGEX_LOG_PARSE('Mary_had_a_little_lamb', '(.*)_(._.*)_.*')
    {"COLUMN1": "Mary_had", "COLUMN2": "a_little"}
    >>> FAST_REGEX_LOG_PARSE('Mary____had_a_little_lamb', '(.*)_+(.*)')
    {"COLUMN1": "Mary", "COLUMN2": "had_a_little_lamb"}
    >>> FAST_REGEX_LOG_PARSE('Mary_had_a_little_lamb', '(.*)_+(._.*)')
    error: the text does not fit the pattern
    """
    fast = compile_fast(pattern.as_py())
    return records(rows, s, numbered(fast.groups), fast.match, MISFIT)


def _regex_columns(values: Sequence[Any]) -> tuple[Description, ...]:
    try:
        groups = compile_java(_text(values[0], "pattern")).groups
    except (ValueError, re.error) as error:
        raise ProgrammingError(f"the pattern of REGEX_LOG_PARSE is wrong: {error}") from None
    if not groups:
        raise ProgrammingError("the pattern of REGEX_LOG_PARSE has no group: what is in brackets becomes a field")
    if len(values) == 1:
        return numbered(groups)
    columns = descriptions(_text(values[1], "columns"))
    if len(columns) != groups:
        count = f"{len(columns)} columns are described, and the pattern of REGEX_LOG_PARSE has {groups}"
        raise ProgrammingError(f"{count} group{'s' * (groups != 1)}")
    return columns


@scalar(
    "REGEX_LOG_PARSE(s: CHARACTER, pattern: CHARACTER, columns?: CHARACTER) -> RECORD",
    record=lambda values: fields_of(_regex_columns(values)),
    fails=True,
)
def regex_log_parse(rows: Rows, s: Datum, pattern: Datum, *columns: Datum) -> Datum:
    """The groups of a regular expression of Java as the fields COLUMN1, COLUMN2 ... of type VARCHAR(1024), or as those described.

    A description is a name, or a name and a type.  The expression must match the whole text; where it does not the record is
    NULL, and so are its fields.

    >>> REGEX_LOG_PARSE('HEALTHCARE', '.*([E].).*([R].*)')
    {"COLUMN1": "EA", "COLUMN2": "RE"}
    >>> REGEX_LOG_PARSE('RETAIL', '.*([E].).*([R].*)')
    NULL
    >>> REGEX_LOG_PARSE('GET 200', '([A-Z]+) ([0-9]+)', 'verb, code INTEGER')
    {"VERB": "GET", "CODE": 200}
    """
    values = [value.as_py() for value in (pattern, *columns)]
    compiled = compile_java(values[0])

    def cut(text: str) -> Sequence[str | None] | None:
        match = compiled.fullmatch(text)
        return None if match is None else match.groups()

    return records(rows, s, _regex_columns(values), cut, None)


@scalar(
    "FIXED_COLUMN_LOG_PARSE(s: CHARACTER, columns: CHARACTER) -> RECORD",
    record=lambda values: fields_of(descriptions(_text(values[0], "columns"), placed=True)),
    fails=True,
)
def fixed_column_log_parse(rows: Rows, s: Datum, columns: Datum) -> Datum:
    """Fields that stand at fixed places of a text: 'name TYPE type [NOT NULL] START place [FOR length], ...'.

    The first character stands at place 0.  Without FOR a field goes to the end of the text.  The type of a DATE, TIME or
    TIMESTAMP may be followed by a pattern in quotes, as in CHAR_TO_TIMESTAMP.  A field that cannot be converted, or is NULL
    against its NOT NULL, fails the row.

    >>> FIXED_COLUMN_LOG_PARSE('  1   true', 'a TYPE INTEGER START 0 FOR 3, b TYPE BOOLEAN START 4')
    {"A": 1, "B": true}
    >>> FIXED_COLUMN_LOG_PARSE('on 24/May/2004', 'd TYPE DATE ''dd/MMM/yyyy'' START 3')
    {"D": "2004-05-24"}
    """
    described = descriptions(columns.as_py(), placed=True)
    ends = [None if column.count is None else column.start + column.count for column in described]

    def cut(text: str) -> Sequence[str | None]:
        pairs = zip(described, ends, strict=True)
        return [text[column.start : end] if column.start < len(text) else None for column, end in pairs]

    return records(rows, s, described, cut, None)


def _variable_columns(values: Sequence[Any]) -> tuple[Description, ...]:
    columns = values[0]
    if isinstance(columns, int) and not isinstance(columns, bool):
        if columns < 1:
            raise ProgrammingError(f"VARIABLE_COLUMN_LOG_PARSE makes one column or more, not {columns}")
        return numbered(columns)
    return descriptions(_text(columns, "columns"))


def _variable_fields(values: Sequence[Any]) -> tuple[Field, ...]:
    columns = _variable_columns(values)
    _delimited(values[1:])
    return fields_of(columns)


def _delimited(values: Sequence[Any]) -> Delimited:
    delimited = Delimited(*(value or "" for value in values))
    if not delimited.delimiter:
        raise ProgrammingError("the delimiter of VARIABLE_COLUMN_LOG_PARSE is empty")
    if len(delimited.quotes) > 2:
        raise ProgrammingError("the quotes of VARIABLE_COLUMN_LOG_PARSE are one character, or one to begin and one to end")
    return delimited


@scalar(
    "VARIABLE_COLUMN_LOG_PARSE(s: CHARACTER, columns: ANY, delimiter: CHARACTER, escape?: CHARACTER, quotes?: CHARACTER)"
    " -> RECORD",
    record=_variable_fields,
    fails=True,
)
def variable_column_log_parse(rows: Rows, s: Datum, columns: Datum, *delimited: Datum) -> Datum:
    """The fields of a text between delimiters: a number of them, or 'name TYPE type [NOT NULL], ...'.

    With a number the fields are COLUMN1, COLUMN2 ... of type VARCHAR(1024).  An escape in front of a delimiter hides it, and so
    do quotes: one character, or one that begins and one that ends.  As in CSV input, an empty field without quotes is NULL,
    fields that are missing at the end are NULL, those beyond the columns are ignored.  A quote without an end fails the row.

    >>> VARIABLE_COLUMN_LOG_PARSE('x,7', 'COL_1 TYPE VARCHAR(16), COL_2 TYPE INTEGER NOT NULL', ',')
    {"COL_1": "x", "COL_2": 7}
    >>> VARIABLE_COLUMN_LOG_PARSE('a\\,b', 1, ',', '\\')
    {"COLUMN1": "a,b"}
    >>> VARIABLE_COLUMN_LOG_PARSE('John;"514; West Bay"', 3, ';', '', '"')
    {"COLUMN1": "John", "COLUMN2": "514; West Bay", "COLUMN3": null}
    """
    described = _variable_columns([columns.as_py()])
    how = _delimited([value.as_py() for value in delimited])
    return records(rows, s, described, partial(how.cut, count=len(described)), MISFIT)


_SYSLOG = re.compile(r"(?:<\d{1,3}>)?([A-Z][a-z]{2})\s+(\d{1,2}) (\d{2}:\d{2}:\d{2}) (.*)", re.ASCII | re.DOTALL)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SYSLOG_COLUMNS = (Description(Field("COLUMN1", TIMESTAMP)), Description(Field("COLUMN2", TEXT)))


def _syslog(text: str) -> Sequence[str] | None:
    match = _SYSLOG.fullmatch(text)
    if match is None or match[1] not in _MONTHS:
        return None
    month, day = _MONTHS.index(match[1]) + 1, int(match[2])
    year = 1972 if (month, day) == (2, 29) else 1970
    return f"{year}-{month:02d}-{day:02d} {match[3]}", match[4]


@scalar("SYS_LOG_PARSE(s: CHARACTER) -> RECORD", record=lambda _: fields_of(_SYSLOG_COLUMNS), fails=True)
def sys_log_parse(rows: Rows, s: Datum) -> Datum:
    """A line of syslog, `Mon DD HH:MM:SS server message`: COLUMN1 is the TIMESTAMP, COLUMN2 what follows it.

    The line has no year, and the record's is 1970, as it is for every pattern without one: another would depend on when the
    statement runs.  (February 29 is that of 1972.)  A priority in front, `<34>`, is left out.

    >>> SYS_LOG_PARSE('Oct 11 22:14:15 mymachine su: failed')
    {"COLUMN1": "1970-10-11 22:14:15.000", "COLUMN2": "mymachine su: failed"}
    >>> SYS_LOG_PARSE('22:14:15 mymachine')
    error: the text is not Mon DD HH:MM:SS server message
    """
    return records(rows, s, _SYSLOG_COLUMNS, _syslog, "the text is not Mon DD HH:MM:SS server message")


def _web_fields(values: Sequence[Any]) -> tuple[Field, ...]:
    try:
        return fields_of(numbered(compile_format(_text(values[0], "format")).groups))
    except ValueError as error:
        raise ProgrammingError(f"the format of W3C_LOG_PARSE is wrong: {error}") from None


@scalar("W3C_LOG_PARSE(s: CHARACTER, format: CHARACTER) -> RECORD", record=_web_fields, fails=True)
def w3c_log_parse(rows: Rows, s: Datum, format: Datum) -> Datum:
    """A line of a web server's log: a field for each specifier of its format, COLUMN1, COLUMN2 ... of type VARCHAR(1024).

    The format is COMMON, COMMON WITH VHOST, NCSA EXTENDED, REFERER, AGENT, or Apache's specifiers, such as `%h %t "%r" %>s`,
    with the argument of one in square brackets: `%[Referer]i`.  Quotes around a specifier are no part of the field, the
    brackets of `%t` are.  A line that does not fit fails its row.

    [X] The reference makes the bytes sent a number for one of %b and %B and contradicts itself which; all fields are text.

    >>> W3C_LOG_PARSE('192.168.254.30 [24/May/2004:22:01:02 -0700] "GET /a.gif HTTP/1.1" 304', '%h %t "%r" %>s')
    {"COLUMN1": "192.168.254.30", "COLUMN2": "[24/May/2004:22:01:02 -0700]", "COLUMN3": "GET /a.gif HTTP/1.1", "COLUMN4": "304"}
    >>> W3C_LOG_PARSE('/from.html ---> /to.html', 'REFERER')
    {"COLUMN1": "/from.html", "COLUMN2": "/to.html"}
    """
    regex = compile_format(format.as_py())

    def cut(text: str) -> Sequence[str | None] | None:
        match = regex.fullmatch(text)
        return None if match is None else match.groups()

    return records(rows, s, numbered(regex.groups), cut, "the line does not fit the format")


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise ProgrammingError(f"the {name} of a log parser is a text, not {'NULL' if value is None else value}")
    return value
