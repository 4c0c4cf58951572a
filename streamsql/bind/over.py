"""OVER in a query without GROUP BY: the values of all windows as columns behind those of FROM."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from streamsql.bind.grouping import plain_call
from streamsql.bind.scope import as_column
from streamsql.bind.select_list import Item
from streamsql.bind.source import Source
from streamsql.bind.unplaced import WindowNode
from streamsql.errors import not_supported
from streamsql.expressions.nodes import Column, Expression
from streamsql.plan import nodes
from streamsql.types import Field, Schema


def with_windows(
    select: exp.Select, source: Source, items: Sequence[Item], order: Sequence[nodes.SortKey]
) -> tuple[Source, list[Item], list[nodes.SortKey]]:
    """The rows with the values of their windows, and the select list and ORDER BY over these."""
    found = [n for e in (*(i.bound for i in items), *(k.expression for k in order)) for n in e.walk()]
    windowed = [node for node in found if isinstance(node, WindowNode)]
    if not windowed:
        return source, list(items), list(order)
    if not source.is_stream:
        raise not_supported("OVER on a table", select.meta.get("span"))
    groups: dict[tuple[tuple[Expression, ...], nodes.Frame], list[nodes.AggregateCall]] = {}
    for node in windowed:
        calls = groups.setdefault(_window_of(node), [])
        call = plain_call(node.call)
        if call not in calls:
            calls.append(call)
    windows = tuple(nodes.SlidingWindow(partition, frame, tuple(calls)) for (partition, frame), calls in groups.items())
    fields = list(source.schema.fields)
    places: dict[tuple[tuple[tuple[Expression, ...], nodes.Frame], nodes.AggregateCall], int] = {}
    for window in windows:
        for call in window.calls:
            places[(window.partition, window.frame), call] = len(fields)
            fields.append(Field(f"{call.name} {len(places)}", call.type, hidden=True))

    def replace(node: Expression) -> Expression:
        if isinstance(node, WindowNode):
            call = plain_call(node.call)
            return Column(node.type, places[_window_of(node), call], f"{call} OVER")
        return node

    over = nodes.Over(Schema(tuple(fields)), source.plan, windows)
    keys = [nodes.SortKey(key.expression.rewrite(replace), key.descending) for key in order]
    return Source(over, source.times), [Item(i.name, i.tree, i.bound.rewrite(replace)) for i in items], keys


def _window_of(node: WindowNode) -> tuple[tuple[Expression, ...], nodes.Frame]:
    return tuple(as_column(key) for key in node.partition), node.frame
