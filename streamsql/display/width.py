"""How many columns of a terminal a text takes, and texts cut or filled to so many."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

CUT = "…"
"""Stands at the end of what was cut."""

INVISIBLE = "\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069"
"""Characters that would move the cursor or the order of what follows: shown as escapes."""

_INVISIBLE = re.compile(f"[{INVISIBLE}]")
_NAMED = {"\n": r"\n", "\t": r"\t", "\r": r"\r"}


def text_width(text: str) -> int:
    """The columns that `text` takes: wide characters two, combining ones none.

    >>> text_width("abc"), text_width("日本"), text_width("e\N{COMBINING ACUTE ACCENT}")
    (3, 4, 1)
    """
    return len(text) if text.isascii() else sum(map(_character_width, text))


def printable(text: str) -> str:
    r"""`text` in one line, without anything that a terminal would obey.

    >>> printable("two\nlines"), printable("\x1b[31m")
    ('two\\nlines', '\\x1b[31m')
    """
    return _INVISIBLE.sub(_escape, text)


def cut(text: str, width: int) -> str:
    """`text`, or as much of its beginning as `width` columns hold, with a mark.

    >>> cut("abcdef", 4), cut("日本語", 4)
    ('abc…', '日…')
    """
    if text_width(text) <= width:
        return text
    kept, used = 0, len(CUT)
    for character in text:
        used += _character_width(character)
        if used > width:
            break
        kept += 1
    return text[:kept] + CUT if width else ""


def fill(text: str, width: int, right: bool = False) -> str:
    """`text` with blanks up to `width` columns: behind it, or in front where it is to stand to the right.

    >>> fill("日", 4) + "|", fill("7", 3, right=True)
    ('日  |', '  7')
    """
    blanks = " " * (width - text_width(text))
    return blanks + text if right else text + blanks


@cache
def _character_width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf") or "\u1160" <= character <= "\u11ff":
        return 0  # the latter are the parts of a Hangul syllable that are written into its first
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return _NAMED.get(match[0]) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")
