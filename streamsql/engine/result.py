"""What a statement gave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from streamsql.engine.row_queue import RowQueue
from streamsql.engine.table_rows import TableRows
from streamsql.plan.nodes import Node


@dataclass(slots=True)
class Result:
    """A line for people, a count of rows, or the rows of a query.  `close` ends a query over streams."""

    message: str
    count: int = -1
    rows: RowQueue | TableRows | None = None
    streaming: bool = False
    plan: Node | None = None
    close: Callable[[], None] = lambda: None
