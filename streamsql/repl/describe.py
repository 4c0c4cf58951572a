"""What there is, for the commands: lists as results, one thing as text."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from streamsql.bind.relations import columns_of
from streamsql.catalog import Function, Pump, Relation, Stream, Table, kind_of, nearest, unknown
from streamsql.display.names import signature_of, spelled
from streamsql.display.printers.look import Look
from streamsql.display.render import render
from streamsql.errors import ProgrammingError
from streamsql.external.ddl_text import table_text
from streamsql.external.table import ExternalTable
from streamsql.functions import library
from streamsql.functions.registry import AGGREGATES, SCALARS, TABLE_FUNCTIONS
from streamsql.types import Batch, Field, Schema, varchar

if TYPE_CHECKING:
    from streamsql.repl.access import Access

assert library  # imported for what it fills: the tables of functions

Listing = tuple[Schema, list[Batch]]
"""The columns and rows of a list."""


def listing(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Listing:
    """Texts as the rows of a result."""
    schema = Schema(tuple(Field(title, varchar()) for title in titles))
    columns = list(zip(*rows, strict=True)) or [()] * len(titles)
    batch = pa.RecordBatch.from_arrays([pa.array(column, pa.string()) for column in columns], schema=schema.arrow())
    return schema, [batch]


# -- the catalog -------------------------------------------------------------------------------------------------------


def relations(access: Access, kinds: tuple[type[Relation], ...], name: str = "") -> Listing:
    """The relations of some kinds, all or one; with what writes and reads them."""
    found = {key: r for key, r in _all_relations(access, name).items() if isinstance(r, kinds)}
    if name:
        found = _matching(name, found, " or ".join(kind.__name__.lower() for kind in kinds if kind is not ExternalTable))
    rows = []
    for relation in sorted(found.values(), key=lambda r: r.name):
        columns = ", ".join(_spelled(f.name, relation) for f in columns_of(relation, access.catalog) if not f.hidden)
        writers, readers = _writers(access, relation), _readers(access, relation)
        rows.append((relation.name, kind_of(relation), columns, ", ".join(writers), ", ".join(readers)))
    return listing(("Name", "Kind", "Columns", "Written by", "Read by"), rows)


def databases(access: Access) -> Listing:
    """The databases of external tables; the current one has a star."""
    known = access.catalog.databases
    here = known.database()
    rows = [(d.name, "*" * (d is here), f"{len(d.tables):,}", d.location or "", d.comment or "") for d in known]
    return listing(("Name", "Current", "Tables", "Location", "Comment"), sorted(rows))


def pumps(access: Access, name: str = "") -> Listing:
    """The pumps, all or one, and whether they run."""
    found = dict(access.catalog.pumps)
    if name:
        found = _matching(name, found, "pump")
    rows = [(pump.name, _state(access, pump), ", ".join(sorted(pump.reads)), pump.target) for pump in found.values()]
    return listing(("Pump", "State", "Reads", "Writes"), rows)


def described(access: Access, name: str) -> str:
    """All about the relations and pumps of a name."""
    relations = _all_relations(access, name)
    known: dict[str, Relation | Pump] = {**access.catalog.pumps, **relations}
    found = _named(name, known, "stream, table, view or pump")
    parts = []
    relation = found if isinstance(found, ExternalTable) else relations.get(found.name)
    pump = access.catalog.pumps.get(found.name)
    if relation is not None:
        parts.append(_relation(access, relation))
    if pump is not None:
        parts.append(_pump(access, pump))
    return "\n\n".join(parts)


def _relation(access: Access, relation: Relation) -> str:
    columns = columns_of(relation, access.catalog)
    rows = [(_spelled(f.name, relation), str(f.type), "" if f.nullable else "not null") for f in columns]
    table = render(*listing(("Column", "Type", "Null"), rows), Look(footer=False))
    lines = [f"{kind_of(relation)} {relation.name}", table.rstrip("\n")]
    for verb, names in (("written by", _writers(access, relation)), ("read by", _readers(access, relation))):
        if names:
            lines.append(f"{verb} {', '.join(names)}")
    return "\n".join([*lines, *_statement(relation)])


def _pump(access: Access, pump: Pump) -> str:
    first = f"pump {pump.name}: {_state(access, pump)}, reads {', '.join(sorted(pump.reads))}, writes {pump.target}"
    return "\n".join([first, *_statement(pump)])


def _spelled(column: str, relation: Relation) -> str:
    return spelled(column, any_case=isinstance(relation, (Table, ExternalTable)))


def _statement(thing: Relation | Pump | Function) -> list[str]:
    """The statement that made something, where one did."""
    if isinstance(thing, ExternalTable):
        return ["", f"{table_text(thing)};"]
    statement = getattr(thing, "statement", None)
    return ["", f"{statement.text};"] if statement is not None else []


def statements(access: Access, name: str = "") -> str:
    """The statements that made everything, or the things of one name."""
    functions = [function for overloads in dict(access.catalog.functions).values() for function in overloads]
    relations, pumps = access.catalog.unqualified(), dict(access.catalog.pumps)
    known: list[Relation | Pump | Function] = [*functions, *relations.values(), *pumps.values()]
    if name:
        named = {**{function.name: function for function in functions}, **pumps, **relations}
        found = _named(name, named, "stream, table, view, pump or function")
        known = [thing for thing in known if thing.name == found.name]
    return "\n\n".join(line for thing in known for line in _statement(thing) if line)


def is_pattern(name: str) -> bool:
    """Whether a name stands for several: `*` for any characters in it, `?` for one."""
    return not name.startswith('"') and ("*" in name or "?" in name)


def _all_relations(access: Access, name: str) -> dict[str, Relation]:
    """The relations by their names, those of a database with its name in front where `name` has one."""
    database = access.catalog.databases.database(name.partition(".")[0]) if "." in name else None
    if database is None:
        return access.catalog.unqualified()
    return {f"{database.name}.{table.name}".upper(): table for table in database.tables.values()}


def _matching(name: str, known: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """What a name or a pattern stands for."""
    if not is_pattern(name):
        return {name: _named(name, known, kind)}
    found = {each: thing for each, thing in known.items() if fnmatchcase(each.upper(), name.upper())}
    if not found:
        raise ProgrammingError(f"no {kind} matches {name}")
    return found


def _named(name: str, known: Mapping[str, Any], kind: str) -> Any:
    """What has a name: between quotes exactly it, else as it is or in upper case."""
    if len(name) > 1 and name[0] == name[-1] == '"':
        wanted = [name[1:-1].replace('""', '"')]
    else:
        wanted = [name, name.upper()]
    for each in wanted:
        if each in known:
            return known[each]
    raise unknown(kind, name, known, None)


def _state(access: Access, pump: Pump) -> str:
    return "running" if pump.name in access.running else "stopped"


def _writers(access: Access, relation: Relation) -> list[str]:
    return sorted(pump.name for pump in list(access.catalog.pumps.values()) if pump.target == relation.name)


def _readers(access: Access, relation: Relation) -> list[str]:
    return sorted(pump.name for pump in list(access.catalog.pumps.values()) if relation.name in pump.reads)


# -- functions ---------------------------------------------------------------------------------------------------------


def functions(access: Access, part: str = "") -> Listing:
    """The functions whose names have a part in common."""
    wanted = part.upper().strip("*")
    rows = []
    for name, signature, kind, documentation in all_functions(access):
        if wanted in name.upper():
            rows.append((signature, kind, _first_sentence(documentation)))
    if not rows:
        raise ProgrammingError(f"no function {part}", hint=nearest(part, [name for name, *_ in all_functions(access)]))
    return listing(("Function", "Kind", "What it gives"), sorted(rows))


def function(access: Access, name: str, width: int | None = None) -> str | None:
    """All about the function of exactly this name, its lines broken to fit the width."""
    wanted = name[1:-1] if name.startswith('"') else name.upper()
    found = [(signature, text) for each, signature, _, text in all_functions(access) if each == wanted]
    if not found:
        return None
    parts: dict[str, list[str]] = {}
    for signature, documentation in found:
        parts.setdefault(inspect.cleandoc(documentation), []).append(signature)
    return "\n\n".join("\n".join([*signatures, "", _indented(text, width)]).rstrip() for text, signatures in parts.items())


def all_functions(access: Access) -> Iterable[tuple[str, str, str, str]]:
    """Name, signature, kind and documentation of every function: of the application's, its statement."""
    for name, overloads in dict(access.catalog.functions).items():
        for defined in overloads:
            yield name, signature_of(defined), "application", f"{defined.statement.text};"
    for name, scalars in SCALARS.items():
        for scalar in scalars:
            yield name, scalar.signature.text, scalar.category, scalar.documentation
    for name, aggregates in AGGREGATES.items():
        for aggregate in aggregates:
            kind = "aggregate" if aggregate.accumulator is not None else "analytic"
            yield name, aggregate.signature.text, kind, aggregate.documentation
    for name, table in TABLE_FUNCTIONS.items():
        yield name, f"TABLE({name}(CURSOR(...), {', '.join(table.parameters)}))", "table", table.documentation


