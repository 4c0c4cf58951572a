"""INSERT INTO: what becomes of a query's columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from streamsql.bind.functions import convert
from streamsql.bind.query import QueryBinder
from streamsql.bind.source import ROWTIME_COLUMN, Source
from streamsql.bind.wording import counted
from streamsql.catalog import nearest
from streamsql.coercion import assignable, castable
from streamsql.errors import ProgrammingError, not_supported
from streamsql.expressions.nodes import Column, Constant, Expression
from streamsql.external.table import ExternalTable
from streamsql.plan import nodes
from streamsql.statements.statement import Identifier
from streamsql.statements.streaming import Insert
from streamsql.types import ROWTIME, ROWTIME_FIELD, Family, Field, Kind, Schema


def bind_insert(binder: QueryBinder, statement: Insert) -> nodes.Insert:
    """The plan of INSERT INTO: the query's columns, converted to those of the target."""
    target = _target(binder, statement)
    source = _inserted(binder, statement.query)
    fields = list(target.schema.visible)
    given = [f for f in source.schema.fields if not f.hidden]
    names = statement.columns
    if names is None:
        if len(given) != len(fields):
            count = f"{target.name} has {counted(len(fields))}, the query gives {len(given)}"
            raise ProgrammingError(count, statement.query.meta.get("span"), _count_hint(target.kind, fields, given))
        names = tuple(Identifier(f.name, True) for f in fields)
    elif len(names) != len(given):
        raise ProgrammingError(f"{counted(len(names))} named, and the query gives {len(given)}", names[0].span)
    return _converted(statement, target, source, _targets(target, names, source))


@dataclass(frozen=True, slots=True)
class _Target:
    """What is written: a stream, or an external table with the columns that a stream would have."""

    name: str
    schema: Schema
    table: ExternalTable | None = None

    def column(self, identifier: Identifier) -> str | None:
        """The column that a name means, ROWTIME of a stream among them; names of an external table match in any case."""
        if self.table is not None:
            found = self.table.column(identifier.text)
            return None if found is None else found.name
        return identifier.name if identifier.name in self.known else None

    @property
    def kind(self) -> str:
        """As messages call it."""
        return "stream" if self.table is None else "table"

    @property
    def known(self) -> list[str]:
        """The names that can be written."""
        return [*([ROWTIME] if self.table is None else []), *(f.name for f in self.schema.visible)]


def _target(binder: QueryBinder, statement: Insert) -> _Target:
    name = statement.target
    prefix = name.parts[-2].text if len(name.parts) > 1 else None
    relation = binder.catalog.relation(name.name, prefix)
    if isinstance(relation, ExternalTable):
        return _Target(relation.full_name, Schema.stream(relation.schema.fields), relation)
    database = None if prefix is None else binder.catalog.databases.database(prefix)
    if relation is None and database is not None:
        hint = nearest(name.last.text, [table.name for table in database.tables.values()])
        raise ProgrammingError(f"no table {name.last.text} in database {database.name}", name.last.span, hint)
    stream = binder.catalog.find_stream(name.name, name.span)
    if stream.read_only:
        raise ProgrammingError(f"{stream.name} cannot be written by SQL", name.span)
    return _Target(stream.name, stream.schema)


def _inserted(binder: QueryBinder, tree: exp.Expression) -> Source:
    """The query of an INSERT; a column of VALUES that is NULL in every row goes into a column of any type."""
    plain = not any(tree.args.get(clause) for clause in ("with_", "order", "limit", "offset"))
    return binder.values(tree, untyped=True) if isinstance(tree, exp.Values) and plain else binder.query(tree)


def _targets(target: _Target, names: Sequence[Identifier], source: Source) -> dict[str, Column]:
    """Which column of the query fills which column of the target (ROWTIME among them, where it is named)."""
    visible = source.schema.visible_indices
    found: dict[str, Column] = {}
    for identifier, place in zip(names, visible, strict=True):
        name = target.column(identifier)
        if name is None:
            text = f"no column {identifier.name} in {target.name}"
            raise ProgrammingError(text, identifier.span, nearest(identifier.name, target.known))
        if name in found:
            raise ProgrammingError(f"column {name} is named twice", identifier.span)
        column = source.schema.fields[place]
        found[name] = Column(column.type, place, column.name)
    return found


def _converted(statement: Insert, target: _Target, source: Source, found: dict[str, Column]) -> nodes.Insert:
    span = statement.query.meta.get("span")
    expressions: list[Expression] = []
    columns = [field for field in target.schema.fields if field != ROWTIME_FIELD]
    for column in columns:  # the system columns of an input's stream among them: a row that SQL brings has no metadata
        given = found.get(column.name)
        if given is None and not column.nullable:
            text = f"{target.name}.{column.name} is NOT NULL, and nothing fills it"
            raise ProgrammingError(text, statement.target.span, "name it in the list of columns, and give it a value")
        if given is None:
            expressions.append(Constant(column.type, None))
        elif not assignable(given.type, column.type):
            hint = f"CAST({given.name} AS {column.type})" if castable(given.type, column.type) else None
            hint = f"name a field of the record: {given.name}.FIELD" if given.type.kind is Kind.ROW else hint
            text = f"column {column.name} of {target.name} is {column.type}, the query gives {given.type}"
            raise ProgrammingError(text, span, hint)
        else:
            expressions.append(convert(given, column.type))
    rowtime = found.get(ROWTIME)
    if rowtime is not None and rowtime.type.family is not Family.TIMESTAMP:
        raise ProgrammingError(f"ROWTIME is a TIMESTAMP, the query gives {rowtime.type}", span)
    if source.is_stream and rowtime is None:
        project = nodes.Project(target.schema, source.plan, (ROWTIME_COLUMN, *expressions))
        return nodes.Insert(target.schema, project, target.name, target.table)
    if source.is_stream:
        raise not_supported("INSERT with ROWTIME from a stream", span, "SELECT STREAM expr AS ROWTIME, ...")
    fields = tuple(columns) if rowtime is None else target.schema.fields
    wanted = expressions if rowtime is None else [rowtime, *expressions]
    project = nodes.Project(Schema(fields), source.plan, tuple(wanted))
    return nodes.Insert(project.schema, project, target.name, target.table)


def _count_hint(kind: str, fields: Sequence[Field], given: Sequence[Field]) -> str:
    if len(given) < len(fields):
        missing = ", ".join(f.name for f in fields[len(given) :])
        return f"nothing for {missing}; name the columns that are filled: INSERT INTO {kind} (column, ...)"
    return f"columns of the {kind}: {', '.join(f.name for f in fields)}"
