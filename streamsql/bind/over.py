"""OVER: the values of all windows as columns behind those of the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streamsql.bind.grouping import plain_call
from streamsql.bind.scope import as_column
from streamsql.bind.select_list import Item
from streamsql.bind.source import Source
from streamsql.bind.unplaced import WindowNode
from streamsql.expressions.calls import AggregateCall
from streamsql.expressions.nodes import Column, Expression
from streamsql.plan import nodes
from streamsql.plan.sort_keys import SortKey
from streamsql.plan.windows import Frame, SlidingWindow, TableFrame, TableWindow
from streamsql.types import Field, Schema

Window = tuple[tuple[Expression, ...], tuple[SortKey, ...], Frame | TableFrame]
"""What tells windows apart: PARTITION BY, ORDER BY, the frame."""


def with_windows(source: Source, items: Sequence[Item], order: Sequence[SortKey]) -> tuple[Source, list[Item], list[SortKey]]:
    """The rows with the values of their windows, and the select list and ORDER BY over these."""
    found = [n for e in (*(i.bound for i in items), *(k.expression for k in order)) for n in e.walk()]
    windowed = [node for node in found if isinstance(node, WindowNode)]
    if not windowed:
        return source, list(items), list(order)
    groups: dict[Window, list[AggregateCall]] = {}
    for node in windowed:
        calls = groups.setdefault(_window_of(node), [])
        call = plain_call(node.call)
        if call not in calls:
            calls.append(call)
    fields = list(source.schema.fields)
    places: dict[tuple[Window, AggregateCall], int] = {}
    for window, calls in groups.items():
        for call in calls:
            places[window, call] = len(fields)
            fields.append(Field(f"{call.name} {len(places)}", call.type, hidden=True))

    def replace(node: Expression) -> Expression:
        if isinstance(node, WindowNode):
            call = plain_call(node.call)
            return Column(node.type, places[_window_of(node), call], f"{call} OVER")
        return node

    plan = _over(Schema(tuple(fields)), source.plan, groups)
    keys = [key.over(key.expression.rewrite(replace)) for key in order]
    return Source(plan, source.times), [Item(i.name, i.tree, i.bound.rewrite(replace)) for i in items], keys


def _over(schema: Schema, input: nodes.Node, groups: Mapping[Window, Sequence[AggregateCall]]) -> nodes.Node:
    sliding: list[SlidingWindow] = []
    of_table: list[TableWindow] = []
    for (partition, order, frame), calls in groups.items():
        if isinstance(frame, Frame):
            sliding.append(SlidingWindow(partition, frame, tuple(calls)))
        else:
            of_table.append(TableWindow(partition, order, frame, tuple(calls)))
    return nodes.TableOver(schema, input, tuple(of_table)) if of_table else nodes.Over(schema, input, tuple(sliding))


def _window_of(node: WindowNode) -> Window:
    order = tuple(key.over(as_column(key.expression)) for key in node.order)
    return tuple(as_column(key) for key in node.partition), order, node.frame
