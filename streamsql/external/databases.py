"""Databases of external tables, and the schemas of Redshift that stand for them.  Names match in any case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from streamsql.external.table import ExternalTable
from streamsql.statements.external_ddl import CreateExternalSchema

DEFAULT = "default"
"""The database that there is from the start."""


@dataclass(slots=True)
class Database:
    """Tables under one name; `tables` by name in lower case."""

    name: str
    comment: str | None = None
    location: str | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    tables: dict[str, ExternalTable] = field(default_factory=dict)


@dataclass(slots=True)
class Databases:
    """All databases of an engine, and the one that names without a database are looked up in.

    `schemas` are the external schemas: other names of databases, with the statements that made them.
    """

    by_name: dict[str, Database] = field(default_factory=lambda: {DEFAULT: Database(DEFAULT)})
    schemas: dict[str, CreateExternalSchema] = field(default_factory=dict)
    current: str = DEFAULT

    def __iter__(self) -> Iterator[Database]:
        return iter(self.by_name.values())

    def database(self, name: str | None = None) -> Database | None:
        """The database of a name, or behind an external schema of that name; without a name the current one."""
        key = self.current if name is None else name.lower()
        schema = self.schemas.get(key)
        if schema is not None and schema.database is not None:
            key = schema.database.text.lower()
        return self.by_name.get(key)

    def table(self, name: str, database: str | None = None) -> ExternalTable | None:
        """The table of a name, in a database or the current one."""
        found = self.database(database)
        return None if found is None else found.tables.get(name.lower())

    def put(self, table: ExternalTable) -> None:
        """Enter a table into its database, in the place of one of the same name."""
        self.by_name[table.database.lower()].tables[table.name.lower()] = table

    def names(self) -> list[str]:
        """The tables as statements name them: with their database, where it is not the current one."""
        here = self.database()
        return [table.name if database is here else table.full_name for database in self for table in database.tables.values()]

    def within(self, database: str) -> Databases:
        """The same databases, another one of which is the current one."""
        return replace(self, current=database.lower())
