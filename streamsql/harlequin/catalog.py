"""The catalog as Harlequin shows it: streams, tables and views with their columns, and the pumps; what can be completed."""

from __future__ import annotations

from harlequin.autocomplete.completion import HarlequinCompletion
from harlequin.catalog import CatalogItem

from streamsql.bind.relations import columns_of
from streamsql.catalog import Pump, Relation, kind_of
from streamsql.display.completion import functions
from streamsql.display.names import spelled
from streamsql.engine.engine import Engine
from streamsql.sql import tables
from streamsql.types import Field, Kind

SHORT = {
    Kind.BOOLEAN.value: "t/f",
    Kind.TINYINT.value: "#",
    Kind.SMALLINT.value: "#",
    Kind.INTEGER.value: "#",
    Kind.BIGINT.value: "##",
    Kind.DECIMAL.value: "#.#",
    Kind.REAL.value: "#.#",
    Kind.DOUBLE.value: "#.#",
    Kind.CHAR.value: "s",
    Kind.VARCHAR.value: "s",
    Kind.BINARY.value: "b",
    Kind.VARBINARY.value: "b",
    Kind.DATE.value: "d",
    Kind.TIME.value: "t",
    Kind.TIMESTAMP.value: "ts",
    Kind.DAY_TIME.value: "|-|",
    Kind.YEAR_MONTH.value: "|-|",
}
"""The names of types in three characters."""

_KINDS = {"stream": "st", "table": "t", "view": "v", "external table": "xt"}


def items_of(engine: Engine) -> list[CatalogItem]:
    """Streams, tables and views by name, then the pumps."""
    relations = sorted(engine.catalog.unqualified().values(), key=lambda relation: relation.name.upper())
    pumps = [_pump(engine, pump) for pump in engine.catalog.pumps.values()]
    return [*(_relation(engine, relation) for relation in relations), *pumps]


def completions_of(engine: Engine) -> list[HarlequinCompletion]:
    """The functions and keywords of the dialect; Harlequin completes the names of the catalog by itself."""
    called = [
        HarlequinCompletion(label=each.text.rstrip("("), type_label="fn", value=each.text.rstrip("("), priority=1000)
        for each in functions(engine.catalog)
    ]
    words = sorted(word for word, kind in tables.scanner().lists.items() if kind != "RESERVED_FUNCTION" and word.isalpha())
    keywords = [HarlequinCompletion(label=word.lower(), type_label="kw", value=word.lower(), priority=100) for word in words]
    return [*keywords, *called]


def _relation(engine: Engine, relation: Relation) -> CatalogItem:
    kind = kind_of(relation)
    name = spelled(relation.name, any_case=kind in ("table", "external table"))
    columns = [_column(name, field) for field in columns_of(relation, engine.catalog)]
    return CatalogItem(name, name, relation.name, _KINDS[kind], columns, kind.upper())


def _column(relation: str, field: Field) -> CatalogItem:
    name = spelled(field.name)
    return CatalogItem(f"{relation}.{name}", name, field.name, SHORT.get(field.type.kind.value, "?"), type_name=str(field.type))


def _pump(engine: Engine, pump: Pump) -> CatalogItem:
    name = spelled(pump.name)
    state = "PUMP" if engine.pumps.runs(pump.name) else "PUMP (STOPPED)"
    return CatalogItem(f"pump {name}", name, pump.name, "p", type_name=state)
