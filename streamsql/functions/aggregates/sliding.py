"""Running values over sliding windows: what the calls of an OVER window keep.

The sums and queues have a line a partition; of each row in a frame that is kept which is needed when it leaves.  The kernels
are imported where the first call is made: a query without sliding windows does not load the compiler.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.arrays import from_numbers
from streamsql.functions.aggregates.totals import ExactTotal, FloatTotal, variance
from streamsql.functions.aggregates.vectors import Vector, decode, doubles, encode, exact, is_fixed, vector_dtype
from streamsql.functions.aggregation import Fail
from streamsql.functions.moves import Moves, RowFrames, extended, relaid
from streamsql.keys.interner import Ids
from streamsql.rows import Datum, ErrorName, Mask
from streamsql.state import Arrays
from streamsql.types import SqlType


class Windowed:
    """The base: arrays with a line a partition, and arrays with an element a kept row (`kept`: their element types)."""

    def __init__(self, lines: Mapping[str, Vector], kept: Mapping[str, Any]) -> None:
        self._lines = tuple(lines)
        self._kept = tuple(kept)
        self.arrays = Arrays({**lines, **{name: np.empty(0, dtype) for name, dtype in kept.items()}})

    def follow(self, moves: Moves) -> tuple[Vector, ...]:
        """The arrays, with room for the partitions and rows there are: those of kept rows, then those of partitions."""
        for name in self._lines:
            self.arrays[name] = extended(self.arrays[name], moves.partitions)
        for name in self._kept:
            if len(self.arrays[name]) != moves.capacity:
                self.arrays[name] = relaid(self.arrays[name], moves.kept, moves.capacity)
        return tuple(self.arrays[name] for name in (*self._kept, *self._lines))

    def keep(self, partitions: Ids) -> None:
        for name in self._lines:
            self.arrays[name] = self.arrays[name][partitions]


class SlidingCount(Windowed):
    """COUNT: of rows, or of the values that are not NULL."""

    def __init__(self) -> None:
        from streamsql.kernels.sliding import count

        super().__init__({"count": np.zeros(0, np.int64)}, {"valid": bool})
        self._kernel: Any = count

    def slide(self, moves: Moves, arguments: Sequence[Datum], fail: Fail) -> pa.Array:
        valid = _valid(arguments[0]) if arguments else np.ones(len(moves.ids), bool)
        result = np.empty(len(valid), np.int64)
        self._kernel(moves.arrays, moves.mask, valid, *self.follow(moves), result)
        return from_numbers(result, pa.int64())


class SlidingExactSum(Windowed):
    """Sums of whole numbers and DECIMALs of up to 18 digits; `total` makes SUM or AVG of them."""

    def __init__(self, type: SqlType, total: ExactTotal) -> None:
        from streamsql.kernels.sliding import exact_sum

        super().__init__({"sums": np.zeros((0, 3), np.int64)}, {"values": np.int64, "valid": bool})
        self._kernel: Any = exact_sum
        self._type = type
        self._total = total

    def slide(self, moves: Moves, arguments: Sequence[Datum], fail: Fail) -> pa.Array:
        values, valid = exact(arguments[0]), _valid(arguments[0])
        high, low, count = result = np.empty((3, len(valid)), np.int64)
        self._kernel(moves.arrays, moves.mask, values, valid, *self.follow(moves), result)
        return self._total(high, low, count, self._type, fail)


class SlidingFloatSum(Windowed):
    """Sums of REAL and DOUBLE, as DOUBLE; `total` makes SUM or AVG of them."""

    def __init__(self, type: SqlType, total: FloatTotal) -> None:
        from streamsql.kernels.sliding import float_sum

        super().__init__({"sums": np.zeros((0, 7))}, {"values": np.float64, "valid": bool})
        self._kernel: Any = float_sum
        self._type = type
        self._total = total

    def slide(self, moves: Moves, arguments: Sequence[Datum], fail: Fail) -> pa.Array:
        values, valid = doubles(arguments[0]), _valid(arguments[0])
        result, count = np.empty(len(valid)), np.empty(len(valid), np.int64)
        self._kernel(moves.arrays, moves.mask, values, valid, *self.follow(moves), result, count)
        return self._total(result, count, self._type)


class SlidingVariance(Windowed):
    """VAR and STDDEV."""

    def __init__(self, sample: bool, root: bool) -> None:
        from streamsql.kernels.sliding_moments import variance as kernel

        super().__init__({"sums": np.zeros((0, 7))}, {"values": np.float64, "valid": bool})
        self._kernel: Any = kernel
        self._sample = sample
        self._root = root

    def slide(self, moves: Moves, arguments: Sequence[Datum], fail: Fail) -> pa.Array:
        values, valid = doubles(arguments[0]), _valid(arguments[0])
        distances, count = np.empty(len(valid)), np.empty(len(valid), np.int64)
        self._kernel(moves.arrays, moves.mask, values, valid, *self.follow(moves), distances, count)
        return variance(distances, count, self._sample, self._root)


class SlidingExponentialAverage(Windowed):
    """EXP_AVG: the second argument is the half-life, the same for all rows."""

    def __init__(self) -> None:
        from streamsql.kernels.sliding_moments import exponential_average

        kept = {"values": np.float64, "fractions": np.float64, "half-lives": np.int64, "valid": bool}
        super().__init__({"sums": np.zeros((0, 7))}, kept)
        self._kernel: Any = exponential_average

    def slide(self, moves: Moves, arguments: Sequence[Datum], fail: Fail) -> pa.Array:
        half_life = _constant(arguments[1].cast(pa.int64()))
        values, valid = doubles(arguments[0]), _valid(arguments[0])
        if half_life is None or half_life <= 0:
            return _refuse("the half-life of EXP_AVG must be positive", len(valid), pa.float64(), fail)
        result, count = np.empty(len(valid)), np.empty(len(valid), np.int64)
        self._kernel(moves.arrays, moves.mask, moves.times, half_life, values, valid, *self.follow(moves), result, count)
        return from_numbers(result, pa.float64(), count == 0)


class SlidingExtreme(Windowed):
    """MIN, or MAX where `greatest`."""

    def __init__(self, greatest: bool, type: SqlType) -> None:
        from streamsql.kernels.sliding_order import extreme

        self._type = type.arrow()
        dtype = vector_dtype(self._type)
        lines = {"queues": np.zeros((0, 3), np.int64), "best": np.empty(0, dtype)}
        super().__init__(lines, {"values": dtype, "next": np.int64, "previous": np.int64})
        kernel: Any = extreme
        self._kernel = kernel if is_fixed(self._type) else kernel.py_func
        self._greatest = greatest

    def slide(self, moves: Moves, arguments: Sequence[Datum], fail: Fail) -> pa.Array:
        values, valid = encode(arguments[0]), _valid(arguments[0])
        result, null = np.empty(len(values), values.dtype), np.empty(len(values), bool)
        choice = moves.bounded, self._greatest
        self._kernel(moves.arrays, moves.mask, *choice, values, valid, *self.follow(moves), result, null)
        return decode(result, null, self._type)


class SlidingPosition(Windowed):
    """FIRST_VALUE, LAST_VALUE and NTH_VALUE: the n-th row of the frame, from the first or from the last.

    The arguments behind the first are constants: n, and FIRST or LAST.
    """

    def __init__(self, type: SqlType, ignore_nulls: bool, from_last: bool = False) -> None:
        from streamsql.kernels.sliding_order import nth, nth_arrival

        self._type = type.arrow()
        kept = {"entered": bool, "next": np.int64, "values": vector_dtype(self._type), "null": bool}
        super().__init__({"queues": np.zeros((0, 4), np.int64), "arrived": np.zeros(0, np.int64)}, kept)
        self._nth = nth
        self._nth_arrival = nth_arrival
        self._ignore_nulls = ignore_nulls
        self._from_last = from_last

    def slide(self, moves: Moves, arguments: Sequence[Datum], fail: Fail) -> pa.Array:
        n = _constant(arguments[1]) if len(arguments) > 1 else 1
        from_last = self._from_last or (len(arguments) > 2 and _constant(arguments[2]) == "LAST")
        if n is None or n < 1:
            return _refuse("NTH_VALUE counts from 1", len(moves.ids), self._type, fail)
        if from_last:
            if n == 1 and not self._ignore_nulls:
                return arguments[0]
            return self._nth_from_last(moves, arguments[0], int(n), before=False)[0]
        if not moves.bounded:
            return self._nth_ever(moves, arguments[0], int(n))
        return self._nth_of_frame(moves, arguments[0], int(n), False, False)[0]

    def _enters(self, column: pa.Array) -> Mask:
        return _valid(column) if self._ignore_nulls else np.ones(len(column), bool)

    def _nth_of_frame(self, moves: Moves, column: pa.Array, n: int, from_last: bool, before: bool) -> tuple[pa.Array, Mask]:
        """The value of the n-th row in each row's frame, and where there is none; `before` the row came in."""
        entered, following, values, null, queues, _ = self.follow(moves)
        enters, numbers = self._enters(column), np.empty(len(column), np.int64)
        self._nth(moves.arrays, moves.mask, n, from_last, before, enters, entered, following, queues, numbers)
        rows = enters if self._ignore_nulls else slice(None)
        places = moves.numbers[rows] & moves.mask
        values[places], null[places] = encode(column)[rows], ~_valid(column)[rows]
        found, missing = numbers & moves.mask, numbers < 0
        return decode(values[found], null[found] | missing, self._type), missing

    def _nth_from_last(self, moves: Moves, column: pa.Array, n: int, before: bool) -> tuple[pa.Array, Mask]:
        """The same from the last row.  Where no row ever leaves, the frame of the rows in question is enough."""
        if not moves.bounded:
            rows = np.flatnonzero(self._enters(column))
            frames = RowFrames(n if before else n - 1, self.arrays)
            latest = frames.moves(moves.ids[rows], moves.times[rows], moves.partitions)
            numbers, left_before = np.zeros((2, len(column)), np.int64)
            numbers[rows], left_before[rows] = latest.numbers, latest.left_before
            left_before = np.maximum.accumulate(left_before)
            moves = replace(latest, ids=moves.ids, times=moves.times, numbers=numbers, left_before=left_before)
        return self._nth_of_frame(moves, column, n, True, before)

    def _nth_ever(self, moves: Moves, column: pa.Array, n: int) -> pa.Array:
        """The value of the n-th row of the partition, where none leaves: it is all that is kept."""
        _, _, values, null, _, arrived = self.follow(moves)
        is_nth, exists = np.empty((2, len(column)), bool)
        self._nth_arrival(moves.ids, n, self._enters(column), arrived, is_nth, exists)
        places = moves.ids[is_nth]
        values[places], null[places] = encode(column)[is_nth], ~_valid(column)[is_nth]
        return decode(values[moves.ids], null[moves.ids] | ~exists, self._type)


