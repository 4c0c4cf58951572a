"""One SELECT: its clauses in the order in which rows pass them.

FROM -> WHERE -> GROUP BY -> HAVING            a grouped query
FROM -> WHERE -> OVER                          any other
... -> ORDER BY -> the select list             sorted before it is computed, since ROWTIME in it is that of the sorted row
... -> the select list -> DISTINCT -> ORDER BY
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from streamsql.bind.expressions import AggregateNode, ExpressionBinder, Parameters, WindowNode, as_column, has
from streamsql.bind.functions import call_scalar
from streamsql.bind.grouping import Places, plain_call
from streamsql.bind.monotone import is_time_key, time_form
from streamsql.bind.scope import BareRowtime, Scope, folded
from streamsql.bind.source import ROWTIME_COLUMN, ROWTIME_ITSELF, Source, TimeColumn
from streamsql.errors import ProgrammingError, Span, not_supported
from streamsql.expressions.nodes import Column, Constant, Expression
from streamsql.plan import nodes
from streamsql.plan.conditions import filtered
from streamsql.types import ROWTIME, TIMESTAMP, Family, Field, Schema, interval


@dataclass(frozen=True, slots=True)
class Item:
    """One column of the select list: its name, its tree, and its bound form over the rows of FROM."""

    name: str
    tree: exp.Expression
    bound: Expression


class SelectBinder:
    """Binds one SELECT over the relations of its FROM clause."""

    def __init__(self, select: exp.Select, source: Source, scope: Scope, parameters: Parameters) -> None:
        self._select = select
        self._source = source
        self._scope = scope
        windows = {folded(window.this): window for window in select.args.get("windows") or ()}
        self._plain = ExpressionBinder(scope, parameters, windows)
        self._items_binder = ExpressionBinder(scope, parameters, windows, aggregates=True, over=True)
        self._group_keys: tuple[Expression, ...] | None = None

    def bind(self) -> Source:
        """The SELECT as a relation."""
        where = self._select.args.get("where")
        if where is not None:
            predicate = as_column(self._plain.boolean(where.this, "WHERE"))
            self._source = Source(filtered(self._source.plan, predicate), self._source.times)
        items = self._items()
        group, having = self._select.args.get("group"), self._select.args.get("having")
        conditions = [] if having is None else [self._items_binder.boolean(having.this, "HAVING")]
        grouped = group is not None or any(has(e, AggregateNode) for e in (*(i.bound for i in items), *conditions))
        order = self._order_items(items)
        if grouped:
            items, order = self._group(group, items, conditions, order)
        elif having is not None:
            raise ProgrammingError("HAVING without GROUP BY", having.meta.get("span"), "use WHERE")
        else:
            items, order = self._over(items, order)
        return self._finish(items, order)

    # -- the select list -----------------------------------------------------------------------------------------------

    def _items(self) -> list[Item]:
        items: list[Item] = []
        for tree in self._select.expressions:
            if isinstance(tree, exp.Star):
                items += [Item(c.name, tree, c) for c in self._scope.star()]
            elif isinstance(tree, exp.Column) and isinstance(tree.this, exp.Star):
                alias = folded(tree.args["table"])
                items += [Item(c.name, tree, c) for c in self._scope.star(alias, tree.meta.get("span"))]
            else:
                inner = tree.this if isinstance(tree, exp.Alias) else tree
                bound = self._items_binder.bind(inner)
                name = folded(tree.args["alias"]) if isinstance(tree, exp.Alias) else _name_of(bound, len(items))
                items.append(Item(name, inner, bound))
        return items

    def _order_items(self, items: Sequence[Item]) -> list[nodes.SortKey]:
        order = self._select.args.get("order")
        if order is None or order.expressions[0].meta.get("within") is not None:
            return []  # a T-sort belongs to the select list, whose ROWTIME it sorts by
        return [nodes.SortKey(self._order_key(o.this, items), bool(o.args.get("desc"))) for o in order.expressions]

    def _order_key(self, tree: exp.Expression, items: Sequence[Item]) -> Expression:
        """A key of ORDER BY: a column's number, an alias of the select list, or an expression of FROM's columns."""
        if isinstance(tree, exp.Literal) and not tree.is_string:
            number = int(tree.this) if str(tree.this).isdigit() else 0
            if not 1 <= number <= len(items):
                columns = f"{len(items)} column{'s' * (len(items) != 1)}"
                raise ProgrammingError(f"ORDER BY {tree.this}: the select list has {columns}", tree.meta.get("span"))
            return items[number - 1].bound
        if isinstance(tree, exp.Column) and tree.args.get("table") is None:
            named = [item for item in items if item.name == folded(tree.this) and not isinstance(item.bound, Column)]
            if named:
                return named[0].bound
        return self._items_binder.bind(tree)

    # -- GROUP BY ------------------------------------------------------------------------------------------------------

    def _group(
        self,
        group: exp.Group | None,
        items: list[Item],
        conditions: list[Expression],
        order: list[nodes.SortKey],
    ) -> tuple[list[Item], list[nodes.SortKey]]:
        keys = self._keys(group, items)
        calls: list[nodes.AggregateCall] = []
        for expression in (*(i.bound for i in items), *conditions, *(k.expression for k in order)):
            for node in expression.walk():
                if isinstance(node, AggregateNode):
                    call = plain_call(node.call)
                    if call not in calls:
                        calls.append(call)
                elif isinstance(node, WindowNode):
                    raise not_supported("OVER in a query with GROUP BY", self._select.meta.get("span"))
        first = 1 if self._source.is_stream else 0
        fields = [Field(f"key {i}", key.type) for i, key in enumerate(keys)]
        fields += [Field(call.name, call.type) for call in calls]
        schema = Schema.stream(fields) if first else Schema(tuple(fields))
        places = Places(keys, calls, first, "GROUP BY" if group is None or group.meta.get("stagger") is None else "PARTITION BY")
        self._source = self._grouped(group, keys, calls, schema)
        for condition in conditions:
            over_groups = places.replace(condition, self._select.args["having"].meta.get("span"))
            self._source = Source(nodes.Filter(schema, self._source.plan, over_groups), self._source.times)
        self._group_keys = tuple(keys)
        replaced = [Item(i.name, i.tree, places.replace(i.bound, i.tree.meta.get("span"))) for i in items]
        span = self._select.args["order"].meta.get("span") if order else None
        return replaced, [nodes.SortKey(places.replace(key.expression, span), key.descending) for key in order]

    def _grouped(
        self, group: exp.Group | None, keys: Sequence[Expression], calls: Sequence[nodes.AggregateCall], schema: Schema
    ) -> Source:
        if group is not None and group.meta.get("stagger") is not None:
            length = self._stagger_length(group)
            return Source.of(nodes.Stagger(schema, self._source.plan, tuple(keys), tuple(calls), length))
        window = self._window(keys, group)
        times = self._times_of_groups(keys, window, 1 if self._source.is_stream else 0)
        return Source(nodes.Aggregate(schema, self._source.plan, tuple(keys), tuple(calls), window), times)

    def _stagger_length(self, group: exp.Group) -> int:
        tree = group.meta["stagger"]
        if not self._source.is_stream:
            raise ProgrammingError("WINDOWED BY STAGGER reads a stream", group.meta.get("span"), "GROUP BY")
        length = self._plain.bind(tree)
        if not isinstance(length, Constant) or length.type.family is not Family.DAY_TIME or length.value <= 0:
            message = "the length of a stagger window must be an interval above zero"
            raise ProgrammingError(message, tree.meta.get("span"), "RANGE INTERVAL '1' MINUTE")
        return int(length.value)

    def _keys(self, group: exp.Group | None, items: Sequence[Item]) -> list[Expression]:
        keys: list[Expression] = []
        for tree in group.expressions if group is not None else ():
            key = self._group_key(tree, items)
            if has(key, AggregateNode) or has(key, WindowNode):
                raise ProgrammingError("an aggregate cannot be a key of GROUP BY", tree.meta.get("span"))
            if key not in keys:
                keys.append(key)
        return keys

    def _group_key(self, tree: exp.Expression, items: Sequence[Item]) -> Expression:
        try:
            return as_column(self._plain.bind(tree))
        except ProgrammingError:
            if isinstance(tree, exp.Column) and tree.args.get("table") is None:
                for item in items:
                    if item.name == folded(tree.this) and isinstance(item.tree.parent, exp.Alias):
                        return as_column(item.bound)
            raise

    def _window(self, keys: Sequence[Expression], group: exp.Group | None) -> nodes.Window | None:
        """The key that closes groups: one that follows ROWTIME, a function of ROWTIME alone where there is one."""
        if not self._source.is_stream:
            return None
        times = self._source.times
        candidates = [i for i, key in enumerate(keys) if is_time_key(key, times)]
        if not candidates:
            span = (group or self._select).meta.get("span")
            clause = "this GROUP BY never ends: no key follows ROWTIME" if group else "an aggregate over a stream needs a window"
            raise ProgrammingError(clause, span, f"add STEP({self._rowtime_name()} BY INTERVAL '1' MINUTE) to GROUP BY")
        closable = [i for i in candidates if time_form(keys[i], times) is not None]
        chosen = (closable or candidates)[0]
        return nodes.Window(chosen, time_form(keys[chosen], times))

    def _rowtime_name(self) -> str:
        alias = self._scope.relations[0].alias
        if alias is None or len(self._scope.relations) > 1:
            return ROWTIME
        return f"{alias}.{ROWTIME}" if alias == alias.upper() else f'"{alias}".{ROWTIME}'

    def _times_of_groups(self, keys: Sequence[Expression], window: nodes.Window | None, first: int) -> dict[int, TimeColumn]:
        """A group's ROWTIME is its window's end, so the key at the millisecond before it is the window's own key."""
        if window is None:
            return {}
        form: Expression | None = None
        if window.time is not None:
            millisecond = Constant(interval("SECOND"), 1)
            before = call_scalar("-", [ROWTIME_COLUMN, millisecond], None)
            form = window.time.rewrite(lambda node: before if isinstance(node, Column) else node)
        return {0: ROWTIME_ITSELF, first + window.key: TimeColumn(form, marks_rows=window.time is not None)}

    # -- OVER ----------------------------------------------------------------------------------------------------------

    def _over(self, items: list[Item], order: list[nodes.SortKey]) -> tuple[list[Item], list[nodes.SortKey]]:
        found = [n for e in (*(i.bound for i in items), *(k.expression for k in order)) for n in e.walk()]
        windowed = [node for node in found if isinstance(node, WindowNode)]
        if not windowed:
            return [Item(i.name, i.tree, i.bound) for i in items], order
        if not self._source.is_stream:
            raise not_supported("OVER on a table", self._select.meta.get("span"))
        groups: dict[tuple[tuple[Expression, ...], nodes.Frame], list[nodes.AggregateCall]] = {}
        for node in windowed:
            calls = groups.setdefault(_window_of(node), [])
            call = plain_call(node.call)
            if call not in calls:
                calls.append(call)
        windows = tuple(nodes.SlidingWindow(partition, frame, tuple(calls)) for (partition, frame), calls in groups.items())
        fields = list(self._source.schema.fields)
        places: dict[tuple[tuple[tuple[Expression, ...], nodes.Frame], nodes.AggregateCall], int] = {}
        for window in windows:
            for call in window.calls:
                places[(window.partition, window.frame), call] = len(fields)
                fields.append(Field(f"{call.name} {len(places)}", call.type, hidden=True))

        def replace(node: Expression) -> Expression:
            if isinstance(node, WindowNode):
                call = plain_call(node.call)
                return Column(node.type, places[_window_of(node), call], f"{call} OVER")
            return node

        over = nodes.Over(Schema(tuple(fields)), self._source.plan, windows)
        self._source = Source(over, self._source.times)
        keys = [nodes.SortKey(key.expression.rewrite(replace), key.descending) for key in order]
        return [Item(i.name, i.tree, i.bound.rewrite(replace)) for i in items], keys

    # -- ORDER BY, the select list, DISTINCT -----------------------------------------------------------------------------

    def _finish(self, items: list[Item], order: list[nodes.SortKey]) -> Source:
        order = [nodes.SortKey(as_column(key.expression), key.descending) for key in order]
        if self._select.args.get("distinct") is not None:
            return self._distinct(items, order)
        if order:
            own = len(self._source.schema.fields)
            items = [Item(i.name, i.tree, _own_rowtime(i.bound, own, self._source.is_stream)) for i in items]
            self._source = sort(self._source, order, self._select.args["order"].meta.get("span"))
        return self._project(items)

    def _project(self, items: Sequence[Item]) -> Source:
        """The select list, and `expr AS ROWTIME` where there is one."""
        bound = [Item(i.name, i.tree, as_column(i.bound)) for i in items]
        retimed = next((item for item in bound if self._sets_rowtime(item)), None)
        within, keys = self._within(retimed)
        fields = [Field(i.name, i.bound.type) for i in bound if i is not retimed]
        expressions = [i.bound for i in bound if i is not retimed]
        if not self._source.is_stream:
            schema = Schema(tuple(fields))
            return Source(nodes.Project(schema, self._source.plan, tuple(expressions)))
        schema = Schema.stream(fields)
        if retimed is None:
            times = {0: ROWTIME_ITSELF}
            for i, expression in enumerate(expressions, 1):
                if is_time_key(expression, self._source.times):
                    marks = isinstance(expression, Column) and self._source.times[expression.index].marks_rows
                    form = expression if not isinstance(expression, Column) else self._source.times[expression.index].form
                    form = time_form(expression, self._source.times) if not isinstance(expression, Column) else form
                    times[i] = TimeColumn(form, marks)
            return Source(nodes.Project(schema, self._source.plan, (ROWTIME_COLUMN, *expressions)), times)
        # the new time is computed as one more column, which Retime turns into ROWTIME
        wide = Schema.stream(
            [
                *fields,
                Field("new ROWTIME", TIMESTAMP, hidden=True),
                *(Field(f"tie {i}", k.expression.type, hidden=True) for i, k in enumerate(keys)),
            ]
        )
        ties = [key.expression for key in keys]
        project = nodes.Project(wide, self._source.plan, (ROWTIME_COLUMN, *expressions, retimed.bound, *ties))
        place = len(fields) + 1
        sort_keys = tuple(
            nodes.SortKey(Column(k.expression.type, place + 1 + i, "tie"), k.descending) for i, k in enumerate(keys)
        )
        retime = nodes.Retime(wide, project, place, within, sort_keys)
        narrow = tuple(Column(field.type, i, field.name) for i, field in enumerate(schema.fields))
        return Source.of(nodes.Project(schema, retime, narrow))

    def _sets_rowtime(self, item: Item) -> bool:
        return (
            item.name == ROWTIME
            and self._source.is_stream
            and item.bound.type.family is Family.TIMESTAMP
            and item.bound != ROWTIME_COLUMN
            and isinstance(item.tree.parent, exp.Alias)
        )

    def _within(self, retimed: Item | None) -> tuple[int, list[nodes.SortKey]]:
        """The interval of ORDER BY ... WITHIN, and the keys behind it."""
        order = self._select.args.get("order")
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
        if as_column(self._plain.bind(first.this)) != retimed.bound:
            raise ProgrammingError("ORDER BY ... WITHIN sorts by the expression that the select list calls ROWTIME", span)
        width = self._plain.bind(first.meta["within"])
        if not isinstance(width, Constant) or width.type.family is not Family.DAY_TIME:
            raise ProgrammingError("WITHIN needs an interval such as INTERVAL '1' MINUTE", span)
        keys = [nodes.SortKey(as_column(self._plain.bind(o.this)), bool(o.args.get("desc"))) for o in order.expressions[1:]]
        return int(width.value), keys

    def _distinct(self, items: Sequence[Item], order: list[nodes.SortKey]) -> Source:
        bound = [as_column(item.bound) for item in items]
        projected = self._project(items)
        window: nodes.Window | None = None
        if projected.is_stream:
            keys = [i for i in projected.times if i > 0]
            if not keys:
                raise ProgrammingError(
                    "this SELECT DISTINCT never ends: no column follows ROWTIME",
                    self._select.meta.get("span"),
                    f"add STEP({self._rowtime_name()} BY INTERVAL '1' MINUTE) to the select list",
                )
            time = projected.times[keys[0]]
            window = nodes.Window(keys[0], ROWTIME_COLUMN if time.marks_rows else time.form)
        result = Source(nodes.Distinct(projected.schema, projected.plan, window), projected.times)
        if not order:
            return result
        first = 1 if result.is_stream else 0
        columns = []
        for key in order:
            if key.expression not in bound:
                raise ProgrammingError(
                    "with DISTINCT, ORDER BY can only use columns of the select list", self._select.args["order"].meta.get("span")
                )
            place = first + bound.index(key.expression)
            columns.append(nodes.SortKey(Column(key.expression.type, place, items[place - first].name), key.descending))
        ordered = sort(result, columns, self._select.args["order"].meta.get("span"))
        return drop_own_rowtime(ordered)


