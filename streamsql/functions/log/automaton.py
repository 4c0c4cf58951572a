"""Regular expressions in the strict sense, and deterministic automata that are made of them while they run.

A state is the expression that the rest of the text must match; reading a character takes its derivative (Brzozowski).  Sums and
intersections of expressions are sets, so there are finitely many states, and each character costs one look into a table once
the way is known.  Nothing is ever read twice.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LAST_CHARACTER = 0x10FFFF

MAX_STATES = 4096
"""So many states are kept; then they are found anew."""

Ranges = tuple[tuple[int, int], ...]
"""Code points from first to last, both included, in order and without touching each other."""


@dataclass(frozen=True, slots=True)
class Characters:
    """One character of a set."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Chain:
    """One part behind the other; none: the empty text."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """One of several; none: nothing at all fits."""

    options: frozenset[Node]


@dataclass(frozen=True, slots=True)
class Both:
    """All of several at once."""

    sides: frozenset[Node]


@dataclass(frozen=True, slots=True)
class Repeated:
    """A part from `least` to `most` times; None: any number."""

    part: Node
    least: int
    most: int | None


Node = Characters | Chain | Either | Both | Repeated

NOTHING: Node = Either(frozenset())
EMPTY: Node = Chain(())
ANY_CHARACTER: Node = Characters(((0, LAST_CHARACTER),))


def characters(ranges: Iterable[tuple[int, int]], negated: bool = False) -> Node:
    """One character of some ranges, or of all others."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    if negated:
        edges = [-1, *(edge for pair in merged for edge in pair), LAST_CHARACTER + 1]
        merged = [(a + 1, b - 1) for a, b in zip(edges[::2], edges[1::2], strict=True) if a + 1 <= b - 1]
    return Characters(tuple(merged)) if merged else NOTHING


def literal(text: str) -> Node:
    """Exactly this text."""
    return chain([Characters(((ord(c), ord(c)),)) for c in text])


def chain(parts: Iterable[Node]) -> Node:
    flat: list[Node] = []
    for part in parts:
        if part == NOTHING:
            return NOTHING
        flat += part.parts if isinstance(part, Chain) else [part]
    return flat[0] if len(flat) == 1 else Chain(tuple(flat))


def either(options: Iterable[Node]) -> Node:
    flat: set[Node] = set()
    for option in options:
        flat |= option.options if isinstance(option, Either) else {option}
    sets = [option for option in flat if isinstance(option, Characters)]
    if len(sets) > 1:
        flat = {option for option in flat if not isinstance(option, Characters)}
        flat.add(characters(each for option in sets for each in option.ranges))
    return next(iter(flat)) if len(flat) == 1 else Either(frozenset(flat))


def both(sides: Iterable[Node]) -> Node:
    flat: set[Node] = set()
    for side in sides:
        flat |= side.sides if isinstance(side, Both) else {side}
    if NOTHING in flat:
        return NOTHING
    return next(iter(flat)) if len(flat) == 1 else Both(frozenset(flat))


def repeated(part: Node, least: int, most: int | None) -> Node:
    if most == 0 or part == EMPTY or (part == NOTHING and least == 0):
        return EMPTY
    if part == NOTHING or (least == most == 1):
        return part
    if isinstance(part, Repeated) and (part.least, part.most) == (0, None):
        return part
    return Repeated(part, least, most)


def takes_nothing(node: Node) -> bool:
    """Whether the empty text fits."""
    match node:
        case Characters():
            return False
        case Chain(parts=parts):
            return all(map(takes_nothing, parts))
        case Either(options=options):
            return any(map(takes_nothing, options))
        case Both(sides=sides):
            return all(map(takes_nothing, sides))
        case Repeated(part=part, least=least):
            return least == 0 or takes_nothing(part)


def length(node: Node) -> int | None:
    """How many characters every text that fits has; None where they differ."""
    match node:
        case Characters():
            return 1
        case Chain(parts=parts):
            lengths = [length(part) for part in parts]
            known = [each for each in lengths if each is not None]
            return sum(known) if len(known) == len(lengths) else None
        case Either(options=options):
            different = {length(option) for option in options}
            return different.pop() if len(different) == 1 else None
        case Both(sides=sides):
            return next((each for each in map(length, sides) if each is not None), None)
        case Repeated(part=part, least=least, most=most):
            each = length(part)
            return each * least if each is not None and least == most else None


def weight(node: Node) -> int:
    """How much there is to keep apart while a text is read, at most."""
    match node:
        case Characters():
            return 1
        case Chain(parts=parts):
            return 1 + sum(map(weight, parts))
        case Either(options=nodes) | Both(sides=nodes):
            return 1 + sum(map(weight, nodes))
        case Repeated(part=part, least=least, most=most):
            return 1 + weight(part) * max(1, least, most or 0)


