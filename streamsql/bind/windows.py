"""OVER: named windows, and the frames of windows over streams."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlglot import exp

from streamsql import types
from streamsql.bind.scope import folded
from streamsql.catalog import nearest
from streamsql.errors import ProgrammingError
from streamsql.expressions.nodes import Constant, Expression
from streamsql.plan.nodes import Frame


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


def _is_zero(node: Any) -> bool:
    return isinstance(node, exp.Expression) and (node.meta.get("value") == 0 or node.sql() == "0")
