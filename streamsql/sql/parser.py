"""SQL text to statements, with Lark's LALR(1) parser over the grammar in `streamsql.grammar`."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from pathlib import Path

import lark
from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedToken
from sqlglot import exp

from streamsql.errors import ProgrammingError, Span
from streamsql.sql.build import build
from streamsql.sql.lexer import COMMENTS, END, Scanner, span_of
from streamsql.statements import Statement

GRAMMAR = ("streamsql.lark", "expressions.lark", "tokens.lark")
"""The files of the grammar, which are read as one."""


@cache
def grammar() -> Lark:
    """The parser.  Its tables take a second to compute and are kept in the user's cache directory where that is writable."""
    folder = resources.files("streamsql.grammar")
    text = "\n".join((folder / name).read_text(encoding="utf-8") for name in GRAMMAR)
    return Lark(
        text,
        parser="lalr",
        lexer=Scanner,
        start=["statement", "expression"],
        propagate_positions=True,
        maybe_placeholders=False,
        cache=_cache_file(text) or False,
    )


def _cache_file(text: str) -> str | None:
    """Where the tables of this grammar are kept, or None where nothing can be kept."""
    version = f"{lark.__version__}-{sys.version_info.major}.{sys.version_info.minor}"
    name = f"grammar-{version}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "streamsql"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return str(folder / name) if os.access(folder, os.W_OK) else None


def parse(text: str) -> tuple[Statement, ...]:
    """The statements of a script, each with its span and its text.

    Raises ProgrammingError for the first place where the text is no statement of the dialect.
    """
    return tuple(_statement(tokens, text) for tokens in _statements(text))


def parse_statement(text: str) -> Statement:
    """The one statement of `text`."""
    statements = parse(text)
    if len(statements) != 1:
        raise ProgrammingError(f"one statement is expected here, not {len(statements)}", Span.point(1, 1))
    return statements[0]


def parse_expression(text: str) -> exp.Expression:
    """The expression that all of `text` is."""
    tokens = [token for token in scanner().scan(text) if token.type not in COMMENTS]
    expression: exp.Expression = build(_tree(tokens, "expression"), text)
    return expression


def scanner() -> Scanner:
    """The lexer of the grammar."""
    lexer = grammar().parser.lexer
    assert isinstance(lexer, Scanner)
    return lexer


def _statements(text: str) -> Iterator[list[Token]]:
    """The tokens of each statement of a script, without comments and semicolons."""
    statement: list[Token] = []
    for token in scanner().scan(text):
        if token.type == END:
            if statement:
                yield statement
            statement = []
        elif token.type not in COMMENTS:
            statement.append(token)
    if statement:
        yield statement


def _statement(tokens: Sequence[Token], text: str) -> Statement:
    statement: Statement = build(_tree(tokens, "statement"), text)
    return statement


def _tree(tokens: Sequence[Token], start: str) -> Tree[Token]:
    try:
        return grammar().parse(tokens, start=start)
    except UnexpectedToken as error:
        raise ProgrammingError(f"unexpected {error.token}", span_of(error.token)) from None
