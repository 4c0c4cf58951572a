"""The rows for which an expression is evaluated, and where those that fail are reported.

A row that cannot be computed (division by zero, a failed CAST) must not take its batch with it: the function that finds it
calls `Rows.fail` with a mask and goes on with NULL in its place.  The operator that asked for the evaluation then takes the
failed rows out and passes them to `error_stream`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from streamsql.errors import InternalError
from streamsql.time import Clock, Time, WallClock, timestamp_text
from streamsql.types import Batch

Mask = npt.NDArray[np.bool_]
Datum: TypeAlias = Any
"""An argument or result of a function: a `pa.Array` of one value a row, or a `pa.Scalar` that stands for all rows."""


@dataclass(frozen=True, slots=True)
class QueryTime:
    """What functions may see of when the query runs: `started`, the moment it started, the clock for CURRENT_ROW_TIMESTAMP, and
    the number of the query that ended last before it."""

    started: Time = 0
    clock: Clock = field(default_factory=WallClock)
    last_query: int = -1


class ErrorName(StrEnum):
    """What ERROR_NAME may say of a row that could not be computed; MESSAGE says the rest."""

    COERCION = "Coercion error"
    """A value is no value of the type it is converted to, or does not fit its length."""
    DIVISION = "Division by zero"
    """`/` or MOD with a divisor of zero, whatever the type."""
    OVERFLOW = "Numeric overflow"
    """A number outside the range of its type, computed or converted."""
    ARGUMENT = "Invalid argument"
    """A function is not defined for its argument: LN(0), a malformed pattern, text that its format does not fit."""
    MISSING = "NULL in NOT NULL column"
    """A row without a value for a column that must have one."""
    LATE = "Late row"
    """A row whose ROWTIME its stream has passed."""
    PROCESSING = "Processing failed"
    """A processor of an input answered ProcessingFailed for a record."""
    RUNTIME = "Runtime error"
    """Everything else."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a row failed: ERROR_NAME and MESSAGE of its row in `error_stream`."""

    name: str
    message: str


def late_failure(t: Time, passed: Time) -> Failure:
    """Why a row at `t` is lost on a stream that has come as far as `passed`."""
    return Failure(ErrorName.LATE, f"ROWTIME {timestamp_text(t)} is before {timestamp_text(passed)}, which the stream has passed")


class Rows:
    """A batch under evaluation; `whole` is the one of whose rows it has some, or all once more."""

    def __init__(self, batch: Batch, time: QueryTime, whole: Rows | None = None) -> None:
        self.batch = batch
        self.time = time
        self.failures: dict[int, Failure] = {}
        self._whole = whole

    @cached_property
    def now(self) -> Time:
        """What the clock says, which is asked once: a row has one CURRENT_ROW_TIMESTAMP, however often it is named."""
        return self.time.clock.now() if self._whole is None else self._whole.now

    @property
    def count(self) -> int:
        return int(self.batch.num_rows)

    def fail(self, failing: Mask, message: str | Callable[[int], str], name: str = ErrorName.RUNTIME) -> None:
        """Report the rows where `failing` is true.  The first failure of a row counts.

        `message` may be a function of the row's index within this batch.
        """
        for index in np.flatnonzero(failing):
            text = message if isinstance(message, str) else message(int(index))
            self.fail_row(int(index), Failure(name, text))

    def fail_row(self, index: int, failure: Failure) -> None:
        """Report one row by its index within this batch."""
        self.failures.setdefault(index, failure)

    def good(self) -> Mask:
        """A mask of the rows that did not fail."""
        mask = np.ones(self.count, dtype=bool)
        mask[list(self.failures)] = False
        return mask

    def where(self, mask: Mask) -> Rows:
        """The rows where `mask` is true, for a branch that only they reach; what fails there fails here."""
        return _Subset(self, np.flatnonzero(mask), self.batch.filter(pa.array(mask)))

    def trial(self) -> Rows:
        """The same rows for an evaluation of which only some rows count: `adopt` takes over their failures."""
        return Rows(self.batch, self.time, self)

    def adopt(self, trial: Rows, mask: Mask) -> None:
        """Report what failed in `trial` where `mask` is true."""
        for index, failure in trial.failures.items():
            if mask[index]:
                self.fail_row(index, failure)

    def column(self, datum: Datum) -> pa.Array:
        """A datum as an array of one value a row."""
        if isinstance(datum, pa.Scalar):
            return pa.repeat(datum, self.count) if self.count else pa.nulls(0, datum.type)  # repeat makes no empty list
        if isinstance(datum, pa.ChunkedArray):
            return datum.combine_chunks()
        if len(datum) != self.count:
            raise InternalError(f"{len(datum)} values for {self.count} rows")
        return datum


