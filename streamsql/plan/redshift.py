"""The plan as Redshift prints one: its names of the steps, and of the numbers behind them only those that are known.

There are no costs and no estimates, and no steps by which Redshift's nodes send rows to each other: one machine has none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from streamsql.errors import not_supported
from streamsql.expressions.conditions import TRUE, conjunction, conjuncts
from streamsql.expressions.nodes import Call, Column, Expression
from streamsql.expressions.text import operand, text
from streamsql.external.formats import SPECTRUM_WORDS
from streamsql.external.scan.request import Request
from streamsql.external.table import ExternalTable
from streamsql.plan import nodes
from streamsql.plan.conditions import split
from streamsql.plan.joins import JoinKind
from streamsql.plan.windows import TableWindow
from streamsql.types import Field, Schema

JOINS = {
    JoinKind.INNER: "",
    JoinKind.LEFT: " Left",
    JoinKind.SINGLE: " Left",
    JoinKind.FULL: " Full",
}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known before a query runs: the schema by which an external table is named, how many partitions the conditions of
    a scan leave, and how many rows a table in memory has."""

    schema: Callable[[ExternalTable], str]
    partitions: Callable[[Request], int]
    rows: Callable[[str], int]


@dataclass(slots=True)
class Step:
    """A step of Redshift's plan: its line, the lines that belong to it, and its inputs."""

    title: str
    details: list[str] = field(default_factory=list)
    inputs: list[Step] = field(default_factory=list)

    def lines(self, depth: int = 0) -> list[str]:
        column = 6 * depth
        arrow = " " * (column - 4) + "->  " if depth else ""
        lines = [arrow + self.title, *(" " * (column + 2) + detail for detail in self.details)]
        return lines + [line for step in self.inputs for line in step.lines(depth + 1)]


def redshift_explain(plan: nodes.Node, known: Known) -> str:
    """The plan of a query over tables."""
    return "\n".join(_step(plan, known).lines())


def _step(node: nodes.Node, known: Known) -> Step:
    match node:
        case nodes.ExternalScan(request=request):
            return _external(request, known)
        case nodes.Scan(relation=relation):
            return Step(f"XN Seq Scan on {relation.lower()}" + _rows(known.rows(relation)))
        case nodes.SystemScan(table=table):
            return Step(f"XN Seq Scan on {table.name}")
        case nodes.Values():
            return Step("XN Result")
        case nodes.Project(input=below) | nodes.Single(input=below):
            return _step(below, known)
        case nodes.Filter(input=nodes.Mark(input=rows) as below, predicate=predicate):
            answers = range(len(rows.schema.fields), len(below.schema.fields))  # that they are true is what the join says
            rest = [part for part in conjuncts(predicate) if not (isinstance(part, Column) and part.index in answers)]
            return _filtered(_step(below, known), conjunction(rest), below.schema)
        case nodes.Filter(input=below, predicate=predicate):
            return _filtered(_step(below, known), predicate, below.schema)
        case nodes.Aggregate(keys=keys, input=below) | nodes.GroupingSets(keys=keys, input=below):
            return Step("XN HashAggregate" if keys else "XN Aggregate", inputs=[_step(below, known)])
        case nodes.Combine(input=below, calls=calls, schema=schema):
            grouped = len(schema.fields) > len(calls)
            return Step("XN HashAggregate" if grouped else "XN Aggregate", inputs=[_step(below, known)])
        case nodes.Sort(keys=keys, input=below):
            names = ", ".join(text(key.expression) + key.words for key in keys)
            return Step("XN Sort", [f"Sort Key: {names}"], [_step(below, known)])
        case nodes.TableOver(windows=windows, input=below):
            return Step("XN Window", [line for window in windows for line in _window(window)], [_step(below, known)])
        case nodes.Distinct(input=below):
            return Step("XN Unique", inputs=[_step(below, known)])
        case nodes.Limit(input=below):
            return Step("XN Limit", inputs=[_step(below, known)])
        case nodes.Union(branches=branches):
            return Step("XN Append", inputs=[_step(branch, known) for branch in branches])
        case nodes.SetOperation(input=below, table=other, common=common):
            return Step(f"XN SetOp {'Intersect' if common else 'Except'}", inputs=[_step(below, known), _step(other, known)])
        case nodes.Lookup(kind=kind, condition=condition):
            return _join(node, JOINS[kind], condition, known)
        case nodes.Mark(conditions=conditions):
            return _join(node, " IN", conjunction(conditions), known)
        case nodes.Unnest(input=below):
            return Step("XN Unnest", inputs=[_step(below, known)])
        case _:
            raise not_supported(f"{type(node).__name__} in EXPLAIN (FORMAT REDSHIFT)", hint="EXPLAIN (FORMAT TEXT)")


