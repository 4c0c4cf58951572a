"""Numbers that are written in a query."""

from __future__ import annotations

from decimal import Decimal

from sqlglot import exp

from streamsql import types
from streamsql.expressions.nodes import Constant
from streamsql.types import Kind


def literal(node: exp.Expression, as_double: bool) -> Constant:
    """The value of a literal; `as_double`: one with a point is DOUBLE."""
    type_, value = node.meta["type"], node.meta["value"]
    return Constant(types.DOUBLE, float(value)) if as_double and _has_point(node) else Constant(type_, value)


def folded_double(node: exp.Expression) -> Constant | None:
    """Literals with a point added up or multiplied, as the DOUBLE that is nearest to the exact result; None of anything else.

    So 0.06 + 0.01 is 0.07, and a DECIMAL of 0.07 is not more than that.
    """
    if isinstance(node, (exp.Add, exp.Sub, exp.Mul)) and any(map(_has_point, node.find_all(exp.Literal))):
        value = _exact(node)
        return None if value is None else Constant(types.DOUBLE, float(value))
    return None


def _exact(node: exp.Expression) -> Decimal | None:
    if isinstance(node, exp.Literal):
        value = node.meta["value"]
        return Decimal(value) if isinstance(value, (int, Decimal)) else None
    if isinstance(node, exp.Neg):
        operand = _exact(node.this)
        return None if operand is None else -operand
    if not isinstance(node, (exp.Add, exp.Sub, exp.Mul)):
        return None
    left, right = _exact(node.this), _exact(node.expression)
    if left is None or right is None:
        return None
    return left + right if isinstance(node, exp.Add) else left - right if isinstance(node, exp.Sub) else left * right


def _has_point(node: exp.Expression) -> bool:
    return isinstance(node, exp.Literal) and node.meta["type"].kind is Kind.DECIMAL and "." in str(node.this)
