"""The keys of an ORDER BY."""

from __future__ import annotations

from dataclasses import dataclass, replace

from streamsql.expressions.nodes import Expression
from streamsql.keys.order import Direction


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of an ORDER BY.  NULLs come last ascending and first descending, where `nulls_first` does not say otherwise."""

    expression: Expression
    descending: bool = False
    nulls_first: bool | None = None

    @property
    def direction(self) -> Direction:
        return Direction(self.descending, self.descending if self.nulls_first is None else self.nulls_first)

    def over(self, expression: Expression) -> SortKey:
        """The same key of another expression."""
        return replace(self, expression=expression)

    @property
    def words(self) -> str:
        """What stands behind the expression."""
        nulls = "" if self.nulls_first is None else f" NULLS {'FIRST' if self.nulls_first else 'LAST'}"
        return " DESC" * self.descending + nulls
