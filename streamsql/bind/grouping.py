"""GROUP BY and WINDOWED BY STAGGER: the groups, when they close, and the expressions over the rows that they give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from streamsql.bind.binder import Binder
from streamsql.bind.correlation import check_own, tied
from streamsql.bind.functions import call_scalar
from streamsql.bind.grouping_sets import has_sets, sets_of
from streamsql.bind.monotone import is_time_key, time_form
from streamsql.bind.records import check_comparable
from streamsql.bind.scope import BareRowtime, as_column, folded
from streamsql.bind.select_list import Item, numbered
from streamsql.bind.source import ROWTIME_COLUMN, ROWTIME_ITSELF, Source, TimeColumn
from streamsql.bind.subqueries import look_up
from streamsql.bind.unplaced import AggregateNode, GroupingNode, OuterColumn, WindowNode, has
from streamsql.errors import ProgrammingError, Span, not_supported
from streamsql.expressions.calls import AggregateCall
from streamsql.expressions.nodes import Column, Constant, Expression
from streamsql.expressions.text import text
from streamsql.plan import nodes
from streamsql.plan.sort_keys import SortKey
from streamsql.plan.windows import Window
from streamsql.types import BIGINT, Family, Field, Schema, interval


def plain_call(call: AggregateCall) -> AggregateCall:
    """An aggregate call as the plan has it."""
    return replace(call, arguments=tuple(as_column(argument) for argument in call.arguments))


class Places:
    """Where the keys (from `first` on) and the calls (from `first_call` on) of a grouped query stand in its rows.

    `clause` is where the keys are written; `sets`: behind the calls stands for each key whether a row is not grouped by it.
    """

    def __init__(
        self,
        keys: Sequence[Expression],
        calls: Sequence[AggregateCall],
        first: int,
        first_call: int,
        clause: str,
        sets: bool,
    ) -> None:
        self._clause = clause
        self._keys = list(keys)
        self._calls = list(calls)
        self._first = first
        self._first_call = first_call
        self._sets = sets

    def replace(self, expression: Expression, span: Span | None) -> Expression:
        """`expression` over the rows of the groups; a column that is no key is an error."""
        plain = as_column(expression)
        if plain in self._keys and not plain.is_constant:
            index = self._keys.index(plain)
            if isinstance(expression, BareRowtime):
                return ROWTIME_COLUMN
            return Column(plain.type, self._first + index, text(plain))
        if isinstance(expression, AggregateNode):
            call = plain_call(expression.call)
            return Column(expression.type, self._first_call + self._calls.index(call), str(call))
        if isinstance(expression, GroupingNode):
            return self._grouping(expression, span)
        if isinstance(expression, BareRowtime):
            return ROWTIME_COLUMN
        if isinstance(expression, Column):
            hint = f"add it to {self._clause}, or use MAX or LAST_VALUE of it"
            message = f"column {expression.name} is neither a key of {self._clause} nor inside an aggregate"
            raise ProgrammingError(message, span, hint)
        return expression.with_children(tuple(self.replace(child, span) for child in expression.children))

    def _grouping(self, node: GroupingNode, span: Span | None) -> Expression:
        """The flags of its keys as the bits of a number, the first the highest."""
        result: Expression = Constant(node.type, 0)
        for key in node.keys:
            plain = as_column(key)
            if plain not in self._keys:
                raise ProgrammingError(f"GROUPING({text(plain)}): that is no key of {self._clause}", span)
            if self._sets:
                place = self._first_call + len(self._calls) + self._keys.index(plain)
                flag = Column(node.type, place, f"GROUPING({text(plain)})")
                doubled = call_scalar("*", [result, Constant(node.type, 2)], span)
                result = flag if isinstance(result, Constant) else call_scalar("+", [doubled, flag], span)
        return result


@dataclass(frozen=True, slots=True)
class Groups:
    """The rows of groups; the select list, ORDER BY and what ties a subquery to the query around it over them."""

    source: Source
    items: list[Item]
    order: list[SortKey]
    correlated: list[Expression]


@dataclass(frozen=True, slots=True)
class GroupBinder:
    """Groups the rows of one SELECT; `plain` binds the expressions over the rows of FROM."""

    select: exp.Select
    source: Source
    plain: Binder

    def bind(
        self,
        items: Sequence[Item],
        conditions: Sequence[Expression],
        order: Sequence[SortKey],
        correlated: Sequence[Expression],
    ) -> Groups:
        """The groups for which the conditions of HAVING hold; those of a subquery also by what ties it to the query around."""
        group = self.select.args.get("group")
        keys = self._keys(group, items)
        calls: list[AggregateCall] = []
        for expression in (*(i.bound for i in items), *conditions, *(k.expression for k in order)):
            for node in expression.walk():
                if isinstance(node, AggregateNode):
                    call = plain_call(node.call)
                    if call not in calls:
                        calls.append(call)
                elif isinstance(node, WindowNode) and self.source.is_stream:
                    raise not_supported("OVER in a query with GROUP BY", self.select.meta.get("span"))
        rows, ties = tied(self.source.plan, correlated)
        over_rows = replace(self, source=Source(rows, self.source.times))
        source = over_rows._grouped(group, keys, calls, [tie.own for tie in ties], items)
        first = 1 if source.is_stream else 0
        clause = "PARTITION BY" if _is_stagger(group) else "GROUP BY"
        places = Places(keys, calls, first, first + len(keys) + len(ties), clause, has_sets(group))
        over_groups = [tie.over(first + len(keys) + i) for i, tie in enumerate(ties)]
        span = self.select.args["having"].meta.get("span") if conditions else None
        replaced = [places.replace(condition, span) for condition in conditions]
        source, replaced = look_up(source, replaced)
        over_groups += [condition for condition in replaced if has(condition, OuterColumn)]
        for condition in replaced:
            if not has(condition, OuterColumn):
                source = Source(nodes.Filter(source.schema, source.plan, condition), source.times)
        listed = [places.replace(item.bound, item.tree.meta.get("span")) for item in items]
        span = self.select.args["order"].meta.get("span") if order else None
        sorted_by = [places.replace(key.expression, span) for key in order]
        source, placed = look_up(source, [*listed, *sorted_by])
        return Groups(
            source,
            [Item(item.name, item.tree, bound) for item, bound in zip(items, placed)],
            [key.over(expression) for key, expression in zip(order, placed[len(items) :], strict=True)],
            over_groups,
        )

    def _grouped(
        self,
        group: exp.Group | None,
        keys: Sequence[Expression],
        calls: Sequence[AggregateCall],
        ties: Sequence[Expression],
        items: Sequence[Item],
    ) -> Source:
        """The rows that the groups give: the keys, those of `ties` behind the others, and the calls."""
        arguments = [argument for call in calls for argument in call.arguments]
        for expression in (*keys, *arguments):
            check_own(expression, "inside GROUP BY or an aggregate", self.select.meta.get("span"))
        source, placed = look_up(self.source, [*keys, *ties, *arguments])
        all_keys, rest = tuple(placed[: len(keys) + len(ties)]), iter(placed[len(keys) + len(ties) :])
        all_calls = tuple(replace(call, arguments=tuple(next(rest) for _ in call.arguments)) for call in calls)
        fields = [Field(text(key), key.type) for key in all_keys]
        fields += [Field(str(call), call.type) for call in all_calls]
        schema = Schema.stream(fields) if source.is_stream else Schema(tuple(fields))
        if group is not None and _is_stagger(group):
            return Source.of(nodes.Stagger(schema, source.plan, all_keys, all_calls, self._stagger_length(group)))
        if group is not None and has_sets(group):
            return self._by_sets(group, source, keys, all_keys, all_calls, items)
        window = self._window(keys, group)
        times = _times_of_groups(window, 1 if source.is_stream else 0)
        return Source(nodes.Aggregate(schema, source.plan, all_keys, all_calls, window), times)

    def _by_sets(
        self,
        group: exp.Group,
        source: Source,
        keys: Sequence[Expression],
        placed: Sequence[Expression],
        calls: Sequence[AggregateCall],
        items: Sequence[Item],
    ) -> Source:
        """The groups of each set of keys; what keys and calls are computed from is computed once, in front."""
        span = group.meta.get("span")
        if source.is_stream:
            raise ProgrammingError("ROLLUP, CUBE and GROUPING SETS are for tables", span, "GROUP BY in several queries")
        if len(placed) > len(keys):
            raise not_supported("GROUP BY in several ways in a subquery that refers to the query around it", span)
        arguments = [argument for call in calls for argument in call.arguments]
        computed = [*placed, *arguments]
        below = Schema(tuple(Field(text(e), e.type) for e in computed))
        plan = nodes.Project(below, source.plan, tuple(computed)) if computed else source.plan
        columns = iter(Column(e.type, i, text(e)) for i, e in enumerate(computed))
        new_keys = tuple(next(columns) for _ in placed)
        new_calls = tuple(replace(call, arguments=tuple(next(columns) for _ in call.arguments)) for call in calls)
        sets = tuple(tuple(dict.fromkeys(keys.index(self._key(k, items)) for k in members)) for members in sets_of(group))
        fields = [*(Field(text(key), key.type) for key in keys), *(Field(str(call), call.type) for call in calls)]
        fields += [Field(f"GROUPING({text(key)})", BIGINT, hidden=True) for key in keys]
        return Source(nodes.GroupingSets(Schema(tuple(fields)), plan, new_keys, new_calls, sets))

    def _stagger_length(self, group: exp.Group) -> int:
        tree = group.meta["stagger"]
        if not self.source.is_stream:
            raise ProgrammingError("WINDOWED BY STAGGER reads a stream", group.meta.get("span"), "GROUP BY")
        length = self.plain.bind(tree)
        if not isinstance(length, Constant) or length.type.family is not Family.DAY_TIME or length.value <= 0:
            message = "the length of a stagger window must be an interval above zero"
            raise ProgrammingError(message, tree.meta.get("span"), "RANGE INTERVAL '1' MINUTE")
        return int(length.value)

    def _keys(self, group: exp.Group | None, items: Sequence[Item]) -> list[Expression]:
        keys: list[Expression] = []
        for tree in _trees(group):
            key = self._key(tree, items)
            if has(key, AggregateNode) or has(key, WindowNode):
                raise ProgrammingError("an aggregate cannot be a key of GROUP BY", tree.meta.get("span"))
            check_comparable(key, "GROUP BY", tree.meta.get("span"))
            if key not in keys:
                keys.append(key)
        return keys

    def _key(self, tree: exp.Expression, items: Sequence[Item]) -> Expression:
        """A key: an expression over FROM's columns, an alias of the select list, in a query over tables a column's number."""
        if isinstance(tree, exp.Literal) and not tree.is_string and not self.source.is_stream:
            return as_column(numbered(tree, items, "GROUP BY"))
        try:
            return as_column(self.plain.bind(tree))
        except ProgrammingError:
            if isinstance(tree, exp.Column) and tree.args.get("table") is None:
                for item in items:
                    if item.name == folded(tree.this) and isinstance(item.tree.parent, exp.Alias):
                        return as_column(item.bound)
            raise

    def _window(self, keys: Sequence[Expression], group: exp.Group | None) -> Window | None:
        """The key that closes groups: one that follows ROWTIME, a function of ROWTIME alone where there is one."""
        if not self.source.is_stream:
            return None
        times = self.source.times
        candidates = [i for i, key in enumerate(keys) if is_time_key(key, times)]
        if not candidates:
            span = (group or self.select).meta.get("span")
            clause = "this GROUP BY never ends: no key follows ROWTIME" if group else "an aggregate over a stream needs a window"
            raise ProgrammingError(clause, span, f"add STEP({self.plain.scope.rowtime} BY INTERVAL '1' MINUTE) to GROUP BY")
        closable = [i for i in candidates if time_form(keys[i], times) is not None]
        chosen = (closable or candidates)[0]
        return Window(chosen, time_form(keys[chosen], times))


def _trees(group: exp.Group | None) -> list[exp.Expression]:
    """The keys of a GROUP BY as they are written."""
    return [key for members in sets_of(group) for key in members] if group is not None else []


def _is_stagger(group: exp.Group | None) -> bool:
    return group is not None and group.meta.get("stagger") is not None


def _times_of_groups(window: Window | None, first: int) -> dict[int, TimeColumn]:
    """A group's ROWTIME is its window's end, so the key at the millisecond before it is the window's own key."""
    if window is None:
        return {}
    form: Expression | None = None
    if window.time is not None:
        millisecond = Constant(interval("SECOND"), 1)
        before = call_scalar("-", [ROWTIME_COLUMN, millisecond], None)
        form = window.time.rewrite(lambda node: before if isinstance(node, Column) else node)
    return {0: ROWTIME_ITSELF, first + window.key: TimeColumn(form, marks_rows=window.time is not None)}
