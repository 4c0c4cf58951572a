"""What all statements are made of.

A query inside a statement is a stock sqlglot tree (`sql/trees` lists which node stands for what); everything else is
plain data.  `text` is the statement as the user wrote it: the catalog keeps objects as their own text.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from streamsql.errors import Span
from streamsql.types import SqlType

NO_SPAN = Span(1, 1, 1, 1)


@dataclass(frozen=True, slots=True)
class Identifier:
    """A name as written: `text` without its quotes."""

    text: str
    quoted: bool = False
    span: Span = field(default=NO_SPAN, compare=False)

    @property
    def name(self) -> str:
        """The name as the catalog keeps it: unquoted names are folded to upper case."""
        return self.text if self.quoted else self.text.upper()

    def __str__(self) -> str:
        return '"' + self.text.replace('"', '""') + '"' if self.quoted else self.text


@dataclass(frozen=True, slots=True)
class ObjectName:
    """A possibly qualified name: `stream`, `schema.stream`."""

    parts: tuple[Identifier, ...]

    @property
    def last(self) -> Identifier:
        return self.parts[-1]

    @property
    def name(self) -> str:
        """The object's own name as the catalog keeps it; a schema in front of it does not count in this dialect."""
        return self.last.name

    @property
    def span(self) -> Span:
        return self.parts[0].span.to(self.last.span)

    def __str__(self) -> str:
        return ".".join(map(str, self.parts))


@dataclass(frozen=True, slots=True)
class ColumnDefinition:
    """One column of a CREATE statement."""

    name: Identifier
    type: SqlType
    nullable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The base: the text of the statement and where it stands in the script."""

    span: Span = field(default=NO_SPAN, compare=False)
    text: str = field(default="", compare=False)
