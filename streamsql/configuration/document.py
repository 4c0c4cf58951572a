"""The text of a configuration, JSON or YAML, as nodes that know where they stand in it."""

from __future__ import annotations

import bisect
import difflib
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any, TypeAlias

from streamsql.errors import Error, ProgrammingError, Span

if TYPE_CHECKING:
    import yaml

Value: TypeAlias = "dict[str, Node] | list[Node] | str | bool | None"
"""An object, a list, text, true or false, null.  A number is the text that it is written as."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a document and the place where it is written."""

    value: Value
    span: Span


_WORD = re.compile(r"[^\s,\]}]+")
"""A number, true, false or null in JSON."""


def read_document(text: str) -> Node:
    """The root of a document: JSON where the text begins with `{`, else YAML.  Raises ProgrammingError with its place."""
    return _Json(text).document() if text.lstrip("\ufeff \t\r\n").startswith("{") else _yaml_document(text)


def closest(name: str, known: Collection[str]) -> str | None:
    """A hint at the name that may have been meant."""
    found = difflib.get_close_matches(name.lower(), {other.lower(): other for other in known}, 1, 0.7)
    return f"did you mean {next(other for other in known if other.lower() == found[0])}?" if found else None


class _Json:
    """Reads JSON that is known to be well formed, since Python's parser, which knows no places, has read it before."""

    def __init__(self, text: str) -> None:
        self._text = text.removeprefix("\ufeff")
        self._lines = [0, *(match.end() for match in re.finditer("\n", self._text))]

    def document(self) -> Node:
        try:
            json.loads(self._text)
        except json.JSONDecodeError as error:
            raise ProgrammingError(f"malformed JSON: {error.msg}", Span.point(error.lineno, error.colno)) from None
        except RecursionError:
            raise ProgrammingError("malformed JSON: nested too deeply") from None
        return self._node(self._behind_blanks(0))[0]

    def _node(self, at: int) -> tuple[Node, int]:
        """The value that begins at `at`, and where it ends."""
        start = self._text[at]
        if start == "{":
            value, end = self._object(at)
        elif start == "[":
            value, end = self._list(at)
        elif start == '"':
            value, end = scanstring(self._text, at + 1, True)
        else:
            word = _WORD.match(self._text, at)
            assert word is not None
            value, end = {"true": True, "false": False, "null": None}.get(word[0], word[0]), word.end()
        return Node(value, self._span(at, end)), end

    def _object(self, at: int) -> tuple[Value, int]:
        members: dict[str, Node] = {}
        at = self._behind_blanks(at + 1)
        while self._text[at] != "}":
            name, at = scanstring(self._text, at + 1, True)
            members[name], at = self._node(self._behind_blanks(self._behind_blanks(at) + 1))
            at = self._behind_comma(at)
        return members, at + 1

    def _list(self, at: int) -> tuple[Value, int]:
        elements: list[Node] = []
        at = self._behind_blanks(at + 1)
        while self._text[at] != "]":
            element, at = self._node(at)
            elements.append(element)
            at = self._behind_comma(at)
        return elements, at + 1

    def _behind_comma(self, at: int) -> int:
        at = self._behind_blanks(at)
        return self._behind_blanks(at + 1) if self._text[at] == "," else at

    def _behind_blanks(self, at: int) -> int:
        while self._text[at] in " \t\r\n":
            at += 1
        return at

    def _span(self, start: int, end: int) -> Span:
        return Span(*self._place(start), *self._place(end))

    def _place(self, at: int) -> tuple[int, int]:
        line = bisect.bisect_right(self._lines, at)
        return line, at - self._lines[line - 1] + 1


def _yaml_document(text: str) -> Node:
    import yaml

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise _malformed(error) from None
    if root is None:
        raise ProgrammingError("the document is empty", Span.point(1, 1))
    return _Yaml().node(root)


def _malformed(error: yaml.YAMLError) -> Error:
    mark = getattr(error, "problem_mark", None)
    problem = ", ".join(filter(None, (getattr(error, "context", None), getattr(error, "problem", None)))) or str(error)
    return ProgrammingError(f"malformed YAML: {problem}", None if mark is None else Span.point(mark.line + 1, mark.column + 1))


class _Yaml:
    """Turns PyYAML's nodes into ours.  The short form `!Name x` of an intrinsic function is its long form `{Fn::Name: x}`."""

    def __init__(self) -> None:
        self._known: dict[int, Node | None] = {}
        """By the node they come from, None while it is read: an anchor's node stands in several places."""

    def node(self, source: yaml.Node) -> Node:
        if id(source) in self._known:
            known = self._known[id(source)]
            if known is None:
                raise ProgrammingError("an anchor is used within itself", _span_of(source))
            return known
        self._known[id(source)] = None
        node = Node(self._value(source), _span_of(source))
        if source.tag.startswith("!") and len(source.tag) > 1:
            node = Node({_long_name(source.tag[1:]): node}, node.span)
        self._known[id(source)] = node
        return node

    def _value(self, source: Any) -> Value:
        match source.id:
            case "mapping":
                return dict(self._members(source))
            case "sequence":
                return [self.node(element) for element in source.value]
        match source.tag:
            case "tag:yaml.org,2002:null":
                return None
            case "tag:yaml.org,2002:bool":
                return str(source.value).lower() in ("true", "yes", "on")
        return str(source.value)

    def _members(self, source: Any) -> Iterator[tuple[str, Node]]:
        for key, value in source.value:
            if key.id != "scalar":
                raise ProgrammingError("a key must be text", _span_of(key))
            yield str(key.value), self.node(value)


def _long_name(name: str) -> str:
    return name if name in ("Ref", "Condition") else f"Fn::{name}"


def _span_of(source: yaml.Node) -> Span:
    start, end = source.start_mark, source.end_mark
    return Span(start.line + 1, start.column + 1, end.line + 1, end.column + 1)
