"""FROM: its items joined, from left to right.

Inner joins that follow each other are a group.  The streams of a group are one join of all of them, whatever tables stand
between; the tables are looked up behind it.  An outer join takes what stands to its left as a whole.  So the plan's columns
may stand in another order than FROM names them: the scope knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from streamsql.bind.context import Context
from streamsql.bind.expressions import ExpressionBinder
from streamsql.bind.join_names import Names, check_distinct, columns_of, common_columns, merged, moved, scope_of, with_either
from streamsql.bind.join_windows import CURRENT_ROW, Member, frame_of_item, port_of
from streamsql.bind.scope import Scope, ScopeRelation, as_column
from streamsql.bind.source import ONE_ROW, ROWTIME_ITSELF, Source, TimeColumn
from streamsql.bind.subqueries import Subquery, look_up
from streamsql.bind.unnesting import unnested
from streamsql.errors import ProgrammingError
from streamsql.expressions.conditions import TRUE, conjunction
from streamsql.expressions.nodes import Expression
from streamsql.plan import nodes
from streamsql.plan.conditions import filtered
from streamsql.plan.joins import JoinKind
from streamsql.types import ROWTIME_FIELD, Schema


@dataclass(frozen=True, slots=True)
class Relation:
    """FROM items joined so far: their rows, the names of their columns, and the streams among them (none: a table)."""

    source: Source
    names: Names
    members: tuple[Member, ...] = ()

    def __str__(self) -> str:
        """As messages call it."""
        return ", ".join(name.alias for name in self.names if name.alias) or "the subquery"


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Relations next to each other, on no condition yet: all rows, the streams, and where each relation's columns begin."""

    source: Source
    members: tuple[Member, ...]
    offsets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FromBinder:
    """Binds the FROM clause of one SELECT: `item` gives the rows of one of its items, and its name."""

    item: Callable[[exp.Expression], tuple[Source, str | None]]
    windows: Mapping[str, exp.Window]
    context: Context
    subquery: Callable[[exp.Expression, Scope], Subquery]

    def bind(self, first: exp.Expression, joins: Sequence[exp.Join]) -> tuple[Source, Scope]:
        """All rows of FROM, and the names of their columns."""
        relation = self._chain(first, joins)
        return relation.source, scope_of(relation.names, relation.source)

    def _chain(self, first: exp.Expression, joins: Sequence[exp.Join]) -> Relation:
        """Items and the joins between them; a comma binds less tightly than JOIN."""
        parts: list[tuple[exp.Expression, list[exp.Join]]] = [(first, [])]
        has_outer = any(join.side for join in joins)
        for join in joins:
            is_comma = not (join.side or join.kind or join.method)
            if has_outer and is_comma and not isinstance(join.this, exp.Unnest):
                parts.append((join.this, []))
            else:
                parts[-1][1].append(join)
        relations = [self._part(item, part) for item, part in parts]
        return self._group(relations, [exp.Join(this=item) for item, _ in parts[1:]])

    def _part(self, first: exp.Expression, joins: Sequence[exp.Join]) -> Relation:
        group, inner = [self._item(first)], list[exp.Join]()
        for join in joins:
            if isinstance(join.this, exp.Unnest):
                group, inner = [self._unnested(self._group(group, inner), join)], []
                continue
            right = self._item(join.this)
            if not join.side:
                group, inner = [*group, right], [*inner, join]
            else:
                group, inner = [self._outer(self._group(group, inner), right, join)], []
        return self._group(group, inner)

    def _item(self, item: exp.Expression) -> Relation:
        over = item.meta.get("over")
        if isinstance(item, exp.Subquery) and not isinstance(item.this, exp.Select) and item.this.args.get("joins"):
            if over is not None or item.args.get("alias") is not None:
                text = "joins in brackets have neither OVER nor a name of their own"
                raise ProgrammingError(text, item.meta.get("span"), "(SELECT STREAM ... FROM ...) OVER (...) AS name")
            return self._chain(item.this, item.this.args["joins"])
        if isinstance(item, exp.Unnest):
            source, own = unnested(Source(ONE_ROW), item, ExpressionBinder(Scope(()), self.context), False)
            return Relation(source, (own,))
        source, alias = self.item(item)
        names = (ScopeRelation(alias, source.schema.fields, 0),)
        if source.is_stream:
            span = (item if over is None else over).meta.get("span")
            return Relation(source, names, (Member(0, frame_of_item(over, self.windows, alias), span),))
        if over is not None:
            raise ProgrammingError("a table has no window: all its rows are there", over.meta.get("span"), "leave out OVER")
        return Relation(source, names)

    def _unnested(self, left: Relation, join: exp.Join) -> Relation:
        """Each row of the left side with the elements of its lists."""
        if join.side not in ("", "LEFT") or join.args.get("using") or not _always(join.args.get("on")):
            raise ProgrammingError("UNNEST has no condition of its own", join.meta.get("span"), "CROSS JOIN UNNEST(...) AS t(x)")
        binder = ExpressionBinder(scope_of(left.names, left.source), self.context)
        source, names = unnested(left.source, join.this, binder, bool(join.side))
        check_distinct([left.names, (names,)], [join.this])
        return replace(left, source=source, names=(*left.names, names))

    def _group(self, relations: Sequence[Relation], joins: Sequence[exp.Join]) -> Relation:
        """Relations joined by inner joins: one for each but the first."""
        if len(relations) == 1:
            return relations[0]
        check_distinct([relation.names for relation in relations], [join.this for join in joins])
        rows = _side_by_side(relations)
        plan, names = rows.source.plan, moved(relations[0].names, rows.offsets[0])
        for join, right, offset in zip(joins, relations[1:], rows.offsets[1:], strict=True):
            right_names = moved(right.names, offset)
            if join.args.get("on") is not None:
                names = (*names, *right_names)
                condition = self._on(join, names, rows.source)
                placed, [condition] = look_up(Source(plan), [condition])
                plan = placed.plan
            else:
                common = common_columns(join, names, right_names)
                condition = conjunction(column.equation for column in common)
                names = merged(common, {column.name: column.left for column in common}, names, right_names)
            plan = filtered(plan, condition)
        return Relation(Source(plan, rows.source.times), names, rows.members)

    def _outer(self, left: Relation, right: Relation, join: exp.Join) -> Relation:
        check_distinct([left.names, right.names], [join.this])
        kind = JoinKind[str(join.side).upper()]
        if left.members and right.members:
            rows = _join_streams([left, right], kind)
        else:
            _check_kept(left, right, kind, join)
            rows = _look_up(left, right, kind)
        sides = [moved(side.names, offset) for side, offset in zip((left, right), rows.offsets, strict=True)]
        names: Names = (*sides[0], *sides[1])
        common = common_columns(join, *sides)
        on = join.args.get("on")
        condition = self._on(join, names, rows.source) if on is not None else conjunction(c.equation for c in common)
        source = _conditioned(rows.source, condition)
        if common and kind is JoinKind.FULL:
            source, places = with_either(source, common)
        else:
            places = {c.name: c.right if kind is JoinKind.RIGHT else c.left for c in common}
        return Relation(source, merged(common, places, *sides), rows.members)

    def _on(self, join: exp.Join, names: Names, source: Source) -> Expression:
        binder = ExpressionBinder(scope_of(names, source), self.context, subquery=None if join.side else self.subquery)
        return as_column(binder.boolean(join.args["on"], "ON"))


