"""SQLAlchemy's statements, types and names in the words of the dialect.

A table that SQLAlchemy declares is a stream, for that is what CREATE can make.  Reflection knows of each relation which it
is, and `Table(..., streamsql_stream=False)` says it of one that was declared by hand.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table, exc
from sqlalchemy.sql import compiler, visitors

from streamsql.sql import tables


def reads_stream(statement: Any) -> bool:
    """Whether what stands in FROM is a stream, or has one within."""
    return any(
        isinstance(element, Table) and element.dialect_options["streamsql"]["stream"]
        for from_ in statement.get_final_froms()
        for element in visitors.iterate(from_)
    )


class StreamSQLCompiler(compiler.SQLCompiler):
    """SELECT STREAM for queries over streams; the rest is SQL as SQLAlchemy knows it."""

    def get_select_precolumns(self, select: Any, **kw: Any) -> str:
        said = any("STREAM" in str(prefix).upper() for prefix, _ in select._prefixes)
        word = "STREAM " if not said and reads_stream(select) else ""
        return word + super().get_select_precolumns(select, **kw)

    def limit_clause(self, select: Any, **kw: Any) -> str:
        text = ""
        if select._limit_clause is not None:
            text += "\n LIMIT " + self.process(select._limit_clause, **kw)
        if select._offset_clause is not None:
            text += "\n OFFSET " + self.process(select._offset_clause, **kw)
        return text

    def visit_empty_set_expr(self, element_types: Any, **kw: Any) -> str:
        columns = ", ".join("CAST(NULL AS INTEGER)" for _ in element_types)
        return f"SELECT {columns} FROM (VALUES (1)) AS empty_set (x) WHERE 1 <> 1"


class StreamSQLDDLCompiler(compiler.DDLCompiler):
    """CREATE and DROP STREAM; keys and other constraints are not said, for streams have none."""

    def visit_create_table(self, create: Any, **kw: Any) -> str:
        text: str = super().visit_create_table(create, **kw)
        return text.replace("CREATE TABLE", "CREATE STREAM", 1)

    def visit_drop_table(self, drop: Any, **kw: Any) -> str:
        text: str = super().visit_drop_table(drop, **kw)
        return text.replace("DROP TABLE", "DROP STREAM", 1) if _is_stream(drop.element) else text

    def create_table_constraints(self, table: Any, *_: Any, **kw: Any) -> str:
        if not _is_stream(table):
            raise exc.CompileError(f"{table.name}: a table comes from a file (references=) or from Connection.register")
        return ""

    def get_column_specification(self, column: Any, **kw: Any) -> str:
        name = self.preparer.format_column(column)
        type_ = self.dialect.type_compiler_instance.process(column.type, type_expression=column)
        return f"{name} {type_}{'' if column.nullable else ' NOT NULL'}"


def _is_stream(table: Table) -> bool:
    return bool(table.dialect_options["streamsql"]["stream"])


class StreamSQLTypeCompiler(compiler.GenericTypeCompiler):
    """Types as DDL spells them."""

    def visit_FLOAT(self, type_: Any, **kw: Any) -> str:  # noqa: N802 - the names are SQLAlchemy's
        return "DOUBLE"

    def visit_DOUBLE_PRECISION(self, type_: Any, **kw: Any) -> str:  # noqa: N802
        return "DOUBLE"

    def visit_DATETIME(self, type_: Any, **kw: Any) -> str:  # noqa: N802
        return "TIMESTAMP"

    def visit_TIMESTAMP(self, type_: Any, **kw: Any) -> str:  # noqa: N802
        return "TIMESTAMP"

    def visit_TEXT(self, type_: Any, **kw: Any) -> str:  # noqa: N802
        return "VARCHAR"

    def visit_CLOB(self, type_: Any, **kw: Any) -> str:  # noqa: N802
        return "VARCHAR"

    def visit_BLOB(self, type_: Any, **kw: Any) -> str:  # noqa: N802
        return "VARBINARY"

    def visit_NUMERIC(self, type_: Any, **kw: Any) -> str:  # noqa: N802
        return str(super().visit_DECIMAL(type_, **kw))


class StreamSQLIdentifierPreparer(compiler.IdentifierPreparer):
    """Quotes names that need it: the reserved words of the grammar, and what is not upper case."""

    def __init__(self, dialect: Any, **kw: Any) -> None:
        super().__init__(dialect, **kw)
        lists = tables.scanner().lists
        self.reserved_words = {
            word.lower() for word, kind in lists.items() if kind in ("RESERVED", "RESERVED_FUNCTION") and word.isidentifier()
        }
