"""A part of the terminal that is drawn again and again, and the columns that what is drawn there is about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from streamsql.display.printers.look import Look
from streamsql.display.width import cut
from streamsql.errors import ProgrammingError
from streamsql.types import Field, Schema

MOST_KEYS = 1_000
"""More keys than these are not kept: those that have waited longest for a row go."""


class Canvas:
    """A part of the terminal that is drawn again and again."""

    def __init__(self, look: Look) -> None:
        self._redraws = look.height is not None
        self._width = look.width
        self._height = 0

    def draw(self, lines: Sequence[str]) -> Iterator[str]:
        """The text that puts these lines in the place of those before."""
        if self._redraws:
            above = f"\x1b[{self._height}A\r" if self._height else ""
            self._height = len(lines)
            fitting = lines if self._width is None else [cut(line, self._width) for line in lines]
            yield above + "\x1b[J" + "".join(f"{line}\n" for line in fitting)

    def finish(self, lines: Sequence[str]) -> Iterator[str]:
        """The text of the last picture."""
        if self._redraws:
            yield from self.draw(lines)
        else:
            yield "".join(f"{line}\n" for line in lines)


def is_label(field: Field) -> bool:
    return field.type.is_character


def named(schema: Schema, names: Sequence[str]) -> list[int]:
    """Where the columns stand that the user names."""
    found = []
    for name in names:
        exact = name[1:-1] if len(name) > 1 and name[0] == name[-1] == '"' else name
        index = schema.index(exact)
        index = schema.index(exact.upper()) if index is None else index
        if index is None:
            known = ", ".join(field.name for field in schema.fields)
            raise ProgrammingError(f"no column {name} in the result", hint=f"there are {known}")
        found.append(index)
    return found