def _always(condition: exp.Expression | None) -> bool:
    return condition is None or (isinstance(condition, exp.Boolean) and bool(condition.this))


def _side_by_side(relations: Sequence[Relation]) -> SideBySide:
    """Relations of inner joins: the streams first, then the tables."""
    streams = [relation for relation in relations if relation.members]
    tables = [relation for relation in relations if not relation.members]
    if len(streams) > 1:
        rows = _join_streams(streams, JoinKind.INNER)
        offsets = {id(stream): offset for stream, offset in zip(streams, rows.offsets, strict=True)}
        base = Relation(rows.source, (), rows.members)
    else:
        base = streams[0] if streams else tables.pop(0)
        offsets = {id(base): 0}
    for table in tables:
        rows = _look_up(base, table, JoinKind.INNER)
        offsets[id(table)] = rows.offsets[1]
        base = Relation(rows.source, base.names, rows.members)
    return SideBySide(base.source, base.members, tuple(offsets[id(relation)] for relation in relations))


def _join_streams(relations: Sequence[Relation], kind: JoinKind) -> SideBySide:
    """Streams, each within its window; the only condition is that rows made of several are still in theirs."""
    ports = [port_of(relation.source, relation.members) for relation in relations]
    offsets = tuple(1 + sum(port.width for port in ports[:i]) for i in range(len(ports)))
    kept = (kind in (JoinKind.INNER, JoinKind.LEFT), kind in (JoinKind.INNER, JoinKind.RIGHT))
    times: dict[int, TimeColumn] = {0: ROWTIME_ITSELF}
    members: list[Member] = []
    for i, (relation, offset) in enumerate(zip(relations, offsets, strict=True)):
        members += [replace(member, rowtime=member.rowtime + offset, joined=True) for member in relation.members]
        alone = len(relation.members) == 1 and relation.members[0].frame == CURRENT_ROW
        if alone and kept[min(i, 1)]:  # its rows come at their own ROWTIME or not at all
            times |= {column + offset: time for column, time in relation.source.times.items()}
    open_ = [port.still_open(offset, o) for port, offset in zip(ports, offsets, strict=True) for o in offsets if o != offset]
    fields = columns_of([(r.names, port.plan.schema) for r, port in zip(relations, ports, strict=True)])
    join = nodes.Join(
        Schema((ROWTIME_FIELD, *fields)),
        tuple(port.plan for port in ports),
        tuple(port.window for port in ports),
        kind,
        conjunction(condition for condition in open_ if condition is not None),
    )
    return SideBySide(Source(join, times), tuple(members), offsets)


