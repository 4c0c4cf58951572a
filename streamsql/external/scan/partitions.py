"""The partitions that a condition over the keys leaves: a filter over the table of partitions.

Those of a projection are made from what the condition leaves of each column's values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.errors import OperationalError
from streamsql.expressions.conditions import TRUE, conjunction, conjuncts
from streamsql.expressions.evaluate import evaluator
from streamsql.expressions.nodes import Call, Column, Constant, Expression
from streamsql.external.partitions import LOCATION
from streamsql.external.projection import Injected, Projection, Values
from streamsql.external.table import ExternalTable
from streamsql.rows import QueryTime, Rows, mask_of
from streamsql.types import Field

MOST_PARTITIONS = 10_000_000
"""Partitions of a projection that one query may look at."""


@dataclass(frozen=True, slots=True)
class Left:
    """The partitions that are left, of how many: a table with a column a key, and `LOCATION`.

    A table that is not partitioned has one, which has no keys.
    """

    rows: pa.Table
    total: int


def left(table: ExternalTable, condition: Expression, time: QueryTime) -> Left:
    """The partitions of a table for which a condition over its keys is true, or cannot be told.

    The columns of the condition are the keys, by position.  Raises the errors of a projection that is not configured, and of
    injected columns without a value.
    """
    if not table.keys:
        return Left(pa.table({LOCATION: [table.location]}), 1)
    projection = table.projection()
    if projection is not None:
        return _projected(table, projection, condition, time)
    rows = table.partitions.rows
    return Left(_filtered(rows, condition, time), rows.num_rows)


def _filtered(rows: pa.Table, condition: Expression, time: QueryTime) -> pa.Table:
    if condition == TRUE or not rows.num_rows:
        return rows
    return rows.filter(pa.array(_mask(pa.RecordBatch.from_arrays(_arrays(rows), rows.column_names), condition, time)))


def _arrays(rows: pa.Table) -> list[pa.Array]:
    return [column.combine_chunks() for column in rows.columns]


def _mask(batch: pa.RecordBatch, condition: Expression, time: QueryTime) -> npt.NDArray[np.bool_]:
    """Where the condition is true, or fails: the rows of such a partition are to fail themselves."""
    rows = Rows(batch, time)
    return mask_of(evaluator(condition, time)(rows), rows) | ~rows.good()


def _projected(table: ExternalTable, projection: Projection, condition: Expression, time: QueryTime) -> Left:
    parts = conjuncts(condition)
    values: dict[str, Values] = {}
    total = 1
    for place, key in enumerate(table.key_fields):
        own = [part for part in parts if part.columns() == {place}]
        column = projection.columns[key.name]
        made = _injected(key, own, time) if isinstance(column, Injected) else column(time.started)
        total *= len(made.values)
        values[key.name] = _of_column(made, place, conjunction(own), time)
    rest = conjunction(part for part in parts if len(part.columns()) != 1)
    return Left(_filtered(_combined(table, projection, values), rest, time), total)


def _of_column(made: Values, place: int, condition: Expression, time: QueryTime) -> Values:
    """The values of one column that a condition over it leaves."""
    if condition == TRUE:
        return made
    alone = condition.rewrite(lambda node: replace(node, index=0) if isinstance(node, Column) else node)
    mask = pa.array(_mask(pa.RecordBatch.from_arrays([made.values], names=["key"]), alone, time))
    return Values(made.texts.filter(mask), made.values.filter(mask))


def _injected(key: Field, conditions: Sequence[Expression], time: QueryTime) -> Values:
    """The values that the query gives an injected column."""
    given = next((found for condition in conditions if (found := _constants(condition)) is not None), None)
    if given is None:
        raise OperationalError(
            f"CONSTRAINT_VIOLATION: For the injected projected partition column {key.name}, the WHERE clause must contain only "
            "static equality conditions, and at least one such condition must be present."
        )
    values = pa.array(list(dict.fromkeys(given)), pa.string())
    return Values(values, values)


def _constants(condition: Expression) -> list[str] | None:
    """The texts that a condition says a column is one of."""
    if not isinstance(condition, Call) or condition.function.name not in ("=", "IN"):
        return None
    arguments = condition.arguments
    if condition.function.name == "=" and isinstance(arguments[0], Constant):
        arguments = arguments[::-1]
    if not isinstance(arguments[0], Column) or not all(isinstance(argument, Constant) for argument in arguments[1:]):
        return None
    return [a.value for a in arguments[1:] if isinstance(a, Constant) and a.value is not None]


def _combined(table: ExternalTable, projection: Projection, values: Mapping[str, Values]) -> pa.Table:
    """Every combination of the values of the columns, and where its partition is."""
    sizes = [len(made.values) for made in values.values()]
    count = math.prod(sizes)
    if count > MOST_PARTITIONS:
        text = f"the projection of {table.full_name} leaves {count:,} partitions, at most {MOST_PARTITIONS:,} can be looked at"
        raise OperationalError(text, hint="restrict its partition columns in WHERE")
    places = np.unravel_index(np.arange(count), sizes) if count else [np.zeros(0, np.int64)] * len(sizes)
    chosen = {name: pa.array(place) for name, place in zip(values, places, strict=True)}
    columns = [made.values.take(chosen[name]) for name, made in values.items()]
    parts = [values[p].texts.take(chosen[p]) if i % 2 else p for i, p in enumerate(projection.template)]
    return pa.table([*columns, pc.binary_join_element_wise(*parts, "")], names=[*values, LOCATION])
