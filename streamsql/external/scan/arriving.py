"""The partitions that keys which arrive ask for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.expressions.conditions import boolean_call, conjunction
from streamsql.expressions.evaluate import evaluator
from streamsql.expressions.nodes import Constant, Expression
from streamsql.external.scan.dynamic import constants
from streamsql.external.scan.partitions import Left, left
from streamsql.external.scan.request import Request
from streamsql.keys.interner import Interner
from streamsql.rows import Mask, QueryTime, Rows


def chosen(request: Request, keys: Sequence[pa.Array], time: QueryTime) -> tuple[Left, Mask]:
    """The partitions of a request whose values of `arriving` are one of some keys, and which of the keys have any.

    There is a column for each of `arriving`; no key stands twice, and none has a NULL.  Raises what `left` does, of no keys too.
    """
    conditions = [_one_of(each, column) for each, column in zip(request.arriving, keys, strict=True)]
    found = left(request.table, conjunction([request.keys, *conditions]), time)
    count = len(keys[0])
    columns = [column.combine_chunks() for column in found.rows.columns]
    rows = Rows(pa.RecordBatch.from_arrays(columns, found.rows.column_names), time)
    values = [rows.column(evaluator(each, time)(rows)) for each in request.arriving]
    known = Interner([column.type for column in keys])
    known.ids(keys, count)
    ids = known.ids(values, rows.count)
    wanted = ids < count
    return Left(found.rows.filter(pa.array(wanted)), found.total), np.bincount(ids[wanted], minlength=count) > 0


def _one_of(key: Expression, values: pa.Array) -> Expression:
    """Of no values it is still a condition over the key, so that an injected one has its values: none."""
    return boolean_call("IN", key, *(constants(pc.unique(values), key.type) or [Constant(key.type, None)]))
