"""The patterns of FAST_REGEX_LOG_PARSE: their syntax is that of dk.brics.automaton, their meaning a series of searches.

The pattern is cut into parts, one a group and one for what stands between groups.  What is of fixed length at the beginning of a
part is what the part before it looks for: it goes to the end of that one, and a part that is of fixed length altogether ends
there.  So '(.*)_(._.*)_.*' becomes three searches, '.*_._', '.*_' and '.*'.  Each takes the least that fits, from where the one
before it has stopped; one that can do with nothing takes the most; the last must come to the end of the text.  There is no way
back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from streamsql.functions.log import automaton
from streamsql.functions.log.automaton import (
    ANY_CHARACTER,
    EMPTY,
    NOTHING,
    Automaton,
    Node,
    between,
    both,
    chain,
    characters,
    either,
    literal,
    numbers,
    repeated,
    split,
    weight,
)

MAX_WEIGHT = 10_000
"""How large a pattern may be with all its repetitions written out."""

MAX_DEPTH = 50
"""How deep the brackets of a pattern may stand."""

MAX_TIMES = 5
"""How many repetitions may follow each other: `a+?`."""

_NAMED = {
    "Digit": "0-9",
    "Upper": "A-Z",
    "Lower": "a-z",
    "ASCII": "\x00-\x7f",
    "Alpha": "a-zA-Z",
    "Alnum": "a-zA-Z0-9",
    "Punct": "!-/:-@[-`{-~",
    "Blank": " \t",
    "Space": " \t\n\f\r\x0b",
    "Cntrl": "\x00-\x1f\x7f",
    "XDigit": "0-9a-fA-F",
    "Print": "!-~",
    "Graph": "!-~",
}
"""The named sets.  <Print> has no blank: the reference makes it of <Alnum> and <Punct>."""

_COUNTED = re.compile(r"\{(\d+)(?:(,)(\d*))?\}", re.ASCII)
_INTERVAL = re.compile(r"<(\d+)-(\d+)>", re.ASCII)
_NAME = re.compile(r"<(\w+)>")


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of a pattern; `group`: it stands in brackets."""

    node: Node
    group: bool


class FastRegex:
    """A compiled pattern."""

    def __init__(self, pattern: str) -> None:
        parts = _parts(_Reader(pattern).pattern())
        self.groups = sum(part.group for part in parts)
        searches = [parts[0].node]
        cuts: list[tuple[int, int]] = []  # where a part begins: so many characters before the end of a search
        for part in parts[1:]:
            fixed, length, rest = split(part.node)
            current = len(searches) - 1
            cuts = [(search, before + length * (search == current)) for search, before in cuts]
            cuts.append((current, length))
            searches[-1] = chain([searches[-1], fixed])
            if rest != EMPTY:
                searches.append(rest)
        self._is_group = [part.group for part in parts]
        self._cuts = cuts
        self._searches = [Automaton(search) for search in searches]

    def match(self, text: str) -> list[str] | None:
        """What the groups hold; None where the text does not fit."""
        position, ends = 0, list[int]()
        for search in self._searches[:-1]:
            end = search.longest(text, position) if search.takes_nothing else search.shortest(text, position)
            if end is None:
                return None
            ends.append(end)
            position = end
        if not self._searches[-1].whole(text, position):
            return None
        ends.append(len(text))
        bounds = [0, *(ends[search] - before for search, before in self._cuts), len(text)]
        return [text[bounds[i] : bounds[i + 1]] for i, is_group in enumerate(self._is_group) if is_group]


@lru_cache(maxsize=256)
def compile_fast(pattern: str) -> FastRegex:
    """A pattern, compiled once.  Raises ValueError for one that is malformed, too large, or has no group."""
    return FastRegex(pattern)


def _parts(items: list[Item]) -> list[Item]:
    """The groups, and what stands between two of them in one piece."""
    if not any(item.group for item in items):
        raise ValueError("there is no group in it: what is in brackets becomes a field")
    parts: list[Item] = []
    for item in items:
        if parts and not item.group and not parts[-1].group:
            parts[-1] = Item(chain([parts[-1].node, item.node]), False)
        else:
            parts.append(item)
    return parts


