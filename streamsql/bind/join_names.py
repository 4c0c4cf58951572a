"""The names of joined columns: which relation they belong to, what USING makes one, and how the plan calls them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from streamsql.bind.functions import call_scalar
from streamsql.bind.scope import Scope, ScopeRelation, as_column, folded
from streamsql.bind.source import Source
from streamsql.errors import ProgrammingError
from streamsql.expressions.nodes import Column, Expression
from streamsql.plan import nodes
from streamsql.types import ROWTIME, ROWTIME_FIELD, Field, Schema

Names = tuple[ScopeRelation, ...]


def scope_of(names: Names, source: Source) -> Scope:
    """What the names mean; ROWTIME alone is that of the joined row."""
    own = (ScopeRelation(None, (ROWTIME_FIELD,), 0),) if source.is_stream and len(names) > 1 else ()
    return Scope((*own, *names))


def moved(names: Names, by: int) -> Names:
    """The names of columns that stand so much further behind."""
    return tuple(name.moved(by) for name in names)


def columns_of(sides: Sequence[tuple[Names, Schema]]) -> list[Field]:
    """The columns of relations side by side; of those that have a name in common each has its relation's in front."""
    counts = Counter(field.name for _, schema in sides for field in schema.fields)
    fields: list[Field] = []
    for names, schema in sides:
        aliases = {name.offset + i: name.alias for name in names for i in range(len(name.fields))}
        for i, field in enumerate(schema.fields):
            alias = aliases.get(i)
            clashes = counts[field.name] > 1 or field.name == ROWTIME
            fields.append(replace(field, name=f"{alias}.{field.name}" if clashes and alias else field.name, nullable=True))
    return fields


@dataclass(frozen=True, slots=True)
class Common:
    """A column that USING or NATURAL makes one of two."""

    name: str
    left: Column
    right: Column
    equation: Expression


def common_columns(join: exp.Join, left: Names, right: Names) -> list[Common]:
    """The columns of USING, or of NATURAL those whose names are on both sides."""
    using = join.args.get("using") or ()
    if join.method == "NATURAL":
        others = {column.name for column in Scope(right).star()}
        using = [exp.Identifier(this=c.name, quoted=True) for c in Scope(left).star() if c.name in others]
    found: list[Common] = []
    for identifier in using:
        span = identifier.meta.get("span") or join.meta.get("span")
        node = exp.Column(this=identifier)
        node.meta["span"] = span
        sides = [as_column(Scope(side).column(node)) for side in (left, right)]
        assert isinstance(sides[0], Column) and isinstance(sides[1], Column)
        found.append(Common(folded(identifier), sides[0], sides[1], call_scalar("=", sides, span)))
    return found


def merged(common: Sequence[Common], places: Mapping[str, Column], left: Names, right: Names) -> Names:
    """The names of both sides, the common columns first and once: each at its place."""
    names = [name for c in common if (name := c.name) != ROWTIME]  # ROWTIME alone is that of the joined row
    once = tuple(ScopeRelation(None, (Field(name, places[name].type),), places[name].index) for name in names)
    return (*once, *(replace(relation, merged=relation.merged | _own(relation, names)) for relation in (*left, *right)))


def _own(relation: ScopeRelation, names: Sequence[str]) -> frozenset[str]:
    return frozenset(field.name for field in relation.fields if field.name in names)


def with_either(source: Source, common: Sequence[Common]) -> tuple[Source, dict[str, Column]]:
    """A full join with one more column for each common one: the value of the side that has a row."""
    fields = list(source.schema.fields)
    columns: list[Expression] = [Column(field.type, i, field.name) for i, field in enumerate(fields)]
    places: dict[str, Column] = {}
    for column in common:
        value = call_scalar("COALESCE", [column.left, column.right], None)
        places[column.name] = Column(value.type, len(fields), column.name)
        fields.append(Field(column.name, value.type, hidden=True))
        columns.append(value)
    plan = nodes.Project(Schema(tuple(fields)), source.plan, tuple(columns))
    return Source(plan, source.times), places


def check_distinct(relations: Sequence[Names], items: Sequence[exp.Expression]) -> None:
    """Refuse a name that stands twice in FROM; `items` are those of all relations but the first."""
    seen = {name.alias for name in relations[0]}
    for names, item in zip(relations[1:], items, strict=True):
        for name in names:
            if name.alias is not None and name.alias in seen:
                hint = f"give one of them another name: {name.alias} AS other"
                raise ProgrammingError(f"{name.alias} stands twice in FROM", item.meta.get("span"), hint)
            seen.add(name.alias)
