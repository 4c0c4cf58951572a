"""What a user can set with `\\pset`: one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from streamsql.errors import ProgrammingError

FORMATS = ("table", "vertical", "csv", "json", "markdown", "live", "chart")
EXPANDED = ("off", "on", "auto")


@dataclass(slots=True)
class Settings:
    """How results are shown."""

    format: str = "table"
    null: str = "NULL"
    expanded: str = "off"
    header: bool = True
    footer: bool = True
    limit: int = 1_000
    timing: bool = False
    pager: bool = True


class Option(NamedTuple):
    """One setting: how its value is read, what it is for."""

    read: Callable[[str], Any]
    values: tuple[str, ...]
    help: str


def _chosen(values: tuple[str, ...], others: Mapping[str, str] = {}) -> Option:
    def read(text: str) -> str:
        value = others.get(text.lower(), text.lower())
        if value not in values:
            raise ProgrammingError(f"no value {text!r}", hint=f"one of {', '.join(values)}")
        return value

    return Option(read, values, "")


def _switch(text: str) -> bool:
    words = {"on": True, "true": True, "yes": True, "1": True, "off": False, "false": False, "no": False, "0": False}
    if text.lower() not in words:
        raise ProgrammingError(f"no value {text!r}", hint="on or off")
    return words[text.lower()]


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ProgrammingError(f"not a number of rows: {text!r}")
    return int(text)


def _text(text: str) -> str:
    return text[1:-1].replace("''", "'") if len(text) > 1 and text[0] == text[-1] == "'" else text


_ON_OFF = ("on", "off")

_AS_ELSEWHERE = {
    **dict.fromkeys(("aligned", "column", "columns", "box", "duckbox", "psql"), "table"),
    **dict.fromkeys(("line", "lines", "expanded"), "vertical"),
    **dict.fromkeys(("jsonl", "jsonlines", "ndjson"), "json"),
}
"""What other shells call these formats."""

ELSEWHERE = {
    "tuples_only": "\\t, or \\pset header off and \\pset footer off",
    "border": "tables have one form; \\mode lists the other formats",
    "fieldsep": "\\mode csv parts values by commas",
    "title": "\\echo prints a text among the results",
}
"""Settings of other shells, and what serves their purpose here."""

OPTIONS: dict[str, Option] = {
    "format": _chosen(FORMATS, _AS_ELSEWHERE)._replace(help="how results are shown; live and chart are redrawn in their place"),
    "null": Option(_text, (), "the text that stands for NULL in tables"),
    "expanded": _chosen(EXPANDED)._replace(help="one value a line: on, off, or auto (where a table has no room)"),
    "header": Option(_switch, _ON_OFF, "whether the names of the columns stand above a table or CSV"),
    "footer": Option(_switch, _ON_OFF, "whether the number of rows follows a table"),
    "limit": Option(_count, (), "rows of a finished result that are shown on the terminal; 0: all"),
    "pager": Option(_switch, _ON_OFF, "whether a finished result longer than the screen goes through $PAGER, or less"),
    "timing": Option(_switch, _ON_OFF, "whether the time that a statement took is shown"),
}


def change(settings: Settings, name: str, value: str) -> None:
    """Set one of them; raises ProgrammingError for a name or a value that is not there."""
    setattr(settings, name, option(name).read(value))


def option(name: str) -> Option:
    """The setting of this name."""
    found = OPTIONS.get(name)
    if found is None:
        raise ProgrammingError(f"no setting {name}", hint=ELSEWHERE.get(name) or f"there are {', '.join(OPTIONS)}")
    return found


def shown(settings: Settings, name: str) -> str:
    """The value of a setting as it would be typed."""
    value = getattr(settings, name)
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"'{value}'" if name == "null" else str(value)
