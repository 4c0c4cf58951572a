"""The functions for the rules of names, and sqlglot's forms of them."""

from __future__ import annotations

import re

from lark import Token
from sqlglot import exp

from streamsql.errors import ProgrammingError
from streamsql.sql.lexer import span_of as place
from streamsql.sql.rules import at, rule
from streamsql.statements.statement import Identifier, ObjectName

MAX_NAME = 128

_PLACEHOLDER = re.compile(r"\$\{[^}]*\}|%%\w+%%|%\{[^}]*\}")
"""What a template leaves in a name that was not filled in."""

Names = tuple[Identifier, ...]


@rule
def name(token: Token) -> Identifier:
    quoted = token.type == "QUOTED_NAME"
    text = token[1:-1].replace('""', '"') if quoted else str(token)
    if not text:
        raise ProgrammingError('a name cannot be empty: ""')
    if len(text) > MAX_NAME:
        raise ProgrammingError(f"a name has at most {MAX_NAME} characters, this one has {len(text)}")
    if quoted and (left := _PLACEHOLDER.search(text)) is not None:
        raise ProgrammingError(f"{left.group()} is a template's placeholder that was not filled in")
    return Identifier(text, quoted, place(token))


@rule
def object_name(*names: Identifier) -> ObjectName:
    return ObjectName(names)


@rule
def column_names(*names: Identifier) -> Names | None:
    return names or None


def identifier(name: Identifier) -> exp.Identifier:
    """A name as sqlglot has it."""
    return at(exp.Identifier(this=name.text, quoted=name.quoted), name.span)


def alias_of(name: Identifier, columns: Names | None) -> exp.TableAlias:
    """The alias of a FROM item or of a common table."""
    alias = exp.TableAlias(this=identifier(name), columns=[identifier(column) for column in columns or ()])
    return at(alias, name.span)
