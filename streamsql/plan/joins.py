"""What a join says beside its inputs and its condition: its kind, how long rows can be matched, what scans ask for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from streamsql.plan.windows import Frame


class JoinKind(Enum):
    """What becomes of rows that match nothing: of no input, the first, the second, or both they come with NULLs.

    SINGLE is a LEFT lookup in which a row that matches more than one fails.
    """

    INNER = "inner"
    LEFT = "left"
    RIGHT = "right"
    FULL = "full"
    SINGLE = "single"


@dataclass(frozen=True, slots=True)
class JoinWindow:
    """How long a row of an input can be matched by others: `frame`, counted on this input.

    `until` is a column of the input that says for each row the last instant at which it can; the frame is never shorter.
    """

    frame: Frame
    until: int | None = None


@dataclass(frozen=True, slots=True)
class JoinKey:
    """A key of a join's table that scans ask for by its number: column `key` of what `condition`, by its place, equates."""

    number: int
    condition: int
    key: int
