"""The statements that make databases and tables again: SHOW CREATE TABLE, and what a database keeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from streamsql.external.databases import Database
from streamsql.external.partitions import LOCATION, NULL_VALUE
from streamsql.external.table import Column, ExternalTable
from streamsql.io.texts import value_texts
from streamsql.sql.hive_text import escaped
from streamsql.statements.external_ddl import CreateExternalSchema, Properties, Stored


def database_text(database: Database) -> str:
    """CREATE DATABASE."""
    clauses = [f"CREATE DATABASE IF NOT EXISTS {_name(database.name)}"]
    clauses += _said("COMMENT", database.comment) + _said("LOCATION", database.location)
    clauses += _listed("WITH DBPROPERTIES", database.properties)
    return "\n".join(clauses)


def schema_text(schema: CreateExternalSchema) -> str:
    """CREATE EXTERNAL SCHEMA."""
    clauses = [f"CREATE EXTERNAL SCHEMA IF NOT EXISTS {_name(schema.name.last.text)}", f"FROM {schema.source}"]
    clauses += _said("DATABASE", schema.database.text if schema.database is not None else None)
    for word, text in schema.options.items():
        clauses.append(f"{word} {text if word == 'PORT' else escaped(text)}")
    return "\n".join([*clauses, "CREATE EXTERNAL DATABASE IF NOT EXISTS"])


def table_text(table: ExternalTable) -> str:
    """CREATE EXTERNAL TABLE, with the name of its database."""
    name = f"{_name(table.database)}.{_name(table.name)}"
    clauses = [f"CREATE EXTERNAL TABLE {name} (", ",\n".join(_columns(table.columns)), ")"]
    clauses += _said("COMMENT", table.comment)
    if table.keys:
        clauses += ["PARTITIONED BY (", ",\n".join(_columns(table.keys)), ")"]
    if table.bucketing is not None:
        listed = ", ".join(_name(column.text) for column in table.bucketing.columns)
        ordered = ", ".join(_name(column.text) for column in table.bucketing.sorted_by)
        order = f" SORTED BY ({ordered})" if ordered else ""
        clauses.append(f"CLUSTERED BY ({listed}){order} INTO {table.bucketing.count} BUCKETS")
    clauses += _stored(table.stored) + _said("LOCATION", table.location) + _listed("TBLPROPERTIES", table.properties)
    return "\n".join(clauses)


def partition_texts(table: ExternalTable) -> Iterator[str]:
    """ALTER TABLE ADD PARTITION for each partition that is registered."""
    name = f"{_name(table.database)}.{_name(table.name)}"
    fields, rows = table.partitions.fields, table.partitions.rows
    texts = [value_texts(rows[field.name].combine_chunks(), field.type).to_pylist() for field in fields]
    for values, location in zip(zip(*texts, strict=True), rows[LOCATION].to_pylist(), strict=True):
        pairs = zip(fields, values, strict=True)
        spec = ", ".join(f"{_name(f.name)}={escaped(NULL_VALUE if text is None else text)}" for f, text in pairs)
        yield f"ALTER TABLE {name} ADD IF NOT EXISTS PARTITION ({spec}) LOCATION {escaped(location)}"


def _columns(columns: Iterable[Column]) -> list[str]:
    return ["  " + " ".join([_name(c.name), str(c.declared.type), *_said("COMMENT", c.declared.comment)]) for c in columns]


def _stored(stored: Stored) -> list[str]:
    clauses: list[str] = []
    if stored.delimiters is not None:
        clauses.append("ROW FORMAT DELIMITED")
        clauses += [f"  {what} {escaped(text)}" for what, text in stored.delimiters.items()]
    if stored.serde is not None:
        clauses.append(f"ROW FORMAT SERDE {escaped(stored.serde.text)}")
    clauses += _listed("WITH SERDEPROPERTIES", stored.serde_properties)
    if stored.format is not None:
        clauses.append(f"STORED AS {stored.format.text}")
    if stored.input is not None:
        clauses.append(f"STORED AS INPUTFORMAT {escaped(stored.input.text)}")
        clauses += _said("OUTPUTFORMAT", stored.output.text if stored.output is not None else None)
    return clauses


def _said(word: str, text: str | None) -> list[str]:
    return [] if text is None else [f"{word} {escaped(text)}"]


def _listed(words: str, properties: Properties) -> list[str]:
    if not properties:
        return []
    pairs = ",\n".join(f"  {escaped(key)}={escaped(value)}" for key, value in properties.items())
    return [f"{words} (\n{pairs}\n)"]


def _name(name: str) -> str:
    return f"`{name}`" if "`" not in name else '"' + name.replace('"', '\\"') + '"'
