"""The operators of numbers and texts: arithmetic and `||`."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.coercion import arithmetic_type
from streamsql.errors import ProgrammingError
from streamsql.functions.arithmetic import arithmetic, negated
from streamsql.functions.cast import converter
from streamsql.functions.monotone import (
    difference_direction,
    negative_direction,
    product_direction,
    quotient_direction,
    sum_direction,
)
from streamsql.functions.numbers import number_type
from streamsql.functions.registry import TypeRule, scalar
from streamsql.rows import Datum, Rows
from streamsql.types import BOOLEAN, DATE, NULL, TIME, TIMESTAMP, Kind, SqlType, varchar


def _number(symbol: str) -> TypeRule:
    return lambda types: arithmetic_type(symbol, *types)


@scalar(
    "+(x: NUMERIC, y: NUMERIC)",
    returns=_number("+"),
    fails=True,
    infix=True,
    monotone=sum_direction,
    duckdb="({x} + {y})",
)
def add(rows: Rows, x: Datum, y: Datum) -> Datum:
    """The sum of two numbers, in the wider type of the two.

    >>> 3.0 + 2
    5.0
    >>> 5 * 2 + 2
    12
    >>> 2147483647 + 1
    error: 2147483647 + 1 is out of range
    """
    return arithmetic("+", rows, x, y)


@scalar(
    "-(x: NUMERIC, y: NUMERIC)",
    returns=_number("-"),
    fails=True,
    infix=True,
    monotone=difference_direction,
    duckdb="({x} - {y})",
)
def subtract(rows: Rows, x: Datum, y: Datum) -> Datum:
    """The difference of two numbers, in the wider type of the two.

    >>> 5.25 - 2
    3.25
    """
    return arithmetic("-", rows, x, y)


@scalar(
    "*(x: NUMERIC, y: NUMERIC)",
    returns=_number("*"),
    fails=True,
    infix=True,
    monotone=product_direction,
    duckdb="({x} * {y})",
)
def multiply(rows: Rows, x: Datum, y: Datum) -> Datum:
    """The product of two numbers; decimals have the fraction digits of both.

    >>> 1.5 * 2.25
    3.375
    """
    return arithmetic("*", rows, x, y)


@scalar(
    "/(x: NUMERIC, y: NUMERIC)",
    returns=_number("/"),
    fails=True,
    infix=True,
    monotone=quotient_direction,
)
def divide(rows: Rows, x: Datum, y: Datum) -> Datum:
    """The quotient of two numbers; of two integers it is an integer, cut toward zero.

    A divisor of zero fails the row, also for REAL and DOUBLE.

    >>> 5 / 2
    2
    >>> -7 / 2
    -3
    >>> 5.0 / 2
    2.500000000000
    >>> 1e0 / 0
    error: division by zero
    """
    return arithmetic("/", rows, x, y)


@scalar("NEGATE(x: NUMERIC) -> x", fails=True, infix=True, monotone=negative_direction, duckdb="(-{x})")
def negate(rows: Rows, x: Datum) -> Datum:
    """A number with the other sign: what `-x` means.

    >>> -(3.50)
    -3.50
    """
    return negated(rows, x)


def _concatenated(types: Sequence[SqlType]) -> SqlType:
    left, right = types
    length = None if left.length is None or right.length is None else left.length + right.length
    return varchar(length) if left.is_character else SqlType(Kind.VARBINARY, length=length)


@scalar("||(x: CHARACTER, y: CHARACTER)", returns=_concatenated, infix=True, duckdb="({x} || {y})")
def concatenate(_rows: Rows, x: Datum, y: Datum) -> Datum:
    """Two texts one after the other.

    >>> 'SQL' || '' || 'stream'
    SQLstream
    >>> 'SQL' || CAST(NULL AS VARCHAR(3))
    NULL
    """
    return pc.binary_join_element_wise(x, y, "")


@scalar("||(x: BINARYSTRING, y: BINARYSTRING)", returns=_concatenated, infix=True)
def concatenate_bytes(_rows: Rows, x: Datum, y: Datum) -> Datum:
    """Two byte strings one after the other.

    [X] The table of types excludes `||` for BINARY, the table of operators includes it; we follow the latter.

    >>> CAST(NULL AS VARBINARY(2)) || CAST(NULL AS VARBINARY(2))
    NULL
    """
    return pc.binary_join_element_wise(x, y, pa.scalar(b"", pa.binary()))


def _printed_type(types: Sequence[SqlType]) -> SqlType:
    """VARCHAR, when one operand is text and the other has a printed form."""
    printable = all(t.is_character or t.is_numeric or t.kind is Kind.NULL or t in _PRINTED.values() for t in types)
    if not printable or not any(t.is_character for t in types):
        raise ProgrammingError(f"cannot apply || to {types[0]} and {types[1]}")
    return varchar()


_PRINTED = {type_.arrow(): type_ for type_ in (BOOLEAN, DATE, TIME, TIMESTAMP, NULL)}


@scalar("||(x: ANY, y: ANY)", returns=_printed_type, infix=True)
def concatenate_printed(rows: Rows, x: Datum, y: Datum) -> Datum:
    """A text and a number, BOOLEAN, DATE, TIME or TIMESTAMP one after the other, the latter as CAST AS VARCHAR prints it.

    >>> 'at ' || TIMESTAMP '2004-09-30 13:48:23'
    at 2004-09-30 13:48:23
    >>> 1.50 || ' EUR'
    1.50 EUR
    """
    return concatenate(rows, _printed(rows, x), _printed(rows, y))


def _printed(rows: Rows, x: Datum) -> Datum:
    if pa.types.is_string(x.type):
        return x
    convert = converter(_PRINTED.get(x.type) or number_type(x.type), varchar(), False)
    return x if convert is None else convert(rows, x)
