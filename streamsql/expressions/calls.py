"""A call of an aggregate or analytic function, bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from streamsql.expressions.nodes import Expression
from streamsql.expressions.text import text
from streamsql.functions.aggregates.grouped import Mergeable
from streamsql.functions.registry import AggregateFunction
from streamsql.keys.order import Direction
from streamsql.types import SqlType


@dataclass(frozen=True, slots=True)
class AggregateCall:
    """One aggregate or analytic call; `name` is its column.

    `order`: the last so many arguments are keys, by which the rows of a group are put in order for the function, which does
    not take them.
    """

    function: AggregateFunction
    arguments: tuple[Expression, ...]
    type: SqlType
    name: str = field(compare=False)
    distinct: bool = False
    ignore_nulls: bool = False
    order: tuple[Direction, ...] = ()

    def mergeable(self) -> Mergeable | None:
        """What adds its values up, anew; None where two of these cannot be put together."""
        make = self.function.accumulator
        if make is None or self.distinct or self.order:
            return None
        made = make([a.type for a in self.arguments], self.type, self.ignore_nulls)
        return made if isinstance(made, Mergeable) else None

    def __str__(self) -> str:
        """As EXPLAIN prints it."""
        count = len(self.arguments) - len(self.order)
        keys = zip(self.arguments[count:], self.order, strict=True)
        order = ", ".join(text(key) + " DESC" * direction.descending for key, direction in keys)
        arguments = "DISTINCT " * self.distinct + (", ".join(map(text, self.arguments[:count])) or "*" * (self.name == "COUNT"))
        arguments += f" ORDER BY {order}" * bool(order)
        return f"{self.function.name}({arguments})" + (" IGNORE NULLS" if self.ignore_nulls else "")


def mergeable(calls: Sequence[AggregateCall]) -> list[Mergeable]:
    """What adds up calls all of whose values can be put together from parts, anew."""
    made = [call.mergeable() for call in calls]
    return [accumulator for accumulator in made if accumulator is not None]