class _Subset(Rows):
    """Some rows of another batch under evaluation."""

    def __init__(self, parent: Rows, indices: npt.NDArray[np.intp], batch: Batch) -> None:
        super().__init__(batch, parent.time, parent)
        self._parent = parent
        self._indices = indices

    def fail_row(self, index: int, failure: Failure) -> None:
        super().fail_row(index, failure)
        self._parent.fail_row(int(self._indices[index]), failure)


class Evaluate(Protocol):
    """A compiled expression: the value of each row."""

    def __call__(self, rows: Rows) -> Datum: ...


MANY_ROWS = 512
"""From so many rows on it pays to look for texts that stand in several."""


def _map_texts(
    rows: Rows, function: Callable[..., Any], arguments: Sequence[Datum], place: int, type: pa.DataType, name: str
) -> Datum:
    """The same with one call for each distinct text of the one argument that varies."""
    encoded = arguments[place].dictionary_encode()
    indices = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    values = [argument if i == place else argument.as_py() for i, argument in enumerate(arguments)]
    results: list[Any] = []
    for number, text in enumerate(encoded.dictionary.to_pylist()):
        values[place] = text
        try:
            results.append(None if any(value is None for value in values) else function(*values))
        except (ValueError, ArithmeticError) as error:
            rows.fail(indices == number, str(error), name)
            results.append(None)
    return pa.array(results, type).take(encoded.indices)


def mask_of(datum: Datum, rows: Rows) -> Mask:
    """A boolean datum as a mask in which NULL counts as false."""
    column = rows.column(datum)
    if column.null_count:
        column = column.fill_null(False)
    mask: Mask = column.to_numpy(zero_copy_only=False).astype(bool, copy=False)
    return mask


def map_rows(
    rows: Rows,
    function: Callable[..., Any],
    arguments: Sequence[Datum],
    type: pa.DataType,
    name: str = ErrorName.RUNTIME,
) -> Datum:
    """Apply a function of Python values to each row: the obvious way, for what Arrow has no kernel for.

    Rows with a NULL argument give NULL without a call.  A `ValueError` or `ArithmeticError` of the function fails its row
    under `name` with the error's text.  When all arguments are scalars there is one call and the result is a scalar.
    """
    if all(isinstance(argument, pa.Scalar) for argument in arguments):
        values = [argument.as_py() for argument in arguments]
        try:
            result = None if None in values else function(*values)
        except (ValueError, ArithmeticError) as error:
            rows.fail(np.ones(rows.count, dtype=bool), str(error), name)
            result = None
        return pa.scalar(result, type)
    varying = [place for place, argument in enumerate(arguments) if not isinstance(argument, pa.Scalar)]
    if len(varying) == 1 and rows.count >= MANY_ROWS and pa.types.is_string(arguments[varying[0]].type):
        return _map_texts(rows, function, arguments, varying[0], type, name)
    columns = [
        [argument.as_py()] * rows.count if isinstance(argument, pa.Scalar) else argument.to_pylist() for argument in arguments
    ]
    results: list[Any] = []
    for index, row in enumerate(zip(*columns, strict=True)):
        if any(value is None for value in row):
            results.append(None)
            continue
        try:
            results.append(function(*row))
        except (ValueError, ArithmeticError) as error:
            rows.fail_row(index, Failure(name, str(error)))
            results.append(None)
    return pa.array(results, type)
