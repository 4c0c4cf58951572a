"""UNION, EXCEPT and INTERSECT."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from streamsql.bind.functions import convert
from streamsql.bind.source import ROWTIME_COLUMN, Source
from streamsql.coercion import common_type
from streamsql.errors import ProgrammingError
from streamsql.expressions.nodes import Column, Expression
from streamsql.plan import nodes
from streamsql.types import NULL, Field, Schema, varchar


def set_operation(tree: exp.SetOperation, query: Callable[[exp.Expression], Source]) -> Source:
    """The sides of a set operation as one relation; `query` binds a side.  Of streams there is only UNION ALL."""
    word, span, distinct = tree.key.upper(), tree.meta.get("span"), bool(tree.args.get("distinct"))
    is_union = isinstance(tree, exp.Union)
    name = word if distinct else f"{word} ALL"
    sides = [query(side) for side in (_united(tree) if is_union else [tree.this, tree.expression])]
    if len({side.is_stream for side in sides}) > 1:
        raise ProgrammingError(f"{name} of a stream and a table", span, "both sides must be streams, or both tables")
    if sides[0].is_stream and name != "UNION ALL":
        hint = "UNION ALL" if is_union else "[NOT] IN (SELECT ...) over a table"
        raise ProgrammingError(f"{name} is for tables: of streams there is only UNION ALL", span, hint)
    schema, plans = _alike(sides, tree, name)
    if not is_union:
        return Source(nodes.SetOperation(schema, plans[0], plans[1], isinstance(tree, exp.Intersect), not distinct))
    union = nodes.Union(schema, plans)
    return Source(nodes.Distinct(schema, union, tuple(range(len(schema.fields))), None)) if distinct else Source.of(union)


def has_clauses(tree: exp.Expression) -> bool:
    """Whether something binds to the whole of a query in brackets, or of a set operation."""
    return any(tree.args.get(clause) for clause in ("order", "limit", "offset", "with_"))


def _united(tree: exp.Expression) -> list[exp.Expression]:
    """The sides of a chain of UNIONs, left to right, as one list: one merge, not a tower of them."""
    left = tree.this
    is_union = isinstance(left, exp.Union) and not has_clauses(left)
    absorbs = tree.args.get("distinct") or not left.args.get("distinct")
    return [*(_united(left) if is_union and absorbs else [left]), tree.expression]


def _alike(sides: Sequence[Source], tree: exp.SetOperation, name: str) -> tuple[Schema, tuple[nodes.Node, ...]]:
    """The sides with the same columns: named as those of the first, of the types that all of them have in common."""
    span = tree.meta.get("span")
    widths = {len(side.schema.visible) for side in sides}
    if len(widths) > 1:
        raise ProgrammingError(f"the sides of {name} have {' and '.join(map(str, sorted(widths)))} columns", span)
    fields: list[Field] = []
    for i in range(widths.pop()):
        columns = [side.schema.visible[i] for side in sides]
        common = common_type([column.type for column in columns])
        if common is None:
            kinds = " and ".join(dict.fromkeys(str(column.type) for column in columns))
            raise ProgrammingError(f"column {i + 1} of {name} has no common type: {kinds}", span)
        fields.append(Field(columns[0].name, varchar(1) if common == NULL else common))
    schema = Schema.stream(fields) if sides[0].is_stream else Schema(tuple(fields))
    return schema, tuple(_as(side, schema) for side in sides)


def _as(source: Source, schema: Schema) -> nodes.Node:
    """A side with the columns of the whole."""
    places = source.schema.visible_indices
    first: tuple[Expression, ...] = (ROWTIME_COLUMN,) if source.is_stream else ()
    columns = [Column(source.schema.fields[p].type, p, source.schema.fields[p].name) for p in places]
    converted = tuple(convert(column, target.type) for column, target in zip(columns, schema.visible, strict=True))
    return nodes.Project(schema, source.plan, (*first, *converted))
