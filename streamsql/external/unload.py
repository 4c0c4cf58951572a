"""What UNLOAD writes: the files of Athena's statement, and those of Redshift's, whose place is a prefix of their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from streamsql.errors import ProgrammingError, Span, not_supported
from streamsql.external.create_as import WithClause, columns_as, keys_last, stored_of
from streamsql.external.formats import kind_of
from streamsql.external.partitions import Partitions
from streamsql.external.table import Column, ExternalTable, check_names, checked_location, prefix
from streamsql.external.write.delimited import ALL, NEEDED, Style
from streamsql.external.write.forms import FileForm, delimited_form, json_form, parquet_form
from streamsql.external.write.limits import MEGABYTE, Limits
from streamsql.external.write.places import folders
from streamsql.external.write.target import Target, target_of
from streamsql.statements.external_ddl import Stored, Text
from streamsql.statements.external_dml import RedshiftUnload, Unload, UnloadOption
from streamsql.statements.statement import Identifier
from streamsql.time import Time
from streamsql.types import Field

_ATHENA = ("format", "compression", "compression_level", "field_delimiter", "partitioned_by")

_GREATEST = round(6.2 * 1024) * MEGABYTE
"""Redshift's limit of the size of a file."""


@dataclass(frozen=True, slots=True)
class Unloading:
    """A target, where the columns of the target stand among those of the query, and the table that the files would make.

    `table` is None where every row can be written.  `folder` is where there may be files already; those whose names begin with
    `beginning` are of this place.
    """

    target: Target
    order: list[int]
    table: ExternalTable | None
    folder: str
    beginning: str = ""


def athena_unload(statement: Unload, fields: Sequence[Field], name: str, now: Callable[[], Time]) -> Unloading:
    """Raises ProgrammingError for what cannot be."""
    clause = WithClause(statement.properties, _ATHENA)
    stored, properties = stored_of(clause, None)
    keys = clause.names("partitioned_by")
    order = keys_last(fields, keys)
    if order != sorted(order):
        listed = ", ".join(key.text for key in keys)
        text = f"Partition keys must be the last columns in the table and in the same order as the table properties: [{listed}]"
        raise ProgrammingError(f"HIVE_COLUMN_ORDER_MISMATCH: {text}", keys[0].span, f"SELECT ..., {listed} FROM ...")
    columns = columns_as([fields[i] for i in order])
    table = _table(columns, len(keys), prefix(checked_location(statement.location)), stored, properties)
    return Unloading(target_of(table, name, now), order, table, table.location)


def _table(columns: Sequence[Column], keys: int, location: str, stored: Stored, properties: Mapping[str, str]) -> ExternalTable:
    """A table that nobody knows."""
    data, own = tuple(columns[: len(columns) - keys]), tuple(columns[len(columns) - keys :])
    check_names(data, own)
    partitions = Partitions.none([key.field for key in own])
    return ExternalTable("", "UNLOAD", data, own, location, stored, kind_of(stored), partitions, dict(properties))


# -- Redshift ----------------------------------------------------------------------------------------------------------

_NOT_CARRIED_OUT = ("FIXEDWIDTH", "ENCRYPTED", "KMS_KEY_ID", "MASTER_SYMMETRIC_KEY")

_TEXT_ONLY = ("DELIMITER", "ADDQUOTES", "ESCAPE", "NULL", "HEADER")


class _Options:
    """The options of a statement."""

    def __init__(self, given: Mapping[str, UnloadOption]) -> None:
        self._given = given

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def span(self, name: str) -> Span:
        return self._given[name].span

    def text(self, name: str, default: str) -> str:
        """The first value of an option."""
        found = self._given.get(name)
        return default if found is None or not found.values else _text(found.values[0])

    def words(self, name: str) -> list[str]:
        """All of its values."""
        return [_text(value) for value in self._given[name].values] if name in self._given else []

    def names(self, name: str) -> list[Identifier]:
        """Those that are names."""
        return [v for v in self._given[name].values if isinstance(v, Identifier)] if name in self._given else []

    def exclude(self, one: str, others: Sequence[str]) -> None:
        """Raise ProgrammingError where an option stands beside one that it cannot go with."""
        for other in others:
            if other in self._given:
                raise ProgrammingError(f"{other} cannot go with {one}", self.span(other))


