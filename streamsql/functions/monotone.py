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


def sum_direction(directions: Sequence[Monotonicity], _constants: Sequence[Any]) -> Monotonicity:
    """`m + c`, `c + m` move as `m`; `m1 + m2` as both, when they agree."""
    left, right = directions[:2]
    if Monotonicity.CONSTANT in (left, right):
        return right if left is Monotonicity.CONSTANT else left
    return left if left is right else Monotonicity.NONE


def difference_direction(directions: Sequence[Monotonicity], constants: Sequence[Any]) -> Monotonicity:
    """`a - b` moves as `a + (-b)`."""
    return sum_direction((directions[0], directions[1].reversed()), constants)


def product_direction(directions: Sequence[Monotonicity], constants: Sequence[Any]) -> Monotonicity:
    """`m * c` moves as `m` for c > 0, against it for c < 0, not at all for c = 0."""
    if directions[0] is Monotonicity.CONSTANT:
        return _signed(directions[1], constants[0])
    return _signed(directions[0], constants[1]) if directions[1] is Monotonicity.CONSTANT else Monotonicity.NONE


def quotient_direction(directions: Sequence[Monotonicity], constants: Sequence[Any]) -> Monotonicity:
    """`m / c` moves as `m` for c > 0, and `c / m` too.

    [X] The reference lists the latter so for an `m` of the sign of `c`, although it is the wrong way round; it is accepted
    as listed, `m` being taken as positive, as times and counters are.
    """
    return product_direction(directions, constants)


def _signed(direction: Monotonicity, factor: Any) -> Monotonicity:
    if factor is None:
        return Monotonicity.CONSTANT if direction is Monotonicity.CONSTANT else Monotonicity.NONE
    if factor == 0:
        return Monotonicity.CONSTANT
    return direction if factor > 0 else direction.reversed()


def negative_direction(directions: Sequence[Monotonicity], _constants: Sequence[Any]) -> Monotonicity:
    """`-m` moves against `m`."""
    return directions[0].reversed()
