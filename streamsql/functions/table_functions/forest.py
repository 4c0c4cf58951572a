"""RANDOM_CUT_FOREST: an anomaly score for each row of a stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.errors import ProgrammingError
from streamsql.functions.registry import TABLE_FUNCTIONS, TableFunction
from streamsql.functions.table_functions.table_arguments import whole_number
from streamsql.operator import Operator, Output, State
from streamsql.state import Arrays
from streamsql.types import DOUBLE, INTEGERS, Batch, Field, Kind, Schema

NUMERIC_KINDS = (*INTEGERS, Kind.REAL, Kind.DOUBLE)
"""The types whose columns take part; all others, DECIMAL among them, pass through."""

MAX_COLUMNS = 30

PARAMETERS: tuple[tuple[str, int, int, int], ...] = (
    ("numberOfTrees", 100, 1, 1000),
    ("subSampleSize", 256, 10, 1000),
    ("timeDecay", 100_000, 1, 2**31 - 1),
    ("shingleSize", 1, 1, 30),
)
"""Name, default, least and greatest value of the arguments behind the cursor, in order."""


def numeric_columns(schema: Schema) -> list[int]:
    """Where the columns that take part stand."""
    return [i for i, field in enumerate(schema.fields) if not field.hidden and field.type.kind in NUMERIC_KINDS]


def check_columns(name: str, schema: Schema) -> None:
    """At least one column that takes part, and not too many."""
    columns = numeric_columns(schema)
    if not 1 <= len(columns) <= MAX_COLUMNS:
        count = "no numeric column" if not columns else f"{len(columns)} numeric columns"
        hint = f"it takes 1 to {MAX_COLUMNS} columns of DOUBLE, REAL, INTEGER, BIGINT, SMALLINT or TINYINT"
        raise ProgrammingError(f"{name}: the CURSOR has {count}", hint=hint)


def check_arguments(name: str, schema: Schema, arguments: Sequence[Any]) -> tuple[int, ...]:
    """The arguments with the defaults filled in; their ranges are those of the service."""
    if len(arguments) > len(PARAMETERS):
        raise ProgrammingError(f"{name} takes a CURSOR and up to {len(PARAMETERS)} numbers, not {len(arguments)}")
    checked: list[int] = []
    for i, (parameter, default, least, greatest) in enumerate(PARAMETERS):
        checked.append(whole_number(name, parameter, arguments[i] if i < len(arguments) else default, least, greatest))
    if checked[1] >= checked[2]:
        raise ProgrammingError(f"{name}: subSampleSize ({checked[1]}) must be less than timeDecay ({checked[2]})")
    check_columns(name, schema)
    return tuple(checked)


class RandomCutForest(Operator):
    """Scores each row with the forest as it was before the row, then lets the row into it."""

    def __init__(self, schema: Schema, arguments: Sequence[int], seed: int) -> None:
        from streamsql.kernels import forest

        trees, sample, decay, shingle = arguments
        self._columns = numeric_columns(schema)
        self._schema = _output(schema, arguments).arrow()
        self._forest = Arrays(
            forest.new_forest(
                len(self._columns),
                number_of_trees=trees,
                sub_sample_size=sample,
                time_decay=decay,
                shingle_size=shingle,
                seed=seed,
            )
        )
        self._score = forest.score

    @property
    def state(self) -> Mapping[str, State]:
        return {"forest": self._forest}

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        scores = self._score(self._forest, points_of(batch, self._columns))
        yield pa.RecordBatch.from_arrays([*batch.columns, pa.array(scores)], schema=self._schema)


def points_of(batch: Batch, columns: Sequence[int]) -> npt.NDArray[np.float64]:
    """The columns as one array (rows, columns) of doubles, NULL as NaN."""
    points = np.empty((batch.num_rows, len(columns)))
    for place, column in enumerate(columns):
        values = pc.cast(batch.column(column), pa.float64(), safe=False)
        points[:, place] = values.to_numpy(zero_copy_only=False)
    return points


def _output(schema: Schema, arguments: Sequence[Any]) -> Schema:
    return Schema((*schema.fields, Field("ANOMALY_SCORE", DOUBLE)))


TABLE_FUNCTIONS["RANDOM_CUT_FOREST"] = TableFunction(
    "RANDOM_CUT_FOREST",
    """An anomaly score for each row: near 1 for what is usual, up to log2(subSampleSize) for what stands apart.

    TABLE(RANDOM_CUT_FOREST(CURSOR(SELECT STREAM ...), numberOfTrees, subSampleSize, timeDecay, shingleSize)) gives the rows
    of the cursor with ANOMALY_SCORE behind them.  Numeric columns take part, others pass through.  The first subSampleSize
    rows are learned and score 0; so does a row with a NULL or NaN, which is not learned.  The same input gives the same
    scores.  Scores are those of the discontinued service, on which thresholds were tuned (the mean over the trees).
    """,
    tuple(name for name, *_ in PARAMETERS),
    lambda schema, arguments: check_arguments("RANDOM_CUT_FOREST", schema, arguments),
    _output,
    RandomCutForest,
)
