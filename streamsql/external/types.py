"""The types of Hive and Redshift DDL, and what they are here.

CHAR(n) is VARCHAR(n): values of external tables are not padded.  The services differ in two types that do not say how long
they are: FLOAT has 32 bits in Athena and 64 in Redshift, DECIMAL 10 digits and 18.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from streamsql import types
from streamsql.errors import ProgrammingError, Span
from streamsql.statements.external_ddl import HiveField, HiveType
from streamsql.types import Field, Kind, SqlType

_PLAIN: dict[str, SqlType] = {
    **dict.fromkeys(("boolean", "bool"), types.BOOLEAN),
    "tinyint": types.TINYINT,
    **dict.fromkeys(("smallint", "int2"), types.SMALLINT),
    **dict.fromkeys(("int", "integer", "int4"), types.INTEGER),
    **dict.fromkeys(("bigint", "int8"), types.BIGINT),
    **dict.fromkeys(("float", "real", "float4"), types.REAL),
    **dict.fromkeys(("double", "double precision", "float8"), types.DOUBLE),
    **dict.fromkeys(("string", "text"), types.varchar()),
    **dict.fromkeys(("binary", "varbyte", "varbinary"), SqlType(Kind.VARBINARY)),
    "date": types.DATE,
    "timestamp": types.TIMESTAMP,
}

_SIZED = frozenset(
    {"varchar", "char", "character", "character varying", "char varying", "nvarchar", "nchar", "bpchar", "varbyte", "varbinary"}
)
"""Types with a length, which may be left out."""

_DECIMALS = frozenset({"decimal", "numeric", "dec"})

_REDSHIFT = {
    HiveType("float"): HiveType("float8"),
    **{HiveType(name): HiveType(name, (18, 0)) for name in _DECIMALS},
}
"""Types that Redshift takes for others than Athena does, in the words of both."""


def as_redshift(declared: HiveType) -> HiveType:
    """A type as Redshift reads it, so that Athena would read it alike.

    >>> str(as_redshift(HiveType("array", fields=(HiveField("", HiveType("float")),))))
    'array<float8>'
    """
    fields = tuple(replace(field, type=as_redshift(field.type)) for field in declared.fields)
    return _REDSHIFT.get(declared, replace(declared, fields=fields))


def sql_type(declared: HiveType, span: Span | None = None) -> SqlType:
    """The type that a declaration means; raises ProgrammingError for one that is none.

    >>> str(sql_type(HiveType("decimal", (5, 2)))), str(sql_type(HiveType("float8")))
    ('DECIMAL(5, 2)', 'DOUBLE')
    """
    name, arguments = declared.name, declared.arguments
    try:
        if declared.fields:
            return _NESTED[name]([(f.name, sql_type(f.type, span)) for f in declared.fields])
        if name in _DECIMALS:
            return _decimal(*arguments)
        if name in _SIZED and len(arguments) <= 1:
            return _sized(name, arguments[0] if arguments else None)
        if name in _PLAIN and not arguments:
            return _PLAIN[name]
    except ProgrammingError as error:
        error.span = error.span or span
        raise
    if name in _PLAIN or name in _SIZED:
        raise ProgrammingError(f"{name} takes no such length: {declared}", span, name)
    known = sorted({*_PLAIN, "decimal", "varchar", "char", "array<>", "map<>", "struct<>"} - {"text"})
    raise ProgrammingError(f"no type {name} of external tables", span, f"there are {', '.join(known)}")


def _decimal(precision: int = 10, scale: int = 0) -> SqlType:
    if not 1 <= precision <= types.WIDEST_DECIMAL or scale > precision:
        text = f"decimal({precision}, {scale}): up to {types.WIDEST_DECIMAL} digits, of them those behind the point"
        raise ProgrammingError(text)
    return types.decimal(precision, scale)


def _sized(name: str, length: int | None) -> SqlType:
    if length == 0:
        raise ProgrammingError(f"the length of a {name} is from 1 on")
    if name.startswith("var") and name != "varchar":
        return SqlType(Kind.VARBINARY, length=length)
    one = name in ("char", "character", "nchar", "bpchar")
    return types.varchar(1 if one and length is None else length)


def declared_type(type: SqlType) -> HiveType | None:
    """A type as DDL declares it; None for one that tables do not have: times of day, intervals, NULL alone.

    CHAR, which is what literals are, is `string`: a table of a literal takes longer texts, too.

    >>> str(declared_type(types.array(types.decimal(5, 2)))), str(declared_type(types.char(3)))
    ('array<decimal(5,2)>', 'string')
    """
    if type.is_nested:
        inner = [declared_type(field.type) for field in type.fields]
        names = [field.name if type.kind is Kind.ROW else "" for field in type.fields]
        fields = tuple(HiveField(name, each) for name, each in zip(names, inner, strict=True) if each is not None)
        return HiveType(_OF_KIND[type.kind], fields=fields) if len(fields) == len(inner) else None
    if type.kind is Kind.DECIMAL:
        return HiveType("decimal", (type.precision, type.scale))
    if type.kind is Kind.VARCHAR and type.length is not None:
        return HiveType("varchar", (type.length,))
    return HiveType(_OF_KIND[type.kind]) if type.kind in _OF_KIND else None


_OF_KIND = {
    Kind.BOOLEAN: "boolean",
    Kind.TINYINT: "tinyint",
    Kind.SMALLINT: "smallint",
    Kind.INTEGER: "int",
    Kind.BIGINT: "bigint",
    Kind.REAL: "float",
    Kind.DOUBLE: "double",
    Kind.CHAR: "string",
    Kind.VARCHAR: "string",
    Kind.BINARY: "binary",
    Kind.VARBINARY: "binary",
    Kind.DATE: "date",
    Kind.TIMESTAMP: "timestamp",
    Kind.ROW: "struct",
    Kind.ARRAY: "array",
    Kind.MAP: "map",
}

Named = list[tuple[str, SqlType]]

_NESTED: dict[str, Callable[[Named], SqlType]] = {
    "array": lambda fields: types.array(fields[0][1]),
    "map": lambda fields: types.map_of(fields[0][1], fields[1][1]),
    "struct": lambda fields: SqlType(Kind.ROW, fields=tuple(Field(name, type_) for name, type_ in fields)),
}
