"""The engine: a catalog, a pipeline, and what each statement does to them between two steps.

It has no thread of its own: the headless runner, a connection or a test calls `step`.  A new statement is one entry in
`_HANDLERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from sqlglot import exp

from streamsql.bind.expressions import Parameters
from streamsql.bind.query import QueryBinder, number_placeholders
from streamsql.catalog import Catalog, Pump, Stream, Table, View, unknown
from streamsql.errors import Error, IntegrityError, OperationalError, ProgrammingError, not_supported
from streamsql.plan import nodes
from streamsql.plan.explain import explain
from streamsql.plan.rules import improve
from streamsql.row_queue import RowQueue
from streamsql.rows import QueryTime
from streamsql.run import error_stream
from streamsql.run.compile import Built, Compiler
from streamsql.run.pipeline import Pipeline, Vertex
from streamsql.run.retime import Retime
from streamsql.sql.parser import parse
from streamsql.statements import (
    AlterPump,
    ColumnDefinition,
    CreatePump,
    CreateSchema,
    CreateStream,
    CreateView,
    Drop,
    Explain,
    Insert,
    Query,
    SetOption,
    Statement,
)
from streamsql.table_rows import TableRows
from streamsql.time import BEGIN, END, Clock, Time, WallClock
from streamsql.types import Batch, Field, Schema, varchar

TABLE_ROWS = 65_536
"""Rows of a table that pass the operators at a time."""


@dataclass(slots=True)
class Result:
    """What a statement gave: a line for people, a count of rows, or the rows of a query."""

    message: str
    count: int = -1
    rows: RowQueue | TableRows | None = None
    streaming: bool = False
    plan: nodes.Node | None = None
    close: Callable[[], None] = lambda: None


@dataclass(slots=True)
class _Writer:
    """How INSERT statements enter a stream: by which vertex, and whether their rows bring their own ROWTIME."""

    vertex: Vertex
    port: int
    explicit: bool
    last: Time = BEGIN


@dataclass(slots=True)
class _Running:
    """A pump at work: its operators, and the port by which it writes its target."""

    built: Built
    target: str
    port: int


@dataclass
class Engine:
    """One application or session.

    `use_rules` turns the plan's rules off for tests; `seed` changes what random functions draw.
    """

    clock: Clock = field(default_factory=WallClock)
    use_rules: bool = True
    seed: int = 0
    interactive: bool = False
    """Whether CREATE OR REPLACE may take a stream away from its pumps."""

    started: Time | None = None
    """What CURRENT_TIMESTAMP and its kin give: the time of a restarted run is that of its first start."""

    def __post_init__(self) -> None:
        self.catalog = Catalog()
        self.pipeline = Pipeline(self.clock)
        self.started = self.clock.now() if self.started is None else self.started
        self.warnings: list[str] = []
        self._writers: dict[str, _Writer] = {}
        self._running: dict[str, _Running] = {}
        self._queries = 0
        self._reading: dict[str, Result] = {}
        self.interrupted = False
        """Set by another thread to stop the statement that is executed, between two batches."""
        self.report: Callable[[Batch], None] = self.pipeline.report
        """Where the lost rows of queries over tables go; such a query may run in another thread."""
        self.catalog.relations[error_stream.NAME] = Stream(error_stream.NAME, error_stream.SCHEMA, read_only=True)

    @property
    def time(self) -> QueryTime:
        """What the time functions of a statement see."""
        return QueryTime(self.started or 0, self.clock)

    @property
    def is_live(self) -> bool:
        """Whether something goes on between statements: pumps, queries over streams, inputs."""
        return bool(self._running or self._reading or self.pipeline.feeds)

    @property
    def follows_clock(self) -> bool:
        """Whether `step` has something to do although nothing calls for it: to look at inputs, and to close windows."""
        if any(not feed.ended and feed.failed is None for feed in self.pipeline.feeds.values()):
            return True
        return bool(self._running or self._reading) and any(not writer.explicit for writer in self._writers.values())

    def fail_queries(self, error: Error) -> None:
        """Let all who read rows of running queries know why no more will come."""
        for result in self._reading.values():
            if isinstance(result.rows, RowQueue):
                result.rows.fail(error)

    def execute_script(self, text: str, file: str | None = None) -> list[Result]:
        """Execute all statements of a script."""
        try:
            return [self.execute(statement) for statement in parse(text)]
        except Error as error:
            raise error.located(text, file) from None

    def execute(self, statement: Statement, parameters: Parameters = ()) -> Result:
        """Execute one statement."""
        for tree in _trees(statement):
            number_placeholders(tree)
        handler = _HANDLERS.get(type(statement))
        if handler is None:
            raise not_supported(type(statement).__name__, statement.span)
        return handler(self, statement, parameters)

    def step(self) -> bool:
        """One step of the pipeline; gives whether anything came."""
        now = self.clock.now()
        for stream, writer in self._writers.items():
            if not writer.explicit and now > writer.last:
                writer.last = now
                self.pipeline.advance(stream, writer.port, now)
        return self.pipeline.step()

    def declare_stream(self, stream: Stream) -> Vertex:
        """Enter a stream into the catalog and the graph."""
        self.catalog.relations[stream.name] = stream
        return self.pipeline.hub(stream.name, stream.schema)

    def advance(self, stream: str, t: Time) -> None:
        """A rowtime bound for a stream that INSERT statements write."""
        writer = self._writer(stream, explicit=True)
        self._advance_writer(writer, t)
        self.pipeline.settle()

    def insert_rows(self, stream: str, rows: Batch, explicit: bool) -> None:
        """Rows with the columns of a stream, from outside; with ROWTIME in front when they bring their own."""
        writer = self._writer(stream, explicit)
        schema = self.catalog.find_stream(stream, None).schema.arrow()
        if not explicit:
            writer.last = max(writer.last, self.clock.now())
            rowtime = pa.repeat(pa.scalar(writer.last, pa.timestamp("ms")), rows.num_rows)
            rows = pa.RecordBatch.from_arrays([rowtime, *rows.columns], schema=schema)
        if rows.num_rows:
            self.pipeline.push_from_outside(writer.vertex, writer.port, rows)
        if not explicit:
            self._advance_writer(writer, writer.last)
        self.pipeline.settle()

    def end_inserts(self) -> None:
        """No INSERT statement will follow: the streams that they write end, unless something else writes them."""
        for writer in self._writers.values():
            self._advance_writer(writer, END)

    def save(self) -> tuple[dict[str, Any], dict[str, dict[str, pa.Table]]]:
        """All that must outlive a crash: facts that are plain JSON values, and the containers of the operators."""
        writers = {stream: (writer.explicit, writer.last) for stream, writer in self._writers.items()}
        facts = {
            "started": self.started,
            "writers": writers,
            "bounds": self.pipeline.save_bounds(),
            "feeds": self.pipeline.save_feeds(),
        }
        return facts, self.pipeline.save_state()

    def load(self, facts: Mapping[str, Any], state: Mapping[str, Mapping[str, pa.Table]]) -> None:
        """Go on from what `save` gave, after the same statements were executed and the same sources were opened."""
        for stream, (explicit, last) in facts["writers"].items():
            self._writer(stream, explicit).last = last
        self.pipeline.load_state(state)
        self.pipeline.load_bounds(facts["bounds"])
        self.pipeline.load_feeds(facts["feeds"])

    def plan_of(self, statement: Statement, parameters: Parameters = ()) -> nodes.Node:
        """The plan of a query, an INSERT or a pump, after the rules."""
        match statement:
            case Query(query=query):
                plan = QueryBinder(self.catalog, parameters).query(query).plan
            case Insert():
                plan = QueryBinder(self.catalog, parameters).insert(statement)
            case CreatePump(name=name, insert=insert):
                plan = QueryBinder(self.catalog, parameters, name.name).insert(insert)
            case _:
                raise ProgrammingError("only queries, INSERT and pumps have a plan", statement.span)
        return improve(plan) if self.use_rules else plan

    # -- statements ----------------------------------------------------------------------------------------------------

    def _create_stream(self, statement: CreateStream, parameters: Parameters) -> Result:
        name = statement.name.name
        if name.lower() == error_stream.NAME:
            raise ProgrammingError("the name error_stream is the engine's own", statement.name.span)
        self._make_room(statement, name, statement.replace)
        self.declare_stream(Stream(name, Schema.stream(fields_of(statement.columns)), statement))
        return Result(f"stream {name} created")

    def _make_room(self, statement: CreateStream | CreateView, name: str, replace: bool) -> None:
        """See to it that a relation can be created under this name."""
        old = self.catalog.relation(name)
        if old is None:
            return
        kind = type(old).__name__.lower()
        if not replace:
            raise ProgrammingError(f"there is a {kind} {name} already", statement.name.span, "CREATE OR REPLACE")
        attached = self.catalog.pumps_at(name)
        if attached and not self.interactive:
            pumps = ", ".join(pump.name for pump in attached)
            text = f"{name} cannot be replaced: {pumps} {'uses' if len(attached) == 1 else 'use'} it"
            raise IntegrityError(text, statement.name.span, "create the stream before the pumps")
        for pump in attached:
            self._drop_pump(pump.name)
            self.warnings.append(f"pump {pump.name} is dropped with the {kind} {name} that it used")
        self._drop_relation(name)

    def _create_view(self, statement: CreateView, parameters: Parameters) -> Result:
        name = statement.name.name
        self._make_room(statement, name, statement.replace)
        QueryBinder(self.catalog).query(statement.query)  # a view that cannot be read is an error now, not later
        self.catalog.relations[name] = View(name, statement)
        return Result(f"view {name} created")

    def _create_pump(self, statement: CreatePump, parameters: Parameters) -> Result:
        name = statement.name.name
        if name in self.catalog.pumps and not statement.replace:
            raise ProgrammingError(f"there is a pump {name} already", statement.name.span, "CREATE OR REPLACE")
        plan = self.plan_of(statement, parameters)
        assert isinstance(plan, nodes.Insert)
        reads = frozenset(streams_of(plan))
        if not reads:
            raise ProgrammingError(f"pump {name} reads no stream", statement.insert.query.meta.get("span"))
        pump = Pump(name, statement, reads, plan.target)
        self.catalog.check_no_cycle(pump, statement.name.span)
        if name in self.catalog.pumps:
            self._drop_pump(name)
        self.catalog.pumps[name] = pump
        if not statement.started:
            self.warnings.append(f"pump {name} is created STOPPED: ALTER PUMP {name} START starts it")
            return Result(f"pump {name} created, stopped")
        self._start(name, plan)
        return Result(f"pump {name} created")

    def _start(self, name: str, plan: nodes.Insert) -> None:
        target = self.pipeline.hub(plan.target)
        port = self.pipeline.new_writer(target)
        built = Compiler(self.pipeline, name, f"pump {name}", self.time, self.seed).build(plan)
        self.pipeline.connect(built.output, target, port)
        self._running[name] = _Running(built, plan.target, port)

    def _alter_pump(self, statement: AlterPump, parameters: Parameters) -> Result:
        name = statement.name.name
        pump = self.catalog.pumps.get(name)
        if pump is None:
            raise unknown("pump", name, self.catalog.pumps, statement.name.span)
        if statement.start and name not in self._running:
            plan = self.plan_of(pump.statement)
            assert isinstance(plan, nodes.Insert)
            self._start(name, plan)
        elif not statement.start and name in self._running:
            self._stop(name)
        return Result(f"pump {name} {'started' if statement.start else 'stopped'}")

    def _stop(self, name: str) -> None:
        running = self._running.pop(name)
        self.pipeline.remove(running.built.vertices, (self.pipeline.hub(running.target), running.port))

    def _drop_pump(self, name: str) -> None:
        if name in self._running:
            self._stop(name)
        del self.catalog.pumps[name]

    def _drop_relation(self, name: str) -> None:
        if isinstance(self.catalog.relations.pop(name), Stream):
            self._end_queries_of(name)
            self._writers.pop(name, None)
            self.pipeline.remove_hub(name)

    def _end_queries_of(self, stream: str) -> None:
        """Tell the readers of a stream that it is gone."""
        for result in list(self._reading.values()):
            if result.plan is not None and stream in streams_of(result.plan) and isinstance(result.rows, RowQueue):
                result.rows.fail(OperationalError(f"stream {stream}, which this query reads, was dropped"))
                result.close()

    def _drop(self, statement: Drop, parameters: Parameters) -> Result:
        name, kind = statement.name.name, statement.kind
        if kind == "SCHEMA":
            return Result("there is one schema, which stays")
        known: dict[str, Any] = dict(self.catalog.pumps) if kind == "PUMP" else self._relations_of(kind)
        if name not in known:
            if statement.if_exists:
                return Result(f"no {kind.lower()} {name}")
            raise unknown(kind.lower(), name, known, statement.name.span)
        if kind == "PUMP":
            self._drop_pump(name)
            return Result(f"pump {name} dropped")
        attached = self.catalog.pumps_at(name)
        if attached and not statement.cascade:
            pumps = ", ".join(pump.name for pump in attached)
            raise IntegrityError(f"{name} cannot be dropped: {pumps} uses it", statement.name.span, f"DROP {kind} {name} CASCADE")
        for pump in attached:
            self._drop_pump(pump.name)
        self._drop_relation(name)
        return Result(f"{kind.lower()} {name} dropped")

    def _relations_of(self, kind: str) -> dict[str, Any]:
        wanted = {"STREAM": Stream, "FOREIGN STREAM": Stream, "VIEW": View, "TABLE": Table}.get(kind)
        if wanted is None:
            raise not_supported(f"DROP {kind}")
        return {name: relation for name, relation in self.catalog.relations.items() if isinstance(relation, wanted)}

    def _insert(self, statement: Insert, parameters: Parameters) -> Result:
        plan = self.plan_of(statement, parameters)
        assert isinstance(plan, nodes.Insert)
        if any(True for _ in streams_of(plan)):
            hint = f"CREATE PUMP name AS {statement.text or 'INSERT ...'}"
            raise ProgrammingError("INSERT from a stream goes on for ever: it is a pump's", statement.span, hint)
        return self._insert_table(plan, self.catalog)

    def insert_from(self, statement: Insert, table: Table) -> Result:
        """An INSERT whose query reads a table that nothing else knows."""
        known = Catalog({**self.catalog.relations, table.name: table}, self.catalog.pumps)
        plan = QueryBinder(known).insert(statement)
        return self._insert_table(improve(plan) if self.use_rules else plan, known)

    def _insert_table(self, plan: nodes.Node, catalog: Catalog) -> Result:
        assert isinstance(plan, nodes.Insert)
        rows = self._run_table(plan, catalog)
        count = 0
        explicit = plan.schema.is_stream
        while (batch := rows.take_whole()) is not None:
            if self.interrupted:
                raise OperationalError(f"interrupted, after {count} rows were inserted")
            self.insert_rows(plan.target, batch, explicit)
            count += batch.num_rows
        return Result(f"{count} row{'s' * (count != 1)} inserted", count)

    def _query(self, statement: Query, parameters: Parameters) -> Result:
        plan = self.plan_of(statement, parameters)
        if not any(True for _ in streams_of(plan)):
            return Result("", rows=self._run_table(plan, self.catalog), plan=plan)
        self._queries += 1
        owner = f"query {self._queries}"
        built = Compiler(self.pipeline, owner, owner, self.time, self.seed).build(plan)
        queue = RowQueue(plan.schema)
        built.output.outlets.append(queue)
        if built.output.bound == END:
            queue.end()

        def close() -> None:
            if self._reading.pop(owner, None) is not None:
                self.pipeline.remove(built.vertices)

        result = Result("", rows=queue, streaming=True, plan=plan, close=close)
        self._reading[owner] = result
        return result

    def _run_table(self, plan: nodes.Node, catalog: Catalog) -> TableRows:
        """The rows of a plan that reads no stream; rows that fail go to `error_stream`."""
        pipeline = Pipeline(self.clock)
        built = Compiler(pipeline, "null", "table", self.time, self.seed).build(plan)
        leaves = [(vertex, port, self._leaf(leaf, catalog)) for leaf, vertex, port in built.tables]
        return TableRows(plan.schema, pipeline, built.output, leaves, lambda batch: self.report(batch))

    def _leaf(self, leaf: nodes.Node, catalog: Catalog) -> list[Batch]:
        match leaf:
            case nodes.Values(rows=rows, schema=schema):
                return [values_batch(rows, schema, self.time)]
            case nodes.Scan(relation=name):
                table = catalog.relation(name)
                assert isinstance(table, Table)
                return list(table.rows.to_batches(TABLE_ROWS))
            case _:
                raise not_supported(f"reading a {type(leaf).__name__}")

    def _explain(self, statement: Explain, parameters: Parameters) -> Result:
        if statement.analyze:
            raise not_supported("EXPLAIN ANALYZE", statement.span)
        text = explain(self.plan_of(statement.statement, parameters))
        queue = RowQueue(Schema((Field("PLAN", varchar()),)))
        queue.write(pa.RecordBatch.from_pydict({"PLAN": pa.array(text.splitlines(), pa.string())}))
        queue.end()
        return Result("", rows=queue)

    def _accept(self, statement: Statement, parameters: Parameters) -> Result:
        """Statements that change nothing here: an application has one schema."""
        return Result("accepted; it changes nothing here")

    # -- INSERT ----------------------------------------------------------------------------------------------------------

    def _writer(self, stream: str, explicit: bool) -> _Writer:
        """How INSERT enters a stream: made at the first one; a stream takes its time in one way only."""
        found = self._writers.get(stream)
        if found is None:
            hub = self.pipeline.hub(stream)
            port = self.pipeline.new_writer(hub)
            if explicit:
                schema = self.catalog.find_stream(stream, None).schema.arrow()
                vertex = self.pipeline.add(f"insert {stream}", Retime(schema, 0, 0, (), (), self.time), "null")
                self.pipeline.connect(vertex, hub, port)
                found = _Writer(vertex, 0, explicit)
            else:
                found = _Writer(hub, port, explicit)
            self._writers[stream] = found
        if found.explicit != explicit:
            has, given = ("explicit", "none") if found.explicit else ("no explicit", "one")
            raise ProgrammingError(f"stream {stream} is fed with {has} ROWTIME, and this INSERT gives {given}")
        return found

    def _advance_writer(self, writer: _Writer, t: Time) -> None:
        if isinstance(writer.vertex.operator, Retime) and t != END:
            writer.vertex.operator.promise(t)
        self.pipeline.advance_from_outside(writer.vertex, writer.port, t)


def fields_of(columns: Sequence[ColumnDefinition]) -> tuple[Field, ...]:
    """The columns of a CREATE statement; a name that stands twice is an error."""
    seen: set[str] = set()
    for column in columns:
        name = column.name.name
        if name in seen:
            raise ProgrammingError(f"column {name} stands twice", column.name.span)
        if name == "ROWTIME":
            raise ProgrammingError(
                "every stream has a ROWTIME of its own", column.name.span, "leave it out, or quote another name"
            )
        seen.add(name)
    return tuple(Field(column.name.name, column.type, column.nullable) for column in columns)


def streams_of(plan: nodes.Node) -> list[str]:
    """The streams that a plan reads."""
    found = [plan.relation] if isinstance(plan, nodes.Scan) and plan.schema.is_stream else []
    for child in plan.inputs:
        found += streams_of(child)
    return found


def values_batch(rows: Sequence[Sequence[Any]], schema: Schema, time: QueryTime) -> Batch:
    """Literal rows as a batch."""
    from streamsql.expressions.evaluate import evaluator, one_row

    if not schema.fields:
        return pa.RecordBatch.from_arrays([pa.nulls(len(rows))], names=["none"])
    columns: list[list[Any]] = [[] for _ in schema.fields]
    for row in rows:
        for column, expression in zip(columns, row, strict=True):
            context = one_row(time)
            value = evaluator(expression, time)(context)
            if context.failures:
                failure = context.failures[0]
                raise ProgrammingError(f"{failure.name}: {failure.message}")
            column.append(value if isinstance(value, pa.Scalar) else value[0])
    arrays = [pa.array([v.as_py() for v in c], f.type.arrow()) for c, f in zip(columns, schema.fields, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema.arrow())


def _trees(statement: Statement) -> list[exp.Expression]:
    match statement:
        case Query(query=query) | Insert(query=query):
            return [query]
        case Explain(statement=inner):
            return _trees(inner)
        case _:
            return []


Handler = Callable[[Engine, Any, Parameters], Result]

_HANDLERS: dict[type[Statement], Handler] = {
    CreateStream: Engine._create_stream,
    CreateView: Engine._create_view,
    CreatePump: Engine._create_pump,
    CreateSchema: Engine._accept,
    SetOption: Engine._accept,
    AlterPump: Engine._alter_pump,
    Drop: Engine._drop,
    Insert: Engine._insert,
    Query: Engine._query,
    Explain: Engine._explain,
}
