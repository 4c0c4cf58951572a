"""The tables that CREATE TABLE AS declares: the columns of a query, with what the clauses say of the files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streamsql.errors import ProgrammingError, Span, not_supported
from streamsql.external.formats import FileKind, kind_of, kind_of_word
from streamsql.external.partitions import Partitions
from streamsql.external.table import Column, ExternalTable, check_names, checked_location, prefix
from streamsql.external.types import declared_type, sql_type
from streamsql.statements.external_ddl import HiveColumn, Stored, Text
from streamsql.statements.external_dml import CreateExternalTableAs, CreateTableAs, WithProperty
from streamsql.statements.statement import Identifier
from streamsql.types import Field

COMPRESSIONS = {"write_compression": "write.compression", "parquet_compression": "parquet.compression"}
"""The properties of CTAS that set a compression, and those of the table that keep it."""

_KNOWN = (
    "format",
    "external_location",
    "partitioned_by",
    "field_delimiter",
    *COMPRESSIONS,
    "compression_level",
    "bucketed_by",
    "bucket_count",
    "is_external",
    "table_type",
)

Texts = Mapping[str, Text]


class WithClause:
    """The properties of a WITH clause, each once.  Raises ProgrammingError for one that is not among `known`."""

    def __init__(self, properties: Sequence[WithProperty], known: Sequence[str]) -> None:
        self._given: dict[str, WithProperty] = {}
        for each in properties:
            name = each.name.lower()
            if name not in known:
                raise ProgrammingError(f"no property {each.name}", each.span, f"there are {', '.join(known)}")
            if name in self._given:
                raise ProgrammingError(f"property {name} is said twice", each.span)
            self._given[name] = each

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def span(self, name: str) -> Span:
        """Where a property stands that is there."""
        return self._given[name].span

    def text(self, name: str) -> Text | None:
        """A value that is no list."""
        each = self._given.get(name)
        if each is None:
            return None
        if isinstance(each.value, Text):
            return each.value
        raise ProgrammingError(f"property {name} is a text, not a list", each.span)

    def names(self, name: str) -> tuple[Identifier, ...]:
        """The names in a list; none where it is not said."""
        each = self._given.get(name)
        if each is None:
            return ()
        if isinstance(each.value, Text):
            raise ProgrammingError(f"property {name} is a list", each.span, f"{name} = ARRAY['{each.value.text}']")
        return tuple(Identifier(text.text, True, text.span) for text in each.value)


def stored_of(clause: WithClause, default: str | None) -> tuple[Stored, dict[str, str]]:
    """How files are stored by the properties `format` and `field_delimiter`, and the table properties of their compression."""
    word = clause.text("format") or (Text(default) if default is not None else None)
    if word is None:
        raise ProgrammingError("the format of the files is not said", hint="WITH (format = 'PARQUET')")
    kind = kind_of_word(Text(word.text.upper(), word.span))
    if kind is FileKind.ORC:
        raise not_supported("writing ORC files", word.span, "format = 'PARQUET'")
    delimiter = clause.text("field_delimiter")
    if delimiter is not None and kind is not FileKind.DELIMITED:
        raise ProgrammingError(f"field_delimiter goes with TEXTFILE, not with {kind.value}", clause.span("field_delimiter"))
    if delimiter is not None and len(delimiter.text) != 1:
        raise ProgrammingError(f"field_delimiter is one character, not {delimiter.text!r}", delimiter.span)
    delimiters = {"FIELDS TERMINATED BY": delimiter.text} if delimiter is not None else None
    properties: dict[str, str] = {}
    for name in ("compression", *COMPRESSIONS):
        value = clause.text(name)
        if value is None:
            continue
        if properties:
            raise ProgrammingError(f"{name} and another compression are said", clause.span(name), "say write_compression alone")
        if name == "parquet_compression" and kind is not FileKind.PARQUET:
            raise ProgrammingError(f"{name} goes with PARQUET, not with {kind.value}", clause.span(name), "write_compression")
        properties[COMPRESSIONS.get(name, "write.compression")] = value.text.upper()
    level = clause.text("compression_level")
    if level is not None:
        properties["compression_level"] = level.text
    return Stored(format=Text(kind.value), delimiters=delimiters), properties


def table_as(
    statement: CreateTableAs, fields: Sequence[Field], database: str, default_location: str | None
) -> tuple[ExternalTable, list[int]]:
    """The table of Athena's statement, and where its columns, keys last, stand among those of the query.

    `default_location` is the place of the database's tables.  Raises ProgrammingError for what cannot be.
    """
    _check_type(statement.properties)
    clause = WithClause(statement.properties, _KNOWN)
    for word in ("bucketed_by", "bucket_count"):
        if word in clause:
            raise not_supported(f"buckets ({word})", clause.span(word), "partitioned_by")
    stored, properties = stored_of(clause, "PARQUET")
    location, name = clause.text("external_location"), statement.name.last
    if location is None and default_location is None:
        hint = f"WITH (external_location = 's3://bucket/{name.text}/'), or give the database a LOCATION"
        raise ProgrammingError(
            f"no place for the files of table {name.text}: database {database} has no LOCATION", name.span, hint
        )
    if location is None:
        location = Text(f"{prefix(default_location or '')}{name.text.lower()}/")
    keys = clause.names("partitioned_by")
    order = _last(fields, keys, name.text)
    table = _table(database, name.text, [fields[i] for i in order], len(keys), location, stored, properties, None)
    return table, order


def _check_type(properties: Sequence[WithProperty]) -> None:
    """Refuse tables of other types, which have properties of their own."""
    for each in properties:
        if each.name.lower() == "table_type" and isinstance(each.value, Text) and each.value.text.upper() != "HIVE":
            raise not_supported(f"tables of the type {each.value.text}", each.span, "table_type = 'HIVE'")


def external_table_as(
    statement: CreateExternalTableAs, fields: Sequence[Field], database: str
) -> tuple[ExternalTable, list[int]]:
    """The same of Redshift's statement, whose keys stand anywhere in the query."""
    order = keys_last(fields, statement.partitioned_by)
    table = _table(
        database,
        statement.name.last.text,
        [fields[i] for i in order],
        len(statement.partitioned_by),
        statement.location,
        statement.stored,
        statement.properties,
        statement.comment,
    )
    return table, order


