"""What the statements do that write the files of external tables: CREATE TABLE AS, INSERT INTO a table, UNLOAD."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from streamsql.bind.parameters import Parameters
from streamsql.bind.query import QueryBinder
from streamsql.catalog import Catalog
from streamsql.engine.external_names import counted, database_of, existing
from streamsql.engine.result import Result
from streamsql.engine.runtime import Runtime, Writing
from streamsql.errors import Error, OperationalError, ProgrammingError, Span
from streamsql.expressions.nodes import Column
from streamsql.external.create_as import external_table_as, table_as
from streamsql.external.table import ExternalTable
from streamsql.external.unload import Unloading, athena_unload, redshift_unload
from streamsql.external.write.publish import Complete
from streamsql.external.write.sink import Committed, PartitionedSink
from streamsql.external.write.target import Target, target_of
from streamsql.io.storages.places import storage_of
from streamsql.io.uri import parse_location
from streamsql.plan import nodes
from streamsql.sql.parser import parse_statement
from streamsql.statements.external_ddl import Text
from streamsql.statements.external_dml import CreateExternalTableAs, CreateTableAs, RedshiftUnload, Unload
from streamsql.statements.statement import NO_SPAN, Statement
from streamsql.statements.streaming import Query
from streamsql.types import Field, Schema


@contextmanager
def _placed(span: Span | None) -> Iterator[None]:
    """Give errors that have no place this one."""
    try:
        yield
    except Error as error:
        error.span = span if error.span in (None, NO_SPAN) else error.span
        raise


# -- CREATE TABLE AS ---------------------------------------------------------------------------------------------------


def create_table_as(engine: Runtime, statement: CreateTableAs | CreateExternalTableAs, parameters: Parameters) -> Result:
    with _placed(statement.query.meta.get("span")):
        return _create_table_as(engine, statement, parameters)


def _create_table_as(engine: Runtime, statement: CreateTableAs | CreateExternalTableAs, parameters: Parameters) -> Result:
    name = statement.name
    database = database_of(engine.catalog, name)
    there = existing(database, name, statement.if_not_exists)
    if there is not None:
        return there
    source, fields = _query(engine, statement.query, parameters, "CREATE EXTERNAL TABLE, and a pump that writes it")
    with_data = True
    if isinstance(statement, CreateTableAs):
        table, order = table_as(statement, fields, database.name, database.location)
        with_data = statement.with_data
    else:
        table, order = external_table_as(statement, fields, database.name)
    plan = _into(engine, source, order, table.schema.fields, table)
    if engine.writing is not Writing.NOW or not with_data:
        engine.catalog.databases.put(table)
        if engine.writing is Writing.DONE:
            engine.table_sinks.recall(table)
        return Result(f"table {table.full_name} created", 0)
    own = engine.table_sinks.statement_name()
    _check_empty(engine, table.location, f"Target directory for table '{table.full_name}'", name.span)
    engine.catalog.databases.put(table)
    try:
        target = target_of(table, own, engine.clock.now)
        count, _ = _write(engine, plan, target, engine.table_sinks.registering(table.full_name), engine.catalog, statement.text)
    except BaseException:
        database.tables.pop(table.name.lower(), None)
        raise
    return Result(f"table {table.full_name} created, {counted(count, 'row')}", count)


def _check_empty(engine: Runtime, location: str, what: str, span: Span | None) -> None:
    """Refuse a place where there are files already; those that the statements wrote before a crash do not count."""
    if not all(engine.table_sinks.is_own(path) for path in _files(engine, location)):
        text = f"HIVE_PATH_ALREADY_EXISTS: {what} already exists: {location}"
        raise ProgrammingError(text, span, "name a place where there is nothing, or take away what is there")


def _files(engine: Runtime, location: str) -> Iterable[str]:
    """The paths of the files under a location."""
    storage, path = storage_of(parse_location(location), engine.s3_root)
    try:
        return [entry.path for entry in storage.files(path)]
    except OSError as error:
        raise OperationalError(f"cannot list {location!r}: {error.strerror or error}") from error


# -- INSERT ------------------------------------------------------------------------------------------------------------


def write_table(engine: Runtime, plan: nodes.Insert, table: ExternalTable, catalog: Catalog, text: str) -> Result:
    """Run an INSERT into an external table to its end; `text` is that of the statement."""
    if engine.writing is not Writing.NOW:
        if engine.writing is Writing.DONE:
            engine.table_sinks.recall(table)
        return Result("0 rows inserted", 0)
    target = target_of(table, engine.table_sinks.statement_name(), engine.clock.now)
    count, _ = _write(engine, plan, target, engine.table_sinks.registering(table.full_name), catalog, text)
    return Result(f"{counted(count, 'row')} inserted", count, changes_catalog=bool(table.keys))


# -- UNLOAD ------------------------------------------------------------------------------------------------------------


def unload(engine: Runtime, statement: Unload, parameters: Parameters) -> Result:
    with _placed(statement.query.meta.get("span")):
        return _unload(engine, statement, parameters)


def _unload(engine: Runtime, statement: Unload, parameters: Parameters) -> Result:
    source, fields = _query(engine, statement.query, parameters, "a pump that writes an external table")
    unloading = athena_unload(statement, fields, engine.table_sinks.statement_name(), engine.clock.now)
    plan = _into(engine, source, unloading.order, unloading.target.schema, unloading.table)
    if engine.writing is not Writing.NOW:
        return Result("0 rows unloaded", 0)
    _check_empty(engine, unloading.folder, "Target directory for UNLOAD", statement.location.span)
    count, _ = _write(engine, plan, unloading.target, lambda _: None, engine.catalog, statement.text)
    return Result(f"{counted(count, 'row')} unloaded to {statement.location.text}", count)


def unload_of_redshift(engine: Runtime, statement: RedshiftUnload, parameters: Parameters) -> Result:
    tree = _parsed(statement.query) if isinstance(statement.query, Text) else statement.query
    with _placed(statement.query.span if isinstance(statement.query, Text) else tree.meta.get("span")):
        source, fields = _query(engine, tree, parameters, "a pump that writes an external table")
        unloading = redshift_unload(statement, fields)
        plan = _into(engine, source, unloading.order, unloading.target.schema, unloading.table)
    if engine.writing is not Writing.NOW:
        return Result("0 rows unloaded", 0)
    _make_room(engine, statement, unloading)
    count, files = _write(engine, plan, unloading.target, lambda _: None, engine.catalog, statement.text)
    if "MANIFEST" in statement.options:
        _write_manifest(engine, unloading, files, bool(statement.options["MANIFEST"].values))
    return Result(f"{counted(count, 'row')} unloaded to {statement.location.text}", count)


def _parsed(text: Text) -> Any:
    """The query within a text."""
    try:
        statement = parse_statement(text.text)
    except Error as error:
        raise ProgrammingError(f"in the query: {error.message}", text.span, error.hint) from None
    if not isinstance(statement, Query):
        raise ProgrammingError("UNLOAD takes a query", text.span, "UNLOAD ('SELECT ...') TO ...")
    for node in statement.query.walk():
        node.meta["span"] = text.span  # places within the text are none of the script
    return statement.query


def _make_room(engine: Runtime, statement: RedshiftUnload, unloading: Unloading) -> None:
    """Refuse to overwrite files, or take them away, as the options say."""
    if "ALLOWOVERWRITE" in statement.options:
        return
    storage, root = storage_of(parse_location(unloading.folder), engine.s3_root)
    there = [path for path in _files(engine, unloading.folder) if path.startswith(f"{root}{unloading.beginning}")]
    if there and "CLEANPATH" not in statement.options:
        text = f"Specified unload destination on S3 is not empty: {statement.location.text}"
        hint = "another prefix, CLEANPATH to take away what is there, or ALLOWOVERWRITE"
        raise ProgrammingError(text, statement.location.span, hint)
    for path in there:
        storage.remove(path)


def _write_manifest(engine: Runtime, unloading: Unloading, files: Sequence[Complete], verbose: bool) -> None:
    """The list of the files that were written, beside them."""
    entries: list[dict[str, Any]] = []
    for file in files:
        facts = {"content_length": file["length"], "record_count": file["rows"]} if verbose else {}
        entries.append({"url": file["location"] + file["name"], **({"meta": facts} if verbose else {})})
    manifest: dict[str, Any] = {"entries": entries}
    if verbose:
        target = unloading.target
        fields = [target.schema[place] for place in target.written]
        manifest["schema"] = {"elements": [{"name": field.name, "type": {"base": str(field.type).lower()}} for field in fields]}
        total = {"content_length": sum(f["length"] for f in files), "record_count": sum(f["rows"] for f in files)}
        manifest |= {"meta": total, "author": {"name": "StreamSQL"}}
    storage, path = storage_of(parse_location(f"{unloading.folder}{unloading.beginning}manifest"), engine.s3_root)
    with TemporaryDirectory(prefix="streamsql-") as folder:
        local = Path(folder) / "manifest"
        local.write_text(json.dumps(manifest, indent=2), encoding="utf-8")
        storage.put(local, path)


# -- what they have in common ------------------------------------------------------------------------------------------


def _query(engine: Runtime, tree: Any, parameters: Parameters, instead: str) -> tuple[nodes.Node, tuple[Field, ...]]:
    """The plan of a query over tables, and its columns.  Raises ProgrammingError for a query over streams."""
    plan = QueryBinder(engine.catalog, parameters).query(tree).plan
    if nodes.streams_of(plan):
        raise ProgrammingError("a query over a stream goes on for ever", tree.meta.get("span"), instead)
    return plan, plan.schema.visible


def _into(
    engine: Runtime, source: nodes.Node, order: Sequence[int], fields: Sequence[Field], table: ExternalTable | None
) -> nodes.Insert:
    """The plan that puts the visible columns of a query into the order of a target's columns."""
    places = [source.schema.visible_indices[i] for i in order]
    given = source.schema.fields
    columns = tuple(Column(given[place].type, place, given[place].name) for place in places)
    project = nodes.Project(Schema(tuple(fields)), source, columns)
    plan = nodes.Insert(project.schema, project, "files" if table is None else table.full_name, table)
    made = engine.improved(plan)
    assert isinstance(made, nodes.Insert)
    return made


