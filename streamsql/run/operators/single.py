"""Single: a subquery that is one value."""

from __future__ import annotations

from collections.abc import Iterator

from streamsql.errors import DataError, Span
from streamsql.operator import Operator, Output
from streamsql.types import Batch


class Single(Operator):
    """Passes on the one row of a table; a second one is an error of the query, which stands at `span`."""

    def __init__(self, span: Span | None) -> None:
        self._span = span
        self._rows = 0

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        self._rows += batch.num_rows
        if self._rows > 1:
            text = "this subquery gives more than one row, where one value is wanted"
            raise DataError(text, self._span, "an aggregate such as MAX(x), or LIMIT 1")
        yield batch
