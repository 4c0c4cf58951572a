"""The names of types in SQL text."""

from __future__ import annotations

from streamsql import types
from streamsql.errors import ProgrammingError
from streamsql.types import Kind, SqlType

MAX_DECIMAL = 19
"""Digits that a declared DECIMAL may have."""

MAX_LENGTH = 65_535

_SYNONYMS = {
    "INT": Kind.INTEGER,
    "DEC": Kind.DECIMAL,
    "NUMERIC": Kind.DECIMAL,
    "FLOAT": Kind.DOUBLE,
    "DOUBLE PRECISION": Kind.DOUBLE,
    "CHARACTER": Kind.CHAR,
    "CHAR VARYING": Kind.VARCHAR,
    "CHARACTER VARYING": Kind.VARCHAR,
    "BINARY VARYING": Kind.VARBINARY,
    "BOOL": Kind.BOOLEAN,
    "INT2": Kind.SMALLINT,
    "INT4": Kind.INTEGER,
    "INT8": Kind.BIGINT,
    "FLOAT4": Kind.REAL,
    "FLOAT8": Kind.DOUBLE,
    "STRING_TYPE": Kind.VARCHAR,
    "TEXT": Kind.VARCHAR,
}

_DEFAULT_LENGTH = {Kind.CHAR: 1, Kind.BINARY: 1, Kind.VARCHAR: None, Kind.VARBINARY: None}


def sql_type(name: str, arguments: tuple[int, ...]) -> SqlType:
    """The type that DDL spells `name(arguments)`.

    >>> str(sql_type("NUMERIC", (5, 2))), str(sql_type("FLOAT", ())), str(sql_type("CHAR VARYING", (4,)))
    ('DECIMAL(5, 2)', 'DOUBLE', 'VARCHAR(4)')
    """
    kind = _SYNONYMS.get(name) or Kind(name)
    if kind is Kind.DECIMAL:
        return _decimal(*arguments)
    if kind in _DEFAULT_LENGTH:
        return _sized(kind, *arguments)
    if arguments:
        raise ProgrammingError(f"{name} takes no length or precision", hint=name)
    return SqlType(kind)


def _decimal(precision: int = types.MAX_DECIMAL_PRECISION, scale: int = 0) -> SqlType:
    if not 1 <= precision <= MAX_DECIMAL:
        raise ProgrammingError(f"DECIMAL has from 1 to {MAX_DECIMAL} digits, not {precision}")
    if scale > precision:
        raise ProgrammingError(f"DECIMAL({precision}, {scale}) has more digits after the point than digits")
    return types.decimal(precision, scale)


def _sized(kind: Kind, *arguments: int) -> SqlType:
    if len(arguments) > 1:
        raise ProgrammingError(f"{kind.value} takes one length")
    length = arguments[0] if arguments else _DEFAULT_LENGTH[kind]
    if length is not None and not 1 <= length <= MAX_LENGTH:
        raise ProgrammingError(f"the length of a {kind.value} is from 1 to {MAX_LENGTH}, not {length}")
    return SqlType(kind, length=length)
