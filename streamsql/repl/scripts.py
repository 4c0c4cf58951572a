r"""A script cut into what is run one after the other: SQL statements, and commands that take a line each.

A command begins with a backslash, or with a point and a letter, at the beginning of a line that is not inside a statement.
One that runs the last statement may also end it, in place of the semicolon: `SELECT ... \\gx`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from streamsql.sql.parser import is_complete, parse, split

_COMMAND = re.compile(r"\s*(?:\\|\.[A-Za-z])")
_ENDING = re.compile(r"\s*(\\(?:gx?|gdesc|gset|live|chart|watch)\b[^\n]*)\s*\Z")


@dataclass(frozen=True, slots=True)
class Unit:
    """One statement or command.

    The text of a statement stands behind as many line ends and blanks as it does in the script, so the place of an error
    in it is the place in the script.  `through` is the command that ends it, and runs it.
    """

    text: str
    is_command: bool
    through: str = ""


def is_command(text: str) -> bool:
    """Whether a line is a command."""
    return _COMMAND.match(text) is not None


def is_ready(text: str) -> bool:
    """Whether what was typed so far can be run: it ends with a semicolon or a command, is one, or nothing at all."""
    return not text.strip() or is_command(text) or is_complete(text) or _ended(text)[1] != ""


def _ended(text: str) -> tuple[str, str]:
    """A text without the command that ends its statement, and this; nothing where there is none."""
    match = _ENDING.search(text)
    if match is None or not text[: match.start()].strip() or not is_complete(f"{text[: match.start()]};"):
        return text, ""
    return f"{text[: match.start()]};", match[1]


def units(script: str) -> Iterator[Unit]:
    """The statements and commands of a script.

    Raises ProgrammingError for one that has none, but has statements in comments.
    """
    found = False
    for number, chunk in _chunks(script):
        if is_command(chunk):
            found = True
            yield Unit(chunk.strip(), True)
            continue
        at = 0
        chunk, through = _ended(chunk)
        statements = [statement for statement, _ in split(chunk)]
        for place, statement in enumerate(statements):
            found = True
            start = chunk.index(statement, at)
            at = start + len(statement)
            lines = chunk[:start].split("\n")
            text = "\n" * (number + len(lines) - 1) + " " * len(lines[-1]) + statement
            yield Unit(text, False, through if place == len(statements) - 1 else "")
    if not found:
        parse(script)


def _chunks(script: str) -> Iterator[tuple[int, str]]:
    """Runs of whole lines, each with the number of lines before it: a command, or statements up to a semicolon."""
    start, lines = 0, list[str]()
    for number, line in enumerate(script.split("\n")):
        if is_command(line) and not split("\n".join(lines)):
            lines = []  # only remarks stand before it
            yield number, line
            continue
        if not lines:
            start = number
            if not line.strip():
                continue
        lines.append(line)
        if (";" in line and is_complete("\n".join(lines))) or ("\\" in line and _ended("\n".join(lines))[1]):
            yield start, "\n".join(lines)
            lines = []
    if lines:
        yield start, "\n".join(lines)
