"""What the footer of a Parquet file answers alone: COUNT, MIN and MAX of its row groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.expressions.calls import AggregateCall
from streamsql.expressions.nodes import Column
from streamsql.external.scan.bounds import Bounds
from streamsql.rows import Mask
from streamsql.types import Kind


class Fact(NamedTuple):
    """What a call asks of row groups: COUNT, MIN or MAX of a column, whose place this is; None: of rows."""

    name: str
    column: int | None

    def known(self, bounds: Mapping[int, Bounds], count: int) -> Mask:
        """Of which row groups it is known."""
        if self.column is None:
            return np.ones(count, bool)
        own = bounds[self.column]
        if self.name == "COUNT":
            fits = pc.and_(own.low.is_valid(), own.high.is_valid())  # bounds that do not fit the column are not known
            return _mask(pc.and_(fits, pc.invert(pc.fill_null(own.null, True))))
        known = own.low.is_valid() if self.name == "MIN" else own.high.is_valid()
        return _mask(pc.or_(known, pc.invert(pc.fill_null(own.valid, True))))

    def values(self, bounds: Mapping[int, Bounds], known: Mask) -> pa.Array:
        """The extremes of row groups that have any."""
        assert self.column is not None
        own = bounds[self.column]
        return (own.low if self.name == "MIN" else own.high).filter(pa.array(known)).drop_null()


def fact_of(call: AggregateCall, stored: frozenset[int]) -> Fact | None:
    """What a call asks of a footer, where that tells it: no extremes of texts, which may be cut there, nor where there is NaN."""
    name = call.function.name
    if name == "COUNT" and not call.arguments:
        return Fact(name, None)
    if name not in ("COUNT", "MIN", "MAX"):
        return None
    column = call.arguments[0]
    if not isinstance(column, Column) or column.index not in stored:
        return None
    told = column.type.kind in _TOLD or column.type.is_integer
    return Fact(name, column.index) if name == "COUNT" or told else None


_TOLD = (Kind.DATE, Kind.TIMESTAMP, Kind.DECIMAL)


def _mask(array: pa.Array) -> Mask:
    mask: Mask = array.to_numpy(zero_copy_only=False).astype(bool)
    return mask
