"""GROUP BY with ROLLUP, CUBE and GROUPING SETS: the sets of keys that they stand for."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product

from sqlglot import exp

from streamsql.errors import ProgrammingError, Span

MAX_SETS = 4096
"""So many sets of keys a query may have."""

KeySet = list[exp.Expression]


def has_sets(group: exp.Group | None) -> bool:
    """Whether a GROUP BY groups in more than one way."""
    return group is not None and any(isinstance(element, _SPECIAL) for element in group.expressions)


def sets_of(group: exp.Group) -> list[KeySet]:
    """The sets of keys that rows are grouped by: each way of one element together with each of every other."""
    sets: list[KeySet] = [[]]
    for element in group.expressions:
        sets = [one + other for one, other in product(sets, _sets(element))]
        _check(len(sets), element.meta.get("span"))
    return sets


def _sets(element: exp.Expression) -> list[KeySet]:
    match element:
        case exp.GroupingSets():
            return [members for part in element.expressions for members in _sets(part)]
        case exp.Rollup():
            parts = [_members(part) for part in element.expressions]
            return [_joined(parts[:count]) for count in range(len(parts), -1, -1)]
        case exp.Cube():
            parts = [_members(part) for part in element.expressions]
            _check(2 ** len(parts), element.meta.get("span"))
            sizes = range(len(parts), -1, -1)
            return [_joined(chosen) for size in sizes for chosen in combinations(parts, size)]
        case _:
            return [_members(element)]


def _members(part: exp.Expression) -> KeySet:
    return list(part.expressions) if isinstance(part, exp.Tuple) else [part]


def _joined(parts: Sequence[KeySet]) -> KeySet:
    return [key for part in parts for key in part]


def _check(count: int, span: Span | None) -> None:
    if count > MAX_SETS:
        raise ProgrammingError(f"GROUP BY in {count} ways is more than {MAX_SETS}", span)


_SPECIAL = (exp.GroupingSets, exp.Rollup, exp.Cube)
