"""What the SQL of an application says: streams, pumps, views, functions, and the rows that go through them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from streamsql.statements.statement import ColumnDefinition, Identifier, ObjectName, Statement
from streamsql.types import SqlType


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
