"""Dates and times beside texts and numbers, as queries over tables alone may have them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from streamsql import types
from streamsql.bind.functions import call_scalar
from streamsql.datetime_text import parse_timestamp
from streamsql.errors import ProgrammingError, Span
from streamsql.expressions.nodes import Constant, Expression
from streamsql.types import Kind, SqlType

DAY = Constant(types.interval("DAY"), 86_400_000)


def compared_alike(operands: Sequence[Expression], span: Span | None) -> list[Expression]:
    """The operands of a comparison: a text that is compared with a DATE or a TIMESTAMP is one, too."""
    moments = [operand.type for operand in operands if operand.type.kind in (Kind.DATE, Kind.TIMESTAMP)]
    if not moments:
        return list(operands)
    return [_as_moment(operand, moments[0], span) for operand in operands]


def _as_moment(operand: Expression, type_: SqlType, span: Span | None) -> Expression:
    if not isinstance(operand, Constant) or not operand.type.is_character or operand.value is None:
        return operand
    text = operand.value.strip()
    is_day = re.fullmatch(r"\d{4}-\d\d-\d\d", text) is not None
    try:
        if type_.kind is Kind.DATE:
            return Constant(types.DATE, date.fromisoformat(text))
        return Constant(types.TIMESTAMP, parse_timestamp(f"{text} 00:00:00" if is_day else text))
    except ValueError:
        form = "'2004-09-30'" if type_.kind is Kind.DATE else "'2004-09-30' or '2004-09-30 13:48:23'"
        raise ProgrammingError(f"'{operand.value}' is compared with a {type_} and is none", span, form) from None


def day_arithmetic(operator: str, left: Expression, right: Expression, span: Span | None) -> Expression | None:
    """A DATE and a number of days added up, or the days from one DATE to another; None where it is something else."""
    if left.type.kind is not Kind.DATE or operator not in ("+", "-"):
        return None
    if right.type.is_integer:
        return call_scalar(operator, [left, call_scalar("*", [right, DAY], span)], span)
    if right.type.kind is Kind.DATE and operator == "-":
        return call_scalar("DATE_DIFF", [Constant(types.varchar(), "day"), right, left], span)
    return None
