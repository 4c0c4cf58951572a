"""The rows under evaluation: one reading of the clock for all that is said of them."""

from __future__ import annotations

from itertools import count

import pyarrow as pa

from streamsql.rows import QueryTime, Rows


class Ticking:
    """A clock that goes on whenever it is asked."""

    def __init__(self) -> None:
        self._ticks = count()

    def now(self) -> int:
        return next(self._ticks)


def test_the_clock_is_asked_once_for_a_batch() -> None:
    clock = Ticking()
    rows = Rows(pa.record_batch([pa.array([1, 2])], ["v"]), QueryTime(0, clock))
    branch = rows.where(pa.array([True, False]).to_numpy(zero_copy_only=False))
    assert (branch.now, rows.trial().now, rows.now, branch.now) == (0, 0, 0, 0)
    assert clock.now() == 1
