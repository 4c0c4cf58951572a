"""The names of the catalog as a user writes them, and what is behind them."""

from __future__ import annotations

import re

from streamsql.bind.query import QueryBinder
from streamsql.catalog import Catalog, Function, Relation, View
from streamsql.errors import Error
from streamsql.sql import tables
from streamsql.types import Field

_PLAIN = re.compile(r"[^\W\d][\w$]*")


def spelled(name: str) -> str:
    """A name of the catalog as it must be written, with quotes where it needs them."""
    reserved = tables.scanner().lists.get(name) in ("RESERVED", "RESERVED_FUNCTION")
    if name == name.upper() and _PLAIN.fullmatch(name) and not reserved:
        return name
    return '"' + name.replace('"', '""') + '"'


def signature_of(function: Function) -> str:
    """A function of the application as the manual writes those of the dialect."""
    parameters = ", ".join(f"{spelled(p.name.name)}: {p.type}" for p in function.statement.parameters)
    return f"{spelled(function.name)}({parameters}) -> {function.statement.returns}"


def columns_of(relation: Relation, catalog: Catalog) -> tuple[Field, ...]:
    """The columns of a relation, ROWTIME included; none of a view that cannot be read any more."""
    if not isinstance(relation, View):
        return relation.schema.fields
    try:
        fields = QueryBinder(catalog).query(relation.statement.query).plan.schema.fields
    except Error:
        return ()
    columns = relation.statement.columns
    visible = [field for field in fields if not field.hidden]
    if columns is None:
        return fields
    return tuple(Field(column.name, field.type, field.nullable) for column, field in zip(columns, visible, strict=False))
