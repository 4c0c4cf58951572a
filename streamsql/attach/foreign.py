"""Foreign streams as inputs and outputs, and the rows that come before an output is open."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, MutableMapping

from sqlglot import exp

from streamsql.bind.scope import folded
from streamsql.catalog import Catalog, View
from streamsql.engine.engine import Engine
from streamsql.engine.foreign import foreign_streams, server_of, uri_of
from streamsql.errors import OperationalError, ProgrammingError
from streamsql.plan.nodes import streams_of
from streamsql.run.graph import Vertex
from streamsql.statements.statement import Statement
from streamsql.statements.streaming import CreateForeignStream, CreatePump, Insert
from streamsql.types import Batch


class ForeignStreams:
    """Makes foreign streams inputs and outputs of an engine: `names` are those that are."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.names: set[str] = set()

    def adopt(self, inputs: MutableMapping[str, str], outputs: MutableMapping[str, str]) -> None:
        """Enter the URIs of the foreign streams that are used, and take out those of streams that are gone.

        The rows of one that a pump or an INSERT writes go to its server; those of any other come from it, when it is read.
        What was given from outside by the same name stands in for the server.
        """
        catalog = self._engine.catalog
        streams = foreign_streams(catalog)
        for name in self.names - streams.keys():
            inputs.pop(name, None)
            outputs.pop(name, None)
            self.names.discard(name)
        given = {matched(each, catalog.relations) for each in (*inputs, *outputs) if each not in self.names}
        written, read = self._written(), self._read()
        for name in sorted(streams.keys() - given):
            if name in written and name not in inputs:
                outputs[name] = uri_of(streams[name])
                self.names.add(name)
            elif name in read and name not in outputs:
                inputs[name] = _read_from(streams[name])
                self.names.add(name)

    def begun(
        self, statements: Iterable[Statement], mentioned: Iterable[str], inputs: Mapping[str, str], given: Collection[str]
    ) -> dict[str, str]:
        """The servers' URIs of the foreign streams that statements would begin to read.

        `mentioned` are the relations that the statements name.  Raises ProgrammingError for one that writes an input.
        """
        for statement in statements:
            insert = statement.insert if isinstance(statement, CreatePump) else statement
            if isinstance(insert, Insert) and insert.target.name in self.names & inputs.keys():
                text = f"{insert.target.name} is read from its server, so it cannot be written"
                raise ProgrammingError(text, insert.target.span, "another foreign stream for what is written")
        streams = foreign_streams(self._engine.catalog)
        new = (_read_by(mentioned, self._engine.catalog) & streams.keys()) - self.names - set(given) - self._written()
        return {name: uri_of(streams[name]) for name in sorted(new) if server_of(streams[name]).reads}

    def _written(self) -> set[str]:
        return {pump.target for pump in self._engine.catalog.pumps.values()} | self._engine.inserted

    def _read(self) -> set[str]:
        read = {name for pump in self._engine.catalog.pumps.values() for name in pump.reads}
        return read.union(*(streams_of(plan) for plan in self._engine.plans_running()))


def _read_by(names: Iterable[str], catalog: Catalog) -> set[str]:
    """The relations of these names, and those that the views among them read."""
    found, todo = set[str](), list(names)
    while todo:
        name = todo.pop()
        view = catalog.relation(name)
        if name not in found and isinstance(view, View):
            todo += [folded(table.this) for table in view.statement.query.find_all(exp.Table)]
        found.add(name)
    return found


def _read_from(statement: CreateForeignStream) -> str:
    server = server_of(statement)
    if not server.reads:
        text = f"{statement.name.name} cannot be read: SERVER {server.name} takes rows and gives none"
        raise OperationalError(text, hint="what a pump writes into it can be read")
    return uri_of(statement)


class WaitingOutlets:
    """Keep what streams give before their outputs are open: the rows of INSERT."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: dict[str, _Waiting] = {}

    def wait_for(self, streams: Iterable[str]) -> None:
        """Keep the rows of these streams, from now on."""
        for stream in streams:
            hub = self._engine.pipeline.hub(stream)
            if stream not in self._waiting or self._waiting[stream].hub is not hub:
                self._waiting[stream] = _Waiting(hub)

    def take(self, stream: str) -> list[Batch]:
        """The rows that a stream has given; it keeps no more."""
        waiting = self._waiting.pop(stream, None)
        if waiting is None:
            return []
        if waiting in waiting.hub.outlets:
            waiting.hub.outlets.remove(waiting)
        return waiting.batches

    def forget(self) -> None:
        """Nobody wants the rows that wait: they came out in an earlier run, or have no output."""
        for stream in list(self._waiting):
            self.take(stream)


class _Waiting:
    """An outlet that keeps rows."""

    def __init__(self, hub: Vertex) -> None:
        self.hub = hub
        self.batches: list[Batch] = []
        hub.outlets.append(self)

    def write(self, batch: Batch) -> None:
        self.batches.append(batch)

    def end(self) -> None:
        pass


def matched(given: str, names: Iterable[str]) -> str:
    """A name of the command line: exactly as it is, else in upper case."""
    known = set(names)
    return given if given in known or given.upper() not in known else given.upper()
