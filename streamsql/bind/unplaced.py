"""What stands in a bound expression for a column that its query has yet to compute."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from streamsql.expressions.nodes import Expression
from streamsql.plan.nodes import AggregateCall, Frame


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
class WindowNode(Expression):
    """A call with OVER inside an expression, until the query knows its column."""

    call: AggregateCall
    partition: tuple[Expression, ...]
    frame: Frame

    @property
    def children(self) -> tuple[Expression, ...]:
        return (*self.call.arguments, *self.partition)

    def with_children(self, children: tuple[Expression, ...]) -> Self:
        count = len(self.call.arguments)
        return replace(self, call=replace(self.call, arguments=children[:count]), partition=children[count:])


def has(expression: Expression, kind: type[Expression]) -> bool:
    """Whether some node of `expression` is of this class."""
    return any(isinstance(node, kind) for node in expression.walk())
