"""A bound expression as SQL text: what EXPLAIN prints."""

from __future__ import annotations

import re
from decimal import Decimal

from streamsql.expressions.nodes import Call, Cast, Column, Constant, Expression, Member, Word
from streamsql.functions.registry import ScalarFunction
from streamsql.time import timestamp_text
from streamsql.types import Family, Kind

_PARAMETER = re.compile(r"(\w+)(\?|\.\.\.)?:\s*(\w+)")


def text(expression: Expression) -> str:
    """The expression, with the names of its columns; no parentheses around the whole."""
    shown = operand(expression)
    return shown[1:-1] if isinstance(expression, Call) and expression.function.infix and shown.startswith("(") else shown


def operand(expression: Expression) -> str:
    """The expression as an operand of an operator: another operation in parentheses."""
    match expression:
        case Column(name=name):
            return name
        case Word(word=word):
            return word
        case Constant():
            return _constant(expression)
        case Cast(operand=inner, type=type_):
            return f"CAST({text(inner)} AS {type_})"
        case Call(function=function, arguments=arguments):
            return _call(function, arguments)
        case Member(operand=inner, name=name):
            return f"{operand(inner)}.{name}"
        case _:
            return type(expression).__name__


def _constant(constant: Constant) -> str:
    value, type_ = constant.value, constant.type
    if value is None:
        return "NULL"
    if type_.kind is Kind.BOOLEAN:
        return str(value).upper()
    if type_.is_character:
        return "'" + str(value).replace("'", "''") + "'"
    if type_.family is Family.TIMESTAMP:
        return f"TIMESTAMP '{timestamp_text(value).removesuffix('.000')}'"
    if type_.family is Family.DAY_TIME:
        return f"INTERVAL '{Decimal(value) / 1000:f}' SECOND"
    if type_.family is Family.YEAR_MONTH:
        return f"INTERVAL '{value}' MONTH"
    return str(value)


def _call(function: ScalarFunction, arguments: tuple[Expression, ...]) -> str:
    shown = [(operand if function.infix else text)(argument) for argument in arguments]
    if function.name == "CASE":
        branches = " ".join(f"WHEN {when} THEN {then}" for when, then in zip(shown[::2], shown[1::2], strict=False))
        return f"CASE {branches} ELSE {shown[-1]} END"
    if function.infix and len(shown) == 2:
        return f"({shown[0]} {function.name} {shown[1]})"
    if function.infix and len(shown) == 1:
        if function.name.startswith("IS "):
            return f"({shown[0]} {function.name})"
        return f"-{shown[0]}" if function.name == "NEGATE" else f"({function.name} {shown[0]})"
    if len(shown) == len(function.signature.parameters) and not any(p.variadic for p in function.signature.parameters):
        # the signature says how the call is written: FLOOR(t: TIMESTAMP TO unit: UNIT)
        given = iter(shown)
        return _PARAMETER.sub(lambda _: next(given), function.signature.text.partition(" ->")[0])
    return f"{function.name}({', '.join(shown)})"
