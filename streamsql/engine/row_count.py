"""How many rows pass a place: what an operator gives, or a table."""

from __future__ import annotations

from collections.abc import Generator, Iterable

from streamsql.operator import Failed, Output
from streamsql.types import Batch


class RowCount:
    """Counts rows; an outlet of any operator."""

    def __init__(self) -> None:
        self.rows = 0

    def write(self, batch: Batch) -> None:
        self.rows += batch.num_rows

    def end(self) -> None:
        pass

    def passing(self, given: Iterable[Output]) -> Generator[Output, None, None]:
        """What is given, its rows counted."""
        try:
            for each in given:
                if not isinstance(each, Failed):
                    self.write(each)
                yield each
        finally:
            if isinstance(given, Generator):
                given.close()
