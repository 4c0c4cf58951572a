"""Which function of the table a call means: overload resolution and implicit conversion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from streamsql import types
from streamsql.bind.records import record_type
from streamsql.catalog import nearest
from streamsql.coercion import assignable, common_type
from streamsql.errors import InternalError, ProgrammingError, Span
from streamsql.expressions.nodes import Call, Cast, Constant, Expression, Word
from streamsql.functions import library as _library  # noqa: F401 - fills the tables
from streamsql.functions.registry import AGGREGATES, SCALARS, AggregateFunction, ScalarFunction, TypeRule
from streamsql.functions.signature import Parameter, Signature
from streamsql.types import Family, Kind, SqlType

Record = TypeVar("Record", ScalarFunction, AggregateFunction)

NAMED_TYPES = {
    **{kind.value: SqlType(kind) for kind in Kind},
    "VARCHAR": types.varchar(),
    "DECIMAL": types.decimal(types.MAX_DECIMAL_PRECISION),
}
"""The types that a signature can name, where the argument is converted to them."""

FAMILIES: dict[str, tuple[Family, ...]] = {
    "NUMERIC": (Family.NUMERIC,),
    "INTEGRAL": (Family.NUMERIC,),
    "EXACT": (Family.NUMERIC,),
    "CHARACTER": (Family.CHARACTER,),
    "BINARYSTRING": (Family.BINARY,),
    "BOOLEAN": (Family.BOOLEAN,),
    "DATE": (Family.DATE,),
    "TIME": (Family.TIME,),
    "TIMESTAMP": (Family.TIMESTAMP,),
    "DATETIME": (Family.DATE, Family.TIME, Family.TIMESTAMP),
    "MOMENT": (Family.DATE, Family.TIMESTAMP),
    "INTERVAL": (Family.DAY_TIME, Family.YEAR_MONTH),
    "DAYTIME": (Family.DAY_TIME,),
    "YEARMONTH": (Family.YEAR_MONTH,),
    "ROW": (Family.ROW,),
    "ARRAY": (Family.ARRAY,),
    "MAP": (Family.MAP,),
    "COMPARABLE": tuple(family for family in Family if family not in (Family.ROW, Family.ARRAY, Family.MAP)),
    "ANY": tuple(Family),
}

COMPARING = frozenset(
    {"=", "<>", "<", "<=", ">", ">=", "IN", "IS DISTINCT FROM", "IS NOT DISTINCT FROM", "NULLIF", "GREATEST", "LEAST"}
)
"""Functions that compare their arguments."""

_NULL_TYPES: dict[Family, SqlType] = {
    Family.NUMERIC: types.INTEGER,
    Family.CHARACTER: types.varchar(1),
    Family.BINARY: SqlType(Kind.VARBINARY, length=1),
    Family.BOOLEAN: types.BOOLEAN,
    Family.DATE: types.DATE,
    Family.TIME: types.TIME,
    Family.TIMESTAMP: types.TIMESTAMP,
    Family.DAY_TIME: types.interval("DAY", "SECOND"),
    Family.YEAR_MONTH: types.interval("YEAR", "MONTH"),
    Family.ARRAY: types.array(types.varchar()),
    Family.MAP: types.map_of(types.varchar(), types.varchar()),
}


def call_scalar(name: str, arguments: Sequence[Expression], span: Span | None) -> Call:
    """The call of a scalar function or operator with these (bound) arguments."""
    records = SCALARS.get(name)
    if records is None:
        hint = nearest(name, [*SCALARS, *AGGREGATES])
        raise ProgrammingError(f"no function {name}", span, hint)
    if name in COMPARING and any(argument.type.kind in (Kind.ARRAY, Kind.MAP) for argument in arguments):
        kinds = " and ".join(dict.fromkeys(str(argument.type) for argument in arguments))
        raise ProgrammingError(f"{name} cannot compare {kinds}", span, "their elements: CONTAINS(x, y), x[1] = y[1]")
    record, converted = _resolve(name, records, arguments, span)
    try:
        if record.record is not None:
            type_ = record_type(record, record.record, converted)
        else:
            type_ = _result(record.signature, record.returns, converted)
    except ProgrammingError as error:  # from a rule of the function table, which knows no places
        error.span = error.span or span
        raise
    return Call(type_, record, tuple(converted), span)


def takes_unit(name: str, position: int) -> bool:
    """Whether a function takes a unit of time at this place."""
    return any(
        position < len(record.signature.parameters) and record.signature.parameters[position].type == "UNIT"
        for record in SCALARS.get(name, ())
    )


def find_aggregate(
    name: str, arguments: Sequence[Expression], span: Span | None
) -> tuple[AggregateFunction, tuple[Expression, ...], SqlType]:
    """The aggregate function of this name for these arguments, the arguments as it takes them, its result's type."""
    record, converted = _resolve(name, AGGREGATES[name], arguments, span)
    return record, tuple(converted), _result(record.signature, record.returns, converted)


def convert(expression: Expression, target: SqlType, assignment: bool = True) -> Expression:
    """`expression` as a value of `target`; no node is added where it is one already."""
    if expression.type == target or (expression.type.kind is target.kind is Kind.VARCHAR and target.length is None):
        return expression
    if isinstance(expression, Constant) and _is_value_of(expression, target):
        value = expression.value
        return replace(expression, type=target, value=float(value) if value is not None and target == types.DOUBLE else value)
    return Cast(target, expression, assignment)