def derivative(node: Node, code: int) -> Node:
    """What must follow the character of this code point."""
    match node:
        case Characters(ranges=ranges):
            place = bisect_right(ranges, (code, LAST_CHARACTER)) - 1
            return EMPTY if place >= 0 and ranges[place][0] <= code <= ranges[place][1] else NOTHING
        case Chain(parts=parts):
            options: list[Node] = []
            for i, part in enumerate(parts):
                options.append(chain((derivative(part, code), *parts[i + 1 :])))
                if not takes_nothing(part):
                    break
            return either(options)
        case Either(options=nodes):
            return either(derivative(option, code) for option in nodes)
        case Both(sides=nodes):
            return both(derivative(side, code) for side in nodes)
        case Repeated(part=part, least=least, most=most):
            rest = repeated(part, max(least - 1, 0), None if most is None else most - 1)
            return chain((derivative(part, code), rest))


class Automaton:
    """Reads the beginning of a text that fits an expression."""

    def __init__(self, start: Node) -> None:
        self._start = start
        self.takes_nothing = takes_nothing(start)
        self._forget()

    def whole(self, text: str, start: int) -> bool:
        """Whether all of the text from `start` on fits."""
        state = 0
        for character in text[start:]:
            state = self._next(state, character)
            if state < 0:
                return False
        return self._accepts[state]

    def shortest(self, text: str, start: int) -> int | None:
        """The end of the shortest stretch from `start` on that fits; None where none does."""
        if self.takes_nothing:
            return start
        state = 0
        for position in range(start, len(text)):
            state = self._next(state, text[position])
            if state < 0:
                return None
            if self._accepts[state]:
                return position + 1
        return None

    def longest(self, text: str, start: int) -> int | None:
        """The end of the longest stretch from `start` on that fits."""
        state, end = 0, start if self.takes_nothing else None
        for position in range(start, len(text)):
            state = self._next(state, text[position])
            if state < 0:
                break
            if self._accepts[state]:
                end = position + 1
        return end

    def _next(self, state: int, character: str) -> int:
        """The state after a character; -1: nothing fits any more."""
        found = self._steps[state].get(character)
        if found is None:
            following = derivative(self._nodes[state], ord(character))
            if len(self._nodes) >= MAX_STATES:
                self._forget()
                return self._state(following)
            found = self._state(following)
            self._steps[state][character] = found
        return found

    def _forget(self) -> None:
        self._nodes = [self._start]
        self._numbers = {NOTHING: -1, self._start: 0}
        self._steps: list[dict[str, int]] = [{}]
        self._accepts = [self.takes_nothing]

    def _state(self, node: Node) -> int:
        number = self._numbers.setdefault(node, len(self._nodes))
        if number == len(self._nodes):
            self._nodes.append(node)
            self._steps.append({})
            self._accepts.append(takes_nothing(node))
        return number


def between(low: str, high: str) -> Node:
    """The numbers from `low` to `high`, written with as many digits as both have."""
    if not low:
        return EMPTY
    first, last, rest = int(low[0]), int(high[0]), len(low) - 1
    if first == last:
        return chain([literal(low[0]), between(low[1:], high[1:])])
    options = [
        chain([literal(low[0]), between(low[1:], "9" * rest)]),
        chain([literal(high[0]), between("0" * rest, high[1:])]),
    ]
    if last - first > 1:
        options.append(chain([characters([(ord("0") + first + 1, ord("0") + last - 1)]), *[_DIGIT] * rest]))
    return either(options)


_DIGIT = characters([(ord("0"), ord("9"))])


def numbers(low: int, high: int) -> Node:
    """The numbers from `low` to `high`, with any number of zeros in front."""
    options: list[Node] = [repeated(literal("0"), 1, None)] if low == 0 else []
    for digits in range(len(str(max(low, 1))), len(str(high)) + 1):
        first, last = max(low, 10 ** (digits - 1)), min(high, 10**digits - 1)
        if first <= last:
            options.append(chain([repeated(literal("0"), 0, None), between(str(first), str(last))]))
    return either(options)


def split(node: Node) -> tuple[Node, int, Node]:
    """The beginning of an expression that is always of the same length, that length, and the rest."""
    known = length(node)
    if known is not None:
        return node, known, EMPTY
    match node:
        case Chain(parts=parts):
            return _split_chain(parts)
        case Repeated(part=part, least=least, most=most) if least and (each := length(part)) is not None:
            rest = repeated(part, 0, None if most is None else most - least)
            return repeated(part, least, least), each * least, rest
        case _:
            return EMPTY, 0, node


def _split_chain(parts: Sequence[Node]) -> tuple[Node, int, Node]:
    begun: list[Node] = []
    total = 0
    for i, part in enumerate(parts):
        fixed, count, rest = split(part)
        begun.append(fixed)
        total += count
        if rest != EMPTY:
            return chain(begun), total, chain([rest, *parts[i + 1 :]])
    return chain(begun), total, EMPTY
