"""What a user can change of external tables: their columns, their partitions, where they lie."""

from __future__ import annotations

from dataclasses import dataclass

from streamsql.statements.external_ddl import HiveColumn, Properties, Text
from streamsql.statements.statement import Identifier, ObjectName, Statement


@dataclass(frozen=True, slots=True)
class PartitionValue:
    """`column = value` of a PARTITION clause; None is NULL."""

    column: Identifier
    value: str | None


PartitionSpec = tuple[PartitionValue, ...]


@dataclass(frozen=True, slots=True)
class AddPartitions:
    """ADD [IF NOT EXISTS] PARTITION (...) [LOCATION '...'] ..."""

    partitions: tuple[tuple[PartitionSpec, Text | None], ...]
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class DropPartitions:
    """DROP [IF EXISTS] PARTITION (...), PARTITION (...)"""

    partitions: tuple[PartitionSpec, ...]
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class RenamePartition:
    """PARTITION (...) RENAME TO PARTITION (...)"""

    old: PartitionSpec
    new: PartitionSpec


@dataclass(frozen=True, slots=True)
class SetLocation:
    """[PARTITION (...)] SET LOCATION '...'"""

    location: Text
    partition: PartitionSpec | None = None


@dataclass(frozen=True, slots=True)
class SetProperties:
    """SET TBLPROPERTIES (...)"""

    properties: Properties


@dataclass(frozen=True, slots=True)
class SetFormat:
    """SET FILE FORMAT word"""

    format: Text


@dataclass(frozen=True, slots=True)
class AddColumns:
    """ADD COLUMNS (...), ADD COLUMN name type"""

    columns: tuple[HiveColumn, ...]


@dataclass(frozen=True, slots=True)
class ReplaceColumns:
    """REPLACE COLUMNS (...)"""

    columns: tuple[HiveColumn, ...]


@dataclass(frozen=True, slots=True)
class SetPartitionColumns:
    """PARTITION (...) {ADD | REPLACE} COLUMNS (...)"""

    partition: PartitionSpec
    columns: tuple[HiveColumn, ...]


@dataclass(frozen=True, slots=True)
class RenameColumn:
    """RENAME COLUMN old TO new"""

    old: Identifier
    new: Identifier


@dataclass(frozen=True, slots=True)
class DropColumn:
    """DROP COLUMN name"""

    column: Identifier


TableChange = (
    AddPartitions
    | DropPartitions
    | RenamePartition
    | SetLocation
    | SetProperties
    | SetFormat
    | AddColumns
    | ReplaceColumns
    | SetPartitionColumns
    | RenameColumn
    | DropColumn
)


@dataclass(frozen=True, slots=True)
class AlterTable(Statement):
    """ALTER TABLE name change"""

    name: ObjectName
    change: TableChange


@dataclass(frozen=True, slots=True)
class RepairTable(Statement):
    """MSCK REPAIR TABLE name"""

    name: ObjectName


@dataclass(frozen=True, slots=True)
class RefreshTable(Statement):
    """REFRESH TABLE name: whatever runs looks rows up in the table as it is now"""

    name: ObjectName
