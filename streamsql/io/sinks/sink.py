"""What a sink of rows is, and what it guarantees.

Between two checkpoints rows are written (staged).  A checkpoint calls `prepare`, stores what it gives, and then `commit`s it.
After a crash `commit` is called again with what the checkpoint stored: it must be idempotent.  Without a checkpoint directory
every step is prepared and committed at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Protocol, TypeAlias

from streamsql.types import Batch

Staged: TypeAlias = Mapping[str, Any]
"""What must be known to make staged rows visible, as plain JSON values; only the sink that made it can read it."""


class Delivery(Enum):
    """How often a row may come out after crashes and restarts."""

    EXACTLY_ONCE = "exactly once"
    AT_LEAST_ONCE = "at least once"


class Sink(Protocol):
    """Where the rows of a stream go.  Batches hold the stream's visible columns, without ROWTIME."""

    delivery: Delivery

    def write(self, batch: Batch) -> None:
        """Take rows; they are not visible yet."""
        ...

    def prepare(self) -> Staged:
        """Make what was written since the last `prepare` durable, but not visible."""
        ...

    def commit(self, staged: Staged) -> None:
        """Make it visible.  May be called again with the same value after a crash, on a newly opened sink."""
        ...

    def close(self) -> None:
        """Complete the output (a Parquet file's footer) and give back files.  Called after the last commit of a run that
        reached its end; the output exists then, empty or not."""
        ...

    def abandon(self) -> None:
        """Give back files without completing anything: the run stops before its end."""
        ...
