"""The select list and the keys of ORDER BY, over the rows of FROM; and the select list as the columns of the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from streamsql.bind.binder import Binder
from streamsql.bind.monotone import is_time_key, time_form
from streamsql.bind.records import fields_of
from streamsql.bind.scope import as_column, folded
from streamsql.bind.source import ROWTIME_COLUMN, ROWTIME_ITSELF, Source, TimeColumn
from streamsql.bind.windows import sort_key
from streamsql.bind.wording import counted
from streamsql.errors import ProgrammingError
from streamsql.expressions.nodes import Column, Constant, Expression, Member
from streamsql.plan import nodes
from streamsql.plan.sort_keys import SortKey
from streamsql.types import ROWTIME, TIMESTAMP, Family, Field, Schema


@dataclass(frozen=True, slots=True)
class Item:
    """One column of the select list: its name, its tree, and its bound form over the rows of FROM."""

    name: str
    tree: exp.Expression
    bound: Expression


def items_of(select: exp.Select, binder: Binder) -> list[Item]:
    """The columns of the select list."""
    items: list[Item] = []
    for tree in select.expressions:
        if isinstance(tree, exp.Star):
            if not binder.scope.relations:
                raise ProgrammingError("* has no columns without FROM", tree.meta.get("span") or select.meta.get("span"))
            items += [Item(c.name, tree, c) for c in binder.scope.star()]
        elif isinstance(tree, exp.Column) and isinstance(tree.this, exp.Star):
            items += [Item(c.name, tree, c) for c in _stars(tree, binder)]
        else:
            inner = tree.this if isinstance(tree, exp.Alias) else tree
            bound = binder.bind(inner)
            name = folded(tree.args["alias"]) if isinstance(tree, exp.Alias) else _name_of(bound, len(items))
            items.append(Item(name, inner, bound))
    return items


def _stars(tree: exp.Column, binder: Binder) -> Sequence[Column | Member]:
    """The columns of `relation.*`, or the fields of `record.*`."""
    fields = fields_of(binder.scope, tree)
    return binder.scope.star(folded(tree.args["table"]), tree.meta.get("span")) if fields is None else fields


def order_of(select: exp.Select, items: Sequence[Item], binder: Binder) -> list[SortKey]:
    """The keys of ORDER BY."""
    order = select.args.get("order")
    if order is None or order.expressions[0].meta.get("within") is not None:
        return []  # a T-sort belongs to the select list, whose ROWTIME it sorts by
    return [sort_key(o, _order_key(o.this, items, binder)) for o in order.expressions]


def _order_key(tree: exp.Expression, items: Sequence[Item], binder: Binder) -> Expression:
    """A key of ORDER BY: a column's number, an alias of the select list, or an expression of FROM's columns."""
    if isinstance(tree, exp.Literal) and not tree.is_string:
        return numbered(tree, items, "ORDER BY")
    if isinstance(tree, exp.Column) and tree.args.get("table") is None:
        named = [item for item in items if item.name == folded(tree.this) and _counts(item, binder)]
        if named:
            return named[0].bound
    return binder.bind(tree)


def _counts(item: Item, binder: Binder) -> bool:
    """Whether the name of an item hides a column of FROM: of a stream's column, which follows ROWTIME as it is, it does not."""
    return not isinstance(item.bound, Column) or (not binder.scope.is_stream and isinstance(item.tree.parent, exp.Alias))


def numbered(tree: exp.Literal, items: Sequence[Item], clause: str) -> Expression:
    """The column of the select list that a number means."""
    number = int(tree.this) if str(tree.this).isdigit() else 0
    if not 1 <= number <= len(items):
        text = f"{clause} {tree.this}: the select list has {counted(len(items))}"
        raise ProgrammingError(text, tree.meta.get("span"))
    return items[number - 1].bound


def with_aliases(tree: exp.Expression, items: Sequence[Item]) -> exp.Expression:
    """A condition with what stands behind the aliases of the select list in the place of these."""
    aliases = {item.name: item.tree for item in items if isinstance(item.tree.parent, exp.Alias)}

    def place(node: exp.Expression) -> exp.Expression:
        found = isinstance(node, exp.Column) and node.args.get("table") is None and aliases.get(folded(node.this))
        return found.copy() if found else node

    return tree.transform(place)


