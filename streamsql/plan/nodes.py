"""The nodes of a plan.  Expressions inside a node read the columns of its input by position.

A node whose schema has a ROWTIME (column 0) gives a stream, any other a table.  Both run on the same operators: a table is a
stream that ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

from streamsql.catalog import SystemTable
from streamsql.errors import Span
from streamsql.expressions.calls import AggregateCall
from streamsql.expressions.nodes import Expression
from streamsql.external.scan.request import Request
from streamsql.external.table import ExternalTable
from streamsql.functions.registry import TableFunction
from streamsql.plan.joins import JoinKey, JoinKind, JoinWindow
from streamsql.plan.sort_keys import SortKey
from streamsql.plan.windows import SlidingWindow, TableWindow, Window
from streamsql.time import Time
from streamsql.types import Schema

_NAMES: dict[type, tuple[str, ...]] = {}
"""The names of the fields of each kind of node: rules look at them many times for each query."""


def _fields(node: Node) -> tuple[str, ...]:
    names = _NAMES.get(type(node))
    if names is None:
        names = _NAMES[type(node)] = tuple(field.name for field in fields(node))
    return names


@dataclass(frozen=True, slots=True)
class Node:
    """The base; `schema` is that of the rows it gives."""

    schema: Schema

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The nodes it reads, in the order of its ports."""
        found: list[Node] = []
        for name in _fields(self):
            value = getattr(self, name)
            found += (
                [value]
                if isinstance(value, Node)
                else [v for v in value if isinstance(v, Node)]
                if isinstance(value, tuple)
                else []
            )
        return tuple(found)

    def map_inputs(self, change: Callable[[Node], Node]) -> Self:
        """The same node with changed inputs; itself where none changes."""
        changes: dict[str, Any] = {}
        for name in _fields(self):
            value = getattr(self, name)
            if isinstance(value, Node):
                new: Any = change(value)
            elif isinstance(value, tuple) and value and isinstance(value[0], Node):
                new = tuple(map(change, value))
                if all(a is b for a, b in zip(new, value, strict=True)):
                    new = value
            else:
                continue
            if new is not value:
                changes[name] = new
        return replace(self, **changes) if changes else self

    def rewrite(self, rule: Callable[[Node], Node]) -> Node:
        """Apply `rule` to every node, from the leaves up; what does not change is kept."""
        return rule(self.map_inputs(lambda child: child.rewrite(rule)))


@dataclass(frozen=True, slots=True)
class Scan(Node):
    """The rows of a named stream or table."""

    relation: str


@dataclass(frozen=True, slots=True)
class ExternalScan(Node):
    """The rows of an external table, as it was when the query was planned: a table."""

    request: Request

    @staticmethod
    def of(request: Request) -> ExternalScan:
        """The scan that a request asks for."""
        return ExternalScan(request.schema, request)


@dataclass(frozen=True, slots=True)
class SystemScan(Node):
    """The rows of a system table, as they are when the query runs: a table."""

    table: SystemTable


@dataclass(frozen=True, slots=True)
class Values(Node):
    """Literal rows: a table."""

    rows: tuple[tuple[Expression, ...], ...]


@dataclass(frozen=True, slots=True)
class Filter(Node):
    """The rows for which `predicate` is true."""

    input: Node
    predicate: Expression


