"""The frames of OVER on a table: which rows, in the order of their partitions, belong to each row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from streamsql.arrays import numbers, unscaled
from streamsql.functions.aggregates.vectors import doubles
from streamsql.functions.aggregation import OrderedRows
from streamsql.functions.moves import Moves, power_of_two
from streamsql.keys.interner import Ids
from streamsql.keys.order import Direction, ranks
from streamsql.plan.windows import TableFrame

Ranks = npt.NDArray[np.int64]


def ordered_rows(
    partitions: Ids, keys: Sequence[pa.Array], directions: Sequence[Direction], frame: TableFrame
) -> tuple[OrderedRows, Ids]:
    """Rows with their frames, and the order in which they come: `partitions` (rows,) are dense ids."""
    columns = [partitions, *(ranks(key, direction) for key, direction in zip(keys, directions, strict=True))]
    order = np.lexsort(columns[::-1])
    count = len(order)
    starts, stops = _runs(columns[:1], order)
    peers, peer_stops = _runs(columns, order)
    rows = OrderedRows(starts, stops, peers, peer_stops, starts, stops)
    if frame.unit == "ROWS":
        here = np.arange(count)
        begins = starts if frame.start is None else here + frame.start
        ends = stops if frame.end is None else here + frame.end + 1
    else:
        begins = starts if frame.start is None else peers
        ends = stops if frame.end is None else peer_stops
        if frame.start or frame.end:
            begins, ends = _ranges(rows, keys[0].take(pa.array(order)), directions[0].descending, frame, begins, ends)
    begins = np.clip(begins, starts, stops)
    return replace(rows, begins=begins, ends=np.maximum(np.clip(ends, starts, stops), begins)), order


def _runs(columns: Sequence[Ranks], order: Ids) -> tuple[Ids, Ids]:
    """For each row the first of those equal to it in all columns, and the one behind the last."""
    count = len(order)
    new = np.zeros(count, bool)
    new[:1] = True
    for column in columns:
        new[1:] |= np.diff(column[order]) != 0
    firsts = np.flatnonzero(new)
    run = np.cumsum(new) - 1
    return firsts[run], np.append(firsts[1:], count)[run]


def _ranges(rows: OrderedRows, key: pa.Array, descending: bool, frame: TableFrame, begins: Ids, ends: Ids) -> tuple[Ids, Ids]:
    """RANGE with distances: they are searched in each partition.  A row whose key is NULL or NaN has those with the same."""
    values, (start, end) = _measured(key, frame)
    known = key.is_valid().to_numpy(zero_copy_only=False)
    if values.dtype.kind == "f":
        known &= ~np.isnan(values)
    if descending:
        values = -values if values.dtype.kind == "f" else ~values  # -1 - value, which 64 bits always hold
    begins, ends = begins.copy(), ends.copy()
    for first in np.unique(rows.starts).tolist():
        here = first + np.flatnonzero(known[first : rows.stops[first]])  # without a gap: NULL and NaN are at the ends
        if not len(here):
            continue
        of = values[here]
        if start:
            begins[here] = here[0] + np.searchsorted(of, _moved(of, start), "left")
        if end:
            ends[here] = here[0] + np.searchsorted(of, _moved(of, end), "right")
    return begins, ends


def _measured(key: pa.Array, frame: TableFrame) -> tuple[npt.NDArray[Any], tuple[Any, Any]]:
    """The values of a key as numbers, and the distances of a frame in the same measure: whole numbers where all are exact."""
    is_decimal = pa.types.is_decimal(key.type)
    if pa.types.is_floating(key.type) or isinstance(frame.start, float) or isinstance(frame.end, float):
        return doubles(key), (frame.start, frame.end)
    values = unscaled(key) if is_decimal else numbers(key).astype(np.int64)
    unit = 10**key.type.scale if is_decimal else 1
    start = None if frame.start is None else math.ceil(frame.start * unit)
    return values, (start, None if frame.end is None else math.floor(frame.end * unit))


def _moved(values: npt.NDArray[Any], by: Any) -> npt.NDArray[Any]:
    """Values and a distance added up; Python's whole numbers where 64 bits may not hold them."""
    if values.dtype == np.int64 and max(-int(values.min()), int(values.max())) + abs(by) >= 2**63:
        values = values.astype(object)
    moved: npt.NDArray[Any] = values + by
    return moved


def frame_moves(rows: OrderedRows, partitions: Ids) -> tuple[Moves, Ids, Ids]:
    """The frames as the moves of a window over a stream, where each row stands in it, and where its frame is read.

    Frames never go back.  So each row comes in before the first frame that has it is read, which happens by a row of its own
    that has no value, and leaves before the first that has it no more.
    """
    count = len(rows.starts)
    ends = np.maximum.accumulate(np.maximum(rows.ends, rows.begins)) if count else rows.ends
    reads = np.arange(count) + ends
    enters = np.setdiff1d(np.arange(2 * count), reads, assume_unique=True)
    ids, numbers_, left_before = np.empty((3, 2 * count), np.int64)
    ids[enters], ids[reads] = partitions, partitions
    numbers_[enters], numbers_[reads] = np.arange(count), np.arange(count, 2 * count)
    left_before[enters] = 0
    left_before[reads] = rows.begins
    left_before = np.maximum.accumulate(left_before) if count else left_before
    total = int(partitions.max(initial=-1)) + 1
    times, left, capacity = np.zeros(2 * count, np.int64), np.arange(count), power_of_two(2 * count)
    moves = Moves(ids, times, numbers_, left_before, left, partitions, total, range(0), capacity)
    return moves, enters, reads


def values_of(column: pa.Array, enters: Ids, reads: Ids) -> pa.Array:
    """A column as the rows of such moves have it: NULL where a frame is read."""
    indices, missing = np.zeros(len(enters) + len(reads), np.int64), np.ones(len(enters) + len(reads), bool)
    indices[enters], missing[enters] = np.arange(len(enters)), False
    return column.take(pa.array(indices, mask=missing))
