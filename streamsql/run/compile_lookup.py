"""From a Lookup or Mark of a plan to the operator that looks rows up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from streamsql.errors import InternalError
from streamsql.expressions.nodes import Expression
from streamsql.external.scan.dynamic import AskedKeys, JoinKeys
from streamsql.operator import Operator
from streamsql.plan import nodes
from streamsql.plan.conditions import split
from streamsql.rows import QueryTime
from streamsql.run.operators.arriving import ArrivingKeys, Read
from streamsql.run.operators.looked_up import LookedUpTable
from streamsql.run.operators.lookup import Lookup
from streamsql.run.operators.mark import Mark
from streamsql.run.operators.matching import Rest, Terms
from streamsql.run.operators.parted_lookup import PartedLookup, Side
from streamsql.run.operators.table_index import TableIndex
from streamsql.types import Schema


def lookup_operator(
    node: nodes.Lookup | nodes.Mark, time: QueryTime, joins: JoinKeys, by_keys: Callable[[nodes.Node], Read] | None
) -> Operator:
    """What carries the node out.

    `joins` takes the keys that scans ask for, `by_keys` gives what reads a table whose keys arrive.
    """
    if isinstance(node, nodes.Lookup):
        conditions = [_condition(node, node.condition, node.schema, time)]
    else:
        both = Schema((*node.input.schema.fields, *node.table.schema.fields))
        conditions = [_condition(node, condition, both, time) for condition in node.conditions]
    asked = [_asked(node, place, joins) for place in range(len(conditions))]

    def make(whole: bool) -> Operator:
        indices = [
            TableIndex(each.terms, each.key_types, each.rest, by_scans if whole else None)
            for each, by_scans in zip(conditions, asked, strict=True)
        ]
        schema, table = node.schema.arrow(), node.table.schema.arrow()
        looked_up = LookedUpTable(table, indices, time, _arriving(node, indices, by_keys))
        if isinstance(node, nodes.Mark):
            return Mark(schema, looked_up, indices, time)
        return Lookup(schema, len(schema) - len(table), looked_up, node.kind, indices[0], node.unread, time)

    if node.input.schema.is_stream or len(conditions) > 1 or not conditions[0].key_types:
        return make(True)
    sides = [Side(side.schema.arrow(), terms) for side, terms in zip((node.input, node.table), conditions[0].terms, strict=True)]
    return PartedLookup(sides[0], sides[1], make, asked[0], time)


@dataclass(frozen=True, slots=True)
class _Condition:
    """What an index of a table is made of."""

    terms: tuple[Terms, Terms]
    key_types: list[pa.DataType]
    rest: Rest


def _condition(node: nodes.Lookup | nodes.Mark, condition: Expression, both: Schema, time: QueryTime) -> _Condition:
    """One of the node's conditions; `both` are the columns that it is over."""
    parts = split(condition, [len(below.schema.fields) for below in (node.input, node.table)], 0)
    keys = [parts.keys[0][i] or () if parts.keys else () for i in range(2)]
    terms = (Terms(parts.alone[0], keys[:1], time), Terms(parts.alone[1], keys[1:], time))
    return _Condition(terms, [column.type.arrow() for column in keys[0]], Rest(parts.rest, both, time))


def _asked(node: nodes.Lookup | nodes.Mark, place: int, joins: JoinKeys) -> AskedKeys | None:
    """What takes the keys of one of the node's conditions, where scans ask for some."""
    asked = [(key.number, key.key) for key in node.asked if key.condition == place]
    return AskedKeys(joins, asked) if asked else None


def _arriving(
    node: nodes.Lookup | nodes.Mark, indices: list[TableIndex], by_keys: Callable[[nodes.Node], Read] | None
) -> ArrivingKeys | None:
    if not node.arriving:
        return None
    if by_keys is None:
        raise InternalError("nothing reads a table by keys that arrive")
    types = [indices[0].key_types[place] for place in node.arriving]
    return ArrivingKeys(node.arriving, types, by_keys(node.table))
