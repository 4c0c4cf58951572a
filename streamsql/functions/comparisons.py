"""Comparisons, the IS tests and IN."""

from __future__ import annotations

from functools import lru_cache, reduce

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.functions.registry import scalar
from streamsql.rows import Datum, Rows


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
