"""Combine: the groups of the parts of a table, each added up where it was read, put together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from streamsql.operator import Operator, Output, State
from streamsql.run.operators.groups import Groups
from streamsql.time import END, Time
from streamsql.types import Batch


class Combine(Operator):
    """The rows are the keys of a group and the parts of each call (`Mergeable.parts`); it gives each group once, at the end."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups

    @property
    def state(self) -> Mapping[str, State]:
        return self._groups.state

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        self._groups.merge(batch.columns, batch.num_rows)
        return iter(())

    def advance(self, t: Time, port: int = 0) -> Iterator[Output]:
        if t == END:
            yield from self._groups.results()

    @property
    def open_groups(self) -> int:
        return len(self._groups)

    @property
    def spilled(self) -> int:
        return self._groups.spilled

    def close(self) -> None:
        self._groups.close()
