"""What is said of a text that does not follow the grammar: where, what stands there, what could, and a hint.

What could stand there is asked of the grammar's tables, so that nothing here repeats the grammar.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

from lark import Token

from streamsql.errors import ProgrammingError, Span, reserved_word
from streamsql.sql import foreign, tables
from streamsql.sql.expected_words import WORDS, in_words
from streamsql.sql.lexer import (
    AFTER_NUMBER,
    STRAY,
    STRINGS,
    UNCLOSED,
    UNCLOSED_COMMENT,
    WORD,
    on_one_line,
    span_of,
    stretch,
)

_BEGINNINGS = frozenset({"CREATE", "INSERT", "SELECT", "ALTER", "DROP", "EXPLAIN", "SET", "VALUES", "WITH"})

_STRUCTURE = frozenset(
    """
    AND AS ASC BETWEEN BY CREATE CROSS ELSE END EXCEPT FROM FULL GROUP HAVING IN INNER INSERT INTERSECT INTO IS JOIN LEFT LIKE
    LIMIT NATURAL NOT NULL ON OR ORDER OVER PARTITION RANGE RIGHT ROWS SELECT SIMILAR STREAM THEN TO UNION USING VALUES WHEN
    WHERE WINDOW WITH WITHIN
    """.split()  # noqa: SIM905 - a list would take a line a word
)
"""Reserved words that, where a name should stand, mean that something is missing, rather than being meant as a name."""

_UNCLOSED_TEXTS = {
    UNCLOSED_COMMENT: ("a comment that begins here is not closed", "a comment ends with */"),
    "UNCLOSED_STRING": ("a string that begins here is not closed", "a quote within a string is doubled: 'it''s'"),
    "UNCLOSED_NAME": ("a quoted name that begins here is not closed", 'names in quotes end on the same line: "name"'),
}


@dataclass(frozen=True)
class Place:
    """A token at which a statement went wrong: `tokens[at]`, or the statement's end.

    `tokens` are those of the statement; `end` is the semicolon after it, `after` the first token of the next statement.
    """

    text: str
    start: str
    tokens: Sequence[Token]
    at: int
    end: Token | None = None
    after: Token | None = None

    @property
    def token(self) -> Token | None:
        """The token that cannot stand where it stands, None for the statement's end."""
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    @property
    def before(self) -> Token | None:
        return self.tokens[self.at - 1] if self.at else None

    @property
    def span(self) -> Span:
        if self.token is not None:
            return span_of(self.token)
        if self.end is not None:
            return span_of(self.end)
        if self.before is None:
            return Span.point(1, 1)
        last = span_of(self.before)
        return Span.point(last.end_line, last.end_column)

    @cached_property
    def expected(self) -> frozenset[str]:
        """The terminals that could stand at the place."""
        return tables.expected(self.tokens[: self.at], self.start, self.tokens[self.at : self.at + 1])

    @property
    def expected_before(self) -> frozenset[str]:
        """The terminals that could stand instead of the token before the place."""
        return tables.expected(self.tokens[: self.at - 1], self.start, self.tokens[self.at - 1 : self.at])


def syntax_error(place: Place) -> ProgrammingError:
    """The error for a statement that went wrong at a place."""
    error = _before_names(place)
    if error is not None:
        return error
    word = _reserved_name(place)
    return _unexpected(place) if word is None else reserved_word(word, span_of(word))


def reserved_name(place: Place) -> Token | None:
    """The reserved word that is meant as a name, where that is what went wrong at a place."""
    return None if _before_names(place) is not None else _reserved_name(place)


def _before_names(place: Place) -> ProgrammingError | None:
    return (
        _unclosed(place)
        or _foreign(place)
        or _malformed_number(place)
        or _brackets(place)
        or _missing_semicolon(place)
        or _no_text(place)
    )


def comment_only(comments: Iterable[Token]) -> ProgrammingError | None:
    """The error for a script whose statements all stand in comments, if they do."""
    for comment in comments:
        if _holds_statements(comment):
            hint = _LINE_COMMENT_HINT if comment.startswith(("--", "//")) else None
            return ProgrammingError("there is no statement: the whole text is a comment", span_of(comment), hint)
    return None


_LINE_COMMENT_HINT = "a comment reaches to the end of its line; were there line breaks?"


def _holds_statements(comment: str) -> bool:
    return any(word in comment.upper() for word in ("CREATE ", "SELECT ", "INSERT "))


def _hidden_rest(place: Place) -> str | None:
    """A hint where a statement ends too early since a comment hides the rest of it."""
    rest = place.text[place.before.end_pos if place.before is not None else 0 :]
    hidden = place.end is None and rest.lstrip().startswith(("--", "//")) and _holds_statements(rest.lstrip().splitlines()[0])
    return _LINE_COMMENT_HINT if hidden else None


def _unclosed(place: Place) -> ProgrammingError | None:
    token = place.token
    if token is None or token.type not in UNCLOSED:
        return None
    message, hint = _UNCLOSED_TEXTS[token.type]
    opening = 2 if token.type == UNCLOSED_COMMENT else 1
    span = span_of(token)
    return ProgrammingError(message, Span(span.line, span.column, span.line, span.column + opening), hint)


