"""The predicates of periods: their operands are `[PERIOD] (start, end)`, or on the right of CONTAINS an instant."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from streamsql.bind.functions import call_scalar
from streamsql.errors import ProgrammingError
from streamsql.expressions.nodes import Expression
from streamsql.functions.periods import PREDICATES
from streamsql.types import Kind


def predicate_name(call: exp.Anonymous) -> str | None:
    """The name of the predicate that the call stands for, where it does."""
    name = str(call.this).replace("_", " ")
    return name if name in PREDICATES else None


def period_predicate(call: exp.Anonymous, bind: Callable[[exp.Expression], Expression]) -> Expression:
    """A predicate of periods over the starts and ends of its operands."""
    name, span = predicate_name(call) or "", call.meta.get("span")
    hint = f"(start, end) {name} (start, end)"
    if name == "CONTAINS" and len(call.expressions) == 2 and not isinstance(call.expressions[0], exp.Tuple):
        first = bind(call.expressions[0])
        if first.type.kind is Kind.ARRAY:  # the function of lists
            return call_scalar(name, [first, bind(call.expressions[1])], span)
    operands: list[Expression] = []
    for i, tree in enumerate(call.expressions):
        parts = tree.expressions if isinstance(tree, exp.Tuple) else [tree]
        is_instant = i == 1 and name.endswith("CONTAINS")
        if len(parts) != 2 and not (is_instant and len(parts) == 1):
            raise ProgrammingError(f"{name} compares periods: a start and an end", tree.meta.get("span"), hint)
        for part in parts:
            bound = bind(part)
            if not bound.type.is_datetime and bound.type.kind is not Kind.NULL:
                raise ProgrammingError(f"a period is of DATE, TIME or TIMESTAMP, not of {bound.type}", part.meta.get("span"))
            operands.append(bound)
    if len(call.expressions) != 2:
        raise ProgrammingError(f"{name} stands between two periods", span, hint)
    return call_scalar(name, operands, span)
