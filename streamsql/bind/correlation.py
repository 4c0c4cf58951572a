"""What ties a subquery to the query around it: conditions over columns of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from streamsql.bind.unplaced import AggregateNode, OuterColumn, has
from streamsql.errors import Span, not_supported
from streamsql.expressions.calls import AggregateCall
from streamsql.expressions.nodes import Call, Column, Constant, Expression
from streamsql.plan.nodes import Distinct, Node, Project
from streamsql.types import Field, Schema


@dataclass(frozen=True, slots=True)
class Tie:
    """`own = outer`: a group of a subquery belongs to the rows around it of which this is true."""

    equation: Call
    own: Expression
    own_is_left: bool

    def over(self, place: int) -> Expression:
        """The equation over the groups, which have the value of `own` at this place."""
        column = Column(self.own.type, place, "key")
        left, right = self.equation.arguments
        return replace(self.equation, arguments=(column, right) if self.own_is_left else (left, column))


def tie_of(condition: Expression, span: Span | None) -> Tie:
    """The condition of a grouped subquery as an equation of one of its columns and one of the query around it."""
    if isinstance(condition, Call) and condition.function.name == "=":
        left, right = condition.arguments
        for own, outer, own_is_left in ((left, right, True), (right, left, False)):
            if not has(own, OuterColumn) and not outer.columns():
                return Tie(condition, own, own_is_left)
    text = "an aggregate in a subquery that is tied to the query around it by another condition than an equation"
    raise not_supported(text, condition.span if isinstance(condition, Call) and condition.span else span, _TIE)


_TIE = "WHERE column of the subquery = column of the query around it"


def check_own(expression: Expression, where: str, span: Span | None) -> None:
    """Refuse a column of the query around a subquery."""
    if has(expression, OuterColumn):
        raise not_supported(f"a column of the query around a subquery {where}", span)


def distinct_values(
    table: Node, values: Sequence[Expression], condition: Expression, span: Span | None
) -> tuple[Node, list[Expression], Expression]:
    """The table of a tied SELECT DISTINCT, which has its distinct rows for each row around it; values and condition over it."""
    for value in values:
        check_own(value, "in the select list of SELECT DISTINCT", span)
    fields = table.schema.fields
    kept = sorted(condition.columns())
    columns = [*values, *(Column(fields[i].type, i, fields[i].name) for i in kept)]
    schema = Schema(tuple(Field(f"column {i}", column.type) for i, column in enumerate(columns)))
    place = {column: len(values) + i for i, column in enumerate(kept)}
    moved = condition.rewrite(lambda node: replace(node, index=place[node.index]) if isinstance(node, Column) else node)
    distinct = Distinct(schema, Project(schema, table, tuple(columns)), tuple(range(len(columns))), None)
    return distinct, [Column(value.type, i, f"column {i}") for i, value in enumerate(values)], moved


def of_no_rows(expression: Expression) -> Expression:
    """What an expression over aggregates gives for no rows at all."""
    return expression.rewrite(lambda node: _of_no_rows(node.call) if isinstance(node, AggregateNode) else node)


def _of_no_rows(call: AggregateCall) -> Constant:
    assert call.function.accumulator is not None
    arguments = call.arguments[: len(call.arguments) - len(call.order)]
    accumulator = call.function.accumulator([argument.type for argument in arguments], call.type, call.ignore_nulls)
    accumulator.add(np.zeros(0, np.int64), 1, [pa.nulls(0, argument.type.arrow()) for argument in arguments])
    return Constant(call.type, accumulator.result()[0].as_py())
