"""The formats of web servers' logs, as Apache writes them, with `[...]` or `{...}` around the argument of a specifier.

A format becomes a regular expression with a group for each specifier.  A field ends where the text behind it in the format
begins; one between quotes may hold quotes with a backslash in front; `%t` is all that stands between brackets, with them.
"""

from __future__ import annotations

import re
from functools import lru_cache

FORMATS = {
    "COMMON": '%h %l %u %t "%r" %>s %b',
    "COMMON WITH VHOST": '%v %h %l %u %t "%r" %>s %b',
    "NCSA EXTENDED": '%h %l %u %t "%r" %>s %b "%[Referer]i" "%[User-agent]i"',
    "REFERER": "%[Referer]i ---> %U",
    "AGENT": "%[User-agent]i",
}

_SPECIFIER = re.compile(
    r"""%(?P<condition>!?\d{3}(?:,\d{3})*)?[<>]?(?P<argument>\[[^\]]*\]|\{[^}]*\})?(?P<letter>[A-Za-z])""", re.ASCII
)
_LETTERS = "aABbCDefhHiIlmnoOpPqrstTuUvVX"
_QUOTED = r'((?:[^"\\]|\\.)*+)'
_BRACKETED = r"(\[[^\]]*+\]|-)"


@lru_cache(maxsize=256)
def compile_format(format: str) -> re.Pattern[str]:
    """The regular expression of a format, by its name or by its specifiers.  Raises ValueError for what is none."""
    name = " ".join(format.upper().split())
    if name == "IIS":
        raise ValueError("the reference does not say what IIS stands for: write its specifiers")
    return re.compile(_regex(FORMATS.get(name, format).replace('\\"', '"')), re.DOTALL)


def _regex(format: str) -> str:
    """Fields and the text between them; a field that text follows goes to the first place where the text stands."""
    parts = _parts(format)
    if all(isinstance(part, str) for part in parts):
        known = ", ".join(FORMATS)
        raise ValueError(f"it has no specifier such as %h, and is none of {known}")
    regex: list[str] = []
    for i, part in enumerate(parts):
        if isinstance(part, str):
            regex.append(re.escape(part))
            continue
        before, after = _text(parts, i - 1), _text(parts, i + 1)
        if i + 1 < len(parts) and not after:
            raise ValueError("two specifiers follow each other with nothing between")
        if part["letter"] == "t" and part["argument"] is None:
            regex.append(_BRACKETED)
        elif before.endswith('"') and after.startswith('"'):
            regex.append(_QUOTED)
        elif after:
            regex.append(f"((?:(?!{re.escape(after)}).)*+)")
        else:
            regex.append("(.*+)")
    return "".join(regex)


def _parts(format: str) -> list[str | re.Match[str]]:
    """The specifiers, and the text before, between and behind them."""
    parts: list[str | re.Match[str]] = []
    text, at = "", 0
    while at < len(format):
        found = _SPECIFIER.match(format, at)
        if found is not None and found["letter"] in _LETTERS:
            parts += [text, found] if text else [found]
            text, at = "", found.end()
        elif format.startswith("%%", at):
            text, at = text + "%", at + 2
        elif format[at] == "%":
            raise ValueError(f"{format[at : at + 2]!r} at {at} is no specifier")
        else:
            text, at = text + format[at], at + 1
    return [*parts, text] if text else parts


def _text(parts: list[str | re.Match[str]], i: int) -> str:
    part = parts[i] if 0 <= i < len(parts) else ""
    return part if isinstance(part, str) else ""
