"""Java's regular expressions, translated into Python's.

What Python lacks is put in other words: `\\p{...}`, `\\Q...\\E`, sets within sets and their intersections `&&`, `\\h`, `\\R`, the
line ends that `.` stops at.  What cannot be said (flags in the middle, `\\G`) is a `ValueError`.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable
from functools import cache, lru_cache
from itertools import groupby

_POSIX = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "ASCII": "\\x00-\\x7f",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Alnum": "0-9a-zA-Z",
    "Punct": "!-/:-@\\[-`{-~",
    "Graph": "!-~",
    "Print": " -~",
    "Blank": " \\t",
    "Cntrl": "\\x00-\\x1f\\x7f",
    "XDigit": "0-9a-fA-F",
    "Space": " \\t\\n\\x0b\\f\\r",
}

_HORIZONTAL = " \\t\\xa0\\u1680\\u180e\\u2000-\\u200a\\u202f\\u205f\\u3000"
_VERTICAL = "\\n\\x0b\\f\\r\\x85\\u2028\\u2029"

_SETS = {"d": "\\d", "D": "\\D", "w": "\\w", "W": "\\W", "s": "\\s", "S": "\\S"}
_NEW_SETS = {"h": f"[{_HORIZONTAL}]", "H": f"[^{_HORIZONTAL}]", "v": f"[{_VERTICAL}]", "V": f"[^{_VERTICAL}]"}
_OUTSIDE_SETS = {
    "b": "\\b",
    "B": "\\B",
    "A": "\\A",
    "z": "\\Z",
    "Z": "(?=(?:\\r\\n|[\\n\\r\\x85\\u2028\\u2029])?\\Z)",
    "R": f"(?:\\r\\n|[{_VERTICAL}])",
}
_CONTROLS = {"t": "\\t", "n": "\\n", "r": "\\r", "f": "\\f", "a": "\\a", "e": "\\x1b"}
_ANY = "[^\\n\\r\\x85\\u2028\\u2029]"

_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE}


@lru_cache(maxsize=512)
def compile_java(pattern: str) -> re.Pattern[str]:
    """A Java pattern as a compiled one of Python.

    >>> compile_java("[a-z&&[^b]]+").search("BbAcdb")[0]
    'cd'
    """
    flags = re.ASCII
    leading = re.match(r"\(\?([imsx]+)\)", pattern)
    if leading:
        for letter in leading[1]:
            flags |= _FLAGS[letter]
    translation = _Translation(pattern, leading.end() if leading else 0, re.RegexFlag(flags))
    try:
        return re.compile(translation.run(), flags)
    except (re.error, OverflowError) as error:
        raise ValueError(f"invalid regular expression '{pattern}': {error}") from None


class _Translation:
    """One pattern on its way to Python."""

    def __init__(self, pattern: str, start: int, flags: re.RegexFlag) -> None:
        self.pattern, self.position = pattern, start
        self.dot_is_all = bool(flags & re.DOTALL)
        self.by_line = bool(flags & re.MULTILINE)

    def run(self) -> str:
        out = []
        while not self._at_end():
            c = self._next()
            if c == "\\":
                out.append(self._escape(_OUTSIDE_SETS))
            elif c == "[":
                out.append(self._set())
            elif c == "(":
                out.append(self._group())
            elif c == "$" and not self.by_line:
                out.append(_OUTSIDE_SETS["Z"])
            else:
                out.append(_ANY if c == "." and not self.dot_is_all else c)
        return "".join(out)

    def _at_end(self) -> bool:
        return self.position >= len(self.pattern)

    def _next(self) -> str:
        if self._at_end():
            raise self._error("it ends too early")
        self.position += 1
        return self.pattern[self.position - 1]

    def _take(self, text: str) -> bool:
        """Whether the pattern goes on with `text`, which is then behind."""
        found = self.pattern.startswith(text, self.position)
        self.position += len(text) if found else 0
        return found

    def _until(self, end: str) -> str:
        stop = self.pattern.find(end, self.position)
        if stop < 0:
            raise self._error(f"no {end}")
        text, self.position = self.pattern[self.position : stop], stop + len(end)
        return text

    def _error(self, what: str) -> ValueError:
        return ValueError(f"invalid regular expression '{self.pattern}': {what}")

    def _group(self) -> str:
        if not self._take("?"):
            return "("
        if self._take("<"):
            behind = self.pattern[self.position : self.position + 1] in ("=", "!")
            return "(?<" if behind else "(?P<"
        flags = re.compile(r"[a-zA-Z]*(-[a-zA-Z]+)?(?=[:)])").match(self.pattern, self.position)
        if flags and flags[0]:
            if self.pattern[flags.end()] == ")" or set(flags[0]) - set("imsx-"):
                raise self._error(f"the flags (?{flags[0]}) are not supported here")
            self.dot_is_all |= "s" in flags[0].split("-")[0]
        return "(?"

    def _escape(self, more: dict[str, str]) -> str:
        """What stands behind a backslash, as an expression of one character (or one of `more`)."""
        c = self._next()
        known = more.get(c) or _SETS.get(c) or _NEW_SETS.get(c) or _CONTROLS.get(c)
        if known is not None:
            return known
        special: Callable[[], str] | None = {
            "Q": lambda: re.escape(self._quoted()),
            "p": lambda: f"[{self._property()}]",
            "P": lambda: f"[^{self._property()}]",
            "k": lambda: f"(?P={self._until('>')[1:]})",
            "x": lambda: self._code(self._until("}") if self._take("{") else self._digits(2)),
            "u": lambda: self._code(self._digits(4)),
            "0": lambda: re.escape(chr(int(self._octal(), 8))),
            "c": lambda: re.escape(chr(ord(self._next()) ^ 64)),
        }.get(c)
        if special is not None:
            return special()
        if c.isascii() and c.isalpha():
            raise self._error(f"\\{c} is not supported")
        return "\\" + c if c.isdigit() else re.escape(c)

    def _quoted(self) -> str:
        end = self.pattern.find("\\E", self.position)
        text = self.pattern[self.position : end if end >= 0 else len(self.pattern)]
        self.position += len(text) + (2 if end >= 0 else 0)
        return text

    def _digits(self, count: int) -> str:
        self.position += count
        return self.pattern[self.position - count : self.position]

    def _octal(self) -> str:
        match = re.compile("[0-3]?[0-7]{1,2}").match(self.pattern, self.position)
        if match is None:
            raise self._error("\\0 needs octal digits")
        self.position = match.end()
        return match[0]

    def _code(self, digits: str) -> str:
        try:
            return re.escape(chr(int(digits, 16)))
        except (ValueError, OverflowError):
            raise self._error(f"no character {digits}") from None

    def _property(self) -> str:
        """The inside of a set for `\\p{name}`."""
        name = self._until("}") if self._take("{") else self._next()
        if name in _POSIX:
            return _POSIX[name]
        members = _category(name.removeprefix("Is"))
        if not members:
            raise self._error(f"no property {name}")
        return members

    def _set(self) -> str:
        """A set as an expression of one character: alternatives for a union, a lookahead for an intersection."""
        negated = self._take("^")
        parts: list[str] = [self._union()]
        while self._take("&&"):
            parts.append(self._union())
        self.position += 1  # the bracket
        simple = len(parts) == 1 and parts[0].startswith("[") and parts[0].count("[") == 1
        if simple:
            return f"[^{parts[0][1:]}" if negated else parts[0]
        *conditions, last = parts
        positive = "".join(f"(?={part})" for part in conditions) + last
        return f"(?:(?!{positive})[\\s\\S])" if negated else f"(?:{positive})"

    def _union(self) -> str:
        """The members up to `]` or `&&`."""
        plain: list[str] = []
        nested: list[str] = []
        first = True
        while True:
            if self._at_end():
                raise self._error("a set without ]")
            c = self.pattern[self.position]
            if (c == "]" and not first) or self.pattern.startswith("&&", self.position):
                break
            first = False
            self.position += 1
            if c == "[":
                nested.append(self._set())
            elif c == "\\":
                member = self._escape({})
                (nested if member.startswith("[") else plain).append(member)
            else:
                plain.append("-" if c == "-" else "\\" + c if c in "[]^&~|#" else c)
        alternatives = ([f"[{''.join(plain)}]"] if plain else []) + nested
        if len(alternatives) == 1:
            return alternatives[0]
        return f"(?:{'|'.join(alternatives)})"


def _category(name: str) -> str:
    """The inside of a set of all characters whose Unicode category is or starts with `name`; "" where there is none."""
    ranges = [range_ for category, list_ in _categories().items() if category.startswith(name) for range_ in list_]
    return "".join(f"\\U{a:08x}" if a == b else f"\\U{a:08x}-\\U{b:08x}" for a, b in ranges)


@cache
def _categories() -> dict[str, list[tuple[int, int]]]:
    """The ranges of characters of every Unicode category."""
    categories: dict[str, list[tuple[int, int]]] = {}
    codes = range(sys.maxunicode + 1)
    for category, run in groupby(codes, key=lambda code: unicodedata.category(chr(code))):
        members = list(run)
        categories.setdefault(category, []).append((members[0], members[-1]))
    return categories


@lru_cache(maxsize=512)
def java_replacement(text: str, groups: int) -> tuple[str | int, ...]:
    """A Java replacement as texts and numbers of groups.

    >>> java_replacement("a$1\\\\$", 3)
    ('a', 1, '$')
    """
    parts: list[str | int] = []
    i = 0
    while i < len(text):
        c = text[i]
        i += 1
        if c == "\\":
            if i == len(text):
                raise ValueError("character to be escaped is missing in the replacement")
            parts.append(text[i])
            i += 1
        elif c == "$":
            match = re.compile(r"\d", re.ASCII).match(text, i)
            if match is None or int(match[0]) > groups:
                raise ValueError(f"no group for '${text[i : i + 1]}' in the replacement")
            number, i = int(match[0]), i + 1
            while i < len(text) and text[i].isdigit() and number * 10 + int(text[i]) <= groups:
                number, i = number * 10 + int(text[i]), i + 1
            parts.append(number)
        else:
            parts.append(c)
    return tuple(parts)