def _external(request: Request, known: Known) -> Step:
    """A scan: what the partitions are filtered by, and below the step that takes its rows what is done where the files are."""
    table = request.table
    name = f"{known.schema(table)}.{table.name}"
    place = f'{name} location:"{table.location}" format:{SPECTRUM_WORDS[table.kind]}'
    step = _filtered(Step(f"S3 Seq Scan {place}" + _rows(_declared_rows(table))), request.condition, request.rows)
    if request.grouping is not None:
        by_row = any(request.over_keys(key) is None for key in request.grouping.keys)
        step = Step("S3 HashAggregate" if by_row else "S3 Aggregate", inputs=[step])
    scan = Step(f"XN S3 Query Scan {table.name}", inputs=[step])
    if not table.keys:
        return scan
    keys = Schema(table.key_fields)
    conditions = [_shown(_named(part, keys.fields)) for part in conjuncts(request.keys)]
    over_keys = {each.number: over for each in request.dynamic if (over := request.over_keys(each.expression)) is not None}
    conditions += [f"(subplan {n}: ({operand(_named(over, keys.fields))} = ${n}))" for n, over in over_keys.items()]
    rows = "" if over_keys else _rows(known.partitions(request))
    partitions = Step(f"XN Seq Scan PartitionInfo of {name}" + rows, [f"Filter: {_all(conditions)}"] if conditions else [])
    return Step("XN Partition Loop", inputs=[partitions, scan])


def _declared_rows(table: ExternalTable) -> int | None:
    """The rows that the table's properties say it has."""
    said = {key.lower(): value for key, value in table.properties.items()}.get("numrows", "")
    return int(said) if said.isdigit() else None


def _join(node: nodes.Lookup | nodes.Mark, kind: str, condition: Expression, known: Known) -> Step:
    """What is looked up is the inner side: its rows are hashed, where an equation says by what."""
    below, table = node.input, node.table
    width = len(below.schema.fields)
    fields = node.schema.fields if isinstance(node, nodes.Lookup) else (*below.schema.fields, *table.schema.fields)
    parts = split(condition, [width, len(table.schema.fields)], 0)
    outer, inner = (parts.keys[0][i] or () if parts.keys else () for i in range(2))
    equations = [
        f"({_of('outer', left, below)} = {_of('inner', right, table)})" for left, right in zip(outer, inner, strict=True)
    ]
    moved = parts.alone[1].rewrite(lambda e: replace(e, index=e.index + width) if isinstance(e, Column) else e)
    rest = conjunction([*conjuncts(parts.alone[0]), *conjuncts(moved), *conjuncts(parts.rest)])
    details = [f"Hash Cond: {_all(equations)}"] if equations else []
    details += [f"Join Filter: {_condition(rest, fields)}"] if rest != TRUE else []
    looked_up = _step(table, known)
    inputs = [_step(below, known), Step("XN Hash", inputs=[looked_up]) if equations else looked_up]
    title = f"Hash{kind} Join" if equations else f"Nested Loop{kind} Join" if kind else "Nested Loop"
    return Step(f"XN {title} DS_DIST_NONE", details, inputs)


def _of(side: str, key: Expression, node: nodes.Node) -> str:
    shown = operand(_named(key, node.schema.fields))
    return f'"{side}".{shown}' if isinstance(key, Column) else shown


def _window(window: TableWindow) -> list[str]:
    partition = [f"Partition: {', '.join(map(text, window.partition))}"] if window.partition else []
    order = [f"Order: {', '.join(text(key.expression) + key.words for key in window.order)}"] if window.order else []
    return partition + order


def _filtered(step: Step, predicate: Expression, schema: Schema) -> Step:
    """A step that gives only some of its rows."""
    if predicate == TRUE:
        return step
    place = step if not step.title.startswith("XN Partition Loop") else step.inputs[-1]  # the scan within it
    place.details.append(f"Filter: {_condition(predicate, schema.fields)}")
    return step


def _condition(condition: Expression, fields: Sequence[Field]) -> str:
    return _all([_shown(_named(part, fields)) for part in conjuncts(condition)])


def _all(conditions: Sequence[str]) -> str:
    return conditions[0] if len(conditions) == 1 else f"({' AND '.join(conditions)})"


def _shown(condition: Expression) -> str:
    """A condition in brackets."""
    shown = operand(condition)
    return shown if isinstance(condition, Call) and condition.function.infix and shown.startswith("(") else f"({shown})"


def _named(expression: Expression, fields: Sequence[Field]) -> Expression:
    return expression.rewrite(lambda e: replace(e, name=fields[e.index].name) if isinstance(e, Column) else e)


def _rows(count: int | None) -> str:
    return "" if count is None else f"  (rows={count})"
