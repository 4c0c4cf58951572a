"""What a cell gave: rows that are kept, so that they can be shown and used again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from streamsql.dbapi.html import ROWS, html_table
from streamsql.dbapi.tuples import with_schema
from streamsql.display.printers.look import Look
from streamsql.display.render import render
from streamsql.types import Batch, Schema

if TYPE_CHECKING:
    import pandas
    import polars


class Result:
    """The rows of a query.  Every library that reads Arrow can take it for a table."""

    def __init__(self, schema: Schema, remark: str = "") -> None:
        self.remark = remark
        """Why there are no more rows, where that is worth a word."""
        self._schema = schema
        self._batches: list[Batch] = []

    def add(self, batch: Batch) -> None:
        """More rows."""
        self._batches.append(with_schema(batch, self._schema.arrow()))

    @property
    def table(self) -> pa.Table:
        """The rows as an Arrow table."""
        return pa.Table.from_batches(self._batches, self._schema.arrow())

    def df(self) -> pandas.DataFrame:
        """The rows as a pandas data frame."""
        return self.table.to_pandas()

    def pl(self) -> polars.DataFrame:
        """The rows as a polars data frame."""
        import polars

        return polars.DataFrame(self.table)

    def __len__(self) -> int:
        return sum(batch.num_rows for batch in self._batches)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Arrow's PyCapsule interface."""
        return self.table.__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        text = render(self._schema, self.table.slice(0, ROWS).to_batches(), Look(footer=False))
        return f"{text.rstrip()}\n{self._below()}"

    def _repr_html_(self) -> str:
        rows = self.table.slice(0, ROWS).combine_chunks().to_batches()
        empty = pa.RecordBatch.from_pylist([], self._schema.arrow())
        return html_table(rows[0] if rows else empty, self._below())

    def _below(self) -> str:
        count = len(self)
        shown = f"the first {ROWS} of {count:,} rows" if count > ROWS else f"{count:,} row{'s' * (count != 1)}"
        return f"{shown}; {self.remark}" if self.remark else shown
