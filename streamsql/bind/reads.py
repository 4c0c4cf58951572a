"""What a query reads: streams, or tables alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlglot import exp

from streamsql.bind.scope import folded
from streamsql.catalog import Catalog, Relation, Stream, View
from streamsql.errors import reserved_word
from streamsql.sql.reserved_names import reserved_words


def reads_tables_alone(tree: exp.Expression, catalog: Catalog) -> bool:
    """Whether a query reads tables and no stream, its subqueries and the views that it names included.

    One that reads nothing of the catalog (VALUES, no FROM) does not.
    """
    kinds = {isinstance(relation, Stream) for relation in _relations(tree, catalog)}
    return kinds == {False}


def check_names(tree: exp.Expression) -> None:
    """Raise ProgrammingError for a name in a query over streams that is a reserved word there."""
    for word, span in reserved_words(tree):
        raise reserved_word(word, span)


def names_schema(tree: exp.Expression, catalog: Catalog) -> bool:
    """Whether a query names a table by way of an external schema of Redshift."""
    schemas = catalog.databases.schemas
    return any(str(table.args["db"].this).lower() in schemas for table in tree.find_all(exp.Table) if table.args.get("db"))


def _relations(tree: exp.Expression, catalog: Catalog) -> Iterator[Relation]:
    """The streams and tables that a query reads."""
    for table in tree.find_all(exp.Table):
        database = table.args.get("db")
        if database is None and _is_common(table):
            continue
        relation = catalog.relation(folded(table.this), None if database is None else str(database.this))
        if isinstance(relation, View):
            yield from _relations(relation.statement.query, catalog.within(relation.database))
        elif relation is not None:
            yield relation


def _is_common(table: exp.Table) -> bool:
    """Whether the name is that of a query which a WITH around it names, before it where it stands in the WITH itself."""
    node: Any = table
    before: Any = None
    while node is not None:
        with_ = node if isinstance(node, exp.With) else node.args.get("with_")
        for common in () if with_ is None or with_ is before else with_.expressions:
            if common is before:
                break
            if folded(common.args["alias"].this) == folded(table.this):
                return True
        node, before = node.parent, node
    return False
