"""Rules for the monotonicity of functions: how their results move as ROWTIME goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any


class Monotonicity(Enum):
    """How an expression moves as ROWTIME goes on (dialect reference 4.2)."""

    CONSTANT = "constant"
    ASCENDING = "ascending"
    DESCENDING = "descending"
    NONE = "not monotonic"

    def reversed(self) -> Monotonicity:
        """The direction of the negated expression."""
        swap = {Monotonicity.ASCENDING: Monotonicity.DESCENDING, Monotonicity.DESCENDING: Monotonicity.ASCENDING}
        return swap.get(self, self)


MonotoneRule = Callable[[Sequence[Monotonicity], Sequence[Any]], Monotonicity]
"""From the arguments' directions and their constant values (None where not constant) to the result's direction."""


def ascending_in(position: int) -> MonotoneRule:
    """The rule of a function that follows the direction of one argument while the others are constant."""

    def rule(directions: Sequence[Monotonicity], _constants: Sequence[Any]) -> Monotonicity:
        others = [d for i, d in enumerate(directions) if i != position]
        if all(d is Monotonicity.CONSTANT for d in others):
            return directions[position]
        return Monotonicity.NONE

    return rule
