"""One SELECT: its clauses in the order in which rows pass them.

FROM -> WHERE -> GROUP BY -> HAVING            a grouped query
FROM -> WHERE -> OVER                          any other
... -> ORDER BY -> the select list             sorted before it is computed, since ROWTIME in it is that of the sorted row
... -> the select list -> DISTINCT -> ORDER BY
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from streamsql.bind.context import Context
from streamsql.bind.correlation import distinct_values, first_of_each, of_no_rows
from streamsql.bind.expressions import ExpressionBinder
from streamsql.bind.grouping import GroupBinder
from streamsql.bind.over import with_windows
from streamsql.bind.records import check_comparable
from streamsql.bind.scope import Scope, as_column, folded
from streamsql.bind.select_list import Item, items_of, order_of, project, with_aliases
from streamsql.bind.sorting import drop_own_rowtime, over_sorted, sort
from streamsql.bind.source import ROWTIME_COLUMN, Source
from streamsql.bind.subqueries import Subquery, look_up
from streamsql.bind.unplaced import AggregateNode, GroupingNode, OuterColumn, SubqueryNode, WindowNode, has
from streamsql.errors import ProgrammingError, Span, not_supported
from streamsql.expressions.conditions import conjunction, conjuncts
from streamsql.expressions.nodes import Column, Expression
from streamsql.plan import nodes
from streamsql.plan.conditions import filtered
from streamsql.plan.sort_keys import SortKey
from streamsql.plan.windows import Window


class SelectBinder:
    """Binds one SELECT over the relations of its FROM clause; `subquery` binds the subqueries in its expressions."""

    def __init__(
        self,
        select: exp.Select,
        source: Source,
        scope: Scope,
        context: Context,
        subquery: Callable[[exp.Expression, Scope], Subquery],
    ) -> None:
        self._select = select
        self._source = source
        windows = {folded(window.this): window for window in select.args.get("windows") or ()}
        self._plain = ExpressionBinder(scope, context, windows, subquery)
        self._items_binder = ExpressionBinder(scope, context, windows, subquery, aggregates=True, over=True)
        self._correlated: list[Expression] = []

    def bind(self) -> Source:
        """The SELECT as a relation."""
        return self._finish(*self._rows(self._items()))

    def bind_subquery(self, limit: int | None, offset: int) -> Subquery:
        """The SELECT as a subquery in an expression; it may refer to the query around it.  Where it does, it has the rows from
        `offset` on, `limit` at most, for each row around it."""
        items = self._items()
        is_single = self._select.args.get("group") is None and any(has(item.bound, AggregateNode) for item in items)
        of_none = [of_no_rows(as_column(item.bound)) for item in items] if is_single else None
        if of_none is not None and any(has(value, SubqueryNode) for value in of_none):
            raise not_supported("a subquery beside an aggregate in a subquery", self._span, "WITH names a query of its own")
        items, order = self._rows(items)
        values = [as_column(item.bound) for item in items]
        if not self._correlated and not any(has(value, OuterColumn) for value in values):
            return Subquery.of(self._finish(items, order), is_single)
        if is_single and self._select.args.get("having") is not None:
            raise not_supported("HAVING without GROUP BY in a subquery that refers to the query around it", self._span)
        if limit is not None or offset:
            if self._select.args.get("distinct") is not None:
                raise not_supported("DISTINCT with LIMIT in a subquery that refers to the query around it", self._span)
            order = [key.over(as_column(key.expression)) for key in order]
            plan, self._correlated = first_of_each(self._source.plan, order, self._correlated, limit, offset)
            self._source, is_single = Source(plan), is_single or limit == 1
        table, condition = self._source.plan, conjunction(self._correlated)
        if self._select.args.get("distinct") is not None:
            table, values, condition = distinct_values(table, values, condition, self._span)
        return Subquery(table, tuple(values), condition, None if of_none is None else tuple(of_none), is_single)

    @property
    def _span(self) -> Span | None:
        span: Span | None = self._select.meta.get("span")
        return span

    def _items(self) -> list[Item]:
        """The rows for which WHERE holds, and the select list over them."""
        where = self._select.args.get("where")
        if where is not None:
            self._filter(as_column(self._plain.boolean(where.this, "WHERE")))
        return items_of(self._select, self._items_binder)

    def _filter(self, predicate: Expression) -> None:
        """WHERE.  What needs no subquery comes before the subqueries are looked up, where no row that they drop can fail in it;
        what ties a subquery to the query around it is kept for that."""
        parts = conjuncts(predicate)
        first = next((i for i, part in enumerate(parts) if has(part, SubqueryNode)), None)
        if first is not None:
            is_early = [not has(part, SubqueryNode) and (i < first or not part.can_fail) for i, part in enumerate(parts)]
            early = [part for part, now in zip(parts, is_early, strict=True) if now]
            self._keep(conjunction(early))
            self._source, late = look_up(self._source, [part for part, now in zip(parts, is_early, strict=True) if not now])
            predicate = conjunction(late)
        self._keep(predicate)

    def _keep(self, predicate: Expression) -> None:
        if has(predicate, OuterColumn):
            parts = conjuncts(predicate)
            self._correlated += [part for part in parts if has(part, OuterColumn)]
            predicate = conjunction(part for part in parts if not has(part, OuterColumn))
        self._source = Source(filtered(self._source.plan, predicate), self._source.times)

    def _rows(self, items: list[Item]) -> tuple[list[Item], list[SortKey]]:
        """The rows that the select list is computed from, for which QUALIFY holds; it, and the keys of ORDER BY, over them."""
        qualify = self._select.args.get("qualify")
        if qualify is None:
            return self._computed(items)
        condition = self._items_binder.boolean(with_aliases(qualify.this, items), "QUALIFY")
        (*items, last), order = self._computed([*items, Item("QUALIFY", qualify.this, condition)])
        if has(last.bound, OuterColumn):
            raise not_supported("QUALIFY with a column of the query around it", self._span)
        self._source = Source(filtered(self._source.plan, as_column(last.bound)), self._source.times)
        return items, order

    def _computed(self, items: list[Item]) -> tuple[list[Item], list[SortKey]]:
        """The rows with all that is computed of groups and windows."""
        group, having = self._select.args.get("group"), self._select.args.get("having")
        conditions = [] if having is None else [self._items_binder.boolean(having.this, "HAVING")]
        grouped = group is not None or any(has(e, AggregateNode) for e in (*(i.bound for i in items), *conditions))
        order = order_of(self._select, items, self._items_binder)
        if grouped:
            binder = GroupBinder(self._select, self._source, self._plain)
            groups = binder.bind(items, conditions, order, self._correlated)
            self._correlated = groups.correlated
            self._source, items, order = with_windows(groups.source, groups.items, groups.order)
            return items, order
        if any(has(item.bound, GroupingNode) for item in items):
            raise ProgrammingError("GROUPING without GROUP BY", self._span)
        if having is not None:
            raise ProgrammingError("HAVING without GROUP BY", having.meta.get("span"), "use WHERE")
        self._source, placed = look_up(self._source, [*(i.bound for i in items), *(k.expression for k in order)])
        items = [Item(i.name, i.tree, bound) for i, bound in zip(items, placed)]
        order = [key.over(e) for key, e in zip(order, placed[len(items) :], strict=True)]
        if self._correlated and any(has(item.bound, WindowNode) for item in items):
            raise not_supported("OVER in a subquery that refers to the query around it", self._span)
        self._source, items, order = with_windows(self._source, items, order)
        return items, order

    def _finish(self, items: list[Item], order: list[SortKey]) -> Source:
        """ORDER BY, the select list, DISTINCT."""
        order = [key.over(as_column(key.expression)) for key in order]
        if self._select.args.get("distinct") is not None:
            return self._distinct(items, order)
        if order:
            own = len(self._source.schema.fields)
            items = [Item(i.name, i.tree, over_sorted(i.bound, own, self._source.is_stream)) for i in items]
            self._source = sort(self._source, order, self._select.args["order"].meta.get("span"))
        return self._project(items)

    def _project(self, items: Sequence[Item]) -> Source:
        return project(self._select, self._source, items, self._plain)

    def _distinct(self, items: Sequence[Item], order: list[SortKey]) -> Source:
        bound = [as_column(item.bound) for item in items]
        for item in items:
            check_comparable(item.bound, "DISTINCT", item.tree.meta.get("span"))
        projected = self._project(items)
        window: Window | None = None
        first = 1 if projected.is_stream else 0
        compared = list(range(first, len(projected.schema.fields)))
        if projected.is_stream:
            rowtimes = {i for i, expression in enumerate(bound, 1) if isinstance(expression, Column) and expression.index == 0}
            keys = sorted((i for i in projected.times if i > 0), key=lambda i: (i in rowtimes, i))
            if not keys:
                raise ProgrammingError(
                    "this SELECT DISTINCT never ends: no column follows ROWTIME",
                    self._select.meta.get("span"),
                    f"add STEP({self._plain.scope.rowtime} BY INTERVAL '1' MINUTE) to the select list",
                )
            time = projected.times[keys[0]]
            window = Window(keys[0], ROWTIME_COLUMN if time.marks_rows else time.form)
            compared = [i for i in compared if i not in rowtimes] or compared
        result = Source(nodes.Distinct(projected.schema, projected.plan, tuple(compared), window), projected.times)
        if not order:
            return result
        columns = []
        for key in order:
            if key.expression not in bound:
                raise ProgrammingError(
                    "with DISTINCT, ORDER BY can only use columns of the select list", self._select.args["order"].meta.get("span")
                )
            place = first + bound.index(key.expression)
            columns.append(key.over(Column(key.expression.type, place, items[place - first].name)))
        ordered = sort(result, columns, self._select.args["order"].meta.get("span"))
        return drop_own_rowtime(ordered)
