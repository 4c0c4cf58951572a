"""TableOver: OVER on a table, whose rows are all there before the first value is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from streamsql.functions.aggregates.distinct import DistinctMoves, DistinctValues
from streamsql.functions.aggregation import Accumulator, Fail, OrderedFunction, OrderedRows, Sliding
from streamsql.keys.interner import Ids, Interner
from streamsql.keys.order import Direction
from streamsql.operator import Failed, Operator, Output, State
from streamsql.plan.windows import TableFrame
from streamsql.rows import Datum, Evaluate, Mask, QueryTime, Rows
from streamsql.run.operators.table_frames import frame_moves, ordered_rows, values_of
from streamsql.state import RowBuffer
from streamsql.time import END, Time

ROWS_AT_ONCE = 1 << 20
"""How many rows of frames are gathered at once where a window cannot slide."""


@dataclass(frozen=True, slots=True)
class TableCall:
    """One call over a window of a table: by `ordered`, or an aggregate by `accumulator` and, where frames move, `sliding`."""

    arguments: tuple[Evaluate, ...]
    types: tuple[pa.DataType, ...]
    ordered: OrderedFunction | None
    accumulator: Accumulator | None
    sliding: Sliding | None
    distinct: bool
    ignore_nulls: bool


@dataclass(frozen=True, slots=True)
class TableWindow:
    """One window: its partition keys, its order, its frame, its calls."""

    partition: tuple[Evaluate, ...]
    partition_types: tuple[pa.DataType, ...]
    order: tuple[Evaluate, ...]
    directions: tuple[Direction, ...]
    frame: TableFrame
    calls: tuple[TableCall, ...]


class TableOver(Operator):
    """The rows of the table; at its end they come in the order in which they came, with the values of all calls behind them."""

    def __init__(self, schema: pa.Schema, input: pa.Schema, windows: Sequence[TableWindow], time: QueryTime) -> None:
        self._schema = schema
        self._windows = tuple(windows)
        self._time = time
        self._rows = RowBuffer(input)

    @property
    def state(self) -> Mapping[str, State]:
        return {"rows": self._rows}

    def push(self, batch: pa.RecordBatch, port: int = 0) -> Iterator[Output]:
        self._rows.append(batch)
        return iter(())

    def advance(self, t: Time, port: int = 0) -> Iterator[Output]:
        if t != END or not len(self._rows):
            return
        batch = self._rows.take_all()
        rows = Rows(batch, self._time)
        evaluated = [_evaluate(window, rows) for window in self._windows]
        if rows.failures:
            yield Failed.of(batch, rows.failures)
            mask = pa.array(rows.good())
            batch = batch.filter(mask)
            evaluated = [[[_filter(datum, mask) for datum in data] for data in window] for window in evaluated]
            rows = Rows(batch, self._time)
        if not batch.num_rows:
            return
        columns = [c for window, data in zip(self._windows, evaluated, strict=True) for c in _values(window, rows, data)]
        result = pa.RecordBatch.from_arrays([*batch.columns, *columns], schema=self._schema)
        if rows.failures:
            yield Failed.of(batch, rows.failures)
            result = result.filter(pa.array(rows.good()))
        if result.num_rows:
            yield result


def _evaluate(window: TableWindow, rows: Rows) -> list[list[Datum]]:
    """The partition keys, the order's keys, then the arguments of each call: first ones as arrays, others may be scalars."""
    keys = [[rows.column(key(rows)) for key in keys] for keys in (window.partition, window.order)]
    arguments = [[argument(rows) for argument in call.arguments] for call in window.calls]
    return [*keys, *([rows.column(a) if i == 0 else a for i, a in enumerate(data)] for data in arguments)]


