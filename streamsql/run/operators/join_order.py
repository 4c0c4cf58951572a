"""In which order the inputs of a join are searched for what belongs to a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Step:
    """Add the rows of input `port` whose key of class `key` is that of the row of input `by`; `checks` are classes and inputs
    whose keys must agree with the new row's, too."""

    port: int
    key: int
    by: int
    checks: tuple[tuple[int, int], ...]


class JoinOrder:
    """The order for rows of each input.  `classes` are the inputs that have a part in each class of keys.

    From any input all others can be reached through classes.
    """

    def __init__(self, classes: Sequence[frozenset[int]], ports: int) -> None:
        self._classes = tuple(classes)
        self.steps = tuple(self._from(port, ports) for port in range(ports))

    def classes_of(self, port: int) -> list[int]:
        """The classes in which an input has a part."""
        return [c for c, members in enumerate(self._classes) if port in members]

    def _from(self, start: int, ports: int) -> tuple[Step, ...]:
        """Always add the input that is found by the class named first, of these the one that stands first in FROM."""
        reached, steps = [start], list[Step]()
        while len(reached) < ports:
            known = {c: port for port in reversed(reached) for c in self.classes_of(port)}
            key, port = min((c, p) for c in known for p in self._classes[c] if p not in reached)
            checks = tuple((c, known[c]) for c in self.classes_of(port) if c in known and c != key)
            steps.append(Step(port, key, known[key], checks))
            reached.append(port)
        return tuple(steps)


def connected(keys: Sequence[tuple[T | None, ...]], nothing: T, ports: int) -> list[tuple[T | None, ...]]:
    """Classes of keys by which all inputs can be reached: with one more, which says nothing, where they do not suffice."""
    reached = {0}
    while True:
        more = {p for key in keys for p in range(ports) if key[p] is not None and any(key[r] is not None for r in reached)}
        if more <= reached:
            return list(keys) if len(reached) == ports else [*keys, (nothing,) * ports]
        reached |= more
