"""How SQLAlchemy connects, executes and looks around."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar

from sqlalchemy import Table, exc, pool
from sqlalchemy.engine import URL, Connection, default, reflection

from streamsql.engine.engine import Engine
from streamsql.sqlalchemy import reflection as catalog
from streamsql.sqlalchemy.compiler import (
    StreamSQLCompiler,
    StreamSQLDDLCompiler,
    StreamSQLIdentifierPreparer,
    StreamSQLTypeCompiler,
)

T = TypeVar("T")

_NUMBERS = ("timeout", "deadline")
_URIS = {"input": "inputs", "output": "outputs", "reference": "references", "schema": "schemas"}


class StreamSQLExecutionContext(default.DefaultExecutionContext):
    """Takes `timeout` and `deadline`, in seconds, from the execution options."""

    def create_cursor(self) -> Any:
        cursor: Any = super().create_cursor()
        for name in _NUMBERS:
            if name in self.execution_options:
                setattr(cursor, name, self.execution_options[name])
        return cursor


class StreamSQLDialect(default.DefaultDialect):
    """An engine has one connection, which its threads share: streams live in it, and it holds its database alone."""

    name = "streamsql"
    driver = "streamsql"
    default_paramstyle = "qmark"
    statement_compiler = StreamSQLCompiler
    ddl_compiler = StreamSQLDDLCompiler
    type_compiler_cls = StreamSQLTypeCompiler
    preparer = StreamSQLIdentifierPreparer  # type: ignore[assignment]
    execution_ctx_cls = StreamSQLExecutionContext
    construct_arguments = [(Table, {"stream": True})]
    requires_name_normalize = True
    supports_statement_cache = True
    supports_alter = False
    supports_native_boolean = True
    supports_native_decimal = True
    supports_default_values = False
    supports_empty_insert = False
    supports_multivalues_insert = True
    supports_sequences = False
    postfetch_lastrowid = False
    use_insertmanyvalues = False
    max_identifier_length = 128

    @classmethod
    def import_dbapi(cls) -> ModuleType:
        from streamsql import dbapi

        return dbapi

    @classmethod
    def get_pool_class(cls, url: URL) -> type[pool.Pool]:  # noqa: ARG003 - given by SQLAlchemy
        return pool.StaticPool

    def create_connect_args(self, url: URL) -> tuple[list[Any], dict[str, Any]]:
        """`streamsql:///path?timeout=5&deadline=2&s3_root=DIR&input=NAME%3DURI`; options may stand several times."""
        options: dict[str, Any] = {}
        for name, values in url.normalized_query.items():
            if name in _NUMBERS:
                options[name] = float(values[-1])
            elif name == "s3_root":
                options[name] = values[-1]
            elif name in _URIS and all("=" in value for value in values):
                options[_URIS[name]] = dict(value.split("=", 1) for value in values)
            else:
                known = ", ".join((*_NUMBERS, "s3_root", *(f"{each}=NAME=URI" for each in _URIS)))
                raise exc.ArgumentError(f"unknown option {name}; there are {known}")
        return [url.database] if url.database else [], options

    # -- transactions --------------------------------------------------------------------------------------------------

    def do_rollback(self, dbapi_connection: Any) -> None:
        """Nothing: what a statement did stays done.  SQLAlchemy ends every connection that was only read so."""

    def get_default_isolation_level(self, dbapi_conn: Any) -> Any:
        return "AUTOCOMMIT"

    def get_isolation_level(self, dbapi_connection: Any) -> Any:
        return "AUTOCOMMIT"

    def get_isolation_level_values(self, dbapi_conn: Any) -> Any:
        return ["AUTOCOMMIT"]

    def set_isolation_level(self, dbapi_connection: Any, level: Any) -> None:
        """AUTOCOMMIT is the only one there is."""

    # -- reflection ----------------------------------------------------------------------------------------------------

    def get_schema_names(self, connection: Connection, **kw: Any) -> list[str]:
        """The databases of external tables; streams and views belong to none of them."""
        return _ask(connection, catalog.schemas)

    def _get_default_schema_name(self, connection: Connection) -> str:
        return _ask(connection, catalog.default_schema)

    def get_table_names(self, connection: Connection, schema: str | None = None, **kw: Any) -> list[str]:
        """Streams and tables, with a schema its external tables; `error_stream` is not among them, but can be reflected."""
        return self._names(connection, False, schema)

    def get_view_names(self, connection: Connection, schema: str | None = None, **kw: Any) -> list[str]:
        return self._names(connection, True, schema)

    def has_table(self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any) -> bool:
        return _ask(connection, lambda engine: catalog.relation(engine, self._stored(table_name), schema)) is not None

    def get_columns(self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        found = _ask(connection, lambda engine: catalog.columns(engine, self._stored(table_name), schema))
        if found is None:
            raise exc.NoSuchTableError(table_name if schema is None else f"{schema}.{table_name}")
        return [
            {"name": self.normalize_name(name), "type": type_, "nullable": nullable, "default": None}
            for name, type_, nullable in found
        ]

    def get_table_options(self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        is_stream = _ask(connection, lambda engine: catalog.is_stream(engine, self._stored(table_name), schema))
        return {"streamsql_stream": is_stream}

    def get_view_definition(self, connection: Connection, view_name: str, schema: str | None = None, **kw: Any) -> str:
        text = _ask(connection, lambda engine: catalog.definition(engine, self._stored(view_name)))
        if text is None:
            raise exc.NoSuchTableError(view_name)
        return text

    def get_pk_constraint(self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        return reflection.ReflectionDefaults.pk_constraint()

    def get_foreign_keys(self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        return reflection.ReflectionDefaults.foreign_keys()

    def get_indexes(self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        return reflection.ReflectionDefaults.indexes()

    def _names(self, connection: Connection, views: bool, schema: str | None) -> list[str]:
        names = _ask(connection, lambda engine: catalog.names_of(engine, views, schema))
        return [str(self.normalize_name(name)) for name in names]

    def _stored(self, name: str) -> str:
        return str(self.denormalize_name(name))


def _ask(connection: Connection, question: Callable[[Engine], T]) -> T:
    """Ask the engine something between two of its steps."""
    dbapi_connection: Any = connection.connection.dbapi_connection
    answer: T = dbapi_connection.call(question)
    return answer
