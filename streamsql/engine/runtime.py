"""What goes on in an engine: a catalog, a pipeline, the pumps and queries that run on it, and the INSERTs that feed it.

It knows no statement: what each does to a runtime is in `execution.py` and its kin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import pyarrow as pa

from streamsql.bind.insert import bind_insert
from streamsql.bind.parameters import Parameters
from streamsql.bind.query import QueryBinder
from streamsql.catalog import Catalog, Stream
from streamsql.engine.by_keys import TableByKeys
from streamsql.engine.inserts import Inserts
from streamsql.engine.leaves import Leaf
from streamsql.engine.pumps import Pumps
from streamsql.engine.query_log import LoggedScan, QueryLog
from streamsql.engine.result import Result
from streamsql.engine.row_queue import RowQueue
from streamsql.engine.snapshots import Snapshots
from streamsql.engine.system_tables import system_tables
from streamsql.engine.table_rows import TableRows
from streamsql.engine.table_sinks import TableSinks
from streamsql.errors import Error, OperationalError, ProgrammingError
from streamsql.external.scan.counts import Counts, Stretch
from streamsql.external.scan.files import Files
from streamsql.external.scan.scan import Access
from streamsql.operator import Output
from streamsql.plan import nodes
from streamsql.plan.rules import improve, prepare
from streamsql.rows import QueryTime
from streamsql.run import error_stream
from streamsql.run.built import Built
from streamsql.run.compile import Compiler
from streamsql.run.graph import Vertex
from streamsql.run.operators.arriving import Read
from streamsql.run.pipeline import Pipeline
from streamsql.statements.statement import Statement
from streamsql.statements.streaming import CreateForeignStream, CreatePump, CreateStream, Insert, Query
from streamsql.time import END, Clock, Time, WallClock
from streamsql.types import Batch, Field


@dataclass(slots=True, eq=False)
class TableQuery:
    """A query over tables at work: its rows, its operators, and its tables."""

    rows: TableRows
    built: Built
    leaves: list[Leaf]


class Writing(Enum):
    """What becomes of statements that write files."""

    NOW = "they are carried out"
    DONE = "they were carried out before the restart: what they wrote is looked for"
    NEVER = "only what they declare counts"


@dataclass
class Runtime:
    """What one application or session has and runs.

    `use_rules` turns the plan's rules off for tests; `seed` changes what random functions draw.
    """

    clock: Clock = field(default_factory=WallClock)
    use_rules: bool = True
    seed: int = 0
    s3_root: str | None = None
    """The directory that stands in for S3."""
    interactive: bool = False
    """Whether CREATE OR REPLACE may take a stream away from its pumps."""

    writing: Writing = Writing.NOW
    """What becomes of statements that write files."""

    started: Time | None = None
    """What CURRENT_TIMESTAMP and its kin give: the time of a restarted run is that of its first start."""

    def __post_init__(self) -> None:
        self.catalog = Catalog()
        self.pipeline = Pipeline(self.clock)
        self.access = Access(Files(self.s3_root))
        self.started = self.clock.now() if self.started is None else self.started
        self.warnings: list[str] = []
        self.log = QueryLog(self.clock)
        self.table_sinks = TableSinks(lambda: self.catalog.databases, self.clock, self.s3_root)
        self.catalog.system = system_tables(self.log)
        self.snapshots = Snapshots(self.pipeline, self.catalog, self.clock, self._table_batches, self._by_keys)
        self._inserts = Inserts(self.pipeline, self.clock)
        self.pumps = Pumps(self.pipeline, self.table_sinks, self._build_pump, self._detach)
        self._logged: dict[Built, Stretch] = {}
        self._queries = 0
        self._reading: dict[str, Result] = {}
        self.interrupted = False
        """Set by another thread to stop the statement that is executed, between two batches."""
        self.report: Callable[[Batch], None] = self.pipeline.report
        """Where the lost rows of queries over tables go; such a query may run in another thread."""
        self.system_fields: Callable[[CreateStream | CreateForeignStream], tuple[Field, ...]] = lambda statement: ()
        """The system columns that a stream has besides those of its CREATE STREAM, since an input feeds it."""
        self.catalog.relations[error_stream.NAME] = Stream(error_stream.NAME, error_stream.SCHEMA, read_only=True)

    @property
    def time(self) -> QueryTime:
        """What the time functions of a statement see: of a session's the moment it is given, of an application's the start."""
        return QueryTime(self.clock.now() if self.interactive else self.started or 0, self.clock, self.log.last)

    @property
    def is_live(self) -> bool:
        """Whether something goes on between statements: pumps, queries over streams, inputs."""
        return bool(self.pumps or self._reading or self.pipeline.feeds)

    @property
    def follows_clock(self) -> bool:
        """Whether `step` has something to do although nothing calls for it: to look at inputs, and to close windows."""
        if any(feed.is_open for feed in self.pipeline.feeds.values()):
            return True
        return bool(self.pumps or self._reading) and self._inserts.follow_clock

    # -- plans and steps -----------------------------------------------------------------------------------------------

    def step(self) -> bool:
        """One step of the pipeline; gives whether anything came."""
        self._inserts.tick()
        self.warnings += self.snapshots.tick()
        return self.pipeline.step()

    def plan_of(self, statement: Statement, parameters: Parameters = ()) -> nodes.Node:
        """The plan of a query, an INSERT or a pump, after the rules."""
        match statement:
            case Query(query=query):
                plan = QueryBinder(self.catalog, parameters).query(query).plan
            case Insert():
                plan = bind_insert(QueryBinder(self.catalog, parameters), statement)
            case CreatePump(name=name, insert=insert):
                pump = self.catalog.pumps.get(name.name)
                known = pump is not None and pump.statement is statement
                catalog = self.catalog.within(pump.database) if pump is not None and known else self.catalog
                plan = bind_insert(QueryBinder(catalog, parameters, name.name), insert)
            case _:
                raise ProgrammingError("only queries, INSERT and pumps have a plan", statement.span)
        return self.improved(plan)

    def improved(self, plan: nodes.Node) -> nodes.Node:
        """A plan after the rules."""
        return improve(plan) if self.use_rules else prepare(plan)

    # -- streams and pumps -----------------------------------------------------------------------------------------------

    def declare_stream(self, stream: Stream) -> Vertex:
        """Enter a stream into the catalog and the graph."""
        self.catalog.relations[stream.name] = stream
        return self.pipeline.hub(stream.name, stream.schema)

    def drop_relation(self, name: str) -> None:
        """Take a relation out of the catalog, a stream out of the graph too; the queries that read it end."""
        if isinstance(self.catalog.relations.pop(name), Stream):
            self._end_queries_of(name)
            self._inserts.forget(name)
            self.pipeline.remove_hub(name)

    def drop_pump(self, name: str) -> None:
        """Stop a pump and forget it."""
        self.pumps.stop(name)
        del self.catalog.pumps[name]

    def _build_pump(self, plan: nodes.Insert, name: str, text: str) -> Built:
        return self._build(plan, name, f"pump {name}", QueryTime(self.started or 0, self.clock), text)

    def _build(self, plan: nodes.Node, owner: str, prefix: str, time: QueryTime, text: str) -> Built:
        """Attach a plan's operators, and give them the tables that it looks rows up in; `text` is its statement."""
        requests = {request.table.full_name: request for request in nodes.requests_of(plan)}
        counts = {name: Counts() for name in requests}
        by_keys: list[TableByKeys] = []

        def read_by_keys(table: nodes.Node) -> Read:
            by_keys.append(self._by_keys(table, counts))
            return by_keys[-1].read

        built = Compiler(self.pipeline, owner, prefix, time, self.seed, read_by_keys).build(plan)
        built.read = counts
        try:
            for each in by_keys:
                each.check()
            for leaf, vertex, port in built.tables:
                for _ in self.pipeline.push_table(vertex, port, self._rows(Leaf(leaf, counts), self.catalog, built)):
                    pass
        except Error:
            self.pipeline.remove(built.vertices)
            raise
        self.snapshots.add(built)
        if requests:
            scans = [LoggedScan.of(request, counts[name]) for name, request in requests.items()]
            self._logged[built] = self.log.begun(text, self.catalog.databases.current, scans)
        return built

    def _detach(self, built: Built, writes: tuple[Vertex, int] | None = None) -> None:
        """Take a plan's operators out of the graph; `writes` is where their rows went."""
        self.pipeline.remove(built.vertices, writes)
        self.snapshots.forget(built)
        logged = self._logged.pop(built, None)
        if logged is not None:
            logged.end(self.clock)

    # -- queries -----------------------------------------------------------------------------------------------------------

    def run_query(self, plan: nodes.Node, text: str = "") -> Result:
        """Attach a query over streams: its rows are those that come from now on."""
        self._queries += 1
        owner = f"query {self._queries}"
        built = self._build(plan, owner, owner, self.time, text)
        queue = RowQueue(plan.schema)
        built.output.outlets.append(queue)
        if built.output.bound == END:
            queue.end()

        def close() -> None:
            if self._reading.pop(owner, None) is not None:
                self._detach(built)

        result = Result("", rows=queue, streaming=True, plan=plan, close=close)
        self._reading[owner] = result
        return result

    def run_table(self, plan: nodes.Node, catalog: Catalog, text: str = "") -> TableRows:
        """The rows of a plan that reads no stream; rows that fail go to `error_stream`.

        With the `text` of its statement the query is one that the log remembers, if it reads a table.
        """
        return self.table_query(plan, catalog, text).rows

    def table_query(
        self, plan: nodes.Node, catalog: Catalog, text: str = "", read: Mapping[str, Counts] | None = None
    ) -> TableQuery:
        """The same, with what tells how much each of its operators and tables gives; what is read is added to `read`."""
        pipeline = Pipeline(self.clock)
        built = Compiler(pipeline, "null", "table", self.time, self.seed).build(plan)
        leaves = [Leaf(node, read or {}) for node, _, _ in built.tables]
        places = [(vertex, port) for _, vertex, port in built.tables]
        given = [(*place, self._rows(leaf, catalog, built)) for leaf, place in zip(leaves, places, strict=True)]
        scans = [leaf.scan for leaf in leaves if leaf.scan is not None]
        is_logged = text and any(not isinstance(leaf.node, nodes.Values) for leaf in leaves)
        watch = self.log.watched(text, self.catalog.databases.current, scans) if is_logged else nullcontext()
        rows = TableRows(plan.schema, pipeline, built.output, given, lambda batch: self.report(batch), watch)
        return TableQuery(rows, built, leaves)

    def _table_batches(self, plan: nodes.Node, read: Mapping[str, Counts]) -> list[Batch]:
        """All rows of a plan over tables."""
        rows = self.table_query(plan, self.catalog, read=read).rows
        return list(iter(rows.take_whole, None))

    def _by_keys(self, plan: nodes.Node, read: Mapping[str, Counts]) -> TableByKeys:
        """What reads a plan over tables for the keys that arrive, as they are now."""
        return TableByKeys(plan, self.catalog, self.access, self.time, self.seed, read)

    def _rows(self, leaf: Leaf, catalog: Catalog, built: Built) -> Iterable[Output]:
        return leaf.rows(catalog, self.access, self.time, built.joins)

    def plans_running(self) -> list[nodes.Node]:
        """The plans of the queries over streams that are attached."""
        return [result.plan for result in self._reading.values() if result.plan is not None]

    def fail_queries(self, error: Error) -> None:
        """Let all who read rows of running queries know why no more will come."""
        for result in self._reading.values():
            if isinstance(result.rows, RowQueue):
                result.rows.fail(error)

    def _end_queries_of(self, stream: str) -> None:
        """Tell the readers of a stream that it is gone."""
        for result in list(self._reading.values()):
            if result.plan is not None and stream in nodes.streams_of(result.plan) and isinstance(result.rows, RowQueue):
                result.rows.fail(OperationalError(f"stream {stream}, which this query reads, was dropped"))
                result.close()

    # -- INSERT ------------------------------------------------------------------------------------------------------------

    def insert_rows(self, stream: str, rows: Batch, explicit: bool) -> None:
        """Rows with the columns of a stream, from outside; with ROWTIME in front when they bring their own."""
        self.warnings += self.snapshots.tick()
        schema = self.catalog.find_stream(stream, None).schema
        self._inserts.insert(stream, schema, rows, explicit, self.time)
        self.pipeline.settle()

    def advance(self, stream: str, t: Time) -> None:
        """A rowtime bound for a stream that INSERT statements write."""
        self._inserts.promise(stream, self.catalog.find_stream(stream, None).schema, t, self.time)
        self.pipeline.settle()

    def open_inserts(self, stream: str, explicit: bool) -> None:
        """Let a stream have the writer by which INSERT enters, before any row."""
        self._inserts.open(stream, self.catalog.find_stream(stream, None).schema, explicit, self.time)

    @property
    def inserted(self) -> frozenset[str]:
        """The streams that INSERT has written."""
        return self._inserts.streams

    @property
    def insert_ports(self) -> Mapping[str, int]:
        """The ports by which rows without a ROWTIME of their own enter their streams."""
        return self._inserts.ports

    @property
    def insert_modes(self) -> Mapping[str, bool]:
        """The streams that INSERT has written: whether with ROWTIMEs of their own."""
        return {stream: explicit for stream, (explicit, _) in self._inserts.save().items()}

    def end_inserts(self) -> None:
        """No INSERT statement will follow: the streams that they write end, unless something else writes them."""
        self._inserts.end()

    # -- state -------------------------------------------------------------------------------------------------------------

    def save(self) -> tuple[dict[str, Any], dict[str, dict[str, pa.Table]]]:
        """All that must outlive a crash: facts that are plain JSON values, and the containers of the operators."""
        facts = {
            "started": self.started,
            "writers": self._inserts.save(),
            "bounds": self.pipeline.save_bounds(),
            "feeds": self.pipeline.save_feeds(),
        }
        return facts, self.pipeline.save_state()

    def load(self, facts: Mapping[str, Any], state: Mapping[str, Mapping[str, pa.Table]]) -> None:
        """Go on from what `save` gave, after the same statements were executed and the same sources were opened."""
        schemas = {stream.name: stream.schema for stream in self.catalog.streams()}
        self._inserts.load(facts["writers"], schemas, self.time)
        self.pipeline.load_state(state)
        self.pipeline.load_bounds(facts["bounds"])
        self.pipeline.load_feeds(facts["feeds"])
