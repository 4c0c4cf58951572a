"""The functions for the rules of grammar/expressions.lark.  Which node stands for what: see the table in `build`."""

from __future__ import annotations

from collections.abc import Sequence

from lark import Token
from sqlglot import exp

from streamsql.errors import ProgrammingError
from streamsql.sql import foreign
from streamsql.sql.build_literals import interval_type, string_literal
from streamsql.sql.build_names import identifier
from streamsql.sql.lexer import span_of as place
from streamsql.sql.rules import at, rule, span_of
from streamsql.sql.sqlglot_types import data_type
from streamsql.statements import Identifier
from streamsql.types import DATE, UNITS, IntervalQualifier, SqlType

BALANCED_FROM = 16
"""Operands from which a chain of AND, OR or || becomes a balanced tree, so that long ones do not nest too deep."""

_COMPARISONS: dict[str, type[exp.Expression]] = {
    "=": exp.EQ,
    "<>": exp.NEQ,
    "!=": exp.NEQ,
    "<": exp.LT,
    "<=": exp.LTE,
    ">": exp.GT,
    ">=": exp.GTE,
}


def call_of(name: str, *arguments: exp.Expression) -> exp.Anonymous:
    """A call of the function `name`."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def operation(kind: type[exp.Expression], left: exp.Expression, right: exp.Expression) -> exp.Expression:
    """A binary operator over two built operands."""
    return at(kind(this=left, expression=right), span_of(left).to(span_of(right)))


def _chain(kind: type[exp.Expression], operands: Sequence[exp.Expression]) -> exp.Expression:
    """An associative operator over its operands, leaning left while they are few."""
    if len(operands) >= BALANCED_FROM:
        middle = len(operands) // 2
        return operation(kind, _chain(kind, operands[:middle]), _chain(kind, operands[middle:]))
    result, *rest = operands
    for operand in rest:
        result = operation(kind, result, operand)
    return result


def _negated(predicate: exp.Expression, negate: bool, last: exp.Expression) -> exp.Expression:
    """`predicate`, which ends with `last`, or its negation."""
    at(predicate, span_of(predicate.this).to(span_of(last)))
    return exp.Not(this=predicate) if negate else predicate


# Logic and predicates.


@rule
def disjunction(*operands: exp.Expression) -> exp.Expression:
    return _chain(exp.Or, operands)


@rule
def conjunction(*operands: exp.Expression) -> exp.Expression:
    return _chain(exp.And, operands)


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
    return _chain(exp.And, conditions)


# Arithmetic.


@rule
def concatenation(*operands: exp.Expression) -> exp.Expression:
    return _chain(exp.DPipe, operands)


@rule
def addition(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    return operation(exp.Add, left, right)


@rule
def subtraction(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    return operation(exp.Sub, left, right)


@rule
def multiplication(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    return operation(exp.Mul, left, right)


@rule
def division(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    return operation(exp.Div, left, right)


@rule
def modulo(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    return operation(exp.Mod, left, right)


@rule
def negative(operand: exp.Expression) -> exp.Expression:
    return exp.Neg(this=operand)


@rule
def positive(operand: exp.Expression) -> exp.Expression:
    return operand


@rule
def difference(value: exp.Expression, qualifier: IntervalQualifier) -> exp.Expression:
    node = call_of("INTERVAL", value, exp.Var(this=str(qualifier)))
    node.meta["type"] = interval_type(qualifier)
    return node


# Primaries.


@rule
def column(*names: Identifier) -> exp.Expression:
    if len(names) > 4:
        raise ProgrammingError("a column has four names at most: catalog.schema.table.column")
    parts = dict(zip(("this", "table", "db", "catalog"), map(identifier, reversed(names))))
    return exp.Column(**parts)


@rule
def placeholder(index: Token) -> exp.Expression:
    node = exp.Placeholder()
    node.meta["index"] = int(index)
    return node


@rule
def named_placeholder(name: Token) -> exp.Expression:
    return exp.Placeholder(this=str(name))


@rule
def row(*values: exp.Expression) -> exp.Expression:
    return exp.Tuple(expressions=list(values))


@rule
def exists(query: exp.Subquery) -> exp.Expression:
    return exp.Exists(this=query.this)


@rule
def case_operand(operand: exp.Expression | None = None) -> exp.Expression | None:
    return operand


@rule
def case_branch(condition: exp.Expression, result: exp.Expression) -> exp.Expression:
    return exp.If(this=condition, true=result)


@rule
def case_default(result: exp.Expression | None = None) -> exp.Expression | None:
    return result


@rule
def case(operand: exp.Expression | None, *parts: exp.Expression | None) -> exp.Expression:
    *branches, default = parts
    return exp.Case(this=operand, ifs=branches, default=default)


@rule
def cast(value: exp.Expression, type_: SqlType) -> exp.Expression:
    node = exp.Cast(this=value, to=data_type(type_))
    node.meta["type"] = type_
    return node


@rule
def try_cast(value: exp.Expression, type_: SqlType) -> exp.Expression:
    return call_of("TRY", at(cast(value, type_), span_of(value)))


@rule
def convert(type_: SqlType, value: exp.Expression) -> exp.Expression:
    return cast(value, type_)


@rule
def date_of(value: exp.Expression) -> exp.Expression:
    return cast(value, DATE)


# Lists.


@rule
def array_elements(*values: exp.Expression) -> list[exp.Expression]:
    return list(values)


@rule
def array(values: list[exp.Expression]) -> exp.Expression:
    return call_of("ARRAY", *values)


@rule
def subscript(value: exp.Expression, key: exp.Expression) -> exp.Expression:
    return call_of("SUBSCRIPT", value, key)


# Functions.


@rule
def arguments(*parts: Token | exp.Expression) -> list[exp.Expression]:
    """What stands in the brackets of a call; ORDER BY is the last, where it is there."""
    values = [part for part in parts if isinstance(part, exp.Expression)]
    order = [values.pop()] if values and isinstance(values[-1], exp.Order) else []
    first = parts[0] if parts else None
    if isinstance(first, Token) and first.type == "DISTINCT":
        values = [at(exp.Distinct(expressions=values), place(first).to(span_of(values[-1])))]
    return [*values, *order]


@rule
def call(*parts: Identifier | Token | list[exp.Expression]) -> exp.Expression:
    """The last of the names is the function's; a schema in front of it does not count in this dialect."""
    name, arguments = parts[-2:]
    assert isinstance(arguments, list)
    if isinstance(name, Token):
        name = Identifier(str(name), span=place(name))
    assert isinstance(name, Identifier)
    foreign.check_function(name)
    order = arguments[-1] if arguments and isinstance(arguments[-1], exp.Order) else None
    node = call_of(name.name, *(arguments if order is None else arguments[:-1]))
    if name.quoted:
        node.meta["quoted"] = True
    return node if order is None else ordered_set(at(node, name.span.to(span_of(order))), order)