def _is_value_of(constant: Constant, target: SqlType) -> bool:
    """Whether a constant is a value of another type as it stands."""
    value = constant.value
    if value is None:
        return True
    if constant.type.is_integer and target.is_integer:
        limit = 2 ** (target.arrow().bit_width - 1)
        return bool(-limit <= value < limit)
    if constant.type.is_integer:
        return target == types.DOUBLE
    return constant.type.is_character and target.kind is Kind.VARCHAR and len(value) <= (target.length or len(value))


def _resolve(
    name: str, records: Sequence[Record], arguments: Sequence[Expression], span: Span | None
) -> tuple[Record, list[Expression]]:
    """The first overload that takes the arguments with the fewest conversions."""
    fitting: list[tuple[int, Record, list[Expression]]] = []
    for record in records:
        converted = _fit(record.signature, arguments)
        if converted is not None:
            changed = sum(a is not b for a, b in zip(arguments, converted, strict=True))
            fitting.append((changed, record, converted))
    if fitting:
        _, record, converted = min(fitting, key=lambda fit: fit[0])
        return record, converted
    counts = [record for record in records if _takes(record.signature, len(arguments))]
    forms = " or ".join(dict.fromkeys(record.signature.text for record in records))
    if not counts:
        raise ProgrammingError(f"{name} does not take {count_of(len(arguments))}", span, forms)
    given = ", ".join(a.word if isinstance(a, Word) else str(a.type) for a in arguments)
    if not name[0].isalpha() and len(arguments) == 2:
        message = f"cannot apply {name} to {arguments[0].type} and {arguments[1].type}"
        raise ProgrammingError(message, span, _as_literal(*arguments) or _as_literal(*reversed(arguments)))
    if all(parameter.type == "T" for record in counts for parameter in record.signature.parameters):
        kinds = ", ".join(dict.fromkeys(str(argument.type) for argument in arguments))
        raise ProgrammingError(f"the values of {name} have no common type: {kinds}", span)
    raise ProgrammingError(f"cannot apply {name} to ({given})", span, forms if name[0].isalpha() else None)


def _as_literal(text: Expression, other: Expression) -> str | None:
    """How a text that stands beside a date or time is written as one."""
    if not isinstance(text, Constant) or not text.type.is_character or not other.type.is_datetime:
        return None
    return f"{other.type} '{text.value}'"


def _takes(signature: Signature, count: int) -> bool:
    """Whether it has so many arguments."""
    return signature.least <= count and (signature.most is None or count <= signature.most)


def _fit(signature: Signature, arguments: Sequence[Expression]) -> list[Expression] | None:
    """The arguments as the signature takes them, or None where it does not."""
    if not _takes(signature, len(arguments)):
        return None
    parameters = [signature.parameter(i) for i in range(len(arguments))]
    shared = [a.type for a, p in zip(arguments, parameters, strict=True) if p.type == "T"]
    common = common_type(shared) if shared else None
    if shared and (common is None or common.kind is Kind.ROW):
        return None
    if common is not None and common.kind is Kind.NULL:
        common = types.varchar(1)
    converted: list[Expression] = []
    for argument, parameter in zip(arguments, parameters, strict=True):
        taken = _take(argument, parameter, common)
        if taken is None:
            return None
        converted.append(taken)
    return converted


def _take(argument: Expression, parameter: Parameter, common: SqlType | None) -> Expression | None:
    wants_word = parameter.type in ("UNIT", "WORD")
    if isinstance(argument, Word) or wants_word:
        return argument if isinstance(argument, Word) and wants_word else None
    if parameter.type == "T":
        return None if common is None else convert(argument, common)
    families = FAMILIES.get(parameter.type)
    if families is not None:
        if argument.type.kind is Kind.NULL and parameter.type not in ("ANY", "COMPARABLE"):
            return convert(argument, _NULL_TYPES.get(families[0], types.varchar(1)))
        exact = parameter.type in ("INTEGRAL", "EXACT")
        if exact and argument.type.kind in types.APPROXIMATE:
            return None
        if parameter.type == "INTEGRAL" and argument.type.kind is Kind.DECIMAL and argument.type.scale:
            return None
        return argument if argument.type.family in families else None
    target = NAMED_TYPES.get(parameter.type)
    if target is None:
        raise InternalError(f"a signature names the type {parameter.type}, which is none")
    if argument.type.kind is target.kind:
        return argument
    return convert(argument, target) if assignable(argument.type, target) else None


def _result(signature: Signature, returns: TypeRule | None, arguments: Sequence[Expression]) -> SqlType:
    if returns is not None:
        return returns([argument.type for argument in arguments])
    for i, parameter in enumerate(signature.parameters):
        if parameter.name == signature.result:
            return arguments[i].type
    if signature.result not in NAMED_TYPES:
        raise InternalError(f"the signature {signature.text} gives no result type")
    return NAMED_TYPES[signature.result]


def count_of(n: int) -> str:
    """So many arguments, in words."""
    return "1 argument" if n == 1 else f"{n} arguments"
