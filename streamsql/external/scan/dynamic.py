"""Dynamic filters: conditions on a scan that are known once the table of a join is complete.

Rows whose key that table does not have match nothing, so their partitions and row groups need not be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.expressions.conditions import boolean_call, both, conjunction
from streamsql.expressions.nodes import Constant, Expression
from streamsql.external.scan.request import Request
from streamsql.types import BOOLEAN, SqlType

MOST = 10_000
"""Partitions and rows are compared with so many values; partitions with more only by the least and the greatest."""

MOST_OF_GROUPS = 64
"""The same of row groups, of which it is looked whether some value lies between their ends."""

FALSE: Expression = Constant(BOOLEAN, False)


@dataclass(slots=True)
class JoinKeys:
    """The distinct values of the keys of one plan's joins, by the numbers that the plan gives them."""

    values: dict[int, pa.Array] = field(default_factory=dict)

    def put(self, number: int, key: pa.Array) -> None:
        """The key of a table that is complete: of each of its rows."""
        self.values[number] = pc.unique(key).drop_null()

    def add(self, number: int, key: pa.Array) -> None:
        """The key of some more rows of a table.  Of more values than are asked for some are kept, the least and the greatest."""
        known = self.values.get(number, key.slice(0, 0))
        values = pc.unique(pa.concat_arrays([known, key])).drop_null()
        if len(values) > 2 * MOST:
            ends = pc.min_max(values)
            ends = pa.array([ends[name].as_py() for name in ("min", "max")], values.type)
            values = pc.unique(pa.concat_arrays([ends, values.slice(0, MOST + 1)]))
        self.values[number] = values

    def resolved(self, request: Request) -> tuple[Request, Expression]:
        """A request with what is known of its partition keys and rows, and what is known of its row groups.

        Raises KeyError for a join whose table is not complete.
        """
        keys, rows, groups = [request.keys], [request.condition], [request.condition]
        for dynamic in request.dynamic:
            key = dynamic.expression
            values = self.values[dynamic.number]
            over_partitions = request.over_keys(key)
            if over_partitions is not None:
                keys.append(_among(over_partitions, values, MOST))
            else:
                groups.append(_among(key, values, MOST_OF_GROUPS))
                rows += [_among(key, values, MOST)] if len(values) <= MOST else []
        return replace(request, keys=conjunction(keys), condition=conjunction(rows)), conjunction(groups)


@dataclass(frozen=True, slots=True)
class AskedKeys:
    """The columns of a join's keys that scans ask for: the number of each, and its place among the columns."""

    joins: JoinKeys
    places: Sequence[tuple[int, int]]

    def put(self, columns: Sequence[pa.Array]) -> None:
        """The keys of a table that is complete."""
        for number, place in self.places:
            self.joins.put(number, columns[place])

    def add(self, columns: Sequence[pa.Array]) -> None:
        """The keys of some more rows of a table."""
        for number, place in self.places:
            self.joins.add(number, columns[place])


def _among(key: Expression, values: pa.Array, most: int) -> Expression:
    """That an expression is one of some values, or, where they are more than `most`, between them."""
    if not len(values):
        return FALSE
    if len(values) > most:
        ends = pc.min_max(values)
        low, high = (constants(pa.array([ends[name].as_py()], values.type), key.type)[0] for name in ("min", "max"))
        return both(boolean_call(">=", key, low), boolean_call("<=", key, high))
    return boolean_call("IN", key, *constants(values, key.type))


def constants(values: pa.Array, type: SqlType) -> list[Constant]:
    """Values of keys as expressions."""
    if type.is_datetime:
        values = values.view(pa.int32() if pa.types.is_date32(values.type) or pa.types.is_time32(values.type) else pa.int64())
    return [Constant(type, value) for value in values.to_pylist()]
