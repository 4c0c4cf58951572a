"""Subqueries in expressions: what they are of, and the tables that they become part of the query by.

A subquery is a table; a row of the query around it has those rows of the table for which a condition is true (all, where
nothing in the subquery refers to the query around it).  EXISTS, IN, ANY and ALL ask whether there is such a row (a Mark of the
plan), a scalar subquery takes its value (a Lookup).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from streamsql import types
from streamsql.bind.correlation import with_outer_rows
from streamsql.bind.functions import call_scalar
from streamsql.bind.scope import as_column
from streamsql.bind.source import Source
from streamsql.bind.unplaced import ExistsNode, OuterColumn, ScalarNode, SubqueryNode, has
from streamsql.bind.wording import counted
from streamsql.errors import ProgrammingError, Span, not_supported
from streamsql.expressions.conditions import TRUE, conjunction, conjuncts
from streamsql.expressions.nodes import Column, Constant, Expression
from streamsql.plan import nodes
from streamsql.plan.joins import JoinKind
from streamsql.types import Field, Schema


@dataclass(frozen=True, slots=True)
class Subquery:
    """A bound subquery: the rows of `table` for which `condition` is true give `values`.

    These are over the table's columns and OuterColumns.  `of_none` is what it gives where there is no such row: of an aggregate
    without GROUP BY.  `is_single`: there is one such row at most.
    """

    table: nodes.Node
    values: tuple[Expression, ...]
    condition: Expression = TRUE
    of_none: tuple[Expression, ...] | None = None
    is_single: bool = False

    @property
    def is_tied(self) -> bool:
        """Whether it refers to the query around it."""
        return self.condition != TRUE or any(has(value, OuterColumn) for value in self.values)

    @staticmethod
    def of(source: Source, is_single: bool = False) -> Subquery:
        """A query that refers to nothing outside."""
        fields = source.schema.fields
        values = tuple(Column(fields[i].type, i, fields[i].name) for i in source.schema.visible_indices)
        return Subquery(source.plan, values, is_single=is_single)


# -- what an expression asks of a subquery -----------------------------------------------------------------------------


def exists(subquery: Subquery) -> Expression:
    """EXISTS (subquery)."""
    if subquery.of_none is not None:
        return TRUE  # an aggregate without GROUP BY has always a row
    return _exists(subquery.table, subquery.condition)


def scalar(subquery: Subquery, span: Span | None) -> Expression:
    """(subquery) as a value."""
    if len(subquery.values) != 1:
        raise ProgrammingError(f"a subquery as a value gives 1 column, this one gives {len(subquery.values)}", span)
    [value] = subquery.values
    of_none = subquery.of_none[0] if subquery.of_none is not None else Constant(value.type, None)
    table, condition = subquery.table, subquery.condition
    if condition == TRUE and not subquery.is_single:
        table = nodes.Single(table.schema, table, span)
    is_single = condition == TRUE or subquery.is_single
    columns = _outer_columns(condition, value)
    outer = tuple(column.outer for column in columns)
    return ScalarNode(value.type, table, condition, columns, outer, value, of_none, is_single, span=span)


def any_of(operator: str, left: Sequence[Expression], subquery: Subquery, only_true: bool, span: Span | None) -> Expression:
    """`left operator ANY (subquery)`, where `left` may be a row; IN is `= ANY`.

    It is UNKNOWN where it is true of no row and unknown of some, because one of the sides is NULL.  `only_true`: where it
    counts only whether it is TRUE.
    """
    if len(left) != len(subquery.values):
        text = f"{counted(len(left))} on the left side, {len(subquery.values)} in the subquery"
        raise ProgrammingError(text, span)
    sides = [OuterColumn(side.type, side) for side in left]
    steps = [call_scalar(operator, [side, value], span) for side, value in zip(sides, subquery.values, strict=True)]
    comparison = conjunction(steps)
    if subquery.of_none is not None:
        return _compared_with_one(operator, left, subquery, span)
    if only_true:
        return _exists(subquery.table, conjunction([*conjuncts(subquery.condition), *steps]))
    may_be = [] if len(steps) == 1 else [call_scalar("IS NOT FALSE", [comparison], span)]
    doubts = [
        _exists(subquery.table, conjunction([*conjuncts(subquery.condition), _some_null(operands, span), *may_be]))
        for operands in (subquery.values, sides)
    ]
    is_true = _exists(subquery.table, conjunction([*conjuncts(subquery.condition), *steps]))
    doubt = call_scalar("OR", doubts, span)
    null, false = Constant(types.BOOLEAN, None), Constant(types.BOOLEAN, False)
    return call_scalar("CASE", [is_true, TRUE, doubt, null, false], span)


def _compared_with_one(operator: str, left: Sequence[Expression], subquery: Subquery, span: Span | None) -> Expression:
    """ANY of an aggregate without GROUP BY: a comparison with its one row."""
    assert subquery.of_none is not None
    columns = zip(left, subquery.values, subquery.of_none, strict=True)
    values = [(side, replace(subquery, values=(value,), of_none=(of_none,))) for side, value, of_none in columns]
    return conjunction(call_scalar(operator, [side, scalar(value, span)], span) for side, value in values)


def _some_null(operands: Sequence[Expression], span: Span | None) -> Expression:
    first, *others = (call_scalar("IS NULL", [operand], span) for operand in operands)
    for other in others:
        first = call_scalar("OR", [first, other], span)
    return first


def _exists(table: nodes.Node, condition: Expression) -> ExistsNode:
    columns = _outer_columns(condition)
    return ExistsNode(types.BOOLEAN, table, condition, columns, tuple(column.outer for column in columns))


def _outer_columns(*expressions: Expression) -> tuple[OuterColumn, ...]:
    found = (node for expression in expressions for node in expression.walk() if isinstance(node, OuterColumn))
    return tuple(dict.fromkeys(found))


# -- the tables as parts of the query ----------------------------------------------------------------------------------


def look_up(source: Source, expressions: Sequence[Expression]) -> tuple[Source, list[Expression]]:
    """The rows with what their subqueries give behind their columns, and the expressions over these."""
    if not any(isinstance(node, SubqueryNode) for expression in expressions for node in expression.walk()):
        return source, list(expressions)
    tables = _Tables(source.plan)
    placed = [expression.rewrite(tables.place) for expression in expressions]
    return Source(tables.plan, source.times), placed


class _Tables:
    """Rows with the tables of subqueries beside them, as they are added one by one; equal subqueries are added once."""

    def __init__(self, plan: nodes.Node) -> None:
        self.plan = plan
        self._placed: dict[SubqueryNode, Expression] = {}

    def place(self, node: Expression) -> Expression:
        """A subquery as columns of the rows, any other node as it is; those inside it have been placed before."""
        if not isinstance(node, SubqueryNode):
            return node
        if node not in self._placed:
            self._placed[node] = self._scalar(node) if isinstance(node, ScalarNode) else self._exists(node)
        return self._placed[node]

    def _table(self, node: SubqueryNode) -> nodes.Node:
        """The subquery's table, which may be computed from the rows."""
        table = with_outer_rows(node.table, dict(zip(node.outer_columns, node.outer, strict=True)), self.plan)
        if table is not node.table and self.plan.schema.is_stream:
            text = "a subquery with an aggregate or LIMIT that is tied to a stream by another condition than an equation"
            raise not_supported(text, node.span, "WHERE column of the subquery = column of the stream")
        return table

    def _exists(self, node: SubqueryNode) -> Expression:
        rows, table = self.plan, self._table(node)
        marks: tuple[Expression, ...] = ()
        if isinstance(self.plan, nodes.Mark) and self.plan.table == table:
            width = len(self.plan.input.schema.fields)
            if all(column < width for outer in node.outer for column in outer.columns()):
                rows, marks = self.plan.input, self.plan.conditions
        condition = _joined(node.condition, node, len(rows.schema.fields))
        place = len(self.plan.schema.fields)
        name = f"match {sum(field.name.startswith('match ') for field in self.plan.schema.fields) + 1}"
        schema = Schema((*self.plan.schema.fields, Field(name, types.BOOLEAN, hidden=True)))
        self.plan = nodes.Mark(schema, rows, table, (*marks, condition))
        return Column(types.BOOLEAN, place, name)

    def _scalar(self, node: ScalarNode) -> Expression:
        table = self._table(node)
        is_plain = isinstance(node.value, Column) and node.of_none == Constant(node.type, None)
        found = len(table.schema.fields)
        if not is_plain:
            columns = tuple(Column(field.type, i, field.name) for i, field in enumerate(table.schema.fields))
            schema = Schema((*table.schema.fields, Field("found", types.BOOLEAN)))
            table = nodes.Project(schema, table, (*columns, TRUE))
        width = len(self.plan.schema.fields)
        fields = (replace(field, hidden=True, nullable=True) for field in table.schema.fields)
        schema = Schema((*self.plan.schema.fields, *fields))
        kind = JoinKind.LEFT if node.is_single else JoinKind.SINGLE
        self.plan = nodes.Lookup(schema, self.plan, table, kind, _joined(node.condition, node, width))
        value = _joined(node.value, node, width)
        if is_plain:
            return value
        is_found = call_scalar("IS NOT NULL", [Column(types.BOOLEAN, width + found, "found")], node.span)
        return call_scalar("CASE", [is_found, value, _joined(node.of_none, node, width)], node.span)


def _joined(expression: Expression, node: SubqueryNode, width: int) -> Expression:
    """An expression of a subquery over rows of so many columns with the subquery's table beside them."""
    outer = dict(zip(node.outer_columns, node.outer, strict=True))

    def place(part: Expression) -> Expression:
        if isinstance(part, OuterColumn):
            return as_column(outer[part])
        return replace(part, index=part.index + width) if isinstance(part, Column) else part

    return expression.rewrite(place)