def _look_up(left: Relation, right: Relation, kind: JoinKind) -> SideBySide:
    """A stream with a table, or two tables: the rows of one are looked up in the other."""
    swapped = bool(right.members) or kind is JoinKind.RIGHT
    main, table = (right, left) if swapped else (left, right)
    fields = columns_of([(main.names, main.source.schema), (table.names, table.source.schema)])
    if main.members:
        fields[0] = ROWTIME_FIELD
    kind = JoinKind.LEFT if kind is JoinKind.RIGHT else kind
    plan = nodes.Lookup(Schema(tuple(fields)), main.source.plan, table.source.plan, kind, TRUE)
    members = tuple(replace(member, joined=True) for member in main.members)
    width = len(main.source.schema.fields)
    return SideBySide(Source(plan, main.source.times), members, (width, 0) if swapped else (0, width))


def _conditioned(source: Source, condition: Expression) -> Source:
    """An outer join on one condition more."""
    join = source.plan
    assert isinstance(join, (nodes.Join, nodes.Lookup))
    return Source(replace(join, condition=conjunction(c for c in (join.condition, condition) if c != TRUE)), source.times)


def _check_kept(left: Relation, right: Relation, kind: JoinKind, join: exp.Join) -> None:
    """Refuse to keep the rows of a table that no row of a stream ever matches."""
    table, refused = (right, JoinKind.RIGHT) if left.members else (left, JoinKind.LEFT)
    if (left.members or right.members) and kind in (refused, JoinKind.FULL):
        text = f"a {kind.name} JOIN gives the rows of table {table} that nothing matches, and the stream never ends"
        raise ProgrammingError(text, join.meta.get("span"), "stream LEFT JOIN table gives those of the stream")
