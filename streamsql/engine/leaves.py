"""The tables at the leaves of a plan, and their rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from streamsql.catalog import Catalog, Table
from streamsql.engine.row_count import RowCount
from streamsql.errors import DataError, not_supported
from streamsql.expressions.evaluate import evaluator, one_row
from streamsql.expressions.nodes import Call, Cast
from streamsql.external.scan.counts import Counts
from streamsql.external.scan.dynamic import JoinKeys
from streamsql.external.scan.scan import Access, Scan
from streamsql.operator import Output
from streamsql.plan import nodes
from streamsql.rows import QueryTime
from streamsql.types import Batch, Schema

TABLE_ROWS = 65_536
"""Rows of a table that pass the operators at a time."""


@dataclass(slots=True, eq=False)
class Leaf:
    """A table that a query reads: its node, the rows that it gave, and the scan of an external one.

    What is read of a table whose name is in `read` is added to what is there.
    """

    node: nodes.Node
    read: Mapping[str, Counts] = field(default_factory=dict)
    count: RowCount = field(default_factory=RowCount)
    scan: Scan | None = None

    def rows(self, catalog: Catalog, access: Access, time: QueryTime, joins: JoinKeys) -> Iterable[Output]:
        """All of its rows, which are counted."""
        return self.count.passing(self._rows(catalog, access, time, joins))

    def _rows(self, catalog: Catalog, access: Access, time: QueryTime, joins: JoinKeys) -> Iterable[Output]:
        match self.node:
            case nodes.Values(rows=rows, schema=schema):
                return [values_batch(rows, schema, time)]
            case nodes.Scan(relation=name):
                table = catalog.relation(name)
                assert isinstance(table, Table)
                return list(table.rows.to_batches(TABLE_ROWS))
            case nodes.SystemScan(table=system):
                return list(system.rows(time).to_batches(TABLE_ROWS))
            case nodes.ExternalScan(request=request):
                self.scan = Scan(request, access, time, joins, self.read.get(request.table.full_name))
                return self.scan.rows()
            case _:
                raise not_supported(f"reading a {type(self.node).__name__}")


def values_batch(rows: Sequence[Sequence[Any]], schema: Schema, time: QueryTime) -> Batch:
    """Literal rows as a batch."""
    columns: list[list[Any]] = [[] for _ in schema.fields]
    for row in rows:
        for column, expression in zip(columns, row, strict=True):
            context = one_row(time)
            value = evaluator(expression, time)(context)
            if context.failures:
                failure = context.failures[0]
                spans = (node.span for node in expression.walk() if isinstance(node, (Call, Cast)))
                raise DataError(f"{failure.name}: {failure.message}", next(filter(None, spans), None))
            column.append(value if isinstance(value, pa.Scalar) else value[0])
    arrays = [pa.array([v.as_py() for v in c], f.type.arrow()) for c, f in zip(columns, schema.fields, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema.arrow())
