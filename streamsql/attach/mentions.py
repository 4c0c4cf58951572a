"""Which relations and columns statements name, before they are executed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import exp

from streamsql.bind.scope import folded
from streamsql.statements.external_ddl import CreateExternalTable
from streamsql.statements.external_dml import CreateExternalTableAs, CreateTableAs, Unload
from streamsql.statements.statement import Statement
from streamsql.statements.streaming import CreateForeignStream, CreatePump, CreateStream, CreateView, Explain, Insert, Query
from streamsql.types import SYSTEM_FIELDS, Field


def system_columns(statements: Sequence[Statement]) -> tuple[Field, ...]:
    """The system columns of inputs that statements name."""
    columns = (column for statement in statements for query in _queries(statement) for column in query.find_all(exp.Column))
    names = {folded(column.this) for column in columns if not isinstance(column.this, exp.Star)}
    return tuple(field for field in SYSTEM_FIELDS if field.name in names)


def missing_tables(statements: Sequence[Statement], known: set[str]) -> Iterator[exp.Table]:
    """The mentions of relations that are not known."""
    for query in (query for statement in statements for query in _queries(statement)):
        common = {folded(cte.args["alias"].this) for cte in query.find_all(exp.CTE)}
        yield from (table for table in query.find_all(exp.Table) if folded(table.this) not in known | common)


def _queries(statement: Statement) -> list[exp.Expression]:
    match statement:
        case CreateView(query=query) | CreatePump(insert=Insert(query=query)) | Insert(query=query) | Query(query=query):
            return [query]
        case CreateTableAs(query=query) | CreateExternalTableAs(query=query) | Unload(query=query):
            return [query]
        case Explain(statement=inner):
            return _queries(inner)
        case _:
            return []


def names_of(statements: Sequence[Statement]) -> tuple[set[str], set[str]]:
    """The relations that statements read, and those that they create."""
    created = {s.name.name for s in statements if isinstance(s, (CreateStream, CreateForeignStream, CreateView))}
    tables = (s for s in statements if isinstance(s, (CreateExternalTable, CreateTableAs, CreateExternalTableAs)))
    created |= {s.name.last.text.upper() for s in tables}
    named = (table for s in statements for query in _queries(s) for table in query.find_all(exp.Table))
    return {folded(table.this) for table in named}, created
