"""Which external tables that a stream is joined with are read as its rows come: those whose partition keys the join equates.

Of such a table only partitions can match whose keys a row has brought.  So nothing is read of it when the plan starts, and a
partition when the first row comes with its keys.  Partitions that no row asks for are never looked at, as long as no row that is
left out could fail on its way to the join.
"""

from __future__ import annotations

from dataclasses import replace

from streamsql.external.scan.request import DynamicFilter
from streamsql.plan.conditions import split
from streamsql.plan.dynamic_filters import Filters, passed
from streamsql.plan.nodes import ExternalScan, Lookup, Mark, Node
from streamsql.types import APPROXIMATE


def add_arriving_keys(node: Node) -> Node:
    """Lookup of a stream in an external table, on keys of its partitions: these are read when they are asked for."""
    match node:
        case Lookup(condition=condition) | Mark(conditions=(condition,)) if node.input.schema.is_stream and not node.arriving:
            parts = split(condition, [len(below.schema.fields) for below in (node.input, node.table)], 0)
            keys = parts.keys[0][1] or () if parts.keys else ()
            if any(key.can_fail for key in keys):
                return node
            usable = [(place, key) for place, key in enumerate(keys) if key.columns()]
            found = _read_by(node.table, tuple(DynamicFilter(key, place) for place, key in usable))
            return node if found is None else replace(node, table=found[0], arriving=found[1])
    return node


def _read_by(node: Node, keys: Filters) -> tuple[Node, tuple[int, ...]] | None:
    """A table whose one scan reads the partitions of keys, and the numbers of these; None where it has to read all.

    `keys` are over the columns of the table.
    """
    match node:
        case ExternalScan(request=request):
            over_partitions = {each.number: request.over_keys(each.expression) for each in keys}
            known = {n: e for n, e in over_partitions.items() if e is not None and e.type.kind not in APPROXIMATE}
            if not known or request.limit is not None:
                return None
            return replace(node, request=replace(request, arriving=tuple(known.values()))), tuple(known)
        case _ if len(node.inputs) == 1 and (left := passed(node, keys)):
            found = _read_by(node.inputs[0], left)
            return None if found is None else (node.map_inputs(lambda _: found[0]), found[1])
    return None
