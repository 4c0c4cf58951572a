"""The functions for the rules of grammar/streamsql.lark: statements, queries, FROM items, windows.

What is no query is a dataclass of `streamsql.statements`; its expressions and queries are sqlglot's own nodes, of which
this is the complete list.  `A[x, y]` is `exp.Anonymous(this="A", expressions=[x, y])`; words in capitals within brackets
are `exp.Var`.  `meta["span"]` (a `Span`) is on every expression, name, query, FROM item, join and clause.  `meta` is not
part of a node's equality: where two texts mean different things, their trees differ, `meta` aside.  Brackets leave no
node.  Names are kept as written: `exp.Identifier(this=text, quoted=bool)`.

Literals, each with `meta["type"]` (a `SqlType`) and `meta["value"]` (see `literals`)

    'text'  u&'text'            Literal(is_string=True), type CHAR(length)
    12  1.50  1e2               Literal(is_string=False), as written; INTEGER or BIGINT, DECIMAL, DOUBLE
    DATE '...'  {d '...'}       Cast(this=Literal, to=DataType), value a date; TIME and TIMESTAMP alike, value milliseconds.
    INTERVAL '1' MINUTE(3)      Cast(this=Literal, to=DataType(Interval(unit=Var))), value milliseconds or months, negative
                                where a sign says so.  Casts are told apart: only literals have meta["value"]
    TRUE  FALSE                 Boolean                  (no value in meta)
    NULL  UNKNOWN               Null, type NULL or BOOLEAN (no value in meta)
    ?  :name                    Placeholder() with meta["index"] from 0 on in its statement; Placeholder(this=name)

Columns

    a  t.a  s.t.a  c.s.t.a      Column(this, table, db, catalog); a record's member alias.record.FIELD has table=record,
                                db=alias.  ROWTIME and its like are columns
    *  t.*                      Star; Column(this=Star, table, db, catalog)
    x AS n  x n                 Alias(this=x, alias=Identifier); an item without a name has no Alias

Operators

    a OR b  a AND b  NOT a      Or, And, Not.  Chains lean left; from BALANCED_FROM operands on they are balanced (also ||)
    = <> != < <= > >=           EQ, NEQ, NEQ, LT, LTE, GT, GTE
    a = ANY (q)  SOME  ALL      EQ(this=a, expression=Any(this=Subquery)), SOME as ANY; All(this=Subquery)
    a IS [NOT] NULL  UNKNOWN    Is(this=a, expression=Null, typed as above), in a Not
    a IS [NOT] TRUE  FALSE      Is(this=a, expression=Boolean), in a Not
    a IS [NOT] DISTINCT FROM b  NullSafeNEQ; with NOT: NullSafeEQ
    a [NOT] BETWEEN b AND c     Between(this, low, high), in a Not
    a [NOT] IN (b, c)  IN (q)   In(this, expressions=[...]), In(this, query=Subquery), in a Not
    a [NOT] LIKE b ESCAPE c     Escape(this=Like(this, expression), expression=c) or Like, in a Not; SIMILAR TO: SimilarTo
    EXISTS (q)  (q)             Exists(this=query); Subquery(this=query)
    + - * /  -a  +a  ||         Add, Sub, Mul, Div, Neg, a, DPipe
    (a, b)  ROW(a, b)           Tuple(expressions=[a, b]); PERIOD(a, b) as well
    p CONTAINS q                CONTAINS[p, q]; EQUALS, OVERLAPS, PRECEDES, SUCCEEDS, LEADS, LAGS alike, with STRICTLY_ or
                                IMMEDIATELY_ in front: STRICTLY_CONTAINS[p, q].  A chain is an And of its steps
    (a - b) DAY TO SECOND(3)    INTERVAL[a - b, Var("DAY TO SECOND")], meta["type"] the interval type
    CASE a WHEN b THEN c ELSE d END   Case(this=a or None, ifs=[If(this=b, true=c)], default=d or None)
    CAST(a AS t)                Cast(this=a, to=DataType), meta["type"]

Functions: the name in upper case unless quoted (then as written, with meta["quoted"])

    F(a, b)  F(*)               F[a, b]; F[Star]
    F(DISTINCT a, b)            F[Distinct(expressions=[a, b])]; ALL leaves nothing
    FLOOR(a)  FLOOR(a TO u)     Floor(this=a, to=None or Var u); CEIL and CEILING: Ceil
    STEP(a BY b)                STEP[a, b]
    EXTRACT(u FROM a)           EXTRACT[u, a]
    TRIM(LEADING b FROM a)      TRIM[LEADING, b, a], filled up with BOTH and ' '
    SUBSTRING(a FROM b FOR c)   SUBSTRING[a, b, c] or [a, b], meta["form"] "from"; SUBSTRING(a, b, c): "comma"
    SUBSTRING(a SIMILAR b ESCAPE c)   SUBSTRING_SIMILAR[a, b, c]
    OVERLAY(a PLACING b FROM c FOR d)   OVERLAY[a, b, c, d] or [a, b, c]
    POSITION(a IN b)            POSITION[a, b]
    CURRENT_DATE ...            CURRENT_DATE[]; LOCALTIME, CURRENT_ROW_TIMESTAMP, SYSTEM_USER ... alike
    NTH_VALUE(a, b) FROM LAST   NTH_VALUE[a, b, LAST]; FROM FIRST: [a, b, FIRST]; neither: [a, b]
    f IGNORE NULLS              IgnoreNulls(this=f), RespectNulls
    f OVER w  f OVER (...)      Window(this=f or IgnoreNulls, alias=Identifier); Window(this, partition_by, order, spec, alias)

Windows: `alias` is the named window that is referred to or built on.

    (PARTITION BY a ORDER BY b frame)   partition_by=[...], order=Order or None, spec=WindowSpec or None
    ROWS b PRECEDING            WindowSpec(kind="ROWS", start=b, start_side="PRECEDING", end="CURRENT ROW", end_side=None);
                                start and end are an expression, "UNBOUNDED" or "CURRENT ROW"; RANGE alike
    WINDOW w AS (...)           Select.args["windows"] = [Window(this=Identifier w, partition_by, order, spec, alias)]

Queries

    SELECT STREAM DISTINCT ...  Select(expressions, from_, joins, where, group, having, windows, distinct=Distinct(),
                                operation_modifiers=[STREAM])
    FROM a, b JOIN c ON d       from_=From(this=a), joins=[Join(this=b), Join(this=c, kind="INNER", on=d)]: in the order of
                                the text, a comma being a Join without kind, side and method
    LEFT JOIN ... USING (a)     Join(this, side="LEFT", using=[Identifier]); kind "INNER" or "CROSS", method "NATURAL"
    WHERE  HAVING               Where(this), Having(this)
    GROUP BY a, b               Group(expressions=[a, b])
    WINDOWED BY STAGGER (PARTITION BY a, b RANGE c)   Group(expressions=[a, b]), meta["stagger"] = c
    ORDER BY a DESC WITHIN b    Order(expressions=[Ordered(this=a, desc=bool, nulls_first=bool)]), meta["within"] = b of the
                                Ordered; in args["order"] of the Select, Values, Union or Subquery that it sorts
    LIMIT a OFFSET b            Limit(expression=a), Offset(expression=b), where the order is; FETCH FIRST a ROWS ONLY: Limit
    VALUES (a, b), c            Values(expressions=[Tuple[a, b], Tuple[c]])
    q UNION [ALL] q             Union(this, expression, distinct=bool), Except, Intersect
    WITH a (b) AS (q) SELECT    args["with_"] = With(expressions=[CTE(this=q, alias=TableAlias)], recursive=bool)

FROM items; alias=TableAlias(this=Identifier, columns=[Identifier, ...]) where there is one

    s.t AS a (b, c)             Table(this, db, catalog, alias)
    (q) AS a                    Subquery(this=q, alias); (VALUES ...) AS a (b): Values(expressions, alias)
    (a JOIN b ON c)             Subquery(this=a), the joins in a.args["joins"]
    t OVER w AS a               the item with meta["over"] = Window, as OVER of functions but without `this`
    TABLE(F(CURSOR(q), a))      TableFromRows(this=F[Subquery(this=q) with meta["cursor"] = True, a], alias)
"""

