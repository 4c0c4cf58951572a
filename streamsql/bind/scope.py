"""Which column a name means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from streamsql.bind.unplaced import OuterColumn
from streamsql.catalog import nearest
from streamsql.errors import ProgrammingError, Span, not_supported
from streamsql.expressions.nodes import Column, Expression
from streamsql.types import ROWTIME, ROWTIME_FIELD, TIMESTAMP, Field


class BareRowtime(Column):
    """ROWTIME without a qualifier: in a grouped or sorted query, that of the row about to be produced."""

    __slots__ = ()


def as_column(expression: Expression) -> Expression:
    """A bare ROWTIME as the ordinary column that it is in a query which makes no new rows."""

    def plain(node: Expression) -> Expression:
        return Column(node.type, node.index, node.name) if isinstance(node, BareRowtime) else node

    return expression.rewrite(plain)


@dataclass(frozen=True, slots=True)
class ScopeRelation:
    """One item of FROM: its name (None for a subquery without one) and its columns, which start at `offset` of the input.

    USING and NATURAL make one column of two: those in `merged` are meant by a qualified name alone.
    """

    alias: str | None
    fields: tuple[Field, ...]
    offset: int
    merged: frozenset[str] = frozenset()

    def moved(self, by: int) -> ScopeRelation:
        """The same relation, its columns so much further behind."""
        return replace(self, offset=self.offset + by)


class Scope:
    """The names that an expression can use; `outer`: those of the query around a subquery."""

    def __init__(self, relations: Sequence[ScopeRelation], outer: Scope | None = None) -> None:
        self.relations = tuple(relations)
        self._outer = outer

    def star(self, alias: str | None = None, span: Span | None = None) -> list[Column]:
        """The columns of `*` or `alias.*`."""
        relations = self.relations if alias is None else (self.named(alias, span),)
        return [
            Column(field.type, relation.offset + i, field.name)
            for relation in relations
            for i, field in enumerate(relation.fields)
            if not field.hidden and (alias is not None or field.name not in relation.merged)
        ]

    def named(self, alias: str, span: Span | None) -> ScopeRelation:
        """The item of FROM of this name."""
        for relation in self.relations:
            if relation.alias == alias:
                return relation
        known = [relation.alias for relation in self.relations if relation.alias]
        raise ProgrammingError(f"no {alias} in FROM", span, nearest(alias, known))

    def column(self, column: exp.Column) -> Expression:
        """The column that `name` or `relation.name` means: the first of a relation that has the name twice.

        Columns of tables match without regard to case, where none has exactly the name.  In a subquery a name that no relation
        of its own has is looked for in the query around it.
        """
        span, name, qualifier = column.meta.get("span"), folded(column.this), column.args.get("table")
        found = self._found(column)
        is_own = qualifier is not None and any(relation.alias == folded(qualifier) for relation in self.relations)
        if not found and not is_own and self._outer is not None and self._outer._found(column, deep=True):
            outer = self._outer.column(column)
            if isinstance(outer, OuterColumn):
                text = "a column of a query further out than the one around the subquery"
                raise not_supported(text, span, "join the tables in the subquery's FROM")
            return OuterColumn(outer.type, outer)
        if not found:
            relations = self.relations if qualifier is None else (self.named(folded(qualifier), span),)
            raise ProgrammingError(f"no column {name}" + self._where(qualifier), span, _hint(name, relations))
        among = ", ".join(dict.fromkeys(relation.alias or "a subquery" for relation, _ in found))
        if any(relation is not found[0][0] for relation, _ in found) and name != ROWTIME:
            raise ProgrammingError(f"column {name} is ambiguous: it is in {among}", span, "put the relation's name in front")
        relation, i = found[0]
        field = relation.fields[i]
        if name == ROWTIME and field.hidden and qualifier is None:
            return BareRowtime(TIMESTAMP, relation.offset + i, ROWTIME)
        return Column(field.type, relation.offset + i, field.name)

    def _found(self, column: exp.Column, deep: bool = False) -> list[tuple[ScopeRelation, int]]:
        """The columns that a name may mean, as relations and places in them; `deep`: also in the queries around."""
        name, qualifier = folded(column.this), column.args.get("table")
        if qualifier is not None:
            looked_at = [relation for relation in self.relations if relation.alias == folded(qualifier)]
        else:
            looked_at = [relation for relation in self.relations if name not in relation.merged]
        columns = [(relation, i, field) for relation in looked_at for i, field in enumerate(relation.fields)]
        found = [(relation, i) for relation, i, field in columns if field.name == name]
        if not found:
            found = [(relation, i) for relation, i, field in columns if has_name(relation, field, name)]
        return self._outer._found(column, deep) if not found and deep and self._outer is not None else found

    @property
    def is_stream(self) -> bool:
        """Whether the rows have a ROWTIME."""
        return any(ROWTIME_FIELD in relation.fields for relation in self.relations)

    @property
    def rowtime(self) -> str:
        """How the ROWTIME of the rows is written: what a hint says."""
        alias = self.relations[0].alias
        if alias is None or len(self.relations) > 1:
            return ROWTIME
        return f"{alias}.{ROWTIME}" if alias == alias.upper() else f'"{alias}".{ROWTIME}'

    def _where(self, qualifier: exp.Expression | None) -> str:
        if qualifier is not None:
            return f" in {folded(qualifier)}"
        names = [relation.alias for relation in self.relations if relation.alias]
        return f" in {', '.join(names)}" if names else ""


def _hint(name: str, relations: Sequence[ScopeRelation]) -> str | None:
    names = (field.name for relation in relations for field in relation.fields if not field.hidden)
    return nearest(name, list(dict.fromkeys(names)))


def has_name(relation: ScopeRelation, field: Field, name: str) -> bool:
    """Whether a column has a name: columns of tables have it in any case."""
    return field.name == name or (ROWTIME_FIELD not in relation.fields and field.name.upper() == name.upper())


def folded(identifier: exp.Expression) -> str:
    """An identifier as the catalog keeps it: upper case without quotes."""
    text = str(identifier.this)
    return text if identifier.args.get("quoted") else text.upper()
