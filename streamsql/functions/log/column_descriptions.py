"""The columns that a log parser is told to make of a text: 'name TYPE INTEGER NOT NULL START 0 FOR 3, ...'."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from streamsql.errors import ProgrammingError
from streamsql.type_names import sql_type
from streamsql.types import Field, Kind, SqlType, varchar

TEXT = varchar(1024)
"""The type of a field for which none is given; longer texts are cut."""

_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"(?:[^"]|"")+")|(?P<word>[^\W\d]\w*)|(?P<number>\d+)|(?P<text>'(?:[^']|'')*')|(?P<symbol>\S))""",
    re.ASCII,
)
_PAIRS = {"DOUBLE": "PRECISION", "CHAR": "VARYING", "CHARACTER": "VARYING", "BINARY": "VARYING"}
_NO_COLUMN = (Kind.DAY_TIME, Kind.YEAR_MONTH, Kind.ROW, Kind.NULL)


@dataclass(frozen=True, slots=True)
class Description:
    """One column: its field, the pattern of its dates, and where it stands in a text of fixed columns."""

    field: Field
    format: str | None = None
    start: int = 0
    count: int | None = None


def numbered(count: int) -> tuple[Description, ...]:
    """COLUMN1 to COLUMNn."""
    return tuple(Description(Field(f"COLUMN{i + 1}", TEXT)) for i in range(count))


@lru_cache(maxsize=256)
def descriptions(text: str, placed: bool = False) -> tuple[Description, ...]:
    """The columns that a text describes; `placed`: each says where it starts.  Raises ProgrammingError."""
    reader = _Reader(text)
    found = [reader.description(placed)]
    while reader.take(","):
        found.append(reader.description(placed))
    if reader.here():
        raise reader.unexpected("a comma")
    names = [each.field.name for each in found]
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        raise ProgrammingError(f"column {twice} is described twice")
    return tuple(found)


def fields_of(columns: Sequence[Description]) -> tuple[Field, ...]:
    return tuple(column.field for column in columns)


class _Reader:
    """Reads column descriptions once from left to right."""

    def __init__(self, text: str) -> None:
        self._tokens = [(match.lastgroup, match[match.lastgroup or 0]) for match in _TOKEN.finditer(text)]

    def description(self, placed: bool) -> Description:
        name = self._name()
        type_, format = TEXT, None
        if self.take("TYPE") or self._is_word() not in ("", "NOT", "START"):
            type_ = self._type()
            if self._tokens and self._tokens[0][0] == "text":
                format = self._format(name, type_)
        nullable = not self.take("NOT")
        if not nullable:
            self._expect("NULL")
        if not placed:
            return Description(Field(name, type_, nullable), format)
        self._expect("START")
        start = self._number()
        count = self._number() if self.take("FOR") else None
        return Description(Field(name, type_, nullable), format, start, count)

    def here(self) -> str:
        """The next token as it is written; empty at the end."""
        return self._tokens[0][1] if self._tokens else ""

    def take(self, word: str) -> bool:
        """Whether the next token is this word or symbol, which is then behind."""
        taken = bool(self._tokens) and self._tokens[0][0] in ("word", "symbol") and self.here().upper() == word
        if taken:
            del self._tokens[0]
        return taken

    def unexpected(self, wanted: str) -> ProgrammingError:
        seen = f"{self.here()} is not" if self._tokens else "they end where there should be"
        return ProgrammingError(f"the column descriptions cannot be read: {seen} {wanted}", hint=_FORM)

    def _expect(self, word: str) -> None:
        if not self.take(word):
            raise self.unexpected(word)

    def _is_word(self) -> str:
        return self.here().upper() if self._tokens and self._tokens[0][0] == "word" else ""

    def _name(self) -> str:
        kind, text = self._tokens[0] if self._tokens else ("", "")
        if kind not in ("word", "quoted"):
            raise self.unexpected("a name")
        del self._tokens[0]
        return text.upper() if kind == "word" else text[1:-1].replace('""', '"')

    def _number(self) -> int:
        if not self._tokens or self._tokens[0][0] != "number":
            raise self.unexpected("a number")
        return int(self._tokens.pop(0)[1])

    def _type(self) -> SqlType:
        if not self._is_word():
            raise self.unexpected("a type")
        name = self._tokens.pop(0)[1].upper()
        second = _PAIRS.get(name)
        if second is not None and self.take(second):
            name = f"{name} {second}"
        arguments: list[int] = []
        if self.take("("):
            arguments.append(self._number())
            if self.take(","):
                arguments.append(self._number())
            self._expect(")")
        try:
            type_ = sql_type(name, tuple(arguments))
        except ValueError:
            raise ProgrammingError(f"the column descriptions cannot be read: {name} is not a type", hint=_FORM) from None
        if type_.kind in _NO_COLUMN:
            raise ProgrammingError(f"a column cannot be of the type {name}")
        return type_

    def _format(self, name: str, type_: SqlType) -> str:
        if not type_.is_datetime:
            raise ProgrammingError(f"column {name} is {type_}: a format is for DATE, TIME and TIMESTAMP")
        return self._tokens.pop(0)[1][1:-1].replace("''", "'")


_FORM = "'name TYPE type [NOT NULL], ...'"
