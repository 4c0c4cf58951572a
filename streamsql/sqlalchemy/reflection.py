"""What SQLAlchemy may know of the catalog: relations and their columns."""

from __future__ import annotations

from typing import Any

from sqlalchemy import types as sqltypes

from streamsql.bind.query import QueryBinder
from streamsql.bind.relations import columns_of
from streamsql.catalog import Catalog, Relation, Stream, View
from streamsql.engine.engine import Engine
from streamsql.errors import Error
from streamsql.run import error_stream
from streamsql.types import Kind, SqlType

_PLAIN: dict[Kind, type[sqltypes.TypeEngine[Any]]] = {
    Kind.BOOLEAN: sqltypes.BOOLEAN,
    Kind.TINYINT: sqltypes.SMALLINT,
    Kind.SMALLINT: sqltypes.SMALLINT,
    Kind.INTEGER: sqltypes.INTEGER,
    Kind.BIGINT: sqltypes.BIGINT,
    Kind.REAL: sqltypes.REAL,
    Kind.DOUBLE: sqltypes.DOUBLE,
    Kind.DATE: sqltypes.DATE,
    Kind.TIME: sqltypes.TIME,
    Kind.TIMESTAMP: sqltypes.TIMESTAMP,
    Kind.YEAR_MONTH: sqltypes.INTEGER,
}


def type_of(type_: SqlType) -> sqltypes.TypeEngine[Any]:
    """SQLAlchemy's type for values of an SQL type."""
    match type_.kind:
        case Kind.DECIMAL:
            return sqltypes.DECIMAL(type_.precision, type_.scale)
        case Kind.CHAR:
            return sqltypes.CHAR(type_.length)
        case Kind.VARCHAR:
            return sqltypes.VARCHAR(type_.length)
        case Kind.BINARY:
            return sqltypes.BINARY(type_.length)
        case Kind.VARBINARY:
            return sqltypes.VARBINARY(type_.length)
        case kind:
            return _PLAIN.get(kind, sqltypes.NullType)()


def schemas(engine: Engine) -> list[str]:
    """The databases of external tables, and the external schemas that stand for some."""
    databases = engine.catalog.databases
    return sorted({*(database.name for database in databases), *databases.schemas})


def default_schema(engine: Engine) -> str:
    """The database that names without one belong to."""
    return engine.catalog.databases.current


def names_of(engine: Engine, views: bool, schema: str | None) -> list[str]:
    """The views, or the streams and tables that a user made or gave; with a schema the external tables of that database."""
    database = None if schema is None else engine.catalog.databases.database(schema)
    if schema is not None:
        return [] if views or database is None else sorted(table.name for table in database.tables.values())
    relations = engine.catalog.unqualified().values()
    return sorted(r.name for r in relations if isinstance(r, View) == views and r.name != error_stream.NAME)


def relation(engine: Engine, name: str, schema: str | None) -> Relation | None:
    """The relation of a name: with a schema an external table of that database, and nothing else."""
    return engine.catalog.relation(name) if schema is None else engine.catalog.databases.table(name, schema)


def columns(engine: Engine, name: str, schema: str | None) -> list[tuple[str, sqltypes.TypeEngine[Any], bool]] | None:
    """Name, type and nullability of the columns of a relation; None where there is none."""
    found = relation(engine, name, schema)
    if found is None:
        return None
    return [(f.name, type_of(f.type), f.nullable) for f in columns_of(found, engine.catalog) if not f.hidden]


def is_stream(engine: Engine, name: str, schema: str | None) -> bool:
    """Whether a relation goes on: a stream, or a view over one."""
    found = relation(engine, name, schema)
    return found is not None and _goes_on(found, engine.catalog)


def definition(engine: Engine, name: str) -> str | None:
    """The statement that made a view."""
    found = engine.catalog.relation(name)
    return found.statement.text if isinstance(found, View) else None


def _goes_on(relation: Relation, catalog: Catalog) -> bool:
    if not isinstance(relation, View):
        return isinstance(relation, Stream)
    try:
        return QueryBinder(catalog.within(relation.database)).query(relation.statement.query).plan.schema.is_stream
    except Error:
        return False
