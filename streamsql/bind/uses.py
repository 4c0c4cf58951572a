"""Which functions of the application a query calls, and so which pumps cannot lose one."""

from __future__ import annotations

from sqlglot import exp

from streamsql.bind.scope import folded
from streamsql.catalog import Catalog, Pump, View


def pumps_calling(catalog: Catalog, function: str) -> list[Pump]:
    """The pumps that call a function of this name."""
    return [pump for pump in catalog.pumps.values() if function in functions_of(catalog, pump.statement.insert.query)]


def functions_of(catalog: Catalog, tree: exp.Expression) -> set[str]:
    """The functions that a query or a body calls, also by way of views and other functions."""
    called, views, todo = set[str](), set[str](), [tree]
    while todo:
        part = todo.pop()
        calls = {str(call.this) for call in part.find_all(exp.Anonymous)} & catalog.functions.keys() - called
        reads = {folded(table.this) for table in part.find_all(exp.Table)} - views
        todo += [function.statement.body for name in calls for function in catalog.functions[name]]
        todo += [view.statement.query for name in reads if isinstance(view := catalog.relations.get(name), View)]
        called |= calls
        views |= reads
    return called
