"""Which row groups may hold rows that a condition wants, by the least and greatest value of each column.

The condition is turned into one over these: it is true, or unknown, wherever some row may be wanted.  So looking for row groups
is a filter over a batch with one row for each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from streamsql.coercion import lossless
from streamsql.expressions.conditions import boolean_call, both, conjunction
from streamsql.expressions.evaluate import evaluator
from streamsql.expressions.nodes import Call, Cast, Column, Constant, Expression
from streamsql.rows import QueryTime, Rows
from streamsql.types import BOOLEAN, SqlType, varchar

UNKNOWN: Expression = Constant(BOOLEAN, None)

_LAST = "\U0010ffff"
"""The greatest character."""


class Range(NamedTuple):
    """The least and greatest value of an expression, as expressions over the bounds of its columns."""

    low: Expression
    high: Expression


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is known of a column in each row group: NULL in `low` and `high` where nothing is.

    `null` and `valid` say whether there are NULLs and other values; NULL where that is not known.
    """

    low: pa.Array
    high: pa.Array
    null: pa.Array
    valid: pa.Array

    def take(self, places: pa.Array) -> Bounds:
        """Those of some row groups."""
        return Bounds(*(array.take(places) for array in (self.low, self.high, self.null, self.valid)))


Mask = npt.NDArray[np.bool_]


class Possible:
    """Tells of row groups whether some row of them may be wanted by a condition that cannot fail."""

    def __init__(self, condition: Expression, time: QueryTime) -> None:
        self.columns = sorted(condition.columns())
        """The columns whose bounds are asked for."""
        self._types = {node.index: node.type for node in condition.walk() if isinstance(node, Column)}
        places = {column: 4 * i for i, column in enumerate(self.columns)}
        self._condition = _possible(condition, places)
        self._evaluate = evaluator(self._condition, time)
        self._time = time

    @property
    def tells_nothing(self) -> bool:
        """Whether every row group is possible, whatever its bounds."""
        return self._condition == UNKNOWN

    def __call__(self, bounds: Mapping[int, Bounds], count: int) -> Mask:
        """Which of `count` row groups with these bounds are possible."""
        if self.tells_nothing:
            return np.ones(count, bool)
        arrays: list[pa.Array] = []
        for column in self.columns:
            known = bounds[column]
            arrays += [known.low, known.high, known.null, known.valid]
        batch = pa.RecordBatch.from_arrays(arrays or [pa.nulls(count)], names=[str(i) for i in range(len(arrays) or 1)])
        rows = Rows(batch, self._time)
        found = rows.column(self._evaluate(rows)).fill_null(True)
        mask: Mask = found.to_numpy(zero_copy_only=False).astype(bool)
        return mask


def unknown(type: SqlType, count: int) -> Bounds:
    """The bounds of a column of which nothing is known."""
    nothing, unsure = pa.nulls(count, type.arrow()), pa.nulls(count, pa.bool_())
    return Bounds(nothing, nothing, unsure, unsure)


def constant(value: pa.Scalar, count: int) -> Bounds:
    """The bounds of a column that has one value."""
    values = pa.repeat(value, count)
    is_null = pa.repeat(pa.scalar(not value.is_valid), count)
    return Bounds(values, values, is_null, pa.repeat(pa.scalar(value.is_valid), count))


def joined(parts: Sequence[Bounds]) -> Bounds:
    """The bounds of the row groups of several files, one behind the other."""
    first, *more = parts
    if not more:
        return first
    names = ("low", "high", "null", "valid")
    return Bounds(*(pa.concat_arrays([getattr(part, name) for part in parts]) for name in names))


Places = Mapping[int, int]


def _possible(condition: Expression, places: Places) -> Expression:
    """The condition that some row may meet `condition`."""
    match condition:
        case Call(function=function, arguments=arguments) if function.name in _RULES:
            return _RULES[function.name](arguments, places)
        case Column(type=type_) if type_ == BOOLEAN:
            return _Bound(condition, places).high
        case Constant(type=type_) if type_ == BOOLEAN:
            return condition
        case _:
            return UNKNOWN


class _Bound:
    """The four columns of the bounds' batch that tell of a column."""

    def __init__(self, column: Column, places: Places) -> None:
        place = places[column.index]
        self.low = replace(column, index=place)
        self.high = replace(column, index=place + 1)
        self.null = Column(BOOLEAN, place + 2, column.name)
        self.valid = Column(BOOLEAN, place + 3, column.name)


