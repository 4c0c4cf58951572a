"""Outer joins of tables that keep rows which a condition above them drops: inner joins, of which scans can read less.

From the top down each node is told in which of its columns no row with NULL is wanted, as long as no row that is left out could
fail on its way.  A row without a match has nothing but NULLs on the other side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from streamsql.expressions.conditions import conjuncts
from streamsql.expressions.nodes import Call, Cast, Column, Expression
from streamsql.plan.conditions import filtered
from streamsql.plan.joins import JoinKind
from streamsql.plan.nodes import Aggregate, Distinct, Filter, Lookup, Node, Project, Sort

Columns = frozenset[int]

NOTHING: Columns = frozenset()

COMPARISONS = frozenset({"=", "<>", "<", "<=", ">", ">="})
"""Conditions that are never true where an argument is NULL."""

OF_FIRST = frozenset({"IN", "LIKE"})
"""Those of which this is so of the first argument."""


def drop_outer_joins(plan: Node) -> Node:
    """The plan whose outer joins are those that matter."""
    return _told(plan, NOTHING)


def _told(node: Node, filled: Columns) -> Node:
    """A node of which no row with NULL in one of the columns `filled` is wanted."""
    match node:
        case Lookup() if not node.schema.is_stream:
            return _lookup(node, filled)
        case Filter(input=child, predicate=predicate):
            told = _told(child, NOTHING if predicate.can_fail else filled | _tested(predicate))
            return node if told is child else filtered(told, predicate)
        case Project(expressions=expressions):
            below = _before(expressions, filled) if not any(e.can_fail for e in expressions) else NOTHING
        case Aggregate(keys=keys, calls=calls, window=None):
            computed = [*keys, *(argument for call in calls for argument in call.arguments)]
            below = _before(keys, filled) if not any(e.can_fail for e in computed) else NOTHING
        case Sort(keys=sorted_by, window=None):
            below = filled if not any(key.expression.can_fail for key in sorted_by) else NOTHING
        case Distinct(window=None):
            below = filled
        case _:
            below = NOTHING
    return node.map_inputs(lambda child: _told(child, below))


def _lookup(node: Lookup, filled: Columns) -> Node:
    width = len(node.input.schema.fields)
    if node.can_fail:
        return node.map_inputs(lambda child: _told(child, NOTHING))
    of_table = any(column >= width for column in filled)
    of_rows = any(column < width for column in filled)
    kind = node.kind
    if (kind is JoinKind.LEFT and of_table) or (kind is JoinKind.FULL and of_table and of_rows):
        kind = JoinKind.INNER
    tested = _tested(node.condition)
    rows, table = NOTHING, NOTHING
    if kind is JoinKind.INNER:
        rows = table = filled | tested
    elif kind is JoinKind.LEFT:
        rows, table = filled, tested
    below = _told(node.input, frozenset(c for c in rows if c < width))
    looked_up = _told(node.table, frozenset(c - width for c in table if c >= width))
    if kind is node.kind and below is node.input and looked_up is node.table:
        return node
    return replace(node, input=below, table=looked_up, kind=kind)


def _tested(condition: Expression) -> Columns:
    """The columns that have a value wherever a condition is true."""
    found: set[int] = set()
    for part in conjuncts(condition):
        if isinstance(part, Call):
            found |= {column.index for argument in _strict(part) if (column := _column(argument)) is not None}
    return frozenset(found)


def _strict(part: Call) -> Sequence[Expression]:
    """The arguments that have a value where a condition is true."""
    name, arguments = part.function.name, part.arguments
    if name in COMPARISONS:
        return arguments
    if name in OF_FIRST:
        return arguments[:1]
    if name == "NOT" and isinstance(arguments[0], Call) and arguments[0].function.name == "IS NULL":
        return arguments[0].arguments
    return ()


def _column(expression: Expression) -> Column | None:
    while isinstance(expression, Cast):
        expression = expression.operand
    return expression if isinstance(expression, Column) else None


def _before(expressions: Sequence[Expression], filled: Columns) -> Columns:
    """The columns that those were taken from which are filled."""
    taken = {i: expression for i, expression in enumerate(expressions) if i in filled}
    return frozenset(expression.index for expression in taken.values() if isinstance(expression, Column))
