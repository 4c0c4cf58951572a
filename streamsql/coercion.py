"""Which types go together: common types, implicit conversion, CAST, and the types of arithmetic.

Numeric types convert into each other by themselves, so do CHAR and VARCHAR, BINARY and VARBINARY; NULL becomes anything.
DATE, TIME and TIMESTAMP do not, and nothing becomes text or comes from text without a CAST.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from streamsql.types import (
    APPROXIMATE,
    DOUBLE,
    INTEGERS,
    MAX_DECIMAL_PRECISION,
    NULL,
    UNITS,
    Family,
    IntervalQualifier,
    Kind,
    SqlType,
    decimal,
    varchar,
)


def common_type(types: Sequence[SqlType]) -> SqlType | None:
    """The type that comparison, CASE, COALESCE and UNION ALL bring values of these types to; None: there is none.

    >>> from streamsql.types import INTEGER, TIMESTAMP
    >>> str(common_type([INTEGER, decimal(5, 2)])), common_type([INTEGER, TIMESTAMP])
    ('DECIMAL(12, 2)', None)
    """
    known = [type_ for type_ in types if type_.kind is not Kind.NULL]
    if not known:
        return NULL if types else None
    first, *others = known
    common: SqlType | None = first
    for other in others:
        common = common and _common(common, other)
    return common


def assignable(source: SqlType, target: SqlType) -> bool:
    """Whether a value of `source` becomes one of `target` by itself, in an INSERT or as an argument."""
    if source.kind is Kind.NULL:
        return True
    if source.is_nested:
        return source == target
    return source.family is target.family


def lossless(source: SqlType, target: SqlType, assignment: bool) -> bool:
    """Whether no value of `source` fails to become one of `target`: text that may be cut or is no longer, wider numbers.

    >>> from streamsql.types import BIGINT, DOUBLE, INTEGER
    >>> lossless(INTEGER, BIGINT, False), lossless(DOUBLE, INTEGER, False), lossless(varchar(8), varchar(4), True)
    (True, False, True)
    """
    if source == target or source.kind is Kind.NULL:
        return True
    if source.is_character and target.is_character:
        return assignment or target.length is None or (source.length is not None and source.length <= target.length)
    if source.is_integer and target.is_integer:
        return INTEGERS.index(source.kind) <= INTEGERS.index(target.kind)
    if source.is_numeric and target.kind is Kind.DECIMAL and source.kind not in APPROXIMATE:
        exact = source.as_decimal()
        return exact.scale <= target.scale and exact.precision - exact.scale <= target.precision - target.scale
    return source.is_numeric and target.kind is Kind.DOUBLE


CASTABLE: dict[Family, tuple[Family, ...]] = {
    Family.NUMERIC: (Family.NUMERIC, Family.CHARACTER),
    Family.CHARACTER: (
        Family.CHARACTER,
        Family.NUMERIC,
        Family.BOOLEAN,
        Family.DATE,
        Family.TIME,
        Family.TIMESTAMP,
        Family.DAY_TIME,
        Family.YEAR_MONTH,
    ),
    Family.BOOLEAN: (Family.BOOLEAN, Family.CHARACTER),
    Family.BINARY: (Family.BINARY,),
    Family.DATE: (Family.DATE, Family.TIMESTAMP, Family.CHARACTER),
    Family.TIME: (Family.TIME, Family.TIMESTAMP, Family.CHARACTER),
    Family.TIMESTAMP: (Family.TIMESTAMP, Family.DATE, Family.TIME, Family.CHARACTER),
    Family.DAY_TIME: (Family.DAY_TIME, Family.NUMERIC, Family.CHARACTER),
    Family.YEAR_MONTH: (Family.YEAR_MONTH, Family.NUMERIC, Family.CHARACTER),
}
"""From the family of a value to the families that an explicit CAST can bring it to."""


def castable(source: SqlType, target: SqlType) -> bool:
    """Whether CAST(source AS target) exists.

    An interval becomes an exact number only when it has a single field.
    """
    if assignable(source, target):
        return True
    if source.is_interval and target.is_numeric:
        single = source.qualifier is not None and source.qualifier.start == source.qualifier.end
        return single and target.kind not in APPROXIMATE
    return target.family in CASTABLE.get(source.family, ())


def arithmetic_type(operator: str, left: SqlType, right: SqlType) -> SqlType:
    """The type of `left operator right` for numbers: that of both, or the wider one, or a DECIMAL by the rules of SQL.

    >>> from streamsql.types import INTEGER
    >>> str(arithmetic_type("/", decimal(2, 1), INTEGER))
    'DECIMAL(13, 12)'
    """
    if Kind.NULL in (left.kind, right.kind):
        return right if left.kind is Kind.NULL else left
    if Kind.DECIMAL not in (left.kind, right.kind) or left.kind in APPROXIMATE or right.kind in APPROXIMATE:
        return _common_numeric(left, right)
    return DECIMAL_RULES[operator](left.as_decimal(), right.as_decimal())


def _common(left: SqlType, right: SqlType) -> SqlType | None:
    if left == right:
        return left
    if left.family is not right.family:
        return None
    if left.is_numeric:
        return _common_numeric(left, right)
    if left.family in (Family.CHARACTER, Family.BINARY):
        return _longest(left, right)
    if left.is_interval:
        return _widest_interval(left, right)
    return None


def _common_numeric(left: SqlType, right: SqlType) -> SqlType:
    """One of two exact types, DOUBLE as soon as an exact type meets an approximate one."""
    if left.kind is right.kind and left.kind is not Kind.DECIMAL:
        return left
    if left.kind in APPROXIMATE or right.kind in APPROXIMATE:
        return DOUBLE
    if left.is_integer and right.is_integer:
        return max(left, right, key=lambda type_: INTEGERS.index(type_.kind))
    left, right = left.as_decimal(), right.as_decimal()
    scale = max(left.scale, right.scale)
    whole = max(left.precision - left.scale, right.precision - right.scale)
    return decimal(whole + scale, scale)  # beyond the cap where it must be: a comparison loses nothing


def _longest(left: SqlType, right: SqlType) -> SqlType:
    """Types of unequal length become the varying type of the longest; values are never padded."""
    length = None if left.length is None or right.length is None else max(left.length, right.length)
    return varchar(length) if left.is_character else SqlType(Kind.VARBINARY, length=length)


def _widest_interval(left: SqlType, right: SqlType) -> SqlType:
    """The interval of all fields from the longest unit of the two to the shortest."""
    a, b = left.qualifier, right.qualifier
    if a is None or b is None:
        return left if b is None else right
    start = min(a.start, b.start, key=UNITS.index)
    end = max(a.end, b.end, key=UNITS.index)
    qualifier = IntervalQualifier(start, end, max(a.precision, b.precision), max(a.fraction, b.fraction))
    return SqlType(left.kind, qualifier=qualifier)


def _capped(whole: int, scale: int, keep: int) -> SqlType:
    """DECIMAL(whole + scale, scale) within the cap: fraction digits go first, but `keep` of them stay."""
    if whole + scale > MAX_DECIMAL_PRECISION:
        scale = max(min(scale, keep), MAX_DECIMAL_PRECISION - whole)
    scale = min(scale, MAX_DECIMAL_PRECISION)
    return decimal(max(1, min(whole + scale, MAX_DECIMAL_PRECISION)), scale)


def _sum_type(left: SqlType, right: SqlType) -> SqlType:
    scale = max(left.scale, right.scale)
    whole = max(left.precision - left.scale, right.precision - right.scale)
    return _capped(whole + 1, scale, keep=scale)


def _product_type(left: SqlType, right: SqlType) -> SqlType:
    whole = left.precision - left.scale + right.precision - right.scale
    return _capped(whole, left.scale + right.scale, keep=max(left.scale, right.scale))


def _quotient_type(left: SqlType, right: SqlType) -> SqlType:
    scale = max(6, left.scale + right.precision + 1)
    return _capped(left.precision - left.scale + right.scale, scale, keep=max(left.scale, right.scale))


DECIMAL_RULES: dict[str, Callable[[SqlType, SqlType], SqlType]] = {
    "+": _sum_type,
    "-": _sum_type,
    "*": _product_type,
    "/": _quotient_type,
}
"""The reference asks a capped result to keep the fraction digits of the first operand; we keep those of the longer fraction,
without which `COUNT(*) * 1.5` would be a whole number."""
