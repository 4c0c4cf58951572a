"""The functions for the rules of grammar/external.lark that many statements share: names, texts, types, columns, clauses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from lark import Token
from sqlglot import exp

from streamsql.errors import ProgrammingError, Span
from streamsql.sql.hive_text import unescaped
from streamsql.sql.lexer import span_of
from streamsql.sql.rules import rule
from streamsql.statements.external_ddl import HiveColumn, HiveField, HiveType, Text
from streamsql.statements.statement import Identifier, ObjectName

MAX_LENGTH = 65_535
"""What `varchar(max)` means."""

Columns = tuple[HiveColumn, ...]
Property = tuple[str, str]


class Clause(NamedTuple):
    """A clause of a CREATE statement: the words with which it begins, and what it says."""

    words: str
    value: Any
    span: Span | None = None


@rule
def external_text(token: Token) -> Text:
    return Text(unescaped(str(token)), span_of(token))


@rule
def external_name(*tokens: Token) -> ObjectName:
    """The parts of a name; within one pair of back-ticks a dot parts them too."""
    parts = [_identifier(token) for token in tokens]
    if len(parts) == 1 and tokens[0].type == "BACKTICK_NAME":
        parts = [Identifier(part, True, parts[0].span) for part in parts[0].text.split(".")]
    return ObjectName(tuple(parts))


@rule
def column_name(token: Token) -> Identifier:
    return _identifier(token)


def _identifier(token: Token) -> Identifier:
    text = str(token)
    if token.type in ("QUOTED_NAME", "BACKTICK_NAME"):
        text = text[1:-1] if token.type == "BACKTICK_NAME" else unescaped(text)
        if not text:
            raise ProgrammingError("a name cannot be empty", span_of(token))
        return Identifier(text, True, span_of(token))
    return Identifier(text, False, span_of(token))


@rule
def property_(key: Text, value: str) -> Property:
    return key.text, value


@rule
def property_value(value: Text | exp.Expression) -> str:
    return value.text if isinstance(value, Text) else constant_text(value)


@rule
def properties(*pairs: Property) -> dict[str, str]:
    return dict(pairs)


@rule
def if_not_exists(*words: Token) -> bool:
    return bool(words)


def constant_text(constant: exp.Expression) -> str:
    """A number, TRUE or FALSE as text."""
    return str(constant.this).lower() if isinstance(constant, exp.Boolean) else str(constant.this)


@rule
def plain_type(word: Token, second: str, arguments: tuple[int, ...]) -> HiveType:
    return HiveType(f"{word.lower()}{second}", arguments)


@rule
def type_second(*words: Token) -> str:
    return "".join(f" {word.lower()}" for word in words)


@rule
def hive_arguments(*arguments: int) -> tuple[int, ...]:
    return arguments


@rule
def hive_argument(number: Token | None = None) -> int:
    return MAX_LENGTH if number is None else int(number)


@rule
def array_type(element: HiveType) -> HiveType:
    return HiveType("array", fields=(HiveField("", element),))


@rule
def map_type(key: HiveType, value: HiveType) -> HiveType:
    return HiveType("map", fields=(HiveField("", key), HiveField("", value)))


@rule
def struct_type(*fields: HiveField) -> HiveType:
    return HiveType("struct", fields=fields)


@rule
def struct_field(name: Identifier, type_: HiveType, _comment: str | None) -> HiveField:
    return HiveField(name.text, type_)


@rule
def comment(text: Text | None = None) -> str | None:
    return None if text is None else text.text


@rule
def external_column(name: Identifier, type_: HiveType, comment: str | None) -> HiveColumn:
    return HiveColumn(name, type_, comment)


@rule
def external_columns(*columns: HiveColumn) -> Columns:
    return columns


def each_once(clauses: Iterable[Clause]) -> dict[str, Any]:
    """What the clauses of a statement say, by their words."""
    found: dict[str, Any] = {}
    for clause in clauses:
        if clause.words in found:
            raise ProgrammingError(f"{clause.words} is said twice", clause.span)
        found[clause.words] = clause.value
    return found


@rule
def comment_clause(text: Text) -> Clause:
    return Clause("COMMENT", text.text, text.span)


@rule
def location_clause(text: Text) -> Clause:
    return Clause("LOCATION", text, text.span)


@rule
def properties_clause(properties: dict[str, str]) -> Clause:
    return Clause("the list of properties", properties)
