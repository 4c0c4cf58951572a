"""OVER: named windows, and the frames of windows over streams."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlglot import exp

from streamsql import types
from streamsql.bind.scope import folded
from streamsql.catalog import nearest
from streamsql.errors import ProgrammingError, Span
from streamsql.expressions.nodes import Constant, Expression
from streamsql.plan.sort_keys import SortKey
from streamsql.plan.windows import Frame, TableFrame


def resolve_window(node: exp.Window, named: Mapping[str, exp.Window]) -> exp.Window:
    """The specification behind OVER: its own, or that of the named window."""
    alias = node.args.get("alias")
    if alias is None:
        return node
    name = folded(alias)
    if name not in named:
        raise ProgrammingError(f"no window {name}", alias.meta.get("span") or node.meta.get("span"), nearest(name, named))
    return named[name]


def frame_of(window: exp.Window, bind: Callable[[exp.Expression], Expression]) -> Frame:
    """The frame of a window over a stream: it ends at the current row.  `bind` binds its size."""
    span = window.meta.get("span")
    spec = window.args.get("spec")
    if spec is None:
        raise ProgrammingError("this window has no ROWS or RANGE", span, "OVER (... RANGE INTERVAL '1' MINUTE PRECEDING)")
    unit = str(spec.args["kind"]).upper()
    start, side = spec.args.get("start"), str(spec.args.get("start_side") or "").upper()
    end, end_side = spec.args.get("end"), str(spec.args.get("end_side") or "").upper()
    ends_here = end is None or end == "CURRENT ROW" or (end_side == "PRECEDING" and _is_zero(end))
    if not ends_here or side == "FOLLOWING":
        raise ProgrammingError("a window over a stream ends at the CURRENT ROW", span)
    if start == "CURRENT ROW":
        return Frame(unit, 0)
    if start == "UNBOUNDED":
        return Frame(unit, None)
    size = None if start.find(exp.Column) else bind(start)
    if not isinstance(size, Constant):
        raise ProgrammingError("the size of a window must be a constant", start.meta.get("span") or span)
    wanted = size.type.family is types.Family.DAY_TIME if unit == "RANGE" else size.type.is_integer
    if not wanted:
        form = "RANGE INTERVAL '1' MINUTE PRECEDING" if unit == "RANGE" else "ROWS 10 PRECEDING"
        raise ProgrammingError(f"a {unit} window cannot have a size of type {size.type}", start.meta.get("span") or span, form)
    if size.value < 0:
        raise ProgrammingError("the size of a window cannot be negative", start.meta.get("span") or span)
    return Frame(unit, int(size.value))


def sort_key(ordered: exp.Ordered, expression: Expression) -> SortKey:
    """A key of ORDER BY, whose expression is bound."""
    descending, nulls_first = bool(ordered.args.get("desc")), bool(ordered.args.get("nulls_first"))
    return SortKey(expression, descending, None if nulls_first == descending else nulls_first)


def table_frame_of(window: exp.Window, order: Sequence[SortKey], bind: Callable[[exp.Expression], Expression]) -> TableFrame:
    """The frame of a window over a table: without ROWS or RANGE all rows up to those equal to the current one in the order."""
    spec = window.args.get("spec")
    if spec is None:
        return TableFrame("RANGE", None, 0)
    unit = str(spec.args["kind"]).upper()
    start = _offset(spec.args.get("start"), spec.args.get("start_side"), "PRECEDING", window, unit, order, bind)
    end = _offset(spec.args.get("end"), spec.args.get("end_side"), "FOLLOWING", window, unit, order, bind)
    if start is not None and end is not None and start > end:
        raise ProgrammingError("this frame ends before it starts", window.meta.get("span"))
    return TableFrame(unit, start, end)


def _offset(
    bound: Any, side: Any, own: str, window: exp.Window, unit: str, order: Sequence[SortKey], bind: Callable[[Any], Expression]
) -> Any:
    """An end of a frame, below zero before the row; None where it is the partition's own end on this side."""
    span = window.meta.get("span")
    side = str(side or "").upper()
    if bound is None or bound == "CURRENT ROW":
        return 0
    if bound == "UNBOUNDED":
        if side != own:
            raise ProgrammingError(f"a frame cannot {'start' if own == 'PRECEDING' else 'end'} UNBOUNDED {side}", span)
        return None
    size = None if bound.find(exp.Column) else bind(bound)
    where = bound.meta.get("span") or span
    if not isinstance(size, Constant) or size.value is None:
        raise ProgrammingError("the size of a window must be a constant", where)
    if unit == "ROWS" and not size.type.is_integer:
        raise ProgrammingError(f"a ROWS window cannot have a size of type {size.type}", where, "ROWS 10 PRECEDING")
    distance = size.value if unit == "ROWS" else _distance(size, order, where)
    if distance < 0:
        raise ProgrammingError("the size of a window cannot be negative", where)
    return -distance if side == "PRECEDING" else distance


def _distance(size: Constant, order: Sequence[SortKey], span: Span | None) -> Any:
    """The size of a RANGE in the values of the order's one key."""
    if len(order) != 1:
        raise ProgrammingError("RANGE with a size needs one key in ORDER BY", span, "ROWS counts rows")
    key = order[0].expression.type
    if key.is_numeric and size.type.is_numeric:
        is_exact = not {key.kind, size.type.kind} & set(types.APPROXIMATE)
        return size.value if is_exact else float(size.value)
    if key.is_datetime and size.type.family is types.Family.DAY_TIME:
        days, rest = divmod(size.value, 86_400_000)
        if key.family is not types.Family.DATE:
            return size.value
        if not rest:
            return days
    raise ProgrammingError(f"a RANGE over {key} cannot have a size of type {size.type}", span)


def _is_zero(node: Any) -> bool:
    return isinstance(node, exp.Expression) and (node.meta.get("value") == 0 or node.sql() == "0")
