"""Text to tokens, with the terminals of grammar/tokens.lark.

One regular expression cuts the text into tokens, whatever their place: that is all that colours, completeness and the cut
into statements need.  What a word means is decided while it is parsed: a keyword where the rules can go on with it, else a
name, else a reserved word, which no rule can go on with.  So a keyword is a name wherever it cannot be a keyword.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate
from typing import cast

from lark import Token
from lark.common import LexerConf
from lark.lexer import Lexer, LexerState, PatternStr
from lark.parsers.lalr_parser_state import ParserState

from streamsql.errors import Span

WORD = "NAME"
END = "SEMICOLON"
PLACEHOLDER = "QUESTION_MARK"
COMMENTS = ("LINE_COMMENT", "BLOCK_COMMENT")
STRINGS = ("STRING", "UNICODE_STRING")
NUMBERS = ("INTEGER_NUMBER", "DECIMAL_NUMBER", "APPROXIMATE_NUMBER")
WORD_LISTS = ("RESERVED_NAME", "RESERVED_FUNCTION", "RESERVED", "NON_RESERVED")

UNCLOSED_COMMENT = "UNCLOSED_COMMENT"
UNCLOSED = {
    UNCLOSED_COMMENT: r"/\*(?s:.*)",
    "UNCLOSED_STRING": r"(?:[uU]&)?'(?s:.*)",
    "UNCLOSED_NAME": r'"[^\r\n]*',
}
"""What begins and does not end: it takes the rest of the text, or of the line."""

STRAY = "STRAY_CHARACTER"
"""A character that no terminal begins with."""

AFTER_NUMBER = "AFTER_NUMBER"
"""A word that begins where a number ends, as in 2nd."""

_LEXICAL = (
    "WHITESPACE",
    *COMMENTS,
    UNCLOSED_COMMENT,
    *STRINGS,
    "UNCLOSED_STRING",
    "QUOTED_NAME",
    "UNCLOSED_NAME",
    "BACKTICK_NAME",
    *reversed(NUMBERS),
    WORD,
    "NOT_EQUAL",
)
"""The order in which they are looked for; symbols come after them."""

_ESCAPED = {"STRING": r"'(?:[^'\\]|\\.|'')*'", "QUOTED_NAME": r'"(?:[^"\\]|\\.)*"'}
"""Text as Hive has it: a backslash escapes, and double quotes hold text too."""

_HIVE = frozenset(
    {
        *(("CREATE", kind) for kind in ("DATABASE", "SCHEMA", "EXTERNAL")),
        *(("ALTER", kind) for kind in ("DATABASE", "SCHEMA", "TABLE")),
    }
)
"""How the statements begin in which texts are so."""

_FIRST_IN_WORD = {
    "TO": ("UNTIL", "TO"),
    "FROM": ("FROM_END", "FROM"),
    "WITH": ("WITH_ORDINALITY", "WITH"),
    "WITHIN": ("WITHIN_GROUP", "WITHIN"),
    "STRING": ("STRING_TYPE",),
}
"""Words that stand for several terminals, the first acceptable of which is taken."""

_FOLLOWED_BY: dict[str, frozenset[str]] = {
    "STEP": frozenset({"("}),
    "PERIOD": frozenset({"("}),
    "WINDOWED": frozenset({"BY"}),
    "OFFSET": frozenset({"INTEGER_NUMBER", "?", ":"}),
    "UNBOUNDED": frozenset({"PRECEDING", "FOLLOWING"}),
    "UNTIL": frozenset({"MONTH", "HOUR", "MINUTE", "SECOND"}),
    "FROM_END": frozenset({"FIRST", "LAST"}),
    "WITH_ORDINALITY": frozenset({"ORDINALITY"}),
    "WITHIN_GROUP": frozenset({"GROUP"}),
    "TRY_CAST": frozenset({"("}),
    "TOP": frozenset({"INTEGER_NUMBER"}),
}
"""Terminals that stand where a name or another terminal may stand too: they are meant only before one of these."""

_ENDS_AN_ITEM = frozenset({"", ",", ")", ";", "FROM"})
_INFIX = frozenset(
    {"EQUALS", "CONTAINS", "PRECEDES", "SUCCEEDS", "LEADS", "LAGS", "STRICTLY", "IMMEDIATELY", "ILIKE", "QUALIFY"}
)
"""Operators and clauses that are not reserved words: before the end of an item they are its name, as in `COUNT(*) leads,`."""


def span_of(token: Token) -> Span:
    """Where a token stands."""
    line, column = token.line or 1, token.column or 1
    return Span(line, column, token.end_line or line, token.end_column or column)


def on_one_line(text: str, longest: int = 60) -> str:
    """A piece of the user's text for a message: without line breaks, and its beginning if it is long."""
    line = re.sub(r"\s*[^\S \t]\s*", " ", text)
    return line if len(line) <= longest else f"{line[: longest - 3]}..."


def stretch(text: str, start: int, end: int) -> Span:
    """The span of text[start:end]."""
    starts = _line_starts(text)
    first, last = bisect_right(starts, start), bisect_right(starts, max(start, end - 1))
    return Span(first, start - starts[first - 1] + 1, last, end - starts[last - 1] + 1)


