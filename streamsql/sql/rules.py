"""From a parse tree to what it means: one function a grammar rule, found by its name.

A function is given what was built of the rule's children and returns what the rule stands for.  `build` calls them from
the leaves upwards, without recursion, and does for all of them what each would have to do: an expression gets
`meta["span"]`, a statement its span and text, an error that a function raises the place of its rule.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from lark import Token, Tree
from lark.tree import Meta
from sqlglot import exp

from streamsql.errors import ProgrammingError, Span
from streamsql.statements.statement import NO_SPAN, Statement

MAX_DEPTH = 200
"""How deep a statement may nest: what comes after the parser walks its trees recursively."""

_RULES: dict[str, Callable[..., Any]] = {}

Rule = TypeVar("Rule", bound=Callable[..., Any])
Node = TypeVar("Node", bound=exp.Expression)


def rule(function: Rule) -> Rule:
    """The function that builds the rule of its name (a final `_` aside, for names that Python keeps)."""
    _RULES[function.__name__.rstrip("_")] = function
    return function


def at(node: Node, span: Span) -> Node:
    """Note where an expression stands in the text."""
    node.meta["span"] = span
    return node


def span_of(node: exp.Expression) -> Span:
    """Where an expression stands in the text."""
    span: Span = node.meta["span"]
    return span


def build(tree: Tree[Token], source: str) -> Any:
    """What a parse tree of `source` stands for.

    Raises ProgrammingError for what the grammar lets pass and the dialect does not, and for trees deeper than MAX_DEPTH.
    """
    built: list[Any] = []
    depths: list[int] = []
    pending: list[tuple[Tree[Token] | Token, bool]] = [(tree, False)]
    while pending:
        node, children_are_built = pending.pop()
        if isinstance(node, Token):
            built.append(node)
            depths.append(0)
        elif not children_are_built:
            pending.append((node, True))
            pending.extend((child, False) for child in reversed(node.children))
        else:
            count = len(node.children)
            first = len(built) - count
            depth = 1 + max(depths[first:], default=0)
            if depth > MAX_DEPTH:
                raise too_deep(_span(node.meta))
            built[first:] = [_apply(node, built[first:], source)]
            depths[first:] = [depth]
    return built[0]


def too_deep(span: Span) -> ProgrammingError:
    """The error for a statement that nests deeper than can be carried out."""
    return ProgrammingError(
        f"nested more than {MAX_DEPTH} levels deep", span, "split the statement, or take a part of it into a subquery"
    )


def _apply(node: Tree[Token], children: list[Any], source: str) -> Any:
    span = _span(node.meta)
    try:
        result = _RULES[node.data](*children)
    except ProgrammingError as error:
        error.span = error.span or span
        raise
    if isinstance(result, exp.Expression):
        result.meta.setdefault("span", span)
    elif isinstance(result, Statement):
        return replace(result, span=span, text=source[node.meta.start_pos : node.meta.end_pos])
    return result


def _span(meta: Meta) -> Span:
    return NO_SPAN if meta.empty else Span(meta.line, meta.column, meta.end_line, meta.end_column)
