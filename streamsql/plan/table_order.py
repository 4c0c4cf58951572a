"""In which order inner joins of tables look rows up: the external table with the most to read is read row by row, and the
others are looked up in the order in which equations reach them.

Only what is read row by row can leave out partitions by the keys of the others, and need not be held in memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streamsql.expressions.conditions import conjunction, conjuncts, is_stable
from streamsql.expressions.nodes import Call, Column, Expression
from streamsql.plan.conditions import moved, renumbered
from streamsql.plan.joins import JoinKind
from streamsql.plan.nodes import Aggregate, Distinct, ExternalScan, Filter, Lookup, Node, Project, Union
from streamsql.types import Schema


def order_tables(plan: Node) -> Node:
    """The plan with the tables of its inner joins in the best order."""
    match plan:
        case Lookup(kind=JoinKind.INNER) if not plan.schema.is_stream:
            joined = _flattened(plan, 0)
            if not any(condition.can_fail or not is_stable(condition) for condition in joined.conditions):
                return _ordered(plan, joined)
    return plan.map_inputs(order_tables)


@dataclass(frozen=True, slots=True)
class _Joined:
    """Relations side by side, and the conditions over all of their columns."""

    relations: tuple[Node, ...]
    conditions: tuple[Expression, ...]


def _flattened(node: Node, start: int) -> _Joined:
    """The relations that inner joins put together, whose columns begin at `start`."""
    match node:
        case Lookup(kind=JoinKind.INNER, input=below, table=table, condition=condition):
            left, right = _flattened(below, start), _flattened(table, start + len(below.schema.fields))
            own = tuple(moved(part, -start) for part in conjuncts(condition))
            return _Joined((*left.relations, *right.relations), (*left.conditions, *right.conditions, *own))
        case _:
            return _Joined((node,), ())


def _ordered(plan: Lookup, joined: _Joined) -> Node:
    relations = joined.relations
    starts = [sum(len(r.schema.fields) for r in relations[:i]) for i in range(len(relations))]
    owner = {start + i: n for n, start in enumerate(starts) for i in range(len(relations[n].schema.fields))}
    order = _order(relations, joined.conditions, owner)
    if order == list(range(len(relations))):
        return plan.map_inputs(order_tables)
    names = plan.schema.fields
    result: Node = order_tables(relations[order[0]])
    places = [starts[order[0]] + i for i in range(len(result.schema.fields))]
    left = list(joined.conditions)
    for n in order[1:]:
        table = order_tables(relations[n])
        places += [starts[n] + i for i in range(len(table.schema.fields))]
        at = {column: place for place, column in enumerate(places)}
        own = [condition for condition in left if condition.columns() <= at.keys()]
        left = [condition for condition in left if condition not in own]
        schema = Schema(tuple(names[column] for column in places))
        result = Lookup(schema, result, table, JoinKind.INNER, renumbered(conjunction(own), at))
    at = {column: place for place, column in enumerate(places)}
    picked = tuple(Column(field.type, at[column], field.name) for column, field in enumerate(names))
    return Project(plan.schema, result, picked)


def _order(relations: Sequence[Node], conditions: Sequence[Expression], owner: Mapping[int, int]) -> list[int]:
    """The relation with the most to read, then always the first that an equation reaches, or else the first that is left."""
    ranks = [_rank(relation) for relation in relations]
    order = [ranks.index(max(ranks))]
    equations = [{owner[c] for c in part.columns()} for part in conditions if _is_equation(part)]
    while len(order) < len(relations):
        rest = [n for n in range(len(relations)) if n not in order]
        reached = [n for n in rest if any(n in members and members <= {n, *order} for members in equations if len(members) > 1)]
        order.append((reached or rest)[0])
    return order


def _is_equation(condition: Expression) -> bool:
    return isinstance(condition, Call) and condition.function.name == "="


def _rank(relation: Node) -> int:
    """How much there is to read of a relation, as far as the plan says: of partitioned files most, added up or not."""
    match relation:
        case ExternalScan(request=request):
            return 4 if request.table.keys else 2
        case Filter(input=below) | Project(input=below):
            return _rank(below)
        case Aggregate(input=below) | Distinct(input=below):
            return max(_rank(below) - 1, 0)
        case Union(branches=branches):
            return max(map(_rank, branches))
        case _:
            return 0
