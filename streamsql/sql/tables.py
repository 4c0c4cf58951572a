"""The parser's tables, and the three things to ask of them: a tree, a token's meaning, what may come next."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path

import lark
from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedToken
from lark.parsers.lalr_interactive_parser import InteractiveParser

from streamsql.sql.lexer import Scanner

FILES = ("streamsql.lark", "external.lark", "expressions.lark", "tokens.lark")
"""The files of the grammar, which are read as one."""


@cache
def grammar() -> Lark:
    """The parser.  Its tables take a second to compute and are kept in the user's cache directory where that can be written."""
    folder = resources.files("streamsql.grammar")
    text = "\n".join((folder / name).read_text(encoding="utf-8") for name in FILES)
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
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "streamsql"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return str(folder / name) if os.access(folder, os.W_OK) else None


def scanner() -> Scanner:
    """The lexer of the grammar."""
    lexer = grammar().parser.lexer
    assert isinstance(lexer, Scanner)
    return lexer


def tree(tokens: Sequence[Token], start: str) -> Tree[Token]:
    """The parse tree of one statement or expression; raises lark's UnexpectedToken."""
    return grammar().parse(tokens, start=start)


def meanings(tokens: Sequence[Token], start: str) -> Iterator[Token]:
    """The tokens with the meaning they have, up to the first that cannot follow those before it."""
    parser = _recognizer(start)
    for index, token in enumerate(tokens):
        resolved = scanner().resolve(token, _acceptable(parser), tokens[index + 1 : index + 2])
        try:
            parser.feed_token(resolved)
        except UnexpectedToken:
            return
        yield resolved


def expected(tokens: Sequence[Token], start: str, following: Sequence[Token] = ()) -> frozenset[str]:
    """The terminals that may come after `tokens`, $END among them; `following` is what does come.

    Nothing may come after tokens that are wrong themselves.
    """
    parser = _recognizer(start)
    after = [*tokens, *following]
    try:
        for index, token in enumerate(tokens):
            parser.feed_token(scanner().resolve(token, _acceptable(parser), after[index + 1 : index + 2]))
    except UnexpectedToken:
        return frozenset()
    accepts: Callable[[], set[str]] = parser.accepts
    return frozenset(accepts())


def _recognizer(start: str) -> InteractiveParser:
    """A parser that builds no trees."""
    parser = grammar().parse_interactive(start=start)
    parser.parser_state.parse_conf.callbacks = {}
    return parser


def _acceptable(parser: InteractiveParser) -> Mapping[str, object]:
    """The terminals on which the parser would do something in its state, though not all lead on."""
    choices: Callable[[], Mapping[str, object]] = parser.choices
    return choices()
