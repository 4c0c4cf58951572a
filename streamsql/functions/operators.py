"""The operators of numbers and texts: arithmetic, comparison, the IS tests, IN and `||`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.coercion import arithmetic_type
from streamsql.errors import ProgrammingError
from streamsql.functions.arithmetic import arithmetic, negated
from streamsql.functions.cast import converter
from streamsql.functions.monotone import Monotonicity
from streamsql.functions.numbers import number_type
from streamsql.functions.registry import TypeRule, scalar
from streamsql.rows import Datum, Rows
from streamsql.types import BOOLEAN, DATE, NULL, TIME, TIMESTAMP, Kind, SqlType, varchar

CONSTANT, NONE = Monotonicity.CONSTANT, Monotonicity.NONE


def sum_direction(directions: Sequence[Monotonicity], _constants: Sequence[Any]) -> Monotonicity:
    """`m + c`, `c + m` move as `m`; `m1 + m2` as both, when they agree."""
    left, right = directions[:2]
    if CONSTANT in (left, right):
        return right if left is CONSTANT else left
    return left if left is right else NONE


def difference_direction(directions: Sequence[Monotonicity], constants: Sequence[Any]) -> Monotonicity:
    """`a - b` moves as `a + (-b)`."""
    return sum_direction((directions[0], directions[1].reversed()), constants)


def product_direction(directions: Sequence[Monotonicity], constants: Sequence[Any]) -> Monotonicity:
    """`m * c` moves as `m` for c > 0, against it for c < 0, not at all for c = 0."""
    if directions[0] is CONSTANT:
        return _signed(directions[1], constants[0])
    return _signed(directions[0], constants[1]) if directions[1] is CONSTANT else NONE


def quotient_direction(directions: Sequence[Monotonicity], constants: Sequence[Any]) -> Monotonicity:
    """`m / c` moves as `m` for c > 0, and `c / m` too.

    [X] The reference lists the latter so for an `m` of the sign of `c`, although it is the wrong way round; it is accepted
    as listed, `m` being taken as positive, as times and counters are.
    """
    return product_direction(directions, constants)


def _signed(direction: Monotonicity, factor: Any) -> Monotonicity:
    if factor is None:
        return CONSTANT if direction is CONSTANT else NONE
    if factor == 0:
        return CONSTANT
    return direction if factor > 0 else direction.reversed()


def negative_direction(directions: Sequence[Monotonicity], _constants: Sequence[Any]) -> Monotonicity:
    """`-m` moves against `m`."""
    return directions[0].reversed()


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


@scalar("=(x: T, y: T) -> BOOLEAN", infix=True, duckdb="({x} = {y})")
def equal(_rows: Rows, x: Datum, y: Datum) -> Datum:
    """Whether two values are equal; text by code points, case and blanks included.

    >>> 1 = 1.0
    TRUE
    >>> 'a' = 'A'
    FALSE
    >>> CAST(NULL AS INTEGER) = 1
    NULL
    """
    return pc.equal(x, y)


@scalar("<>(x: T, y: T) -> BOOLEAN", infix=True, duckdb="({x} <> {y})")
def not_equal(_rows: Rows, x: Datum, y: Datum) -> Datum:
    """Whether two values differ; also written `!=`.

    >>> 1 <> 2
    TRUE
    """
    return pc.not_equal(x, y)


@scalar("<(x: T, y: T) -> BOOLEAN", infix=True, duckdb="({x} < {y})")
def less(_rows: Rows, x: Datum, y: Datum) -> Datum:
    """Whether `x` is below `y`; text by code points.

    >>> 'Z' < 'a'
    TRUE
    >>> FALSE < TRUE
    TRUE
    """
    return pc.less(x, y)


@scalar("<=(x: T, y: T) -> BOOLEAN", infix=True, duckdb="({x} <= {y})")
def less_equal(_rows: Rows, x: Datum, y: Datum) -> Datum:
    """Whether `x` is at most `y`.

    >>> 'foo' <= 'bar'
    FALSE
    """
    return pc.less_equal(x, y)


@scalar(">(x: T, y: T) -> BOOLEAN", infix=True, duckdb="({x} > {y})")
def greater(_rows: Rows, x: Datum, y: Datum) -> Datum:
    """Whether `x` is above `y`.

    >>> 1 + 2 > 3
    FALSE
    """
    return pc.greater(x, y)


@scalar(">=(x: T, y: T) -> BOOLEAN", infix=True, duckdb="({x} >= {y})")
def greater_equal(_rows: Rows, x: Datum, y: Datum) -> Datum:
    """Whether `x` is at least `y`.

    >>> 2.0 >= 2
    TRUE
    """
    return pc.greater_equal(x, y)


@scalar("IS DISTINCT FROM(x: T, y: T) -> BOOLEAN", strict=False, infix=True, duckdb="({x} IS DISTINCT FROM {y})")
def is_distinct_from(_rows: Rows, x: Datum, y: Datum) -> Datum:
    """Whether two values differ, NULL being a value like others: TRUE or FALSE, never NULL.

    >>> 1 IS DISTINCT FROM 1.0
    FALSE
    >>> CAST(NULL AS INTEGER) IS DISTINCT FROM 1
    TRUE
    """
    return pc.coalesce(pc.not_equal(x, y), pc.xor(pc.is_null(x), pc.is_null(y)))


@scalar("IS NOT DISTINCT FROM(x: T, y: T) -> BOOLEAN", strict=False, infix=True, duckdb="({x} IS NOT DISTINCT FROM {y})")
def is_not_distinct_from(rows: Rows, x: Datum, y: Datum) -> Datum:
    """Whether two values are equal or both NULL.

    >>> CAST(NULL AS INTEGER) IS NOT DISTINCT FROM CAST(NULL AS INTEGER)
    TRUE
    """
    return pc.invert(is_distinct_from(rows, x, y))


@scalar("IS NULL(x: ANY) -> BOOLEAN", strict=False, infix=True, duckdb="({x} IS NULL)")
def is_null(_rows: Rows, x: Datum) -> Datum:
    """Whether a value is NULL.

    >>> CAST(NULL AS INTEGER) IS NULL
    TRUE
    """
    return pc.is_null(x)


@scalar("IS NOT NULL(x: ANY) -> BOOLEAN", strict=False, infix=True, duckdb="({x} IS NOT NULL)")
def is_not_null(_rows: Rows, x: Datum) -> Datum:
    """Whether a value is not NULL.

    >>> 0 IS NOT NULL
    TRUE
    """
    return pc.is_valid(x)


@scalar("IS TRUE(x: BOOLEAN) -> BOOLEAN", strict=False, infix=True, duckdb="(({x}) IS NOT DISTINCT FROM true)")
def is_true(_rows: Rows, x: Datum) -> Datum:
    """Whether a condition is TRUE, neither FALSE nor UNKNOWN.

    >>> UNKNOWN IS TRUE
    FALSE
    """
    return pc.fill_null(x, False)


@scalar("IS NOT TRUE(x: BOOLEAN) -> BOOLEAN", strict=False, infix=True, duckdb="(({x}) IS DISTINCT FROM true)")
def is_not_true(_rows: Rows, x: Datum) -> Datum:
    """Whether a condition is FALSE or UNKNOWN.

    >>> UNKNOWN IS NOT TRUE
    TRUE
    """
    return pc.invert(pc.fill_null(x, False))


@scalar("IS FALSE(x: BOOLEAN) -> BOOLEAN", strict=False, infix=True, duckdb="(({x}) IS NOT DISTINCT FROM false)")
def is_false(_rows: Rows, x: Datum) -> Datum:
    """Whether a condition is FALSE.

    >>> FALSE IS FALSE
    TRUE
    """
    return pc.invert(pc.fill_null(x, True))


@scalar("IS NOT FALSE(x: BOOLEAN) -> BOOLEAN", strict=False, infix=True, duckdb="(({x}) IS DISTINCT FROM false)")
def is_not_false(_rows: Rows, x: Datum) -> Datum:
    """Whether a condition is TRUE or UNKNOWN.

    >>> UNKNOWN IS NOT FALSE
    TRUE
    """
    return pc.fill_null(x, True)


@scalar("IS UNKNOWN(x: BOOLEAN) -> BOOLEAN", strict=False, infix=True, duckdb="({x} IS NULL)")
def is_unknown(_rows: Rows, x: Datum) -> Datum:
    """Whether a condition is UNKNOWN, which is the NULL of BOOLEAN.

    >>> (NOT UNKNOWN) IS UNKNOWN
    TRUE
    """
    return pc.is_null(x)


@scalar("IS NOT UNKNOWN(x: BOOLEAN) -> BOOLEAN", strict=False, infix=True, duckdb="({x} IS NOT NULL)")
def is_not_unknown(_rows: Rows, x: Datum) -> Datum:
    """Whether a condition is TRUE or FALSE.

    >>> TRUE IS NOT UNKNOWN
    TRUE
    """
    return pc.is_valid(x)


@scalar("IN(x: T, values...: T) -> BOOLEAN", strict=False, infix=True, duckdb="({x} IN ({values}))")
def in_(rows: Rows, x: Datum, *values: Datum) -> Datum:
    """Whether `x` equals one of the values: UNKNOWN for a NULL `x`, and when only a NULL among the values could be it.

    >>> 2 IN (1, 2, 3)
    TRUE
    >>> 4 IN (1, 2, CAST(NULL AS INTEGER))
    NULL
    >>> 'b' NOT IN ('a', 'c')
    TRUE
    """
    if not all(isinstance(value, pa.Scalar) for value in values):
        return reduce(pc.or_kleene, (pc.equal(x, value) for value in values))
    known, has_null = _value_set(values)
    found = pc.is_in(rows.column(x), value_set=known)
    uncertain = pc.if_else(found, found, pa.scalar(None, pa.bool_())) if has_null else found
    return pc.if_else(rows.column(pc.is_null(x)), pa.scalar(None, pa.bool_()), uncertain)


@lru_cache(maxsize=256)
def _value_set(values: tuple[pa.Scalar, ...]) -> tuple[pa.Array, bool]:
    """The values that are not NULL as an array, and whether others are; a list of constants is the same for every batch."""
    known = [value for value in values if value.is_valid]
    array = pa.concat_arrays([pa.repeat(value, 1) for value in known]) if known else pa.array([], values[0].type)
    if pa.types.is_floating(array.type):  # zero equals itself with the other sign
        array = pa.concat_arrays([array, pc.negate(array.filter(pc.equal(array, 0.0)))])
    return array, len(known) < len(values)


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