def _values(window: TableWindow, rows: Rows, data: Sequence[Sequence[Datum]]) -> list[pa.Array]:
    """The value of each call for each row."""
    partition, keys, *arguments = data
    ids = Interner(window.partition_types).ids(partition, rows.count)
    ordered, order = ordered_rows(ids, keys, window.directions, window.frame)
    back = pa.array(np.argsort(order))
    moved = pa.array(order)

    def fail(failing: Mask, message: str, name: str) -> None:
        at = np.zeros(rows.count, bool)
        at[order] = failing
        rows.fail(at, message, name)

    partitions = ids[order]
    taken = [[a if isinstance(a, pa.Scalar) else a.take(moved) for a in of_call] for of_call in arguments]
    return [
        _value(call, ordered, partitions, of_call, fail).take(back) for call, of_call in zip(window.calls, taken, strict=True)
    ]


def _value(call: TableCall, rows: OrderedRows, partitions: Ids, arguments: Sequence[Datum], fail: Fail) -> pa.Array:
    """The value of one call for each row, in the order of the partitions."""
    if call.ordered is not None:
        return call.ordered(rows, arguments, call.ignore_nulls, fail)
    if not arguments:  # COUNT(*)
        return pa.array(rows.ends - rows.begins)
    if (rows.begins == rows.starts).all() and (rows.ends == rows.stops).all():
        return _of_partitions(call, rows, arguments, fail)
    if call.sliding is None:
        return _of_frames(call, rows, arguments, fail)
    moves, enters, reads = frame_moves(rows, partitions)
    column = values_of(arguments[0], enters, reads)
    if call.distinct:
        moves, column = DistinctMoves(column.type).moves(moves, column)
    # What a window has between two of its frames is nobody's value, and may be out of range.
    values = call.sliding.slide(moves, [column, *arguments[1:]], lambda at, message, name: fail(at[reads], message, name))
    return values.take(pa.array(reads))


def _of_partitions(call: TableCall, rows: OrderedRows, arguments: Sequence[pa.Array], fail: Fail) -> pa.Array:
    """An aggregate whose frames are whole partitions."""
    ids = np.cumsum(rows.starts == np.arange(len(rows.starts))) - 1
    values = _aggregated(call, ids, int(ids[-1]) + 1, arguments, lambda at, message, name: fail(at[ids], message, name))
    return values.take(pa.array(ids))


def _of_frames(call: TableCall, rows: OrderedRows, arguments: Sequence[Datum], fail: Fail) -> pa.Array:
    """An aggregate that no window of a stream has: each frame is a group of rows, some frames at a time."""
    lengths, values, count = rows.ends - rows.begins, list[pa.Array](), len(rows.begins)
    first = 0
    while first < count:
        last = first + max(1, int(np.searchsorted(np.cumsum(lengths[first:]), ROWS_AT_ONCE, "right")))
        ids = np.repeat(np.arange(last - first), lengths[first:last])
        behind = np.cumsum(lengths[first:last])
        of_frames = pa.array(
            np.arange(len(ids)) + np.repeat(rows.begins[first:last] - (behind - lengths[first:last]), lengths[first:last])
        )
        taken = [a if isinstance(a, pa.Scalar) else a.take(of_frames) for a in arguments]

        def fail_here(at: Mask, message: str, name: str, first: int = first, last: int = last) -> None:
            failing = np.zeros(count, bool)
            failing[first:last] = at
            fail(failing, message, name)

        values.append(_aggregated(call, ids, last - first, taken, fail_here))
        first = last
    return pa.concat_arrays(values)


def _aggregated(call: TableCall, ids: Ids, groups: int, arguments: Sequence[Datum], fail: Fail) -> pa.Array:
    """The value of each group of rows."""
    assert call.accumulator is not None
    columns = [pa.repeat(a, len(ids)) if isinstance(a, pa.Scalar) else a for a in arguments]
    if call.distinct:
        first = DistinctValues(call.types).first(ids, columns)
        ids, columns = ids[first], [column.take(pa.array(first)) for column in columns]
    call.accumulator.add(ids, groups, columns)
    return call.accumulator.take(groups, fail)


def _filter(datum: Datum, mask: pa.Array) -> Datum:
    return datum if isinstance(datum, pa.Scalar) else datum.filter(mask)