from __future__ import annotations

from typing import Any

from lark import Token
from sqlglot import exp

from streamsql.errors import ProgrammingError
from streamsql.sql.build_expressions import call_of, identifier, number_literal
from streamsql.sql.lexer import span_of as place
from streamsql.sql.rules import at, rule, span_of
from streamsql.statements import (
    AlterPump,
    ColumnDefinition,
    CreateForeignStream,
    CreateFunction,
    CreatePump,
    CreateSchema,
    CreateStream,
    CreateView,
    Drop,
    Explain,
    Identifier,
    Insert,
    ObjectName,
    Query,
    SetOption,
    Statement,
)
from streamsql.types import SqlType

MAX_NAME = 128

Names = tuple[Identifier, ...]


# Names.


@rule
def name(token: Token) -> Identifier:
    quoted = token.type == "QUOTED_NAME"
    text = token[1:-1].replace('""', '"') if quoted else str(token)
    if not text:
        raise ProgrammingError('a name cannot be empty: ""')
    if len(text) > MAX_NAME:
        raise ProgrammingError(f"a name has at most {MAX_NAME} characters, this one has {len(text)}")
    return Identifier(text, quoted, place(token))


@rule
def object_name(*names: Identifier) -> ObjectName:
    return ObjectName(names)


# Statements.


