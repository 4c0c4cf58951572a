"""The columns of what the catalog names."""

from __future__ import annotations

from streamsql.bind.query import QueryBinder
from streamsql.catalog import Catalog, Relation, View
from streamsql.errors import Error
from streamsql.types import Field


def columns_of(relation: Relation, catalog: Catalog) -> tuple[Field, ...]:
    """The columns of a relation, ROWTIME included; none of a view that cannot be read any more."""
    if not isinstance(relation, View):
        return relation.schema.fields
    try:
        fields = QueryBinder(catalog.within(relation.database)).query(relation.statement.query).plan.schema.fields
    except Error:
        return ()
    columns = relation.statement.columns
    visible = [field for field in fields if not field.hidden]
    if columns is None:
        return fields
    return tuple(Field(column.name, field.type, field.nullable) for column, field in zip(columns, visible, strict=False))
