"""sqlglot's form of a type."""

from __future__ import annotations

from sqlglot import exp

from streamsql.types import Kind, SqlType

_SQLGLOT = {
    Kind.INTEGER: exp.DataType.Type.INT,
    Kind.REAL: exp.DataType.Type.FLOAT,
    Kind.NULL: exp.DataType.Type.NULL,
}
"""Where sqlglot's name is another; its FLOAT has 32 bits."""


def data_type(type_: SqlType) -> exp.DataType:
    """sqlglot's form of a type.  An interval carries its qualifier, so that different ones are different trees."""
    if type_.is_interval:
        return exp.DataType(this=exp.Interval(unit=exp.Var(this=str(type_.qualifier))))
    parameters = [type_.length] if type_.length is not None else []
    if type_.kind is Kind.DECIMAL:
        parameters = [type_.precision, type_.scale]
    name = _SQLGLOT.get(type_.kind) or exp.DataType.Type[type_.kind.value]
    return exp.DataType(this=name, expressions=[exp.DataTypeParam(this=exp.Literal.number(n)) for n in parameters])