@rule
def query_statement(query: exp.Expression) -> Query:
    return Query(query)


@rule
def or_replace(*words: Token) -> bool:
    return bool(words)


@rule
def description(text: exp.Literal | None = None) -> str | None:
    return text.this if text is not None else None


@rule
def not_null(*words: Token) -> bool:
    return bool(words)


@rule
def column_definition(name: Identifier, type_: SqlType, not_null: bool) -> ColumnDefinition:
    if type_.is_interval:
        raise ProgrammingError(f"INTERVAL cannot be the type of a column: {name}", hint="keep milliseconds in a BIGINT instead")
    return ColumnDefinition(name, type_, not not_null)


@rule
def column_definitions(*columns: ColumnDefinition) -> tuple[ColumnDefinition, ...]:
    return columns


@rule
def column_names(*names: Identifier) -> Names | None:
    return names or None


@rule
def create_stream(
    replace: bool, name: ObjectName, columns: tuple[ColumnDefinition, ...], description: str | None
) -> CreateStream:
    return CreateStream(name, columns, replace, description)


@rule
def option_key(token: Token) -> str:
    return token[1:-1].replace('""', '"') if token.type == "QUOTED_NAME" else str(token)


@rule
def option(key: str, value: exp.Literal) -> tuple[str, str]:
    return key, value.this


