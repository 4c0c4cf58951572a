"""What a statement gave."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from streamsql.engine.row_queue import RowQueue
from streamsql.engine.table_rows import TableRows
from streamsql.plan.nodes import Node
from streamsql.types import Field, Schema, varchar


@dataclass(slots=True)
class Result:
    """A line for people, a count of rows, or the rows of a query.  `close` ends a query over streams."""

    message: str
    count: int = -1
    rows: RowQueue | TableRows | None = None
    streaming: bool = False
    plan: Node | None = None
    changes_catalog: bool = False
    """Whether an INSERT registered partitions."""
    close: Callable[[], None] = lambda: None


def listing(titles: Sequence[str], rows: Iterable[Sequence[str | None]]) -> Result:
    """Texts as the rows of a result: what SHOW and EXPLAIN give."""
    schema = Schema(tuple(Field(title, varchar()) for title in titles))
    columns = list(zip(*rows, strict=True)) or [()] * len(titles)
    queue = RowQueue(schema)
    queue.write(pa.RecordBatch.from_arrays([pa.array(column, pa.string()) for column in columns], schema=schema.arrow()))
    queue.end()
    return Result("", rows=queue)