@dataclass(frozen=True, slots=True)
class Project(Node):
    """Computed columns, one expression a column of the schema (for a stream the first gives ROWTIME)."""

    input: Node
    expressions: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Retime(Node):
    """Rows with a new ROWTIME, taken from a column: `expr AS ROWTIME`.

    A row whose new time is below the highest let through is late.  With `within` (milliseconds) rows wait and are sorted
    (T-sort), and are late only below the highest seen minus that.  `keys` break ties.
    """

    input: Node
    column: int
    within: Time = 0
    keys: tuple[SortKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Aggregate(Node):
    """GROUP BY: one row a combination of `keys`, when the window closes (at the end, where there is none).

    The columns are ROWTIME (of a stream: the end of the window), the keys, the calls.  `window.key` counts the keys.
    """

    input: Node
    keys: tuple[Expression, ...]
    calls: tuple[AggregateCall, ...]
    window: Window | None


@dataclass(frozen=True, slots=True)
class Combine(Node):
    """GROUP BY of what a scan has added up part by part: its groups put together, at the end.

    The columns are the keys, which are the first of the input's, and the calls, which the input has the parts of.
    """

    input: Node
    calls: tuple[AggregateCall, ...]


@dataclass(frozen=True, slots=True)
class GroupingSets(Node):
    """GROUP BY a table in several ways at once: for each of `sets`, which are of keys by their place, the rows of its groups.

    The columns are the keys, NULL where they are not in the set, the calls, and for each key whether it is not (1) or is (0).
    """

    input: Node
    keys: tuple[Expression, ...]
    calls: tuple[AggregateCall, ...]
    sets: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Stagger(Node):
    """WINDOWED BY STAGGER: one row a window; a combination of `keys` has a window of `length` milliseconds from its first row
    on, and the next one from the first row behind that.

    The columns are ROWTIME (the end of the window), the keys, the calls.
    """

    input: Node
    keys: tuple[Expression, ...]
    calls: tuple[AggregateCall, ...]
    length: Time


@dataclass(frozen=True, slots=True)
class Over(Node):
    """Sliding windows: every input row at once, with the values of all calls, window by window, behind its columns."""

    input: Node
    windows: tuple[SlidingWindow, ...]


@dataclass(frozen=True, slots=True)
class TableOver(Node):
    """OVER on a table: its rows, in their order, with the values of all calls, window by window, behind their columns."""

    input: Node
    windows: tuple[TableWindow, ...]


@dataclass(frozen=True, slots=True)
class Sort(Node):
    """ORDER BY: rows are gathered until the window closes (at the end, where there is none) and given sorted by `keys`.

    Of a stream, ROWTIME becomes the end of the window, and the last column, hidden, keeps the row's own.  Of a table nobody
    wants more rows than the `first` so many (None: all).
    """

    input: Node
    keys: tuple[SortKey, ...]
    window: Window | None
    first: int | None = None


@dataclass(frozen=True, slots=True)
class Distinct(Node):
    """SELECT DISTINCT: a row when the values of `columns` first appear within its window; ROWTIME is none of them."""

    input: Node
    columns: tuple[int, ...]
    window: Window | None


@dataclass(frozen=True, slots=True)
class Union(Node):
    """UNION ALL: the rows of all inputs, merged in ROWTIME order; rows of equal ROWTIME in the order of the inputs."""

    branches: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class SetOperation(Node):
    """Of two tables the distinct rows of the first that the second has (`common`: INTERSECT), or has not (EXCEPT).

    `all`: a row as often as both have it, or as the first has it more often.
    """

    input: Node
    table: Node
    common: bool
    all: bool = False


@dataclass(frozen=True, slots=True)
class Join(Node):
    """Streams joined: a combination of rows comes once, when its last row arrives, if all others are then in their windows.

    The columns are ROWTIME (that of the last row), then those of each input, its own ROWTIME first.  `condition` is over
    these.  There are two inputs, or any number of an INNER join.  A row that matches nothing comes, where `kind` says so,
    when it leaves its window.  Nobody reads the columns in `unread`: they are NULL.
    """

    branches: tuple[Node, ...]
    windows: tuple[JoinWindow, ...]
    kind: JoinKind
    condition: Expression
    unread: frozenset[int] = frozenset()

    @property
    def can_fail(self) -> bool:
        """Whether some row may fail in it."""
        return self.condition.can_fail


@dataclass(frozen=True, slots=True)
class Lookup(Node):
    """A stream or table joined with a table: every input row with the table's rows for which `condition` is true, at once.

    The columns are those of the input, then those of the table; a LEFT or SINGLE join keeps the input's rows, a FULL one (of
    two tables) the table's too.  Nobody reads the columns in `unread`: they are NULL.  The keys at the places `arriving`, among
    those that the condition equates, choose the partitions of the table's scan, when they come.
    """

    input: Node
    table: Node
    kind: JoinKind
    condition: Expression
    unread: frozenset[int] = frozenset()
    asked: tuple[JoinKey, ...] = ()
    arriving: tuple[int, ...] = ()

    @property
    def can_fail(self) -> bool:
        """Whether some row may fail in it."""
        return self.condition.can_fail or self.kind is JoinKind.SINGLE


@dataclass(frozen=True, slots=True)
class Mark(Node):
    """Every row of a stream or table with, for each condition, whether a table has a row for which it is true, at once.

    The columns are those of the input, then the answers.  A condition is over the columns of the input, then those of the
    table.  `arriving` is as of a Lookup; there is one condition then.
    """

    input: Node
    table: Node
    conditions: tuple[Expression, ...]
    asked: tuple[JoinKey, ...] = ()
    arriving: tuple[int, ...] = ()

    @property
    def can_fail(self) -> bool:
        """Whether some row may fail in it."""
        return any(condition.can_fail for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class Single(Node):
    """A table of one row at most: more are an error of the statement, at `span`."""

    input: Node
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Unnest(Node):
    """Each row with the elements of its `lists` (ARRAYs and MAPs) side by side in columns behind its own, as often as the longest
    has elements; `numbered`: and their number, from 1, in the last column.  `outer`: once, with NULLs, where all are empty."""

    input: Node
    lists: tuple[Expression, ...]
    numbered: bool
    outer: bool


@dataclass(frozen=True, slots=True)
class Limit(Node):
    """The first `count` rows after `offset`; then its sources may close."""

    input: Node
    count: int | None
    offset: int = 0


@dataclass(frozen=True, slots=True)
class TableCall(Node):
    """TABLE(function(CURSOR(...), arguments)).

    `name` is the call's place in its statement: what a random function draws its seed from, before any rule moves it.
    """

    input: Node
    function: TableFunction
    arguments: tuple[Any, ...]
    name: str


@dataclass(frozen=True, slots=True)
class Insert(Node):
    """Rows converted to the columns of a stream, or of an external table, and written to it."""

    input: Node
    target: str
    table: ExternalTable | None = None


def requests_of(plan: Node) -> list[Request]:
    """What a plan asks of external tables."""
    found = [plan.request] if isinstance(plan, ExternalScan) else []
    for child in plan.inputs:
        found += requests_of(child)
    return found


def streams_of(plan: Node) -> list[str]:
    """The streams that a plan reads."""
    found = [plan.relation] if isinstance(plan, Scan) and plan.schema.is_stream else []
    for child in plan.inputs:
        found += streams_of(child)
    return found
