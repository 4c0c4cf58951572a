"""ORDER BY over a bound relation."""

from __future__ import annotations

from collections.abc import Sequence

from streamsql.bind.monotone import is_time_key, time_form
from streamsql.bind.records import check_comparable
from streamsql.bind.scope import BareRowtime
from streamsql.bind.source import ROWTIME_ITSELF, Source
from streamsql.errors import ProgrammingError, Span
from streamsql.expressions.nodes import Column, Expression
from streamsql.plan import nodes
from streamsql.plan.sort_keys import SortKey
from streamsql.plan.windows import Window
from streamsql.types import TIMESTAMP, Field, Schema


def sort(source: Source, keys: Sequence[SortKey], span: Span | None) -> Source:
    """ORDER BY: of a stream the leading key must follow ROWTIME."""
    for key in keys:
        check_comparable(key.expression, "ORDER BY", span)
    if not source.is_stream:
        return Source(nodes.Sort(source.schema, source.plan, tuple(keys), None))
    leading = keys[0].expression
    if not is_time_key(leading, source.times):
        hint = "lead with FLOOR(stream.ROWTIME TO SECOND) or another key that follows ROWTIME"
        raise ProgrammingError("ORDER BY on a stream never ends: its first key does not follow ROWTIME", span, hint)
    window = Window(0, time_form(leading, source.times))
    own = Field("own ROWTIME", TIMESTAMP, hidden=True)
    schema = Schema((*source.schema.fields, own))
    # a sorted row has a new ROWTIME, so only that is known to follow the time
    return Source(nodes.Sort(schema, source.plan, tuple(keys), window), {0: ROWTIME_ITSELF})


def drop_own_rowtime(source: Source) -> Source:
    """A sorted relation without the hidden column that Sort adds to a stream."""
    if not source.is_stream:
        return source
    schema = Schema(source.schema.fields[:-1])
    columns = tuple(Column(field.type, i, field.name) for i, field in enumerate(schema.fields))
    return Source(nodes.Project(schema, source.plan, columns), source.times)


def over_sorted(expression: Expression, own: int, is_stream: bool) -> Expression:
    """In the select list of a sorted stream: `s.ROWTIME` is the row's own, bare ROWTIME that of the sorted row."""

    def place(node: Expression) -> Expression:
        if is_stream and isinstance(node, Column) and not isinstance(node, BareRowtime) and node.index == 0:
            return Column(TIMESTAMP, own, node.name)
        return node

    return expression.rewrite(place)