def sort(source: Source, keys: Sequence[nodes.SortKey], span: Span | None) -> Source:
    """ORDER BY: of a stream the leading key must follow ROWTIME."""
    if not source.is_stream:
        return Source(nodes.Sort(source.schema, source.plan, tuple(keys), None))
    leading = keys[0].expression
    if not is_time_key(leading, source.times):
        hint = "lead with FLOOR(stream.ROWTIME TO SECOND) or another key that follows ROWTIME"
        raise ProgrammingError("ORDER BY on a stream never ends: its first key does not follow ROWTIME", span, hint)
    window = nodes.Window(0, time_form(leading, source.times))
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


def _window_of(node: WindowNode) -> tuple[tuple[Expression, ...], nodes.Frame]:
    return tuple(as_column(key) for key in node.partition), node.frame


def _own_rowtime(expression: Expression, own: int, is_stream: bool) -> Expression:
    """In the select list of a sorted stream: `s.ROWTIME` is the row's own, bare ROWTIME that of the sorted row."""

    def place(node: Expression) -> Expression:
        if is_stream and isinstance(node, Column) and not isinstance(node, BareRowtime) and node.index == 0:
            return Column(TIMESTAMP, own, node.name)
        return node

    return expression.rewrite(place)


def _name_of(bound: Expression, position: int) -> str:
    """The name of an item without AS: its column's, or EXPR$ and its position."""
    return bound.name if isinstance(bound, Column) else f"EXPR${position}"