class SlidingLag(SlidingPosition):
    """LAG: the row so many rows before, NULL or the third argument where the frame has none."""

    def slide(self, moves: Moves, arguments: Sequence[Datum], fail: Fail) -> pa.Array:
        n = _constant(arguments[1]) if len(arguments) > 1 else 1
        if n is None or n < 0:
            return _refuse("LAG counts from 0", len(moves.ids), self._type, fail)
        if n == 0:
            return arguments[0]
        values, missing = self._nth_from_last(moves, arguments[0], int(n), before=True)
        return values if len(arguments) < 3 else pc.if_else(pa.array(missing), arguments[2], values)


def _valid(column: pa.Array) -> Mask:
    if not column.null_count:
        return np.ones(len(column), bool)
    valid: Mask = column.is_valid().to_numpy(zero_copy_only=False)
    return valid


def _constant(argument: Datum) -> Any:
    """The value of an argument that is the same for all rows."""
    return (argument if isinstance(argument, pa.Scalar) else argument[0]).as_py()


def _refuse(message: str, rows: int, type: pa.DataType, fail: Fail) -> pa.Array:
    """Fail all rows: a constant argument is out of range."""
    fail(np.ones(rows, bool), message, ErrorName.ARGUMENT)
    return pa.nulls(rows, type)
