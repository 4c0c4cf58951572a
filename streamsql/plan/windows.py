"""Windows: when groups are complete, and which rows beside a row belong to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from streamsql.expressions.calls import AggregateCall
from streamsql.expressions.nodes import Expression
from streamsql.plan.sort_keys import SortKey


@dataclass(frozen=True, slots=True)
class Window:
    """When groups are complete: as soon as a monotonic key changes.

    `key` is the column of the input that holds the key.  `time` is the same key as an expression of ROWTIME alone (its
    column 0 is ROWTIME), which lets a rowtime bound close the group; None where only the next row can tell (MONOTONIC(x)).
    """

    key: int
    time: Expression | None


@dataclass(frozen=True, slots=True)
class Frame:
    """The rows a sliding window holds beside the current one: `preceding` milliseconds (RANGE) or rows (ROWS) of the same
    partition; None: UNBOUNDED."""

    unit: str
    preceding: int | None


@dataclass(frozen=True, slots=True)
class SlidingWindow:
    """One OVER window and the calls that use it."""

    partition: tuple[Expression, ...]
    frame: Frame
    calls: tuple[AggregateCall, ...]


@dataclass(frozen=True, slots=True)
class TableFrame:
    """The rows of a partition of a table that belong to a row: from `start` to `end`, counted from the row itself.

    ROWS: in rows; RANGE: in the values of the order's one key; below zero before the row.  None: the partition's own end.
    """

    unit: str
    start: Any
    end: Any


@dataclass(frozen=True, slots=True)
class TableWindow:
    """One OVER window of a table and the calls that use it."""

    partition: tuple[Expression, ...]
    order: tuple[SortKey, ...]
    frame: TableFrame
    calls: tuple[AggregateCall, ...]
