"""JSONPath as far as the service took it: members, elements by number, and all elements of an array."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

_STEP = re.compile(r"""\.(?P<plain>[^.\[\]]+)|\[(?:'(?P<single>[^']*)'|"(?P<double>[^"]*)"|(?P<number>\d+)(?P<rest>:)?)\]""")


@dataclass(frozen=True, slots=True)
class From:
    """`[n:]`: the elements of an array from one on."""

    first: int


Step: TypeAlias = str | int | From
"""A member by name, an element by number, or elements."""


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A path from a record's root.  Names are matched exactly; what is not there is NULL."""

    steps: tuple[Step, ...] = ()

    @property
    def member(self) -> str | None:
        """The member of the root that this is the path of, if it is that of one."""
        return self.steps[0] if len(self.steps) == 1 and isinstance(self.steps[0], str) else None

    @property
    def elements(self) -> tuple[Step, ...] | None:
        """The steps to the array whose elements become rows, `[n:]` among them; None where there is none.

        `[n:]` at the end means the whole array as one value.
        """
        for number, step in enumerate(self.steps[:-1]):
            if isinstance(step, From):
                return self.steps[: number + 1]
        return None

    def __str__(self) -> str:
        return "$" + "".join(map(_spelled, self.steps))


ROOT = JsonPath()


def parse_json_path(text: str) -> JsonPath:
    """A path as it is written.  Raises ValueError, which says what is wrong with it.

    >>> parse_json_path("$.orders[0:].id").steps
    ('orders', From(first=0), 'id')
    """
    text = text.strip()
    if not text.startswith("$"):
        raise ValueError(f"a JSONPath begins with $, unlike {text!r}")
    steps: list[Step] = []
    at = 1
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            raise ValueError(f"{text[at:]!r} in {text!r} is not a member .name, an element [0] or elements [0:]")
        number = match["number"]
        name = next((name for name in match.group("plain", "single", "double") if name is not None), None)
        steps.append(name if name is not None else From(int(number)) if match["rest"] else int(number))
        at = match.end()
    path = JsonPath(tuple(steps))
    elements = path.elements
    if elements is not None and JsonPath(path.steps[len(elements) :]).elements is not None:
        raise ValueError(f"{text!r} takes the elements of an array within those of another; only one level is possible")
    return path


def common_elements(paths: Sequence[JsonPath]) -> tuple[Step, ...] | None:
    """The steps to the one array whose elements become rows.  Raises ValueError where there are several."""
    found = list(dict.fromkeys(elements for path in paths if (elements := path.elements) is not None))
    if len(found) > 1:
        first, second = (JsonPath(steps) for steps in found[:2])
        raise ValueError(f"the elements of only one array can become rows, not those of {first} and of {second}")
    return found[0] if found else None


def _spelled(step: Step) -> str:
    if isinstance(step, From):
        return f"[{step.first}:]"
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if re.fullmatch(r"[^.\[\]]+", step) else f"['{step}']"
