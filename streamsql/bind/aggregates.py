"""Calls of aggregate functions: over the rows of a group, and with OVER."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from streamsql import types
from streamsql.bind.aggregate_calls import call_of, name_of
from streamsql.bind.binder import Binder
from streamsql.bind.records import check_comparable
from streamsql.bind.scope import as_column
from streamsql.bind.source import ROWTIME_COLUMN
from streamsql.bind.unplaced import AggregateNode, GroupingNode, WindowNode
from streamsql.bind.windows import frame_of, resolve_window, sort_key, table_frame_of
from streamsql.catalog import nearest
from streamsql.errors import ProgrammingError
from streamsql.expressions.nodes import Expression
from streamsql.functions.registry import AGGREGATES, SCALARS


def aggregate(node: exp.Expression, binder: Binder) -> Expression:
    """An aggregate of a group: a call, with IGNORE NULLS or FILTER perhaps."""
    name, span = name_of(node), node.meta.get("span")
    if name not in AGGREGATES:
        raise ProgrammingError(f"{_clause(node)} belongs to an aggregate function", span)
    if binder.inside is not None:
        raise ProgrammingError(f"{name} cannot stand inside {binder.inside}", span)
    if not binder.aggregates:
        raise ProgrammingError(f"{name} cannot stand here", span, "an aggregate belongs in the select list or in HAVING")
    call = call_of(node, binder)
    if call.function.accumulator is None:
        window = "RANGE INTERVAL '1' MINUTE PRECEDING" if call.function.sliding is not None else "ORDER BY ..."
        raise ProgrammingError(f"{name} needs OVER", span, f"{name}(...) OVER ({window})")
    return AggregateNode(call.type, call)


def grouping(node: exp.Anonymous, binder: Binder) -> Expression:
    """GROUPING(key, ...)."""
    if binder.inside is not None or not binder.aggregates:
        raise ProgrammingError("GROUPING cannot stand here", node.meta.get("span"), "the select list, HAVING or ORDER BY")
    inner = replace(binder, aggregates=False, over=False, inside="GROUPING")
    return GroupingNode(types.BIGINT, tuple(inner.bind(key) for key in node.expressions))


def windowed(node: exp.Window, binder: Binder) -> Expression:
    """A call with OVER."""
    span, name = node.meta.get("span"), name_of(node.this)
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


def _of_stream(node: exp.Window, window: exp.Window, binder: Binder) -> Expression:
    """OVER on a stream: a frame that ends at the current row, in ROWTIME order."""
    span, name = node.meta.get("span"), name_of(node.this)
    bound = call_of(node.this, binder)
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


def _of_table(node: exp.Window, window: exp.Window, binder: Binder) -> Expression:
    """OVER on a table; in a grouped query its arguments and keys may be aggregates."""
    span, name = node.meta.get("span"), name_of(node.this)
    inner = replace(binder, over=False)
    bound = call_of(node.this, binder, inner)
    function = bound.function
    tree = window.args.get("order")
    order = tuple(sort_key(o, inner.bind(o.this)) for o in (tree.expressions if tree else ()))
    for key in order:
        check_comparable(key.expression, "ORDER BY", window.meta.get("span"))
    if function.needs_order and not order:
        raise ProgrammingError(f"{name} needs an order", span, f"{name}(...) OVER (ORDER BY ...)")
    exact = replace(binder, context=replace(binder.context, tables_alone=False))  # a distance of 0.1 is one of a DECIMAL key
    frame = table_frame_of(window, order, exact.bind)
    if function.ordered is None and function.accumulator is None:
        raise ProgrammingError(f"{name} cannot have OVER on a table", span)
    return WindowNode(bound.type, bound, _partition(window, inner), order, frame)


def _partition(window: exp.Window, inner: Binder) -> tuple[Expression, ...]:
    partition = tuple(inner.bind(key) for key in window.args.get("partition_by") or ())
    for key in partition:
        check_comparable(key, "PARTITION BY", window.meta.get("span"))
    return partition


def _clause(node: exp.Expression) -> str:
    words = {exp.Filter: "FILTER", exp.WithinGroup: "ORDER BY"}
    return words.get(type(node), "IGNORE NULLS")
