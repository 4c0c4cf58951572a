"""Column pruning of joins: those that nobody reads do not wait in windows; those that only the condition reads do not come out.
A table that rows are only marked by has the columns that the conditions read.

Not where a row may fail between the join and the next operator: `error_stream` then shows all of it.  But of external tables
only what is needed is read in any case, so a row that fails has the columns that are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from streamsql.expressions.nodes import Column, Expression
from streamsql.plan.conditions import renumbered
from streamsql.plan.nodes import Aggregate, ExternalScan, Filter, Insert, Join, Lookup, Mark, Node, Project, Stagger
from streamsql.types import ROWTIME_FIELD, Schema

Reader = Insert | Project | Filter | Aggregate | Stagger


def drop_unused_columns(plan: Node) -> Node:
    """The plan with every join narrowed to the columns that are read."""
    above: list[Reader] = []  # one operator, or a grouping and the operator below it
    below = plan
    while isinstance(below, (Insert, Project, Filter)) or (isinstance(below, (Aggregate, Stagger)) and not above):
        above.append(below)
        below = below.input
    places: Mapping[int, int] | None = None
    if isinstance(below, Mark):
        below = _of_marking_table(below)
    if isinstance(below, (Join, Lookup, Mark)):
        used = _used(above, below)
        if used is not None:
            below, places = _marked(below, used) if isinstance(below, Mark) else _narrowed(below, used)
    if above and not isinstance(below, (Join, Lookup, Mark)):
        below = drop_unused_columns(below)
    else:
        below = below.map_inputs(drop_unused_columns)
    for reader in reversed(above):
        below, places = _on(reader, below, places)
    return below


def _used(above: Sequence[Reader], join: Join | Lookup | Mark) -> frozenset[int] | None:
    """The columns of the join that are read from it; None where all must stay."""
    if not _reads_external(join) and (join.can_fail or any(_can_fail(reader) for reader in above)):
        return None
    used = frozenset[int]()
    for reader in reversed(above):
        used = used.union(*(expression.columns() for expression in _expressions(reader)))
        if not isinstance(reader, Filter):
            return None if isinstance(reader, Insert) else used
    return None


def _reads_external(node: Node) -> bool:
    """Whether it is a table some of which comes from external tables."""
    return not node.schema.is_stream and (isinstance(node, ExternalScan) or any(map(_reads_external, node.inputs)))


def _expressions(reader: Reader) -> list[Expression]:
    match reader:
        case Filter(predicate=predicate):
            return [predicate]
        case Project(expressions=expressions):
            return list(expressions)
        case Aggregate(keys=keys, calls=calls) | Stagger(keys=keys, calls=calls):
            return [*keys, *(argument for call in calls for argument in call.arguments)]
        case _:
            return []


def _can_fail(reader: Reader) -> bool:
    if isinstance(reader, Insert):
        return reader.table is not None or any(not field.nullable and field != ROWTIME_FIELD for field in reader.schema.fields)
    return any(expression.can_fail for expression in _expressions(reader))


def _on(reader: Reader, below: Node, places: Mapping[int, int] | None) -> tuple[Node, Mapping[int, int] | None]:
    """A reader over another input, whose columns stand at other `places`, and where its own stand."""
    if below is reader.input:
        return reader, None
    if places is None:
        return replace(reader, input=below), None
    match reader:
        case Filter(predicate=predicate):
            return Filter(below.schema, below, renumbered(predicate, places)), places
        case Project(expressions=expressions):
            return replace(reader, input=below, expressions=tuple(renumbered(e, places) for e in expressions)), None
        case Aggregate(keys=keys, calls=calls) | Stagger(keys=keys, calls=calls):
            moved = tuple(replace(call, arguments=tuple(renumbered(a, places) for a in call.arguments)) for call in calls)
            return replace(reader, input=below, keys=tuple(renumbered(key, places) for key in keys), calls=moved), None
        case _:
            return replace(reader, input=below), None


def _narrowed(join: Join | Lookup, used: frozenset[int]) -> tuple[Join | Lookup, Mapping[int, int]]:
    """The join with the columns in `used` and those that it needs itself, and where each of them stands."""
    needed = used | join.condition.columns()
    branches = join.branches if isinstance(join, Join) else (join.input, join.table)
    untils = [window.until for window in join.windows] if isinstance(join, Join) else [None, None]
    start = 1 if isinstance(join, Join) else 0
    places = {0: 0} if start else {}
    kept: list[list[int]] = []
    for branch, until in zip(branches, untils, strict=True):
        width = len(branch.schema.fields)
        keep = [i for i in range(width) if start + i in needed or i == until or (i == 0 and branch.schema.is_stream)]
        kept.append(keep or [0])  # rows are counted even when nothing is read of them
        places |= {start + i: len(places) + n for n, i in enumerate(kept[-1])}
        start += width
    unread = frozenset(place for column, place in places.items() if column not in used and place)
    if len(places) == len(join.schema.fields):
        return join if join.unread == unread else replace(join, unread=unread), places
    schema = Schema(tuple(join.schema.fields[column] for column in places))
    inputs = [_picked(branch, keep) for branch, keep in zip(branches, kept, strict=True)]
    condition = renumbered(join.condition, places)
    if isinstance(join, Lookup):
        return Lookup(schema, inputs[0], inputs[1], join.kind, condition, unread), places
    windows = tuple(
        window if window.until is None else replace(window, until=keep.index(window.until))
        for window, keep in zip(join.windows, kept, strict=True)
    )
    return Join(schema, tuple(inputs), windows, join.kind, condition, unread), places


def _of_marking_table(mark: Mark) -> Mark:
    """The Mark with the columns of its table that the conditions read."""
    if mark.can_fail:
        return mark
    width = len(mark.input.schema.fields)
    read = frozenset(column for condition in mark.conditions for column in condition.columns())
    keep = [i for i in range(len(mark.table.schema.fields)) if width + i in read] or [0]
    if len(keep) == len(mark.table.schema.fields):
        return mark
    places = {i: i for i in range(width)} | {width + i: width + n for n, i in enumerate(keep)}
    conditions = tuple(renumbered(condition, places) for condition in mark.conditions)
    return replace(mark, table=_picked(mark.table, keep), conditions=conditions)


def _marked(mark: Mark, used: frozenset[int]) -> tuple[Node, Mapping[int, int]]:
    """The Mark with the answers and the columns in `used` and those that it needs itself, and where each of them stands."""
    width = len(mark.input.schema.fields)
    asked = [i for i in range(len(mark.conditions)) if width + i in used]
    needed = used.union(*(mark.conditions[i].columns() for i in asked))
    keep = [i for i in range(width) if i in needed or (i == 0 and mark.input.schema.is_stream)] or [0]
    places = {column: n for n, column in enumerate([*keep, *(width + i for i in asked)])}
    if len(places) == len(mark.schema.fields):
        return mark, places
    below = _picked(mark.input, keep)
    if not asked:
        return below, places
    tables = {width + i: len(keep) + i for i in range(len(mark.table.schema.fields))}
    conditions = tuple(renumbered(mark.conditions[i], {**tables, **{c: places[c] for c in keep}}) for i in asked)
    return Mark(Schema(tuple(mark.schema.fields[column] for column in places)), below, mark.table, conditions), places


def _picked(node: Node, columns: list[int]) -> Node:
    """Some columns of a relation."""
    fields = node.schema.fields
    if len(columns) == len(fields):
        return node
    picked = tuple(Column(fields[i].type, i, fields[i].name) for i in columns)
    return Project(Schema(tuple(fields[i] for i in columns)), node, picked)
