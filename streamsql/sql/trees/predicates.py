"""The functions for the rules of logic and predicates."""

from __future__ import annotations

from lark import Token
from sqlglot import exp

from streamsql.sql.rules import at, rule, span_of
from streamsql.sql.trees.operators import call_of, chain, operation

_COMPARISONS: dict[str, type[exp.Expression]] = {
    "=": exp.EQ,
    "<>": exp.NEQ,
    "!=": exp.NEQ,
    "<": exp.LT,
    "<=": exp.LTE,
    ">": exp.GT,
    ">=": exp.GTE,
}


def _negated(predicate: exp.Expression, negate: bool, last: exp.Expression) -> exp.Expression:
    """`predicate`, which ends with `last`, or its negation."""
    at(predicate, span_of(predicate.this).to(span_of(last)))
    return exp.Not(this=predicate) if negate else predicate


@rule
def disjunction(*operands: exp.Expression) -> exp.Expression:
    return chain(exp.Or, operands)


@rule
def conjunction(*operands: exp.Expression) -> exp.Expression:
    return chain(exp.And, operands)


@rule
def negation(operand: exp.Expression) -> exp.Expression:
    return exp.Not(this=operand)


@rule
def is_value(operand: exp.Expression, negate: bool, value: exp.Expression) -> exp.Expression:
    return _negated(exp.Is(this=operand, expression=value), negate, value)


@rule
def is_distinct(left: exp.Expression, negate: bool, right: exp.Expression) -> exp.Expression:
    return (exp.NullSafeEQ if negate else exp.NullSafeNEQ)(this=left, expression=right)


@rule
def comparison_operator(token: Token) -> str:
    return str(token)


@rule
def comparison(left: exp.Expression, operator: str, right: exp.Expression) -> exp.Expression:
    return operation(_COMPARISONS[operator], left, right)


@rule
def quantifier(token: Token) -> type[exp.Expression]:
    return exp.All if token.type == "ALL" else exp.Any


@rule
def quantified(left: exp.Expression, operator: str, kind: type[exp.Expression], query: exp.Subquery) -> exp.Expression:
    return _COMPARISONS[operator](this=left, expression=at(kind(this=query), span_of(query)))


@rule
def negated(*words: Token) -> bool:
    return bool(words)


@rule
def between(value: exp.Expression, negate: bool, low: exp.Expression, high: exp.Expression) -> exp.Expression:
    return _negated(exp.Between(this=value, low=low, high=high), negate, high)


@rule
def in_query(value: exp.Expression, negate: bool, query: exp.Subquery) -> exp.Expression:
    return _negated(exp.In(this=value, query=query), negate, query)


@rule
def in_list(value: exp.Expression, negate: bool, *values: exp.Expression) -> exp.Expression:
    return _negated(exp.In(this=value, expressions=list(values)), negate, values[-1])


@rule
def escape(character: exp.Expression | None = None) -> exp.Expression | None:
    return character


@rule
def like(value: exp.Expression, negate: bool, pattern: exp.Expression, escape: exp.Expression | None) -> exp.Expression:
    return _negated(_match(exp.Like, value, pattern, escape), negate, escape or pattern)


@rule
def ilike(value: exp.Expression, negate: bool, pattern: exp.Expression, escape: exp.Expression | None) -> exp.Expression:
    return _negated(_match(exp.ILike, value, pattern, escape), negate, escape or pattern)


@rule
def similar(value: exp.Expression, negate: bool, pattern: exp.Expression, escape: exp.Expression | None) -> exp.Expression:
    return _negated(_match(exp.SimilarTo, value, pattern, escape), negate, escape or pattern)


def _match(
    kind: type[exp.Expression], value: exp.Expression, pattern: exp.Expression, escape: exp.Expression | None
) -> exp.Expression:
    match = operation(kind, value, pattern)
    return exp.Escape(this=match, expression=escape) if escape else match


@rule
def temporal_operator(*words: Token) -> str:
    return "_".join(word.type for word in words)


@rule
def temporal(first: exp.Expression, *rest: str | exp.Expression) -> exp.Expression:
    """p1 PRECEDES p2 PRECEDES p3 is p1 PRECEDES p2 AND p2 PRECEDES p3."""
    conditions: list[exp.Expression] = []
    left = first
    for operator, right in zip(rest[::2], rest[1::2]):
        assert isinstance(operator, str) and isinstance(right, exp.Expression)
        conditions.append(at(call_of(operator, left, right), span_of(left).to(span_of(right))))
        left = right.copy()
    return chain(exp.And, conditions)
