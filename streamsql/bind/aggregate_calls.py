"""Calls of aggregate functions as they are written, with what stands behind them, bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from streamsql import types
from streamsql.bind.binder import Binder
from streamsql.bind.functions import call_scalar, convert, find_aggregate
from streamsql.bind.records import check_comparable
from streamsql.bind.windows import sort_key
from streamsql.errors import ProgrammingError, Span
from streamsql.expressions.calls import AggregateCall
from streamsql.expressions.nodes import Constant, Expression
from streamsql.functions.registry import AGGREGATES, AggregateFunction
from streamsql.plan.sort_keys import SortKey

VALUES = ("T", "ANY", "COMPARABLE", "NUMERIC")
"""The types of parameters behind the first that may differ from row to row."""


@dataclass(frozen=True, slots=True)
class Written:
    """A call of an aggregate: `condition` is that of FILTER, `order` that of ORDER BY in the brackets or of WITHIN GROUP."""

    name: str
    arguments: Sequence[exp.Expression]
    distinct: bool
    order: Sequence[exp.Ordered]
    condition: exp.Expression | None
    ignore_nulls: bool
    span: Span | None


def name_of(node: exp.Expression) -> str:
    """The name of the function that is called, "" where none is."""
    while isinstance(node, (exp.IgnoreNulls, exp.RespectNulls, exp.Filter, exp.WithinGroup)):
        node = node.this
    return str(node.this) if isinstance(node, exp.Anonymous) else ""


def call_of(node: exp.Expression, binder: Binder, inner: Binder | None = None) -> AggregateCall:
    """A call with what stands behind it; `inner` binds its arguments, where that is another than for a group."""
    call = _written(node)
    inner = inner or replace(binder, aggregates=False, over=False, inside=call.name)
    arguments = _arguments(call, inner)
    function, converted, type_ = find_aggregate(call.name, arguments, call.span)
    if call.distinct and function.positional:
        raise ProgrammingError(f"{call.name} has no DISTINCT", call.span, f"{call.name}(x)")
    for i, (argument, expression) in enumerate(zip(converted[1:], call.arguments[1:]), 1):
        parameter = function.signature.parameter(i)
        if parameter.type not in VALUES and not argument.is_constant:
            raise ProgrammingError(f"{call.name}: {parameter.name} must be a constant", expression.meta.get("span"))
    keys = () if function.ordered_set else _keys(call, function, inner)
    distinct, order = call.distinct or function.distinct, tuple(key.direction for key in keys)
    given = (*converted, *(key.expression for key in keys))
    return AggregateCall(function, given, type_, call.name, distinct, call.ignore_nulls, order)


def _written(node: exp.Expression) -> Written:
    condition: exp.Expression | None = None
    order: Sequence[exp.Ordered] = ()
    ignore_nulls = False
    if isinstance(node, exp.Filter):
        node, condition = node.this, node.expression.this
    if isinstance(node, exp.WithinGroup):
        node, order = node.this, node.expression.expressions
    if isinstance(node, (exp.IgnoreNulls, exp.RespectNulls)):
        node, ignore_nulls = node.this, isinstance(node, exp.IgnoreNulls)
    name, span = str(node.this), node.meta.get("span")
    arguments = [argument for argument in node.expressions if not isinstance(argument, exp.Star)]
    distinct = bool(arguments) and isinstance(arguments[0], exp.Distinct)
    if distinct:
        arguments = arguments[0].expressions
    if AGGREGATES[name][0].ordered_set:
        arguments = [_key_of_set(name, order, span).this, *arguments]
    return Written(name, arguments, distinct, order, condition, ignore_nulls, span)


def _arguments(call: Written, inner: Binder) -> list[Expression]:
    """The arguments that the function takes."""
    function = AGGREGATES[call.name][0]
    arguments = [inner.bind(argument) for argument in call.arguments]
    if function.ordered_set:
        arguments.append(Constant(types.BOOLEAN, bool(call.order[0].args.get("desc"))))
    if call.condition is not None:
        _check_skips_nulls(function, call.ignore_nulls, call.condition)
        arguments = _where(inner.boolean(call.condition, "FILTER"), arguments)
    if call.name == "AVG" and inner.context.tables_alone:
        arguments = [convert(argument, types.DOUBLE) if argument.type.is_integer else argument for argument in arguments]
    return arguments


def _keys(call: Written, function: AggregateFunction, inner: Binder) -> tuple[SortKey, ...]:
    """By what the rows are put in order for the function."""
    keys = tuple(sort_key(ordered, inner.bind(ordered.this)) for ordered in call.order)
    if keys and function.accumulator is None:
        form = f"{call.name}(...) OVER (ORDER BY ...)"
        raise ProgrammingError(f"{call.name} has no ORDER BY in its brackets", call.span, form)
    for key in keys:
        check_comparable(key.expression, "ORDER BY", call.span)
    return keys


def _key_of_set(name: str, ordered: Sequence[exp.Ordered], span: Span | None) -> exp.Ordered:
    """The one key of WITHIN GROUP (ORDER BY key)."""
    if len(ordered) != 1:
        form = f"{name}(0.5) WITHIN GROUP (ORDER BY x)"
        raise ProgrammingError(f"{name} takes its values from one key of WITHIN GROUP", span, form)
    return ordered[0]


def _check_skips_nulls(function: AggregateFunction, ignore_nulls: bool, condition: exp.Expression) -> None:
    if (function.positional or function.keeps_nulls) and not ignore_nulls:
        hint = f"{function.name}(CASE WHEN condition THEN x END) IGNORE NULLS"
        raise ProgrammingError(f"{function.name} has no FILTER", condition.meta.get("span"), hint)


def _where(condition: Expression, arguments: list[Expression]) -> list[Expression]:
    """The arguments of an aggregate that passes over NULLs, NULL where a condition is not true; of COUNT(*) any value."""
    values = arguments or [Constant(types.BOOLEAN, True)]
    first, *others = (call_scalar("CASE", [condition, value, Constant(value.type, None)], None) for value in values)
    return [first, *(value if value.is_constant else given for value, given in zip(values[1:], others, strict=True))]
