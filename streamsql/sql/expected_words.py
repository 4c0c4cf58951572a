"""What may come next, in words."""

from __future__ import annotations

from functools import cache

from lark import Token

from streamsql.sql import tables
from streamsql.sql.lexer import NUMBERS, STRINGS, WORD

_LONGEST_LIST = 10
"""Alternatives that a message names at most."""

WORDS = {
    "UNTIL": "TO",
    "FROM_END": "FROM",
    "WITH_ORDINALITY": "WITH",
    "WITHIN_GROUP": "WITHIN",
    "STRING_TYPE": "STRING",
    "COMMA": "a comma",
}
"""Terminals whose names are not the words that they stand for."""

_CLAUSES = frozenset(
    """
    WHERE GROUP HAVING QUALIFY WINDOW WINDOWED ORDER LIMIT OFFSET FETCH UNION EXCEPT INTERSECT
    """.split()  # noqa: SIM905 - a list would take a line a word
)

_JOINS = frozenset({"JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL"})

_NAMES = frozenset({"NAME", "QUOTED_NAME", "RESERVED_NAME", "NON_RESERVED", "BACKTICK_NAME", "RESERVED", "RESERVED_FUNCTION"})

_OPEN_END = frozenset({"an operator", "the next clause"})
"""What may come after a name, in which case nobody looks for a bracket."""


@cache
def _groups() -> tuple[tuple[str, frozenset[str], int], ...]:
    """Sets of terminals with a name, larger ones first, and how many of a set must be there to speak of it."""
    name = Token(WORD, "a")
    value = Token("INTEGER_NUMBER", "1")
    cast = [Token(WORD, "CAST"), Token("LPAR", "("), name, Token(WORD, "AS")]
    column = [Token(WORD, word) for word in ("CREATE", "EXTERNAL", "TABLE")] + [name, Token("LPAR", "("), name]
    hive_type = tables.expected(column, "statement")
    statement = tables.expected([], "statement")
    expression = tables.expected([], "expression")
    operators = tables.expected([value], "expression") - {"$END"}
    query = frozenset({"SELECT", "VALUES"})
    return (
        ("a statement", statement, len(statement)),
        ("an expression", expression, len(expression) - 3),
        ("a type", tables.expected(cast, "expression"), 10),
        ("a type", hive_type, len(hive_type)),
        ("an operator", operators, 6),
        ("a query", query, len(query)),
        ("a join", _JOINS, 3),
        ("the next clause", _CLAUSES, 3),
        ("a name", _NAMES, 1),
        ("a number", frozenset(NUMBERS), 1),
        ("a string", frozenset(STRINGS), 1),
    )


def in_words(expected: frozenset[str]) -> str:
    """`a name, AS or the end`; nothing where too much is possible to be of use."""
    words: list[str] = []
    left = set(expected)
    for words_of_group, terminals, enough in _groups():
        if len(left & terminals) >= enough:
            words.append(words_of_group)
            left -= terminals
    if len(words) + len(left) > 1:
        left.discard("DOT")
    if _OPEN_END & set(words):
        left.discard("LPAR")
    symbols = tables.scanner().symbols
    words += sorted(WORDS.get(name) or symbols.get(name) or name for name in left - {"$END"})
    if "$END" in left:
        words.append("the end")
    if len(words) > _LONGEST_LIST:
        return ""
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else "".join(words)
