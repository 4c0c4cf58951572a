"""One SELECT: its clauses in the order in which rows pass them.

FROM -> WHERE -> GROUP BY -> HAVING            a grouped query
FROM -> WHERE -> OVER                          any other
... -> ORDER BY -> the select list             sorted before it is computed, since ROWTIME in it is that of the sorted row
... -> the select list -> DISTINCT -> ORDER BY
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from streamsql.bind.context import Context
from streamsql.bind.expressions import ExpressionBinder
from streamsql.bind.grouping import GroupBinder
from streamsql.bind.over import with_windows
from streamsql.bind.records import check_comparable
from streamsql.bind.scope import Scope, as_column, folded
from streamsql.bind.select_list import Item, items_of, order_of, project
from streamsql.bind.sorting import drop_own_rowtime, over_sorted, sort
from streamsql.bind.source import ROWTIME_COLUMN, Source
from streamsql.bind.unplaced import AggregateNode, has
from streamsql.errors import ProgrammingError
from streamsql.expressions.nodes import Column
from streamsql.plan import nodes
from streamsql.plan.conditions import filtered


class SelectBinder:
    """Binds one SELECT over the relations of its FROM clause."""

    def __init__(self, select: exp.Select, source: Source, scope: Scope, context: Context) -> None:
        self._select = select
        self._source = source
        windows = {folded(window.this): window for window in select.args.get("windows") or ()}
        self._plain = ExpressionBinder(scope, context, windows)
        self._items_binder = ExpressionBinder(scope, context, windows, aggregates=True, over=True)

    def bind(self) -> Source:
        """The SELECT as a relation."""
        where = self._select.args.get("where")
        if where is not None:
            predicate = as_column(self._plain.boolean(where.this, "WHERE"))
            self._source = Source(filtered(self._source.plan, predicate), self._source.times)
        items = items_of(self._select, self._items_binder)
        group, having = self._select.args.get("group"), self._select.args.get("having")
        conditions = [] if having is None else [self._items_binder.boolean(having.this, "HAVING")]
        grouped = group is not None or any(has(e, AggregateNode) for e in (*(i.bound for i in items), *conditions))
        order = order_of(self._select, items, self._items_binder)
        if grouped:
            self._source, items, order = GroupBinder(self._select, self._source, self._plain).bind(items, conditions, order)
        elif having is not None:
            raise ProgrammingError("HAVING without GROUP BY", having.meta.get("span"), "use WHERE")
        else:
            self._source, items, order = with_windows(self._select, self._source, items, order)
        return self._finish(items, order)

    def _finish(self, items: list[Item], order: list[nodes.SortKey]) -> Source:
        """ORDER BY, the select list, DISTINCT."""
        order = [nodes.SortKey(as_column(key.expression), key.descending) for key in order]
        if self._select.args.get("distinct") is not None:
            return self._distinct(items, order)
        if order:
            own = len(self._source.schema.fields)
            items = [Item(i.name, i.tree, over_sorted(i.bound, own, self._source.is_stream)) for i in items]
            self._source = sort(self._source, order, self._select.args["order"].meta.get("span"))
        return self._project(items)

    def _project(self, items: Sequence[Item]) -> Source:
        return project(self._select, self._source, items, self._plain)

    def _distinct(self, items: Sequence[Item], order: list[nodes.SortKey]) -> Source:
        bound = [as_column(item.bound) for item in items]
        for item in items:
            check_comparable(item.bound, "DISTINCT", item.tree.meta.get("span"))
        projected = self._project(items)
        window: nodes.Window | None = None
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
            window = nodes.Window(keys[0], ROWTIME_COLUMN if time.marks_rows else time.form)
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
            columns.append(nodes.SortKey(Column(key.expression.type, place, items[place - first].name), key.descending))
        ordered = sort(result, columns, self._select.args["order"].meta.get("span"))
        return drop_own_rowtime(ordered)
