"""Records: which fields one has, and names of several parts, the last of which may be that of a field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from sqlglot import exp

from streamsql.bind.scope import Scope, folded, has_name
from streamsql.catalog import nearest
from streamsql.errors import ProgrammingError, Span
from streamsql.expressions.evaluate import evaluator, one_row
from streamsql.expressions.nodes import Call, Constant, Expression, Member
from streamsql.expressions.text import text
from streamsql.functions.registry import RecordRule, ScalarFunction
from streamsql.rows import QueryTime
from streamsql.types import Kind, SqlType


def reference(scope: Scope, column: exp.Column) -> Expression:
    """What `column`, `relation.column`, `record.field`, `relation.record.field` or a field further in means.

    The first of several names is a relation's where FROM has one of this name.  A schema in front does not count.
    """
    names = [name for part in ("catalog", "db", "table") if (name := column.args.get(part)) is not None] + [column.this]
    span = column.meta.get("span")
    if len(names) == 1:
        return scope.column(column)
    first = next((i for i, name in enumerate(names[:-1]) if _is_relation(scope, name)), None)
    if first is None:
        record = _record(scope, names[0], None, span)
        if record is not None:
            return _members(record, names[1:])
        first = max(0, len(names) - 3)
    return _members(scope.column(_column(names[first + 1], names[first], span)), names[first + 2 :])


def _members(record: Expression, names: Sequence[exp.Identifier]) -> Expression:
    for name in names:
        record = member(record, name)
    return record


def _is_relation(scope: Scope, name: exp.Identifier) -> bool:
    return any(relation.alias == folded(name) for relation in scope.relations)


def fields_of(scope: Scope, star: exp.Column) -> list[Member] | None:
    """The fields of `record.*` or `relation.record.*`; None where the names are a relation's."""
    name, relation = star.args["table"], star.args.get("db")
    if relation is None and _is_relation(scope, name):
        return None
    record = _record(scope, name, relation, star.meta.get("span"))
    if record is None:
        return None
    return [Member(f.type, record, i, f.name) for i, f in enumerate(record.type.fields)]


def member(record: Expression, name: exp.Identifier) -> Expression:
    """The field of a record that has a name: exactly it, or else in another case, as fields of external tables may."""
    wanted, fields = folded(name), record.type.fields
    if record.type.kind is not Kind.ROW:
        raise ProgrammingError(f"{text(record)} is {record.type}, which has no fields", name.meta.get("span"))
    same = [i for i, field in enumerate(fields) if field.name == wanted]
    same += [i for i, field in enumerate(fields) if field.name.upper() == wanted.upper()]
    if same:
        field = fields[same[0]]
        return Member(field.type, record, same[0], field.name)
    hint = nearest(wanted, [field.name for field in fields])
    raise ProgrammingError(f"no field {wanted} in the record", name.meta.get("span"), hint)


def check_comparable(expression: Expression, clause: str, span: Span | None) -> None:
    """Refuse records, lists and maps where values are compared."""
    if expression.type.kind is Kind.ROW:
        raise ProgrammingError(f"{clause} cannot compare records", span, "name the fields: record.FIELD")
    if expression.type.is_nested:
        raise ProgrammingError(f"{clause} cannot compare {expression.type}", span)


def _record(scope: Scope, name: exp.Identifier, relation: exp.Identifier | None, span: Span | None) -> Expression | None:
    """The column of this name that holds records, where there is one."""
    among = [each for each in scope.relations if relation is None or each.alias == folded(relation)]
    if not any(has_name(each, f, folded(name)) and f.type.kind is Kind.ROW for each in among for f in each.fields):
        return None
    return scope.column(_column(name, relation, span))


def _column(name: exp.Identifier, relation: exp.Identifier | None, span: Span | None) -> exp.Column:
    column = exp.Column(this=name.copy(), table=None if relation is None else relation.copy())
    column.meta["span"] = span
    return column


def record_type(function: ScalarFunction, rule: RecordRule, arguments: Sequence[Expression]) -> SqlType:
    """The record that a function gives: its fields are known before the first row."""
    values: list[Any] = []
    for position, argument in enumerate(arguments[1:], 1):
        known, value = constant_value(argument)
        if not known:
            message = f"{function.name}: {function.signature.parameter(position).name} must be a constant"
            raise ProgrammingError(message, hint="it says which fields there are, and rows differ in it")
        values.append(value)
    return SqlType(Kind.ROW, fields=rule(values))


def constant_value(expression: Expression) -> tuple[bool, Any]:
    """Whether an expression has a value that is known when it is bound, and which."""
    if isinstance(expression, Constant):
        return True, expression.value
    asks = any(isinstance(node, Call) and not node.arguments for node in expression.walk())  # CURRENT_TIMESTAMP and its kin
    if asks or not expression.is_constant:
        return False, None
    rows = one_row(QueryTime())
    value = evaluator(expression, QueryTime())(rows)
    if rows.failures:
        return False, None
    return True, (value if isinstance(value, pa.Scalar) else value[0]).as_py()
