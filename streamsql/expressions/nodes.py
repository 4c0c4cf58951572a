"""A bound expression is a column, a constant, a call, a cast or a field of a record.  Every node knows its type."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Self

from streamsql.coercion import lossless
from streamsql.errors import Span
from streamsql.functions.registry import ScalarFunction
from streamsql.types import SqlType


@dataclass(frozen=True, slots=True)
class Expression:
    """The base; `type` is the type of the values."""

    type: SqlType

    @property
    def children(self) -> tuple[Expression, ...]:
        return ()

    def with_children(self, children: tuple[Expression, ...]) -> Self:
        """The same node over other children, as many as it has."""
        return self

    def walk(self) -> Iterator[Expression]:
        """This node and everything below it."""
        yield self
        for child in self.children:
            yield from child.walk()

    def columns(self) -> frozenset[int]:
        """The positions of the input columns it reads."""
        return frozenset(node.index for node in self.walk() if isinstance(node, Column))

    @property
    def is_constant(self) -> bool:
        """Whether it gives the same value for every row and every time."""
        return all(
            not isinstance(node, Column) and not (isinstance(node, Call) and node.function.volatile) for node in self.walk()
        )

    @property
    def can_fail(self) -> bool:
        """Whether some row may fail in it."""
        return any(
            (isinstance(node, Cast) and not lossless(node.operand.type, node.type, node.assignment))
            or (isinstance(node, Call) and node.may_fail)
            for node in self.walk()
        )

    def rewrite(self, rule: Callable[[Expression], Expression]) -> Expression:
        """Apply `rule` to every node, from the leaves up."""
        children = self.children
        return rule(self.with_children(tuple(c.rewrite(rule) for c in children)) if children else self)


@dataclass(frozen=True, slots=True)
class Column(Expression):
    """Column `index` of the input batch; `name` is for people."""

    index: int
    name: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class Constant(Expression):
    """A value known when the query is planned.

    `value` is None, or what `pyarrow.scalar(value, type.arrow())` takes; TIMESTAMP, TIME and INTERVAL are whole
    milliseconds (months for year-month), DATE whole days since 1970.
    """

    value: Any


@dataclass(frozen=True, slots=True)
class Word(Expression):
    """A keyword argument such as the MINUTE of FLOOR(x TO MINUTE)."""

    word: str


@dataclass(frozen=True, slots=True)
class Call(Expression):
    """A function of the table, applied."""

    function: ScalarFunction
    arguments: tuple[Expression, ...]
    span: Span | None = field(default=None, compare=False)

    @property
    def may_fail(self) -> bool:
        """Whether the function itself may fail for some row, whatever its arguments do."""
        fails = self.function.fails
        return fails if isinstance(fails, bool) else fails([a.value if isinstance(a, Constant) else None for a in self.arguments])

    @property
    def children(self) -> tuple[Expression, ...]:
        return self.arguments

    def with_children(self, children: tuple[Expression, ...]) -> Self:
        return replace(self, arguments=children)


@dataclass(frozen=True, slots=True)
class Cast(Expression):
    """A conversion to `type`.

    `assignment`: as INSERT and implicit conversion do it (too long text is cut), not as an explicit CAST (which fails).
    """

    operand: Expression
    assignment: bool = False
    span: Span | None = field(default=None, compare=False)

    @property
    def children(self) -> tuple[Expression, ...]:
        return (self.operand,)

    def with_children(self, children: tuple[Expression, ...]) -> Self:
        return replace(self, operand=children[0])


@dataclass(frozen=True, slots=True)
class Member(Expression):
    """Field `index` of a record; of a record that is NULL it is NULL.  `name` is for people."""

    operand: Expression
    index: int
    name: str = field(compare=False)

    @property
    def children(self) -> tuple[Expression, ...]:
        return (self.operand,)

    def with_children(self, children: tuple[Expression, ...]) -> Self:
        return replace(self, operand=children[0])