def _range(expression: Expression, places: Places) -> Range | None:
    """The range of an expression that grows with its column; None of any other."""
    match expression:
        case Column():
            bound = _Bound(expression, places)
            return Range(bound.low, bound.high)
        case Cast(operand=operand, type=type_, assignment=assignment) if not expression.is_constant:
            inner = _range(operand, places)
            grows = (operand.type.is_numeric and type_.is_numeric) or (operand.type.is_character and type_.is_character)
            if inner is None or not grows or not lossless(operand.type, type_, assignment):
                return None
            return Range(replace(expression, operand=inner.low), replace(expression, operand=inner.high))
        case _ if expression.is_constant:
            return Range(expression, expression)
        case _:
            return None


def _any(conditions: Sequence[Expression]) -> Expression:
    result = conditions[0]
    for condition in conditions[1:]:
        result = boolean_call("OR", result, condition)
    return result


def _compared(name: str, ends: Callable[[Range, Range], tuple[Expression, Expression]]) -> Callable[..., Expression]:
    """The rule of a comparison: the ends of the two ranges that must compare so; NULL meets none."""

    def rule(arguments: Sequence[Expression], places: Places) -> Expression:
        ranges = [_range(argument, places) for argument in arguments]
        if ranges[0] is None or ranges[1] is None:
            return UNKNOWN
        return conjunction([boolean_call(name, *ends(ranges[0], ranges[1])), *_not_all_null(arguments, places)])

    return rule


def _equal(arguments: Sequence[Expression], places: Places) -> Expression:
    ranges = [_range(argument, places) for argument in arguments]
    if ranges[0] is None or ranges[1] is None:
        return UNKNOWN
    left, right = ranges[0], ranges[1]
    meet = [boolean_call("<=", left.low, right.high), boolean_call("<=", right.low, left.high)]
    return conjunction([*meet, *_not_all_null(arguments, places)])


def _among(arguments: Sequence[Expression], places: Places) -> Expression:
    return _any([_equal((arguments[0], value), places) for value in arguments[1:]])


def _not_all_null(arguments: Sequence[Expression], places: Places) -> list[Expression]:
    """That no column has nothing but NULLs."""
    columns = {node.index: node for argument in arguments for node in argument.walk() if isinstance(node, Column)}
    return [_Bound(column, places).valid for column in columns.values()]


def _both(arguments: Sequence[Expression], places: Places) -> Expression:
    return both(_possible(arguments[0], places), _possible(arguments[1], places))


def _either(arguments: Sequence[Expression], places: Places) -> Expression:
    return boolean_call("OR", *(_possible(argument, places) for argument in arguments))


def _is_null(arguments: Sequence[Expression], places: Places) -> Expression:
    (argument,) = arguments
    return _Bound(argument, places).null if isinstance(argument, Column) else UNKNOWN


def _not(arguments: Sequence[Expression], places: Places) -> Expression:
    """Of IS NULL and of a BOOLEAN column: that of a comparison also holds for NaN, of which bounds say nothing."""
    (argument,) = arguments
    if isinstance(argument, Column):
        return boolean_call("NOT", _Bound(argument, places).low)
    if isinstance(argument, Call) and argument.function.name == "IS NULL" and isinstance(argument.arguments[0], Column):
        return _Bound(argument.arguments[0], places).valid
    return UNKNOWN


def _like(arguments: Sequence[Expression], places: Places) -> Expression:
    """A pattern that begins with plain text: what begins so lies between that text and the last one that begins with it."""
    pattern = arguments[1]
    if len(arguments) != 2 or not isinstance(pattern, Constant) or not isinstance(pattern.value, str):
        return UNKNOWN
    start = pattern.value.replace("_", "%").partition("%")[0]
    found = _range(arguments[0], places)
    if not start or found is None:
        return UNKNOWN
    low, high = Constant(varchar(), start), Constant(varchar(), start + _LAST)
    between = [boolean_call("<=", low, found.high), boolean_call("<=", found.low, high)]
    return conjunction([*between, *_not_all_null(arguments[:1], places)])


_RULES: Mapping[str, Callable[[Sequence[Expression], Places], Expression]] = {
    "AND": _both,
    "OR": _either,
    "NOT": _not,
    "=": _equal,
    "IN": _among,
    "<": _compared("<", lambda left, right: (left.low, right.high)),
    "<=": _compared("<=", lambda left, right: (left.low, right.high)),
    ">": _compared(">", lambda left, right: (left.high, right.low)),
    ">=": _compared(">=", lambda left, right: (left.high, right.low)),
    "IS NULL": _is_null,
    "IS TRUE": lambda arguments, places: _possible(arguments[0], places),
    "LIKE": _like,
}
"""What is possible of each function that tells something."""
