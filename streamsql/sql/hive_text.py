"""Text and names of the statements about external tables: what a backslash means, in both directions."""

from __future__ import annotations

import re

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "0": "\0", "Z": "\x1a", "A": "\x01"}
"""`\\A` is what Redshift writes for the delimiter that is Hive's default."""

_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|[0-3][0-7]{2}|.)", re.DOTALL)


def unescaped(written: str) -> str:
    """The text that a literal of these statements stands for, its quotes included.

    >>> unescaped(r"'a\\tb'"), unescaped(r'"say \\"hi\\""'), unescaped(r"'\\001'"), unescaped("'it''s'")
    ('a\\tb', 'say "hi"', '\\x01', "it's")
    """
    quote, text = written[0], written[1:-1]
    return _ESCAPE.sub(_meaning, text.replace(quote * 2, quote))


def escaped(text: str) -> str:
    """A text as a literal of these statements, from which `unescaped` makes it again.

    >>> escaped("it's"), escaped("\\t"), escaped("\\x01")
    ("'it\\\\'s'", "'\\\\t'", "'\\\\001'")
    """
    plain = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    return "'" + re.sub(r"[\x00-\x1f]", lambda match: f"\\{ord(match[0]):03o}", plain) + "'"


def _meaning(match: re.Match[str]) -> str:
    escape = match[1]
    if escape[0] == "u" and len(escape) == 5:
        return chr(int(escape[1:], 16))
    if len(escape) == 3:
        return chr(int(escape, 8))
    return _ESCAPES.get(escape, escape)
