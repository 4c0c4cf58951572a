"""The plan as text: EXPLAIN."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from streamsql.expressions.conditions import TRUE
from streamsql.expressions.nodes import Call, Column, Expression
from streamsql.expressions.text import text
from streamsql.external.scan.request import ROWS, Request
from streamsql.external.table import ExternalTable
from streamsql.plan import nodes
from streamsql.plan.sort_keys import SortKey
from streamsql.plan.windows import Frame, SlidingWindow, TableWindow, Window
from streamsql.time import Time
from streamsql.types import Schema

Remarks = Callable[[nodes.Node], tuple[str, Sequence[str]]]
"""What there is to say about a node beside what it does: at the end of its line, and in lines of its own."""


def explain(plan: nodes.Node, remarks: Remarks = lambda _: ("", ())) -> str:
    """One line a node, its inputs indented below it."""
    return "\n".join(_lines(plan, 0, remarks))


def _lines(node: nodes.Node, depth: int, remarks: Remarks) -> list[str]:
    short, long = remarks(node)
    lines = ["  " * depth + describe(node) + short, *("  " * depth + "    " + line for line in long)]
    for child in node.inputs:
        lines += _lines(child, depth + 1, remarks)
    return lines


def describe(node: nodes.Node) -> str:
    """One node in the words of the clause it came from."""
    match node:
        case nodes.ExternalScan(request=request):
            return _external(request)
        case nodes.SystemScan(table=table):
            return f"Scan system table {table.name}"
        case nodes.Scan(relation=relation, schema=schema):
            return f"Scan {'stream' if schema.is_stream else 'table'} {relation}"
        case nodes.Values(rows=rows):
            return f"Values {len(rows)} row{'s' * (len(rows) != 1)}"
        case nodes.Filter(predicate=predicate):
            return f"Filter {text(_qualified(predicate, node))}"
        case nodes.Project(expressions=expressions, schema=schema):
            first = 1 if schema.is_stream else 0
            shown = [
                text(_qualified(e, node)) + (f" AS {f.name}" if text(e) != f.name else "")
                for e, f in zip(expressions[first:], schema.fields[first:], strict=True)
            ]
            return f"Project {', '.join(shown)}" + _volatile(node)
        case nodes.Retime(column=column, within=within, schema=schema):
            sort = f", sorted within {_duration(within)}" if within else ""
            return f"Retime by {schema.fields[column].name}{sort}; late rows to error_stream"
        case nodes.Aggregate(keys=keys, calls=calls, window=window):
            shown = [f"by {', '.join(map(text, keys))}"] if keys else []
            shown += [", ".join(str(call) for call in calls)] if calls else []
            return f"Aggregate {': '.join(shown)}" + _closes(window, [text(key) for key in keys])
        case nodes.Combine(calls=calls, schema=schema):
            names = [field.name for field in schema.fields[: len(schema.fields) - len(calls)]]
            shown = [f"by {', '.join(names)}"] if names else []
            shown += [", ".join(map(str, calls))] if calls else []
            return f"Combine {': '.join(shown)}, complete at the end"
        case nodes.GroupingSets(keys=keys, calls=calls, sets=sets):
            by = ", ".join(f"({', '.join(text(keys[i]) for i in members)})" for members in sets)
            return f"Aggregate by each of {by}: {', '.join(map(str, calls))}, complete at the end"
        case nodes.Stagger(keys=keys, calls=calls, length=length):
            shown = [f"by {', '.join(map(text, keys))}", *([", ".join(map(str, calls))] if calls else [])]
            return f"Stagger {': '.join(shown)}, complete {_duration(length)} after the first row"
        case nodes.Over(windows=windows):
            return "Over " + "; ".join(_window(window) for window in windows)
        case nodes.TableOver(windows=windows):
            return "Over " + "; ".join(_table_window(window) for window in windows) + ", complete at the end"
        case nodes.Sort(keys=keys, window=window, first=first):
            names = [text(key.expression) for key in keys]
            shown = [name + key.words for name, key in zip(names, keys, strict=True)]
            wanted = "" if first is None else f", the first {first}"
            return f"Sort by {', '.join(shown)}{wanted}" + _closes(window, names)
        case nodes.Distinct(window=window, schema=schema):
            return "Distinct" + _closes(window, [field.name for field in schema.fields])
        case nodes.Union():
            return "Union, merged by ROWTIME" if node.schema.is_stream else "Union"
        case nodes.SetOperation(common=common, all=every):
            return ("Intersect" if common else "Except") + " all" * every
        case nodes.Join(windows=windows, kind=kind, condition=condition, schema=schema):
            return f"Join {kind.value}{_on(condition, schema)}, over {', '.join(_frame(w.frame) for w in windows)}"
        case nodes.Lookup(kind=kind, condition=condition, schema=schema):
            return f"Lookup {kind.value}{_on(condition, schema)}"
        case nodes.Mark(input=below, table=table, conditions=conditions, schema=schema):
            marks = schema.fields[len(below.schema.fields) :]
            both = Schema((*below.schema.fields, *table.schema.fields))
            return "Mark " + "; ".join(f"{m.name}{_on(c, both)}" for m, c in zip(marks, conditions, strict=True))
        case nodes.Unnest(lists=lists, numbered=numbered, outer=outer):
            words = " with ordinality" * numbered + ", rows without elements once" * outer
            return f"Unnest {', '.join(map(text, lists))}{words}"
        case nodes.Limit(count=count, offset=offset):
            return f"Limit {'all' if count is None else count}" + (f" offset {offset}" if offset else "")
        case nodes.TableCall(function=function, arguments=arguments):
            named = [f"{p}={a}" for p, a in zip(function.parameters, arguments, strict=False)]
            return f"{function.name}({', '.join(named)})"
        case nodes.Insert(target=target, table=table):
            return f"Insert into {target}" + ("" if table is None else _files_of(table))
        case _:
            return type(node).__name__


def _files_of(table: ExternalTable) -> str:
    """How an external table is written."""
    keys = ", ".join(key.name for key in table.keys)
    return f", {table.kind.value} in {table.location}" + (f", by {keys}" if keys else "")


def _external(request: Request) -> str:
    """A scan of an external table: what it reads of it, and what it leaves out."""
    shown = ", ".join(column.field.name for column in request.columns if column != ROWS)
    parts = [f"Scan external {request.table.full_name} ({shown or 'the number of rows'}), {request.table.kind.value}"]
    keys = [field.name for field in request.table.key_fields]
    if request.keys != TRUE:
        parts.append(f"partitions where {text(_renamed(request.keys, keys))}")
    if request.arriving:
        parts.append(f"partitions chosen by arriving keys: {', '.join(text(_renamed(each, keys)) for each in request.arriving)}")
    if request.condition != TRUE:
        parts.append(f"rows where {text(request.condition)}")
    if request.dynamic:
        parts.append(f"dynamic filters on {', '.join(text(each.expression) for each in request.dynamic)}")
    if request.grouping is not None:
        grouping = request.grouping
        by = f" by {', '.join(map(text, grouping.keys))}" if grouping.keys else ""
        parts.append(f"added up{by}: {', '.join(map(str, grouping.calls))}" if grouping.calls else f"distinct{by}")
    if request.first is not None:
        first = request.first
        descending, nulls_first = first.direction
        by = text(first.key) + SortKey(first.key, descending, None if nulls_first == descending else nulls_first).words
        parts.append(f"those that can be among the first {first.count} by {by}")
    if request.limit is not None:
        parts.append(f"at most {request.limit} row{'s' * (request.limit != 1)}")
    return "; ".join(parts)


def _renamed(expression: Expression, names: Sequence[str]) -> Expression:
    return expression.rewrite(lambda e: replace(e, name=names[e.index]) if isinstance(e, Column) else e)


def _on(condition: Expression, schema: Schema) -> str:
    return "" if condition == TRUE else f" on {text(_named(condition, schema))}"


def _qualified(expression: Expression, node: nodes.Filter | nodes.Project) -> Expression:
    """An expression over the rows of a join, its columns told apart."""
    below = node.input
    while isinstance(below, nodes.Filter):
        below = below.input
    return _named(expression, below.schema) if isinstance(below, (nodes.Join, nodes.Lookup)) else expression


def _named(expression: Expression, schema: Schema) -> Expression:
    return expression.rewrite(lambda e: replace(e, name=schema.fields[e.index].name) if isinstance(e, Column) else e)


def _closes(window: Window | None, keys: Sequence[str]) -> str:
    if window is None:
        return ", complete at the end"
    how = "changes" if window.time is not None else "changes in a row"
    return f", complete when {keys[window.key]} {how}"


def _window(window: SlidingWindow) -> str:
    calls = ", ".join(str(call) for call in window.calls)
    partition = f"PARTITION BY {', '.join(map(text, window.partition))} " if window.partition else ""
    return f"{calls} ({partition}{_frame(window.frame)})"


def _table_window(window: TableWindow) -> str:
    calls = ", ".join(str(call) for call in window.calls)
    parts = [f"PARTITION BY {', '.join(map(text, window.partition))}"] if window.partition else []
    keys = [text(key.expression) + key.words for key in window.order]
    parts += [f"ORDER BY {', '.join(keys)}"] if keys else []
    frame = window.frame
    if keys and (frame.unit, frame.start, frame.end) != ("RANGE", None, 0):
        parts.append(f"{frame.unit} BETWEEN {_bound(frame.start, 'PRECEDING')} AND {_bound(frame.end, 'FOLLOWING')}")
    return f"{calls} ({' '.join(parts)})"


def _bound(offset: Any, own: str) -> str:
    """An end of a frame of a table; `own` is the side that it opens to."""
    if offset is None:
        return f"UNBOUNDED {own}"
    return "CURRENT ROW" if not offset else f"{abs(offset)} {'PRECEDING' if offset < 0 else 'FOLLOWING'}"


def _frame(frame: Frame) -> str:
    size = frame.preceding
    if size == 0:
        return f"{frame.unit} CURRENT ROW"
    width = "UNBOUNDED" if size is None else _duration(size) if frame.unit == "RANGE" else str(size)
    return f"{frame.unit} {width} PRECEDING"


def _volatile(node: nodes.Project) -> str:
    names = {n.function.name for e in node.expressions for n in e.walk() if isinstance(n, Call) and n.function.volatile}
    return f" -- {', '.join(sorted(names))}: other values after a restart" if names else ""


def _duration(t: Time) -> str:
    """Milliseconds as people say them.

    >>> _duration(60_000), _duration(1500)
    ('1 min', '1.5 s')
    """
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000)):
        if t and t % size == 0:
            return f"{t // size} {unit}"
    return f"{t / 1000:g} s"
