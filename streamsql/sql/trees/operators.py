"""Calls and operators over built operands."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from streamsql.sql.rules import at, span_of

BALANCED_FROM = 16
"""Operands from which a chain of AND, OR or || becomes a balanced tree, so that long ones do not nest too deep."""


def call_of(name: str, *arguments: exp.Expression) -> exp.Anonymous:
    """A call of the function `name`."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def operation(kind: type[exp.Expression], left: exp.Expression, right: exp.Expression) -> exp.Expression:
    """A binary operator over two built operands."""
    return at(kind(this=left, expression=right), span_of(left).to(span_of(right)))


def chain(kind: type[exp.Expression], operands: Sequence[exp.Expression]) -> exp.Expression:
    """An associative operator over its operands, leaning left while they are few."""
    if len(operands) >= BALANCED_FROM:
        middle = len(operands) // 2
        return operation(kind, chain(kind, operands[:middle]), chain(kind, operands[middle:]))
    result, *rest = operands
    for operand in rest:
        result = operation(kind, result, operand)
    return result
