"""What stands in a bound expression for a column that its query has yet to compute."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

from streamsql.errors import Span
from streamsql.expressions.calls import AggregateCall
from streamsql.expressions.nodes import Expression
from streamsql.plan.nodes import Node
from streamsql.plan.sort_keys import SortKey
from streamsql.plan.windows import Frame, TableFrame


@dataclass(frozen=True, slots=True)
class AggregateNode(Expression):
    """An aggregate call inside an expression of a grouped query, until the query knows its column."""

    call: AggregateCall

    @property
    def children(self) -> tuple[Expression, ...]:
        return self.call.arguments

    def with_children(self, children: tuple[Expression, ...]) -> Self:
        return replace(self, call=replace(self.call, arguments=children))


@dataclass(frozen=True, slots=True)
class GroupingNode(Expression):
    """GROUPING(keys): which of them a row of a grouped query is not grouped by, as the bits of a number."""

    keys: tuple[Expression, ...]

    @property
    def children(self) -> tuple[Expression, ...]:
        return self.keys

    def with_children(self, children: tuple[Expression, ...]) -> Self:
        return replace(self, keys=children)


@dataclass(frozen=True, slots=True)
class WindowNode(Expression):
    """A call with OVER inside an expression, until the query knows its column."""

    call: AggregateCall
    partition: tuple[Expression, ...]
    order: tuple[SortKey, ...]
    frame: Frame | TableFrame

    @property
    def children(self) -> tuple[Expression, ...]:
        return (*self.call.arguments, *self.partition, *(key.expression for key in self.order))

    def with_children(self, children: tuple[Expression, ...]) -> Self:
        count = len(self.call.arguments)
        rest = children[count + len(self.partition) :]
        order = tuple(replace(key, expression=expression) for key, expression in zip(self.order, rest, strict=True))
        partition = children[count : count + len(self.partition)]
        return replace(self, call=replace(self.call, arguments=children[:count]), partition=partition, order=order)


@dataclass(frozen=True, slots=True)
class OuterColumn(Expression):
    """In a subquery: an expression over the rows of the query around it."""

    outer: Expression


@dataclass(frozen=True, slots=True)
class SubqueryNode(Expression):
    """A subquery inside an expression, until its table is looked up.

    `condition` says which rows of `table` belong to a row; it is over the table's columns and `outer_columns`, whose values
    are those of `outer`.
    """

    table: Node
    condition: Expression
    outer_columns: tuple[OuterColumn, ...]
    outer: tuple[Expression, ...]
    span: Span | None = field(default=None, compare=False, kw_only=True)

    @property
    def children(self) -> tuple[Expression, ...]:
        return self.outer

    def with_children(self, children: tuple[Expression, ...]) -> Self:
        return replace(self, outer=children)


@dataclass(frozen=True, slots=True)
class ExistsNode(SubqueryNode):
    """Whether there is such a row."""


@dataclass(frozen=True, slots=True)
class ScalarNode(SubqueryNode):
    """The value of the one such row.

    `value` is over the same columns as the condition; `of_none` is the value where there is no such row.  `is_single`: there
    is never a second one.
    """

    value: Expression
    of_none: Expression
    is_single: bool


def has(expression: Expression, kind: type[Expression]) -> bool:
    """Whether some node of `expression` is of this class."""
    return any(isinstance(node, kind) for node in expression.walk())
