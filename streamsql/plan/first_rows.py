"""ORDER BY with LIMIT over an external table: its scan leaves out what cannot be among the first rows."""

from __future__ import annotations

from dataclasses import replace

from streamsql.expressions.conditions import is_stable
from streamsql.expressions.nodes import Column
from streamsql.external.scan.request import First
from streamsql.plan.nodes import ExternalScan, Node, Project, Sort

FEW = 10_000
"""Of more rows than these it is not asked which are the first so far."""


def first_rows_in_scan(node: Node) -> Node:
    """Sort that gives the first rows alone, over a scan of which columns may be computed: the scan knows by what and how many."""
    match node:
        case Sort(keys=keys, first=int(count)) if 0 < count <= FEW:
            first = First(keys[0].expression, keys[0].direction, count)
            if not first.key.type.is_nested and not any(key.expression.can_fail for key in keys):
                return node.map_inputs(lambda below: _scanned(below, first))
    return node


def _scanned(node: Node, first: First) -> Node:
    match node:
        case Project(expressions=expressions) if not any(e.can_fail for e in expressions):
            key = first.key.rewrite(lambda e: expressions[e.index] if isinstance(e, Column) else e)
            return node.map_inputs(lambda below: _scanned(below, replace(first, key=key)))
        case ExternalScan(request=request) if is_stable(first.key) and request.limit is None and not request.dynamic:
            return node if request.grouping is not None else ExternalScan.of(replace(request, first=first))
    return node
