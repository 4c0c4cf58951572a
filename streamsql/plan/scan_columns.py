"""Scans of external tables read the columns that the plan uses, and of records the fields.

From the top down each node says what it needs of its input; a node whose rows then have other columns says where they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from streamsql.expressions.nodes import Column, Expression, Member
from streamsql.external.scan.request import ROWS, Request, ScanColumn
from streamsql.plan.nodes import Aggregate, ExternalScan, Filter, Limit, Node, Project, Sort, TableOver, Unnest
from streamsql.plan.windows import TableWindow
from streamsql.types import Field, Schema

Part = tuple[int, ...]
"""A column by its place, or a field within it by the places on the way."""

Moved = Callable[[Expression], Expression]
"""An expression over the rows that there were, over those that there are."""


def narrow_scans(plan: Node) -> Node:
    """The plan whose scans read no more than it uses."""
    return _narrowed(plan, None)[0]


def _narrowed(node: Node, needed: frozenset[Part] | None) -> tuple[Node, Moved | None]:
    """A node of which some parts are needed (None: all), and how expressions over it are to be changed, if they are."""
    match node:
        case ExternalScan(request=request) if needed is not None:
            return _narrowed_scan(node, request, needed | _parts([request.condition]))
        case Project(expressions=expressions):
            return _over(node, _parts(expressions)), None
        case Aggregate(keys=keys, calls=calls):
            arguments = (argument for call in calls for argument in call.arguments)
            return _over(node, _parts([*keys, *arguments])), None
        case Filter(predicate=predicate) if needed is not None:
            return _through(node, needed | _parts([predicate]))
        case Sort(keys=keys, window=None) if needed is not None:
            return _through(node, needed | _parts(key.expression for key in keys))
        case Limit() if needed is not None:
            return _through(node, needed)
        case TableOver() | Unnest() if needed is not None:
            return _behind(node, needed)
        case _:
            return node.map_inputs(lambda below: _narrowed(below, None)[0]), None


def _over(node: Project | Aggregate, needed: frozenset[Part]) -> Node:
    """A node that makes new columns, over what it needs of its input."""
    below, moved = _narrowed(node.input, needed)
    if below is node.input or moved is None:
        return node if below is node.input else replace(node, input=below)
    if isinstance(node, Project):
        return replace(node, input=below, expressions=tuple(map(moved, node.expressions)))
    calls = tuple(replace(call, arguments=tuple(map(moved, call.arguments))) for call in node.calls)
    return replace(node, input=below, keys=tuple(map(moved, node.keys)), calls=calls)


def _through(node: Filter | Sort | Limit, needed: frozenset[Part]) -> tuple[Node, Moved | None]:
    """A node that gives rows of its input as they are, of fewer columns."""
    below, moved = _narrowed(node.input, needed)
    if moved is None:
        return (node if below is node.input else replace(node, input=below)), None
    if isinstance(node, Filter):
        return Filter(below.schema, below, moved(node.predicate)), moved
    if isinstance(node, Sort):
        keys = tuple(replace(key, expression=moved(key.expression)) for key in node.keys)
        return replace(node, schema=below.schema, input=below, keys=keys), moved
    return replace(node, schema=below.schema, input=below), moved


def _behind(node: TableOver | Unnest, needed: frozenset[Part]) -> tuple[Node, Moved | None]:
    """A node that puts columns behind those of its input, of which there are fewer."""
    width = len(node.input.schema.fields)
    below, moved = _narrowed(node.input, frozenset(part for part in needed if part[0] < width) | _parts(_read(node)))
    if moved is None:
        return (node if below is node.input else replace(node, input=below)), None
    of_input, shift = moved, len(below.schema.fields) - width
    schema = Schema((*below.schema.fields, *node.schema.fields[width:]))

    def over_both(expression: Expression) -> Expression:
        if isinstance(expression, Column) and expression.index >= width:
            return replace(expression, index=expression.index + shift)
        part = _part(expression)
        if part is not None and part[0] < width:
            return of_input(expression)
        return expression.with_children(tuple(map(over_both, expression.children))) if expression.children else expression

    if isinstance(node, Unnest):
        return replace(node, schema=schema, input=below, lists=tuple(map(of_input, node.lists))), over_both
    windows = tuple(_over_input(window, of_input) for window in node.windows)
    return replace(node, schema=schema, input=below, windows=windows), over_both


def _read(node: TableOver | Unnest) -> list[Expression]:
    """What a node reads of its input."""
    if isinstance(node, Unnest):
        return list(node.lists)
    found: list[Expression] = []
    for window in node.windows:
        found += [*window.partition, *(key.expression for key in window.order)]
        found += [argument for call in window.calls for argument in call.arguments]
    return found


def _over_input(window: TableWindow, moved: Moved) -> TableWindow:
    order = tuple(replace(key, expression=moved(key.expression)) for key in window.order)
    calls = tuple(replace(call, arguments=tuple(map(moved, call.arguments))) for call in window.calls)
    return replace(window, partition=tuple(map(moved, window.partition)), order=order, calls=calls)


def _narrowed_scan(node: ExternalScan, request: Request, needed: frozenset[Part]) -> tuple[Node, Moved | None]:
    kept = sorted(part for part in needed if not any(part[:n] in needed for n in range(1, len(part))))
    columns = tuple(_column(request, part) for part in kept) or (ROWS,)
    if columns == request.columns:
        return node, None
    places = {part: place for place, part in enumerate(kept)}

    def moved(expression: Expression) -> Expression:
        part = _part(expression)
        if part in places:
            return Column(expression.type, places[part], columns[places[part]].field.name)
        return expression.with_children(tuple(map(moved, expression.children))) if expression.children else expression

    return ExternalScan.of(replace(request, columns=columns, condition=moved(request.condition))), moved


def _column(request: Request, part: Part) -> ScanColumn:
    """The column of a scan that a part of its columns is."""
    column = request.columns[part[0]]
    path, type_ = column.path, column.field.type
    for place in part[1:]:
        path, type_ = (*path, type_.fields[place].name), type_.fields[place].type
    return column if len(part) == 1 else ScanColumn(Field(".".join(path), type_, hidden=column.field.hidden), path)


def _parts(expressions: Iterable[Expression]) -> frozenset[Part]:
    """The parts that expressions read."""
    found: set[Part] = set()
    todo = list(expressions)
    while todo:
        expression = todo.pop()
        part = _part(expression)
        if part is not None:
            found.add(part)
        else:
            todo += expression.children
    return frozenset(found)


def _part(expression: Expression) -> Part | None:
    """The column, or field within one, that an expression is."""
    match expression:
        case Column(index=index):
            return (index,)
        case Member(operand=operand, index=index):
            outer = _part(operand)
            return None if outer is None else (*outer, index)
        case _:
            return None
