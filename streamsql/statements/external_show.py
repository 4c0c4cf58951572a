"""What a user can ask of databases and external tables."""

from __future__ import annotations

from dataclasses import dataclass

from streamsql.statements.external_changes import PartitionSpec
from streamsql.statements.statement import Identifier, ObjectName, Statement


@dataclass(frozen=True, slots=True)
class Inquiry(Statement):
    """A statement that changes nothing: SHOW and DESCRIBE."""


@dataclass(frozen=True, slots=True)
class ShowDatabases(Inquiry):
    """SHOW {DATABASES | SCHEMAS} [LIKE 'pattern']"""

    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class ShowTables(Inquiry):
    """SHOW {TABLES | VIEWS} [IN database] ['pattern']"""

    database: ObjectName | None = None
    pattern: str | None = None
    only_views: bool = False


@dataclass(frozen=True, slots=True)
class ShowPartitions(Inquiry):
    """SHOW PARTITIONS table"""

    name: ObjectName


@dataclass(frozen=True, slots=True)
class ShowColumns(Inquiry):
    """SHOW COLUMNS {FROM | IN} table [{FROM | IN} database]"""

    name: ObjectName


@dataclass(frozen=True, slots=True)
class ShowCreate(Inquiry):
    """SHOW CREATE {TABLE | VIEW} name; SHOW EXTERNAL TABLE name [PARTITION]"""

    name: ObjectName
    kind: str = "TABLE"
    with_partitions: bool = False


@dataclass(frozen=True, slots=True)
class ShowProperties(Inquiry):
    """SHOW TBLPROPERTIES table [('property')]"""

    name: ObjectName
    property: str | None = None


@dataclass(frozen=True, slots=True)
class Describe(Inquiry):
    """{DESCRIBE | DESC} [EXTENDED | FORMATTED] table [PARTITION (...)] [column]"""

    name: ObjectName
    detailed: bool = False
    partition: PartitionSpec | None = None
    column: Identifier | None = None
