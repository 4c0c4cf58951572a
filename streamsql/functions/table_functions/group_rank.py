"""GROUP_RANK: the rank of each row among those with the same ROWTIME."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.arrays import numbers
from streamsql.errors import ProgrammingError
from streamsql.functions.registry import TABLE_FUNCTIONS, TableFunction
from streamsql.functions.table_functions.table_arguments import check_count, column_name, one_of, shown, whole_number
from streamsql.operator import Operator, Output, State
from streamsql.state import Arrays, RowBuffer
from streamsql.time import Time
from streamsql.types import INTEGER, Batch, Family, Field, Schema

NAME = "GROUP_RANK"
RANK = "groupRank"
ARRIVAL = "order received"
MAX_INTEGER = 2**31 - 1

RANKED = (Family.NUMERIC, Family.CHARACTER, Family.DATE, Family.TIME, Family.TIMESTAMP)


class GroupRank(Operator):
    """Holds the rows of the last ROWTIME: they are ranked when a later one, or a bound beyond theirs, arrives."""

    def __init__(self, schema: Schema, arguments: Sequence[Any], seed: int) -> None:
        column, _, self._sort, self._order, _, self._most = arguments
        place = schema.index(column)
        assert place is not None
        self._column = place
        self._schema = _output(schema, arguments).arrow()
        self._rows = RowBuffer(schema.arrow())
        self._held = Arrays({"time": np.zeros(0, np.int64)})

    @property
    def state(self) -> Mapping[str, State]:
        return {"rows": self._rows, "held": self._held}

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        times = numbers(batch.column(0))
        starts = np.unique(times, return_index=True)[1].tolist()
        for start, stop in pairwise([*starts, len(times)]):
            yield from self.advance(int(times[start]))
            self._held["time"] = times[start : start + 1].copy()
            self._rows.append(batch.slice(start, stop - start))

    def advance(self, t: Time, port: int = 0) -> Iterator[Output]:
        if len(self._rows) and t > self._held["time"][0]:
            group = self._rows.take_all()
            ranks = rank(group.column(self._column), self._sort == "desc")
            ranked = pa.RecordBatch.from_arrays([*group.columns, pa.array(ranks)], schema=self._schema)
            yield ranked.take(pa.array(self._places(ranks)))

    def _places(self, ranks: npt.NDArray[np.int32]) -> npt.NDArray[np.intp]:
        """The rows that come out, in order; equal ranks in the order of arrival."""
        if self._order == ARRIVAL:
            order = np.arange(len(ranks))
        else:
            order = np.argsort(-ranks if self._order == "desc" else ranks, kind="stable")
        return order[: self._most] if self._most else order


def rank(values: pa.Array, descending: bool) -> npt.NDArray[np.int32]:
    """SQL's RANK from 1: equal values share a rank and leave a gap.  NULLs are last ascending, first descending."""
    dense = pc.rank(values, "ascending", tiebreaker="dense").to_numpy(zero_copy_only=False).astype(np.int32)
    _, place, counts = np.unique(-dense if descending else dense, return_inverse=True, return_counts=True)
    first: npt.NDArray[np.int32] = (np.cumsum(counts) - counts + 1).astype(np.int32)
    return first[place]


def _check(schema: Schema, arguments: Sequence[Any]) -> tuple[Any, ...]:
    parameters = TABLE_FUNCTIONS[NAME].parameters
    check_count(NAME, parameters, arguments)
    column = column_name(NAME, parameters[0], arguments[0], schema)
    type_ = next(field.type for field in schema.fields if field.name == column)
    if type_.family not in RANKED:
        hint = "it ranks numbers, text, dates and times"
        raise ProgrammingError(f"{NAME}: column {column} is {type_}, which has no order", hint=hint)
    if arguments[1] != RANK:
        raise ProgrammingError(f"{NAME}: {parameters[1]} must be '{RANK}', not {shown(arguments[1])}")
    sort = one_of(NAME, parameters[2], arguments[2], ("asc", "desc"))
    order = one_of(NAME, parameters[3], arguments[3], ("asc", "desc", ARRIVAL))
    idle = whole_number(NAME, parameters[4], arguments[4], 0, MAX_INTEGER)
    return column, RANK, sort, order, idle, whole_number(NAME, parameters[5], arguments[5], 0, MAX_INTEGER)


def _output(schema: Schema, arguments: Sequence[Any]) -> Schema:
    return Schema((*schema.fields, Field(RANK, INTEGER)))


TABLE_FUNCTIONS[NAME] = TableFunction(
    NAME,
    """The rank of each row in its group: the rows that follow each other with the same ROWTIME.

    The rows of the cursor with "groupRank" (INTEGER; the name needs quotes) behind them: as SQL's RANK, equal values share a
    rank and leave a gap.  rankByColumn, in single quotes as the catalog spells it, is ranked by sortOrder, 'asc' or 'desc',
    NULLs last and first.  rankOutColumn is 'groupRank'.  outputOrder says in which order of ranks a group comes out, 'asc' or
    'desc', or that it stays as it came: 'order received'.  outputMax is how many of its rows come out, 0: all.

    A group is complete when a row with a later ROWTIME arrives, or time passes its own.  maxIdle, milliseconds from 0, is how
    long the service waited for that; here idle inputs get bounds from the clock, and a group is never cut in two by waiting.
    """,
    ("rankByColumn", "rankOutColumn", "sortOrder", "outputOrder", "maxIdle", "outputMax"),
    _check,
    _output,
    GroupRank,
)
