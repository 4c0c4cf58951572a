"""The functions for the rules of calls: of functions of every form, with what stands behind them."""

from __future__ import annotations

from lark import Token
from sqlglot import exp

from streamsql.errors import ProgrammingError
from streamsql.sql import foreign
from streamsql.sql.lexer import span_of as place
from streamsql.sql.rules import at, rule, span_of
from streamsql.sql.trees.literals import string_literal
from streamsql.sql.trees.operators import call_of
from streamsql.statements.statement import Identifier
from streamsql.types import UNITS


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
