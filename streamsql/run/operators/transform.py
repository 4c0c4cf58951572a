"""Transform: WHERE, the select list and the checks of INSERT, fused over the row they start from.

A run of filters and projections is one operator, so that a row which fails anywhere in it is reported as it came in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from streamsql.external.write.misfits import Misfits
from streamsql.operator import Failed, Operator, Output
from streamsql.rows import ErrorName, Evaluate, Failure, Mask, QueryTime, Rows, mask_of
from streamsql.types import Batch


@dataclass(frozen=True, slots=True)
class Where:
    """Keep the rows for which a predicate is true."""

    predicate: Evaluate

    def apply(self, rows: Rows) -> tuple[Batch, Mask | None]:
        """The rows as they go on, and a mask of those kept (None: all)."""
        return rows.batch, mask_of(self.predicate(rows), rows)


@dataclass(frozen=True, slots=True)
class Select:
    """Compute the columns of the next schema."""

    columns: tuple[Evaluate, ...]
    schema: pa.Schema

    def apply(self, rows: Rows) -> tuple[Batch, Mask | None]:
        arrays = [rows.column(column(rows)) for column in self.columns]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema), None


@dataclass(frozen=True, slots=True)
class Require:
    """Fail the rows that have NULL in a column declared NOT NULL."""

    columns: tuple[int, ...]

    def apply(self, rows: Rows) -> tuple[Batch, Mask | None]:
        for index in self.columns:
            column = rows.batch.column(index)
            if column.null_count:
                name = rows.batch.schema.field(index).name
                missing = column.is_null().to_numpy(zero_copy_only=False)
                rows.fail(missing, f"NULL in column {name}, which is NOT NULL", ErrorName.MISSING)
        return rows.batch, None


@dataclass(frozen=True, slots=True)
class Store:
    """Fail the rows that an external table cannot keep."""

    misfits: Misfits

    def apply(self, rows: Rows) -> tuple[Batch, Mask | None]:
        for index, message in self.misfits(rows.batch).items():
            rows.fail_row(index, Failure(ErrorName.RUNTIME, message))
        return rows.batch, None


Stage = Where | Select | Require | Store


class Transform(Operator):
    """Stateless: the stages one after the other."""

    def __init__(self, stages: Sequence[Stage], time: QueryTime) -> None:
        self._stages = tuple(stages)
        self._time = time

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        current, origin = batch, _Origin()
        failures: dict[int, Failure] = {}
        for stage in self._stages:
            rows = Rows(current, self._time)
            current, kept = stage.apply(rows)
            if rows.failures:
                kept = np.ones(rows.count, bool) if kept is None else kept.copy()
                for index, failure in rows.failures.items():
                    kept[index] = False
                    failures[origin.of(index)] = failure
            if kept is not None and not kept.all():
                current = current.filter(pa.array(kept))
                origin = origin.kept(kept)
            if not current.num_rows:
                break
        if failures:
            yield Failed.of(batch, failures)
        if current.num_rows:
            yield current


class _Origin:
    """Which source row each row of the current batch comes from."""

    def __init__(self, indices: npt.NDArray[np.intp] | None = None) -> None:
        self._indices = indices

    def of(self, index: int) -> int:
        return index if self._indices is None else int(self._indices[index])

    def kept(self, mask: Mask) -> _Origin:
        return _Origin(np.flatnonzero(mask) if self._indices is None else self._indices[mask])
