"""The functions for the rules of grammar/external.lark: CREATE TABLE AS, UNLOAD."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lark import Token
from sqlglot import exp

from streamsql.errors import ProgrammingError
from streamsql.sql.lexer import span_of
from streamsql.sql.rules import rule
from streamsql.sql.trees.external_parts import Clause, each_once
from streamsql.statements.external_ddl import Text
from streamsql.statements.external_dml import CreateTableAs, RedshiftUnload, Unload, UnloadOption, WithProperty
from streamsql.statements.statement import Identifier, ObjectName


@rule
def as_query(query: exp.Expression | None = None) -> exp.Expression | None:
    return query


@rule
def with_name(name: Text | Token) -> Text:
    return name if isinstance(name, Text) else Text(str(name), span_of(name))


@rule
def with_property(name: Identifier, *values: str | Text) -> WithProperty:
    if len(values) == 1 and isinstance(values[0], str):
        return WithProperty(name.text, Text(values[0], name.span), name.span)
    return WithProperty(name.text, tuple(value for value in values if isinstance(value, Text)), name.span)


@rule
def with_clause_of_table(*properties: WithProperty) -> tuple[WithProperty, ...]:
    return properties


@rule
def with_data(*words: Token) -> bool:
    return not any(word.type == "NO" for word in words)


@rule
def create_table_as(
    if_not_exists: bool, name: ObjectName, properties: tuple[WithProperty, ...], query: exp.Expression, with_data: bool
) -> CreateTableAs:
    return CreateTableAs(name, query, properties, if_not_exists, with_data)


@rule
def unloaded(query: exp.Expression | Token) -> exp.Expression | Text:
    return Text(query[1:-1].replace("''", "'"), span_of(query)) if isinstance(query, Token) else query


@rule
def athena_unload(query: exp.Expression | Text, location: Text, *properties: WithProperty) -> Unload:
    if isinstance(query, Text):
        raise ProgrammingError(
            "UNLOAD with properties takes a query, not a text", query.span, "UNLOAD (SELECT ...) TO ... WITH (...)"
        )
    return Unload(query, location, properties)


@rule
def redshift_unload(query: exp.Expression | Text, location: Text, *options: Clause) -> RedshiftUnload:
    return RedshiftUnload(query, location, each_once(options))


def _option(name: str, token: Token, values: Sequence[Identifier | Text] = ()) -> Clause:
    span = span_of(token)
    return Clause(name, UnloadOption(tuple(values), span), span)


def _words(tokens: Sequence[Token]) -> list[Text]:
    return [Text(str(token).upper(), span_of(token)) for token in tokens]


@rule
def unload_format(token: Token) -> Token:
    return token


@rule
def unload_option(token: Token) -> Clause:
    return _option("FORMAT", token, _words([token]))


@rule
def partition_include(*words: Token) -> list[Text]:
    return _words(words)


@rule
def unload_partition(*parts: Any) -> Clause:
    *names, include = parts
    span = names[0].span
    return Clause("PARTITION", UnloadOption((*names, *include), span), span)


@rule
def unload_word(*tokens: Token) -> Token:
    return tokens[0]


@rule
def unload_flag(token: Token) -> Clause:
    return _option(token.type, token)


@rule
def unload_compression(token: Token) -> Token:
    return token


@rule
def unload_compressed(token: Token) -> Clause:
    return _option("COMPRESSION", token, _words([token]))


@rule
def unload_key(token: Token) -> Token:
    return token


@rule
def unload_value(token: Token, text: Text) -> Clause:
    return _option(token.type, token, [text])


@rule
def manifest_verbose(*words: Token) -> list[Text]:
    return _words(words)


@rule
def unload_manifest(verbose: list[Text]) -> Clause:
    return Clause("MANIFEST", UnloadOption(tuple(verbose)))


@rule
def unload_switch(*words: Token) -> list[Text]:
    return [Text("OFF" if word.type in ("OFF", "FALSE") else "ON", span_of(word)) for word in words]


@rule
def unload_parallel(switch: list[Text]) -> Clause:
    return Clause("PARALLEL", UnloadOption(tuple(switch)))


@rule
def unload_size(token: Token) -> Token:
    return token


@rule
def size_unit(*words: Token) -> list[Text]:
    return _words(words)


@rule
def unload_sized(token: Token, size: exp.Expression, unit: list[Text]) -> Clause:
    return _option(token.type, token, [Text(str(size.this), span_of(token)), *unit])


@rule
def unload_role(role: Text | None = None) -> Clause:
    return Clause("IAM_ROLE", UnloadOption(() if role is None else (role,)))
