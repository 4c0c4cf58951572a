"""Statements in parsed form, with what their placeholders ask for; those that come again are parsed once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from streamsql.dbapi.parameters import Key, placeholders_of
from streamsql.errors import InterfaceError, ProgrammingError
from streamsql.sql.parser import parse
from streamsql.statements.statement import Statement

LONGEST_KEPT = 10_000
"""Characters of a statement that is kept in parsed form."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement and what its placeholders ask for."""

    statement: Statement
    keys: tuple[Key, ...]


def prepared(operation: str) -> Prepared:
    """The one statement of a text."""
    if not isinstance(operation, str):
        raise InterfaceError(f"a statement is a text, not a {type(operation).__name__}")
    return _prepared_once(operation) if len(operation) <= LONGEST_KEPT else _prepare(operation)


def script(text: str) -> tuple[Statement, ...]:
    """All statements of a text."""
    if not isinstance(text, str):
        raise InterfaceError(f"a script is a text, not a {type(text).__name__}")
    return parse(text)


def _prepare(operation: str) -> Prepared:
    statements = parse(operation)
    if not statements:
        raise ProgrammingError("there is no statement in this text")
    if len(statements) > 1:
        raise ProgrammingError(
            f"execute takes one statement, and this text has {len(statements)}", statements[1].span, "executescript takes several"
        )
    return Prepared(statements[0], placeholders_of(statements[0]))


_prepared_once = lru_cache(maxsize=256)(_prepare)
