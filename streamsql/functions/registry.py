"""THE function table: one record a function.

A record is made by decorating the implementation::

    @scalar("MOD(i: NUMERIC, j: NUMERIC) -> i", fails=True)
    def mod(rows, i, j):
        '''The remainder of i / j, with the sign of i.

        >>> MOD(-4, 3)
        -1
        '''

From the one record come overload resolution and the type rule (the signature, see `signature.py`), the documentation and the
REPL's help (the docstring), the tests (every `>>>` line is run as SQL), monotonicity, the spelling in DuckDB for the property
tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from streamsql.functions.aggregation import AccumulatorFactory, OrderedFunction, SlidingFactory
from streamsql.functions.monotone import MonotoneRule
from streamsql.functions.signature import Signature, parse_signature
from streamsql.operator import Operator
from streamsql.types import Field, Schema, SqlType

Implementation = Callable[..., Any]
"""`implementation(rows: Rows, *arguments: Datum) -> Datum`; a lazy one gets `Evaluate`s for arguments."""

TypeRule = Callable[[Sequence[SqlType]], SqlType]
"""From the (converted) argument types to the result's type."""

RecordRule = Callable[[Sequence[Any]], tuple[Field, ...]]
"""From the values of the arguments behind the first, which are constants, to the fields of the record that comes out.

Raises ProgrammingError for values that describe none."""

FailRule = Callable[[Sequence[Any]], bool]
"""From the arguments' constant values (None where not constant) to whether some row may fail."""


@dataclass(frozen=True, slots=True, eq=False)
class ScalarFunction:
    """A function of one row.

    `strict`: a NULL argument gives NULL (the implementation sees to it; Arrow's kernels do). `fails`: some rows may fail,
    so rules must not move it past a filter; a rule when that is seen from the constants. `volatile`: gives other values
    when asked again. `lazy`: the implementation gets its arguments unevaluated. `infix`: how the manual and EXPLAIN print
    it as an operator. `next_change(t, *rest)`: for a function monotone in its first argument, the first time after `t` at
    which the result is another.
    """

    signature: Signature
    implementation: Implementation
    returns: TypeRule | None
    category: str
    documentation: str
    strict: bool
    lazy: bool
    fails: bool | FailRule
    volatile: bool
    infix: bool
    monotone: MonotoneRule | None
    next_change: Callable[..., int] | None
    duckdb: str | None
    record: RecordRule | None

    @property
    def name(self) -> str:
        return self.signature.name


SCALARS: dict[str, list[ScalarFunction]] = {}
"""By upper-case name; several records are overloads, tried in the order of their definition."""


def scalar(
    signature: str,
    *,
    returns: TypeRule | None = None,
    strict: bool = True,
    lazy: bool = False,
    fails: bool | FailRule = False,
    volatile: bool = False,
    infix: bool = False,
    monotone: MonotoneRule | None = None,
    next_change: Callable[..., int] | None = None,
    duckdb: str | None = None,
    record: RecordRule | None = None,
) -> Callable[[Implementation], Implementation]:
    """Enter the decorated implementation into the function table."""

    def enter(implementation: Implementation) -> Implementation:
        parsed = parse_signature(signature)
        function = ScalarFunction(
            parsed,
            implementation,
            returns,
            implementation.__module__.removeprefix(f"{__package__}.").replace(".", "_"),
            implementation.__doc__ or "",
            strict,
            lazy,
            fails,
            volatile,
            infix,
            monotone,
            next_change,
            duckdb,
            record,
        )
        SCALARS.setdefault(parsed.name, []).append(function)
        return implementation

    return enter