@rule
def options(*pairs: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return pairs


@rule
def create_foreign_stream(
    replace: bool,
    name: ObjectName,
    columns: tuple[ColumnDefinition, ...],
    server: Identifier,
    options: tuple[tuple[str, str], ...],
    description: str | None,
) -> CreateForeignStream:
    return CreateForeignStream(name, columns, server, options, replace, description)


@rule
def pump_state(*words: Token) -> bool:
    return not words or words[0].type == "STARTED"


@rule
def create_pump(replace: bool, name: ObjectName, started: bool, description: str | None, insert: Insert) -> CreatePump:
    return CreatePump(name, insert, replace, started, description)


@rule
def create_view(
    replace: bool, name: ObjectName, columns: Names | None, description: str | None, query: exp.Expression
) -> CreateView:
    return CreateView(name, columns, query, replace, description)


@rule
def create_schema(_replace: bool, name: ObjectName) -> CreateSchema:
    return CreateSchema(name)


@rule
def parameter(name: Identifier, type_: SqlType) -> ColumnDefinition:
    return ColumnDefinition(name, type_)


@rule
def parameters(*parameters: ColumnDefinition) -> tuple[ColumnDefinition, ...]:
    return parameters


@rule
def function_clause(*words: Token | ObjectName) -> str:
    return " ".join(word.type for word in words if isinstance(word, Token))


@rule
def function_clauses(*clauses: str) -> tuple[str, ...]:
    return clauses


@rule
def create_function(
    replace: bool,
    name: ObjectName,
    parameters: tuple[ColumnDefinition, ...],
    returns: SqlType,
    clauses: tuple[str, ...],
    body: exp.Expression,
) -> CreateFunction:
    return CreateFunction(name, parameters, returns, body, replace, "RETURNS NULL ON NULL INPUT" in clauses)


@rule
def expedited(*words: Token) -> bool:
    return bool(words)


@rule
def insert_columns(*names: Identifier) -> Names:
    return names


@rule
def insert(expedited: bool, target: ObjectName, *rest: Any) -> Insert:
    *columns, query = rest
    return Insert(target, columns[0] if columns else None, query, expedited)


@rule
def alter_pump(_alter: Token, _pump: Token, name: ObjectName, action: Token) -> AlterPump:
    return AlterPump(name, action.type == "START")


@rule
def signed_number(value: exp.Literal) -> exp.Literal:
    return exp.Literal(this=f"-{value.this}", is_string=False)


@rule
def set_option(name: Identifier, value: exp.Literal | Identifier) -> SetOption:
    return SetOption(name.name, value.text if isinstance(value, Identifier) else value.this)


@rule
def set_schema(schema: exp.Literal) -> SetOption:
    return SetOption("SCHEMA", schema.this)


@rule
def drop_kind(*words: Token) -> str:
    return " ".join(word.type for word in words)


@rule
def if_exists(*words: Token) -> bool:
    return bool(words)


@rule
def drop_behaviour(*words: Token) -> bool:
    return any(word.type == "CASCADE" for word in words)


@rule
def drop(kind: str, if_exists: bool, name: ObjectName, cascade: bool) -> Drop:
    return Drop(kind, name, if_exists, cascade)


@rule
def analyze(*words: Token) -> bool:
    return bool(words)


@rule
def plan_for() -> None:
    return None


@rule
def explain(analyze: bool, _plan_for: None, statement: Statement) -> Explain:
    return Explain(statement, analyze)


# Queries.


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
    return exp.CTE(this=query, alias=_alias(name, columns))


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
    return exp.Column(this=exp.Star(), **tables)


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
    items: list[exp.Expression],
    sources: list[exp.Join] | None,
    where: exp.Where | None,
    group: exp.Group | None,
    having: exp.Having | None,
    windows: list[exp.Window] | None,
) -> exp.Select:
    node = exp.Select(expressions=items, where=where, group=group, having=having, windows=windows)
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
def stagger(*parts: exp.Expression) -> exp.Group:
    *keys, width = parts
    node = exp.Group(expressions=keys)
    node.meta["stagger"] = width
    return node


@rule
def having(condition: exp.Expression | None = None) -> exp.Having | None:
    return exp.Having(this=condition) if condition is not None else None


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
def fetch_one() -> exp.Limit:
    return exp.Limit(expression=number_literal("1"))


@rule
def offset(count: exp.Expression) -> exp.Offset:
    return exp.Offset(expression=count)


@rule
def limits(*clauses: exp.Expression | None) -> list[exp.Expression]:
    return [clause for clause in clauses if clause is not None]


# FROM items.


@rule
def from_clause(*items: list[exp.Join]) -> list[exp.Join] | None:
    """All FROM items and joins in the order of the text; the first join is the first item itself."""
    return [join for item in items for join in item] or None


@rule
def from_item(first: exp.Expression, *joins: exp.Join) -> list[exp.Join]:
    return [at(exp.Join(this=first), span_of(first)), *joins]


@rule
def join_type(*words: Token) -> dict[str, str]:
    kinds = [word.type for word in words]
    side = next((kind for kind in kinds if kind in ("LEFT", "RIGHT", "FULL")), None)
    return {"side": side} if side else {}


@rule
def on(condition: exp.Expression) -> dict[str, Any]:
    return {"on": condition}


@rule
def using(*names: Identifier) -> dict[str, Any]:
    return {"using": [identifier(name) for name in names]}


@rule
def no_condition() -> dict[str, Any]:
    return {}


