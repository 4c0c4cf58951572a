"""What a script changes in a running engine: everything that stays as it is goes on untouched, with its state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from streamsql.catalog import Catalog, Stream, Table, View
from streamsql.engine.engine import Engine
from streamsql.engine.runtime import Writing
from streamsql.errors import OperationalError
from streamsql.plan.explain import explain
from streamsql.run import error_stream
from streamsql.statements.statement import Statement
from streamsql.statements.streaming import CreateForeignStream, CreatePump, Explain, Insert, Query
from streamsql.types import Schema


@dataclass(frozen=True, slots=True)
class Change:
    """The difference between what runs and what a script says.

    `begun` are the pumps that begin without state: those that are new, whose plan is another one, or that read or write a
    stream which is another one; `ended` are those that run and are not in the script, or begin anew.
    """

    catalog: Catalog
    new_streams: tuple[str, ...]
    gone_streams: tuple[str, ...]
    begun: tuple[str, ...]
    ended: tuple[str, ...]

    @property
    def changed_streams(self) -> frozenset[str]:
        """The streams whose columns are other ones."""
        return frozenset(self.new_streams) & frozenset(self.gone_streams)

    def __str__(self) -> str:
        new = sorted(set(self.new_streams) - self.changed_streams)
        gone = sorted(set(self.gone_streams) - self.changed_streams)
        parts = [
            _listed("pump", "begins anew", "begin anew", sorted(set(self.begun) & set(self.ended))),
            _listed("pump", "is new", "are new", sorted(set(self.begun) - set(self.ended))),
            _listed("pump", "is gone", "are gone", sorted(set(self.ended) - set(self.begun))),
            _listed("stream", "has other columns", "have other columns", sorted(self.changed_streams)),
            _listed("stream", "is new", "are new", new),
            _listed("stream", "is gone", "are gone", gone),
        ]
        return "; ".join(filter(None, parts)) or "nothing has changed"

    def apply(self, engine: Engine) -> None:
        """Make the engine what the script says; between two steps."""
        for ended in self.ended:
            engine.drop_pump(ended)
        for gone in self.gone_streams:
            engine.drop_relation(gone)
        engine.catalog.functions = dict(self.catalog.functions)
        engine.catalog.databases = self.catalog.databases
        engine.table_sinks.recall_all()
        relations = engine.catalog.relations
        for view in [view for view in relations.values() if isinstance(view, View)]:
            del relations[view.name]
        relations |= {view.name: view for view in self.catalog.relations.values() if isinstance(view, View)}
        for new in self.new_streams:
            stream = self.catalog.relations[new]
            assert isinstance(stream, Stream)
            engine.declare_stream(stream)
        for name, pump in self.catalog.pumps.items():
            if name in self.begun:
                engine.execute(pump.statement)
            else:
                engine.catalog.pumps[name] = pump


def between(engine: Engine, statements: Sequence[Statement], given: Iterable[str]) -> Change:
    """What would change if the engine were to run these statements instead; raises Error for a script that is wrong.

    `given` are the streams that inputs stand for and no statement creates.  Rows that INSERT brings are not brought again.
    """
    wanted = _imagined(engine, statements, set(given))
    now = engine.catalog
    old, new = _schemas(now), _schemas(wanted.catalog)
    gone = [name for name, schema in old.items() if new.get(name) != schema]
    came = [name for name, schema in new.items() if old.get(name) != schema]
    others = set(gone) | set(came)
    begun: list[str] = []
    ended = [name for name in now.pumps if name not in wanted.catalog.pumps]
    for name, pump in wanted.catalog.pumps.items():
        before = now.pumps.get(name)
        if before is not None:
            same = explain(engine.plan_of(before.statement)) == explain(wanted.plan_of(pump.statement))
            if same and before.statement.started == pump.statement.started and not (pump.reads | {pump.target}) & others:
                continue
            ended.append(name)
        begun.append(name)
    return Change(wanted.catalog, tuple(came), tuple(gone), tuple(begun), tuple(ended))


def check_queries(before: Sequence[Statement], after: Sequence[Statement]) -> None:
    """Refuse a script whose queries are other ones: their rows are on their way already."""

    def queries(statements: Sequence[Statement]) -> list[str]:
        return [statement.text for statement in statements if isinstance(statement, Query)]

    if queries(before) != queries(after):
        raise OperationalError("the queries of an application cannot change while it runs", hint="stop it and start it anew")


def check_foreign_streams(before: Sequence[Statement], after: Sequence[Statement]) -> None:
    """Refuse a script whose foreign streams are other ones: what they are attached to is open."""

    def foreign(statements: Sequence[Statement]) -> list[str]:
        return sorted(statement.text for statement in statements if isinstance(statement, CreateForeignStream))

    if foreign(before) != foreign(after):
        text = "the foreign streams of an application cannot change while it runs"
        raise OperationalError(text, hint="stop it and start it anew")


def _imagined(engine: Engine, statements: Sequence[Statement], given: set[str]) -> Engine:
    """An engine with the catalog of these statements, in which nothing runs."""
    imagined = Engine(engine.clock, engine.use_rules, engine.seed, engine.s3_root, started=engine.started)
    imagined.system_fields = engine.system_fields
    imagined.writing = Writing.NEVER
    for name, relation in engine.catalog.relations.items():
        if isinstance(relation, Table):
            imagined.catalog.relations[name] = relation
        elif isinstance(relation, Stream) and name in given:
            imagined.declare_stream(relation)
    for statement in statements:
        if isinstance(statement, CreatePump):
            imagined.execute(replace(statement, started=False))
            pump = imagined.catalog.pumps[statement.name.name]
            imagined.catalog.pumps[pump.name] = replace(pump, statement=statement)
        elif not isinstance(statement, (Insert, Query, Explain)):
            imagined.execute(statement)
    return imagined


def _schemas(catalog: Catalog) -> dict[str, Schema]:
    """The columns of the streams that a script can change."""
    return {stream.name: stream.schema for stream in catalog.streams() if stream.name != error_stream.NAME}


def _listed(noun: str, one: str, many: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    return f"{noun} {names[0]} {one}" if len(names) == 1 else f"{noun}s {', '.join(names)} {many}"
