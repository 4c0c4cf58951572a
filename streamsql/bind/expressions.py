"""Expressions: from stock sqlglot nodes to typed, resolved ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlglot import exp

from streamsql import types
from streamsql.bind.aggregates import aggregate, grouping, windowed
from streamsql.bind.binder import Binder
from streamsql.bind.comparisons import OPERATORS, compared, is_special
from streamsql.bind.context import Context
from streamsql.bind.functions import call_scalar, convert, takes_unit
from streamsql.bind.literals import folded_double, literal
from streamsql.bind.moments import day_arithmetic
from streamsql.bind.parameters import constant
from streamsql.bind.periods import period_predicate, predicate_name
from streamsql.bind.records import reference
from streamsql.bind.sql_functions import ParameterScope, check_data, chosen, inlined, returned
from streamsql.bind.subqueries import exists, scalar
from streamsql.catalog import Function
from streamsql.coercion import castable, common_type
from streamsql.errors import ProgrammingError, Span, not_supported
from streamsql.expressions.nodes import Cast, Constant, Expression, Word
from streamsql.functions.registry import AGGREGATES, TABLE_FUNCTIONS
from streamsql.types import Kind


class ExpressionBinder(Binder):
    """Binds every form there is."""

    __slots__ = ()

    def bind(self, node: exp.Expression) -> Expression:
        span = node.meta.get("span")
        if "value" in node.meta:
            return literal(node, self.context.tables_alone)
        if self.context.tables_alone and (number := folded_double(node)) is not None:
            return number
        operator = OPERATORS.get(type(node))
        if operator is not None and is_special(node):
            return compared(node, self)
        if operator is not None:
            left, right = self._operands(node)
            days = day_arithmetic(operator, left, right, span) if self.context.tables_alone else None
            if days is not None:
                return days
            if operator == "-" and left.type.is_datetime and right.type.is_datetime:
                message = f"the difference of {left.type} and {right.type} needs a unit"
                raise ProgrammingError(message, span, "(a - b) SECOND, (a - b) DAY TO SECOND ...")
            return call_scalar(operator, [left, right], span)
        method = _METHODS.get(type(node))
        if method is None:
            raise not_supported(f"{type(node).__name__} in an expression", span)
        return method(self, node)

    def boolean(self, node: exp.Expression, clause: str) -> Expression:
        condition = self._condition(node)
        if condition.type.kind is Kind.NULL:
            return convert(condition, types.BOOLEAN)
        if condition.type.kind is not Kind.BOOLEAN:
            raise ProgrammingError(f"{clause} needs a condition, and this is {condition.type}", node.meta.get("span"))
        return condition

    def _condition(self, node: exp.Expression) -> Expression:
        """A condition of which it counts only whether it is TRUE: UNKNOWN may be FALSE in it."""
        if isinstance(node, (exp.And, exp.Or)):
            sides = [self._condition(node.this), self._condition(node.expression)]
            return call_scalar(OPERATORS[type(node)], sides, node.meta.get("span"))
        return compared(node, self, only_true=True) if is_special(node) else self.bind(node)

    # -- leaves --------------------------------------------------------------------------------------------------------

    def column(self, node: exp.Column) -> Expression:
        return reference(self.scope, node)

    def boolean_literal(self, node: exp.Boolean) -> Expression:
        return Constant(types.BOOLEAN, bool(node.this))

    def null(self, node: exp.Null) -> Expression:
        return Constant(node.meta.get("type", types.NULL), None)

    def word(self, node: exp.Var) -> Expression:
        word = str(node.this).upper()
        return Word(types.interval(word) if word in types.UNITS else types.NULL, word)

    def placeholder(self, node: exp.Placeholder) -> Expression:
        span = node.meta.get("span")
        key = node.this if node.this else node.meta.get("index", 0)
        try:
            value = self.context.parameters[key]
        except (KeyError, IndexError, TypeError):
            what = f":{key}" if isinstance(key, str) else f"parameter {key + 1}"
            raise ProgrammingError(f"no value was given for {what}", span) from None
        return constant(value, span)

    def row(self, node: exp.Tuple) -> Expression:
        text = "a row is no value of its own"
        raise ProgrammingError(text, node.meta.get("span"), "rows are compared: (a, b) = (c, d), (a, b) IN (SELECT ...)")

    # -- predicates and special forms ----------------------------------------------------------------------------------

    def negate(self, node: exp.Neg) -> Expression:
        operand = self.bind(node.this)
        if isinstance(operand, Constant) and isinstance(operand.value, (int, float, Decimal)) and operand.type.is_numeric:
            return replace(operand, value=-operand.value)
        return call_scalar("NEGATE", [operand], node.meta.get("span"))

    def negation(self, node: exp.Not) -> Expression:
        return call_scalar("NOT", [self.bind(node.this)], node.meta.get("span"))

    def is_test(self, node: exp.Is) -> Expression:
        test = node.expression
        word = "TRUE" if test.this else "FALSE"
        if isinstance(test, exp.Null):
            word = "UNKNOWN" if test.meta["type"].kind is Kind.BOOLEAN else "NULL"
        return call_scalar(f"IS {word}", [self.bind(node.this)], node.meta.get("span"))

    def _operands(self, node: exp.Expression) -> list[Expression]:
        """Both operands of an operator."""
        operands = [self.bind(node.this), self.bind(node.expression)]
        return self.alike(operands, node) if isinstance(node, exp.Predicate) else operands

    def between(self, node: exp.Between) -> Expression:
        span = node.meta.get("span")
        value, low, high = self.alike([self.bind(n) for n in (node.this, node.args["low"], node.args["high"])], node)
        return call_scalar("AND", [call_scalar(">=", [value, low], span), call_scalar("<=", [value, high], span)], span)

    def in_list(self, node: exp.In) -> Expression:
        if is_special(node):
            return compared(node, self)
        values = self.alike([self.bind(node.this), *(self.bind(e) for e in node.expressions)], node)
        return call_scalar("IN", values, node.meta.get("span"))

    def like(self, node: exp.Expression) -> Expression:
        return self._match(node, [node.this, node.expression])

    def escaped(self, node: exp.Escape) -> Expression:
        return self._match(node.this, [node.this.this, node.this.expression, node.expression])

    def _match(self, node: exp.Expression, trees: Sequence[exp.Expression]) -> Expression:
        span, arguments = node.meta.get("span"), [self.bind(tree) for tree in trees]
        if isinstance(node, exp.ILike):  # a pattern in small letters fits a text in small letters
            arguments = [call_scalar("LOWER", [argument], span) for argument in arguments]
        return call_scalar("SIMILAR TO" if isinstance(node, exp.SimilarTo) else "LIKE", arguments, span)

    def cast(self, node: exp.Cast) -> Expression:
        operand, target = self.bind(node.this), node.meta["type"]
        if operand.type.kind is Kind.NULL:
            return Constant(target, None)
        if not castable(operand.type, target):
            raise ProgrammingError(f"cannot cast {operand.type} to {target}", node.meta.get("span"))
        return Cast(target, operand, span=node.meta.get("span"))

    def case(self, node: exp.Case) -> Expression:
        span = node.meta.get("span")
        arguments: list[Expression] = []
        for branch in node.args["ifs"]:
            condition = self.bind(branch.this)
            if node.this is not None:
                condition = call_scalar("=", [self.bind(node.this), condition], span)
            arguments += [condition, self.bind(branch.args["true"])]
        default = node.args.get("default")
        arguments.append(Constant(types.NULL, None) if default is None else self.bind(default))
        return call_scalar("CASE", _case_arguments(arguments, span), span)

    def _decode(self, node: exp.Anonymous) -> Expression:
        """DECODE(x, a, b, ..., z): b where x is a, in which NULL is NULL, and z, or NULL, where x is none of them."""
        span = node.meta.get("span")
        if len(node.expressions) < 3:
            raise ProgrammingError("DECODE takes 3 arguments at least", span, "DECODE(x, value, result, ..., otherwise)")
        value, *rest = (self.bind(argument) for argument in node.expressions)
        arguments: list[Expression] = []
        for sought, result in zip(rest[::2], rest[1::2]):
            arguments += [call_scalar("IS NOT DISTINCT FROM", self.alike([value, sought], node), span), result]
        arguments.append(rest[-1] if len(rest) % 2 else Constant(types.NULL, None))
        return call_scalar("CASE", _case_arguments(arguments, span), span)

    def rounding(self, node: exp.Floor | exp.Ceil) -> Expression:
        name = "FLOOR" if isinstance(node, exp.Floor) else "CEIL"
        unit = node.args.get("to")
        arguments = [self.bind(node.this), *([] if unit is None else [self.bind(unit)])]
        return call_scalar(name, arguments, node.meta.get("span"))

    def scalar_subquery(self, node: exp.Subquery) -> Expression:
        return scalar(self.inner(node), node.meta.get("span"))

    def exists(self, node: exp.Exists) -> Expression:
        return exists(self.inner(node))

    # -- calls ---------------------------------------------------------------------------------------------------------

    def call(self, node: exp.Anonymous) -> Expression:
        name, span = str(node.this), node.meta.get("span")
        if name in AGGREGATES:
            return aggregate(node, self)
        if name == "GROUPING" and node.expressions:
            return grouping(node, self)
        if name == "INTERVAL":
            return self._difference(node)
        if predicate_name(node) is not None:
            return period_predicate(node, self.bind)
        if name in TABLE_FUNCTIONS:
            raise ProgrammingError(f"{name} is a table function", span, f"FROM TABLE({name}(CURSOR(SELECT STREAM ...)))")
        if name in self.context.functions:
            return self._sql_function(node)
        if name == "DECODE":
            return self._decode(node)
        name = _SUBSTRINGS.get(node.meta.get("form"), name)
        return call_scalar(name, [self._argument(name, i, argument) for i, argument in enumerate(node.expressions)], span)

    def _argument(self, name: str, position: int, node: exp.Expression) -> Expression:
        """An argument of a call; where the function takes a unit of time, its bare name is one."""
        if isinstance(node, exp.Column) and not node.args.get("table") and not node.this.quoted and takes_unit(name, position):
            return Word(types.NULL, str(node.this.this).upper())
        return self.bind(node)

    def _sql_function(self, node: exp.Anonymous) -> Expression:
        """A call of a function that the application defines."""
        span = node.meta.get("span")
        arguments = [self.bind(argument) for argument in node.expressions]
        function = chosen(self.context.functions[str(node.this)], arguments, span)
        if function in self.context.within:
            raise ProgrammingError(f"function {function} would call itself", span)
        try:
            body = function_body(function, self.context)
        except ProgrammingError as error:  # it was right when it was created; its text is not the one that is bound now
            raise ProgrammingError(f"in function {function}: {error.message}", span, error.hint) from None
        return inlined(function, body, arguments, span)

    def _difference(self, node: exp.Anonymous) -> Expression:
        """`(a - b) MINUTE TO SECOND`: the difference of two datetimes, or an interval in other units."""
        span, target = node.meta.get("span"), node.meta["type"]
        value = node.expressions[0]
        if isinstance(value, exp.Sub):
            left, right = self.bind(value.this), self.bind(value.expression)
            if left.type.is_datetime and right.type.is_datetime:
                if left.type.family is not right.type.family:
                    message = f"the two sides of a difference are of the same type, and these are {left.type} and {right.type}"
                    raise ProgrammingError(message, span, "CAST one to the type of the other")
                units = [Word(types.interval(unit), unit) for unit in (target.qualifier.start, target.qualifier.end)]
                return call_scalar("MINUS_DATETIME", [left, right, *units], span)
        operand = self.bind(value)
        if not operand.type.is_interval:
            raise ProgrammingError(
                f"{target.qualifier} is for an interval or a difference of times, and this is {operand.type}", span
            )
        return Cast(target, operand, span=span)

    def aggregate(self, node: exp.Expression) -> Expression:
        return aggregate(node, self)

    def windowed(self, node: exp.Window) -> Expression:
        return windowed(node, self)


_SUBSTRINGS: dict[object, str] = {"similar": "SUBSTRING SIMILAR", "comma": "SUBSTRING WITH COMMAS"}
"""The forms of SUBSTRING that are functions of their own."""

_METHODS: dict[type[exp.Expression], Callable[[ExpressionBinder, Any], Expression]] = {
    exp.Column: ExpressionBinder.column,
    exp.Boolean: ExpressionBinder.boolean_literal,
    exp.Null: ExpressionBinder.null,
    exp.Var: ExpressionBinder.word,
    exp.Placeholder: ExpressionBinder.placeholder,
    exp.Tuple: ExpressionBinder.row,
    exp.Neg: ExpressionBinder.negate,
    exp.Not: ExpressionBinder.negation,
    exp.Is: ExpressionBinder.is_test,
    exp.Between: ExpressionBinder.between,
    exp.In: ExpressionBinder.in_list,
    exp.Like: ExpressionBinder.like,
    exp.ILike: ExpressionBinder.like,
    exp.SimilarTo: ExpressionBinder.like,
    exp.Escape: ExpressionBinder.escaped,
    exp.Cast: ExpressionBinder.cast,
    exp.Case: ExpressionBinder.case,
    exp.Floor: ExpressionBinder.rounding,
    exp.Ceil: ExpressionBinder.rounding,
    exp.Anonymous: ExpressionBinder.call,
    exp.Window: ExpressionBinder.windowed,
    exp.IgnoreNulls: ExpressionBinder.aggregate,
    exp.RespectNulls: ExpressionBinder.aggregate,
    exp.Filter: ExpressionBinder.aggregate,
    exp.WithinGroup: ExpressionBinder.aggregate,
    exp.Subquery: ExpressionBinder.scalar_subquery,
    exp.Exists: ExpressionBinder.exists,
}
"""One method a kind of node: a new form is one entry."""


def function_body(function: Function, context: Context) -> Expression:
    """What a function gives, with its parameters as the columns of the input; raises ProgrammingError where it gives nothing."""
    check_data(function)
    inner = Context(functions=context.functions, within=(*context.within, function))
    binder = ExpressionBinder(ParameterScope(function), inner, inside=f"function {function}")
    return returned(function, binder.bind(function.statement.body))


def _case_arguments(arguments: list[Expression], span: Span | None) -> list[Expression]:
    """Conditions as BOOLEAN, results in their common type."""
    results = [*arguments[1::2], *([arguments[-1]] if len(arguments) % 2 else [])]
    common = common_type([result.type for result in results])
    if common is None:
        kinds = ", ".join(dict.fromkeys(str(result.type) for result in results))
        raise ProgrammingError(f"the branches of CASE have no common type: {kinds}", span)
    converted = list(arguments)
    for i, argument in enumerate(arguments):
        is_condition = i % 2 == 0 and i < len(arguments) - 1
        if not is_condition:
            converted[i] = convert(argument, common)
        elif argument.type.kind is Kind.NULL:
            converted[i] = convert(argument, types.BOOLEAN)
        elif argument.type.kind is not Kind.BOOLEAN:
            raise ProgrammingError(f"WHEN needs a condition, and this is {argument.type}", span)
    return converted
