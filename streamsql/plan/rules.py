"""The rules that improve a plan, in the order in which they are applied.

A rule takes a node whose inputs have been through all rules and gives it or a better one.  None changes a result, the rows of
`error_stream` included: a filter never moves past a projection that can fail.  Every `.slt` test runs with and without them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from streamsql.expressions.nodes import Call, Column, Constant, Expression
from streamsql.functions.registry import SCALARS
from streamsql.plan.nodes import Filter, Node, Project
from streamsql.types import BOOLEAN

Rule = Callable[[Node], Node]


def merge_filters(node: Node) -> Node:
    """Filter over Filter: one Filter with both conditions."""
    match node:
        case Filter(input=Filter(input=below, predicate=inner), predicate=outer):
            return Filter(node.schema, below, _both(inner, outer))
    return node


def drop_true_filters(node: Node) -> Node:
    """Filter by TRUE: nothing."""
    match node:
        case Filter(input=below, predicate=Constant(value=True)):
            return below
    return node


def push_filter_through_project(node: Node) -> Node:
    """Filter over a Project that cannot fail: the Filter first, over the columns it came from."""
    match node:
        case Filter(input=Project(input=below, expressions=expressions) as project, predicate=predicate):
            if any(expression.can_fail or not _is_stable(expression) for expression in expressions):
                return node
            if any(not isinstance(expressions[i], Column) for i in predicate.columns()):
                return node  # computing a column twice costs more than it saves
            moved = predicate.rewrite(lambda e: expressions[e.index] if isinstance(e, Column) else e)
            return replace(project, input=Filter(below.schema, below, moved))
    return node


def merge_projects(node: Node) -> Node:
    """Project of plain columns over Project: one Project."""
    match node:
        case Project(input=Project(input=below, expressions=inner), expressions=outer):
            if all(isinstance(e, Column) for e in outer) and not any(e.can_fail for e in inner):
                picked = tuple(inner[e.index] for e in outer if isinstance(e, Column))
                return Project(node.schema, below, picked)
    return node


def drop_identity_projects(node: Node) -> Node:
    """Project that gives its input as it is: nothing."""
    match node:
        case Project(input=below, expressions=expressions, schema=schema):
            same = all(isinstance(e, Column) and e.index == i for i, e in enumerate(expressions))
            if same and schema == below.schema:
                return below
    return node


RULES: tuple[Rule, ...] = (
    merge_filters,
    drop_true_filters,
    push_filter_through_project,
    merge_projects,
    drop_identity_projects,
)


def improve(plan: Node) -> Node:
    """The plan after all rules, applied until none changes it any more."""
    while True:
        improved = plan
        for rule in RULES:
            improved = improved.rewrite(rule)
        if improved is plan:
            return plan
        plan = improved


def _both(first: Expression, second: Expression) -> Expression:
    return Call(BOOLEAN, SCALARS["AND"][0], (first, second))


def _is_stable(expression: Expression) -> bool:
    return not any(isinstance(node, Call) and node.function.volatile for node in expression.walk())
