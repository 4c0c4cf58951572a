"""The rows that operators and sources lose, on their way to `error_stream`: by time, whoever lost them."""

from __future__ import annotations

from collections import Counter

from streamsql.operator import Failed
from streamsql.run import error_stream
from streamsql.run.operators.merge import Merge
from streamsql.time import END, Time
from streamsql.types import Batch


class LostRows:
    """Waits for the bounds of all that can lose rows, and gives the rows that nothing can come before any more."""

    def __init__(self) -> None:
        self.merge = Merge(error_stream.SCHEMA.arrow(), 0)
        """What brings the lost rows of all operators and sources into one order."""
        self.pending = False
        """Whether rows may wait."""
        self.counts: Counter[tuple[str, str]] = Counter()
        """Rows by pump and error name, counted when they are lost: they may wait to come out in order."""
        self._vacant: list[int] = []

    def new_port(self) -> int:
        """A port for the lost rows of something new: that of something gone, so that a long session does not fill up."""
        vacant = next((port for port in self._vacant if self.merge.reopen(port)), None)
        if vacant is None:
            return self.merge.add_port()
        self._vacant.remove(vacant)
        return vacant

    def leave(self, port: int) -> list[Batch]:
        """Whoever reports lost rows by this port is gone."""
        self._vacant.append(port)
        return self.advance(END, port)

    def add(self, failed: Failed, port: int, owner: str) -> list[Batch]:
        """Rows that `owner` lost; the port keeps those of one operator or source in their order."""
        self.count(failed, owner)
        self.pending = self.pending or bool(failed.rows)
        return [output for batch in error_stream.batches_of(failed.rows, owner) for output in self.merge.push(batch, port)]

    def count(self, failed: Failed, owner: str) -> None:
        """Count rows that are reported by another way."""
        self.counts.update((owner, row.failure.name) for row in failed.rows)

    def advance(self, t: Time, port: int) -> list[Batch]:
        """By this port no row will come from before `t`."""
        return list(self.merge.advance(t, port))