def _name_of(bound: Expression, position: int) -> str:
    """The name of an item without AS: its column's or its field's, or EXPR$ and its position."""
    return bound.name if isinstance(bound, (Column, Member)) else f"EXPR${position}"


def project(select: exp.Select, source: Source, items: Sequence[Item], plain: Binder) -> Source:
    """The columns of the select list, and `expr AS ROWTIME` where there is one; `plain` binds over the rows of FROM."""
    bound = [Item(i.name, i.tree, as_column(i.bound)) for i in items]
    retimed = next((item for item in bound if source.is_stream and _sets_rowtime(item)), None)
    within, keys = _within(select, retimed, plain)
    fields = [Field(i.name, i.bound.type) for i in bound if i is not retimed]
    expressions = [i.bound for i in bound if i is not retimed]
    if not source.is_stream:
        return Source(nodes.Project(Schema(tuple(fields)), source.plan, tuple(expressions)))
    schema = Schema.stream(fields)
    if retimed is None:
        times = {0: ROWTIME_ITSELF}
        for i, expression in enumerate(expressions, 1):
            if is_time_key(expression, source.times):
                times[i] = _time_of(expression, source)
        return Source(nodes.Project(schema, source.plan, (ROWTIME_COLUMN, *expressions)), times)
    # the new time is computed as one more column, which Retime turns into ROWTIME
    wide = Schema.stream(
        [
            *fields,
            Field("new ROWTIME", TIMESTAMP, hidden=True),
            *(Field(f"tie {i}", k.expression.type, hidden=True) for i, k in enumerate(keys)),
        ]
    )
    ties = [key.expression for key in keys]
    project = nodes.Project(wide, source.plan, (ROWTIME_COLUMN, *expressions, retimed.bound, *ties))
    place = len(fields) + 1
    sort_keys = tuple(k.over(Column(k.expression.type, place + 1 + i, "tie")) for i, k in enumerate(keys))
    retime = nodes.Retime(wide, project, place, within, sort_keys)
    narrow = tuple(Column(field.type, i, field.name) for i, field in enumerate(schema.fields))
    return Source.of(nodes.Project(schema, retime, narrow))


def _time_of(expression: Expression, source: Source) -> TimeColumn:
    if isinstance(expression, Column):
        return source.times[expression.index]
    return TimeColumn(time_form(expression, source.times))


def _sets_rowtime(item: Item) -> bool:
    return (
        item.name == ROWTIME
        and item.bound.type.family is Family.TIMESTAMP
        and item.bound != ROWTIME_COLUMN
        and isinstance(item.tree.parent, exp.Alias)
    )


def _within(select: exp.Select, retimed: Item | None, plain: Binder) -> tuple[int, list[SortKey]]:
    """The interval of ORDER BY ... WITHIN, and the keys behind it."""
    order = select.args.get("order")
    if order is None or order.expressions[0].meta.get("within") is None:
        return 0, []
    first = order.expressions[0]
    span = first.meta.get("span")
    if retimed is None:
        raise ProgrammingError(
            "ORDER BY ... WITHIN sorts by a new ROWTIME, and the select list sets none",
            span,
            "SELECT STREAM expr AS ROWTIME, ...",
        )
    if first.args.get("desc"):
        raise ProgrammingError("ORDER BY ... WITHIN cannot be DESC", span)
    if as_column(plain.bind(first.this)) != retimed.bound:
        raise ProgrammingError("ORDER BY ... WITHIN sorts by the expression that the select list calls ROWTIME", span)
    width = plain.bind(first.meta["within"])
    if not isinstance(width, Constant) or width.type.family is not Family.DAY_TIME:
        raise ProgrammingError("WITHIN needs an interval such as INTERVAL '1' MINUTE", span)
    keys = [sort_key(o, as_column(plain.bind(o.this))) for o in order.expressions[1:]]
    return int(width.value), keys