def _table(
    database: str,
    name: str,
    fields: Sequence[Field],
    keys: int,
    location: Text,
    stored: Stored,
    properties: Mapping[str, str],
    comment: str | None,
) -> ExternalTable:
    columns = columns_as(fields)
    data, own = columns[: len(columns) - keys], columns[len(columns) - keys :]
    check_names(data, own)
    for key in own:
        if key.field.type.is_nested:
            raise ProgrammingError(f"a partition column cannot be {key.field.type}: {key.name}")
    partitions = Partitions.none([key.field for key in own])
    place = checked_location(location)
    return ExternalTable(database, name, data, own, place, stored, kind_of(stored), partitions, dict(properties), comment)


def columns_as(fields: Sequence[Field]) -> tuple[Column, ...]:
    """The columns of a query as those of a table: their names in lower case, as the services have them.

    Raises ProgrammingError for a column that has no name or a type that tables do not have.
    """
    columns: list[Column] = []
    for position, field in enumerate(fields, 1):
        if field.name.startswith("EXPR$"):
            text = f"MISSING_COLUMN_NAME: Column name not specified at position {position}"
            raise ProgrammingError(text, hint="give it a name: expression AS name")
        declared = declared_type(field.type)
        if declared is None:
            text = f"NOT_SUPPORTED: column {field.name.lower()} is {field.type}, which tables do not have"
            raise ProgrammingError(text, hint=f"CAST({field.name} AS VARCHAR)")
        name = field.name.lower()
        columns.append(Column(HiveColumn(Identifier(name, True), declared), Field(name, sql_type(declared))))
    return tuple(columns)


def keys_last(fields: Sequence[Field], keys: Sequence[Identifier]) -> list[int]:
    """The places of the columns, those of the partition keys last, in their order."""
    names = [field.name.lower() for field in fields]
    for key in keys:
        if key.text.lower() not in names:
            text = f"partition column {key.text} is no column of the query"
            raise ProgrammingError(text, key.span, f"they are {', '.join(names)}")
    places = [names.index(key.text.lower()) for key in keys]
    if len(set(places)) != len(places):
        raise ProgrammingError("a partition column stands twice", keys[0].span)
    if keys and len(places) == len(names):
        raise ProgrammingError("INVALID_TABLE_PROPERTY: Table contains only partition columns", keys[0].span)
    return [i for i in range(len(names)) if i not in places] + places


def _last(fields: Sequence[Field], keys: Sequence[Identifier], table: str) -> list[int]:
    order = keys_last(fields, keys)
    if order != sorted(order):
        listed = ", ".join(key.text for key in keys)
        text = "HIVE_COLUMN_ORDER_MISMATCH: Partition keys must be the last columns in the table and in the same order as the "
        raise ProgrammingError(f"{text}table properties: [{listed}]", keys[0].span, f"SELECT ..., {listed} FROM ...")
    return order
