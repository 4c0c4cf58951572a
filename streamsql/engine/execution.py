"""What each statement does to an engine, between two steps.  A new statement is one function and one entry in `HANDLERS`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from streamsql.bind.parameters import Parameters
from streamsql.bind.query import QueryBinder
from streamsql.catalog import Pump, Stream, Table, View, unknown
from streamsql.engine.result import Result
from streamsql.engine.row_queue import RowQueue
from streamsql.errors import IntegrityError, ProgrammingError, not_supported
from streamsql.plan import nodes
from streamsql.plan.explain import explain
from streamsql.run import error_stream
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
from streamsql.types import ROWTIME, Field, Schema, varchar

if TYPE_CHECKING:
    from streamsql.engine.engine import Engine


def create_stream(engine: Engine, statement: CreateStream, parameters: Parameters) -> Result:
    name = statement.name.name
    if name.lower() == error_stream.NAME:
        raise ProgrammingError("the name error_stream is the engine's own", statement.name.span)
    _make_room(engine, statement, statement.replace)
    engine.declare_stream(Stream(name, Schema.stream(fields_of(statement.columns)), statement))
    return Result(f"stream {name} created")


def create_view(engine: Engine, statement: CreateView, parameters: Parameters) -> Result:
    name = statement.name.name
    _make_room(engine, statement, statement.replace)
    QueryBinder(engine.catalog).query(statement.query)  # a view that cannot be read is an error now, not later
    engine.catalog.relations[name] = View(name, statement)
    return Result(f"view {name} created")


def _make_room(engine: Engine, statement: CreateStream | CreateView, replace: bool) -> None:
    """See to it that a relation can be created under a name."""
    name, span = statement.name.name, statement.name.span
    old = engine.catalog.relation(name)
    if old is None:
        return
    kind = type(old).__name__.lower()
    if not replace:
        raise ProgrammingError(f"there is a {kind} {name} already", span, "CREATE OR REPLACE")
    attached = engine.catalog.pumps_at(name)
    if attached and not engine.interactive:
        pumps = ", ".join(pump.name for pump in attached)
        text = f"{name} cannot be replaced: {pumps} {'uses' if len(attached) == 1 else 'use'} it"
        raise IntegrityError(text, span, "create the stream before the pumps")
    for pump in attached:
        engine.drop_pump(pump.name)
        engine.warnings.append(f"pump {pump.name} is dropped with the {kind} {name} that it used")
    engine.drop_relation(name)


def create_pump(engine: Engine, statement: CreatePump, parameters: Parameters) -> Result:
    name = statement.name.name
    if name in engine.catalog.pumps and not statement.replace:
        raise ProgrammingError(f"there is a pump {name} already", statement.name.span, "CREATE OR REPLACE")
    plan = engine.plan_of(statement, parameters)
    assert isinstance(plan, nodes.Insert)
    reads = frozenset(nodes.streams_of(plan))
    if not reads:
        raise ProgrammingError(f"pump {name} reads no stream", statement.insert.query.meta.get("span"))
    pump = Pump(name, statement, reads, plan.target)
    engine.catalog.check_no_cycle(pump, statement.name.span)
    if name in engine.catalog.pumps:
        engine.drop_pump(name)
    engine.catalog.pumps[name] = pump
    if not statement.started:
        engine.warnings.append(f"pump {name} is created STOPPED: ALTER PUMP {name} START starts it")
        return Result(f"pump {name} created, stopped")
    engine.start_pump(name, plan)
    return Result(f"pump {name} created")


def alter_pump(engine: Engine, statement: AlterPump, parameters: Parameters) -> Result:
    name = statement.name.name
    pump = engine.catalog.pumps.get(name)
    if pump is None:
        raise unknown("pump", name, engine.catalog.pumps, statement.name.span)
    if statement.start:
        plan = engine.plan_of(pump.statement)
        assert isinstance(plan, nodes.Insert)
        engine.start_pump(name, plan)
    else:
        engine.stop_pump(name)
    return Result(f"pump {name} {'started' if statement.start else 'stopped'}")


def drop(engine: Engine, statement: Drop, parameters: Parameters) -> Result:
    name, kind = statement.name.name, statement.kind
    if kind == "SCHEMA":
        return Result("there is one schema, which stays")
    known: dict[str, Any] = dict(engine.catalog.pumps) if kind == "PUMP" else _relations_of(engine, statement)
    if name not in known:
        if statement.if_exists:
            return Result(f"no {kind.lower()} {name}")
        raise unknown(kind.lower(), name, known, statement.name.span)
    if kind == "PUMP":
        engine.drop_pump(name)
        return Result(f"pump {name} dropped")
    if getattr(known[name], "read_only", False):
        raise ProgrammingError(f"{name} cannot be dropped", statement.name.span)
    attached = engine.catalog.pumps_at(name)
    if attached and not statement.cascade:
        pumps = f"{', '.join(pump.name for pump in attached)} {'uses' if len(attached) == 1 else 'use'} it"
        raise IntegrityError(f"{name} cannot be dropped: {pumps}", statement.name.span, f"DROP {kind} {name} CASCADE")
    for pump in attached:
        engine.drop_pump(pump.name)
    engine.drop_relation(name)
    return Result(f"{kind.lower()} {name} dropped")


def _relations_of(engine: Engine, statement: Drop) -> dict[str, Any]:
    wanted = {"STREAM": Stream, "FOREIGN STREAM": Stream, "VIEW": View, "TABLE": Table}.get(statement.kind)
    if wanted is None:
        raise not_supported(f"DROP {statement.kind}", statement.span)
    return {name: relation for name, relation in engine.catalog.relations.items() if isinstance(relation, wanted)}


def insert(engine: Engine, statement: Insert, parameters: Parameters) -> Result:
    plan = engine.plan_of(statement, parameters)
    assert isinstance(plan, nodes.Insert)
    if nodes.streams_of(plan):
        hint = f"CREATE PUMP name AS {statement.text or 'INSERT ...'}"
        raise ProgrammingError("INSERT from a stream goes on for ever: it is a pump's", statement.span, hint)
    try:
        return engine.insert_table(plan, engine.catalog)
    except ProgrammingError as error:  # what the rows meet at the stream: that has no place in the text but the stream's name
        error.span = error.span or statement.target.span
        raise


def query(engine: Engine, statement: Query, parameters: Parameters) -> Result:
    plan = engine.plan_of(statement, parameters)
    if nodes.streams_of(plan):
        return engine.run_query(plan)
    return Result("", rows=engine.run_table(plan, engine.catalog), plan=plan)


def explain_plan(engine: Engine, statement: Explain, parameters: Parameters) -> Result:
    if statement.analyze:
        raise not_supported("EXPLAIN ANALYZE", statement.span)
    text = explain(engine.plan_of(statement.statement, parameters))
    queue = RowQueue(Schema((Field("PLAN", varchar()),)))
    queue.write(pa.RecordBatch.from_pydict({"PLAN": pa.array(text.splitlines(), pa.string())}))
    queue.end()
    return Result("", rows=queue)


def accept(engine: Engine, statement: Statement, parameters: Parameters) -> Result:
    """Statements that change nothing here: an application has one schema."""
    return Result("accepted; it changes nothing here")


def fields_of(columns: Sequence[ColumnDefinition]) -> tuple[Field, ...]:
    """The columns of a CREATE statement; a name that stands twice is an error."""
    seen: set[str] = set()
    for column in columns:
        name = column.name.name
        if name in seen:
            raise ProgrammingError(f"column {name} stands twice", column.name.span)
        if name == ROWTIME:
            hint = "leave it out, or give the column another name"
            raise ProgrammingError("every stream has a ROWTIME of its own", column.name.span, hint)
        seen.add(name)
    return tuple(Field(column.name.name, column.type, column.nullable) for column in columns)


Handler = Callable[["Engine", Any, Parameters], Result]

HANDLERS: dict[type[Statement], Handler] = {
    AlterPump: alter_pump,
    CreatePump: create_pump,
    CreateSchema: accept,
    CreateStream: create_stream,
    CreateView: create_view,
    Drop: drop,
    Explain: explain_plan,
    Insert: insert,
    Query: query,
    SetOption: accept,
}