class _Reader:
    """Reads a pattern once from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def pattern(self) -> list[Item]:
        """All of it, as the pieces of its outermost sequence."""
        items = self._items()
        if self._peek() in ("|", "&"):
            raise ValueError(f"a group takes all alternatives at {self._at}: put brackets around the whole")
        if self._at < len(self._text):
            raise ValueError(f"{self._peek()!r} at {self._at} has no beginning")
        if weight(chain(item.node for item in items)) > MAX_WEIGHT:
            raise ValueError("its repetitions are too many")
        return items

    def _alternatives(self) -> Node:
        options = [self._sides()]
        while self._take("|"):
            options.append(self._sides())
        return either(options)

    def _sides(self) -> Node:
        sides = [self._sequence()]
        while self._take("&"):
            sides.append(self._sequence())
        return both(sides)

    def _sequence(self) -> Node:
        return chain(item.node for item in self._items())

    def _items(self) -> list[Item]:
        items: list[Item] = []
        while self._peek() not in ("", "|", "&", ")"):
            items.append(self._repetition())
        return items

    def _repetition(self) -> Item:
        is_group = self._peek() == "(" and self._text[self._at + 1 : self._at + 2] != ")"
        node, count = self._simple(), 0
        while self._peek() and self._peek() in "?*+{":
            node, count = repeated(node, *self._times()), count + 1
            if count > MAX_TIMES:
                raise ValueError(f"more than {MAX_TIMES} repetitions of one part follow each other")
        return Item(node, is_group)

    def _times(self) -> tuple[int, int | None]:
        if self._take("?"):
            return 0, 1
        if self._take("*"):
            return 0, None
        if self._take("+"):
            return 1, None
        found = _COUNTED.match(self._text, self._at)
        if found is None:
            raise ValueError(f"'{{' at {self._at} does not begin {{n}}, {{n,}} or {{n,m}}")
        self._at = found.end()
        least = int(found[1])
        most = least if found[2] is None else int(found[3]) if found[3] else None
        if max(least, most or 0) > MAX_WEIGHT or (most is not None and most < least):
            raise ValueError(f"{found[0]} cannot be")
        return least, most

    def _simple(self) -> Node:
        match self._peek():
            case "[":
                return self._set()
            case "(":
                return self._bracketed()
            case "<":
                return self._named()
            case '"':
                end = self._text.find('"', self._at + 1)
                if end < 0:
                    raise ValueError(f"the '\"' at {self._at} has no end")
                text, self._at = self._text[self._at + 1 : end], end + 1
                return literal(text)
            case "." | "#" | "@" as symbol:
                self._at += 1
                return {".": ANY_CHARACTER, "#": NOTHING, "@": repeated(ANY_CHARACTER, 0, None)}[symbol]
            case "?" | "*" | "+" | "{" as symbol:
                raise ValueError(f"{symbol!r} at {self._at} has nothing to repeat")
            case _:
                return literal(self._character())

    def _bracketed(self) -> Node:
        start = self._at
        self._at += 1
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ValueError(f"its brackets stand more than {MAX_DEPTH} deep")
        node = EMPTY if self._peek() == ")" else self._alternatives()
        if not self._take(")"):
            raise ValueError(f"'(' at {start} has no end")
        self._depth -= 1
        return node

    def _set(self) -> Node:
        start = self._at
        self._at += 1
        negated = self._take("^")
        ranges: list[tuple[int, int]] = []
        while not self._take("]"):
            first = self._character_of(start)
            if self._take("-"):
                if self._peek() == "]":
                    ranges += [(ord(first), ord(first)), (ord("-"), ord("-"))]
                    continue
                last = self._character_of(start)
                if last < first:
                    raise ValueError(f"{first}-{last} is no range")
                ranges.append((ord(first), ord(last)))
            else:
                ranges.append((ord(first), ord(first)))
        return characters(ranges, negated)

    def _character_of(self, start: int) -> str:
        if not self._peek():
            raise ValueError(f"'[' at {start} has no end")
        return self._character()

    def _named(self) -> Node:
        interval = _INTERVAL.match(self._text, self._at)
        if interval is not None:
            self._at = interval.end()
            low, high = sorted((interval[1], interval[2]), key=int)
            return between(low, high) if len(low) == len(high) else numbers(int(low), int(high))
        name = _NAME.match(self._text, self._at)
        if name is None or name[1] not in _NAMED:
            raise ValueError(f"'<' at {self._at} begins no name and no interval; names are {', '.join(_NAMED)}")
        self._at = name.end()
        return _named_set(_NAMED[name[1]])

    def _character(self) -> str:
        """One character, for which a backslash is no part of it."""
        self._take("\\")
        if self._at >= len(self._text):
            raise ValueError("it ends in a backslash")
        self._at += 1
        return self._text[self._at - 1]

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self, symbol: str) -> bool:
        taken = self._peek() == symbol
        self._at += taken
        return taken


def _named_set(text: str) -> automaton.Node:
    """The characters of `a-zA-Z`."""
    found = re.findall(r"(?s)(.)-(.)|(.)", text)
    return characters([(ord(a or c), ord(b or c)) for a, b, c in found])
