"""Values with names, which statements take as `:name`: values, never a part of the text."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from streamsql.errors import ProgrammingError

_NAME = re.compile(r"[^\W\d]\w*")
_WHOLE = re.compile(r"[+-]?\d+")
_EXACT = re.compile(r"[+-]?(?:\d+\.\d*|\.\d+)")

ELSEWHERE = {
    "ON_ERROR_STOP": "the first error ends a script, and never the session at the prompt",
    "AUTOCOMMIT": "there are no transactions: what a statement did stays done",
    "ECHO": "\\p prints the last statement",
    "HISTFILE": "the variable STREAMSQL_HISTORY of the environment names the file of the history",
}
"""Variables by which psql is set up, and what holds here."""


def name_of(text: str) -> str:
    """The name of a variable; raises ProgrammingError for what cannot stand behind a colon."""
    if text in ELSEWHERE:
        raise ProgrammingError(f"{text} sets nothing here", hint=ELSEWHERE[text])
    if not _NAME.fullmatch(text):
        raise ProgrammingError(f"no name of a variable: {text}", hint="letters, digits and _, as in :least")
    return text


def value_of(text: str) -> Any:
    """What a text means: a number, NULL, or a text, in quotes or not."""
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if _WHOLE.fullmatch(text):
        return int(text)
    if _EXACT.fullmatch(text):
        return Decimal(text)
    return None if text.upper() == "NULL" else text


def written(value: Any) -> str:
    """A value as it would be typed behind `\\set NAME`."""
    if value is None:
        return "NULL"
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"
