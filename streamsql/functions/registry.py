"""THE function table: one record a function.

A record is made by decorating the implementation::

    @scalar("MOD(i: NUMERIC, j: NUMERIC) -> i", fails=True)
    def mod(rows, i, j):
        '''The remainder of i / j, with the sign of i.

        >>> MOD(-4, 3)
        -1
        '''

From the one record come overload resolution and the type rule (the signature), the documentation and the REPL's help (the
docstring), the tests (every `>>>` line is run as SQL), monotonicity, the spelling in DuckDB for the property tests.

A signature is `NAME(parameter: TYPE, ...) -> RESULT`; NAME may have several words, as `IS NOT NULL`.  A parameter's TYPE is

* a type name (`DOUBLE`, `VARCHAR`, `TIMESTAMP` ...): the argument is converted to it where the dialect converts implicitly;
* a family (`NUMERIC`, `INTEGRAL`, `EXACT`, `CHARACTER`, `BINARYSTRING`, `BOOLEAN`, `DATE`, `TIME`, `TIMESTAMP`, `DATETIME`,
  `MOMENT` (a DATE or a TIMESTAMP), `INTERVAL`, `DAYTIME`, `YEARMONTH`, `COMPARABLE`, `ANY`): the argument stays as it is;
* `T`: all arguments so marked are converted to their common type;
* `UNIT` or `WORD`: not a value but a keyword (`MINUTE`, `LEADING`), passed to the implementation as a `str`.  To a
  `returns=` rule the type of a UNIT is the interval of that unit: `interval("MINUTE")`.

`parameter?: TYPE` may be left out, `parameter...: TYPE` takes any number.  Words between parameters (`t: T BY i: INTERVAL`)
are documentation.  RESULT is a type name, a parameter's name (its type, after conversion), or comes from `returns=`.  Of a
function with `record=` it is RECORD; its fields come from the values of the other arguments, which must be constants.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from streamsql.errors import DataError, InternalError
from streamsql.functions.moves import Moves
from streamsql.keys.interner import Ids
from streamsql.operator import Operator, State
from streamsql.rows import Datum, Mask
from streamsql.state import Arrays
from streamsql.types import Field, Schema, SqlType

Implementation = Callable[..., Any]
"""`implementation(rows: Rows, *arguments: Datum) -> Datum`; a lazy one gets `Evaluate`s for arguments."""

TypeRule = Callable[[Sequence[SqlType]], SqlType]
"""From the (converted) argument types to the result's type."""

RecordRule = Callable[[Sequence[Any]], tuple[Field, ...]]
"""From the values of the arguments behind the first, which are constants, to the fields of the record that comes out.

Raises ProgrammingError for values that describe none."""


class Direction(Enum):
    """How an expression moves as ROWTIME goes on (dialect reference 4.2)."""

    CONSTANT = "constant"
    ASCENDING = "ascending"
    DESCENDING = "descending"
    NONE = "not monotonic"

    def reversed(self) -> Direction:
        """The direction of the negated expression."""
        swap = {Direction.ASCENDING: Direction.DESCENDING, Direction.DESCENDING: Direction.ASCENDING}
        return swap.get(self, self)


MonotoneRule = Callable[[Sequence[Direction], Sequence[Any]], Direction]
"""From the arguments' directions and their constant values (None where not constant) to the result's direction."""

FailRule = Callable[[Sequence[Any]], bool]
"""From the arguments' constant values (None where not constant) to whether some row may fail."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a signature."""

    name: str
    type: str
    optional: bool = False
    variadic: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """`NAME(parameters) -> result`, parsed; `text` is as written, for the manual."""

    name: str
    parameters: tuple[Parameter, ...]
    result: str
    text: str

    @property
    def least(self) -> int:
        """The fewest arguments that fit; a list of them has one at least."""
        return sum(not p.optional for p in self.parameters)

    @property
    def most(self) -> int | None:
        """The most arguments that fit; None: any number."""
        return None if any(p.variadic for p in self.parameters) else len(self.parameters)

    def parameter(self, position: int) -> Parameter:
        """The parameter that takes the argument at this position."""
        return self.parameters[min(position, len(self.parameters) - 1)]


_SIGNATURE = re.compile(r"^(?P<name>[^(]+)\((?P<parameters>.*)\)(?:\s*->\s*(?P<result>\w+))?$", re.DOTALL)
_PARAMETER = re.compile(r"(\w+)(\?|\.\.\.)?:\s*(\w+)")


def parse_signature(text: str) -> Signature:
    """Parse a signature; a malformed one is a defect of the table.

    >>> parse_signature("STEP(t: TIMESTAMP BY i: INTERVAL) -> t").parameters[1].type
    'INTERVAL'
    """
    match = _SIGNATURE.match(text.strip())
    if match is None:
        raise InternalError(f"malformed signature {text!r}")
    parameters = tuple(
        Parameter(name, type_, mark == "?", mark == "...") for name, mark, type_ in _PARAMETER.findall(match["parameters"])
    )
    return Signature(match["name"], parameters, match["result"] or "", text.strip())


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
            implementation.__module__.rpartition(".")[2],
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


