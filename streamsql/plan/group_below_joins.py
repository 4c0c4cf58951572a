"""GROUP BY over inner joins with tables, of values of the external table that is read row by row: its scan adds them up first.

The scan gives groups by the columns that the joins and the keys above them read, and each joined group is as good as its rows: a
row that matches several counts as often.  The groups of the keys are put together from these.  Of text this is not done: to read
it costs so much more than to join it that the plan rather stays as it is written, and as Redshift has it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from streamsql.expressions.conditions import is_stable
from streamsql.expressions.nodes import Column, Expression
from streamsql.expressions.text import text
from streamsql.external.formats import FileKind
from streamsql.external.scan.request import Grouping
from streamsql.plan.joins import JoinKind
from streamsql.plan.nodes import Aggregate, Combine, ExternalScan, Filter, Lookup, Node, Project
from streamsql.types import Field, Schema


@dataclass(frozen=True, slots=True)
class _Joined:
    """What stands below a GROUP BY.

    `origins` are the columns of the scan that its columns are, None for those of other tables; `read` are those that conditions
    on the way read.
    """

    scan: ExternalScan
    origins: tuple[int | None, ...]
    read: frozenset[int]

    def of(self, expression: Expression) -> frozenset[int]:
        """The columns of the scan that an expression reads."""
        found = (self.origins[column] for column in expression.columns())
        return frozenset(column for column in found if column is not None)


def group_below_joins(node: Node) -> Node:
    """Aggregate over inner lookups of a scan, all of whose arguments are the scan's: it adds them up by what is read above it."""
    match node:
        case Aggregate(input=(Lookup() | Project() | Filter()) as below, keys=keys, calls=calls, window=None):
            computed = [*keys, *(argument for call in calls for argument in call.arguments)]
            if any(e.can_fail or not is_stable(e) for e in computed) or any(call.mergeable() is None for call in calls):
                return node
            joined = _joined(below)
            if joined is None or any(None in map(joined.origins.__getitem__, e.columns()) for e in computed[len(keys) :]):
                return node
            by = sorted(joined.read.union(*map(joined.of, keys)))
            return _grouped(node, joined, by) if by else node
    return node


def _joined(node: Node) -> _Joined | None:
    """What a node gives; None where it is more than inner lookups and columns picked."""
    match node:
        case ExternalScan(request=request) if request.limit is None and request.table.kind is FileKind.PARQUET:
            return _Joined(node, tuple(range(len(node.schema.fields))), frozenset())
        case Filter(input=below, predicate=predicate) if not predicate.can_fail and is_stable(predicate):
            joined = _joined(below)
            return None if joined is None else replace(joined, read=joined.read | joined.of(predicate))
        case Project(input=below, expressions=expressions) if all(isinstance(e, Column) for e in expressions):
            joined = _joined(below)
            picked = [e.index for e in expressions if isinstance(e, Column)]
            return None if joined is None else replace(joined, origins=tuple(joined.origins[i] for i in picked))
        case Lookup(input=below, kind=JoinKind.INNER, condition=condition, arriving=()) if not below.schema.is_stream:
            joined = _joined(below) if not condition.can_fail and is_stable(condition) else None
            if joined is None:
                return None
            joined = replace(joined, origins=(*joined.origins, *[None] * len(node.table.schema.fields)))
            return replace(joined, read=joined.read | joined.of(condition))
    return None


def _grouped(node: Aggregate, joined: _Joined, by: list[int]) -> Node:
    """The Aggregate over groups of the scan by some of its columns."""

    fields = joined.scan.schema.fields
    keys = tuple(Column(fields[i].type, i, fields[i].name) for i in by)
    origins = {place: origin for place, origin in enumerate(joined.origins) if origin is not None}
    calls = tuple(replace(call, arguments=tuple(_moved(e, origins) for e in call.arguments)) for call in node.calls)
    scan = ExternalScan.of(replace(joined.scan.request, grouping=Grouping(keys, calls)))
    below, places = _rebuilt(node.input, scan, {column: place for place, column in enumerate(by)})
    parts = scan.schema.fields[len(by) :]
    first = places[_PARTS]
    picked = [_moved(key, places) for key in node.keys]
    picked += [Column(field.type, first + i, field.name) for i, field in enumerate(parts)]
    schema = Schema((*(Field(text(key), key.type) for key in node.keys), *parts))
    return Combine(node.schema, Project(schema, below, tuple(picked)), node.calls)


_PARTS = -1
"""Where the parts of the calls begin, among the new places of columns."""


def _rebuilt(node: Node, scan: ExternalScan, by: dict[int, int]) -> tuple[Node, dict[int, int]]:
    """What gives a node's columns over the groups of a scan, `by` some of its columns, and where they are, with the parts."""
    match node:
        case Filter(input=inner, predicate=predicate):
            below, places = _rebuilt(inner, scan, by)
            return Filter(below.schema, below, _moved(predicate, places)), places
        case Project(input=inner, expressions=expressions):
            below, places = _rebuilt(inner, scan, by)
            picked = [e.index for e in expressions if isinstance(e, Column)]
            return _picked(below, places, picked, len(scan.schema.fields) - len(by))
        case Lookup(input=inner, table=table):
            below, places = _rebuilt(inner, scan, by)
            old, new = len(inner.schema.fields), len(below.schema.fields)
            places = {**places, **{old + i: new + i for i in range(len(table.schema.fields))}}
            schema = Schema((*below.schema.fields, *node.schema.fields[old:]))
            unread = frozenset(places[column] for column in node.unread if column in places)
            condition = _moved(node.condition, places)
            return replace(node, schema=schema, input=below, condition=condition, unread=unread), places
        case _:
            return scan, {**by, _PARTS: len(by)}


def _picked(below: Node, places: dict[int, int], picked: list[int], parts: int) -> tuple[Node, dict[int, int]]:
    """The columns of a node that were picked of the old one, as far as they are there, and the parts."""
    kept = [(old, places[column]) for old, column in enumerate(picked) if column in places]
    order = [*(place for _, place in kept), *range(places[_PARTS], places[_PARTS] + parts)]
    fields = below.schema.fields
    columns = tuple(Column(fields[place].type, place, fields[place].name) for place in order)
    found = {old: new for new, (old, _) in enumerate(kept)}
    return Project(Schema(tuple(fields[place] for place in order)), below, columns), {**found, _PARTS: len(kept)}


def _moved(expression: Expression, places: dict[int, int]) -> Expression:
    return expression.rewrite(lambda e: replace(e, index=places[e.index]) if isinstance(e, Column) else e)
