"""TOP_K_ITEMS_TUMBLING and COUNT_DISTINCT_ITEMS_TUMBLING: the items of a column in windows of so many seconds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from streamsql.arrays import numbers
from streamsql.errors import ProgrammingError
from streamsql.functions.cast import converter
from streamsql.functions.registry import TABLE_FUNCTIONS, TableFunction
from streamsql.functions.table_functions.distinct_items import EXACT_ITEMS as EXACT_DISTINCT
from streamsql.functions.table_functions.distinct_items import STANDARD_ERROR, DistinctItems
from streamsql.functions.table_functions.item_counts import EXACT_ITEMS, KEPT_ITEMS, ItemCounts
from streamsql.functions.table_functions.table_arguments import check_count, column_name, whole_number
from streamsql.operator import Operator, Output, State
from streamsql.rows import QueryTime, Rows
from streamsql.state import Arrays
from streamsql.time import BEGIN, END, Time
from streamsql.types import BIGINT, Batch, Field, Schema, SqlType, varchar

TOP_K = "TOP_K_ITEMS_TUMBLING"
COUNT_DISTINCT = "COUNT_DISTINCT_ITEMS_TUMBLING"
MAX_K = 100_000
MAX_SECONDS = 3600


class Items(Protocol):
    """What is known of the items of the open window."""

    @property
    def state(self) -> Mapping[str, State]: ...

    def add(self, column: pa.Array) -> None:
        """Take the next items of the window."""
        ...

    def take(self) -> list[pa.Array]:
        """The columns of the window's result behind ROWTIME; all items are forgotten."""
        ...


class TumblingItems(Operator):
    """Windows of `length` milliseconds, counted from 1970; the result of one carries its end as ROWTIME.

    A window is complete when a row or a bound reaches its end; one without rows gives nothing.
    """

    def __init__(self, schema: pa.Schema, column: int, length: int, items: Items) -> None:
        self._schema = schema
        self._column = column
        self._length = length
        self._items = items
        self._window = Arrays({"end": np.zeros(0, np.int64)})

    @property
    def state(self) -> Mapping[str, State]:
        return {"window": self._window, **self._items.state}

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        times = numbers(batch.column(0))
        column = batch.column(self._column)
        start = 0
        while start < len(times):
            yield from self.advance(int(times[start]))
            end = self._end(int(times[start]))
            stop = int(np.searchsorted(times, end))
            self._window["end"] = np.array([end])
            self._items.add(column.slice(start, stop - start))
            start = stop

    def advance(self, t: Time, port: int = 0) -> Iterator[Output]:
        if len(self._window["end"]) and t >= self._window["end"][0]:
            result = self._items.take()
            stamp = pa.repeat(pa.scalar(int(self._window["end"][0]), pa.timestamp("ms")), len(result[0]))
            self._window["end"] = np.zeros(0, np.int64)
            yield pa.RecordBatch.from_arrays([stamp, *result], schema=self._schema)

    def bound(self, t: Time) -> Time:
        return t if t in (BEGIN, END) else self._end(t)

    def _end(self, t: Time) -> Time:
        """The end of the window that `t` lies in."""
        return t - t % self._length + self._length


class _Top:
    """The most frequent items, as text."""

    def __init__(self, type: SqlType, k: int) -> None:
        to_text = converter(type, varchar(), assignment=False)
        assert to_text is not None
        self._to_text = to_text
        self._k = k
        self._counts = ItemCounts(type.arrow())

    @property
    def state(self) -> Mapping[str, State]:
        return self._counts.state

    def add(self, column: pa.Array) -> None:
        self._counts.add(column)

    def take(self) -> list[pa.Array]:
        items, counts = self._counts.highest(self._k)
        self._counts.clear()
        return [self._to_text(Rows(pa.record_batch([items], ["item"]), QueryTime()), items), pa.array(counts)]


def _check_top(schema: Schema, arguments: Sequence[Any]) -> tuple[Any, ...]:
    check_count(TOP_K, TABLE_FUNCTIONS[TOP_K].parameters, arguments)
    column = column_name(TOP_K, "column", arguments[0], schema)
    type_ = _type(schema, column)
    if converter(type_, varchar(), assignment=False) is None:
        raise ProgrammingError(f"{TOP_K}: the items of column {column} are {type_}, which is not written as text")
    k = whole_number(TOP_K, "K", arguments[1], 1, MAX_K)
    return column, k, whole_number(TOP_K, "windowSeconds", arguments[2], 1, MAX_SECONDS)


