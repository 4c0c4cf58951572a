"""The formats of files that the DDL can name: one record a format.

A table names its format by the class of a SerDe, by the word behind STORED AS, or by the class of an input format; the first
of them that is there decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from streamsql.errors import not_supported
from streamsql.statements.external_ddl import Stored, Text


class FileKind(Enum):
    """What is in the files of a table."""

    PARQUET = "PARQUET"
    ORC = "ORC"
    JSON = "JSON"
    DELIMITED = "TEXTFILE"
    CSV = "CSV"


SPECTRUM_WORDS = {**{kind: kind.value for kind in FileKind}, FileKind.DELIMITED: "TEXT"}
"""How Redshift's plans and system tables call them."""


@dataclass(frozen=True, slots=True)
class FormatRecord:
    """How a format can be named: words behind STORED AS, and classes of Hadoop without their packages."""

    kind: FileKind
    words: tuple[str, ...] = ()
    serdes: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()


FORMATS = (
    FormatRecord(
        FileKind.PARQUET,
        words=("PARQUET", "PARQUETFILE"),
        serdes=("ParquetHiveSerDe",),
        inputs=("MapredParquetInputFormat", "DeprecatedParquetInputFormat"),
    ),
    FormatRecord(FileKind.ORC, words=("ORC", "ORCFILE"), serdes=("OrcSerde",), inputs=("OrcInputFormat",)),
    FormatRecord(FileKind.JSON, words=("JSON", "JSONFILE"), serdes=("JsonSerDe",)),
    FormatRecord(FileKind.CSV, serdes=("OpenCSVSerde",)),
    FormatRecord(
        FileKind.DELIMITED,
        words=("TEXTFILE",),
        serdes=("LazySimpleSerDe",),
        inputs=("TextInputFormat",),
    ),
)


def kind_of(stored: Stored) -> FileKind:
    """The format that a table's clauses name.  Raises NotSupportedError for one that cannot be read."""
    if stored.serde is not None:
        return _by_class(stored.serde, {name: record for record in FORMATS for name in record.serdes}, "the SerDe")
    if stored.format is not None:
        return kind_of_word(stored.format)
    if stored.input is not None:
        return _by_class(stored.input, {name: record for record in FORMATS for name in record.inputs}, "the input format")
    return FileKind.DELIMITED


def kind_of_word(word: Text) -> FileKind:
    """The format of a word behind STORED AS."""
    for record in FORMATS:
        if word.text in record.words:
            return record.kind
    raise not_supported(f"files of the format {word.text}", word.span, _known([w for r in FORMATS for w in r.words]))


def _by_class(name: Text, records: dict[str, FormatRecord], what: str) -> FileKind:
    record = records.get(name.text.rpartition(".")[2])
    if record is None:
        raise not_supported(f"{what} {name.text}", name.span, _known(list(records)))
    return record.kind


def _known(names: list[str]) -> str:
    return f"there are {', '.join(names)}"
