"""Which database or external table a name of a statement means, and the errors where it means none."""

from __future__ import annotations

from streamsql.catalog import Catalog, a_kind_of, nearest
from streamsql.engine.result import Result
from streamsql.errors import Error, ProgrammingError
from streamsql.external.databases import Database
from streamsql.external.table import ExternalTable
from streamsql.statements.statement import Identifier, ObjectName


def prefix_of(name: ObjectName) -> str | None:
    """The database or schema in front of a name; what stands in front of that is the name of a catalog."""
    return name.parts[-2].text if len(name.parts) > 1 else None


def find_table(catalog: Catalog, name: ObjectName) -> ExternalTable:
    table = catalog.databases.table(name.last.text, prefix_of(name))
    if table is None:
        raise no_table(catalog, name)
    return table


def existing(database: Database, name: ObjectName, if_not_exists: bool) -> Result | None:
    """What to say of a table that is to be created and is there; None where there is none.  Raises ProgrammingError unless
    IF NOT EXISTS is said."""
    there = database.tables.get(name.last.text.lower())
    if there is None:
        return None
    if not if_not_exists:
        raise ProgrammingError(f"there is a table {there.full_name} already", name.last.span, "IF NOT EXISTS")
    return Result(f"table {there.full_name} is there already")


def no_table(catalog: Catalog, name: ObjectName) -> Error:
    if len(name.parts) > 1 and catalog.databases.database(prefix_of(name)) is None:
        return no_database(catalog, name.parts[-2])
    database = database_of(catalog, name)
    relation = catalog.relations.get(name.name) if len(name.parts) == 1 else None
    if relation is not None:
        return ProgrammingError(f"{relation.name} is {a_kind_of(relation)}, not an external table", name.span)
    hint = nearest(name.last.text, [table.name for table in database.tables.values()])
    return ProgrammingError(f"no table {name.last.text} in database {database.name}", name.last.span, hint)


def database_of(catalog: Catalog, name: ObjectName) -> Database:
    return find_database(catalog, name.parts[-2]) if len(name.parts) > 1 else current_database(catalog)


def find_database(catalog: Catalog, name: Identifier) -> Database:
    database = catalog.databases.database(name.text)
    if database is None:
        raise no_database(catalog, name)
    return database


def current_database(catalog: Catalog) -> Database:
    database = catalog.databases.database()
    assert database is not None  # a database that is dropped is not in use any more
    return database


def no_database(catalog: Catalog, name: Identifier) -> Error:
    databases = catalog.databases
    known = [*(database.name for database in databases), *(s.name.last.text for s in databases.schemas.values())]
    return ProgrammingError(f"no database {name.text}", name.span, nearest(name.text, known))


def written(name: ObjectName) -> str:
    return ".".join(part.text for part in name.parts)


def is_redshift(catalog: Catalog, name: ObjectName) -> bool:
    """Whether a table is named by way of an external schema, as Redshift's are."""
    return (prefix_of(name) or catalog.databases.current).lower() in catalog.databases.schemas


def counted(n: int, what: str) -> str:
    return f"{n} {what}{'s' * (n != 1)}"
