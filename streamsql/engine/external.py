"""What the statements about databases and external tables do: one function each, in the table `EXTERNAL_HANDLERS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from streamsql.bind.parameters import Parameters
from streamsql.catalog import Table
from streamsql.engine import external_show
from streamsql.engine.external_names import (
    counted,
    database_of,
    existing,
    find_database,
    find_table,
    is_redshift,
    no_database,
    no_table,
    prefix_of,
    written,
)
from streamsql.engine.result import Result
from streamsql.engine.runtime import Runtime
from streamsql.engine.snapshots import refresh_interval
from streamsql.errors import Error, IntegrityError, ProgrammingError, not_supported
from streamsql.external.changes import CHANGES
from streamsql.external.databases import DEFAULT, Database
from streamsql.external.repair import repair
from streamsql.external.table import ExternalTable, table_of
from streamsql.external.types import as_redshift
from streamsql.statements.external_changes import (
    AddColumns,
    AlterTable,
    DropColumn,
    RefreshTable,
    RenameColumn,
    RepairTable,
    ReplaceColumns,
    SetFormat,
    SetLocation,
    TableChange,
)
from streamsql.statements.external_ddl import (
    AlterDatabase,
    CreateDatabase,
    CreateExternalSchema,
    CreateExternalTable,
    DropExternal,
    HiveColumn,
    Use,
)
from streamsql.statements.external_show import (
    Describe,
    ShowColumns,
    ShowCreate,
    ShowDatabases,
    ShowPartitions,
    ShowProperties,
    ShowTables,
)
from streamsql.statements.statement import ObjectName, Statement

CATALOGS = ("DATA CATALOG", "HIVE METASTORE")
"""What an external schema can stand for: the databases of this catalog."""

# -- databases ---------------------------------------------------------------------------------------------------------


def create_database(engine: Runtime, statement: CreateDatabase, parameters: Parameters) -> Result:
    name = statement.name.last
    databases = engine.catalog.databases
    there = databases.database(name.text)
    if there is not None:
        if statement.if_not_exists:
            return Result(f"database {there.name} is there already")
        raise ProgrammingError(f"there is a database {there.name} already", name.span, "IF NOT EXISTS")
    database = Database(name.text, statement.comment, statement.location, dict(statement.properties))
    databases.by_name[name.text.lower()] = database
    return Result(f"database {name.text} created")


def alter_database(engine: Runtime, statement: AlterDatabase, parameters: Parameters) -> Result:
    database = find_database(engine.catalog, statement.name.last)
    database.properties = {**database.properties, **statement.properties}
    return Result(f"properties of database {database.name} set")


def create_external_schema(engine: Runtime, statement: CreateExternalSchema, parameters: Parameters) -> Result:
    name, databases = statement.name.last, engine.catalog.databases
    if statement.source not in CATALOGS:
        raise not_supported(f"an external schema from {statement.source}", name.span, "FROM DATA CATALOG DATABASE 'name'")
    wanted = statement.database
    if wanted is None:
        raise ProgrammingError("an external schema needs a database", name.span, "DATABASE 'name'")
    if name.text.lower() in databases.schemas or (name.text.lower() in databases.by_name and name.text != wanted.text):
        if statement.if_not_exists:
            return Result(f"schema {name.text} is there already")
        raise ProgrammingError(f"there is a schema {name.text} already", name.span, "IF NOT EXISTS")
    created = ""
    if wanted.text.lower() not in databases.by_name:
        if not statement.create_database:
            raise ProgrammingError(f"no database {wanted.text}", wanted.span, "CREATE EXTERNAL DATABASE IF NOT EXISTS")
        databases.by_name[wanted.text.lower()] = Database(wanted.text)
        created = ", which is created too"
    databases.schemas[name.text.lower()] = statement
    return Result(f"schema {name.text} created for database {wanted.text}{created}")


def use(engine: Runtime, statement: Use, parameters: Parameters) -> Result:
    database = find_database(engine.catalog, statement.name.last)
    engine.catalog.databases.current = database.name.lower()
    return Result(f"database {database.name} is in use")


# -- tables ------------------------------------------------------------------------------------------------------------


def create_external_table(engine: Runtime, statement: CreateExternalTable, parameters: Parameters) -> Result:
    databases = engine.catalog.databases
    name = statement.name
    database = database_of(engine.catalog, name)
    there = existing(database, name, statement.if_not_exists)
    if there is not None:
        return there
    if is_redshift(engine.catalog, name):
        columns, keys = _redshift(statement.columns), _redshift(statement.partitioned_by)
        statement = replace(statement, columns=columns, partitioned_by=keys)
    table = table_of(statement, database.name)
    refresh_interval(table)
    databases.put(table)
    _warn_of_projection(engine, table)
    return Result(f"table {table.full_name} created")


def alter_table(engine: Runtime, statement: AlterTable, parameters: Parameters) -> Result:
    table = find_table(engine.catalog, statement.name)
    change = statement.change
    _check_no_writer(engine, table, statement.name, change)
    if isinstance(change, (AddColumns, ReplaceColumns)) and is_redshift(engine.catalog, statement.name):
        change = replace(change, columns=_redshift(change.columns))
    changed, message = CHANGES[type(change)](table, change)
    refresh_interval(changed)
    engine.catalog.databases.put(changed)
    if changed.properties != table.properties:
        _warn_of_projection(engine, changed)
    return Result(message)


def repair_table(engine: Runtime, statement: RepairTable, parameters: Parameters) -> Result:
    table = find_table(engine.catalog, statement.name)
    if not table.keys:
        raise ProgrammingError(f"{table.full_name} is not partitioned", statement.name.span)
    done = repair(table, engine.s3_root)
    engine.catalog.databases.put(done.table)
    if done.passed_over:
        shown = ", ".join(done.passed_over[:3]) + (", ..." if len(done.passed_over) > 3 else "")
        engine.warnings.append(f"{counted(len(done.passed_over), 'folder')} of {table.location} are no partitions: {shown}")
    return Result(f"{counted(len(done.added), 'partition')} added to {table.full_name}")


def refresh_table(engine: Runtime, statement: RefreshTable, parameters: Parameters) -> Result:
    table = find_table(engine.catalog, statement.name)
    count = engine.snapshots.refresh(table)
    return Result(f"{table.full_name} is read again for {count} running {'pump or query' if count == 1 else 'pumps and queries'}")


def drop_external(engine: Runtime, statement: DropExternal, parameters: Parameters) -> Result:
    return _drop_table(engine, statement) if statement.kind == "TABLE" else _drop_database(engine, statement)


def _drop_table(engine: Runtime, statement: DropExternal) -> Result:
    name = statement.name
    table = engine.catalog.databases.table(name.last.text, prefix_of(name))
    if table is not None:
        _check_no_writer(engine, table, name)
        del engine.catalog.databases.by_name[table.database.lower()].tables[table.name.lower()]
        return Result(f"table {table.full_name} dropped; its files stay")
    registered = engine.catalog.relation(name.name)
    if isinstance(registered, Table):
        engine.drop_relation(registered.name)
        return Result(f"table {registered.name} dropped")
    if statement.if_exists:
        return Result(f"no table {written(name)}")
    raise no_table(engine.catalog, name)


_SEEN_BY_WRITERS = (AddColumns, ReplaceColumns, RenameColumn, DropColumn, SetFormat, SetLocation)
"""The changes of a table that whoever writes it would have to follow."""


def _check_no_writer(engine: Runtime, table: ExternalTable, name: ObjectName, change: TableChange | None = None) -> None:
    """Refuse to take a table away from a pump that runs, or to make it another one."""
    writing = [pump for pump, sink in engine.table_sinks.running.items() if sink.table == table.full_name]
    is_seen = change is None or (isinstance(change, _SEEN_BY_WRITERS) and getattr(change, "partition", None) is None)
    if writing and is_seen:
        text = f"table {table.full_name} cannot {'be dropped' if change is None else 'change'}: pump {writing[0]} writes it"
        raise IntegrityError(text, name.span, f"ALTER PUMP {writing[0]} STOP, or DROP PUMP {writing[0]}")


def _drop_database(engine: Runtime, statement: DropExternal) -> Result:
    name, databases = statement.name.last, engine.catalog.databases
    key = name.text.lower()
    schema = databases.schemas.get(key)
    if schema is not None and not statement.its_database:
        del databases.schemas[key]
        return Result(f"schema {name.text} dropped; its database stays")
    database = databases.database(name.text)
    if database is None:
        if statement.if_exists:
            return Result(f"no database {name.text}")
        raise no_database(engine.catalog, name)
    if database.name.lower() == DEFAULT:
        raise ProgrammingError(f"the database {DEFAULT} stays", name.span)
    if database.tables and not statement.cascade:
        text = f"database {database.name} has {counted(len(database.tables), 'table')}"
        raise IntegrityError(text, name.span, f"DROP {statement.kind} {name.text} CASCADE")
    del databases.by_name[database.name.lower()]
    for each in [each for each, kept in databases.schemas.items() if databases.database(each) is None or kept is schema]:
        del databases.schemas[each]
    if databases.current == database.name.lower():
        databases.current = DEFAULT
    return Result(f"database {database.name} dropped; files stay")


def _redshift(columns: tuple[HiveColumn, ...]) -> tuple[HiveColumn, ...]:
    return tuple(replace(column, type=as_redshift(column.type)) for column in columns)


def _warn_of_projection(engine: Runtime, table: ExternalTable) -> None:
    """A projection that is not configured is an error of the queries; who declares it may want to know before."""
    try:
        table.projection()
    except Error as error:
        engine.warnings.append(error.message)


Handler = Callable[[Runtime, Any, Parameters], Result]

EXTERNAL_HANDLERS: dict[type[Statement], Handler] = {
    AlterDatabase: alter_database,
    AlterTable: alter_table,
    CreateDatabase: create_database,
    CreateExternalSchema: create_external_schema,
    CreateExternalTable: create_external_table,
    Describe: external_show.describe,
    DropExternal: drop_external,
    RefreshTable: refresh_table,
    RepairTable: repair_table,
    ShowColumns: external_show.show_columns,
    ShowCreate: external_show.show_create,
    ShowDatabases: external_show.show_databases,
    ShowPartitions: external_show.show_partitions,
    ShowProperties: external_show.show_properties,
    ShowTables: external_show.show_tables,
    Use: use,
}