class Scanner(Lexer):
    """The lexer that Lark is given: `scan` cuts text into tokens, `lex` feeds a statement's tokens to the parser."""

    __future_interface__ = 2

    def __init__(self, conf: LexerConf) -> None:
        patterns = {t.name: t.pattern for t in conf.terminals}
        self.lists: dict[str, str] = {
            word: name for name in WORD_LISTS for word in re.findall(r"[A-Z][A-Z0-9_]*", patterns[name].value)
        }
        self.keywords = {name for name, p in patterns.items() if isinstance(p, PatternStr) and p.value.isidentifier()}
        self.symbols: dict[str, str] = {
            name: pattern.value
            for name, pattern in patterns.items()
            if isinstance(pattern, PatternStr) and not pattern.value.isidentifier()
        }
        self._lexical = {name: pattern.to_regexp() for name, pattern in patterns.items() if name in _LEXICAL}
        self._lexical["NOT_EQUAL"] = patterns["NOT_EQUAL"].to_regexp()

    @cached_property
    def _regexp(self) -> re.Pattern[str]:
        return self._alternatives({})

    @cached_property
    def _hive_regexp(self) -> re.Pattern[str]:
        return self._alternatives(_ESCAPED)

    def _alternatives(self, others: Mapping[str, str]) -> re.Pattern[str]:
        """The first alternative that matches is taken: the longer before the shorter, the closed before the unclosed."""
        longest_first = sorted(self.symbols, key=lambda name: -len(self.symbols[name]))
        patterns = {**UNCLOSED, **self._lexical, **{name: f"(?s:{pattern})" for name, pattern in others.items()}}
        alternatives = [(name, patterns[name]) for name in _LEXICAL]
        alternatives += [(name, re.escape(self.symbols[name])) for name in longest_first]
        alternatives += [(END, ";"), (STRAY, "(?s:.)")]
        return re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in alternatives))

    def scan(self, text: str) -> Iterator[Token]:
        """All tokens of `text`, comments included and white space left out, with their places; never fails.

        Words have the type NAME.  UNCLOSED_..., STRAY and AFTER_NUMBER are the types of what cannot be in a statement.
        """
        number_end = end = -1
        starts = _line_starts(text)
        regexp = self._regexp
        opening: list[str] = []  # the first two words of the statement
        while match := regexp.match(text, max(0, end)):
            kind = match.lastgroup or STRAY
            start, end = match.span()
            if kind == "WHITESPACE":
                continue
            if kind == END:
                regexp, opening = self._regexp, []
            elif len(opening) < 2 and kind not in COMMENTS:
                opening.append(match.group().upper())
                regexp = self._hive_regexp if tuple(opening) in _HIVE else regexp
            if kind == WORD and start == number_end:
                kind = AFTER_NUMBER
            elif kind in NUMBERS:
                number_end = end
            line, end_line = bisect_right(starts, start), bisect_right(starts, end - 1)
            column, end_column = start - starts[line - 1] + 1, end - starts[end_line - 1] + 1
            yield Token(kind, match.group(), start, line, column, end_line, end_column, end)

    def lex(self, lexer_state: LexerState, parser_state: ParserState[int]) -> Iterator[Token]:
        """The tokens of one statement, each with the meaning it has in the state of the parser.

        A placeholder's value is its number, from 0 on.
        """
        tokens = cast(Sequence[Token], lexer_state.text)  # Lark passes on what its parse() is given
        states = parser_state.parse_conf.states
        placeholders = 0
        for index, token in enumerate(tokens):
            if token.type == PLACEHOLDER:
                yield token.update(value=str(placeholders))
                placeholders += 1
            else:
                yield self.resolve(token, states[parser_state.position], tokens[index + 1 : index + 2])

    def resolve(self, token: Token, acceptable: Iterable[str], following: Sequence[Token]) -> Token:
        """`token` with its type set to the terminal it stands for where `acceptable` ones can follow."""
        if token.type != WORD:
            return token
        word = token.upper()
        ahead = _ahead(following)
        for terminal in _FIRST_IN_WORD.get(word, (word,)):
            if terminal in self.keywords and terminal in acceptable and _is_meant(terminal, ahead, acceptable):
                return token.update(type=terminal)
        return token.update(type=self.lists.get(word, WORD))


def _ahead(following: Sequence[Token]) -> str:
    """The next token as the tables above name it: a word, a symbol, or the kind of a number."""
    if not following:
        return ""
    token = following[0]
    return token.type if token.type in NUMBERS else token.upper()


def _is_meant(terminal: str, ahead: str, acceptable: Iterable[str]) -> bool:
    """Whether a word that may be this keyword is it, going by the next token."""
    if terminal in _FOLLOWED_BY:
        return ahead in _FOLLOWED_BY[terminal]
    return not (terminal in _INFIX and WORD in acceptable and ahead in _ENDS_AN_ITEM)


def _line_starts(text: str) -> list[int]:
    """Where the lines begin, as `str.splitlines` cuts them, which is how errors are printed."""
    return [0, *accumulate(map(len, text.splitlines(keepends=True)))]
