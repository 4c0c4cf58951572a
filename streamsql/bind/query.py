"""Queries: FROM, set operations, VALUES, WITH, LIMIT and table functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sqlglot import exp

from streamsql.bind.context import Context
from streamsql.bind.expressions import ExpressionBinder
from streamsql.bind.functions import convert
from streamsql.bind.joins import FromBinder
from streamsql.bind.parameters import Parameters
from streamsql.bind.reads import check_names, reads_tables_alone
from streamsql.bind.scope import Scope, ScopeRelation, as_column, folded
from streamsql.bind.select import SelectBinder
from streamsql.bind.set_operations import has_clauses, set_operation
from streamsql.bind.sorting import drop_own_rowtime, sort
from streamsql.bind.source import ONE_ROW, ROWTIME_COLUMN, ROWTIME_ITSELF, Source, TimeColumn
from streamsql.bind.subqueries import Subquery
from streamsql.bind.windows import sort_key
from streamsql.bind.wording import counted
from streamsql.catalog import Catalog, Stream, SystemTable, Table, View, nearest, unknown
from streamsql.coercion import common_type
from streamsql.errors import Error, ProgrammingError, Span, not_supported
from streamsql.expressions.nodes import Column, Constant, Expression
from streamsql.external.scan.request import Request, all_columns
from streamsql.external.table import ExternalTable
from streamsql.functions.registry import TABLE_FUNCTIONS
from streamsql.plan import nodes
from streamsql.plan.sort_keys import SortKey
from streamsql.types import ROWTIME, Field, Kind, Schema, SqlType, varchar


@dataclass(slots=True)
class QueryBinder:
    """Binds the queries of one statement.

    `name` is the statement's: what a random function in it draws its seed from.
    """

    catalog: Catalog
    parameters: Parameters = ()
    name: str = "query"
    _common: Mapping[str, Source] = field(default_factory=dict)
    _calls: int = 0
    _tables_alone: bool | None = None
    """Of the whole query; None before it is known."""

    @property
    def context(self) -> Context:
        """What the expressions of the statement can use besides columns."""
        return Context(self.parameters, self.catalog.functions, tables_alone=bool(self._tables_alone))

    def query(self, tree: exp.Expression) -> Source:
        """A query of any form."""
        if self._tables_alone is None:
            self._tables_alone = reads_tables_alone(tree, self.catalog)
            if not self._tables_alone:
                check_names(tree)
        with self._common_tables(tree):
            match tree:
                case exp.Select():
                    result = self._select(tree, None).bind()
                case exp.Subquery():
                    result = self.query(tree.this)
                case exp.Values():
                    result = self.values(tree)
                case exp.SetOperation():
                    result = set_operation(tree, self.query)
                case _:
                    raise not_supported(f"{tree.key} as a query", tree.meta.get("span"))
        if not isinstance(tree, exp.Select):
            result = self._order(tree, result)
        return self._limit(tree, result)

    def subquery(self, tree: exp.Expression, outer: Scope) -> Subquery:
        """A query inside an expression, over `outer`; a SELECT may refer to it."""
        while isinstance(tree, exp.Subquery) and not has_clauses(tree):
            tree = tree.this
        span = tree.meta.get("span")
        if not isinstance(tree, exp.Select):
            result = Subquery.of(self.query(tree))
        else:
            with self._common_tables(tree):
                result = self._select(tree, outer).bind_subquery(*self._limits(tree))
            if not result.is_tied:
                result = replace(result, table=self._limit(tree, Source(result.table)).plan)
        if result.table.schema.is_stream:
            text = "a subquery in an expression reads tables, and this one reads a stream, which never ends"
            raise ProgrammingError(text, span, "join the stream in FROM")
        return result

    @contextmanager
    def _common_tables(self, tree: exp.Expression) -> Iterator[None]:
        """What WITH names, while its query is bound."""
        outer = self._common
        with_ = tree.args.get("with_")
        try:
            if with_ is not None:
                self._bind_common(with_)
            yield
        finally:
            self._common = outer

    # -- SELECT and its FROM -------------------------------------------------------------------------------------------

    def _select(self, tree: exp.Select, outer: Scope | None) -> SelectBinder:
        from_ = tree.args.get("from_")
        if from_ is None:
            source, scope = Source(ONE_ROW), Scope((), outer)
        else:
            windows = {folded(window.this): window for window in tree.args.get("windows") or ()}
            binder = FromBinder(self._item, windows, self.context, self.subquery)
            source, scope = binder.bind(from_.this, tree.args.get("joins") or ())
            scope = Scope(scope.relations, outer)
        if from_ is not None and self._says_stream(tree) and not source.is_stream:
            span = tree.args["operation_modifiers"][0].meta.get("span")
            raise ProgrammingError("SELECT STREAM reads no stream here", span, "leave out STREAM")
        return SelectBinder(tree, source, scope, self.context, self.subquery)

    def _says_stream(self, tree: exp.Select) -> bool:
        return any(word.name.upper() == "STREAM" for word in tree.args.get("operation_modifiers") or ())

    def _item(self, item: exp.Expression) -> tuple[Source, str | None]:
        """One item of FROM, and its name."""
        source, name = self._from(item)
        alias = item.args.get("alias")
        if alias is None:
            return source, name
        columns = [folded(column) for column in alias.args.get("columns") or ()]
        return _renamed(source, columns, alias.meta.get("span")) if columns else source, folded(alias.this)

    def _from(self, item: exp.Expression) -> tuple[Source, str | None]:
        """The rows of an item of FROM, and the name that it has without an alias."""
        match item:
            case exp.Table():
                return self._relation(item), folded(item.this)
            case exp.Subquery():
                return self.query(item.this), None
            case exp.Values():
                return self.values(item), None
            case exp.TableFromRows():
                return self._table_function(item), None
            case _:
                raise not_supported(f"{item.key} in FROM", item.meta.get("span"))

    def _relation(self, item: exp.Table) -> Source:
        name, span = folded(item.this), item.meta.get("span")
        database = item.args.get("db")
        if name in self._common and database is None:
            return self._common[name]
        relation = self.catalog.relation(name, None if database is None else str(database.this))
        match relation:
            case Stream(schema=schema):
                return Source.of(nodes.Scan(schema, name))
            case Table(schema=schema):
                return Source(nodes.Scan(schema, name))
            case View(statement=statement):
                inner = QueryBinder(self.catalog.within(relation.database), (), f"{self.name}/{name}")
                source = inner.query(statement.query)
                if statement.columns:
                    source = _renamed(source, [column.name for column in statement.columns], span)
                return source
            case SystemTable(schema=schema):
                return Source(nodes.SystemScan(schema, relation))
            case ExternalTable():
                return Source(nodes.ExternalScan.of(Request(relation, all_columns(relation))))
            case _:
                raise self._unknown(item, name)

    def _unknown(self, item: exp.Table, name: str) -> Error:
        """The error for a name that is not there: of a stream, or of a table where a database stands in front."""
        database = item.args.get("db")
        known = None if database is None else self.catalog.databases.database(str(database.this))
        if known is None:
            names = [*self.catalog.relations, *self.catalog.databases.names()]
            return unknown("stream", name, dict.fromkeys(names), item.meta.get("span"))
        hint = nearest(str(item.this.this), [table.name for table in known.tables.values()])
        return ProgrammingError(f"no table {item.this.this} in database {known.name}", item.meta.get("span"), hint)

    def _bind_common(self, with_: exp.With) -> None:
        if with_.args.get("recursive"):
            raise not_supported("WITH RECURSIVE", with_.meta.get("span"))
        for table in with_.expressions:
            alias = table.args["alias"]
            source = self.query(table.this)
            columns = alias.args.get("columns") or ()
            if columns:
                source = _renamed(source, [folded(column) for column in columns], alias.meta.get("span"))
            self._common = {**self._common, folded(alias.this): source}

    def _table_function(self, item: exp.TableFromRows) -> Source:
        call = item.this
        name, span = str(call.this).upper(), call.meta.get("span")
        function = TABLE_FUNCTIONS.get(name)
        if function is None:
            raise ProgrammingError(f"no table function {name}", span, nearest(name, TABLE_FUNCTIONS))
        cursors = [a for a in call.expressions if isinstance(a, exp.Subquery) and a.meta.get("cursor")]
        if len(cursors) != 1 or call.expressions[0] is not cursors[0]:
            form = f"TABLE({name}(CURSOR(SELECT STREAM * FROM stream), ...))"
            raise ProgrammingError(f"{name} takes a CURSOR as its first argument", span, form)
        source = self.query(cursors[0].this)
        if not source.is_stream:
            raise ProgrammingError(f"{name} reads a stream", cursors[0].meta.get("span"))
        binder = ExpressionBinder(Scope(()), self.context)
        arguments: list[Any] = []
        for tree in call.expressions[1:]:
            bound = binder.bind(tree)
            if not isinstance(bound, Constant):
                raise ProgrammingError(f"an argument of {name} must be a constant", tree.meta.get("span"))
            arguments.append(bound.value)
        try:
            checked = function.check(source.schema, arguments)
        except ProgrammingError as error:
            error.span = error.span or span
            raise
        self._calls += 1
        schema = function.output(source.schema, checked)
        plan = nodes.TableCall(schema, source.plan, function, checked, f"{self.name}/{self._calls}")
        passed = {i for i, (new, old) in enumerate(zip(schema.fields, source.schema.fields)) if new == old}
        kept = {i: time for i, time in source.times.items() if i in passed}
        return Source(plan, kept)

    # -- VALUES, ORDER BY and LIMIT of a whole query ----------------------------------------------------------

    def values(self, tree: exp.Values, untyped: bool = False) -> Source:
        binder = ExpressionBinder(Scope(()), self.context)
        rows = [[binder.bind(value) for value in row.expressions] for row in tree.expressions]
        width = len(rows[0])
        for row, node in zip(rows, tree.expressions, strict=True):
            if len(row) != width:
                raise ProgrammingError(f"this row has {counted(len(row))}, the first has {width}", node.meta.get("span"))
        columns: list[SqlType] = []
        for i in range(width):
            common = common_type([row[i].type for row in rows])
            if common is None:
                kinds = ", ".join(dict.fromkeys(str(row[i].type) for row in rows))
                raise ProgrammingError(f"column {i + 1} of VALUES has no common type: {kinds}", tree.meta.get("span"))
            columns.append(varchar(1) if common.kind is Kind.NULL and not untyped else common)
        fields = tuple(Field(f"EXPR${i}", type_) for i, type_ in enumerate(columns))
        converted = tuple(tuple(convert(v, t) for v, t in zip(row, columns, strict=True)) for row in rows)
        return Source(nodes.Values(Schema(fields), converted))

    def _order(self, tree: exp.Expression, source: Source) -> Source:
        order = tree.args.get("order")
        if order is None:
            return source
        scope = Scope((ScopeRelation(None, source.schema.fields, 0),))
        binder = ExpressionBinder(scope, self.context)
        keys: list[SortKey] = []
        for ordered in order.expressions:
            key = ordered.this
            if isinstance(key, exp.Literal) and str(key.this).isdigit():
                visible = source.schema.visible_indices
                if not 1 <= int(key.this) <= len(visible):
                    raise ProgrammingError(f"ORDER BY {key.this}: the query gives {counted(len(visible))}", key.meta.get("span"))
                place = visible[int(key.this) - 1]
                bound: Expression = Column(source.schema.fields[place].type, place, source.schema.fields[place].name)
            else:
                bound = as_column(binder.bind(key))
            keys.append(sort_key(ordered, bound))
        return drop_own_rowtime(sort(source, keys, order.meta.get("span")))

    def _limit(self, tree: exp.Expression, source: Source) -> Source:
        count, offset = self._limits(tree)
        if count is None and not offset:
            return source
        return Source(nodes.Limit(source.schema, source.plan, count, offset), source.times)

    def _limits(self, tree: exp.Expression) -> tuple[int | None, int]:
        """LIMIT, None where there is none, and OFFSET."""
        return self._count(tree.args.get("limit")), self._count(tree.args.get("offset")) or 0

    def _count(self, clause: exp.Expression | None) -> int | None:
        if clause is None:
            return None
        tree = clause.expression
        bound = ExpressionBinder(Scope(()), self.context).bind(tree)
        if not isinstance(bound, Constant) or not bound.type.is_integer or bound.value < 0:
            raise ProgrammingError(f"{clause.key.upper()} takes a whole number", tree.meta.get("span"))
        return int(bound.value)


def _renamed(source: Source, names: Sequence[str], span: Span | None) -> Source:
    """A relation with other names for its columns: exactly as many as it has, without ROWTIME."""
    places = source.schema.visible_indices
    if len(names) != len(places):
        raise ProgrammingError(f"{counted(len(names))} named, there are {len(places)}", span, "ROWTIME is not one of them")
    if ROWTIME in names and source.is_stream:
        raise ProgrammingError("ROWTIME cannot be renamed or listed", span)
    first = 1 if source.is_stream else 0
    fields = [Field(name, source.schema.fields[p].type) for name, p in zip(names, places, strict=True)]
    schema = Schema.stream(fields) if source.is_stream else Schema(tuple(fields))
    columns = tuple(Column(source.schema.fields[p].type, p, name) for name, p in zip(names, places, strict=True))
    times: dict[int, TimeColumn] = {0: ROWTIME_ITSELF} if source.is_stream else {}
    times |= {first + i: source.times[p] for i, p in enumerate(places) if p in source.times}
    plan = nodes.Project(schema, source.plan, (ROWTIME_COLUMN, *columns) if source.is_stream else columns)
    return Source(plan, times)
