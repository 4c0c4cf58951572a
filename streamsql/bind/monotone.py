"""Which expressions never go back as ROWTIME goes on, so that a group of equal values can be complete (dialect reference 4.2)."""

from __future__ import annotations

from collections.abc import Mapping

from streamsql.bind.source import ROWTIME_COLUMN, TimeColumn
from streamsql.bind.staircase import is_staircase
from streamsql.expressions.nodes import Call, Column, Constant, Expression, Word
from streamsql.functions.monotone import Monotonicity


def monotonicity(expression: Expression, times: Mapping[int, TimeColumn]) -> Monotonicity:
    """How `expression` moves over an input whose `times` columns follow ROWTIME."""
    match expression:
        case Column(index=index):
            return Monotonicity.ASCENDING if index in times else Monotonicity.NONE
        case Constant() | Word():
            return Monotonicity.CONSTANT
        case Call(function=function, arguments=arguments):
            if function.monotone is None:
                return Monotonicity.CONSTANT if expression.is_constant else Monotonicity.NONE
            constants = [a.value if isinstance(a, Constant) else a.word if isinstance(a, Word) else None for a in arguments]
            found = function.monotone([monotonicity(a, times) for a in arguments], constants)
            if found is Monotonicity.NONE and is_staircase(
                expression, lambda time: monotonicity(time, times) is Monotonicity.ASCENDING
            ):
                return Monotonicity.ASCENDING
            return found
        case _:
            return Monotonicity.CONSTANT if expression.is_constant else Monotonicity.NONE


def is_time_key(expression: Expression, times: Mapping[int, TimeColumn]) -> bool:
    """Whether equal values of `expression` make complete groups: it is monotonic and not constant."""
    return monotonicity(expression, times) in (Monotonicity.ASCENDING, Monotonicity.DESCENDING)


def time_form(expression: Expression, times: Mapping[int, TimeColumn]) -> Expression | None:
    """`expression` as an expression of ROWTIME alone, or None where it reads something else."""
    if isinstance(expression, Column):
        time = times.get(expression.index)
        return None if time is None else ROWTIME_COLUMN if time.marks_rows else time.form

    known = all(c in times and times[c].form is not None for c in expression.columns())
    volatile = any(isinstance(node, Call) and node.function.volatile for node in expression.walk())
    if not known or volatile:
        return None

    def substitute(node: Expression) -> Expression:
        form = times[node.index].form if isinstance(node, Column) else node
        return node if form is None else form

    return expression.rewrite(substitute)