def _foreign(place: Place) -> ProgrammingError | None:
    if not place.tokens:
        return None
    first, last = place.tokens[0], place.tokens[-1]
    begin, end = first.start_pos or 0, last.end_pos or 0
    token = place.token
    position = (token.start_pos or 0) if token is not None else end
    found = foreign.find(_masked(place.text[begin:end], place.tokens, begin), position - begin)
    if found is not None:
        return ProgrammingError(found.message, stretch(place.text, begin + found.start, begin + found.end), found.hint)
    if token is not None and token.type == STRAY:
        shown = repr(str(token)) if token.isprintable() else f"U+{ord(token):04X}"
        return ProgrammingError(f"the character {shown} means nothing here", place.span)
    return None


def _masked(statement: str, tokens: Sequence[Token], begin: int) -> str:
    """The statement without its comments and without what stands in quotes, character for character."""
    parts: list[str] = []
    at = 0
    for token in tokens:
        start = (token.start_pos or 0) - begin
        parts.append(" " * (start - at))
        quoted = token.type in STRINGS or token.type == "QUOTED_NAME"
        parts.append(f"{token[0]}{'_' * (len(token) - 2)}{token[-1]}" if quoted else str(token))
        at = start + len(token)
    return "".join(parts).ljust(len(statement))


def _malformed_number(place: Place) -> ProgrammingError | None:
    token, before = place.token, place.before
    if token is None or before is None or token.type != AFTER_NUMBER:
        return None
    name = on_one_line(f"{before}{token}")
    return ProgrammingError(
        f"{name} is neither a number nor a name", span_of(before).to(place.span), f'a name with a digit in front: "{name}"'
    )


def _brackets(place: Place) -> ProgrammingError | None:
    """A bracket that is not closed, or a semicolon in brackets, which cuts them in two."""
    opened = _open_brackets(place.tokens[: place.at])
    if place.token is not None:
        if place.token == ")" and not opened:
            return ProgrammingError("no bracket is open that this one could close", place.span)
        return None
    if not opened:
        return None
    if place.end is not None and place.after is not None and place.after.upper() not in _BEGINNINGS:
        return ProgrammingError(
            "; stands within brackets", place.span, "a ; ends the whole statement; a query in brackets has none"
        )
    return ProgrammingError("this bracket is not closed", span_of(opened[-1]), _hidden_rest(place))


def _open_brackets(tokens: Iterable[Token]) -> list[Token]:
    opened: list[Token] = []
    for token in tokens:
        if token == "(":
            opened.append(token)
        elif token == ")" and opened:
            opened.pop()
    return opened


def _missing_semicolon(place: Place) -> ProgrammingError | None:
    token = place.token
    if token is None or place.at == 0 or token.upper() not in _BEGINNINGS or token.type != WORD:
        return None
    if "$END" not in place.expected:
        return None
    return ProgrammingError(f"a ; is missing before {token}", place.span, "statements are separated by ;")


def _no_text(place: Place) -> ProgrammingError | None:
    """DATE, TIME or TIMESTAMP before what looks like its text and is none."""
    token, before = place.token, place.before
    if token is None or before is None or not _is_before_a_text(place):
        return None
    if token.type == "QUOTED_NAME":
        text = on_one_line(token[1:-1])
        return ProgrammingError("text is written in single quotes", place.span, f"{before.upper()} '{text}'")
    if token == "(":
        return ProgrammingError(f"{before.upper()} is not a function", span_of(before), f"CAST(x AS {before.upper()})")
    return None


def _reserved_name(place: Place) -> Token | None:
    """A reserved word in place of a name: the token itself, or the one before it that stands without what it needs."""
    token, before = place.token, place.before
    if before is not None and _list_of(before) == "RESERVED_FUNCTION" and place.expected == {"LPAR"}:
        return before
    if _is_before_a_text(place):
        return before
    if token is None or token.type != WORD or token.upper() in _STRUCTURE:
        return None
    if _list_of(token) not in ("RESERVED", "RESERVED_FUNCTION"):
        return None
    return token if WORD in place.expected else None


def _is_before_a_text(place: Place) -> bool:
    """Whether the token before is the beginning of DATE '...' and the like."""
    before = place.before
    return before is not None and before.upper() in ("DATE", "TIME", "TIMESTAMP") and place.expected <= {"STRING", "LPAR"}


def _list_of(token: Token) -> str | None:
    return tables.scanner().lists.get(token.upper())


def _unexpected(place: Place) -> ProgrammingError:
    expected = place.expected
    words = in_words(expected)
    choice = f", expected {words}" if words else ""
    token = place.token
    if token is None:
        return ProgrammingError(f"the statement is not complete{choice}", place.span, _hidden_rest(place))
    return ProgrammingError(f"unexpected {on_one_line(token)}{choice}", place.span, _hint(place, expected))


def _hint(place: Place, expected: frozenset[str]) -> str | None:
    """A word that is nearly a keyword which could stand there, or a comma too many."""
    token, before = place.token, place.before
    if token is not None and before is not None and before == "," and (token == ")" or token.upper() in _STRUCTURE):
        return "there is a comma too many before it"
    if token is not None and "VARCHAR" in expected and token.upper() in foreign.TYPES:
        return foreign.TYPES[token.upper()]
    candidates = [(token, expected)]
    if place.at > 1 and before is not None and before.type == WORD:
        candidates.insert(0, (before, place.expected_before))
    for word, terminals in candidates:
        if word is None or word.type != WORD:
            continue
        keywords = [WORDS.get(name, name) for name in terminals if name.isalpha()]
        close = get_close_matches(word.upper(), keywords, 1, 0.75)
        if close and close[0] != word.upper():
            return f"{close[0]} for {word}?"
    return None
