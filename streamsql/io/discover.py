"""Schema discovery: the columns that the first records of an input have.

* Whole numbers are INTEGER, or BIGINT where one does not fit; other numbers DOUBLE; true and false BOOLEAN.
* Text is VARCHAR of at least four times the longest value seen, in steps of 4, 16, 64, 256, 1024 ...; so are arrays, objects
  and columns whose values are of several types.  A column that is always null is VARCHAR(64).
* Text that is always a full timestamp (`yyyy-MM-dd HH:mm:ss`, ISO 8601 with `T`) is TIMESTAMP: the vendor's discovery left it
  as VARCHAR, whereupon its guide has the user change the type by hand.
* A CSV field counts as the number, truth or timestamp that it spells, but a whole number with leading zeros is text.
* Names stay as they are; one that SQL could not write (a reserved word, other characters, a digit in front, over 100
  characters) gets `COL_` in front and loses those characters.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import pyarrow as pa

from streamsql.datetime_text import parse_iso_timestamp
from streamsql.errors import OperationalError
from streamsql.io.conversion import Nested, Number, Value
from streamsql.io.decoding import RENAMED, renamed
from streamsql.io.formats import TextFormat
from streamsql.io.layout import Layout
from streamsql.io.tables import MAX_LENGTH, discovered_type
from streamsql.types import BIGINT, BOOLEAN, DOUBLE, INTEGER, TIMESTAMP, Field, SqlType, varchar

SAMPLE = 1000
"""Records looked at."""

_ALWAYS_NULL = 64
_WHOLE = re.compile(r"-?\d+", re.ASCII)
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d", re.ASCII)


def fields_of_text(format: TextFormat, data: bytes, layout: Layout) -> tuple[Field, ...]:
    """The columns of whole records of a text format; none where there is no record."""
    values: dict[str, list[Value]] = {}
    for number, record in enumerate(format.records(data, layout)):
        if number == SAMPLE:
            break
        for name, value in record:
            column = values.setdefault(column_name(name), [])
            if value is not None:
                column.append(value)
    return tuple(Field(name, _type_of(column)) for name, column in values.items())


def fields_of_table(schema: pa.Schema) -> tuple[Field, ...]:
    """The columns of a file that has types of its own."""
    return tuple(Field(column_name(field.name), discovered_type(field.type)) for field in schema)


def column_name(member: str) -> str:
    """The name of the column for a member.

    >>> column_name("price"), column_name("USER@DOMAIN"), column_name("year"), column_name("@@")
    ('price', 'COL_USERDOMAIN', 'COL_year', 'COL_0')
    """
    name = renamed(member)
    legal = name == RENAMED + member and not member[0].isdigit() and member.upper() not in _reserved_words()
    return member if legal else name


def no_records(name: str) -> OperationalError:
    """The error for an input in which there is nothing to discover."""
    return OperationalError(f"no columns can be discovered in {name}: it has no records", hint="give them with --schema")


@cache
def _reserved_words() -> frozenset[str]:
    """The reserved words, from where the grammar lists them."""
    tokens = (files("streamsql.grammar") / "tokens.lark").read_text()
    lists = re.findall(r"^RESERVED\w*:((?:[^\n]*\n)(?:\s+\|[^\n]*\n)*)", tokens, re.MULTILINE)
    return frozenset(re.findall(r'"([^"]+)"', "".join(lists)))


def _type_of(values: list[Value]) -> SqlType:
    """The type for a column with these values, NULLs left out."""
    if not values:
        return varchar(_ALWAYS_NULL)
    if all(isinstance(value, bool) for value in values):
        return BOOLEAN
    if all(isinstance(value, Number) for value in values):
        return _number_type([str(value) for value in values])
    texts = [str(value) for value in values]
    if not any(isinstance(value, bool | Number | Nested) for value in values) and all(map(_is_timestamp, texts)):
        return TIMESTAMP
    size = 4
    while size < 4 * max(map(len, texts)):
        size *= 4
    return varchar(min(size, MAX_LENGTH))


def _number_type(texts: list[str]) -> SqlType:
    if not all(map(_WHOLE.fullmatch, texts)) or max(map(len, texts)) > len(str(-(2**63))):
        return DOUBLE
    largest = max(max(value, -value - 1) for value in map(int, texts))
    return INTEGER if largest < 2**31 else BIGINT if largest < 2**63 else DOUBLE


def _is_timestamp(text: str) -> bool:
    try:
        parse_iso_timestamp(text)
    except ValueError:
        return False
    return _TIMESTAMP.match(text) is not None
