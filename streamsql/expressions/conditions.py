"""Conditions: put together with AND, and taken apart."""

from __future__ import annotations

from collections.abc import Iterable

from streamsql.expressions.nodes import Call, Constant, Expression
from streamsql.functions.registry import SCALARS
from streamsql.types import BOOLEAN

TRUE: Expression = Constant(BOOLEAN, True)


def boolean_call(name: str, *arguments: Expression) -> Expression:
    """A function that gives a BOOLEAN, of arguments that it takes as they are."""
    return Call(BOOLEAN, SCALARS[name][0], arguments)


def both(first: Expression, second: Expression) -> Expression:
    """`first AND second`."""
    return boolean_call("AND", first, second)


def conjuncts(condition: Expression) -> list[Expression]:
    """The conditions that AND joins, from left to right; none of TRUE."""
    if condition == TRUE:
        return []
    if isinstance(condition, Call) and condition.function.name == "AND":
        return [part for argument in condition.arguments for part in conjuncts(argument)]
    return [condition]


def conjunction(parts: Iterable[Expression]) -> Expression:
    """Conditions joined by AND; TRUE of none."""
    result = TRUE
    for part in parts:
        result = part if result == TRUE else both(result, part)
    return result


def is_stable(expression: Expression) -> bool:
    """Whether it gives the same value when it is evaluated again."""
    return not any(isinstance(node, Call) and node.function.volatile for node in expression.walk())
