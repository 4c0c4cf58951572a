"""The functions of OVER on a table whose value depends on where a row stands among the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.functions.aggregation import Fail, OrderedRows
from streamsql.functions.registry import ordered
from streamsql.keys.interner import Ids
from streamsql.rows import Datum, ErrorName, Mask

_NONE = -1


@ordered("ROW_NUMBER() -> BIGINT", needs_order=False)
def row_number(rows: OrderedRows, arguments: Sequence[Datum], ignore_nulls: bool, fail: Fail) -> pa.Array:
    """The number of the row in its partition, from 1.  Of tables.

    >>> SELECT ROW_NUMBER() OVER (ORDER BY x) FROM (VALUES (7)) AS t(x)
    1
    """
    return pa.array(rows.places + 1)


@ordered("RANK() -> BIGINT")
def rank(rows: OrderedRows, arguments: Sequence[Datum], ignore_nulls: bool, fail: Fail) -> pa.Array:
    """The number of the first row that is equal to this one in the order.  Of tables."""
    return pa.array(rows.peers - rows.starts + 1)


@ordered("DENSE_RANK() -> BIGINT")
def dense_rank(rows: OrderedRows, arguments: Sequence[Datum], ignore_nulls: bool, fail: Fail) -> pa.Array:
    """How many different places in the order there are up to this row.  Of tables."""
    different = np.cumsum(rows.peers == np.arange(len(rows.peers)))
    return pa.array(different - different[rows.starts] + 1)


@ordered("PERCENT_RANK() -> DOUBLE")
def percent_rank(rows: OrderedRows, arguments: Sequence[Datum], ignore_nulls: bool, fail: Fail) -> pa.Array:
    """RANK as a share of the partition: from 0 for its first row to 1.  Of tables."""
    return pa.array((rows.peers - rows.starts) / np.maximum(rows.stops - rows.starts - 1, 1))


@ordered("CUME_DIST() -> DOUBLE")
def cume_dist(rows: OrderedRows, arguments: Sequence[Datum], ignore_nulls: bool, fail: Fail) -> pa.Array:
    """The share of the partition that is not behind this row.  Of tables."""
    return pa.array((rows.peer_stops - rows.starts) / np.maximum(rows.stops - rows.starts, 1))


@ordered("NTILE(n: INTEGRAL) -> BIGINT")
def ntile(rows: OrderedRows, arguments: Sequence[Datum], ignore_nulls: bool, fail: Fail) -> pa.Array:
    """The number of the row's part, from 1, where the partition is cut into n parts that are as equal as can be.  Of tables."""
    parts = _constant(arguments[0])
    if parts is None or parts < 1:
        return _refused("NTILE cuts into 1 part or more", rows, pa.int64(), fail)
    sizes, larger = np.divmod(rows.stops - rows.starts, parts)
    in_larger = larger * (sizes + 1)
    behind = larger + (rows.places - in_larger) // np.maximum(sizes, 1)
    return pa.array(np.where(rows.places < in_larger, rows.places // (sizes + 1), behind) + 1)


@ordered("RATIO_TO_REPORT(x: NUMERIC) -> DOUBLE", needs_order=False)
def ratio_to_report(rows: OrderedRows, arguments: Sequence[Datum], ignore_nulls: bool, fail: Fail) -> pa.Array:
    """The value as a share of the sum of its partition; NULL where that is zero.  Of tables.

    >>> SELECT RATIO_TO_REPORT(x) OVER () FROM (VALUES (1), (1), (1), (1)) AS t(x) LIMIT 1
    0.25
    """
    values = pc.cast(arguments[0], pa.float64(), safe=False)
    if len(values) == 0:
        return values
    firsts, parts = np.unique(rows.starts, return_inverse=True)
    sums = np.add.reduceat(pc.fill_null(values, 0.0).to_numpy(zero_copy_only=False), firsts)[parts]
    return pc.divide(values, pa.array(sums, mask=sums == 0.0))


@ordered("LEAD(x: T, n?: INTEGRAL, default?: T) -> x")
def lead(rows: OrderedRows, arguments: Sequence[Datum], ignore_nulls: bool, fail: Fail) -> pa.Array:
    """The value of the row n rows (1) behind this one in its partition; `default` (NULL) where there is none.  Of tables.

    With IGNORE NULLS only rows with a value are counted.
    """
    return _moved(rows, arguments, ignore_nulls, fail, 1)


def lag_of_table(rows: OrderedRows, arguments: Sequence[Datum], ignore_nulls: bool, fail: Fail) -> pa.Array:
    """LAG: the row so many rows before in its partition."""
    return _moved(rows, arguments, ignore_nulls, fail, -1)


def first_of_frame(rows: OrderedRows, arguments: Sequence[Datum], ignore_nulls: bool, fail: Fail) -> pa.Array:
    """FIRST_VALUE."""
    return _nth(rows, arguments[0], 1, False, ignore_nulls)


def last_of_frame(rows: OrderedRows, arguments: Sequence[Datum], ignore_nulls: bool, fail: Fail) -> pa.Array:
    """LAST_VALUE."""
    return _nth(rows, arguments[0], 1, True, ignore_nulls)


def nth_of_frame(rows: OrderedRows, arguments: Sequence[Datum], ignore_nulls: bool, fail: Fail) -> pa.Array:
    """NTH_VALUE."""
    n = _constant(arguments[1])
    if n is None or n < 1:
        return _refused("NTH_VALUE counts from 1", rows, arguments[0].type, fail)
    from_last = len(arguments) > 2 and _constant(arguments[2]) == "LAST"
    return _nth(rows, arguments[0], n, from_last, ignore_nulls)


def _nth(rows: OrderedRows, column: pa.Array, n: int, from_last: bool, ignore_nulls: bool) -> pa.Array:
    """The n-th row of each frame."""
    counted = _counted(column, ignore_nulls)
    before = _counts_before(counted, len(column))
    place = before[rows.ends] - n if from_last else before[rows.begins] + n - 1
    inside = (place >= before[rows.begins]) & (place < before[rows.ends])
    return _taken(column, counted, place, inside)


def _moved(rows: OrderedRows, arguments: Sequence[Datum], ignore_nulls: bool, fail: Fail, sign: int) -> pa.Array:
    """LAG and LEAD: the n-th row before or behind."""
    column = arguments[0]
    n = _constant(arguments[1]) if len(arguments) > 1 else 1
    if n is None or n < 0:
        return _refused(f"{'LEAD' if sign > 0 else 'LAG'} counts from 0", rows, column.type, fail)
    if n == 0:
        return column
    counted = _counted(column, ignore_nulls)
    before = _counts_before(counted, len(column))
    here = np.arange(len(column))
    place = before[here + 1] + n - 1 if sign > 0 else before[here] - n
    inside = (place >= before[rows.starts]) & (place < before[rows.stops])
    values = _taken(column, counted, place, inside)
    return values if len(arguments) < 3 else pc.if_else(pa.array(inside), values, arguments[2])


def _counted(column: pa.Array, ignore_nulls: bool) -> Ids:
    """The rows that count, ascending."""
    if not ignore_nulls or not column.null_count:
        return np.arange(len(column))
    return np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))


def _counts_before(counted: Ids, rows: int) -> Ids:
    """How many rows count before each row, and before the end."""
    return np.searchsorted(counted, np.arange(rows + 1))


def _taken(column: pa.Array, counted: Ids, place: Ids, inside: Mask) -> pa.Array:
    """The values of the rows at these places among those that count; NULL outside."""
    if not len(counted):
        return pa.nulls(len(place), column.type)
    indices = counted[np.clip(place, 0, len(counted) - 1)]
    return column.take(pa.array(indices, mask=~inside))


def _constant(argument: Datum) -> Any:
    """The value of an argument that is the same for all rows."""
    if not isinstance(argument, pa.Scalar):
        argument = argument[0]
    return argument.as_py()


def _refused(message: str, rows: OrderedRows, type: pa.DataType, fail: Fail) -> pa.Array:
    """Fail all rows: a constant argument is out of range."""
    fail(np.ones(len(rows.starts), bool), message, ErrorName.ARGUMENT)
    return pa.nulls(len(rows.starts), type)
