"""RANDOM_CUT_FOREST_WITH_EXPLANATION: an anomaly score for each row, and what each column has to do with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from streamsql.errors import ProgrammingError
from streamsql.functions.registry import TABLE_FUNCTIONS, TableFunction
from streamsql.functions.table_functions.forest import PARAMETERS, RandomCutForest, check_arguments, points_of
from streamsql.functions.table_functions.table_arguments import shown
from streamsql.operator import Output
from streamsql.types import DOUBLE, Batch, Field, Schema, varchar

NAME = "RANDOM_CUT_FOREST_WITH_EXPLANATION"

LEAST_SIDE = 0.01
"""What the weaker side of a STRENGTH is at least taken for: with nothing on it, the ratio would be infinite."""


def strength(above: npt.NDArray[np.float64], below: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """How clear the direction is: |above - below| times the ratio of the stronger side to the weaker."""
    stronger, weaker = np.maximum(above, below), np.minimum(above, below)
    return (stronger - weaker) * stronger / np.maximum(weaker, LEAST_SIDE)


class ExplainedForest(RandomCutForest):
    """RANDOM_CUT_FOREST with the explanation of each score behind it."""

    def __init__(self, schema: Schema, arguments: Sequence[Any], seed: int) -> None:
        from streamsql.kernels.forest_attribution import score_with_attribution

        *numbers, self._directed = arguments
        super().__init__(schema, numbers, seed)
        self._schema = _output(schema, arguments).arrow()
        self._names = [schema.fields[i].name for i in self._columns]
        self._explain = score_with_attribution

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        scores, parts = self._explain(self._forest, points_of(batch, self._columns))
        explanations = pa.array(explained(self._names, parts, self._directed), pa.string())
        yield pa.RecordBatch.from_arrays([*batch.columns, pa.array(scores), explanations], schema=self._schema)


def explained(names: Sequence[str], parts: npt.NDArray[np.float64], directed: bool) -> list[str]:
    """A JSON object for each row of `parts` (rows, columns, 2), a member for each column."""
    above, below = parts[:, :, 0], parts[:, :, 1]
    score = '"ATTRIBUTION_SCORE":"%.4f"}'
    member = f'{{"DIRECTION":"%s","STRENGTH":"%.4f",{score}' if directed else f"{{{score}"
    members = (f"{json.dumps(name, ensure_ascii=False).replace('%', '%%')}:{member}" for name in names)
    form = f"{{{','.join(members)}}}"
    values = np.empty((*above.shape, 3 if directed else 1), object)
    values[:, :, -1] = above + below
    if directed:
        values[:, :, 0] = np.where(above > below, "HIGH", "LOW")
        values[:, :, 1] = strength(above, below)
    return [form % tuple(row) for row in values.reshape(len(parts), -1).tolist()]


def _check(schema: Schema, arguments: Sequence[Any]) -> tuple[Any, ...]:
    most = len(PARAMETERS) + 1
    if len(arguments) > most:
        raise ProgrammingError(f"{NAME} takes a CURSOR and up to {most} arguments, not {len(arguments)}")
    numbers = check_arguments(NAME, schema, arguments[: most - 1])
    directed = arguments[-1] if len(arguments) == most else False
    if not isinstance(directed, bool):
        raise ProgrammingError(f"{NAME}: withDirectionality must be TRUE or FALSE, not {shown(directed)}")
    return (*numbers, directed)


def _output(schema: Schema, arguments: Sequence[Any]) -> Schema:
    return Schema((*schema.fields, Field("ANOMALY_SCORE", DOUBLE), Field("ANOMALY_EXPLANATION", varchar())))


TABLE_FUNCTIONS[NAME] = TableFunction(
    NAME,
    """RANDOM_CUT_FOREST, and for each row how much each column has to do with its score.

    The rows of the cursor with ANOMALY_SCORE and ANOMALY_EXPLANATION behind them: a JSON object with a member for each numeric
    column, in their order, all values text with four decimals:

    `{"PRICE":{"DIRECTION":"HIGH","STRENGTH":"0.8567","ATTRIBUTION_SCORE":"1.7447"}}`

    The ATTRIBUTION_SCOREs sum to the score.  DIRECTION says whether the value is above (HIGH) or below what is usual, STRENGTH
    how clearly: with h and l the parts of the ATTRIBUTION_SCORE for being above and below, |h - l| * max(h, l) / min(h, l),
    where min(h, l) counts as 0.01 at least.  The service's own formula is not known; this one gives values like those it
    published.  Both are left out unless withDirectionality is TRUE.  Rows that score 0 have LOW and 0.0000.
    """,
    (*(name for name, *_ in PARAMETERS), "withDirectionality"),
    _check,
    _output,
    ExplainedForest,
)
