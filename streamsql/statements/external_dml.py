"""What a user can say to write files: CREATE TABLE AS and UNLOAD, of Athena and of Redshift, one frozen dataclass a statement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from streamsql.errors import Span
from streamsql.statements.external_ddl import Properties, Stored, Text
from streamsql.statements.statement import NO_SPAN, Identifier, ObjectName, Statement


@dataclass(frozen=True, slots=True)
class WithProperty:
    """`name = value` of a WITH clause; the value of ARRAY[...] is a tuple."""

    name: str
    value: Text | tuple[Text, ...]
    span: Span = field(default=NO_SPAN, compare=False)


@dataclass(frozen=True, slots=True)
class CreateTableAs(Statement):
    """CREATE TABLE [IF NOT EXISTS] name [WITH (property = value, ...)] AS query [WITH [NO] DATA], Athena's"""

    name: ObjectName
    query: exp.Expression
    properties: tuple[WithProperty, ...] = ()
    if_not_exists: bool = False
    with_data: bool = True


@dataclass(frozen=True, slots=True)
class CreateExternalTableAs(Statement):
    """CREATE EXTERNAL TABLE [IF NOT EXISTS] name [PARTITIONED BY (columns)] ... LOCATION '...' AS query, Redshift's"""

    name: ObjectName
    query: exp.Expression
    location: Text
    partitioned_by: tuple[Identifier, ...] = ()
    if_not_exists: bool = False
    comment: str | None = None
    stored: Stored = field(default_factory=Stored)
    properties: Properties = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unload(Statement):
    """UNLOAD (query) TO '...' WITH (property = value, ...), Athena's"""

    query: exp.Expression
    location: Text
    properties: tuple[WithProperty, ...] = ()


@dataclass(frozen=True, slots=True)
class UnloadOption:
    """What stands behind the words of an option: names, texts or further words; nothing for a word by itself."""

    values: tuple[Identifier | Text, ...] = ()
    span: Span = field(default=NO_SPAN, compare=False)


@dataclass(frozen=True, slots=True)
class RedshiftUnload(Statement):
    """UNLOAD ('query') TO '...' option ..., Redshift's; `options` by their first words"""

    query: exp.Expression | Text
    location: Text
    options: Mapping[str, UnloadOption] = field(default_factory=dict)
