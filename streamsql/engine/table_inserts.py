"""INSERT of what a query over tables gives: it runs to its end."""

from __future__ import annotations

from streamsql.catalog import Catalog
from streamsql.engine.external_writes import write_table
from streamsql.engine.result import Result
from streamsql.engine.runtime import Runtime
from streamsql.errors import OperationalError
from streamsql.plan.nodes import Insert


def insert_table(engine: Runtime, plan: Insert, catalog: Catalog, text: str = "") -> Result:
    """Insert the rows of a plan over tables; with `text`, that of the statement, the log remembers the query."""
    if plan.table is not None:
        return write_table(engine, plan, plan.table, catalog, text)
    rows = engine.run_table(plan, catalog, text)
    count = 0

    def check() -> None:
        if engine.interrupted:
            raise OperationalError(f"interrupted, after {count} rows were inserted")

    try:
        for batch in rows.batches(check):
            engine.insert_rows(plan.target, batch, plan.schema.is_stream)
            count += batch.num_rows
    finally:
        rows.close()
    return Result(f"{count} row{'s' * (count != 1)} inserted", count)
