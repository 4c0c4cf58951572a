"""What a source of rows is.

A source never blocks: it gives what has arrived and says whether it has ended.  It knows nothing of ROWTIME order; the
entry operator behind it (`streamsql.run.operators.retime`) gives each row its ROWTIME and deals with late rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from streamsql.operator import Failed
from streamsql.types import Batch, Schema

Position: TypeAlias = Mapping[str, Any]
"""Where a source stands, as plain JSON values; only the source that made it can read it."""


@dataclass(frozen=True, slots=True)
class Polled:
    """What a poll found: rows, records that do not fit the schema, and whether nothing will ever follow."""

    rows: Batch | None = None
    failed: Failed | None = None
    ended: bool = False


class Source(Protocol):
    """A source of rows, opened at its beginning."""

    schema: Schema
    """The columns of its batches.  With ROWTIME (`schema.is_stream`) the rows bring their own time: a replay; without, they
    get the time of their arrival."""

    bounded: bool
    """Whether it ends by itself (a file), so that it may be read as fast as it can be processed."""

    def poll(self, limit: int) -> Polled:
        """Up to `limit` rows that are there now.  Never blocks."""
        ...

    def position(self) -> Position:
        """The place after the last row that `poll` returned (not the last one fetched)."""
        ...

    def seek(self, position: Position) -> None:
        """Go on after a position.  Raises OperationalError where that cannot be done (a pipe, a file that changed)."""
        ...

    def grown(self, position: Position) -> bool:
        """Whether there is more to read now than when the source had ended at this position."""
        ...

    def close(self) -> None:
        """Give back files and threads."""
        ...