@rule
def within_group(order: exp.Order) -> exp.Order:
    return order


@rule
def ordered_set(call: exp.Expression, order: exp.Order, window: exp.Window | None = None) -> exp.Expression:
    node = at(exp.WithinGroup(this=call, expression=order), span_of(call).to(span_of(order)))
    return node if window is None else window_function(node, window)


@rule
def from_end(*words: Token) -> str | None:
    return words[-1].type if words else None


@rule
def nth_value(*parts: exp.Expression | str | None) -> exp.Expression:
    *arguments, end = parts
    values = [argument for argument in arguments if isinstance(argument, exp.Expression)]
    if isinstance(end, str):
        values.append(exp.Var(this=end))
    return call_of("NTH_VALUE", *values)


@rule
def null_treatment(word: Token, _nulls: Token) -> type[exp.Expression]:
    return exp.IgnoreNulls if word.type == "IGNORE" else exp.RespectNulls


@rule
def null_treated(call: exp.Expression, treatment: type[exp.Expression], window: exp.Window | None = None) -> exp.Expression:
    node = at(treatment(this=call), span_of(call))
    return node if window is None else window_function(node, window)


@rule
def filter_(condition: exp.Expression) -> exp.Where:
    return exp.Where(this=condition)


@rule
def filtered(call: exp.Expression, condition: exp.Where, window: exp.Window | None = None) -> exp.Expression:
    node = at(exp.Filter(this=call, expression=condition), span_of(call).to(span_of(condition)))
    return node if window is None else window_function(node, window)


@rule
def window_function(call: exp.Expression, window: exp.Window) -> exp.Expression:
    window.meta["span"] = span_of(call).to(span_of(window))
    window.set("this", call)
    return window


@rule
def rounding_unit(unit: exp.Expression | None = None) -> exp.Expression | None:
    return unit


@rule
def floor(value: exp.Expression, unit: exp.Expression | None) -> exp.Expression:
    return exp.Floor(this=value, to=unit)


@rule
def ceil(value: exp.Expression, unit: exp.Expression | None) -> exp.Expression:
    return exp.Ceil(this=value, to=unit)


@rule
def unit(word: Token) -> exp.Expression:
    return exp.Var(this=word.type)


@rule
def step(value: exp.Expression, width: exp.Expression) -> exp.Expression:
    return call_of("STEP", value, width)


@rule
def extract(unit: exp.Expression, value: exp.Expression) -> exp.Expression:
    return call_of("EXTRACT", unit, value)


PARTS = ("QUARTER", "WEEK", "DAY_OF_WEEK", "DOW", "DAY_OF_YEAR", "DOY", "MILLISECOND", "EPOCH")
"""The parts of a time that are no unit of an interval."""


@rule
def extract_part(word: Token, value: exp.Expression) -> exp.Expression:
    if word.upper() not in PARTS:
        units = ", ".join((*UNITS, *PARTS))
        raise ProgrammingError(f"no unit {word}: there are {units}", place(word))
    return call_of("DATE_PART", at(string_literal(word.lower()), place(word)), value)


@rule
def substring_from(*arguments: exp.Expression) -> exp.Expression:
    return _substring("from", *arguments)


@rule
def substring_comma(*arguments: exp.Expression) -> exp.Expression:
    return _substring("comma", *arguments)


@rule
def substring_similar(*arguments: exp.Expression) -> exp.Expression:
    return _substring("similar", *arguments)


def _substring(form: str, *arguments: exp.Expression) -> exp.Expression:
    node = call_of("SUBSTRING_SIMILAR" if form == "similar" else "SUBSTRING", *arguments)
    node.meta["form"] = form
    return node


@rule
def trim_side(*words: Token) -> exp.Expression:
    return exp.Var(this=words[0].type if words else "BOTH")


@rule
def trim(side: exp.Expression, *values: exp.Expression) -> exp.Expression:
    *character, value = values
    blank = at(string_literal(" "), span_of(value))
    return call_of("TRIM", side, character[0] if character else blank, value)


@rule
def overlay(*arguments: exp.Expression) -> exp.Expression:
    return call_of("OVERLAY", *arguments)


@rule
def position(sought: exp.Expression, value: exp.Expression) -> exp.Expression:
    return call_of("POSITION", sought, value)


@rule
def niladic(word: Token, *_brackets: Token) -> exp.Expression:
    return call_of(word.type)
