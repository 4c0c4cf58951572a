"""SQL text to statements, and what an editor asks about a text that is still being written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from lark import Token
from lark.exceptions import UnexpectedToken
from sqlglot import exp

from streamsql.errors import ProgrammingError, Span, reserved_word
from streamsql.sql import reserved_names, tables
from streamsql.sql.lexer import AFTER_NUMBER, COMMENTS, END, NUMBERS, STRINGS, UNCLOSED_COMMENT, WORD, span_of
from streamsql.sql.rules import MAX_DEPTH, too_deep
from streamsql.sql.syntax_errors import Place, comment_only, syntax_error
from streamsql.sql.trees import build
from streamsql.statements.statement import Statement


class Piece(NamedTuple):
    """The tokens of one statement, the semicolon that ends it, and the token after that."""

    tokens: list[Token]
    end: Token | None
    after: Token | None


def parse(text: str) -> tuple[Statement, ...]:
    """The statements of a script, each with its span and its text.

    Raises ProgrammingError for the first place where the text is not the dialect's, and for a script whose statements are
    all in comments.  Nothing but blanks and remarks is no statement.
    """
    tokens = list(tables.scanner().scan(text))
    pieces = list(_pieces(tokens))
    if not pieces:
        error = comment_only(tokens)
        if error is not None:
            raise error
    return tuple(_statement(piece, text) for piece in pieces)


def parse_statement(text: str) -> Statement:
    """The one statement of `text`; raises ProgrammingError as `parse` does, and for any other number of statements."""
    statements = parse(text)
    if len(statements) != 1:
        span = statements[1].span if statements else Span.point(1, 1)
        raise ProgrammingError(f"one statement is expected here, not {len(statements)}", span)
    return statements[0]


def parse_expression(text: str) -> exp.Expression:
    """The expression that all of `text` is; raises ProgrammingError."""
    tokens = [token for token in tables.scanner().scan(text) if token.type not in COMMENTS]
    expression: exp.Expression = _built(Piece(tokens, None, None), "expression", text)
    return expression


def is_complete(text: str) -> bool:
    """Whether the last thing in `text`, comments aside, is the semicolon that ends a statement."""
    tokens = [token for token in tables.scanner().scan(text) if token.type not in COMMENTS]
    return bool(tokens) and tokens[-1].type == END


def split(text: str) -> list[tuple[str, int]]:
    """The statements of a script as texts without their semicolons, each with the number of lines before it."""
    return [
        (text[piece.tokens[0].start_pos : piece.tokens[-1].end_pos], span_of(piece.tokens[0]).line - 1)
        for piece in _pieces(tables.scanner().scan(text))
    ]


def completions(text: str) -> frozenset[str]:
    """What may come after `text`: keywords as words, symbols as they are, else the name of a terminal (NAME, STRING, ...).

    Empty where a string, a quoted name or a comment is open, and after a mistake.
    """
    tokens = list(tables.scanner().scan(text))
    if tokens and tokens[-1].type == "LINE_COMMENT" and not text.endswith(("\n", "\r")):
        return frozenset()
    ends = [index for index, token in enumerate(tokens) if token.type == END]
    statement = [token for token in tokens[ends[-1] + 1 if ends else 0 :] if token.type not in COMMENTS]
    expected = tables.expected(statement, "statement") - {"RESERVED", "RESERVED_FUNCTION", "RESERVED_NAME", "NON_RESERVED"}
    symbols = tables.scanner().symbols
    return frozenset(_SPELLED.get(name) or symbols.get(name) or name for name in expected)


_SPELLED = {
    "$END": ";",
    "UNTIL": "TO",
    "FROM_END": "FROM",
    "WITH_ORDINALITY": "WITH",
    "WITHIN_GROUP": "WITHIN",
    "STRING_TYPE": "STRING",
    "NOT_EQUAL": "<>",
}
"""Terminals whose names are not what is written."""


def highlight(text: str) -> Iterator[tuple[int, int, str]]:
    """The coloured stretches of a text, complete or not: start, end, and one of the classes

    keyword, string, number, comment, name, quoted_name, operator.
    """
    tokens = list(tables.scanner().scan(text))
    meanings = {token.start_pos: token.type for piece in _pieces(tokens) for token in tables.meanings(piece.tokens, "statement")}
    lists = tables.scanner().lists
    for token in tokens:
        if token.type == WORD:
            meaning = meanings.get(token.start_pos) or lists.get(token.upper(), WORD)
            is_name = meaning in (WORD, "RESERVED_NAME", "NON_RESERVED")
            kind = "name" if is_name else "keyword"
        else:
            kind = _CLASSES.get(token.type, "operator")
        start = token.start_pos or 0
        yield start, start + len(token), kind


_CLASSES = {
    **dict.fromkeys((*COMMENTS, UNCLOSED_COMMENT), "comment"),
    **dict.fromkeys((*STRINGS, "UNCLOSED_STRING"), "string"),
    **dict.fromkeys(NUMBERS, "number"),
    **dict.fromkeys(("QUOTED_NAME", "UNCLOSED_NAME"), "quoted_name"),
    AFTER_NUMBER: "name",
}


def _pieces(tokens: Iterable[Token]) -> Iterator[Piece]:
    """The statements of a script as tokens.  Comments, also one that hides the rest, and empty statements are left out."""
    statement: list[Token] = []
    end: Token | None = None
    for token in tokens:
        if token.type in COMMENTS or (token.type == UNCLOSED_COMMENT and (end is not None or not statement)):
            continue
        if end is not None and token.type != END:
            yield Piece(statement, end, token)
            statement, end = [], None
        if token.type != END:
            statement.append(token)
        elif statement and end is None:
            end = token
    if statement:
        yield Piece(statement, end, None)


def _statement(piece: Piece, text: str) -> Statement:
    statement: Statement = _built(piece, "statement", text)
    return statement


def _built(piece: Piece, start: str, text: str) -> Any:
    """What the tokens stand for, by the grammar's rule `start`."""
    _check_depth(piece.tokens)
    tokens = piece.tokens
    names: list[Token] = []
    while True:
        try:
            built = build(tables.tree(tokens, start), text)
        except UnexpectedToken as error:
            place = Place(text, start, tokens, _index(tokens, error.token), piece.end, piece.after)
            word = reserved_names.taken_for_name(place)
            if word is None:
                raise syntax_error(place) from None
            names.append(word)
            tokens = [token.update(type=reserved_names.NAME) if token is word else token for token in tokens]
        else:
            if names and not (isinstance(built, Statement) and reserved_names.note(built, names)):
                raise reserved_word(names[0], span_of(names[0]))
            return built


def _index(tokens: Sequence[Token], token: Token) -> int:
    """Which of the tokens the parser stopped at, their number for the end."""
    if token.type == "$END":
        return len(tokens)
    return next(i for i, each in enumerate(tokens) if each.start_pos == token.start_pos)


def _check_depth(tokens: Iterable[Token]) -> None:
    depth = 0
    for token in tokens:
        if token == "(":
            depth += 1
            if depth > MAX_DEPTH:
                raise too_deep(span_of(token))
        elif token == ")":
            depth -= 1
