"""What SHOW and DESCRIBE give of databases and external tables, with the titles of Athena."""

from __future__ import annotations

import re
from collections.abc import Callable

from streamsql.bind.parameters import Parameters
from streamsql.bind.relations import columns_of
from streamsql.catalog import View, nearest
from streamsql.engine.external_names import current_database, find_database, find_table, prefix_of
from streamsql.engine.result import Result, listing
from streamsql.engine.runtime import Runtime
from streamsql.errors import ProgrammingError
from streamsql.external.changes import folder_of
from streamsql.external.ddl_text import partition_texts, table_text
from streamsql.external.partitions import LOCATION
from streamsql.external.table import ExternalTable
from streamsql.statements.external_ddl import HiveColumn
from streamsql.statements.external_show import (
    Describe,
    ShowColumns,
    ShowCreate,
    ShowDatabases,
    ShowPartitions,
    ShowProperties,
    ShowTables,
)
from streamsql.statements.statement import ObjectName


def show_databases(engine: Runtime, statement: ShowDatabases, parameters: Parameters) -> Result:
    databases = engine.catalog.databases
    names = [d.name for d in databases] + [s.name.last.text for s in databases.schemas.values()]
    found = sorted(filter(_matching(statement.pattern), dict.fromkeys(names)), key=str.lower)
    return listing(("database_name",), [(name,) for name in found])


def show_tables(engine: Runtime, statement: ShowTables, parameters: Parameters) -> Result:
    name = statement.database
    database = find_database(engine.catalog, name.last) if name is not None else current_database(engine.catalog)
    views = [r.name for r in engine.catalog.relations.values() if isinstance(r, View) and r.database == database.name.lower()]
    tables = [] if statement.only_views else [table.name for table in database.tables.values()]
    found = sorted(filter(_matching(statement.pattern), [*tables, *views]), key=str.lower)
    return listing(("views" if statement.only_views else "tab_name",), [(name,) for name in found])


def show_partitions(engine: Runtime, statement: ShowPartitions, parameters: Parameters) -> Result:
    table = find_table(engine.catalog, statement.name)
    if not table.keys:
        raise ProgrammingError(f"{table.full_name} is not partitioned", statement.name.span)
    return listing(("partition",), [(name,) for name in table.partitions.names()])


def show_columns(engine: Runtime, statement: ShowColumns, parameters: Parameters) -> Result:
    return listing(("field",), [(name,) for name, *_ in _lines(engine, statement.name)])


def show_create(engine: Runtime, statement: ShowCreate, parameters: Parameters) -> Result:
    if statement.kind == "VIEW":
        view = engine.catalog.relation(statement.name.name)
        if not isinstance(view, View):
            views = [r.name for r in engine.catalog.relations.values() if isinstance(r, View)]
            raise ProgrammingError(f"no view {statement.name.name}", statement.name.span, nearest(statement.name.name, views))
        return listing(("create view",), [(line,) for line in view.statement.text.splitlines()])
    table = find_table(engine.catalog, statement.name)
    lines = table_text(table).splitlines()
    if statement.with_partitions:
        lines = [*lines[:-1], lines[-1] + ";", *(f"{text};" for text in partition_texts(table))]
    return listing(("createtab_stmt",), [(line,) for line in lines])


def show_properties(engine: Runtime, statement: ShowProperties, parameters: Parameters) -> Result:
    table = find_table(engine.catalog, statement.name)
    wanted = statement.property
    pairs = [(key, value) for key, value in table.properties.items() if wanted is None or key == wanted]
    if wanted is not None and not pairs:
        raise ProgrammingError(f"{table.full_name} has no property {wanted!r}", statement.name.span)
    return listing(("prpt_name", "prpt_value"), pairs)


def describe(engine: Runtime, statement: Describe, parameters: Parameters) -> Result:
    titles = ("col_name", "data_type", "comment")
    rows = _lines(engine, statement.name)
    if statement.column is not None:
        wanted = statement.column.text
        rows = [row for row in rows if row[0].lower() == wanted.lower()]
        if not rows:
            names = [name for name, *_ in _lines(engine, statement.name)]
            text = f"no column {wanted} in {statement.name.last.text}"
            raise ProgrammingError(text, statement.column.span, nearest(wanted, names))
        return listing(titles, rows)
    table = engine.catalog.relation(statement.name.name, prefix_of(statement.name))
    if isinstance(table, ExternalTable):
        if table.keys:
            rows += [("", "", ""), ("# Partition Information", "", ""), ("# col_name", "data_type", "comment")]
            rows += [_described(key.declared) for key in table.keys]
        if statement.detailed or statement.partition is not None:
            rows += [("", "", ""), *_details(table, statement)]
    return listing(titles, rows)


Line = tuple[str, str, str]


def _lines(engine: Runtime, name: ObjectName) -> list[Line]:
    """The columns of any relation, as DESCRIBE lists them: the types of an external table as they are declared."""
    relation = engine.catalog.relation(name.name, prefix_of(name))
    if relation is None or isinstance(relation, ExternalTable):
        table = find_table(engine.catalog, name)
        return [_described(column.declared) for column in (*table.columns, *table.keys)]
    return [(field.name, str(field.type).lower(), "") for field in columns_of(relation, engine.catalog) if not field.hidden]


def _described(column: HiveColumn) -> Line:
    return column.name.text, str(column.type), column.comment or ""


def _details(table: ExternalTable, statement: Describe) -> list[Line]:
    location = table.location
    lines: list[Line] = []
    if statement.partition is not None:
        places = table.partitions.where(table.partitions.key(statement.partition, table.full_name))
        if not len(places):
            text = f"{table.full_name} has no partition {folder_of(table, statement.partition)}"
            raise ProgrammingError(text, statement.partition[0].column.span)
        location = table.partitions.rows[LOCATION][int(places[0])].as_py()
        lines.append(("Partition", folder_of(table, statement.partition), ""))
    lines += [("# Detailed Table Information", "", ""), ("Database", table.database, ""), ("Table", table.name, "")]
    lines += [("Location", location, ""), ("Format", table.kind.value, "")]
    lines += [("Partitions", str(len(table.partitions)), "")] if table.keys else []
    return [*lines, *((f"Property {key}", value, "") for key, value in table.properties.items())]


def _matching(pattern: str | None) -> Callable[[str], bool]:
    """Names that a pattern of SHOW matches: a regular expression in which `*` alone stands for anything."""
    if pattern is None:
        return lambda name: True
    expression = re.sub(r"(?<![.\])])\*", ".*", pattern)
    try:
        regexp = re.compile(expression, re.IGNORECASE)
    except re.error as error:
        raise ProgrammingError(f"{pattern!r} is no pattern: {error}") from None
    return lambda name: regexp.fullmatch(name) is not None
