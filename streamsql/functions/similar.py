"""The patterns of LIKE and SIMILAR TO, translated into regular expressions that RE2 (Arrow) and Python read alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

LIKE_SPECIAL = "_%"
SIMILAR_SPECIAL = "_%|*+?{}()[]^-"

_NAMED_SETS = {
    "ALPHA": "AZaz",
    "UPPER": "AZ",
    "LOWER": "az",
    "DIGIT": "09",
    "ALNUM": "09AZaz",
    "SPACE": "  ",
    "WHITESPACE": "\t\r  ",
}
"""The sets that may be named as `[:ALPHA:]`: pairs of first and last characters."""

_OUTSIDE_SETS = {"_": ".", "%": ".*", "(": "(?:"} | {c: c for c in "|*+?)"}
"""What means something outside of sets, and how a regular expression says it."""

Range = tuple[int, int]


@lru_cache(maxsize=1024)
def like_to_arrow(pattern: str, escape: str | None = None) -> str:
    """A LIKE pattern as Arrow's `match_like` reads it, where a backslash escapes.

    >>> like_to_arrow("a!%b%", "!")
    'a\\\\%b%'
    """
    parts = _like_parts(pattern, escape)
    return "".join(c if special else "\\" + c if c in "_%\\" else c for c, special in parts)


@lru_cache(maxsize=1024)
def like_to_regex(pattern: str, escape: str | None) -> re.Pattern[str]:
    """A LIKE pattern as a regular expression for the whole text."""
    wildcards = {"_": ".", "%": ".*"}
    parts = _like_parts(pattern, escape)
    return re.compile("".join(wildcards[c] if special else re.escape(c) for c, special in parts), re.DOTALL)


def _like_parts(pattern: str, escape: str | None) -> Iterator[tuple[str, bool]]:
    """The characters of a pattern, and whether each is a wildcard."""
    escape = _checked_escape(escape)
    characters = iter(pattern)
    for c in characters:
        if c == escape:
            yield _escaped(next(characters, None), LIKE_SPECIAL, escape), False
        else:
            yield c, c in LIKE_SPECIAL


def _checked_escape(escape: str | None) -> str | None:
    if escape is not None and len(escape) != 1:
        raise ValueError(f"the escape must be one character, not '{escape}'")
    return escape


def _escaped(c: str | None, special: str, escape: str) -> str:
    if c is None or (c not in special and c != escape):
        raise ValueError(f"invalid escape sequence '{escape}{c or ''}'")
    return c


@lru_cache(maxsize=1024)
def similar_to_regex(pattern: str, escape: str | None = None) -> str:
    """A SIMILAR TO pattern as a regular expression for the whole text, without anchors and capturing groups.

    >>> similar_to_regex("ab%[c-e^d]", None)
    '(?s:ab.*[ce])'
    """
    text = _Similar(pattern, _checked_escape(escape)).translate()
    try:
        pc.match_substring_regex(pa.scalar(""), text)
    except pa.ArrowInvalid as error:
        raise ValueError(f"invalid pattern '{pattern}': {error}") from None
    return text


@lru_cache(maxsize=1024)
def similar_parts(pattern: str, escape: str) -> str:
    """The three-part pattern of SUBSTRING ... SIMILAR as a regular expression whose group `part` is the middle."""
    _checked_escape(escape)
    parts = pattern.split(escape + '"')
    if len(parts) != 3:
        raise ValueError(f"'{pattern}' needs {escape}\" twice")
    before, part, after = (similar_to_regex(p, escape) for p in parts)
    return f"{before}(?P<part>{part}){after}"


class _Similar:
    """One translation of a SIMILAR TO pattern."""

    def __init__(self, pattern: str, escape: str | None) -> None:
        self.pattern, self.escape = pattern, escape
        self.position = 0

    def translate(self) -> str:
        out = []
        while self.position < len(self.pattern):
            c = self._next()
            if c == self.escape:
                out.append(re.escape(self._escape_sequence()))
            elif c == "[":
                out.append(self._set())
            elif c == "{":
                out.append(self._repetition())
            elif c in "]}^":
                self._invalid(c)
            else:
                out.append(_OUTSIDE_SETS.get(c) or re.escape(c))
        return f"(?s:{''.join(out)})"

    def _next(self) -> str:
        if self.position == len(self.pattern):
            raise ValueError(f"invalid pattern '{self.pattern}': it ends too early")
        self.position += 1
        return self.pattern[self.position - 1]

    def _invalid(self, c: str) -> None:
        raise ValueError(f"invalid pattern '{self.pattern}': '{c}' at {self.position} must be escaped")

    def _escape_sequence(self) -> str:
        """What stands behind the escape: any character but a letter or a digit, whether it is special or not."""
        following = self.pattern[self.position : self.position + 1]
        self.position += 1
        return following if following and not following.isalnum() else _escaped(following or None, "", self.escape or "")

    def _repetition(self) -> str:
        match = re.compile(r"\d+(,\d*)?\}", re.ASCII).match(self.pattern, self.position)
        if match is None:
            raise ValueError(f"invalid pattern '{self.pattern}': no repetition at {self.position}")
        self.position = match.end()
        return "{" + match[0]

    def _set(self) -> str:
        """`[a-z]`, `[^a-z]`, `[a-z^aeiou]`: the second part of the last is taken out of the first."""
        negated = self.pattern.startswith("^", self.position)
        self.position += negated
        members = self._ranges()
        if self.pattern[self.position - 1] == "^":
            others = self._ranges()
            members = members + others if negated else _without(members, others)
            if self.pattern[self.position - 1] != "]":
                self._invalid("^")
        if not members:
            return f"[^{chr(0)}-{chr(0x10FFFF)}]"
        inside = "".join(_character(a) if a == b else f"{_character(a)}-{_character(b)}" for a, b in members)
        return f"[{'^' if negated else ''}{inside}]"

    def _ranges(self) -> list[Range]:
        """The members of a set, up to the `]` or `^` that ends them."""
        members: list[Range] = []
        while (c := self._next()) not in "]^":
            if c == "[" and self.pattern.startswith(":", self.position):
                members += self._named_set()
                continue
            first = self._member(c)
            last = first
            if self.pattern.startswith("-", self.position):
                self.position += 1
                last = self._member(self._next())
            if last < first:
                raise ValueError(f"invalid pattern '{self.pattern}': the range {first}-{last} is empty")
            members.append((ord(first), ord(last)))
        return members

    def _member(self, c: str) -> str:
        if c == self.escape:
            return self._escape_sequence()
        if c in SIMILAR_SPECIAL:
            self._invalid(c)
        return c

    def _named_set(self) -> list[Range]:
        end = self.pattern.find(":]", self.position)
        bounds = _NAMED_SETS.get(self.pattern[self.position + 1 : end].upper())
        if end < 0 or bounds is None:
            raise ValueError(f"invalid pattern '{self.pattern}': no set of characters at {self.position}")
        self.position = end + 2
        return [(ord(a), ord(b)) for a, b in zip(bounds[::2], bounds[1::2], strict=True)]


def _character(code: int) -> str:
    c = chr(code)
    return c if c.isalnum() or code > 127 else "\\" + c


def _without(members: list[Range], others: list[Range]) -> list[Range]:
    """The ranges of `members` less those of `others`."""
    for low, high in others:
        left = [(a, min(b, low - 1)) for a, b in members if a < low]
        right = [(max(a, high + 1), b) for a, b in members if b > high]
        members = left + right
    return sorted(members)
