"""What a user can say, one frozen dataclass a statement.

A query inside a statement is a stock sqlglot tree (`sql/build.py` lists which node stands for what); everything else is
plain data.  `text` is the statement as the user wrote it: the catalog keeps objects as their own text.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

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


@dataclass(frozen=True, slots=True)
class CreateStream(Statement):
    """CREATE [OR REPLACE] STREAM name (columns) [DESCRIPTION 'text']"""

    name: ObjectName
    columns: tuple[ColumnDefinition, ...]
    replace: bool = False
    description: str | None = None


@dataclass(frozen=True, slots=True)
class CreateForeignStream(Statement):
    """CREATE [OR REPLACE] FOREIGN STREAM name (columns) SERVER server [OPTIONS (key 'value', ...)]"""

    name: ObjectName
    columns: tuple[ColumnDefinition, ...]
    server: Identifier
    options: tuple[tuple[Identifier, str], ...] = ()
    replace: bool = False
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Insert(Statement):
    """INSERT [EXPEDITED] INTO target [(columns)] query"""

    target: ObjectName
    columns: tuple[Identifier, ...] | None
    query: exp.Expression
    expedited: bool = False


@dataclass(frozen=True, slots=True)
class CreatePump(Statement):
    """CREATE [OR REPLACE] PUMP name [STARTED | STOPPED] [DESCRIPTION 'text'] AS insert"""

    name: ObjectName
    insert: Insert
    replace: bool = False
    started: bool = True
    description: str | None = None


@dataclass(frozen=True, slots=True)
class CreateView(Statement):
    """CREATE [OR REPLACE] VIEW name [(columns)] [DESCRIPTION 'text'] AS query"""

    name: ObjectName
    columns: tuple[Identifier, ...] | None
    query: exp.Expression
    replace: bool = False
    description: str | None = None


@dataclass(frozen=True, slots=True)
class CreateFunction(Statement):
    """CREATE [OR REPLACE] FUNCTION name (parameters) RETURNS type [SPECIFIC specific] ... RETURN body

    `reads_data`: it says READS or MODIFIES SQL DATA.
    """

    name: ObjectName
    parameters: tuple[ColumnDefinition, ...]
    returns: SqlType
    body: exp.Expression
    replace: bool = False
    null_on_null_input: bool = False
    specific: Identifier | None = None
    reads_data: bool = False


@dataclass(frozen=True, slots=True)
class SetOption(Statement):
    """SET SCHEMA 'name', SET name = value, ALTER SESSION SET ...: the name in upper case and the value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class AlterPump(Statement):
    """ALTER PUMP name START | STOP"""

    name: ObjectName
    start: bool


@dataclass(frozen=True, slots=True)
class Drop(Statement):
    """DROP kind [IF EXISTS] name [CASCADE]; `kind` is STREAM, PUMP, VIEW, FUNCTION, FOREIGN STREAM"""

    kind: str
    name: ObjectName
    if_exists: bool = False
    cascade: bool = False


@dataclass(frozen=True, slots=True)
class Query(Statement):
    """A query by itself: SELECT, VALUES, WITH ..."""

    query: exp.Expression


@dataclass(frozen=True, slots=True)
class Explain(Statement):
    """EXPLAIN [ANALYZE] [PLAN FOR] statement, EXPLAIN (FORMAT form) statement; `form` is TEXT, REDSHIFT or left open"""

    statement: Statement
    analyze: bool = False
    form: str | None = None
