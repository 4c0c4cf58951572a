"""An external table: what its statement declares, and its partitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from streamsql.errors import OperationalError, ProgrammingError
from streamsql.external.formats import FileKind, kind_of
from streamsql.external.partitions import Partitions
from streamsql.external.projection import Projection, projection_of
from streamsql.external.types import sql_type
from streamsql.io.storages.places import S3_SCHEMES
from streamsql.io.uri import parse_location
from streamsql.statements.external_ddl import Bucketing, CreateExternalTable, HiveColumn, Stored, Text
from streamsql.types import Field, Schema

SCHEMES = (*S3_SCHEMES, "file")
"""Where external tables may lie."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column as it is declared, and as queries see it."""

    declared: HiveColumn
    field: Field

    @property
    def name(self) -> str:
        return self.field.name


@dataclass(frozen=True, slots=True, eq=False)
class ExternalTable:
    """Files under a prefix, as a relation.  It is replaced by another one when it changes, so whoever has it has a snapshot,
    and two are the same only if they are one.

    The columns of its rows are `columns`, then the partition keys `keys`.
    """

    database: str
    name: str
    columns: tuple[Column, ...]
    keys: tuple[Column, ...]
    location: str
    stored: Stored = field(hash=False)
    kind: FileKind
    partitions: Partitions = field(hash=False)
    properties: Mapping[str, str] = field(default_factory=dict, hash=False)
    comment: str | None = None
    bucketing: Bucketing | None = None

    @property
    def schema(self) -> Schema:
        return Schema(tuple(column.field for column in (*self.columns, *self.keys)))

    @property
    def key_fields(self) -> tuple[Field, ...]:
        return tuple(key.field for key in self.keys)

    @property
    def full_name(self) -> str:
        """As messages and plans name it."""
        return f"{self.database}.{self.name}"

    def projection(self) -> Projection | None:
        """How partitions follow from the properties, where they do: those that are registered do not count then.

        Raises the errors of `projection_of`.
        """
        return projection_of(self.full_name, self.key_fields, self.location, self.properties)

    def key_place(self, name: str) -> int | None:
        """Where the partition key of exactly this name stands among the keys."""
        return next((place for place, key in enumerate(self.keys) if key.name == name), None)

    def column(self, name: str) -> Column | None:
        """The column of a name, in any case; of a partition key too."""
        return next((column for column in (*self.columns, *self.keys) if column.name.lower() == name.lower()), None)


def table_of(statement: CreateExternalTable, database: str) -> ExternalTable:
    """The table that a statement declares.  Raises ProgrammingError for what it cannot declare."""
    columns, keys = columns_of(statement.columns), columns_of(statement.partitioned_by)
    if not columns:
        raise ProgrammingError("an external table has columns", statement.name.span, "(name type, ...)")
    check_names(columns, keys)
    for key in keys:
        if key.field.type.is_nested:
            raise ProgrammingError(f"a partition column cannot be {key.field.type}", key.declared.name.span)
    return ExternalTable(
        database,
        statement.name.last.text,
        columns,
        keys,
        checked_location(statement.location),
        statement.stored,
        kind_of(statement.stored),
        Partitions.none([key.field for key in keys]),
        dict(statement.properties),
        statement.comment,
        statement.bucketing,
    )


def columns_of(declared: Sequence[HiveColumn]) -> tuple[Column, ...]:
    """Columns with their types; raises ProgrammingError for a type that there is not."""
    return tuple(Column(column, Field(column.name.text, sql_type(column.type, column.name.span))) for column in declared)


def check_names(columns: Sequence[Column], keys: Sequence[Column]) -> None:
    """Raises ProgrammingError for a name that stands twice, whatever its case."""
    seen: dict[str, Column] = {}
    for column in (*columns, *keys):
        if column.name.lower() in seen:
            both = column in keys and seen[column.name.lower()] in columns
            text = f"column {column.name} stands twice" + (": a partition column is not among the others" if both else "")
            raise ProgrammingError(text, column.declared.name.span)
        seen[column.name.lower()] = column


def checked_location(location: Text) -> str:
    """The place that a LOCATION names.  Raises ProgrammingError for one that cannot be a prefix."""
    try:
        uri = parse_location(location.text)
    except OperationalError:
        raise ProgrammingError(f"LOCATION {location.text!r} is no place", location.span, "s3://bucket/folder/") from None
    if uri.scheme not in SCHEMES:
        raise ProgrammingError(f"LOCATION {location.text!r} is neither S3 nor a folder", location.span, "s3://bucket/folder/")
    if "*" in uri.path:
        raise ProgrammingError("a LOCATION is a prefix, without wildcards", location.span, "s3://bucket/folder/")
    return location.text


def prefix(location: str) -> str:
    """A location as the prefix of what lies there."""
    return location if location.endswith("/") else location + "/"
