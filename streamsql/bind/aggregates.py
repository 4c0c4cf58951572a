"""Calls of aggregate functions: over the rows of a group, and with OVER."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from streamsql import types
from streamsql.bind.functions import call_scalar, convert, find_aggregate
from streamsql.bind.records import check_comparable
from streamsql.bind.scope import as_column
from streamsql.bind.source import ROWTIME_COLUMN
from streamsql.bind.unplaced import AggregateNode, GroupingNode, WindowNode
from streamsql.bind.windows import frame_of, resolve_window, sort_key, table_frame_of
from streamsql.catalog import nearest
from streamsql.errors import ProgrammingError, Span
from streamsql.expressions.calls import AggregateCall
from streamsql.expressions.nodes import Constant, Expression
from streamsql.functions.registry import AGGREGATES, SCALARS, AggregateFunction

if TYPE_CHECKING:
    from streamsql.bind.expressions import ExpressionBinder

def aggregate(node: exp.Expression, binder: ExpressionBinder) -> Expression:
    """An aggregate of a group: a call, with IGNORE NULLS or FILTER perhaps."""
    name, span = _name(node), node.meta.get("span")
    if name not in AGGREGATES:
        raise ProgrammingError(f"{_clause(node)} belongs to an aggregate function", span)
    if binder.inside is not None:
        raise ProgrammingError(f"{name} cannot stand inside {binder.inside}", span)
    if not binder.aggregates:
        raise ProgrammingError(f"{name} cannot stand here", span, "an aggregate belongs in the select list or in HAVING")
    call = _call(node, binder)
    if call.function.accumulator is None:
        window = "RANGE INTERVAL '1' MINUTE PRECEDING" if call.function.sliding is not None else "ORDER BY ..."
        raise ProgrammingError(f"{name} needs OVER", span, f"{name}(...) OVER ({window})")
    return AggregateNode(call.type, call)


def grouping(node: exp.Anonymous, binder: ExpressionBinder) -> Expression:
    """GROUPING(key, ...)."""
    if binder.inside is not None or not binder.aggregates:
        raise ProgrammingError("GROUPING cannot stand here", node.meta.get("span"), "the select list, HAVING or ORDER BY")
    inner = replace(binder, aggregates=False, over=False, inside="GROUPING")
    return GroupingNode(types.BIGINT, tuple(inner.bind(key) for key in node.expressions))


def windowed(node: exp.Window, binder: ExpressionBinder) -> Expression:
    """A call with OVER."""
    span, name = node.meta.get("span"), _name(node.this)
    if name not in AGGREGATES:
        if name and name not in SCALARS and name not in binder.context.functions:
            raise ProgrammingError(f"no function {name}", span, nearest(name, AGGREGATES))
        raise ProgrammingError(f"{name or 'this'} cannot have OVER: it is a scalar function", span)
    if binder.inside is not None:
        raise ProgrammingError(f"OVER cannot stand inside {binder.inside}", span)
    if not binder.over:
        hint = "compute it in a subquery and use its column here"
        raise ProgrammingError(f"{name} OVER cannot stand here", span, hint)
    window = resolve_window(node, binder.windows)
    return _of_stream(node, window, binder) if binder.scope.is_stream else _of_table(node, window, binder)


def _of_stream(node: exp.Window, window: exp.Window, binder: ExpressionBinder) -> Expression:
    """OVER on a stream: a frame that ends at the current row, in ROWTIME order."""
    span, name = node.meta.get("span"), _name(node.this)
    bound = _call(node.this, binder)
    if bound.order:
        raise ProgrammingError(f"{name} OVER on a stream takes its rows in ROWTIME order", span)
    if bound.function.sliding is None:
        why = ": it is for tables, which have an end" if bound.function.ordered is not None else ""
        raise ProgrammingError(f"{name} cannot have OVER on a stream{why}", span)
    inner = replace(binder, aggregates=False, over=False, inside="OVER")
    for ordered in (window.args.get("order") or exp.Order()).expressions:
        if as_column(inner.bind(ordered.this)) != ROWTIME_COLUMN or ordered.args.get("desc"):
            raise ProgrammingError("a window over a stream is in ROWTIME order", ordered.meta.get("span") or span)
    return WindowNode(bound.type, bound, _partition(window, inner), (), frame_of(window, binder.bind))


def _of_table(node: exp.Window, window: exp.Window, binder: ExpressionBinder) -> Expression:
    """OVER on a table; in a grouped query its arguments and keys may be aggregates."""
    span, name = node.meta.get("span"), _name(node.this)
    inner = replace(binder, over=False)
    bound = _call(node.this, binder, inner)
    function = bound.function
    tree = window.args.get("order")
    order = tuple(sort_key(o, inner.bind(o.this)) for o in (tree.expressions if tree else ()))
    for key in order:
        check_comparable(key.expression, "ORDER BY", window.meta.get("span"))
    if function.accumulator is None and function.sliding is None and not order and name != "ROW_NUMBER":
        raise ProgrammingError(f"{name} needs an order", span, f"{name}(...) OVER (ORDER BY ...)")
    exact = replace(binder, context=replace(binder.context, tables_alone=False))  # a distance of 0.1 is one of a DECIMAL key
    frame = table_frame_of(window, order, exact.bind)
    if function.ordered is None and function.accumulator is None:
        raise ProgrammingError(f"{name} cannot have OVER on a table", span)
    return WindowNode(bound.type, bound, _partition(window, inner), order, frame)


def _partition(window: exp.Window, inner: ExpressionBinder) -> tuple[Expression, ...]:
    partition = tuple(inner.bind(key) for key in window.args.get("partition_by") or ())
    for key in partition:
        check_comparable(key, "PARTITION BY", window.meta.get("span"))
    return partition


def _name(node: exp.Expression) -> str:
    """The name of the function that is called, "" where none is."""
    while isinstance(node, (exp.IgnoreNulls, exp.RespectNulls, exp.Filter, exp.WithinGroup)):
        node = node.this
    return str(node.this) if isinstance(node, exp.Anonymous) else ""


def _clause(node: exp.Expression) -> str:
    words = {exp.Filter: "FILTER", exp.WithinGroup: "ORDER BY"}
    return words.get(type(node), "IGNORE NULLS")


def _call(node: exp.Expression, binder: ExpressionBinder, inner: ExpressionBinder | None = None) -> AggregateCall:
    """A call with what stands behind it; `inner` binds its arguments, where that is another than for a group."""
    condition: exp.Expression | None = None
    ordered: Sequence[exp.Ordered] = ()
    ignore_nulls = False
    if isinstance(node, exp.Filter):
        node, condition = node.this, node.expression.this
    if isinstance(node, exp.WithinGroup):
        node, ordered = node.this, node.expression.expressions
    if isinstance(node, (exp.IgnoreNulls, exp.RespectNulls)):
        node, ignore_nulls = node.this, isinstance(node, exp.IgnoreNulls)
    name, span = str(node.this), node.meta.get("span")
    inner = inner or replace(binder, aggregates=False, over=False, inside=name)
    expressions = [e for e in node.expressions if not isinstance(e, exp.Star)]
    distinct = bool(expressions) and isinstance(expressions[0], exp.Distinct)
    if distinct:
        expressions = expressions[0].expressions
    of_set = AGGREGATES[name][0].ordered_set
    if of_set:
        expressions = [_key_of_set(name, ordered, span).this, *expressions]
    arguments = [inner.bind(e) for e in expressions]
    if of_set:
        arguments.append(Constant(types.BOOLEAN, bool(ordered[0].args.get("desc"))))
    if condition is not None:
        _check_skips_nulls(AGGREGATES[name][0], ignore_nulls, condition)
        arguments = _where(inner.boolean(condition, "FILTER"), arguments)
    if name == "AVG" and binder.context.tables_alone:
        arguments = [convert(argument, types.DOUBLE) if argument.type.is_integer else argument for argument in arguments]
    function, converted, type_ = find_aggregate(name, arguments, span)
    if distinct and function.positional:
        raise ProgrammingError(f"{name} has no DISTINCT", span, f"{name}(x)")
    for i, (argument, expression) in enumerate(zip(converted[1:], expressions[1:]), 1):
        parameter = function.signature.parameter(i)
        if parameter.type not in ("T", "COMPARABLE", "NUMERIC") and not argument.is_constant:
            raise ProgrammingError(f"{name}: {parameter.name} must be a constant", expression.meta.get("span"))
    keys = () if of_set else tuple(sort_key(o, inner.bind(o.this)) for o in ordered)
    if keys and function.accumulator is None:
        raise ProgrammingError(f"{name} has no ORDER BY in its brackets", span, f"{name}(...) OVER (ORDER BY ...)")
    for key in keys:
        check_comparable(key.expression, "ORDER BY", span)
    flags, order = (distinct or function.distinct, ignore_nulls), tuple(key.direction for key in keys)
    return AggregateCall(function, (*converted, *(key.expression for key in keys)), type_, name, *flags, order)


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
