"""The condition of a join at work: what each input's rows are found by, and what is asked of the candidates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from streamsql.expressions.conditions import TRUE
from streamsql.expressions.evaluate import evaluator
from streamsql.expressions.nodes import Column, Expression
from streamsql.keys.interner import Ids, Interner
from streamsql.rows import Failure, Mask, QueryTime, Rows, mask_of
from streamsql.types import Schema

NONE = -1
"""The key of a row that matches nothing."""


class Terms:
    """What the rows of one input are found by: a condition of their own, then the columns of each key.

    A row that does not meet the condition, or has a NULL in a key, matches nothing.  The columns are computed for the rows
    that meet it: a row for which that fails is lost.
    """

    def __init__(self, alone: Expression, keys: Sequence[Sequence[Expression]], time: QueryTime) -> None:
        self._alone = None if alone == TRUE else evaluator(alone, time)
        self._keys = [[evaluator(column, time) for column in key] for key in keys]

    def evaluate(self, rows: Rows) -> tuple[Mask, list[list[pa.Array]]]:
        """Which rows meet the condition, and the columns of each key; failures are reported to `rows`."""
        meets = np.ones(rows.count, bool) if self._alone is None else mask_of(self._alone(rows), rows)
        trial = rows.trial()
        columns = [[trial.column(column(trial)) for column in key] for key in self._keys]
        rows.adopt(trial, meets)
        return meets, columns


def key_ids(interner: Interner, meets: Mask, columns: Sequence[pa.Array]) -> Ids:
    """The id of each row's key; NONE where the row matches nothing."""
    for column in columns:
        if column.null_count:
            meets = meets & column.is_valid().to_numpy(zero_copy_only=False)
    if meets.all():
        return interner.ids(columns, len(meets))
    ids = np.full(len(meets), NONE, np.int64)
    mask = pa.array(meets)
    ids[meets] = interner.ids([column.filter(mask) for column in columns], int(meets.sum()))
    return ids


Gather = Callable[[int], pa.Array]
"""A column of the joined rows, by its position, for all candidates."""


class Rest:
    """What is asked of candidates: a condition over the joined columns, of which only those that it reads are gathered."""

    def __init__(self, condition: Expression, schema: Schema, time: QueryTime) -> None:
        self._time = time
        self._columns = sorted(condition.columns())
        place = {column: i for i, column in enumerate(self._columns)}
        moved = condition.rewrite(lambda e: Column(e.type, place[e.index], e.name) if isinstance(e, Column) else e)
        self._evaluate = None if condition == TRUE else evaluator(moved, time)
        self._names = [schema.fields[column].name for column in self._columns]

    @property
    def is_true(self) -> bool:
        """Whether nothing is asked."""
        return self._evaluate is None

    def holds(self, gather: Gather, count: int) -> tuple[Mask | None, Mapping[int, Failure]]:
        """For which candidates it is true (None: for all), and for which it cannot be told."""
        if self._evaluate is None or not count:
            return None, {}
        columns, names = [gather(column) for column in self._columns], self._names
        if not columns:
            columns, names = [pa.nulls(count)], ["none"]
        rows = Rows(pa.RecordBatch.from_arrays(columns, names=names), self._time)
        mask = mask_of(self._evaluate(rows), rows)
        if rows.failures:
            mask = mask & rows.good()
        return mask, rows.failures
