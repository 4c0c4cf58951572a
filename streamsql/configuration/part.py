"""A part of a configuration while it is read: its value with intrinsic functions resolved, its place, its name in messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from streamsql.configuration.document import Node, closest
from streamsql.errors import Error, ProgrammingError

Resolve = Callable[[Node], Node | None]
"""The value that a node stands for; None where a template takes it away."""


@dataclass(frozen=True, slots=True)
class Part:
    """A value; what is within it is resolved when it is asked for, so that nothing is resolved that nobody needs."""

    name: str
    node: Node
    resolve: Resolve

    @staticmethod
    def of(name: str, node: Node, resolve: Resolve) -> Part | None:
        """The part that a node stands for; None for null and for what is taken away."""
        resolved = resolve(node)
        return None if resolved is None or resolved.value is None else Part(name, resolved, resolve)

    def get(self, key: str) -> Part | None:
        """A member, if there is one."""
        node = self._members().get(key)
        return None if node is None else Part.of(key, node, self.resolve)

    def need(self, key: str) -> Part:
        """A member that must be there."""
        part = self.get(key)
        if part is None:
            raise self.wrong(f"{self.name} has no {key}", closest(key, self._members()))
        return part

    def items(self) -> list[Part]:
        """The elements of a list."""
        if not isinstance(self.node.value, list):
            raise self.wrong(f"{self.name} must be a list")
        name = self.name.removesuffix("s")
        found = (Part.of(f"{name} {number}", node, self.resolve) for number, node in enumerate(self.node.value, 1))
        return [part for part in found if part is not None]

    def list(self, key: str) -> Sequence[Part]:
        """The elements of a member that is a list, none where it is not there."""
        part = self.get(key)
        return [] if part is None else part.items()

    def text(self) -> str:
        """A text or number as text."""
        if not isinstance(self.node.value, str):
            raise self.wrong(f"{self.name} must be text")
        if not self.node.value.strip():
            raise self.wrong(f"{self.name} is empty")
        return self.node.value

    def described(self, key: str) -> str:
        """A text that only people read: an ARN that cannot be resolved is shown as it is written."""
        try:
            return self.need(key).text()
        except Error:
            if key not in self._members():
                raise
            return _shown(self._members()[key])

    def whole_number(self, low: int, high: int) -> int:
        """A whole number within bounds."""
        text = self.text()
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise self.wrong(f"{self.name} must be a whole number from {low} to {high}, not {text}")
        return int(text)

    def wrong(self, message: str, hint: str | None = None) -> Error:
        """The error that something is wrong here."""
        return ProgrammingError(message, self.node.span, hint)

    def _members(self) -> dict[str, Node]:
        if not isinstance(self.node.value, dict):
            raise self.wrong(f"{self.name} must be an object with members")
        return self.node.value


def _shown(node: Node) -> str:
    """A value in short: an intrinsic function by its short name."""
    match node.value:
        case str(text):
            return text
        case dict(members) if len(members) == 1:
            ((name, argument),) = members.items()
            return f"!{name.removeprefix('Fn::')} {_shown(argument)}"
        case list(elements):
            return ".".join(map(_shown, elements))
        case _:
            return "..."
