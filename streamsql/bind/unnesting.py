"""UNNEST: the elements of lists and maps as rows."""

from __future__ import annotations

from sqlglot import exp

from streamsql.bind.binder import Binder
from streamsql.bind.scope import ScopeRelation, as_column, folded
from streamsql.bind.source import Source
from streamsql.bind.wording import counted
from streamsql.errors import ProgrammingError, Span
from streamsql.expressions.nodes import Expression
from streamsql.plan import nodes
from streamsql.types import BIGINT, Field, Kind, Schema, SqlType


def unnested(source: Source, item: exp.Unnest, binder: Binder, outer: bool) -> tuple[Source, ScopeRelation]:
    """The rows of `source`, each as often as its longest list is long, and the names of the columns that come behind.

    `outer`: a row whose lists are empty comes once, with NULLs.  The columns are called as the alias says, else `_col0` ...
    """
    lists = [as_column(binder.bind(tree)) for tree in item.expressions]
    given = zip(lists, item.expressions, strict=True)
    types = [type_ for each, tree in given for type_ in _columns(each, tree.meta.get("span"))]
    numbered = bool(item.args.get("offset"))
    types += [BIGINT] if numbered else []
    alias = item.args.get("alias")
    names = [folded(column) for column in alias.args.get("columns") or ()] if alias is not None else []
    if alias is not None and names and len(names) != len(types):
        raise ProgrammingError(f"{counted(len(names))} named, UNNEST gives {len(types)}", alias.meta.get("span"))
    fields = tuple(Field(names[i] if names else f"_COL{i}", type_) for i, type_ in enumerate(types))
    schema = Schema((*source.schema.fields, *fields))
    plan = nodes.Unnest(schema, source.plan, tuple(lists), numbered, outer)
    name = folded(alias.this) if alias is not None else None
    return Source(plan, source.times), ScopeRelation(name, fields, len(source.schema.fields))


def _columns(expression: Expression, span: Span | None) -> list[SqlType]:
    """The types of the columns that a list or a map gives: records give their fields."""
    type_ = expression.type
    if type_.kind is Kind.MAP:
        return [field.type for field in type_.fields]
    if type_.kind is not Kind.ARRAY:
        raise ProgrammingError(f"UNNEST takes lists and maps, and this is {type_}", span)
    element = type_.fields[0].type
    return [field.type for field in element.fields] if element.kind is Kind.ROW else [element]
