"""An aggregate call at work, as the operators of GROUP BY and WINDOWED BY STAGGER keep it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from streamsql.functions.aggregates.distinct import DistinctValues
from streamsql.functions.aggregation import Accumulator, Fail
from streamsql.keys.interner import Ids
from streamsql.operator import Failed, Output, State
from streamsql.rows import Evaluate, Failure, Mask, Rows
from streamsql.types import Batch


@dataclass(frozen=True, slots=True)
class Accumulation:
    """One aggregate call: its arguments and its running values; `distinct` are the values that have been counted."""

    arguments: tuple[Evaluate, ...]
    types: tuple[pa.DataType, ...]
    accumulator: Accumulator
    distinct: DistinctValues | None = None

    @property
    def state(self) -> Mapping[str, State]:
        seen = {} if self.distinct is None else self.distinct.state
        return {"values": self.accumulator.arrays, **{f"distinct {name}": state for name, state in seen.items()}}

    def evaluate(self, rows: Rows) -> list[pa.Array]:
        """The arguments of some rows."""
        return [rows.column(argument(rows)) for argument in self.arguments]

    def add(self, ids: Ids, groups: int, columns: Sequence[pa.Array]) -> None:
        """Add rows: `ids` (rows,) says to which of the `groups` groups so far each belongs."""
        if self.distinct is not None:
            first = self.distinct.first(ids, columns)
            if len(first) < len(ids):
                ids, columns = ids[first], [column.take(pa.array(first)) for column in columns]
        self.accumulator.add(ids, groups, columns)

    def take(self, groups: int, fail: Fail) -> pa.Array:
        """The values of the first groups, which are forgotten: the others are numbered anew from 0."""
        if self.distinct is not None:
            self.distinct.take(groups)
        return self.accumulator.take(groups, fail)

    def of(self, groups: Ids) -> Accumulation:
        """Another one with the values of some of the groups, numbered in this order."""
        distinct = None if self.distinct is None else self.distinct.of(groups)
        return replace(self, accumulator=self.accumulator.of(groups), distinct=distinct)

    @property
    def nbytes(self) -> int:
        """About how much memory the groups take."""
        return self.accumulator.nbytes + (0 if self.distinct is None else self.distinct.nbytes)


def states(calls: Sequence[Accumulation]) -> dict[str, State]:
    """The containers of some calls, by name."""
    return {f"call {i} {name}": state for i, call in enumerate(calls) for name, state in call.state.items()}


def results(calls: Sequence[Accumulation], groups: int) -> tuple[list[pa.Array], dict[int, Failure]]:
    """The values of the first groups, which are forgotten, and why those fail that have none."""
    failures: dict[int, Failure] = {}
    fail = failures_of(failures)
    return [call.take(groups, fail) for call in calls], failures


def failures_of(failures: dict[int, Failure]) -> Fail:
    """What enters the groups that fail, and why; of several reasons the first."""

    def fail(failing: Mask, message: str, name: str) -> None:
        for group in np.flatnonzero(failing).tolist():
            failures.setdefault(group, Failure(name, message))

    return fail


def parted(groups: Batch, failures: Mapping[int, Failure]) -> Iterator[Output]:
    """The rows of groups, those that failed apart."""
    if failures:
        yield Failed.of(groups, failures)
        good = np.ones(groups.num_rows, bool)
        good[list(failures)] = False
        groups = groups.filter(pa.array(good))
    if groups.num_rows:
        yield groups
