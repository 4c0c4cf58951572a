"""The conditions of joins and filters: put together, and taken apart into what an operator can use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from streamsql.expressions.conditions import TRUE, conjunction, conjuncts, is_stable
from streamsql.expressions.nodes import Call, Cast, Column, Expression
from streamsql.plan.joins import JoinKind
from streamsql.plan.nodes import Filter, Join, Lookup, Node


def moved(expression: Expression, start: int) -> Expression:
    """An expression of joined columns over those of an input that stand from `start` on."""
    return expression.rewrite(lambda e: replace(e, index=e.index - start) if isinstance(e, Column) else e)


def renumbered(expression: Expression, places: Mapping[int, int]) -> Expression:
    """An expression whose columns stand at other places."""
    return expression.rewrite(lambda e: replace(e, index=places[e.index]) if isinstance(e, Column) else e)


def parted(condition: Expression, early: Callable[[Expression], bool]) -> tuple[Expression, Expression]:
    """The conditions for which `early` is true, and the others."""
    parts = conjuncts(condition)
    return conjunction(part for part in parts if early(part)), conjunction(part for part in parts if not early(part))


def filtered(node: Node, predicate: Expression) -> Node:
    """The rows of `node` for which `predicate` is true.

    What WHERE says of an inner join is a part of its condition, as SQL has it: of the join itself where it reads nothing
    else.
    """
    match node:
        case Join(kind=JoinKind.INNER, condition=condition):
            return replace(node, condition=conjunction([*conjuncts(condition), *conjuncts(predicate)]))
        case Lookup(kind=JoinKind.INNER, input=(Join() | Lookup()) as below, condition=condition):
            width = len(below.schema.fields)
            deeper, own = parted(predicate, lambda part: below.kind is JoinKind.INNER and _reads_below(part, width))
            condition = conjunction([*conjuncts(condition), *conjuncts(own)])
            return replace(node, input=filtered(below, deeper), condition=condition)
        case Lookup(kind=JoinKind.INNER, condition=condition):
            return replace(node, condition=conjunction([*conjuncts(condition), *conjuncts(predicate)]))
        case _:
            return node if predicate == TRUE else Filter(node.schema, node, predicate)


def _reads_below(part: Expression, width: int) -> bool:
    columns = part.columns()
    return bool(columns) and max(columns) < width and is_stable(part)


@dataclass(frozen=True, slots=True)
class Parts:
    """The condition of a join, taken apart.

    `keys` are classes of key columns: an entry an input, None where it has no part in the class, else an expression a column
    over the input's own columns; rows match only where all that have a part agree.  `alone` is a condition for each input, over
    its own columns, that cannot fail.  `rest` is over the columns of the result.
    """

    keys: tuple[tuple[tuple[Expression, ...] | None, ...], ...]
    alone: tuple[Expression, ...]
    rest: Expression


def split(condition: Expression, widths: Sequence[int], first: int) -> Parts:
    """Take the condition of a join apart; the columns of its inputs stand behind each other from `first` on."""
    starts = [first + sum(widths[:i]) for i in range(len(widths))]
    classes: list[dict[int, Expression]] = []
    alone: list[list[Expression]] = [[] for _ in widths]
    rest: list[Expression] = []
    for part in conjuncts(condition):
        owner = _owner(part, starts)
        sides = _equal_sides(part, starts)
        if owner is not None and not part.can_fail and is_stable(part):
            alone[owner].append(moved(part, starts[owner]))
        elif sides is not None:
            _enter(classes, sides)
        else:
            rest.append(part)
    by_inputs: dict[frozenset[int], list[dict[int, Expression]]] = {}
    for members in classes:
        by_inputs.setdefault(frozenset(members), []).append(members)
    keys = tuple(
        tuple(tuple(moved(m[i], starts[i]) for m in group) if i in inputs else None for i in range(len(widths)))
        for inputs, group in by_inputs.items()
    )
    return Parts(keys, tuple(conjunction(parts) for parts in alone), conjunction(rest))


def _owner(expression: Expression, starts: Sequence[int]) -> int | None:
    """The one input whose columns the expression reads; None where it reads none, several, or the join's own ROWTIME."""
    owners = {sum(column >= start for start in starts) - 1 for column in expression.columns()}
    return owners.pop() if len(owners) == 1 and owners != {-1} else None


def _equal_sides(part: Expression, starts: Sequence[int]) -> dict[int, Expression] | None:
    """The two sides of an equation between two inputs, by input."""
    if not isinstance(part, Call) or part.function.name != "=" or not is_stable(part):
        return None
    left, right = (_unsized(argument) for argument in part.arguments)
    owners = _owner(left, starts), _owner(right, starts)
    if None in owners or owners[0] == owners[1] or left.type.arrow() != right.type.arrow():
        return None
    return {owner: side for owner, side in zip(owners, (left, right), strict=True) if owner is not None}


def _unsized(side: Expression) -> Expression:
    """A side of an equation of texts without the conversion to the other's length, which changes nothing that is compared."""
    match side:
        case Cast(assignment=True, operand=operand) if not side.can_fail and operand.type.is_character:
            return operand
    return side


def _enter(classes: list[dict[int, Expression]], sides: dict[int, Expression]) -> None:
    """Add an equation: to the classes that have its sides, where no input then has two expressions in a class."""
    (i, x), (j, y) = sides.items()
    left = next((members for members in classes if members.get(i) == x), {i: x})
    right = next((members for members in classes if members.get(j) == y), {j: y})
    if left is right:
        return
    if left.keys() & right.keys():
        classes.append(dict(sides))
        return
    left.update(right)
    classes[:] = [members for members in classes if members is not right and members is not left]
    classes.append(left)
