"""The expressions of a grouped query, over the rows that its groups give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from streamsql.bind.expressions import AggregateNode, as_column
from streamsql.bind.scope import BareRowtime
from streamsql.bind.source import ROWTIME_COLUMN
from streamsql.errors import ProgrammingError, Span
from streamsql.expressions.nodes import Call, Cast, Column, Expression
from streamsql.expressions.text import text
from streamsql.plan import nodes


def plain_call(call: nodes.AggregateCall) -> nodes.AggregateCall:
    """An aggregate call as the plan has it."""
    return replace(call, arguments=tuple(as_column(argument) for argument in call.arguments))


class Places:
    """Where the keys and calls of a grouped query stand in its rows; `clause` is where the keys are written."""

    def __init__(self, keys: Sequence[Expression], calls: Sequence[nodes.AggregateCall], first: int, clause: str) -> None:
        self._clause = clause
        self._keys = list(keys)
        self._calls = list(calls)
        self._first = first

    def replace(self, expression: Expression, span: Span | None) -> Expression:
        """`expression` over the rows of the groups; a column that is no key is an error."""
        plain = as_column(expression)
        if plain in self._keys and not plain.is_constant:
            index = self._keys.index(plain)
            if isinstance(expression, BareRowtime):
                return ROWTIME_COLUMN
            return Column(plain.type, self._first + index, text(plain))
        if isinstance(expression, AggregateNode):
            call = plain_call(expression.call)
            place = self._first + len(self._keys) + self._calls.index(call)
            return Column(expression.type, place, str(call))
        if isinstance(expression, BareRowtime):
            return ROWTIME_COLUMN
        if isinstance(expression, Column):
            hint = f"add it to {self._clause}, or use MAX or LAST_VALUE of it"
            message = f"column {expression.name} is neither a key of {self._clause} nor inside an aggregate"
            raise ProgrammingError(message, span, hint)
        return _rebuilt(expression, [self.replace(child, span) for child in expression.children])


def _rebuilt(expression: Expression, children: Sequence[Expression]) -> Expression:
    """`expression` with other children."""
    if isinstance(expression, Cast):
        return replace(expression, operand=children[0])
    return replace(expression, arguments=tuple(children)) if isinstance(expression, Call) else expression
