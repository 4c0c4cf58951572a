"""What a user can say of databases and external tables, one frozen dataclass a statement.

These are the statements of Athena and of Redshift Spectrum.  Names keep the case in which they are declared and match in any;
a value of a partition is text, whatever the type of its column.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from streamsql.errors import Span
from streamsql.statements.statement import NO_SPAN, Identifier, ObjectName, Statement

Properties = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Text:
    """A text, and where it stands."""

    text: str
    span: Span = field(default=NO_SPAN, compare=False)


@dataclass(frozen=True, slots=True)
class HiveType:
    """A type as DDL declares it: `decimal(5,2)`, `array<int>`, `struct<a:int,b:string>`; its words in lower case.

    `fields` are those of a struct, or the types within `array` and `map`, which have no names.
    """

    name: str
    arguments: tuple[int, ...] = ()
    fields: tuple[HiveField, ...] = ()

    def __str__(self) -> str:
        if self.fields:
            return f"{self.name}<{','.join(map(str, self.fields))}>"
        return self.name + (f"({','.join(map(str, self.arguments))})" if self.arguments else "")


@dataclass(frozen=True, slots=True)
class HiveField:
    """A field of a struct: its name, empty within `array` and `map`."""

    name: str
    type: HiveType

    def __str__(self) -> str:
        return f"{self.name}:{self.type}" if self.name else str(self.type)


@dataclass(frozen=True, slots=True)
class HiveColumn:
    """A column of an external table."""

    name: Identifier
    type: HiveType
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """How the files of a table are written.

    `format` is the word behind STORED AS; `input` and `output` are classes of Hadoop in its place.  `delimiters` are those of
    ROW FORMAT DELIMITED by what they delimit (`FIELDS TERMINATED BY`), None where it is not said.
    """

    format: Text | None = None
    input: Text | None = None
    output: Text | None = None
    serde: Text | None = None
    serde_properties: Properties = field(default_factory=dict)
    delimiters: Properties | None = None


@dataclass(frozen=True, slots=True)
class Bucketing:
    """CLUSTERED BY (columns) [SORTED BY (...)] INTO n BUCKETS"""

    columns: tuple[Identifier, ...]
    count: int
    sorted_by: tuple[Identifier, ...] = ()


@dataclass(frozen=True, slots=True)
class CreateDatabase(Statement):
    """CREATE {DATABASE | SCHEMA} [IF NOT EXISTS] name [COMMENT] [LOCATION] [WITH DBPROPERTIES (...)]"""

    name: ObjectName
    if_not_exists: bool = False
    comment: str | None = None
    location: str | None = None
    properties: Properties = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AlterDatabase(Statement):
    """ALTER {DATABASE | SCHEMA} name SET DBPROPERTIES (...)"""

    name: ObjectName
    properties: Properties


@dataclass(frozen=True, slots=True)
class CreateExternalSchema(Statement):
    """CREATE EXTERNAL SCHEMA [IF NOT EXISTS] name FROM source DATABASE 'database' ... [CREATE EXTERNAL DATABASE IF NOT EXISTS]

    `options` are the other clauses, by the word with which they begin.
    """

    name: ObjectName
    source: str
    database: Text | None
    if_not_exists: bool = False
    create_database: bool = False
    options: Properties = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CreateExternalTable(Statement):
    """CREATE EXTERNAL TABLE [IF NOT EXISTS] name (columns) [PARTITIONED BY (columns)] ... LOCATION '...'"""

    name: ObjectName
    columns: tuple[HiveColumn, ...]
    location: Text
    partitioned_by: tuple[HiveColumn, ...] = ()
    if_not_exists: bool = False
    comment: str | None = None
    stored: Stored = field(default_factory=Stored)
    bucketing: Bucketing | None = None
    properties: Properties = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DropExternal(Statement):
    """DROP {TABLE | DATABASE | SCHEMA} [IF EXISTS] name [DROP EXTERNAL DATABASE] [CASCADE]"""

    kind: str
    name: ObjectName
    if_exists: bool = False
    cascade: bool = False
    its_database: bool = False


@dataclass(frozen=True, slots=True)
class Use(Statement):
    """USE database"""

    name: ObjectName
