"""The windows of joined streams: OVER on an item of FROM, and how long rows that are already joined can be joined further."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from sqlglot import exp

from streamsql.bind.expressions import ExpressionBinder
from streamsql.bind.functions import call_scalar
from streamsql.bind.scope import Scope, folded
from streamsql.bind.source import Source
from streamsql.bind.windows import frame_of, resolve_window
from streamsql.errors import ProgrammingError, Span, not_supported
from streamsql.expressions.nodes import Column, Constant, Expression
from streamsql.plan import nodes
from streamsql.plan.joins import JoinWindow
from streamsql.plan.windows import Frame
from streamsql.types import ROWTIME, TIMESTAMP, Field, Schema, interval

CURRENT_ROW = Frame("RANGE", 0)
"""The window of a stream without OVER: the rows of the current instant."""


@dataclass(frozen=True, slots=True)
class Member:
    """A stream among joined items: the column that holds its ROWTIME, its window, and whether joins have changed which rows
    there are."""

    rowtime: int
    frame: Frame
    span: Span | None
    joined: bool = False


def frame_of_item(over: exp.Window | None, named: Mapping[str, exp.Window], alias: str | None) -> Frame:
    """The window of a stream in FROM."""
    if over is None:
        return CURRENT_ROW
    window = resolve_window(over, named)
    if window.args.get("partition_by"):
        text = "the window of a stream in FROM has no PARTITION BY"
        raise ProgrammingError(text, over.meta.get("span"), "say in ON which rows belong together")
    order = window.args.get("order")
    for key in order.expressions if order is not None else ():
        column = key.this
        table = column.args.get("table") if isinstance(column, exp.Column) else None
        own = isinstance(column, exp.Column) and folded(column.this) == ROWTIME and (table is None or folded(table) == alias)
        if not own or key.args.get("desc"):
            raise ProgrammingError("a stream is in the order of its ROWTIME and of nothing else", key.meta.get("span"))
    spec = window.args.get("spec")
    if spec is not None and str(spec.args.get("start_side") or "").upper() == "FOLLOWING":
        hint = "turn it round: the other stream OVER (... PRECEDING), this one without OVER"
        raise not_supported("a FOLLOWING window in FROM", over.meta.get("span"), hint)
    return frame_of(window, ExpressionBinder(Scope(())).bind)


@dataclass(frozen=True, slots=True)
class Port:
    """An input of a join: its plan and its window."""

    plan: nodes.Node
    window: JoinWindow

    @property
    def width(self) -> int:
        return len(self.plan.schema.fields)

    def still_open(self, offset: int, other: int) -> Expression | None:
        """The condition that a row is in its window when another comes, their columns standing at these offsets."""
        until = self.window.until
        if until is None:
            return None
        columns = [Column(TIMESTAMP, offset + until, "until"), Column(TIMESTAMP, other, ROWTIME)]
        return call_scalar(">=", columns, None)


def port_of(source: Source, members: Sequence[Member]) -> Port:
    """A relation as an input of a join.

    A row that is made of several stays in its window as long as each of them stays in its own, so that an outer join has all
    rows of the inner one.
    """
    widths: list[int] = []
    for member in members:
        width = member.frame.preceding
        if member.frame.unit == "ROWS" and (member.joined or len(members) > 1):
            hint = "RANGE, or a subquery with a window of its own"
            raise not_supported("a ROWS window of a stream that is joined before, in an outer join", member.span, hint)
        if width is None and len(members) > 1:
            raise not_supported("a window without an end in an outer join of three", member.span, "RANGE INTERVAL ... PRECEDING")
        widths.append(width or 0)
    if len(members) == 1:
        return Port(source.plan, JoinWindow(members[0].frame))
    until = reduce(_earlier, (_plus(member.rowtime, width) for member, width in zip(members, widths, strict=True)))
    fields = source.schema.fields
    columns = [Column(field.type, i, field.name) for i, field in enumerate(fields)]
    schema = Schema((*fields, Field("until", TIMESTAMP, hidden=True)))
    plan = nodes.Project(schema, source.plan, (*columns, until))
    return Port(plan, JoinWindow(Frame("RANGE", max(widths)), len(fields)))


def _plus(rowtime: int, width: int) -> Expression:
    return call_scalar("+", [Column(TIMESTAMP, rowtime, ROWTIME), Constant(interval("SECOND"), width)], None)


def _earlier(x: Expression, y: Expression) -> Expression:
    """The earlier of two times, of which one may be NULL."""
    conditions = [call_scalar("IS NULL", [x], None), call_scalar("IS NULL", [y], None), call_scalar("<=", [x, y], None)]
    arguments = [conditions[0], y, conditions[1], x, conditions[2], x, y]
    return call_scalar("CASE", arguments, None)
