"""SetOperation: the distinct rows of a table that another one has (INTERSECT), or has not (EXCEPT)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from streamsql.keys.interner import Interner
from streamsql.operator import Operator, Output, State
from streamsql.state import Arrays
from streamsql.types import Batch


class SetOperation(Operator):
    """Port 1, the other table, is complete before the first row of port 0 comes.  NULLs are equal.

    The ids of the other table's rows come first, `others` of them; `given` says which of all ids have come out.
    """

    ports = 2

    def __init__(self, schema: pa.Schema, common: bool) -> None:
        self._common = common
        self._rows = Interner(schema.types)
        self._others = Arrays({"count": np.zeros(1, np.int64), "given": np.zeros(0, bool)})

    @property
    def state(self) -> Mapping[str, State]:
        return {"rows": self._rows, "others": self._others}

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        ids = self._rows.ids(batch.columns, batch.num_rows)
        if port == 1:
            self._others["count"][0] = len(self._rows)
            return
        given = np.zeros(len(self._rows), bool)
        given[: len(self._others["given"])] = self._others["given"]
        distinct, first = np.unique(ids, return_index=True)
        wanted = ((distinct < self._others["count"][0]) == self._common) & ~given[distinct]
        given[distinct] = True
        self._others["given"] = given
        if wanted.any():
            yield batch.take(pa.array(np.sort(first[wanted])))
