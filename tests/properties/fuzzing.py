"""Texts for the fuzz tests: made by the rules of the grammar, or real statements that are damaged."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TypeVar

import slt_text
from lark import Token
from lark.grammar import Symbol
from lark.lexer import PatternStr

from streamsql.sql import tables
from streamsql.sql.parser import split

TESTS = Path(__file__).parents[1]
LONGEST = 100
"""Tokens of a text by the grammar after which, at the latest, the shortest way to its end is taken."""

Item = TypeVar("Item")


class Choices:
    """Decisions that are read from bytes: the first of the alternatives when there are no more."""

    def __init__(self, source: bytes) -> None:
        self._source = iter(source)

    def below(self, count: int) -> int:
        return next(self._source, 0) % count

    def of(self, items: Sequence[Item]) -> Item:
        return items[self.below(len(items))]


# -- by the grammar ----------------------------------------------------------------------------------------------------------


def spelled(text: str) -> list[str]:
    """Spellings with two blanks between them."""
    return [part for part in re.split(r"\s{2,}", text) if part]


WORDS = {
    "NAME": spelled(
        """v  k  t  d  s  u  x  w  n  S  source  sumOf  UNIX_TIMESTAMP  TO_TIMESTAMP  CHAR_TO_TIMESTAMP  TIMESTAMP_TO_CHAR  TSDIFF
        REGEX_REPLACE  LOG10  LAG  RANDOM_CUT_FOREST  HOTSPOTS  TOP_K_ITEMS_TUMBLING  GROUP_RANK"""
    ),
    "BACKTICK_NAME": spelled("`v`  `x y`"),
    "QUOTED_NAME": spelled('"v"  "V"  "K"  "S"  "x y"  "ROWTIME"  "groupRank"'),
    "STRING": spelled("""'a'  ''  '1'  '2020-01-01'  '10:00:00'  '2020-01-01 10:00:00'  'yyyy-MM-dd'  'V'  '[a-z]+'  'it''s'"""),
    "UNICODE_STRING": spelled("u&'\\0041'  u&'a'"),
    "APPROXIMATE_NUMBER": spelled("1e2  1.5E-6  1e400"),
    "DECIMAL_NUMBER": spelled("1.5  .5  2.  0.000000000000000000001"),
    "INTEGER_NUMBER": spelled("1  0  2  10  60  256  3000000000  99999999999999999999"),
    "RESERVED_NAME": spelled("ROWTIME  MINUTE  SHARD_ID  RESULT"),
    "RESERVED_FUNCTION": spelled(
        """ABS  AVG  COUNT  SUM  MIN  MAX  FLOOR  UPPER  COALESCE  NULLIF  EXP  MOD  POWER  STDDEV  FIRST_VALUE  EVERY  RANK
        EXP_AVG"""
    ),
    "RESERVED": spelled("TABLE  ALL"),
    "NON_RESERVED": spelled("LAG  MONOTONIC  TYPE  PUMP"),
    "UNTIL": ["TO"],
    "FROM_END": ["FROM"],
    "NOT_EQUAL": spelled("<>  !="),
}
"""What stands for the terminals that are not one word or symbol."""


COMMON = {
    "from_clause": ["FROM s", "FROM u", "FROM w", "FROM s OVER ( RANGE INTERVAL '1' HOUR PRECEDING ) JOIN u ON s . v = u . v"],
    "table": ["s", "u", "w", "s OVER ( RANGE INTERVAL '1' MINUTE PRECEDING ) AS q"],
    "column": ["v", "k", "v", "k", "t", "d", "x", "n", "ROWTIME", "s . ROWTIME", "s . v"],
    "object_name": ["u", "s", "u", "s", "u", "r"],
    "datetime": ["DATE '2020-01-01'", "TIME '10:00:00'", "TIMESTAMP '2020-01-01 10:00:00'"],
    "interval": ["INTERVAL '1' MINUTE", "INTERVAL '10' SECOND", "INTERVAL '1' DAY", "INTERVAL '1-1' YEAR TO MONTH"],
    "escape": ["", "ESCAPE '!'"],
    "qualified_star": ["s . *", "u . *"],
    "insert_columns": ["( v )", "( v , k )", "( k , v )"],
    "named_placeholder": ["v"],
    "placeholder": ["k"],
    "over": ["OVER ( ROWS 3 PRECEDING )", "OVER ( PARTITION BY k RANGE INTERVAL '1' MINUTE PRECEDING )"],
    "group": ["", "GROUP BY s . ROWTIME", "GROUP BY k , FLOOR ( s . ROWTIME TO MINUTE )", "GROUP BY k"],
    "name": ["v", "k", "a", "b"],
}
"""What most often stands for rules that hardly ever make sense by chance."""

RARE = {
    "union",
    "intersection",
    "query_with",
    "subquery",
    "quantified",
    "in_query",
    "exists",
    "temporal",
    "row",
    "values",
    "bracketed_join",
}
"""Ways that are taken once in eight times only: they lead far, or to errors that hide others."""

Way = tuple[str, Sequence[Symbol]]


@cache
def _expansions() -> dict[str, list[Way]]:
    """The ways to expand each rule, the shortest first, each with the name of what it makes."""
    ways: dict[str, list[Way]] = {}
    for rule in tables.grammar().rules:
        only = rule.expansion[0] if len(rule.expansion) == 1 else rule.origin
        name = rule.alias or (rule.origin if only.is_term or only.name.startswith("_") else only).name
        ways.setdefault(rule.origin.name, []).append((name, tuple(rule.expansion)))
    sizes: dict[str, float] = dict.fromkeys(ways, float("inf"))

    def size(way: Way) -> float:
        return 1 + sum(1 if symbol.is_term else sizes[symbol.name] for symbol in way[1])

    while True:
        smaller = {name: min(map(size, expansions)) for name, expansions in ways.items()}
        if smaller == sizes:
            return {
                name: sorted(expansions, key=lambda way: (way[0] != "column", size(way))) for name, expansions in ways.items()
            }
        sizes = smaller


@cache
def _spellings() -> dict[str, list[str]]:
    fixed = {t.name: [t.pattern.value] for t in tables.grammar().terminals if isinstance(t.pattern, PatternStr)}
    return fixed | WORDS


def by_the_grammar(choices: Choices, start: str) -> str:
    """A text that follows the rules from `start` on."""
    longest = 8 + choices.below(LONGEST)
    tokens: list[str] = []
    pending = [start]
    while pending:
        symbol = pending.pop()
        if symbol not in _expansions():
            tokens.append(choices.of(_spellings()[symbol]))
            continue
        expansions = _expansions()[symbol]
        number = choices.below(2 * len(expansions)) if len(tokens) < longest else 0
        name, expansion = expansions[number if number < len(expansions) else 0]
        if name in RARE and choices.below(8):
            name, expansion = choices.of([way for way in expansions if way[0] not in RARE] or expansions)
        if name in COMMON and choices.below(8):
            tokens.append(choices.of(COMMON[name]))
        else:
            pending += [part.name for part in reversed(expansion)]
    return " ".join(tokens)


# -- damaged statements ------------------------------------------------------------------------------------------------------

ODD = [*"“\u00a0é\x00'\";`\\%(),\ufeff🙂{?", "/*", "--", "${x}", "::"]


@cache
def statements() -> list[tuple[tuple[str, ...], str]]:
    """The statements of the `.slt` files and of the applications, each with those that stand before it."""
    found: list[tuple[tuple[str, ...], str]] = []
    for file in sorted((TESTS / "shapes").rglob("*.sql")):
        found += _with_those_before([text for text, _ in split(file.read_bytes().decode())])
    for folder in ("aws", "slt"):
        for file in sorted((TESTS / folder).glob("*.slt")):
            for section in slt_text.read(file):
                texts = [record.sql for record in section.records if record.kind in ("query", "explain")]
                created = [r.sql for r in section.records if r.kind == "statement" and r.words[1] == "ok"]
                found += _with_those_before(created) + [(tuple(created), text) for text in texts]
    return found


def _with_those_before(texts: Sequence[str]) -> list[tuple[tuple[str, ...], str]]:
    return [(tuple(texts[:i]), text) for i, text in enumerate(texts)]


def damaged(choices: Choices, text: str) -> str:
    """A text with tokens taken out, doubled, exchanged or put in from another, that is cut, or has something odd in it."""
    for _ in range(1 + choices.below(3)):
        tokens = list(tables.scanner().scan(text))
        if not tokens:
            return text
        text = _damaged_once(choices, text, tokens)
    return text


def _damaged_once(choices: Choices, text: str, tokens: Sequence[Token]) -> str:
    way = choices.below(8)
    token = tokens[(choices.below(256) * 256 + choices.below(256)) % len(tokens)]
    start, end = token.start_pos or 0, token.end_pos or 0
    match way:
        case 0:
            return text[:start] + text[end:]
        case 1:
            return f"{text[:end]} {token} {text[end:]}"
        case 2:
            other = choices.of(tokens)
            low, high = sorted(((start, end), (other.start_pos or 0, other.end_pos or 0)))
            if low[1] > high[0]:
                return text
            return text[: low[0]] + text[high[0] : high[1]] + text[low[1] : high[0]] + text[low[0] : low[1]] + text[high[1] :]
        case 3:
            return text[:start]
        case 4:
            return text[:start] + choices.of(ODD) + text[start:]
        case 5:
            _, other_text = statements()[(choices.below(256) * 256 + choices.below(256)) % len(statements())]
            return text[:start] + str(choices.of(list(tables.scanner().scan(other_text)) or tokens)) + text[end:]
        case 6:
            return text[:start] + by_the_grammar(choices, "expression") + text[end:]
        case _:
            return text[:start] + choices.of(_of_its_kind(token)) + text[end:]


def _of_its_kind(token: Token) -> list[str]:
    words = WORDS.get(token.type, ["*", "NULL"])
    return words if not re.fullmatch(r"[A-Za-z]+", token) else [*words, "TIMESTAMP", "INTERVAL '1' DAY", "CAST(NULL AS BIGINT)"]
