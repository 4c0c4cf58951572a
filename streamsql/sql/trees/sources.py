"""The functions for the rules of grammar/streamsql.lark that are FROM items and windows."""

from __future__ import annotations

from typing import Any

from lark import Token
from sqlglot import exp

from streamsql.errors import ProgrammingError
from streamsql.sql.rules import at, rule, span_of
from streamsql.sql.trees.names import Names, alias_of, identifier
from streamsql.sql.trees.operators import call_of
from streamsql.statements.statement import Identifier


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
def table(*names: Identifier) -> exp.Table:
    if len(names) > 3:
        raise ProgrammingError("a stream has three names at most: catalog.schema.stream")
    return exp.Table(**dict(zip(("this", "db", "catalog"), map(identifier, reversed(names)))))


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
def table_function(*parts: Identifier | list[exp.Expression]) -> exp.TableFromRows:
    """A schema in front of the function's name does not count."""
    name, arguments = parts[-2:]
    assert isinstance(name, Identifier) and isinstance(arguments, list)
    call = call_of(name.name, *arguments)
    call.meta["span"] = name.span
    return exp.TableFromRows(this=call)


@rule
def ordinality(*words: Token) -> bool:
    return bool(words)


@rule
def unnest(*parts: exp.Expression | bool) -> exp.Unnest:
    *lists, numbered = parts
    return exp.Unnest(expressions=lists, offset=numbered)


@rule
def bracketed_join(joins: list[exp.Join]) -> exp.Expression:
    first, *rest = joins
    item: exp.Expression = first.this
    if not rest:
        return item
    item.set("joins", rest)
    return exp.Subquery(this=item)


@rule
def table_alias(name: Identifier, columns: Names | None) -> exp.TableAlias:
    return alias_of(name, columns)


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