@dataclass(frozen=True, slots=True, eq=False)
class AggregateFunction:
    """A function of many rows: in a GROUP BY (`accumulator`), over a sliding window of a stream (`sliding`), over a window of a
    table (`ordered`; without it, as an aggregate of each frame), or in several.

    `positional`: the value of one of the rows, by its place, and not one of all values that are not NULL.  `distinct`: it is
    always of DISTINCT values.  `keeps_nulls`: NULL is a value among others.  `ordered_set`: it is written with WITHIN GROUP
    (ORDER BY x): its parameters are x, those in the brackets, and whether x descends.  `needs_order`: a window without ORDER BY
    says nothing to it.
    """

    signature: Signature
    returns: TypeRule | None
    documentation: str
    accumulator: AccumulatorFactory | None
    sliding: SlidingFactory | None
    duckdb: str | None
    positional: bool
    distinct: bool
    ordered: OrderedFunction | None
    keeps_nulls: bool = False
    ordered_set: bool = False
    needs_order: bool = False

    @property
    def name(self) -> str:
        return self.signature.name


AGGREGATES: dict[str, list[AggregateFunction]] = {}
"""By upper-case name; several records are overloads, tried in the order of their definition."""


def aggregate(
    signature: str,
    *,
    sliding: SlidingFactory | None = None,
    returns: TypeRule | None = None,
    aliases: Sequence[str] = (),
    duckdb: str | None = None,
    positional: bool = False,
    distinct: bool = False,
    ordered: OrderedFunction | None = None,
    keeps_nulls: bool = False,
    ordered_set: bool = False,
) -> Callable[[AccumulatorFactory], AccumulatorFactory]:
    """Enter the decorated maker of accumulators as a function of groups, and with `sliding` also of sliding windows."""

    def enter(accumulator: AccumulatorFactory) -> AccumulatorFactory:
        parsed = parse_signature(signature)
        makers, flags = (accumulator, sliding, duckdb), (positional, distinct)
        record = AggregateFunction(parsed, returns, accumulator.__doc__ or "", *makers, *flags, ordered, keeps_nulls, ordered_set)
        _enter_aggregate(record, aliases)
        return accumulator

    return enter


def analytic(
    signature: str, *, returns: TypeRule | None = None, duckdb: str | None = None, ordered: OrderedFunction | None = None
) -> Callable[[SlidingFactory], SlidingFactory]:
    """Enter the decorated maker of sliding values as a function of sliding windows alone."""

    def enter(sliding: SlidingFactory) -> SlidingFactory:
        parsed, makers = parse_signature(signature), (None, sliding, duckdb)
        _enter_aggregate(AggregateFunction(parsed, returns, sliding.__doc__ or "", *makers, True, False, ordered))
        return sliding

    return enter


def ordered(signature: str, *, needs_order: bool = True) -> Callable[[OrderedFunction], OrderedFunction]:
    """Enter the decorated function as one of windows of tables alone."""

    def enter(function: OrderedFunction) -> OrderedFunction:
        parsed, made = parse_signature(signature), (None, None, None, True, False, function)
        _enter_aggregate(AggregateFunction(parsed, None, function.__doc__ or "", *made, needs_order=needs_order))
        return function

    return enter


def _enter_aggregate(record: AggregateFunction, aliases: Sequence[str] = ()) -> None:
    parsed = record.signature
    for name in (parsed.name, *aliases):
        named = replace(parsed, name=name, text=parsed.text.replace(parsed.name, name, 1))
        AGGREGATES.setdefault(name, []).append(replace(record, signature=named))


@dataclass(frozen=True, slots=True, eq=False)
class TableFunction:
    """A function of a whole stream: TABLE(name(CURSOR(...), arguments)).

    `check(input, arguments)` takes the cursor's schema and the constant arguments as given and returns all of them, defaults
    filled in, or raises ProgrammingError; `output` gives the schema of the result; `operator(input, arguments, seed)` makes
    the operator.
    """

    name: str
    documentation: str
    parameters: tuple[str, ...]
    check: Callable[[Schema, Sequence[Any]], tuple[Any, ...]]
    output: Callable[[Schema, Sequence[Any]], Schema]
    operator: Callable[[Schema, Sequence[Any], int], Operator]


TABLE_FUNCTIONS: dict[str, TableFunction] = {}
"""By upper-case name."""
