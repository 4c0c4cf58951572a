"""The named objects of an application.

Each is kept with the statement that made it, so the catalog saved to a file is an SQL script.  Streams, views and reference
tables share one name space; pumps have their own (published applications name a pump and a stream alike), functions too.
External tables are in databases; without a database in front, a name means one of the current database where it is not that
of a stream, view or table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias, TypeVar

import pyarrow as pa

from streamsql.errors import Error, IntegrityError, ProgrammingError, Span
from streamsql.external.databases import DEFAULT, Databases
from streamsql.external.table import ExternalTable
from streamsql.rows import QueryTime
from streamsql.statements.statement import Statement
from streamsql.statements.streaming import CreateFunction, CreatePump, CreateView
from streamsql.types import Family, Schema, SqlType

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stream:
    """An in-application stream; `statement` is None for one that comes from an input or from the engine."""

    name: str
    schema: Schema
    statement: Statement | None = None
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A finite relation held in memory: reference data, a registered Arrow table."""

    name: str
    schema: Schema
    rows: pa.Table


@dataclass(frozen=True, slots=True)
class View:
    """A named query; `database` is the one in which its names are looked up."""

    name: str
    statement: CreateView
    database: str = DEFAULT


@dataclass(frozen=True, slots=True, eq=False)
class SystemTable:
    """A table of what the engine itself knows; its rows are made when they are read."""

    name: str
    schema: Schema
    rows: Callable[[QueryTime], pa.Table]


Relation = Stream | Table | View | ExternalTable | SystemTable


def kind_of(relation: Relation) -> str:
    """What a relation is, in a word or two."""
    words = {ExternalTable: "external table", SystemTable: "system table"}
    return words.get(type(relation)) or type(relation).__name__.lower()


def a_kind_of(relation: Relation) -> str:
    """The same with its article."""
    kind = kind_of(relation)
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


@dataclass(frozen=True, slots=True)
class Pump:
    """A continuous INSERT: what it reads, and the stream it writes; `database` as of a view."""

    name: str
    statement: CreatePump
    reads: frozenset[str]
    target: str
    database: str = DEFAULT


@dataclass(frozen=True, slots=True)
class Function:
    """A function that the application defines; one of several of its name, if they take other types."""

    name: str
    statement: CreateFunction

    @property
    def specific_name(self) -> str | None:
        """The name that is its alone, where it was given one."""
        return self.statement.specific.name if self.statement.specific is not None else None

    @property
    def parameters(self) -> tuple[SqlType, ...]:
        """The types of its parameters."""
        return tuple(parameter.type for parameter in self.statement.parameters)

    def takes_what(self, other: Function) -> bool:
        """Whether a call cannot tell the two apart."""
        return [_told_by(type_) for type_ in self.parameters] == [_told_by(type_) for type_ in other.parameters]

    def __str__(self) -> str:
        """As messages call it: the name with the types of its parameters."""
        return f"{_written(self.name)}({', '.join(map(str, self.parameters))})"


def _told_by(type_: SqlType) -> object:
    """What tells the type of a parameter from others: text and bytes are told from the rest, not by their lengths."""
    return type_.family if type_.family in (Family.CHARACTER, Family.BINARY) else str(type_)


SystemTables: TypeAlias = "Callable[[Catalog, str, str | None], SystemTable | None]"
"""The system table of a catalog that a name means, with what stands in front of it."""


@dataclass(slots=True)
class Catalog:
    """Everything that has a name; a function's may be that of several.  System tables are those that nothing else is called
    like."""

    relations: dict[str, Relation] = field(default_factory=dict)
    pumps: dict[str, Pump] = field(default_factory=dict)
    functions: dict[str, tuple[Function, ...]] = field(default_factory=dict)
    databases: Databases = field(default_factory=Databases)
    system: SystemTables = lambda catalog, name, schema: None

    def relation(self, name: str, database: str | None = None) -> Relation | None:
        """The relation of exactly this name, or the one table that has it in another case.

        With the name of a database its external table counts first: in front of a stream a schema says nothing.
        """
        external = self.databases.table(name, database)
        found: Relation | None = self.relations.get(name) if external is None or database is None else external
        if found is None:
            same = [r for r in self.relations.values() if isinstance(r, Table) and r.name.upper() == name.upper()]
            found = same[0] if len(same) == 1 else None
        return found or external or self.system(self, name, database)

    def unqualified(self) -> dict[str, Relation]:
        """The relations that need no database in front of their names, by these names in the case in which they are kept."""
        here = self.databases.database()
        external = {} if here is None else {table.name.upper(): table for table in here.tables.values()}
        return {**external, **self.relations}

    def within(self, database: str) -> Catalog:
        """The same catalog, in which names without a database are looked up in this one."""
        return replace(self, databases=self.databases.within(database))

    def streams(self) -> Iterator[Stream]:
        return (relation for relation in self.relations.values() if isinstance(relation, Stream))

    def pumps_at(self, stream: str) -> list[Pump]:
        """The pumps that read or write a stream, in the order of their creation."""
        return [pump for pump in self.pumps.values() if stream in pump.reads or stream == pump.target]

    def sources_of(self, streams: Iterable[str]) -> set[str]:
        """The streams whose rows reach these through pumps, these among them."""
        found, todo = set[str](), list(streams)
        while todo:
            stream = todo.pop()
            if stream not in found:
                found.add(stream)
                todo += [name for pump in self.pumps.values() if pump.target == stream for name in pump.reads]
        return found

    def find_stream(self, name: str, span: Span | None) -> Stream:
        """The stream of this name, or the error that says what there is."""
        relation = self.relation(name)
        if relation is None:
            raise unknown("stream", name, self.relations, span)
        if not isinstance(relation, Stream):
            raise ProgrammingError(f"{name} is {a_kind_of(relation)}, not a stream", span)
        return relation

    def check_no_cycle(self, pump: Pump, span: Span | None) -> None:
        """Refuse a pump whose target is, through other pumps, what it reads."""
        reached, todo = set[str](), [pump.target]
        while todo:
            stream = todo.pop()
            if stream in reached:
                continue
            reached.add(stream)
            todo += [other.target for other in self.pumps.values() if stream in other.reads and other.name != pump.name]
        loop = reached & pump.reads
        if loop:
            raise IntegrityError(
                f"pump {pump.name} would feed itself: {', '.join(sorted(loop))} is filled from what it reads", span
            )


def unknown(kind: str, name: str, known: Mapping[str, T], span: Span | None) -> Error:
    """The error for a name that is not there, with the nearest one as a hint."""
    return ProgrammingError(f"no {kind} {name}", span, nearest(name, known))


def nearest(name: str, known: Mapping[str, T] | list[str]) -> str | None:
    """What may have been meant: the same name in another case (which needs quotes), or one spelled almost the same."""
    import difflib

    names = list(known)
    same = [other for other in names if other.upper() == name.upper()]
    if same:
        return f"did you mean {_written(same[0])}? names without quotes are upper case"
    close = difflib.get_close_matches(name.upper(), [other.upper() for other in names], 1, 0.7)
    if close:
        return f"did you mean {_written(next(other for other in names if other.upper() == close[0]))}?"
    if names and len(names) <= 8:
        return "there " + ("is " if len(names) == 1 else "are ") + ", ".join(map(_written, names))
    return None


def _written(name: str) -> str:
    """A name as a statement says it: in quotes where they are needed."""
    return name if name == name.upper() else f'"{name}"'
