"""The functions for the rules of literals and types."""

from __future__ import annotations

from lark import Token
from sqlglot import exp

from streamsql import types
from streamsql.errors import ProgrammingError
from streamsql.sql import literals
from streamsql.sql.lexer import span_of as place
from streamsql.sql.rules import at, rule
from streamsql.sql.sqlglot_types import data_type
from streamsql.type_names import sql_type
from streamsql.types import IntervalQualifier, SqlType


def string_literal(text: str) -> exp.Literal:
    """A string with its type and value in meta."""
    literal = exp.Literal.string(text)
    literal.meta.update(type=types.char(len(text)), value=text)
    return literal


def number_literal(text: str) -> exp.Literal:
    """An unsigned number with its type and value in meta."""
    literal = exp.Literal(this=text, is_string=False)
    type_, value = literals.number(text)
    literal.meta.update(type=type_, value=value)
    return literal


@rule
def string(token: Token) -> exp.Literal:
    return string_literal(_unquoted(token))


@rule
def unicode_string(token: Token, escape: Token | None = None) -> exp.Literal:
    body = token[token.index("'") + 1 : -1].replace("''", "'")
    return string_literal(literals.unicode_text(body, _unquoted(escape) if escape else "\\"))


def _unquoted(token: Token) -> str:
    return token[1:-1].replace("''", "'")


@rule
def number(token: Token) -> exp.Literal:
    return number_literal(str(token))


@rule
def constant(word: Token) -> exp.Expression:
    is_value = word.type in ("TRUE", "FALSE")
    node: exp.Expression = exp.Boolean(this=word.type == "TRUE") if is_value else exp.Null()
    node.meta["type"] = types.NULL if word.type == "NULL" else types.BOOLEAN
    return node


@rule
def datetime_word(word: Token) -> SqlType:
    return sql_type(word.type, ())


@rule
def escape_word(word: Token) -> SqlType:
    return {"D": types.DATE, "T": types.TIME, "TS": types.TIMESTAMP}[word.type]


@rule
def datetime(type_: SqlType, token: Token) -> exp.Expression:
    text = _unquoted(token)
    return _typed(token, type_, literals.datetime_value(type_.kind.value, text))


@rule
def interval_sign(*words: Token) -> str:
    return str(words[0]) if words else ""


@rule
def interval(sign: str, token: Token, qualifier: IntervalQualifier) -> exp.Expression:
    value = literals.interval_value(_unquoted(token), qualifier, negative=sign == "-")
    node = _typed(token, interval_type(qualifier), value)
    if sign == "-":
        node.this.set("this", "-" + node.this.this)
    return node


@rule
def interval_in_words(sign: str, token: Token) -> exp.Expression:
    qualifier, value = literals.interval_in_words(_unquoted(token), negative=sign == "-")
    return _typed(token, interval_type(qualifier), value)


def _typed(token: Token, type_: SqlType, value: object) -> exp.Cast:
    """The one form of the literals that name their type: a CAST of their text that has its value in meta."""
    text = at(string_literal(_unquoted(token)), place(token))
    node = exp.Cast(this=text, to=data_type(type_))
    node.meta.update(type=type_, value=value)
    return node


@rule
def leading_unit(word: Token) -> str:
    return word.type


@rule
def leading_precision(*tokens: Token) -> int | None:
    return int(tokens[0]) if tokens else None


@rule
def leading_field(unit: str, precision: int | None) -> IntervalQualifier:
    return literals.qualifier(unit, unit, precision if precision is not None else 2)


@rule
def trailing_unit(word: Token) -> str:
    return word.type


@rule
def trailing_field(unit: str, precision: int | None) -> IntervalQualifier:
    if precision is not None and unit != "SECOND":
        raise ProgrammingError(f"{unit} at the end of an interval has no precision", hint=f"TO {unit}")
    return literals.qualifier(unit, unit, fraction=precision if precision is not None else 3)


@rule
def second_field(*tokens: Token) -> IntervalQualifier:
    return literals.qualifier("SECOND", "SECOND", *map(int, tokens))


@rule
def interval_qualifier(first: IntervalQualifier, last: IntervalQualifier | None = None) -> IntervalQualifier:
    if last is None:
        return first
    return literals.qualifier(first.start, last.end, first.precision, last.fraction)


# Types.


@rule
def type_name(*words: Token) -> str:
    return " ".join(word.type for word in words)


@rule
def type_arguments(*numbers: Token) -> tuple[int, ...]:
    return tuple(map(int, numbers))


@rule
def type_(name: str, arguments: tuple[int, ...]) -> SqlType:
    return sql_type(name, arguments)


@rule
def interval_type(qualifier: IntervalQualifier) -> SqlType:
    return types.interval(qualifier.start, qualifier.end, qualifier.precision, qualifier.fraction)
