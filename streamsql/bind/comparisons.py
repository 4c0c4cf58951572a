"""Comparisons with subqueries and of rows: IN, ANY, ALL, (a, b) = (c, d)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from streamsql.bind.binder import Binder
from streamsql.bind.functions import call_scalar
from streamsql.bind.subqueries import any_of
from streamsql.bind.wording import counted
from streamsql.errors import ProgrammingError, Span, not_supported
from streamsql.expressions.nodes import Expression

OPERATORS: dict[type[exp.Expression], str] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "MOD",
    exp.DPipe: "||",
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.And: "AND",
    exp.Or: "OR",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM",
    exp.NullSafeNEQ: "IS DISTINCT FROM",
}
"""The infix operators and the functions that compute them."""

OPPOSITES = {"=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
"""The comparisons that are true where the others are false."""


def is_special(node: exp.Expression) -> bool:
    """Whether `node` compares with a subquery, or compares rows."""
    if isinstance(node, exp.In):
        return node.args.get("query") is not None or isinstance(node.this, exp.Tuple)
    return type(node) in OPERATORS and (isinstance(node.expression, (exp.Any, exp.All)) or isinstance(node.this, exp.Tuple))


def compared(node: exp.Expression, binder: Binder, only_true: bool = False) -> Expression:
    """Such a comparison; `only_true`: where it counts only whether it is TRUE."""
    span = node.meta.get("span")
    left = _row(node.this, binder)
    if isinstance(node, exp.In):
        query = node.args.get("query")
        if query is not None:
            return any_of("=", left, binder.inner(query), only_true, span)
        return _some([_equal(*_alike(left, _row(row, binder), binder, node), span) for row in node.expressions], span)
    operator, right = OPERATORS[type(node)], node.expression
    if isinstance(right, exp.Any):
        return any_of(operator, left, binder.inner(right.this), only_true, span)
    if isinstance(right, exp.All):  # it does not hold the other way round for any
        return call_scalar("NOT", [any_of(OPPOSITES[operator], left, binder.inner(right.this), False, span)], span)
    left, row = _alike(left, _row(right, binder), binder, node)
    if operator in ("=", "<>"):
        equal = _equal(left, row, span)
        return equal if operator == "=" else call_scalar("NOT", [equal], span)
    if operator not in OPPOSITES:
        raise not_supported(f"{operator} of rows", span, "=, <>, <, <=, > and >= compare rows")
    return _ordered(operator, left, row, span)


def _row(node: exp.Expression, binder: Binder) -> list[Expression]:
    """The values of a row, or the one value."""
    return [binder.bind(value) for value in (node.expressions if isinstance(node, exp.Tuple) else (node,))]


def _alike(
    left: list[Expression], right: list[Expression], binder: Binder, node: exp.Expression
) -> tuple[list[Expression], list[Expression]]:
    """Two rows, whose values are compared place by place."""
    if len(left) != len(right):
        return left, right
    pairs = [binder.alike([x, y], node) for x, y in zip(left, right, strict=True)]
    return [x for x, _ in pairs], [y for _, y in pairs]


def _equal(left: Sequence[Expression], right: Sequence[Expression], span: Span | None) -> Expression:
    _check_width(left, right, span)
    result, *steps = (call_scalar("=", [x, y], span) for x, y in zip(left, right, strict=True))
    for step in steps:
        result = call_scalar("AND", [result, step], span)
    return result


def _ordered(operator: str, left: Sequence[Expression], right: Sequence[Expression], span: Span | None) -> Expression:
    """Rows as words are compared: by the first place where they differ, `operator` at the last."""
    _check_width(left, right, span)
    result = call_scalar(operator, [left[-1], right[-1]], span)
    for x, y in reversed(list(zip(left[:-1], right[:-1], strict=True))):
        decides, equal = call_scalar(operator[0], [x, y], span), call_scalar("=", [x, y], span)
        result = call_scalar("OR", [decides, call_scalar("AND", [equal, result], span)], span)
    return result


def _check_width(left: Sequence[Expression], right: Sequence[Expression], span: Span | None) -> None:
    if len(left) != len(right):
        raise ProgrammingError(f"{counted(len(left))} on the left side, {len(right)} on the right", span)


def _some(conditions: Sequence[Expression], span: Span | None) -> Expression:
    result, *others = conditions
    for other in others:
        result = call_scalar("OR", [result, other], span)
    return result
