"""The functions for the rules of grammar/streamsql.lark that are queries and their clauses."""

from __future__ import annotations

from lark import Token
from sqlglot import exp

from streamsql.errors import ProgrammingError
from streamsql.sql.lexer import span_of as place
from streamsql.sql.rules import at, rule, span_of
from streamsql.sql.trees.literals import number_literal
from streamsql.sql.trees.names import Names, alias_of, identifier
from streamsql.statements.statement import Identifier


@rule
def subquery(query: exp.Expression) -> exp.Subquery:
    return exp.Subquery(this=query)


@rule
def query(body: exp.Expression, order: exp.Order | None, limits: list[exp.Expression]) -> exp.Expression:
    """A query with what binds to the whole of it."""
    if order is not None:
        body.set("order", order)
    for limit in limits:
        key = limit.key
        if body.args.get(key):
            raise ProgrammingError(f"a second {key.upper()}", span_of(limit))
        body.set(key, limit)
    return body


@rule
def query_with(ctes: exp.With, body: exp.Expression, order: exp.Order | None, limits: list[exp.Expression]) -> exp.Expression:
    if isinstance(body, exp.Values):
        raise ProgrammingError("WITH stands before SELECT, not before VALUES", span_of(ctes))
    body.set("with_", ctes)
    return query(body, order, limits)


@rule
def recursive(*words: Token) -> bool:
    return bool(words)


@rule
def common_table(name: Identifier, columns: Names | None, query: exp.Expression) -> exp.CTE:
    return exp.CTE(this=query, alias=alias_of(name, columns))


@rule
def with_clause(recursive: bool, *tables: exp.CTE) -> exp.With:
    return exp.With(expressions=list(tables), recursive=recursive)


@rule
def set_quantifier(*words: Token) -> Token | None:
    return words[0] if words else None


@rule
def set_operator(word: Token, quantifier: Token | None) -> tuple[type[exp.SetOperation], bool]:
    kind = exp.Union if word.type == "UNION" else exp.Except
    return kind, quantifier is None or quantifier.type == "DISTINCT"


@rule
def union(left: exp.Expression, operator: tuple[type[exp.SetOperation], bool], right: exp.Expression) -> exp.Expression:
    kind, distinct = operator
    return kind(this=left, expression=right, distinct=distinct)


@rule
def intersection(left: exp.Expression, quantifier: Token | None, right: exp.Expression) -> exp.Expression:
    distinct = quantifier is None or quantifier.type == "DISTINCT"
    return exp.Intersect(this=left, expression=right, distinct=distinct)


@rule
def values(*rows: exp.Expression) -> exp.Values:
    return exp.Values(
        expressions=[row if isinstance(row, exp.Tuple) else at(exp.Tuple(expressions=[row]), span_of(row)) for row in rows]
    )


@rule
def stream(*words: Token) -> exp.Var | None:
    return at(exp.Var(this="STREAM"), place(words[0])) if words else None


@rule
def star() -> exp.Star:
    return exp.Star()


@rule
def qualified_star(*names: Identifier) -> exp.Column:
    if len(names) > 3:
        raise ProgrammingError("at most three names stand before a star: catalog.schema.table.*")
    tables = dict(zip(("table", "db", "catalog"), map(identifier, reversed(names))))
    return exp.Column(this=at(exp.Star(), names[-1].span), **tables)


@rule
def aliased(value: exp.Expression, name: Identifier) -> exp.Alias:
    return exp.Alias(this=value, alias=identifier(name))


@rule
def select_list(*items: exp.Expression) -> list[exp.Expression]:
    return list(items)


@rule
def select(
    stream: exp.Var | None,
    quantifier: Token | None,
    top: exp.Limit | None,
    items: list[exp.Expression],
    sources: list[exp.Join] | None,
    where: exp.Where | None,
    group: exp.Group | None,
    having: exp.Having | None,
    qualify: exp.Qualify | None,
    windows: list[exp.Window] | None,
) -> exp.Select:
    node = exp.Select(expressions=items, where=where, group=group, having=having, windows=windows)
    if top is not None:
        node.set("limit", top)
    if qualify is not None:
        node.set("qualify", qualify)
    if stream is not None:
        node.set("operation_modifiers", [stream])
    if quantifier is not None and quantifier.type == "DISTINCT":
        node.set("distinct", at(exp.Distinct(), place(quantifier)))
    if sources:
        first, *joins = sources
        node.set("from_", at(exp.From(this=first.this), span_of(first.this)))
        node.set("joins", joins)
    return node


@rule
def where(condition: exp.Expression | None = None) -> exp.Where | None:
    return exp.Where(this=condition) if condition is not None else None


@rule
def group(*keys: exp.Expression) -> exp.Group | None:
    return exp.Group(expressions=list(keys)) if keys else None


@rule
def rollup(*keys: exp.Expression) -> exp.Rollup:
    return exp.Rollup(expressions=list(keys))


@rule
def cube(*keys: exp.Expression) -> exp.Cube:
    return exp.Cube(expressions=list(keys))


@rule
def grouping_sets(*sets: exp.Expression) -> exp.GroupingSets:
    return exp.GroupingSets(expressions=list(sets))


@rule
def empty_set() -> exp.Tuple:
    return exp.Tuple(expressions=[])


@rule
def stagger(*parts: exp.Expression) -> exp.Group:
    *keys, width = parts
    node = exp.Group(expressions=keys)
    node.meta["stagger"] = width
    return node


@rule
def having(condition: exp.Expression | None = None) -> exp.Having | None:
    return exp.Having(this=condition) if condition is not None else None


@rule
def qualify(condition: exp.Expression | None = None) -> exp.Qualify | None:
    return exp.Qualify(this=condition) if condition is not None else None


@rule
def top(count: Token | None = None) -> exp.Limit | None:
    return exp.Limit(expression=at(number_literal(str(count)), place(count))) if count is not None else None


@rule
def direction(*words: Token) -> bool:
    return bool(words) and words[0].type == "DESC"


@rule
def nulls_order(*words: Token) -> bool | None:
    return words[1].type == "FIRST" if words else None


@rule
def within(width: exp.Expression | None = None) -> exp.Expression | None:
    return width


@rule
def sort_key(value: exp.Expression, descending: bool, nulls_first: bool | None, within: exp.Expression | None) -> exp.Ordered:
    node = exp.Ordered(this=value, desc=descending, nulls_first=descending if nulls_first is None else nulls_first)
    if within is not None:
        node.meta["within"] = within
    return node


@rule
def order_by(*keys: exp.Ordered) -> exp.Order | None:
    return exp.Order(expressions=list(keys)) if keys else None


@rule
def limit(count: exp.Expression | None = None) -> exp.Limit | None:
    return exp.Limit(expression=count) if count is not None else None


@rule
def fetch_one(only: Token) -> exp.Limit:
    return exp.Limit(expression=at(number_literal("1"), place(only)))


@rule
def offset(count: exp.Expression) -> exp.Offset:
    return exp.Offset(expression=count)


@rule
def limits(*clauses: exp.Expression | None) -> list[exp.Expression]:
    return [clause for clause in clauses if clause is not None]
