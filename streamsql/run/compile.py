"""From a plan to operators in the graph: one match.

Filters, projections and the checks of an INSERT that follow each other become one Transform, always and not by a rule, so
that a failing row is reported as it came in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from streamsql.errors import InternalError
from streamsql.expressions.calls import AggregateCall, mergeable
from streamsql.expressions.evaluate import evaluator
from streamsql.external.scan.dynamic import JoinKeys
from streamsql.external.write.misfits import misfits_of
from streamsql.functions.aggregates.collected import Ordered
from streamsql.functions.aggregates.distinct import DistinctMoves, DistinctValues
from streamsql.functions.aggregation import Accumulator
from streamsql.operator import Operator
from streamsql.plan import nodes, windows
from streamsql.plan.conditions import split
from streamsql.rows import QueryTime
from streamsql.run.built import Built, LookedUp
from streamsql.run.compile_lookup import lookup_operator
from streamsql.run.graph import Vertex
from streamsql.run.operators.aggregate import Aggregate
from streamsql.run.operators.arriving import Read
from streamsql.run.operators.calls import Accumulation
from streamsql.run.operators.combine import Combine
from streamsql.run.operators.distinct import Distinct
from streamsql.run.operators.grouping_sets import GroupingSets
from streamsql.run.operators.groups import Groups
from streamsql.run.operators.join import Join
from streamsql.run.operators.join_order import JoinOrder, connected
from streamsql.run.operators.limit import Limit
from streamsql.run.operators.lookup import Lookup
from streamsql.run.operators.mark import Mark
from streamsql.run.operators.matching import Rest, Terms
from streamsql.run.operators.merge import Merge
from streamsql.run.operators.over import Over, OverWindow, SlidingCall
from streamsql.run.operators.parted_over import PartedOver
from streamsql.run.operators.retime import Retime
from streamsql.run.operators.set_operation import SetOperation
from streamsql.run.operators.single import Single
from streamsql.run.operators.sort import Sort
from streamsql.run.operators.stagger import Stagger
from streamsql.run.operators.table_over import TableCall, TableOver, TableWindow
from streamsql.run.operators.transform import Require, Select, Stage, Store, Transform, Where
from streamsql.run.operators.unnest import Unnest
from streamsql.run.operators.window import TimeWindows, ValueWindows, WholeInput, Windows
from streamsql.run.pipeline import Pipeline
from streamsql.time import END
from streamsql.types import ROWTIME_FIELD, Schema, SqlType

T = TypeVar("T")

TABLES = (nodes.Values, nodes.ExternalScan, nodes.SystemScan)
"""The leaves of a plan that are tables in any case."""


class Compiler:
    """Puts the operators of one plan into a pipeline; `owner` names the pump and prefixes the operators' names.

    `by_keys` gives what reads a table whose keys arrive, by its plan.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        owner: str,
        prefix: str,
        time: QueryTime,
        seed: int,
        by_keys: Callable[[nodes.Node], Read] | None = None,
    ) -> None:
        self._pipeline = pipeline
        self._owner = owner
        self._prefix = prefix
        self._time = time
        self._seed = seed
        self._by_keys = by_keys
        self._vertices: list[Vertex] = []
        self._nodes: list[nodes.Node] = []
        self._tables: list[tuple[nodes.Node, Vertex, int]] = []
        self._looked_up: list[LookedUp] = []
        self._joins = JoinKeys()

    def build(self, plan: nodes.Node) -> Built:
        """Attach the plan's operators; its scans read their streams from now on."""
        connections: list[tuple[Vertex, Vertex, int]] = []
        output = self._node(plan, connections)
        for looked_up in self._looked_up:
            if looked_up.arriving is not None:  # nothing comes but by the keys
                self._pipeline.advance_from_outside(looked_up.vertex, looked_up.port, END)
        for writer, reader, port in connections:
            self._pipeline.connect(writer, reader, port)
        return Built(output, self._vertices, self._nodes, self._tables, self._looked_up, self._joins)

    def _node(self, node: nodes.Node, connections: list[tuple[Vertex, Vertex, int]]) -> Vertex:
        stages, below = self._stages(node)
        if stages or isinstance(node, (nodes.Scan, *TABLES)):
            operator: Operator = Transform(stages, self._time)
            inputs: Sequence[nodes.Node] = (below,)
            word = "select"
        else:
            operator, word = self._operator(node), type(node).__name__.lower()
            inputs = node.inputs
        vertex = self._add(word, operator)
        self._nodes.append(node)
        ports = list(enumerate(inputs))
        if isinstance(node, (nodes.Lookup, nodes.Mark)) and isinstance(operator, (Lookup, Mark)) and node.input.schema.is_stream:
            self._looked_up.append(LookedUp(vertex, 1, node.table, operator.table.arriving))
            ports = ports[:1] if node.arriving else ports
        looks_up = isinstance(node, (nodes.Lookup, nodes.Mark, nodes.SetOperation))
        for port, child in reversed(ports) if looks_up else ports:  # a table before what is looked up in it
            if isinstance(child, nodes.Scan) and child.schema.is_stream:
                connections.append((self._pipeline.hub(child.relation), vertex, port))
            elif isinstance(child, (nodes.Scan, *TABLES)):
                self._tables.append((child, vertex, port))
            else:
                connections.append((self._node(child, connections), vertex, port))
        return vertex

    def _add(self, word: str, operator: Operator) -> Vertex:
        name = f"{self._prefix}/{len(self._vertices)} {word}"
        vertex = self._pipeline.add(name, operator, self._owner)
        self._vertices.append(vertex)
        return vertex

    def _stages(self, node: nodes.Node) -> tuple[list[Stage], nodes.Node]:
        """The stateless nodes on top of `node`, in the order in which rows pass them, and the first node below them."""
        stages: list[Stage] = []
        while True:
            match node:
                case nodes.Filter(input=below, predicate=predicate):
                    stages.append(Where(evaluator(predicate, self._time)))
                case nodes.Project(input=below, expressions=expressions, schema=schema):
                    stages.append(Select(tuple(evaluator(e, self._time) for e in expressions), schema.arrow()))
                case nodes.Insert(input=below, schema=schema, table=table):
                    if table is not None:
                        stages.append(Store(misfits_of(table, self._time.clock.now)))
                    required = tuple(i for i, f in enumerate(schema.fields) if not f.nullable and f != ROWTIME_FIELD)
                    if required:
                        stages.append(Require(required))
                case _:
                    return stages[::-1], node
            node = below

    def _operator(self, node: nodes.Node) -> Operator:
        match node:
            case nodes.Aggregate():
                return self._aggregate(node)
            case nodes.Combine(input=below, calls=calls, schema=schema):
                keys = [field.type.arrow() for field in below.schema.fields[: len(schema.fields) - len(calls)]]
                return Combine(Groups(schema.arrow(), keys, lambda: mergeable(calls)))
            case nodes.GroupingSets():
                return self._grouping_sets(node)
            case nodes.Stagger(keys=keys, calls=calls, length=length, schema=schema):
                evaluators, types = [evaluator(key, self._time) for key in keys], [key.type.arrow() for key in keys]
                return Stagger(schema.arrow(), evaluators, types, self._accumulations(calls), length, self._time)
            case nodes.Sort():
                return self._sort(node)
            case nodes.Distinct(columns=columns, window=window, schema=schema):
                by_value = window.key if window is not None and window.time is None else None
                windows = self._windows(window, [f.type for f in schema.fields])
                return Distinct(schema.arrow(), columns, windows, by_value, 0 if window is None else None)
            case nodes.Union(branches=branches, schema=schema):
                return Merge(schema.arrow(), len(branches))
            case nodes.SetOperation(common=common, all=every, schema=schema):
                return SetOperation(schema.arrow(), common, every)
            case nodes.Join():
                return self._join(node)
            case nodes.Lookup() | nodes.Mark():
                return lookup_operator(node, self._time, self._joins, self._by_keys)
            case nodes.Single(span=span):
                return Single(span)
            case nodes.Unnest(lists=lists, numbered=numbered, outer=outer, schema=schema):
                return Unnest(schema.arrow(), [evaluator(each, self._time) for each in lists], numbered, outer, self._time)
            case nodes.Limit(count=count, offset=offset):
                return Limit(count, offset)
            case nodes.Retime(column=column, within=within, keys=keys, schema=schema):
                evaluators = [evaluator(key.expression, self._time) for key in keys]
                return Retime(schema.arrow(), column, within, evaluators, [key.direction for key in keys], self._time)
            case nodes.Over():
                return self._over(node)
            case nodes.TableOver(input=below, windows=windows, schema=schema):
                return self._table_over(schema, below.schema, windows)
            case nodes.TableCall(function=function, arguments=arguments, name=name, input=below):
                return function.operator(below.schema, arguments, self._draw(name))
            case nodes.Insert():
                return Transform((), self._time)
            case _:
                raise InternalError(f"no operator for {type(node).__name__}")

    def _aggregate(self, node: nodes.Aggregate) -> Operator:
        types = [key.type.arrow() for key in node.keys]
        return Aggregate(
            node.schema.arrow(),
            [evaluator(key, self._time) for key in node.keys],
            types,
            self._accumulations(node.calls),
            self._windows(node.window, [key.type for key in node.keys]),
            None if node.window is None else node.window.key,
            self._time,
        )

    def _grouping_sets(self, node: nodes.GroupingSets) -> Operator:
        width, fields = len(node.keys), node.schema.fields
        parts: list[tuple[tuple[int, ...], Operator]] = []
        for members in node.sets:
            kept = (*(fields[i] for i in members), *fields[width : width + len(node.calls)])
            keys = tuple(node.keys[i] for i in members)
            parts.append((members, self._aggregate(nodes.Aggregate(Schema(kept), node.input, keys, node.calls, None))))
        return GroupingSets(node.schema.arrow(), width, parts)

    def _accumulations(self, calls: Sequence[AggregateCall]) -> list[Accumulation]:
        return [
            Accumulation(
                tuple(evaluator(a, self._time) for a in call.arguments),
                tuple(a.type.arrow() for a in call.arguments),
                _accumulator(call),
                DistinctValues([a.type.arrow() for a in call.arguments]) if call.distinct else None,
            )
            for call in calls
        ]

    def _sort(self, node: nodes.Sort) -> Operator:
        window = node.window
        by_value = window is not None and window.time is None
        key = node.keys[window.key].expression if window is not None and by_value else None
        return Sort(
            node.schema.arrow(),
            [evaluator(key.expression, self._time) for key in node.keys],
            [key.expression.type.arrow() for key in node.keys],
            [key.direction for key in node.keys],
            self._windows(window, [key.expression.type for key in node.keys]),
            None if key is None else evaluator(key, self._time),
            node.first,
            self._time,
        )

    def _over(self, node: nodes.Over) -> Operator:
        windows = [
            OverWindow(
                tuple(evaluator(key, self._time) for key in window.partition),
                tuple(key.type.arrow() for key in window.partition),
                window.frame,
                tuple(self._sliding(call) for call in window.calls),
            )
            for window in node.windows
        ]
        return Over(node.schema.arrow(), windows, self._time)

    def _table_over(self, schema: Schema, rows: Schema, of: Sequence[windows.TableWindow]) -> Operator:
        def make() -> Operator:
            return TableOver(schema.arrow(), rows.arrow(), [self._table_window(window) for window in of], self._time)

        common = [key for key in of[0].partition if all(key in window.partition for window in of)]
        keys = [evaluator(key, self._time) for key in common]
        return PartedOver(rows.arrow(), keys, make, self._time)

    def _table_window(self, window: windows.TableWindow) -> TableWindow:
        return TableWindow(
            tuple(evaluator(key, self._time) for key in window.partition),
            tuple(key.type.arrow() for key in window.partition),
            tuple(evaluator(key.expression, self._time) for key in window.order),
            tuple(key.direction for key in window.order),
            window.frame,
            tuple(self._table_call(call) for call in window.calls),
        )

    def _table_call(self, call: AggregateCall) -> TableCall:
        function, types = call.function, [a.type for a in call.arguments]
        arguments = tuple(evaluator(argument, self._time) for argument in call.arguments)
        by_frames = function.ordered is None or bool(call.order)
        slides = by_frames and not call.order
        return TableCall(
            arguments,
            tuple(type.arrow() for type in types),
            None if by_frames else function.ordered,
            _accumulator(call) if by_frames else None,
            function.sliding(types, call.type, call.ignore_nulls) if slides and function.sliding is not None else None,
            call.distinct,
            call.ignore_nulls,
        )

    def _join(self, node: nodes.Join) -> Operator:
        inputs = [branch.schema for branch in node.branches]
        parts = split(node.condition, [len(schema.fields) for schema in inputs], 1)
        classes = connected(parts.keys, (), len(inputs))
        order = JoinOrder([frozenset(i for i, key in enumerate(keys) if key is not None) for keys in classes], len(inputs))
        own = [[key for keys in classes if (key := keys[i]) is not None] for i in range(len(inputs))]
        terms = [Terms(alone, keys, self._time) for alone, keys in zip(parts.alone, own, strict=True)]
        types = [[column.type.arrow() for column in next(key for key in keys if key is not None)] for keys in classes]
        schemas = [schema.arrow() for schema in inputs]
        rest = Rest(parts.rest, node.schema, self._time)
        arrow = node.schema.arrow()
        return Join(arrow, schemas, node.windows, node.kind, terms, order, types, rest, node.unread, self._time)

    def _sliding(self, call: AggregateCall) -> SlidingCall:
        make = _made(call.function.sliding)
        arguments = tuple(evaluator(argument, self._time) for argument in call.arguments)
        distinct = DistinctMoves(call.arguments[0].type.arrow()) if call.distinct else None
        return SlidingCall(arguments, make([a.type for a in call.arguments], call.type, call.ignore_nulls), distinct)

    def _windows(self, window: windows.Window | None, keys: Sequence[SqlType]) -> Windows:
        if window is None:
            return WholeInput()
        if window.time is None:
            return ValueWindows(keys[window.key].arrow())
        return TimeWindows(window.time, self._time)

    def _draw(self, name: str) -> int:
        """The seed of a random function: the same for the same place in the same statement."""
        digest = hashlib.sha256(f"{self._seed}/{name}".encode()).digest()
        return int.from_bytes(digest[:8], "little")


def _accumulator(call: AggregateCall) -> Accumulator:
    """The running values of a call, to which rows come in its order where it has one."""
    types = [argument.type for argument in call.arguments]
    own = types[: len(types) - len(call.order)]
    made = _made(call.function.accumulator)(own, call.type, call.ignore_nulls)
    return Ordered(made, types, call.order) if call.order else made


def _made(factory: Callable[..., T] | None) -> Callable[..., T]:
    if factory is None:
        raise InternalError("a function is used where it has no implementation")
    return factory