def redshift_unload(statement: RedshiftUnload, fields: Sequence[Field]) -> Unloading:
    """Raises ProgrammingError for options that cannot be or do not go together, NotSupportedError for those not carried out."""
    options = _Options(statement.options)
    for name in _NOT_CARRIED_OUT:
        if name in options:
            raise not_supported(f"UNLOAD with {name}", options.span(name))
    if "ALLOWOVERWRITE" in options:
        options.exclude("ALLOWOVERWRITE", ["CLEANPATH"])
    keys = options.names("PARTITION")
    order = keys_last(fields, keys)
    columns = columns_as([fields[i] for i in order])
    check_names(columns, ())
    count = len(columns) - len(keys)
    includes = any(word == "INCLUDE" for word in options.words("PARTITION")[len(keys) :])
    written = tuple(range(len(columns) if includes else count))
    form, style = _form(options, [columns[i].field for i in written])
    location = checked_location(statement.location)
    location = prefix(location) if keys else location
    folder, _, beginning = location.rpartition("/")
    target = Target(
        tuple(column.field for column in columns),
        written,
        tuple(range(count, len(columns))),
        folders(f"{folder}/", [key.text.lower() for key in keys]),
        form,
        Limits(bytes=_size(options)),
        _names(beginning, "OFF" in [word.upper() for word in options.words("PARALLEL")]),
    )
    table = None
    if style is not None and style.quoted is None:
        delimiters = {"FIELDS TERMINATED BY": style.delimiter, "NULL DEFINED AS": style.null}
        delimiters |= {"ESCAPED BY": style.escape} if style.escape else {}
        table = _table(columns, len(keys), f"{folder}/", Stored(delimiters=delimiters), {})
    return Unloading(target, order, table, f"{folder}/", beginning)


def _names(beginning: str, serial: bool) -> Callable[[int, int], str]:
    """Names of files: a slice, of which there is one, and a part; without slices where parts follow each other."""
    if serial:
        return lambda _row, number: f"{beginning}{number:03d}"
    return lambda _row, number: f"{beginning}0000_part_{number:02d}"


def _form(options: _Options, fields: Sequence[Field]) -> tuple[FileForm, Style | None]:
    """How files are written, and their style where they are text."""
    format_ = options.text("FORMAT", "TEXT").upper()
    compression = options.text("COMPRESSION", "NONE").upper()
    if format_ == "PARQUET":
        options.exclude("PARQUET", [*_TEXT_ONLY, "COMPRESSION"])
        form, style = parquet_form(fields, "SNAPPY"), None
    elif format_ == "JSON":
        options.exclude("JSON", _TEXT_ONLY)
        form, style = json_form(fields, compression), None
        form = replace(form, ending=form.ending.removeprefix(".json"))
    else:
        if format_ == "CSV":
            options.exclude("CSV", ["ADDQUOTES"])
        style = _style(options, format_)
        form = delimited_form(fields, style, compression, ending="")
    if "EXTENSION" in options:
        form = replace(form, ending="." + options.text("EXTENSION", "").removeprefix("."))
    return form, style


def _style(options: _Options, format_: str) -> Style:
    delimiter = options.text("DELIMITER", "," if format_ == "CSV" else "|")
    if len(delimiter) != 1:
        raise ProgrammingError(f"a delimiter is one character, not {delimiter!r}", options.span("DELIMITER"))
    quoted = NEEDED.replace(",", delimiter if delimiter not in "\\]^" else f"\\{delimiter}") if format_ == "CSV" else None
    return Style(
        delimiter,
        null=options.text("NULL", ""),
        escape="\\" if "ESCAPE" in options else None,
        quoted=ALL if "ADDQUOTES" in options else quoted,
        words=("t", "f"),
        header=int("HEADER" in options),
    )


def _size(options: _Options) -> int:
    words = options.words("MAXFILESIZE")
    if not words:
        return _GREATEST
    size = round(float(words[0]) * (1024 if words[1:] == ["GB"] else 1) * MEGABYTE)
    if not 5 * MEGABYTE <= size <= _GREATEST:
        raise ProgrammingError("MAXFILESIZE is between 5 MB and 6.2 GB", options.span("MAXFILESIZE"), "MAXFILESIZE 100 MB")
    return size


def _text(value: Identifier | Text) -> str:
    return value.text
