"""Which scans of external tables need not read what a join would drop: dynamic filters, as a last pass over the plan.

A join of tables has one of them complete before the first row of the other comes (`run/operators/lookup.py`).  So where a key
of the join is a column of a scan, the scan can wait for its values.  From the top down each node is told which of its columns are
keys above it, and tells its inputs, as long as no row that is left out could fail on its way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import count

from streamsql.expressions.conditions import conjuncts
from streamsql.expressions.nodes import Column, Expression
from streamsql.external.scan.request import DynamicFilter
from streamsql.plan import nodes
from streamsql.plan.conditions import moved, split
from streamsql.plan.joins import JoinKey, JoinKind
from streamsql.plan.nodes import Lookup, Mark, Node
from streamsql.types import APPROXIMATE

Filters = tuple[DynamicFilter, ...]


def add_dynamic_filters(plan: Node) -> Node:
    """The plan whose scans know of which joins they need the keys, and whose joins give them."""
    return _Pass().node(plan, ())


class _Pass:
    """One pass: numbers the keys, and notes those that a scan asks for."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._asked: set[int] = set()

    def node(self, node: Node, filters: Filters) -> Node:
        """A node from which only rows that meet the filters are wanted."""
        match node:
            case nodes.ExternalScan(request=request):
                if not filters or request.limit is not None:
                    return node
                self._asked |= {each.number for each in filters}
                return nodes.ExternalScan(node.schema, replace(request, dynamic=filters))
            case Lookup():
                return self._lookup(node, filters)
            case nodes.Filter(input=Mark() as mark, predicate=predicate) if not predicate.can_fail:
                return self._over(node, self._mark(mark, filters, conjuncts(predicate)))
            case Mark():
                return self._mark(node, filters, ())
            case _:
                known = passed(node, filters)
                return node.map_inputs(lambda below: self.node(below, known))

    def _over(self, node: nodes.Filter, below: Node) -> Node:
        return node if below is node.input else replace(node, input=below)

    def _lookup(self, node: Lookup, filters: Filters) -> Node:
        width = len(node.input.schema.fields)
        known = () if node.can_fail or node.kind is JoinKind.FULL else filters
        of_table = [each for each in known if min(each.expression.columns()) >= width and node.kind is JoinKind.INNER]
        table = self._table(node, tuple(replace(each, expression=moved(each.expression, width)) for each in of_table))
        of_rows = tuple(each for each in known if max(each.expression.columns()) < width)
        own, keys = self._keys(node, 0, node.condition) if node.kind is JoinKind.INNER else ((), ())
        below = self.node(node.input, (*of_rows, *own))
        return self._joined(node, below, table, keys)

    def _mark(self, node: Mark, filters: Filters, required: Sequence[Expression]) -> Node:
        """A Mark of which some answers are to be true."""
        width = len(node.input.schema.fields)
        own: list[DynamicFilter] = []
        keys: list[JoinKey] = []
        for place, condition in enumerate(node.conditions):
            if any(isinstance(each, Column) and each.index == width + place for each in required):
                more = self._keys(node, place, condition)
                own += more[0]
                keys += more[1]
        known = () if node.can_fail else tuple(each for each in filters if max(each.expression.columns()) < width)
        table = self._table(node, ())
        return self._joined(node, self.node(node.input, (*known, *own)), table, keys)

    def _table(self, node: Lookup | Mark, filters: Filters) -> Node:
        """The table of a node; one that is read as its keys arrive needs no more."""
        return node.table if node.arriving else self.node(node.table, filters)

    def _keys(self, node: Lookup | Mark, place: int, condition: Expression) -> tuple[Filters, tuple[JoinKey, ...]]:
        """The keys by which rows are looked up on a condition: what is known of the rows, and what the table is to give.

        A table that is read as its keys arrive is never complete, and gives none.
        """
        if node.arriving:
            return (), ()
        parts = split(condition, [len(below.schema.fields) for below in (node.input, node.table)], 0)
        of_rows = parts.keys[0][0] or () if parts.keys else ()
        if any(key.can_fail for key in of_rows):
            return (), ()
        filters: list[DynamicFilter] = []
        keys: list[JoinKey] = []
        for i, key in enumerate(of_rows):
            if key.columns() and not key.type.is_nested and key.type.kind not in APPROXIMATE:
                number = next(self._numbers)
                filters.append(DynamicFilter(key, number))
                keys.append(JoinKey(number, place, i))
        return tuple(filters), tuple(keys)

    def _joined(self, node: Lookup | Mark, below: Node, table: Node, keys: Iterable[JoinKey]) -> Node:
        asked = tuple(key for key in keys if key.number in self._asked)
        if below is node.input and table is node.table and not asked:
            return node
        return replace(node, input=below, table=table, asked=asked)


def passed(node: Node, filters: Filters) -> Filters:
    """What is known of the rows of a node's inputs, where it is known of its own."""
    match node:
        case nodes.Filter(predicate=predicate):
            return () if predicate.can_fail else filters
        case nodes.Sort(keys=keys, window=None, first=None):
            return () if any(key.expression.can_fail for key in keys) else filters
        case nodes.Union():
            return filters
        case nodes.Project(expressions=expressions):
            return _before(filters, expressions) if not any(e.can_fail for e in expressions) else ()
        case nodes.Aggregate(keys=keys, calls=calls, window=None):
            computed = [*keys, *(argument for call in calls for argument in call.arguments)]
            return _before(filters, keys) if not any(e.can_fail for e in computed) else ()
        case nodes.Distinct(columns=columns, window=None):
            return tuple(each for each in filters if each.expression.columns() <= frozenset(columns))
        case _:
            return ()


def _before(filters: Filters, expressions: Sequence[Expression]) -> Filters:
    """The filters over what these were computed from: those that read nothing else, and read something."""
    found: list[DynamicFilter] = []
    for each in filters:
        if max(each.expression.columns()) < len(expressions):
            key = each.expression.rewrite(lambda e: expressions[e.index] if isinstance(e, Column) else e)
            if key.columns():
                found.append(replace(each, expression=key))
    return tuple(found)
