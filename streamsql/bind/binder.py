"""What the forms of an expression are bound with.  The forms know this; `expressions.py` knows the forms."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from streamsql.bind.context import Context
from streamsql.bind.moments import compared_alike
from streamsql.bind.scope import Scope
from streamsql.bind.subqueries import Subquery
from streamsql.errors import not_supported
from streamsql.expressions.nodes import Expression


@dataclass(slots=True)
class Binder(ABC):
    """Binds the expressions of one SELECT.

    `windows` are the named windows of its WINDOW clause; `aggregates` and `over` say whether such calls may stand here;
    `subquery` binds the subqueries, where there may be some.
    """

    scope: Scope
    context: Context = field(default_factory=Context)
    windows: Mapping[str, exp.Window] = field(default_factory=dict)
    subquery: Callable[[exp.Expression, Scope], Subquery] | None = None
    aggregates: bool = False
    over: bool = False
    inside: str | None = None
    """What the expression is a part of that no aggregate can stand in."""

    @abstractmethod
    def bind(self, node: exp.Expression) -> Expression:
        """The bound form of one expression."""

    @abstractmethod
    def boolean(self, node: exp.Expression, clause: str) -> Expression:
        """A condition: WHERE, HAVING."""

    def alike(self, operands: Sequence[Expression], node: exp.Expression) -> list[Expression]:
        """Values that `node` compares with each other."""
        return compared_alike(operands, node.meta.get("span")) if self.context.tables_alone else list(operands)

    def inner(self, node: exp.Expression) -> Subquery:
        """The subquery that `node` holds."""
        if self.subquery is None:
            raise not_supported("a subquery here", node.meta.get("span"), "a subquery in WHERE, or in the select list")
        return self.subquery(node.this, self.scope)
