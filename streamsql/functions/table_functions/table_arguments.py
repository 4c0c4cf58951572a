"""The checks of what is behind the CURSOR of a table function."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from streamsql.errors import ProgrammingError
from streamsql.types import Schema


def check_count(name: str, parameters: Sequence[str], arguments: Sequence[Any]) -> None:
    """All the arguments of a function none of whose arguments may be left out."""
    if len(arguments) != len(parameters):
        form = f"TABLE({name}(CURSOR(SELECT STREAM ...), {', '.join(parameters)}))"
        raise ProgrammingError(f"{name} takes a CURSOR and {len(parameters)} arguments, not {len(arguments)}", hint=form)


def whole_number(name: str, parameter: str, value: Any, least: int, greatest: int) -> int:
    """A whole number from `least` to `greatest`."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= greatest:
        raise ProgrammingError(f"{name}: {parameter} must be a whole number from {least} to {greatest}, not {shown(value)}")
    return value


def one_of(name: str, parameter: str, value: Any, words: Sequence[str]) -> str:
    """One of some words, in any case."""
    if not isinstance(value, str) or value.lower() not in words:
        known = " or ".join(f"'{word}'" for word in words)
        raise ProgrammingError(f"{name}: {parameter} must be {known}, not {shown(value)}")
    return value.lower()


def column_name(name: str, parameter: str, value: Any, schema: Schema) -> str:
    """The name of a column of the cursor, spelled as the catalog keeps it."""
    if not isinstance(value, str):
        raise ProgrammingError(f"{name}: {parameter} must be the name of a column in single quotes, not {shown(value)}")
    if schema.index(value) is None:
        raise ProgrammingError(f"{name}: the CURSOR has no column {value}", hint=_meant(value, schema))
    return value


def shown(value: Any) -> str:
    """A constant as a message shows it."""
    if value is None or isinstance(value, bool):
        return {None: "NULL", True: "TRUE", False: "FALSE"}[value]
    return f"'{value}'" if isinstance(value, str) else str(value)


def _meant(name: str, schema: Schema) -> str:
    names = [field.name for field in schema.visible]
    close = [other for other in names if other.upper() == name.upper()]
    close += get_close_matches(name.upper(), names, 1, 0.7)
    case = "names in single quotes are case-sensitive; those that DDL has without quotes are upper case"
    return f"did you mean '{close[0]}'? {case}" if close else f"its columns are {', '.join(names)}"
