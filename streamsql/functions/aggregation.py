"""What a function of many rows is made of: values of groups, of sliding windows, of windows of a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import pyarrow as pa

from streamsql.errors import DataError
from streamsql.functions.moves import Moves
from streamsql.keys.interner import Ids
from streamsql.operator import State
from streamsql.rows import Datum, Mask
from streamsql.state import Arrays
from streamsql.types import SqlType

Fail = Callable[[Mask, str, str], None]
"""How a function of many rows reports that it cannot give a value: where, MESSAGE, ERROR_NAME.  It is `Rows.fail`; the value
there is NULL."""


def raise_failure(_failing: Mask, message: str, name: str) -> None:
    """What happens where nobody takes failures."""
    raise DataError(f"{name}: {message}")


class Accumulator(Protocol):
    """The running value of one aggregate call for every group of a GROUP BY.

    Groups are dense ids from 0.  All state is in `arrays`, so that a checkpoint can save it.  Rows are added in arrival
    order and each group's value depends on nothing else: cutting the rows into batches differently changes no bit of it.
    """

    @property
    def arrays(self) -> State: ...

    def add(self, ids: Ids, groups: int, arguments: Sequence[pa.Array]) -> None:
        """Add rows: `ids` (rows,) says to which of the `groups` groups so far each belongs."""
        ...

    def result(self, fail: Fail = raise_failure) -> pa.Array:
        """The value of each group, in id order.  A group whose value is outside the range of its type fails."""
        ...

    def take(self, groups: int, fail: Fail = raise_failure) -> pa.Array:
        """The values of the first groups, which are forgotten: the others are numbered anew from 0."""
        ...

    def of(self, groups: Ids) -> Self:
        """Another one with the values of some of the groups, numbered in this order."""
        ...

    @property
    def nbytes(self) -> int:
        """About how much memory the groups take."""
        ...

    def clear(self) -> None:
        """Forget all groups."""
        ...


class Sliding(Protocol):
    """The running value of one call over a sliding window, per partition.

    All state is in `arrays`.  A row's frame is the rows that `moves` has let in and not yet let out, itself included.
    """

    arrays: Arrays

    def slide(self, moves: Moves, arguments: Sequence[Datum], fail: Fail) -> pa.Array:
        """The value for each of the new rows.  One outside the range of its type fails its row; the window goes on.

        The first argument is an array; others, which are constants or LAG's default, may be scalars.
        """
        ...

    def keep(self, partitions: Ids) -> None:
        """Forget all partitions but these, which are numbered anew in this order."""
        ...


AccumulatorFactory = Callable[[Sequence[SqlType], SqlType, bool], Accumulator]
"""From the argument types, the result type and whether NULLs are ignored (IGNORE NULLS)."""

SlidingFactory = Callable[[Sequence[SqlType], SqlType, bool], Sliding]
"""From the argument types, the result type and whether NULLs are ignored (IGNORE NULLS)."""


@dataclass(frozen=True, slots=True)
class OrderedRows:
    """The rows of a table under OVER: partition by partition, each in its order.  All are indices of these rows."""

    starts: Ids
    """(rows,) the first row of the row's partition."""

    stops: Ids
    """(rows,) the row behind its last."""

    peers: Ids
    """(rows,) the first row that is equal to it in the order."""

    peer_stops: Ids
    """(rows,) the row behind the last of these."""

    begins: Ids
    """(rows,) the first row of its frame."""

    ends: Ids
    """(rows,) the row behind its last; never before `begins`."""

    @property
    def places(self) -> Ids:
        """(rows,) where each row stands in its partition, from 0."""
        places: Ids = np.arange(len(self.starts)) - self.starts
        return places


OrderedFunction = Callable[[OrderedRows, Sequence[Datum], bool, Fail], pa.Array]
"""From the rows, the arguments (the first as an array, others may be scalars) and IGNORE NULLS to a value for each row."""
