"""From a bound expression to a function of a batch, built once a query.

What is constant is computed here and not again: making a `pa.scalar` costs twenty times a comparison.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.errors import InternalError
from streamsql.expressions.nodes import Call, Cast, Column, Constant, Expression, Member, Word
from streamsql.functions.cast import converter
from streamsql.rows import Datum, Evaluate, QueryTime, Rows


def evaluator(expression: Expression, time: QueryTime) -> Evaluate:
    """The function that evaluates `expression` for the rows of a batch."""
    evaluate = _build(expression, time)
    if isinstance(expression, (Column, Constant)) or not expression.is_constant:
        return evaluate
    return _fold(evaluate, time)


def _build(expression: Expression, time: QueryTime) -> Evaluate:
    match expression:
        case Column(index=index):
            return lambda rows: rows.batch.column(index)
        case Constant(value=value, type=type_):
            constant = pa.scalar(value, type_.arrow())
            return lambda rows: constant
        case Word(word=word):
            keyword = pa.scalar(word)
            return lambda rows: keyword
        case Call():
            return _call(expression, time)
        case Cast(operand=operand, type=type_, assignment=assignment):
            return _cast(expression, operand, assignment, time)
        case Member(operand=operand, index=index):
            record = evaluator(operand, time)
            return lambda rows: pc.struct_field(record(rows), index)
        case _:
            raise InternalError(f"no evaluation for {expression!r}")


def _call(call: Call, time: QueryTime) -> Evaluate:
    implementation = call.function.implementation
    arguments: list[Any] = [a.word if isinstance(a, Word) else evaluator(a, time) for a in call.arguments]
    if call.function.lazy:
        return lambda rows: implementation(rows, *arguments)
    if any(isinstance(argument, str) for argument in arguments):
        return lambda rows: implementation(rows, *(a if isinstance(a, str) else a(rows) for a in arguments))
    if len(arguments) == 2:
        first, second = arguments
        return lambda rows: implementation(rows, first(rows), second(rows))
    return lambda rows: implementation(rows, *(a(rows) for a in arguments))


def _cast(cast: Cast, operand: Expression, assignment: bool, time: QueryTime) -> Evaluate:
    inner = evaluator(operand, time)
    convert = converter(operand.type, cast.type, assignment)
    if convert is None:
        raise InternalError(f"no conversion from {operand.type} to {cast.type}")
    return lambda rows: convert(rows, inner(rows))


def _fold(evaluate: Evaluate, time: QueryTime) -> Evaluate:
    """Evaluate a constant expression now; one that fails is left to fail every row that reaches it."""
    rows = one_row(time)
    value = evaluate(rows)
    if rows.failures:
        return evaluate
    constant: Datum = value if isinstance(value, pa.Scalar) else value[0]
    return lambda rows: constant


def one_row(time: QueryTime) -> Rows:
    """A row without columns, for expressions that read none."""
    return Rows(pa.RecordBatch.from_arrays([pa.nulls(1)], names=["none"]), time)