def _first_sentence(documentation: str) -> str:
    return " ".join(documentation.strip().partition("\n\n")[0].split())


def _indented(text: str, width: int | None) -> str:
    lines = [textwrap.wrap(line, (width or 10_000) - 2) or [""] for line in text.splitlines()]
    return "\n".join(f"  {line}".rstrip() for broken in lines for line in broken)


def attached(access: Access) -> Listing:
    """The inputs and outputs."""
    rows = [(each.name, each.kind, each.uri, each.state, f"{each.rows:,}") for each in access.attached]
    return listing(("Name", "Kind", "Where", "State", "Rows"), rows)


# -- what happens ------------------------------------------------------------------------------------------------------


def errors(access: Access, count: int) -> Listing:
    """The last rows of `error_stream`, oldest first; DATA_ROW as the text that it is."""
    rows = [
        (str(row["ERROR_TIME"]), row["PUMP_NAME"], row["ERROR_NAME"], row["MESSAGE"], _data(row["DATA_ROW"]))
        for row in access.last_errors(count)
    ]
    return listing(("Time", "Pump", "Error", "Message", "Row"), rows)


def _data(hexadecimal: str) -> str:
    try:
        return bytes.fromhex(hexadecimal).decode("utf-8", "replace")
    except ValueError:
        return hexadecimal


def status(access: Access) -> str:
    """Where one is, and how it goes."""
    catalog = access.catalog
    streams = sum(isinstance(r, Stream) for r in dict(catalog.relations).values())
    return (
        f"version   StreamSQL {version('streamsql')}\n"
        f"database  {access.database or 'in memory'}\n"
        f"streams   {streams:,}, pumps {len(access.running):,} running of {len(catalog.pumps):,}\n"
        f"rows in   {access.rows_in:,}, errors {access.errors:,}"
    )
