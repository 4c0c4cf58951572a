"""The functions for the rules of grammar/streamsql.lark that are statements and their parts."""

from __future__ import annotations

from typing import Any

from lark import Token
from sqlglot import exp

from streamsql.errors import ProgrammingError, not_supported
from streamsql.sql.lexer import span_of as place
from streamsql.sql.rules import rule
from streamsql.sql.trees.names import Names
from streamsql.statements.statement import ColumnDefinition, Identifier, ObjectName, Statement
from streamsql.statements.streaming import (
    AlterPump,
    CreateForeignStream,
    CreateFunction,
    CreatePump,
    CreateStream,
    CreateView,
    Drop,
    Explain,
    Insert,
    Query,
    SetOption,
)
from streamsql.types import SqlType


@rule
def query_statement(query: exp.Expression) -> Query:
    return Query(query)


@rule
def or_replace(*words: Token) -> bool:
    return bool(words)


@rule
def description(text: exp.Literal | None = None) -> str | None:
    return text.this if text is not None else None


@rule
def not_null(*words: Token) -> bool:
    return bool(words)


@rule
def column_definition(name: Identifier, type_: SqlType, not_null: bool) -> ColumnDefinition:
    if type_.is_interval:
        raise ProgrammingError(f"INTERVAL cannot be the type of a column: {name}", hint="keep milliseconds in a BIGINT instead")
    return ColumnDefinition(name, type_, not not_null)


@rule
def column_definitions(*columns: ColumnDefinition) -> tuple[ColumnDefinition, ...]:
    return columns


@rule
def create_stream(
    replace: bool, name: ObjectName, columns: tuple[ColumnDefinition, ...], description: str | None
) -> CreateStream:
    return CreateStream(name, columns, replace, description)


@rule
def option_key(token: Token) -> Identifier:
    quoted = token.type == "QUOTED_NAME"
    return Identifier(token[1:-1].replace('""', '"') if quoted else str(token), quoted, place(token))


@rule
def option(key: Identifier, value: exp.Literal) -> tuple[Identifier, str]:
    return key, value.this


@rule
def options(*pairs: tuple[Identifier, str]) -> tuple[tuple[Identifier, str], ...]:
    return pairs


@rule
def create_foreign_stream(
    replace: bool,
    name: ObjectName,
    columns: tuple[ColumnDefinition, ...],
    server: Identifier,
    options: tuple[tuple[Identifier, str], ...],
    description: str | None,
) -> CreateForeignStream:
    return CreateForeignStream(name, columns, server, options, replace, description)


@rule
def pump_state(*words: Token) -> bool:
    return not words or words[0].type == "STARTED"


@rule
def create_pump(replace: bool, name: ObjectName, started: bool, description: str | None, insert: Insert) -> CreatePump:
    return CreatePump(name, insert, replace, started, description)


@rule
def create_view(
    replace: bool, name: ObjectName, columns: Names | None, description: str | None, query: exp.Expression
) -> CreateView:
    return CreateView(name, columns, query, replace, description)


@rule
def parameter(name: Identifier, type_: SqlType) -> ColumnDefinition:
    return ColumnDefinition(name, type_)


@rule
def parameters(*parameters: ColumnDefinition) -> tuple[ColumnDefinition, ...]:
    return parameters


@rule
def function_clause(*words: Token | ObjectName) -> str | Identifier:
    if isinstance(words[-1], ObjectName):
        return words[-1].last
    return " ".join(word.type for word in words if isinstance(word, Token))


@rule
def function_clauses(*clauses: str | Identifier) -> tuple[str | Identifier, ...]:
    for one, other in _CONTRADICTIONS:
        if one in clauses and other in clauses:
            raise ProgrammingError(f"a function is {one} or {other}, not both")
    return clauses


_CONTRADICTIONS = (("RETURNS NULL ON NULL INPUT", "CALLED ON NULL INPUT"), ("DETERMINISTIC", "NOT DETERMINISTIC"))


@rule
def create_function(
    replace: bool,
    name: ObjectName,
    parameters: tuple[ColumnDefinition, ...],
    returns: SqlType,
    clauses: tuple[str | Identifier, ...],
    body: exp.Expression,
) -> CreateFunction:
    null_on_null_input = "RETURNS NULL ON NULL INPUT" in clauses
    specific = next((clause for clause in clauses if isinstance(clause, Identifier)), None)
    reads_data = any(f"{verb} SQL DATA" in clauses for verb in ("READS", "MODIFIES"))
    return CreateFunction(name, parameters, returns, body, replace, null_on_null_input, specific, reads_data)


@rule
def expedited(*words: Token) -> bool:
    return bool(words)


@rule
def insert_columns(*names: Identifier) -> Names:
    return names


@rule
def insert(expedited: bool, target: ObjectName, *rest: Any) -> Insert:
    *columns, query = rest
    return Insert(target, columns[0] if columns else None, query, expedited)


@rule
def alter_pump(_alter: Token, _pump: Token, name: ObjectName, action: Token) -> AlterPump:
    return AlterPump(name, action.type == "START")


@rule
def signed_number(value: exp.Literal) -> exp.Literal:
    return exp.Literal(this=f"-{value.this}", is_string=False)


@rule
def set_option(name: Identifier, value: exp.Literal | Identifier) -> SetOption:
    return SetOption(name.name, value.text if isinstance(value, Identifier) else value.this)


@rule
def set_schema(schema: exp.Literal) -> SetOption:
    return SetOption("SCHEMA", schema.this)


@rule
def drop_kind(*words: Token) -> str:
    return " ".join(word.type for word in words)


@rule
def if_exists(*words: Token) -> bool:
    return bool(words)


@rule
def drop_behaviour(*words: Token) -> bool:
    return any(word.type == "CASCADE" for word in words)


@rule
def drop(kind: str, if_exists: bool, name: ObjectName, cascade: bool) -> Drop:
    return Drop(kind, name, if_exists, cascade)


@rule
def explain(statement: Statement) -> Explain:
    return Explain(statement)


@rule
def explain_analyze(statement: Statement) -> Explain:
    return Explain(statement, analyze=True)


EXPLAIN_OPTIONS = {"FORMAT": ("TEXT", "REDSHIFT"), "TYPE": ("LOGICAL",)}
"""What EXPLAIN (...) takes of Athena's options, and one form more."""


@rule
def explain_option(key: Token, value: Token) -> tuple[str, str]:
    name, word = key.upper(), value.upper()
    known = EXPLAIN_OPTIONS.get(name)
    if known is None:
        raise ProgrammingError(f"EXPLAIN has no option {key}", place(key), "FORMAT TEXT or FORMAT REDSHIFT")
    if word not in known:
        raise not_supported(f"EXPLAIN ({name} {word})", place(value), " or ".join(f"{name} {other}" for other in known))
    return name, word


@rule
def explain_as(*parts: Any) -> Explain:
    *options, statement = parts
    return Explain(statement, form=dict(options).get("FORMAT"))
