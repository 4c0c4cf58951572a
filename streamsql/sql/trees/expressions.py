"""The functions for the rules of arithmetic and of what stands in it.  Which node stands for what: see the table in `build`."""

from __future__ import annotations

from lark import Token
from sqlglot import exp

from streamsql.errors import ProgrammingError
from streamsql.sql.rules import at, rule, span_of
from streamsql.sql.sqlglot_types import data_type
from streamsql.sql.trees.literals import interval_type
from streamsql.sql.trees.names import identifier
from streamsql.sql.trees.operators import call_of, chain, operation
from streamsql.statements.statement import Identifier
from streamsql.types import DATE, IntervalQualifier, SqlType

# Arithmetic.


@rule
def concatenation(*operands: exp.Expression) -> exp.Expression:
    return chain(exp.DPipe, operands)


@rule
def addition(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    return operation(exp.Add, left, right)


@rule
def subtraction(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    return operation(exp.Sub, left, right)


@rule
def multiplication(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    return operation(exp.Mul, left, right)


@rule
def division(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    return operation(exp.Div, left, right)


@rule
def modulo(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    return operation(exp.Mod, left, right)


@rule
def negative(operand: exp.Expression) -> exp.Expression:
    return exp.Neg(this=operand)


@rule
def positive(operand: exp.Expression) -> exp.Expression:
    return operand


@rule
def difference(value: exp.Expression, qualifier: IntervalQualifier) -> exp.Expression:
    node = call_of("INTERVAL", value, exp.Var(this=str(qualifier)))
    node.meta["type"] = interval_type(qualifier)
    return node


# Primaries.


@rule
def column(*names: Identifier) -> exp.Expression:
    if len(names) > 4:
        raise ProgrammingError("a column has four names at most: catalog.schema.table.column")
    parts = dict(zip(("this", "table", "db", "catalog"), map(identifier, reversed(names))))
    return exp.Column(**parts)


@rule
def placeholder(index: Token) -> exp.Expression:
    node = exp.Placeholder()
    node.meta["index"] = int(index)
    return node


@rule
def named_placeholder(name: Token) -> exp.Expression:
    return exp.Placeholder(this=str(name))


@rule
def row(*values: exp.Expression) -> exp.Expression:
    return exp.Tuple(expressions=list(values))


@rule
def exists(query: exp.Subquery) -> exp.Expression:
    return exp.Exists(this=query.this)


@rule
def case_operand(operand: exp.Expression | None = None) -> exp.Expression | None:
    return operand


@rule
def case_branch(condition: exp.Expression, result: exp.Expression) -> exp.Expression:
    return exp.If(this=condition, true=result)


@rule
def case_default(result: exp.Expression | None = None) -> exp.Expression | None:
    return result


@rule
def case(operand: exp.Expression | None, *parts: exp.Expression | None) -> exp.Expression:
    *branches, default = parts
    return exp.Case(this=operand, ifs=branches, default=default)


@rule
def cast(value: exp.Expression, type_: SqlType) -> exp.Expression:
    node = exp.Cast(this=value, to=data_type(type_))
    node.meta["type"] = type_
    return node


@rule
def try_cast(value: exp.Expression, type_: SqlType) -> exp.Expression:
    return call_of("TRY", at(cast(value, type_), span_of(value)))


@rule
def convert(type_: SqlType, value: exp.Expression) -> exp.Expression:
    return cast(value, type_)


@rule
def date_of(value: exp.Expression) -> exp.Expression:
    return cast(value, DATE)


# Lists.


@rule
def array_elements(*values: exp.Expression) -> list[exp.Expression]:
    return list(values)


@rule
def array(values: list[exp.Expression]) -> exp.Expression:
    return call_of("ARRAY", *values)


@rule
def subscript(value: exp.Expression, key: exp.Expression) -> exp.Expression:
    return call_of("SUBSCRIPT", value, key)


@rule
def at_time_zone(value: exp.Expression, zone: exp.Expression) -> exp.Expression:
    return call_of("AT_TIMEZONE", value, zone)
