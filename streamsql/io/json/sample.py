"""How the records of a block spell their names and values: looked up in its first lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from streamsql.io.columns import Spelling
from streamsql.io.conversion import Number
from streamsql.io.decoding import Names
from streamsql.io.json.records import records

SAMPLE = 16
"""Lines looked at."""


@dataclass(frozen=True)
class Sample:
    """What was seen.  Columns are given by their index; an undeclared ROWTIME comes after them."""

    names: tuple[str, ...]
    """Of all members, in the order of their first appearance."""
    members: Mapping[int, str]
    """For each column the name of the member that feeds it."""
    spellings: Mapping[int, Spelling]
    """For each column how its values are spelled, where there were any."""

    @property
    def closed(self) -> bool:
        """Whether there are no members but those that feed the columns."""
        return len(self.names) == len(self.members)

    def then(self, later: Sample) -> Sample:
        """Both samples as one; where they differ the later one counts."""
        return Sample(
            (*self.names, *(name for name in later.names if name not in self.names)),
            {**self.members, **later.members},
            {**self.spellings, **later.spellings},
        )


def sampled(block: bytes, names: Names) -> Sample:
    """The sample of a block's first lines that hold anything."""
    seen: dict[str, None] = {}
    members: dict[int, str] = {}
    spellings: dict[int, Spelling] = {}
    for name, value in _first_members(block):
        seen[name] = None
        match = names.column(name)
        if match is None or (members.get(match[0], name) != name and not match[1]):
            continue
        index = match[0]
        members[index] = name
        spelling = _spelling(value)
        if spelling is not None:
            spellings[index] = _merged(spellings.get(index), spelling)
    return Sample(tuple(seen), members, spellings)


def _first_members(block: bytes) -> Iterator[tuple[str, Any]]:
    for line in islice(re.finditer(rb"[^\n]*\S[^\n]*", block), SAMPLE):
        for record in records(line[0].decode(errors="replace")):
            yield from record.members or ()


def _spelling(value: Any) -> Spelling | None:
    """How a value is spelled; None for null, which fits everything."""
    if isinstance(value, Number):
        return Spelling.WHOLE if value.removeprefix("-").isdigit() else Spelling.NUMBER
    if isinstance(value, str):
        return Spelling.TEXT
    if isinstance(value, bool):
        return Spelling.TRUTH
    return None if value is None else Spelling.NESTED


def _merged(one: Spelling | None, other: Spelling) -> Spelling:
    """A spelling for both; where there is none the first one stands."""
    return Spelling.NUMBER if {one, other} == {Spelling.WHOLE, Spelling.NUMBER} else one or other