def _write(
    engine: Runtime, plan: nodes.Insert, target: Target, committed: Committed, catalog: Catalog, text: str
) -> tuple[int, list[Complete]]:
    """Write all rows of a plan; nothing appears before all are written.  Gives their number, and the files."""
    location = target.place((None,) * len(target.keys))
    if location is not None:  # where nothing can be put no query needs to run
        storage, path = storage_of(parse_location(location), engine.s3_root)
        storage.reach(path)
    rows = engine.run_table(plan, catalog, text)
    files: list[Complete] = []

    def appeared(complete: Sequence[Complete]) -> None:
        files.extend(complete)
        committed(complete)

    sink = PartitionedSink(target, None, engine.s3_root, appeared)

    def check() -> None:
        if engine.interrupted:
            raise OperationalError("interrupted; nothing is written")

    try:
        for batch in rows.batches(check):
            sink.write(batch)
        sink.finish()
        sink.commit(sink.prepare())
        return sink.rows, files
    finally:
        rows.close()
        sink.close()


WRITE_HANDLERS: dict[type[Statement], Callable[[Runtime, Any, Parameters], Result]] = {
    CreateExternalTableAs: create_table_as,
    CreateTableAs: create_table_as,
    RedshiftUnload: unload_of_redshift,
    Unload: unload,
}