@rule
def join(kind: dict[str, str], item: exp.Expression, condition: dict[str, Any]) -> exp.Join:
    return exp.Join(this=item, **(kind or {"kind": "INNER"}), **condition)


@rule
def natural_join(kind: dict[str, str], item: exp.Expression) -> exp.Join:
    return exp.Join(this=item, method="NATURAL", **(kind or {"kind": "INNER"}))


@rule
def cross_join(item: exp.Expression) -> exp.Join:
    return exp.Join(this=item, kind="CROSS")


@rule
def table(name: ObjectName) -> exp.Table:
    if len(name.parts) > 3:
        raise ProgrammingError("a stream has three names at most: catalog.schema.stream", name.span)
    return exp.Table(**dict(zip(("this", "db", "catalog"), map(identifier, reversed(name.parts)))))


@rule
def derived_table(query: exp.Subquery) -> exp.Expression:
    return query.this if isinstance(query.this, exp.Values) else query


@rule
def cursor(query: exp.Expression) -> exp.Subquery:
    node = query if isinstance(query, exp.Subquery) else exp.Subquery(this=query)
    node.meta["cursor"] = True
    return node


@rule
def table_arguments(*arguments: exp.Expression) -> list[exp.Expression]:
    return list(arguments)


@rule
def table_function(name: Identifier, arguments: list[exp.Expression]) -> exp.TableFromRows:
    call = call_of(name.name, *arguments)
    call.meta["span"] = name.span
    return exp.TableFromRows(this=call)


@rule
def bracketed_join(joins: list[exp.Join]) -> exp.Expression:
    first, *rest = joins
    item: exp.Expression = first.this
    if not rest:
        return item
    item.set("joins", rest)
    return exp.Subquery(this=item)


def _alias(name: Identifier, columns: Names | None) -> exp.TableAlias:
    alias = exp.TableAlias(this=identifier(name), columns=[identifier(column) for column in columns or ()])
    return at(alias, name.span)


@rule
def table_alias(name: Identifier, columns: Names | None) -> exp.TableAlias:
    return _alias(name, columns)


@rule
def table_factor(item: exp.Expression, *parts: exp.Expression) -> exp.Expression:
    for part in parts:
        if isinstance(part, exp.Window):
            item.meta["over"] = part
        else:
            item.set("alias", part)
    return item


# Windows.


@rule
def over(window: exp.Window | Identifier) -> exp.Window:
    return exp.Window(alias=identifier(window)) if isinstance(window, Identifier) else window


@rule
def base_window(name: Identifier | None = None) -> exp.Identifier | None:
    return identifier(name) if name is not None else None


@rule
def partition_by(*keys: exp.Expression) -> list[exp.Expression]:
    return list(keys)


@rule
def frame_unit(word: Token) -> str:
    return word.type


@rule
def bound_side(word: Token) -> str:
    return word.type


@rule
def unbounded() -> str:
    return "UNBOUNDED"


@rule
def bound(offset: exp.Expression | str, side: str) -> tuple[exp.Expression | str, str | None]:
    return offset, side


@rule
def current_row() -> tuple[exp.Expression | str, str | None]:
    return "CURRENT ROW", None


@rule
def frame(
    unit: str | None = None,
    start: tuple[exp.Expression | str, str | None] = ("CURRENT ROW", None),
    end: tuple[exp.Expression | str, str | None] = ("CURRENT ROW", None),
) -> exp.WindowSpec | None:
    if unit is None:
        return None
    return exp.WindowSpec(kind=unit, start=start[0], start_side=start[1], end=end[0], end_side=end[1])


@rule
def window_specification(
    base: exp.Identifier | None,
    partition: list[exp.Expression],
    order: exp.Order | None,
    frame: exp.WindowSpec | None,
) -> exp.Window:
    return exp.Window(alias=base, partition_by=partition, order=order, spec=frame)


@rule
def window_definition(name: Identifier, window: exp.Window) -> exp.Window:
    window.set("this", identifier(name))
    window.meta["span"] = name.span.to(span_of(window))
    return window


@rule
def window_clause(*windows: exp.Window) -> list[exp.Window] | None:
    return list(windows) or None
