"""From a parse tree to statements: which node stands for what.

What is no query is a dataclass of `streamsql.statements.streaming`; its expressions and queries are sqlglot's own nodes, of which
this is the complete list.  `A[x, y]` is `exp.Anonymous(this="A", expressions=[x, y])`; words in capitals within brackets
are `exp.Var`.  `meta["span"]` (a `Span`) is on every expression, name, query, FROM item, join and clause.  `meta` is no
part of a node's equality, and what is a tree in `meta` is not walked: mind form, quoted, stagger, within and over below.
Brackets leave no node.  Names are kept as written: `exp.Identifier(this=text, quoted=bool)`.

Literals, each with `meta["type"]` (a `SqlType`) and `meta["value"]` (see `literals`)

    'text'  u&'text'            Literal(is_string=True), type CHAR(length)
    12  1.50  1e2               Literal(is_string=False), as written; INTEGER or BIGINT, DECIMAL, DOUBLE
    DATE '...'  {d '...'}       Cast(this=Literal, to=DataType), value a date; TIME and TIMESTAMP alike, value milliseconds.
    INTERVAL '1' MINUTE(3)      Cast(this=Literal, to=DataType(Interval(unit=Var))), value milliseconds or months, negative
                                where a sign says so.  Casts are told apart: only literals have meta["value"]
    INTERVAL '1 day 2 hours'    the same, of DAY TO SECOND, or of YEAR TO MONTH
    TRUE  FALSE                 Boolean, type BOOLEAN, no value
    NULL  UNKNOWN               Null, type NULL or BOOLEAN, no value
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
    a [NOT] LIKE b ESCAPE c     Escape(this=Like(this, expression), expression=c) or Like, in a Not; SIMILAR TO: SimilarTo, ILIKE
    EXISTS (q)  (q)             Exists(this=query); Subquery(this=query)
    + - * / %  -a  +a  ||       Add, Sub, Mul, Div, Mod, Neg, a, DPipe
    ARRAY[a, b]  a[b]           ARRAY[a, b], SUBSCRIPT[a, b]
    (a, b)  ROW(a, b)           Tuple(expressions=[a, b]); PERIOD(a, b) as well
    p CONTAINS q                CONTAINS[p, q]; EQUALS, OVERLAPS, PRECEDES, SUCCEEDS, LEADS, LAGS alike, with STRICTLY_ or
                                IMMEDIATELY_ in front: STRICTLY_CONTAINS[p, q].  A chain is an And of its steps
    (a - b) DAY TO SECOND(3)    INTERVAL[a - b, Var("DAY TO SECOND")], meta["type"] the interval type
    CASE a WHEN b THEN c ELSE d END   Case(this=a or None, ifs=[If(this=b, true=c)], default=d or None)
    CAST(a AS t)  a::t          Cast(this=a, to=DataType), meta["type"]; so CONVERT(t, a) and DATE(a); TRY_CAST: TRY[Cast]

Functions: the name in upper case unless quoted (then as written, with meta["quoted"])

    F(a, b)  F(*)               F[a, b]; F[Star]
    F(DISTINCT a, b)            F[Distinct(expressions=[a, b])]; ALL leaves nothing
    FLOOR(a)  FLOOR(a TO u)     Floor(this=a, to=None or Var u); CEIL and CEILING: Ceil
    STEP(a BY b)                STEP[a, b]
    EXTRACT(u FROM a)           EXTRACT[u, a]; of parts that are no unit of an interval DATE_PART['dow', a]
    TRIM(LEADING b FROM a)      TRIM[LEADING, b, a], filled up with BOTH and ' '
    SUBSTRING(a FROM b FOR c)   SUBSTRING[a, b, c] or [a, b], meta["form"] "from"; SUBSTRING(a, b, c): "comma"
    SUBSTRING(a SIMILAR b ESCAPE c)   SUBSTRING_SIMILAR[a, b, c]
    OVERLAY(a PLACING b FROM c FOR d)   OVERLAY[a, b, c, d] or [a, b, c]
    POSITION(a IN b)            POSITION[a, b]
    CURRENT_DATE ...            CURRENT_DATE[]; LOCALTIME, CURRENT_ROW_TIMESTAMP, SYSTEM_USER ... alike
    NTH_VALUE(a, b) FROM LAST   NTH_VALUE[a, b, LAST]; FROM FIRST: [a, b, FIRST]; neither: [a, b]
    F(a ORDER BY b)             WithinGroup(this=F[a], expression=Order); F(a) WITHIN GROUP (ORDER BY b) alike
    f IGNORE NULLS              IgnoreNulls(this=f), RespectNulls
    f FILTER (WHERE a)          Filter(this=f, expression=Where(this=a))
    f OVER w  f OVER (...)      Window(this=f, IgnoreNulls or Filter, alias=Identifier); Window(this, partition_by, order, spec,
                                alias)

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
    LEFT JOIN ... USING (a)     Join(this, side="LEFT", using=[Identifier]); kind "INNER" or "CROSS", method "NATURAL".  A join
                                may have neither `on` nor `using`
    WHERE  HAVING  QUALIFY      Where(this), Having(this), Qualify(this)
    GROUP BY a, b               Group(expressions=[a, b]); among them Rollup(expressions=[a, Tuple[b, c]]), Cube, and
                                GroupingSets(expressions=[a, Tuple[], Rollup])
    WINDOWED BY STAGGER (PARTITION BY a, b RANGE c)   Group(expressions=[a, b]), meta["stagger"] = c
    ORDER BY a DESC WITHIN b    Order(expressions=[Ordered(this=a, desc=bool, nulls_first=bool)]), meta["within"] = b of the
                                Ordered; in args["order"] of the Select, Values, Union or Subquery that it sorts
    LIMIT a OFFSET b            Limit(expression=a), Offset(expression=b), where the order is; FETCH FIRST a ROWS ONLY: Limit;
                                SELECT TOP a: Limit of the Select
    (q)                         Subquery(this=q), also where it is a whole statement
    VALUES (a, b), c            Values(expressions=[Tuple[a, b], Tuple[c]])
    q UNION [ALL] q             Union(this, expression, distinct=bool), Except, Intersect
    WITH a (b) AS (q) SELECT    args["with_"] = With(expressions=[CTE(this=q, alias=TableAlias)], recursive=bool)

FROM items; alias=TableAlias(this=Identifier, columns=[Identifier, ...]) where there is one

    s.t AS a (b, c)             Table(this, db, catalog, alias)
    (q) AS a                    Subquery(this=q, alias); (VALUES ...) AS a (b): Values(expressions, alias)
    (a JOIN b ON c)             Subquery(this=a), the joins in a.args["joins"]; brackets around one item leave no node
    t OVER w AS a               the item with meta["over"] = Window, as OVER of functions but without `this`
    UNNEST(a, b) AS t (c, d)    Unnest(expressions=[a, b], offset=bool, alias); WITH ORDINALITY: offset=True
    TABLE(F(CURSOR(q), a))      TableFromRows(this=F[Subquery(this=q) with meta["cursor"] = True, a], alias)
"""

from streamsql.sql.rules import build
from streamsql.sql.trees import (
    calls,
    expressions,
    external_change,
    external_create,
    external_parts,
    external_show,
    external_write,
    literals,
    names,
    predicates,
    queries,
    sources,
    statements,
)

__all__ = [
    "build",
    "calls",
    "expressions",
    "external_change",
    "external_create",
    "external_parts",
    "external_show",
    "external_write",
    "literals",
    "names",
    "predicates",
    "queries",
    "sources",
    "statements",
]
