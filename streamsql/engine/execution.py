"""What each statement does to an engine, between two steps.  A new statement is one function and one entry in `HANDLERS`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from streamsql.bind.context import Context
from streamsql.bind.expressions import function_body
from streamsql.bind.parameters import Parameters
from streamsql.bind.query import QueryBinder
from streamsql.bind.uses import pumps_calling
from streamsql.catalog import Function, Pump, Stream, View, a_kind_of, kind_of, unknown
from streamsql.engine.explaining import explain_plan
from streamsql.engine.external import EXTERNAL_HANDLERS
from streamsql.engine.external_writes import WRITE_HANDLERS
from streamsql.engine.foreign import check_writable, uri_of
from streamsql.engine.result import Result
from streamsql.engine.runtime import Runtime
from streamsql.engine.table_inserts import insert_table
from streamsql.errors import Error, IntegrityError, NotSupportedError, ProgrammingError, not_supported
from streamsql.external.write.limits import TIME, limits_of
from streamsql.functions.registry import AGGREGATES, SCALARS, TABLE_FUNCTIONS
from streamsql.plan import nodes
from streamsql.run import error_stream
from streamsql.statements.statement import ColumnDefinition, ObjectName, Statement
from streamsql.statements.streaming import (
    AlterPump,
    CreateForeignStream,
    CreateFunction,
    CreatePump,
    CreateStream,
    CreateView,
    Drop,
    Explain,
    Insert,
    Query,
    SetOption,
)
from streamsql.types import ROWTIME, Field, Schema


def create_stream(engine: Runtime, statement: CreateStream | CreateForeignStream, parameters: Parameters) -> Result:
    name = statement.name.name
    if name.lower() == error_stream.NAME:
        raise ProgrammingError("the name error_stream is the engine's own", statement.name.span)
    if isinstance(statement, CreateForeignStream):
        uri_of(statement)  # what is wrong with it is an error now, not when it is opened
    schema = Schema.stream(fields_of(statement.columns), engine.system_fields(statement))
    _make_room(engine, statement, statement.replace)
    engine.declare_stream(Stream(name, schema, statement))
    return Result(f"{'foreign ' * isinstance(statement, CreateForeignStream)}stream {name} created")


def create_view(engine: Runtime, statement: CreateView, parameters: Parameters) -> Result:
    name = statement.name.name
    _make_room(engine, statement, statement.replace)
    QueryBinder(engine.catalog).query(statement.query)  # a view that cannot be read is an error now, not later
    engine.catalog.relations[name] = View(name, statement, engine.catalog.databases.current)
    return Result(f"view {name} created")


def _make_room(engine: Runtime, statement: CreateStream | CreateForeignStream | CreateView, replace: bool) -> None:
    """See to it that a relation can be created under a name."""
    name, span = statement.name.name, statement.name.span
    old = engine.catalog.relation(name)
    if old is None:
        return
    can_replace = name in engine.catalog.relations
    if not replace or not can_replace:
        hint = "CREATE OR REPLACE" if can_replace else "give yours another name"
        raise ProgrammingError(f"there is {a_kind_of(old)} {name} already", span, hint)
    _take_from(engine, engine.catalog.pumps_at(name), kind_of(old), statement.name)
    engine.drop_relation(name)


def _take_from(engine: Runtime, pumps: Sequence[Pump], kind: str, name: ObjectName) -> None:
    """Drop the pumps that use what is about to be replaced; in an application that is an error."""
    if pumps and not engine.interactive:
        text = f"{name.name} cannot be replaced: {_users(pumps)}"
        raise IntegrityError(text, name.span, f"create the {kind} before the pumps")
    for pump in pumps:
        engine.drop_pump(pump.name)
        engine.warnings.append(f"pump {pump.name} is dropped with the {kind} {name.name} that it used")


def _users(pumps: Sequence[Pump]) -> str:
    return f"{', '.join(pump.name for pump in pumps)} {'uses' if len(pumps) == 1 else 'use'} it"


def create_function(engine: Runtime, statement: CreateFunction, parameters: Parameters) -> Result:
    name, span = statement.name.name, statement.name.span
    if name in SCALARS or name in AGGREGATES or name in TABLE_FUNCTIONS:
        raise ProgrammingError(f"{name} is a function of the dialect", span, "give yours another name")
    function = Function(name, statement)
    _check_parameters(statement.parameters)
    functions = engine.catalog.functions
    same = [other for other in functions.get(name, ()) if other.takes_what(function)]
    if same and not statement.replace:
        raise ProgrammingError(f"there is a function {same[0]} already", span, "CREATE OR REPLACE")
    specific = statement.specific
    if specific is not None and specific.name in {o.specific_name for f in functions.values() for o in f if o not in same}:
        raise ProgrammingError(f"there is a function with the specific name {specific} already", specific.span)
    overloads = tuple(function if other in same else other for other in functions.get(name, ()))
    overloads = overloads if same else (*overloads, function)
    function_body(function, Context(functions={**functions, name: overloads}))  # what is wrong with it is an error now
    if same:
        _take_from(engine, pumps_calling(engine.catalog, name), "function", statement.name)
    functions[name] = overloads
    return Result(f"function {name} created")


def create_pump(engine: Runtime, statement: CreatePump, parameters: Parameters) -> Result:
    name = statement.name.name
    if name in engine.catalog.pumps and not statement.replace:
        raise ProgrammingError(f"there is a pump {name} already", statement.name.span, "CREATE OR REPLACE")
    plan = engine.plan_of(statement, parameters)
    assert isinstance(plan, nodes.Insert)
    check_writable(engine.catalog, plan.target, statement.insert.target.span)
    reads = frozenset(nodes.streams_of(plan))
    if not reads:
        raise ProgrammingError(f"pump {name} reads no stream", statement.insert.query.meta.get("span"))
    pump = Pump(name, statement, reads, plan.target, engine.catalog.databases.current)
    engine.catalog.check_no_cycle(pump, statement.name.span)
    if name in engine.catalog.pumps:
        engine.drop_pump(name)
    if statement.started:
        try:
            engine.pumps.start(name, plan, statement.text)
        except Error as error:  # what is wrong with an external table that it writes
            error.span = error.span or statement.insert.target.span
            raise
    if plan.table is not None and engine.interactive and limits_of(plan.table.properties, plan.target).time is None:
        text = f"rows of pump {name} are seen when a file of {plan.target} is full, or the pump is stopped"
        engine.warnings.append(f"{text}; with the table property {TIME!r} also after some time")
    engine.catalog.pumps[name] = pump
    if not statement.started:
        engine.warnings.append(f"pump {name} is created STOPPED: ALTER PUMP {name} START starts it")
    return Result(f"pump {name} created{'' if statement.started else ', stopped'}")


def _check_parameters(parameters: Sequence[ColumnDefinition]) -> None:
    names = [parameter.name.name for parameter in parameters]
    for i, parameter in enumerate(parameters):
        if parameter.name.name in names[:i]:
            raise ProgrammingError(f"parameter {parameter.name.name} stands twice", parameter.name.span)


def alter_pump(engine: Runtime, statement: AlterPump, parameters: Parameters) -> Result:
    name = statement.name.name
    pump = engine.catalog.pumps.get(name)
    if pump is None:
        raise unknown("pump", name, engine.catalog.pumps, statement.name.span)
    if statement.start:
        plan = engine.plan_of(pump.statement)
        assert isinstance(plan, nodes.Insert)
        engine.pumps.start(name, plan, pump.statement.text)
    else:
        engine.pumps.stop(name)
    return Result(f"pump {name} {'started' if statement.start else 'stopped'}")


def drop(engine: Runtime, statement: Drop, parameters: Parameters) -> Result:
    name, kind = statement.name.name, statement.kind
    if kind == "FUNCTION":
        return _drop_function(engine, statement)
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
    _drop_users(engine, statement, engine.catalog.pumps_at(name))
    engine.drop_relation(name)
    return Result(f"{kind.lower()} {name} dropped")


def _drop_users(engine: Runtime, statement: Drop, pumps: Sequence[Pump]) -> None:
    """CASCADE drops the pumps that use a thing; without it they keep it from being dropped."""
    name = statement.name.name
    if pumps and not statement.cascade:
        text = f"{name} cannot be dropped: {_users(pumps)}"
        raise IntegrityError(text, statement.name.span, f"DROP {statement.kind} {name} CASCADE")
    for pump in pumps:
        engine.drop_pump(pump.name)


def _drop_function(engine: Runtime, statement: Drop) -> Result:
    """A name stands for all functions of that name, a specific name for one."""
    name, functions = statement.name.name, engine.catalog.functions
    dropped = functions.get(name) or tuple(f for overloads in functions.values() for f in overloads if f.specific_name == name)
    if not dropped:
        if statement.if_exists:
            return Result(f"no function {name}")
        raise unknown("function", name, functions, statement.name.span)
    called = dropped[0].name
    _drop_users(engine, statement, pumps_calling(engine.catalog, called))
    functions[called] = tuple(function for function in functions[called] if function not in dropped)
    if not functions[called]:
        del functions[called]
    return Result(f"function {name} dropped")


def _relations_of(engine: Runtime, statement: Drop) -> dict[str, Any]:
    wanted = {"STREAM": Stream, "FOREIGN STREAM": Stream, "VIEW": View}.get(statement.kind)
    if wanted is None:
        raise not_supported(f"DROP {statement.kind}", statement.span)
    return {name: relation for name, relation in engine.catalog.relations.items() if isinstance(relation, wanted)}


def insert(engine: Runtime, statement: Insert, parameters: Parameters) -> Result:
    plan = engine.plan_of(statement, parameters)
    assert isinstance(plan, nodes.Insert)
    check_writable(engine.catalog, plan.target, statement.target.span)
    if nodes.streams_of(plan):
        hint = f"CREATE PUMP name AS {statement.text or 'INSERT ...'}"
        raise ProgrammingError("INSERT from a stream goes on for ever: it is a pump's", statement.span, hint)
    try:
        return insert_table(engine, plan, engine.catalog, statement.text)
    except (ProgrammingError, NotSupportedError) as error:  # what the rows meet there has no place in the text but the name
        error.span = error.span or statement.target.span
        raise


def query(engine: Runtime, statement: Query, parameters: Parameters) -> Result:
    plan = engine.plan_of(statement, parameters)
    if nodes.streams_of(plan):
        return engine.run_query(plan, statement.text)
    return Result("", rows=engine.run_table(plan, engine.catalog, statement.text), plan=plan)


def accept(engine: Runtime, statement: Statement, parameters: Parameters) -> Result:
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


Handler = Callable[[Runtime, Any, Parameters], Result]

HANDLERS: dict[type[Statement], Handler] = {
    **EXTERNAL_HANDLERS,
    **WRITE_HANDLERS,
    AlterPump: alter_pump,
    CreateForeignStream: create_stream,
    CreateFunction: create_function,
    CreatePump: create_pump,
    CreateStream: create_stream,
    CreateView: create_view,
    Drop: drop,
    Explain: explain_plan,
    Insert: insert,
    Query: query,
    SetOption: accept,
}
