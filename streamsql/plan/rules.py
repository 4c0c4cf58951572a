"""The rules that improve a plan, in the order in which they are applied.

A rule takes a node whose inputs have been through all rules and gives it or a better one.  None changes a result, the rows of
`error_stream` included: a filter never moves past a projection that can fail.  Every `.slt` test runs with and without them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from streamsql.expressions.conditions import TRUE, both, is_stable
from streamsql.expressions.nodes import Column, Constant, Expression
from streamsql.plan.arriving_keys import add_arriving_keys
from streamsql.plan.column_pruning import drop_unused_columns
from streamsql.plan.conditions import filtered, moved, parted
from streamsql.plan.dynamic_filters import add_dynamic_filters
from streamsql.plan.first_rows import first_rows_in_scan
from streamsql.plan.group_below_joins import group_below_joins
from streamsql.plan.joins import JoinKind
from streamsql.plan.nodes import Aggregate, Filter, Join, Lookup, Mark, Node, Project
from streamsql.plan.outer_joins import drop_outer_joins
from streamsql.plan.scan_columns import narrow_scans
from streamsql.plan.scan_rules import (
    distinct_in_scan,
    group_in_scan,
    push_condition_below_lookup,
    push_filter_into_scan,
    push_keys_into_scan,
    push_limit_down,
)
from streamsql.plan.table_order import order_tables

Rule = Callable[[Node], Node]


def merge_filters(node: Node) -> Node:
    """Filter over Filter: one Filter with both conditions, where the second cannot fail for rows of which the first is NULL."""
    match node:
        case Filter(input=Filter(input=below, predicate=inner), predicate=outer) if not outer.can_fail:
            return Filter(node.schema, below, both(inner, outer))
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
            if any(expression.can_fail or not is_stable(expression) for expression in expressions):
                return node
            if any(not isinstance(expressions[i], Column) for i in predicate.columns()):
                return node  # computing a column twice costs more than it saves
            moved = predicate.rewrite(lambda e: expressions[e.index] if isinstance(e, Column) else e)
            return replace(project, input=Filter(below.schema, below, moved))
    return node


def push_filter_below_lookup(node: Node) -> Node:
    """Filter over a Lookup or Mark that gives every row and cannot fail: what it says of the rows, before they are looked up."""
    match node:
        case Filter(input=(Lookup() | Mark()) as lookup, predicate=predicate):
            if lookup.can_fail or predicate.can_fail or (isinstance(lookup, Lookup) and lookup.kind is JoinKind.FULL):
                return node
            width = len(lookup.input.schema.fields)
            early, late = parted(predicate, lambda part: is_stable(part) and all(c < width for c in part.columns()))
            return node if early == TRUE else filtered(replace(lookup, input=filtered(lookup.input, early)), late)
    return node


def push_filter_below_outer_join(node: Node) -> Node:
    """Filter over an outer Join that cannot fail: what it says of the input all of whose rows come, before they are joined.

    Not where that input has a ROWS window, which then would reach further back.
    """
    match node:
        case Filter(input=Join(kind=(JoinKind.LEFT | JoinKind.RIGHT) as kind) as join, predicate=predicate):
            kept = 0 if kind is JoinKind.LEFT else 1
            if join.windows[kept].frame.unit == "ROWS" or join.condition.can_fail or predicate.can_fail:
                return node
            start = 1 + kept * len(join.branches[0].schema.fields)
            own = range(start, start + len(join.branches[kept].schema.fields))
            early, late = parted(predicate, lambda part: is_stable(part) and all(c in own for c in part.columns()))
            if early == TRUE:
                return node
            branches = list(join.branches)
            branches[kept] = filtered(branches[kept], moved(early, start))
            return filtered(replace(join, branches=tuple(branches)), late)
    return node


def merge_projects(node: Node) -> Node:
    """Project over Project, where either only picks columns: one Project."""
    match node:
        case Project(input=Project(input=below, expressions=inner), expressions=outer):
            if all(isinstance(e, Column) for e in outer) and not any(e.can_fail for e in inner):
                picked = tuple(inner[e.index] for e in outer if isinstance(e, Column))
                return Project(node.schema, below, picked)
            if all(isinstance(e, Column) for e in inner):
                through = tuple(e.rewrite(lambda n: inner[n.index] if isinstance(n, Column) else n) for e in outer)
                return Project(node.schema, below, through)
    return node


def merge_picks_into_aggregate(node: Node) -> Node:
    """Aggregate, in which no row fails, over a Project that only picks columns: the Aggregate over the columns it came from."""
    match node:
        case Aggregate(input=Project(input=below, expressions=picked), keys=keys, calls=calls, window=None):
            computed = [*keys, *(argument for call in calls for argument in call.arguments)]
            if any(e.can_fail for e in computed) or not all(isinstance(e, Column) for e in picked):
                return node

            def through(expression: Expression) -> Expression:
                return expression.rewrite(lambda e: picked[e.index] if isinstance(e, Column) else e)

            merged = tuple(replace(call, arguments=tuple(map(through, call.arguments))) for call in calls)
            return replace(node, input=below, keys=tuple(map(through, keys)), calls=merged)
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
    push_filter_below_lookup,
    push_filter_below_outer_join,
    push_keys_into_scan,
    push_filter_into_scan,
    push_condition_below_lookup,
    push_limit_down,
    merge_projects,
    merge_picks_into_aggregate,
    drop_identity_projects,
)

LAST_RULES: tuple[Rule, ...] = (distinct_in_scan, group_in_scan, group_below_joins, first_rows_in_scan)
"""Those that make of a scan what no other rule looks at."""


def prepare(plan: Node) -> Node:
    """The plan after the rules that some external tables cannot do without."""
    return plan.rewrite(push_keys_into_scan).rewrite(add_arriving_keys)


def improve(plan: Node) -> Node:
    """The plan after all rules, applied until none changes it any more, joins having only the columns that are read."""
    plan = order_tables(drop_outer_joins(plan))
    while True:
        improved = plan
        for rule in RULES:
            improved = improved.rewrite(rule)
        improved = narrow_scans(drop_unused_columns(improved))
        if improved is plan:
            plan = add_dynamic_filters(plan.rewrite(add_arriving_keys))
            for rule in LAST_RULES:
                plan = plan.rewrite(rule)
            return plan
        plan = improved