def ascending_in(position: int) -> MonotoneRule:
    """The rule of a function that follows the direction of one argument while the others are constant."""

    def rule(directions: Sequence[Direction], _constants: Sequence[Any]) -> Direction:
        others = [d for i, d in enumerate(directions) if i != position]
        if all(d is Direction.CONSTANT for d in others):
            return directions[position]
        return Direction.NONE

    return rule


Fail = Callable[[Mask, str, str], None]
"""How a function of many rows reports that it cannot give a value: where, MESSAGE, ERROR_NAME.  It is `Rows.fail`; the value
there is NULL."""


def raise_failure(_failing: Mask, message: str, name: str) -> None:
    """What happens where nobody takes failures."""
    raise DataError(f"{name}: {message}")


class Accumulator(Protocol):
    """The running value of one aggregate call for every group of a GROUP BY.

    Groups are dense ids from 0.  All state is in `arrays`, so that a checkpoint can save it.  Rows are added in arrival
    order and each group's value depends on nothing else: cutting the rows into batches differently changes no bit of it.
    """

    @property
    def arrays(self) -> State: ...

    def add(self, ids: Ids, groups: int, arguments: Sequence[pa.Array]) -> None:
        """Add rows: `ids` (rows,) says to which of the `groups` groups so far each belongs."""
        ...

    def result(self, fail: Fail = raise_failure) -> pa.Array:
        """The value of each group, in id order.  A group whose value is outside the range of its type fails."""
        ...

    def take(self, groups: int, fail: Fail = raise_failure) -> pa.Array:
        """The values of the first groups, which are forgotten: the others are numbered anew from 0."""
        ...

    def clear(self) -> None:
        """Forget all groups."""
        ...


class Sliding(Protocol):
    """The running value of one call over a sliding window, per partition.

    All state is in `arrays`.  A row's frame is the rows that `moves` has let in and not yet let out, itself included.
    """

    arrays: Arrays

    def slide(self, moves: Moves, arguments: Sequence[Datum], fail: Fail) -> pa.Array:
        """The value for each of the new rows.  One outside the range of its type fails its row; the window goes on.

        The first argument is an array; others, which are constants or LAG's default, may be scalars.
        """
        ...

    def keep(self, partitions: Ids) -> None:
        """Forget all partitions but these, which are numbered anew in this order."""
        ...


AccumulatorFactory = Callable[[Sequence[SqlType], SqlType, bool], Accumulator]
"""From the argument types, the result type and whether NULLs are ignored (IGNORE NULLS)."""

SlidingFactory = Callable[[Sequence[SqlType], SqlType, bool], Sliding]
"""From the argument types, the result type and whether NULLs are ignored (IGNORE NULLS)."""


@dataclass(frozen=True, slots=True)
class OrderedRows:
    """The rows of a table under OVER: partition by partition, each in its order.  All are indices of these rows."""

    starts: Ids
    """(rows,) the first row of the row's partition."""

    stops: Ids
    """(rows,) the row behind its last."""

    peers: Ids
    """(rows,) the first row that is equal to it in the order."""

    peer_stops: Ids
    """(rows,) the row behind the last of these."""

    begins: Ids
    """(rows,) the first row of its frame."""

    ends: Ids
    """(rows,) the row behind its last; never before `begins`."""

    @property
    def places(self) -> Ids:
        """(rows,) where each row stands in its partition, from 0."""
        places: Ids = np.arange(len(self.starts)) - self.starts
        return places


OrderedFunction = Callable[[OrderedRows, Sequence[Datum], bool, Fail], pa.Array]
"""From the rows, the arguments (the first as an array, others may be scalars) and IGNORE NULLS to a value for each row."""


@dataclass(frozen=True, slots=True, eq=False)
class AggregateFunction:
    """A function of many rows: in a GROUP BY (`accumulator`), over a sliding window of a stream (`sliding`), over a window of a
    table (`ordered`; without it, as an aggregate of each frame), or in several.

    `positional`: the value of one of the rows, by its place, and not one of all values that are not NULL.  `distinct`: it is
    always of DISTINCT values.  `keeps_nulls`: NULL is a value among others.  `ordered_set`: it is written with WITHIN GROUP
    (ORDER BY x): its parameters are x, those in the brackets, and whether x descends.
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


def ordered(signature: str) -> Callable[[OrderedFunction], OrderedFunction]:
    """Enter the decorated function as one of windows of tables alone."""

    def enter(function: OrderedFunction) -> OrderedFunction:
        parsed, makers = parse_signature(signature), (None, None, None)
        _enter_aggregate(AggregateFunction(parsed, None, function.__doc__ or "", *makers, True, False, function))
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
