"""Functions that the application defines: which of them a call means, and what stands in its place.

A call is replaced by the function's body with the arguments in it, so the rest of the engine never sees one: a key that
follows ROWTIME inside a function follows it outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from sqlglot import exp

from streamsql.bind.functions import call_scalar, convert, count_of
from streamsql.bind.scope import Scope, ScopeRelation, folded
from streamsql.catalog import Function, nearest
from streamsql.coercion import castable
from streamsql.errors import ProgrammingError, Span, not_supported
from streamsql.expressions.nodes import Call, Cast, Column, Constant, Expression, Member
from streamsql.types import Family, Field, Kind, SqlType

MAX_NODES = 10_000
"""How large an expression may become with the bodies of its functions in it: each call of one in another multiplies."""


class ParameterScope(Scope):
    """The names in the body of a function: its parameters, which are the columns of its only input."""

    def __init__(self, function: Function) -> None:
        self._function = function
        fields = tuple(Field(parameter.name.name, parameter.type) for parameter in function.statement.parameters)
        super().__init__((ScopeRelation(function.name, fields, 0),))

    def column(self, column: exp.Column) -> Expression:
        name, qualifier = folded(column.this), column.args.get("table")
        known = [field.name for field in self.relations[0].fields]
        if name not in known or (qualifier is not None and folded(qualifier) != self._function.name):
            given = name if qualifier is None else f"{folded(qualifier)}.{name}"
            raise ProgrammingError(f"no parameter {given} in {self._function}", column.meta.get("span"), nearest(name, known))
        return super().column(column)


def chosen(overloads: Sequence[Function], arguments: Sequence[Expression], span: Span | None) -> Function:
    """The one of several functions of a name that takes the arguments: nothing is converted to the type of a parameter."""
    counted = [function for function in overloads if len(function.parameters) == len(arguments)]
    fitting = [f for f in counted if all(is_of(a.type, p) for a, p in zip(arguments, f.parameters, strict=True))]
    if len(fitting) == 1:
        return fitting[0]
    name = overloads[0].name
    if fitting:
        raise ProgrammingError(f"which {name}? {' or '.join(map(str, fitting))}", span, "CAST(NULL AS type) says which")
    if not counted:
        raise ProgrammingError(f"{name} does not take {count_of(len(arguments))}", span, " or ".join(map(str, overloads)))
    given = ", ".join(str(argument.type) for argument in arguments)
    message = f"no function {name}({given}): a parameter takes its own type alone"
    raise ProgrammingError(message, span, _as_cast(counted, arguments))


def is_of(source: SqlType, target: SqlType) -> bool:
    """Whether every value of one type is one of another as it stands: the same type, or a shorter one."""
    if source.kind is Kind.NULL:
        return True
    if source.family is not target.family:
        return False
    if source.family in (Family.CHARACTER, Family.BINARY):
        return target.length is None or (source.length is not None and source.length <= target.length)
    if source.qualifier is not None and target.qualifier is not None:
        return (source.qualifier.start, source.qualifier.end) == (target.qualifier.start, target.qualifier.end)
    return source.kind is target.kind and source.scale == target.scale and source.precision <= target.precision


def check_data(function: Function) -> None:
    """Refuse a body that reads streams or tables."""
    query = function.statement.body.find(exp.Query)
    if query is not None and not function.statement.reads_data:
        raise ProgrammingError(f"function {function} reads data", query.meta.get("span"), "READS SQL DATA")
    if query is not None:
        raise not_supported("a query in a function", query.meta.get("span"))


def returned(function: Function, body: Expression) -> Expression:
    """The body of a function as a value of the type that it returns."""
    wanted = function.statement.returns
    if not is_of(body.type, wanted):
        message = f"function {function} returns {wanted}, and this is {body.type}"
        hint = f"RETURN CAST(... AS {wanted})" if castable(body.type, wanted) else None
        raise ProgrammingError(message, function.statement.body.meta.get("span"), hint)
    return convert(body, wanted)


def inlined(function: Function, body: Expression, arguments: Sequence[Expression], span: Span | None) -> Expression:
    """The body of a function with the arguments of a call at `span` in the place of its parameters."""
    values = [convert(argument, type_) for argument, type_ in zip(arguments, function.parameters, strict=True)]

    def put(node: Expression) -> Expression:
        if isinstance(node, Column):
            return values[node.index]
        return replace(node, span=span) if isinstance(node, (Call, Cast)) else node

    result = body.rewrite(put)
    if function.statement.null_on_null_input:
        result = _null_on_null(result, [value for i, value in enumerate(values) if not _is_strict(body, i)], span)
    if sum(1 for _ in islice(result.walk(), MAX_NODES + 1)) > MAX_NODES:
        raise ProgrammingError(f"this becomes too large with the body of {function} in it", span)
    return result


def _null_on_null(result: Expression, values: Sequence[Expression], span: Span | None) -> Expression:
    """`result`, or NULL where one of the values is."""
    tests = [call_scalar("IS NULL", [value], span) for value in values]
    if not tests:
        return result
    condition = tests[0]
    for test in tests[1:]:
        condition = call_scalar("OR", [condition, test], span)
    return call_scalar("CASE", [condition, Constant(result.type, None), result], span)


def _is_strict(body: Expression, parameter: int) -> bool:
    """Whether the body is NULL by itself where a parameter is."""
    match body:
        case Column(index=index):
            return index == parameter
        case Cast(operand=operand) | Member(operand=operand):
            return _is_strict(operand, parameter)
        case Call(function=function, arguments=arguments):
            return function.strict and any(_is_strict(argument, parameter) for argument in arguments)
        case _:
            return False


def _as_cast(overloads: Sequence[Function], arguments: Sequence[Expression]) -> str:
    """How the call is written for a function that is there."""
    for function in overloads:
        if all(castable(a.type, p) for a, p in zip(arguments, function.parameters, strict=True)):
            pairs = zip(arguments, function.parameters, strict=True)
            shown = ["..." if is_of(a.type, p) else f"CAST(... AS {p})" for a, p in pairs]
            return f"{function.name}({', '.join(shown)})"
    return " or ".join(map(str, overloads))
