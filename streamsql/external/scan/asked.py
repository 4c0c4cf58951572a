"""Expressions over the columns of a request while these are read: as arrays, as codes of a dictionary, or as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa

from streamsql.arrays import coded
from streamsql.expressions.evaluate import evaluator
from streamsql.expressions.nodes import Column, Expression
from streamsql.rows import Mask, QueryTime, Rows, mask_of

Arrays = Mapping[int, pa.Array]
"""Columns by their places in the request; texts may be dictionaries."""

Constants = Mapping[int, pa.Scalar]
"""The columns that have one value in all of a file."""


class Asked:
    """An expression, computed from the columns that it reads and no others."""

    def __init__(self, expression: Expression, time: QueryTime) -> None:
        self.columns = sorted(expression.columns())
        self.is_column = isinstance(expression, Column)
        place = {column: i for i, column in enumerate(self.columns)}
        over = expression.rewrite(lambda e: replace(e, index=place[e.index]) if isinstance(e, Column) else e)
        self._evaluate = evaluator(over, time)
        self._time = time

    def values(self, columns: Arrays, constants: Constants, count: int) -> pa.Array:
        """The values for some rows; of a column that is read as a dictionary, that."""
        if self.is_column and self.columns[0] in columns:
            return columns[self.columns[0]]
        rows = self._rows([plain(columns[i]) if i in columns else pa.repeat(constants[i], count) for i in self.columns], count)
        return rows.column(self._evaluate(rows))

    def mask(self, columns: Arrays, constants: Constants, count: int) -> Mask:
        """Where it is true, of a condition that cannot fail.  What only reads a dictionary is asked of its entries."""
        if len(self.columns) == 1 and self.columns[0] in columns:
            column = columns[self.columns[0]]
            if pa.types.is_dictionary(column.type) and len(column.dictionary) < count:
                entries, codes = coded(column)
                rows = self._rows([entries], len(entries))
                return mask_of(self._evaluate(rows), rows)[codes]
        rows = self._rows([plain(columns[i]) if i in columns else pa.repeat(constants[i], count) for i in self.columns], count)
        return mask_of(self._evaluate(rows), rows)

    def _rows(self, arrays: list[pa.Array], count: int) -> Rows:
        arrays = arrays or [pa.nulls(count)]
        return Rows(pa.RecordBatch.from_arrays(arrays, names=[str(i) for i in range(len(arrays))]), self._time)


def chosen(columns: Arrays, mask: Mask) -> tuple[Arrays, int]:
    """The rows for which a mask is true, and how many they are."""
    rows = np.flatnonzero(mask)
    taken = pa.array(rows)  # sooner than `filter` by the mask, which has a branch for each row
    return {i: column.take(taken) for i, column in columns.items()}, len(rows)


def plain(column: pa.Array) -> pa.Array:
    """A column without a dictionary."""
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
