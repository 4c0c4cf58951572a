"""What ties a subquery to the query around it: conditions over columns of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from streamsql.bind.functions import call_scalar
from streamsql.bind.scope import as_column
from streamsql.bind.unplaced import AggregateNode, OuterColumn, has
from streamsql.errors import Span, not_supported
from streamsql.expressions.calls import AggregateCall
from streamsql.expressions.conditions import conjunction
from streamsql.expressions.nodes import Call, Column, Constant, Expression
from streamsql.functions.registry import AGGREGATES
from streamsql.plan.joins import JoinKind
from streamsql.plan.nodes import Distinct, Filter, Lookup, Node, Project, TableOver
from streamsql.plan.sort_keys import SortKey
from streamsql.plan.windows import TableFrame, TableWindow
from streamsql.types import BIGINT, Field, Schema


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


def tie_of(condition: Expression) -> Tie | None:
    """The condition of a grouped subquery as an equation of one of its columns and one of the query around it, if it is one."""
    if isinstance(condition, Call) and condition.function.name == "=":
        left, right = condition.arguments
        for own, outer, own_is_left in ((left, right, True), (right, left, False)):
            if not has(own, OuterColumn) and not outer.columns():
                return Tie(condition, own, own_is_left)
    return None


@dataclass(frozen=True, slots=True)
class OuterRows(Node):
    """The different values that some columns of the query around a subquery have: `with_outer_rows` says which rows these are."""

    columns: tuple[OuterColumn, ...]


def beside_outer_rows(table: Node, conditions: Sequence[Expression]) -> tuple[Node, list[Tie]]:
    """The rows of a subquery's table, and behind their columns the values of the query around it for which some conditions are
    true; and what ties them to the rows that have these values."""
    found = (node for condition in conditions for node in condition.walk() if isinstance(node, OuterColumn))
    outer, width = tuple(dict.fromkeys(found)), len(table.schema.fields)
    count = len(outer)
    values = Schema(tuple(Field(f"outer {i}", column.type, hidden=True) for i, column in enumerate(outer)))
    joined = Schema((*values.fields, *table.schema.fields))

    def beside(node: Expression) -> Expression:
        if isinstance(node, OuterColumn):
            place = outer.index(node)
            return Column(node.type, place, values.fields[place].name)
        return replace(node, index=node.index + count) if isinstance(node, Column) else node

    rows = Lookup(joined, OuterRows(values, outer), table, JoinKind.INNER, conjunction(c.rewrite(beside) for c in conditions))
    order = [*range(count, count + width), *range(count)]
    columns = tuple(Column(joined.fields[i].type, i, joined.fields[i].name) for i in order)
    ties = []
    for i, column in enumerate(outer):
        own = Column(column.type, width + i, values.fields[i].name)
        ties.append(Tie(call_scalar("IS NOT DISTINCT FROM", [own, column], None), own, True))
    return Project(Schema(tuple(joined.fields[i] for i in order)), rows, columns), ties


def with_outer_rows(table: Node, outer: Mapping[OuterColumn, Expression], around: Node) -> Node:
    """A subquery's table in which it is known what the rows around it are."""
    if not isinstance(table, OuterRows):
        return table.map_inputs(lambda below: with_outer_rows(below, outer, around))
    columns = tuple(as_column(outer[column]) for column in table.columns)
    return Distinct(table.schema, Project(table.schema, around, columns), tuple(range(len(columns))), None)


def first_of_each(
    table: Node, order: Sequence[SortKey], conditions: Sequence[Expression], limit: int | None, offset: int
) -> tuple[Node, list[Expression]]:
    """The rows of a tied subquery with LIMIT, as many for each of the values that the query around it has; and what ties them to
    these."""
    rows, ties = tied(table, conditions)
    (function,) = AGGREGATES["ROW_NUMBER"]
    call = AggregateCall(function, (), BIGINT, "ROW_NUMBER")
    schema = Schema((*rows.schema.fields, Field("number", BIGINT, hidden=True)))
    window = TableWindow(tuple(tie.own for tie in ties), tuple(order), TableFrame("RANGE", None, 0), (call,))
    number = Column(BIGINT, len(rows.schema.fields), "number")
    kept = [call_scalar(">", [number, Constant(BIGINT, offset)], None)]
    kept += [] if limit is None else [call_scalar("<=", [number, Constant(BIGINT, offset + limit)], None)]
    return Filter(schema, TableOver(schema, rows, (window,)), conjunction(kept)), [tie.equation for tie in ties]


def tied(table: Node, conditions: Sequence[Expression]) -> tuple[Node, list[Tie]]:
    """The rows of a subquery's table, and what ties them to the rows around it: the conditions themselves, where they are
    equations."""
    ties = [tie for condition in conditions if (tie := tie_of(condition)) is not None]
    return (table, ties) if len(ties) == len(conditions) else beside_outer_rows(table, conditions)


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
