"""What tells fields apart in the text files of a table, as its clauses and properties give it: for who reads and who writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from streamsql.external.table import ExternalTable

NULL = "serialization.null.format"
"""The property that says how NULL is written: of the SerDe or, as Redshift has it, of the table."""


@dataclass(frozen=True, slots=True)
class Signs:
    """The character between fields, the one in front of characters that are none, NULL, and the lines at the head of a file."""

    field: str
    escape: str | None
    null: str
    header: int


def signs_of(table: ExternalTable) -> Signs:
    """Those of a table of LazySimpleSerDe."""
    given, serde, own = table.stored.delimiters or {}, _lower(table.stored.serde_properties), _lower(table.properties)
    return Signs(
        field=given.get("FIELDS TERMINATED BY", serde.get("field.delim", "\x01"))[:1],
        escape=given.get("ESCAPED BY", serde.get("escape.delim", ""))[:1] or None,
        null=given.get("NULL DEFINED AS", serde.get(NULL, own.get(NULL, "\\N"))),
        header=header_lines(table),
    )


def header_lines(table: ExternalTable) -> int:
    """The lines at the head of each file that are no rows."""
    text = _lower(table.properties).get("skip.header.line.count", "0").strip()
    return int(text) if text.isdigit() else 0


def _lower(properties: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in properties.items()}
