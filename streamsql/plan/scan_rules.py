"""The rules by which scans of external tables read less, and sorts keep less: partitions, rows, columns, and none behind a LIMIT.

What a scan leaves out is not looked at, so a row in it that would fail does not: a condition over partition keys is always
carried out first, any other only where no condition in front of it can fail.
"""

from __future__ import annotations

from dataclasses import replace

from streamsql.expressions.conditions import conjunction, conjuncts, is_stable
from streamsql.expressions.nodes import Column, Expression
from streamsql.expressions.text import text
from streamsql.external.scan.request import Grouping
from streamsql.plan.conditions import filtered, moved
from streamsql.plan.joins import JoinKind
from streamsql.plan.nodes import Aggregate, Combine, ExternalScan, Filter, Limit, Lookup, Node, Project, Sort
from streamsql.types import Field, Schema


def push_keys_into_scan(node: Node) -> Node:
    """Filter over a scan: partitions for which it is not true are left out.  Carried out in any case."""
    match node:
        case Filter(input=ExternalScan(request=request), predicate=predicate):
            keys, rest = conjuncts(request.keys), list[Expression]()
            for part in conjuncts(predicate):
                over_keys = request.over_keys(part)
                if over_keys is not None and over_keys not in keys:
                    keys.append(over_keys)
                if over_keys is None or part.can_fail:
                    rest.append(part)
            asked = conjunction(keys)
            if asked != request.keys or len(rest) < len(conjuncts(predicate)):
                return filtered(ExternalScan.of(replace(request, keys=asked)), conjunction(rest))
    return node


def push_filter_into_scan(node: Node) -> Node:
    """Filter over a scan: the scan leaves out what the filter would."""
    match node:
        case Filter(input=ExternalScan(request=request), predicate=predicate):
            conditions, rest = conjuncts(request.condition), list[Expression]()
            for part in conjuncts(predicate):
                if part.can_fail or not is_stable(part) or any(earlier.can_fail for earlier in rest):
                    rest.append(part)
                else:
                    conditions.append(part)
            if len(rest) < len(conjuncts(predicate)):
                return filtered(ExternalScan.of(replace(request, condition=conjunction(conditions))), conjunction(rest))
    return node


def push_condition_below_lookup(node: Node) -> Node:
    """Lookup of or in external tables: what its condition says of one of them, before they are joined."""
    match node:
        case Lookup(kind=kind, input=below, table=table, condition=condition) if kind is not JoinKind.FULL:
            width = len(below.schema.fields)
            sides: tuple[list[Expression], list[Expression]] = ([], [])
            rest: list[Expression] = []
            for part in conjuncts(condition):
                side = _side(part, width)
                able = side is not None and not part.can_fail and is_stable(part) and not any(e.can_fail for e in rest)
                if side is None or not able or (side == 0 and kind is not JoinKind.INNER) or not _scans((below, table)[side]):
                    rest.append(part)
                else:
                    sides[side].append(moved(part, width * side))
            if any(sides):
                new = filtered(below, conjunction(sides[0])), filtered(table, conjunction(sides[1]))
                return replace(node, input=new[0], table=new[1], condition=conjunction(rest))
    return node


def _side(part: Expression, width: int) -> int | None:
    """The side of a join that a condition reads alone."""
    sides = {int(column >= width) for column in part.columns()}
    return sides.pop() if len(sides) == 1 else None


def _scans(node: Node) -> bool:
    """Whether rows come from an external table, as they are or with fewer columns."""
    while isinstance(node, (Filter, Project)):
        node = node.input
    return isinstance(node, ExternalScan)


def push_limit_down(node: Node) -> Node:
    """Limit over a scan or over a sorted table, of which columns may be computed that cannot fail: they end there too."""
    match node:
        case Limit(input=below, count=int(count), offset=offset):
            limited = _limited(below, count + offset)
            return node if limited is below else replace(node, input=limited)
    return node


def _limited(node: Node, count: int) -> Node:
    match node:
        case Project(input=below, expressions=expressions) if not any(e.can_fail for e in expressions):
            limited = _limited(below, count)
            return node if limited is below else replace(node, input=limited)
        case ExternalScan(request=request) if request.limit is None or request.limit > count:
            return ExternalScan.of(replace(request, limit=count))
        case Sort(window=None, first=first) if first is None or first > count:
            return replace(node, first=count)
    return node


def distinct_in_scan(node: Node) -> Node:
    """Aggregate of a scan, all of whose calls take the DISTINCT values of the same arguments: the scan gives each value of a
    group once, and what is left is added up."""
    match node:
        case Aggregate(input=ExternalScan(), keys=keys, calls=calls, window=None) if all(call.distinct for call in calls):
            plain = [replace(call, distinct=False) for call in calls]
            arguments = {call.arguments for call in calls}
            if len(arguments) != 1 or any(call.mergeable() is None for call in plain):
                return node
            computed = (*keys, *arguments.pop())
            schema = Schema(tuple(Field(text(e), e.type) for e in computed))
            distinct = group_in_scan(Aggregate(schema, node.input, computed, (), None))
            if not isinstance(distinct, Combine):
                return node
            columns = tuple(Column(e.type, i, text(e)) for i, e in enumerate(computed))
            added = tuple(replace(call, arguments=columns[len(keys) :]) for call in plain)
            return Aggregate(node.schema, distinct, columns[: len(keys)], added, None)
    return node


def group_in_scan(node: Node) -> Node:
    """Aggregate of a scan: the scan adds up the rows of each part of the table, and the groups of all are put together."""
    match node:
        case Aggregate(input=ExternalScan(request=request), keys=keys, calls=calls, window=None, schema=schema):
            computed = [*keys, *(argument for call in calls for argument in call.arguments)]
            able = all(call.mergeable() is not None for call in calls) and not any(e.can_fail for e in computed)
            if able and request.limit is None and all(map(is_stable, computed)):
                grouped = replace(request, grouping=Grouping(keys, calls))
                return Combine(schema, ExternalScan.of(grouped), calls)
    return node
