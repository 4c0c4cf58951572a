"""HOTSPOTS: for each row the regions of high density that it is in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from streamsql.errors import ProgrammingError
from streamsql.functions.java.number_text import java_text
from streamsql.functions.registry import TABLE_FUNCTIONS, TableFunction
from streamsql.functions.table_functions.forest import check_columns, numeric_columns, points_of
from streamsql.functions.table_functions.table_arguments import check_count, shown, whole_number
from streamsql.operator import Operator, Output, State
from streamsql.state import Arrays
from streamsql.types import Batch, Field, Schema, varchar

NAME = "HOTSPOTS"


class Hotspots(Operator):
    """The last rows as points, and which of them are near each other."""

    def __init__(self, schema: Schema, arguments: Sequence[Any], seed: int) -> None:
        from streamsql.kernels import hotspots

        self._size, self._radius, self._least = arguments
        self._columns = numeric_columns(schema)
        self._schema = _output(schema, arguments).arrow()
        self._window = Arrays(dict(hotspots.new_window(self._size, len(self._columns))))
        self._find = hotspots.find_hotspots

    @property
    def state(self) -> Mapping[str, State]:
        return {"window": self._window}

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        points = points_of(batch, self._columns)
        texts: list[list[str]] = [[] for _ in points]
        progress = np.zeros(2, np.int64)
        found = np.zeros((2 * self._size, 2), np.int64)
        boxes = np.zeros((2 * self._size, 2, len(self._columns)))
        while progress[0] < len(points):
            self._find(
                points,
                int(progress[0]),
                self._radius,
                self._least,
                self._window["points"],
                self._window["neighbours"],
                self._window["counts"],
                self._window["seen"],
                progress,
                found,
                boxes,
            )
            for (row, number), box in zip(found[: progress[1]].tolist(), boxes):
                texts[row].append(hotspot_text(number, box, self._radius))
        results = pa.array([f'{{"hotspots":[{",".join(of_row)}]}}' for of_row in texts], pa.string())
        yield pa.RecordBatch.from_arrays([*batch.columns, results], schema=self._schema)


def hotspot_text(number: int, box: npt.NDArray[np.float64], radius: float) -> str:
    """The JSON of a hotspot of `number` points in `box` (2, columns); a side without extent counts as `radius`."""
    sides = box[1] - box[0]
    with np.errstate(all="ignore"):
        density = number / np.prod(np.where(sides > 0.0, sides, radius))
    if not isfinite(density):
        density = np.finfo(np.float64).max
    low, high = (",".join(java_text(value) for value in side) for side in box)
    return f'{{"density":{java_text(density)},"minValues":[{low}],"maxValues":[{high}]}}'


def _check(schema: Schema, arguments: Sequence[Any]) -> tuple[Any, ...]:
    parameters = TABLE_FUNCTIONS[NAME].parameters
    check_count(NAME, parameters, arguments)
    size = whole_number(NAME, parameters[0], arguments[0], 100, 1000)
    radius = arguments[1]
    if isinstance(radius, bool) or not isinstance(radius, (int, float, Decimal)) or not 0 < radius < float("inf"):
        raise ProgrammingError(f"{NAME}: {parameters[1]} must be a number above 0, not {shown(radius)}")
    least = whole_number(NAME, parameters[2], arguments[2], 2, size)
    check_columns(NAME, schema)
    return size, float(radius), least


def _output(schema: Schema, arguments: Sequence[Any]) -> Schema:
    return Schema((*schema.fields, Field("HOTSPOTS_RESULT", varchar())))


TABLE_FUNCTIONS[NAME] = TableFunction(
    NAME,
    """For each row the hotspots that it is in: where more of the last rows are close together than elsewhere.

    The rows of the cursor with HOTSPOTS_RESULT behind them, with an element for each hotspot (none in most rows):

    `{"hotspots":[{"density":201.6,"minValues":[1.0,4.0],"maxValues":[2.0,5.0]}]}`

    Numeric columns take part, in their order, others pass through.  Looked at are the last windowSize rows (100 to 1000), the
    row itself included.  A row is a core of a hotspot when at least minimumNumberOfPointsInAHotspot of them (2 to windowSize),
    itself included, are no further than scanRadius from it; cores within scanRadius of each other are in one hotspot,
    with all rows within scanRadius of one (DBSCAN).  minValues and maxValues are the box around these rows, density is their
    number over the volume of the box.  The service did not say what size it divides by; here a side without extent counts as
    scanRadius.  A row with a NULL or NaN has no hotspots and is not looked at again.
    """,
    ("windowSize", "scanRadius", "minimumNumberOfPointsInAHotspot"),
    _check,
    _output,
    Hotspots,
)
