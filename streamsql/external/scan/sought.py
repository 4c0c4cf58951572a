"""Which values a condition seeks: it is only met where some columns have one of some values.

This is what Bloom filters tell of.  The least and greatest values have told what they can before (`bounds.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import Any, TypeAlias

import pyarrow as pa

from streamsql.coercion import lossless
from streamsql.expressions.conditions import conjuncts
from streamsql.expressions.evaluate import evaluator, one_row
from streamsql.expressions.nodes import Call, Cast, Column, Expression
from streamsql.io.conversion import EXACT_AS_DOUBLE
from streamsql.rows import QueryTime
from streamsql.types import Kind, SqlType

MOST = 64
"""Values of a column that are looked for.  Of a filter that takes one value in a hundred for one it has, so many let half of
the row groups pass already."""

DIGITS_OF_DOUBLE = 15
"""Decimals of so many digits are DOUBLEs, each another one."""


@dataclass(frozen=True, slots=True)
class Among:
    """That a column has one of some values of its type.  TIMESTAMP is whole milliseconds, DATE whole days."""

    column: int
    type: SqlType
    values: tuple[Any, ...]

    def leaves(self) -> Iterator[Among]:
        """The columns and values that it is about."""
        yield self

    def is_possible(self, holds: Callable[[Among], bool]) -> bool:
        """Whether it can be so where `holds` says of columns whether they may have one of the values."""
        return holds(self)


@dataclass(frozen=True, slots=True)
class Joined:
    """That all of the `parts` are so, or (`every` is false) one of them."""

    every: bool
    parts: tuple[Sought, ...]

    def leaves(self) -> Iterator[Among]:
        """The columns and values that it is about."""
        for part in self.parts:
            yield from part.leaves()

    def is_possible(self, holds: Callable[[Among], bool]) -> bool:
        """Whether it can be so where `holds` says of columns whether they may have one of the values."""
        return (all if self.every else any)(part.is_possible(holds) for part in self.parts)


Sought: TypeAlias = Among | Joined


def sought(condition: Expression, time: QueryTime) -> Sought | None:
    """What has to be so for a condition that cannot fail to be met; None where that is nothing of the kind."""
    match condition:
        case Call(function=function) if function.name == "AND":
            parts = [part for each in conjuncts(condition) if (part := sought(each, time)) is not None]
            return Joined(True, tuple(parts)) if parts else None
        case Call(function=function, arguments=arguments) if function.name == "OR":
            either = [sought(each, time) for each in arguments]
            return None if None in either else Joined(False, tuple(part for part in either if part is not None))
        case Call(function=function, arguments=(first, second)) if function.name == "=":
            return _among(second, [first], time) if first.is_constant else _among(first, [second], time)
        case Call(function=function, arguments=(first, *values)) if function.name == "IN":
            return _among(first, values, time)
        case _:
            return None


def _among(key: Expression, constants: Sequence[Expression], time: QueryTime) -> Among | None:
    column = key
    while isinstance(column, Cast):
        column = column.operand
    if not isinstance(column, Column) or len(constants) > MOST or not all(each.is_constant for each in constants):
        return None
    rows = one_row(time)
    found = [rows.column(evaluator(each, time)(rows))[0] for each in constants]
    values = tuple(_before(key, _value(scalar)) for scalar in found if scalar.is_valid)
    return None if rows.failures or None in values or not values else Among(column.index, column.type, values)


def _value(scalar: pa.Scalar) -> Any:
    return scalar.value if pa.types.is_temporal(scalar.type) else scalar.as_py()


def _before(key: Expression, value: Any) -> Any:
    """The one value of a column that `key`, casts of it, makes `value`; None where there may be others, or it is not known."""
    if isinstance(value, float) and not isfinite(value):
        return None
    if not isinstance(key, Cast):
        return value
    source, target = key.operand.type, key.type
    if value is None or not lossless(source, target, assignment=False):
        return None
    if source.is_integer:
        exact = value == int(value) and (target.kind is not Kind.DOUBLE or abs(value) < EXACT_AS_DOUBLE)
        return _before(key.operand, int(value) if exact else None)
    if source.kind is Kind.DECIMAL and target.kind is Kind.DOUBLE:
        exact = abs(value) * 10**source.scale < 10**DIGITS_OF_DOUBLE
        return _before(key.operand, round(Decimal(value), source.scale) if exact else None)
    return _before(key.operand, value) if source.is_numeric or target.kind is Kind.VARCHAR else None