def _top_output(schema: Schema, arguments: Sequence[Any]) -> Schema:
    return Schema.stream([Field("ITEM", varchar()), Field("ITEM_COUNT", BIGINT)])


def _top(schema: Schema, arguments: Sequence[Any], seed: int) -> Operator:
    column, k, seconds = arguments
    items = _Top(_type(schema, column), k)
    return TumblingItems(_top_output(schema, arguments).arrow(), _place(schema, column), seconds * 1000, items)


class _Distinct:
    """The number of different items."""

    def __init__(self, type: SqlType) -> None:
        self._items = DistinctItems(type.arrow())

    @property
    def state(self) -> Mapping[str, State]:
        return self._items.state

    def add(self, column: pa.Array) -> None:
        self._items.add(column)

    def take(self) -> list[pa.Array]:
        count = self._items.count()
        self._items.clear()
        return [pa.array([count], pa.int64())]


def _check_distinct(schema: Schema, arguments: Sequence[Any]) -> tuple[Any, ...]:
    check_count(COUNT_DISTINCT, TABLE_FUNCTIONS[COUNT_DISTINCT].parameters, arguments)
    column = column_name(COUNT_DISTINCT, "column", arguments[0], schema)
    return column, whole_number(COUNT_DISTINCT, "windowSeconds", arguments[1], 1, MAX_SECONDS)


def _distinct_output(schema: Schema, arguments: Sequence[Any]) -> Schema:
    return Schema.stream([Field("NUMBER_OF_DISTINCT_ITEMS", BIGINT)])


def _distinct(schema: Schema, arguments: Sequence[Any], seed: int) -> Operator:
    column, seconds = arguments
    items = _Distinct(_type(schema, column))
    return TumblingItems(_distinct_output(schema, arguments).arrow(), _place(schema, column), seconds * 1000, items)


def _place(schema: Schema, column: str) -> int:
    place = schema.index(column)
    assert place is not None
    return place


def _type(schema: Schema, column: str) -> SqlType:
    return schema.fields[_place(schema, column)].type


TABLE_FUNCTIONS[TOP_K] = TableFunction(
    TOP_K,
    f"""The K most frequent items of a column in each window of windowSeconds (1 to {MAX_SECONDS}), K from 1 to {MAX_K:,}.

    Gives ITEM, the item as CAST(... AS VARCHAR) writes it, and ITEM_COUNT (BIGINT), the highest count first and equal ones in
    the order in which they appeared.  The column is named in single quotes as the catalog spells it.  Windows are aligned as
    those of STEP, and their ROWTIME is their end.  NULL is an item, as in a GROUP BY.

    Counts are exact up to {EXACT_ITEMS:,} different items in a window.  Beyond that, in a window of n rows, a count is never
    too high and at most n / {KEPT_ITEMS:,} too low, and no item more frequent than that is forgotten.
    """,
    ("column", "K", "windowSeconds"),
    _check_top,
    _top_output,
    _top,
)

TABLE_FUNCTIONS[COUNT_DISTINCT] = TableFunction(
    COUNT_DISTINCT,
    f"""The number of different items of a column in each window of windowSeconds (1 to {MAX_SECONDS}).

    Gives NUMBER_OF_DISTINCT_ITEMS (BIGINT), a row for each window that has rows.  The column is named in single quotes as the
    catalog spells it.  Windows are aligned as those of STEP, and their ROWTIME is their end.  NULL is no item, as in
    COUNT(DISTINCT x).

    The number is exact up to {EXACT_DISTINCT:,} different items in a window.  Beyond that it is the estimate of a HyperLogLog
    sketch of 16 KiB with a standard error of {STANDARD_ERROR:.1%}: 19 of 20 are at most {2 * STANDARD_ERROR:.1%} off.
    """,
    ("column", "windowSeconds"),
    _check_distinct,
    _distinct_output,
    _distinct,
)
