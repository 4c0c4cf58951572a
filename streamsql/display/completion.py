"""What may come at the cursor: keywords by the grammar, names by the catalog.

The grammar says which terminals can follow the text before the cursor.  Where a name can, the words around it say of what: a
relation after FROM, a pump after ALTER PUMP, columns and functions where a value is expected.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from streamsql.bind.relations import columns_of
from streamsql.catalog import Catalog, Relation, Stream, SystemTable, Table, View, kind_of
from streamsql.display.names import signature_of, spelled
from streamsql.engine.system_tables import DEFINITIONS
from streamsql.external.table import ExternalTable
from streamsql.functions import library
from streamsql.functions.registry import AGGREGATES, SCALARS, TABLE_FUNCTIONS
from streamsql.io.servers.server import SERVERS
from streamsql.sql.parser import completions, highlight

assert library  # imported for what it fills: the tables of functions

_WORD = re.compile(r'"(?:[^"\r\n]|"")*$|[^\W\d][\w$]*$')
"""The word that the cursor ends: an open quoted name, or a plain one."""

_TERMINALS = frozenset(
    {
        "NAME",
        "QUOTED_NAME",
        "BACKTICK_NAME",
        "STRING",
        "UNICODE_STRING",
        "INTEGER_NUMBER",
        "DECIMAL_NUMBER",
        "APPROXIMATE_NUMBER",
        "QUESTION_MARK",
    }
)
_CLAUSES = frozenset(
    {"SELECT", "FROM", "JOIN", "WHERE", "GROUP", "HAVING", "ORDER", "WINDOW", "ON", "UNION", "EXCEPT", "INTERSECT"}
    | {"LIMIT", "INTO"}
)
_NOT_CALLED = frozenset({"AND", "OR", "NOT", "IN", "CASE", "LIKE", "NEGATE", "MINUS_DATETIME"})
"""Functions that are words between their arguments, or have no name of their own in SQL."""

_RELATIONS = ("stream", "table", "external table", "view", "system table")
_RANKS = ("server", "option", "column", *_RELATIONS, "pump", "database", "function", "keyword")

FEW = 40
"""Of so many relations the columns are offered before the statement names one."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A text to put in the place of the last `replaces` characters before the cursor."""

    text: str
    replaces: int
    kind: str
    detail: str = ""


class Word(NamedTuple):
    """A token of the statement: its text, its class as `highlight` names it, where it starts."""

    text: str
    kind: str
    start: int

    @property
    def name(self) -> str:
        """As the catalog keeps it."""
        return self.text[1:-1].replace('""', '"') if self.kind == "quoted_name" else self.text.upper()

    @property
    def is_name(self) -> bool:
        return self.kind in ("name", "quoted_name")


def suggestions(text: str, cursor: int, catalog: Catalog) -> list[Suggestion]:
    """What may stand at the cursor and begins with what is there of it, the likeliest first."""
    match = _WORD.search(text[:cursor])
    typed = match[0] if match else ""
    before = text[: cursor - len(typed)]
    expected = completions(before)
    words = _statement(text, cursor, len(before))
    found = [*_names(expected, words, len(before), catalog), *_keywords(expected)]
    lower = _is_lower(typed, words, len(before))
    return _fitting(found, typed, lower)


def _statement(text: str, cursor: int, start: int) -> list[Word]:
    """The tokens of the statement around the cursor, without the word that it ends."""
    words: list[Word] = []
    for begin, end, kind in highlight(text):
        if text[begin:end] == ";" and kind == "operator":
            if begin >= cursor:
                break
            words.clear()
        elif kind != "comment" and not begin <= start < end:
            words.append(Word(text[begin:end], kind, begin))
    return words


def _is_lower(typed: str, words: Sequence[Word], before: int) -> bool:
    """Whether the user writes in lower case."""
    letters = typed or next((w.text for w in reversed(words) if w.start < before and w.kind == "keyword"), "")
    return letters.islower()


def _fitting(found: Iterable[Suggestion], typed: str, lower: bool) -> list[Suggestion]:
    """Those that begin with what was typed, spelled as it is, each once."""
    quoted = typed.startswith('"')
    wanted = typed.strip('"').upper()
    kept: dict[str, Suggestion] = {}
    for suggestion in found:
        if quoted and suggestion.kind in ("keyword", "function"):
            continue
        if not suggestion.text.strip('"').upper().startswith(wanted):
            continue
        text = suggestion.text
        if quoted and not text.startswith('"'):
            text = f'"{text}"'
        elif lower and not text.startswith('"'):
            text = text.lower()
        kept.setdefault(text.rstrip("("), Suggestion(text, len(typed), suggestion.kind, suggestion.detail))
    return sorted(kept.values(), key=lambda s: (_RANKS.index(s.kind), s.text.strip('"').upper()))


def _keywords(expected: frozenset[str]) -> Iterator[Suggestion]:
    return (Suggestion(word, 0, "keyword") for word in expected - _TERMINALS if word[0].isalpha())


# -- names -------------------------------------------------------------------------------------------------------------


def _names(expected: frozenset[str], words: Sequence[Word], at: int, catalog: Catalog) -> Iterator[Suggestion]:
    """The names that fit where the grammar takes one."""
    if "NAME" not in expected:
        return
    before = [word for word in words if word.start < at]
    last = before[-1].text.upper() if before else ""
    relations = catalog.unqualified()
    first = before[0].text.upper() if before else ""
    if last == ".":
        yield from _members(before, words, relations, catalog)
    elif "NULL" in expected:
        yield from _values(words, relations, catalog)
    elif last == "INTO":
        yield from _relations(s for s in relations.values() if isinstance(s, Stream) and not s.read_only)
    elif last == "SERVER":
        yield from (Suggestion(server.name, 0, "server") for server in SERVERS.values())
    elif "OPTIONS" in (word.text.upper() for word in before):
        yield from _options(before)
    elif last in ("FROM", "JOIN") or (last == "," and _clause(before) in ("FROM", "JOIN")):
        yield from _relations(relations.values())
        if any(isinstance(relation, ExternalTable) for relation in relations.values()):
            yield from (Suggestion(definition.name, 0, "system table") for definition in DEFINITIONS)
    elif last == "(" and len(before) > 1:
        yield from _bracketed(before, catalog)
    elif last == "," and _clause(before) == "INTO":
        yield from _target_columns(before, catalog)
    elif last == "PUMP" and first != "CREATE":
        yield from (Suggestion(spelled(p.name), 0, "pump", f"writes {p.target}") for p in list(catalog.pumps.values()))
    elif last == "FUNCTION" and first == "DROP":
        yield from (Suggestion(spelled(name), 0, "function") for name in list(catalog.functions))
    elif last in ("STREAM", "VIEW") and first == "DROP":
        wanted = {"STREAM": Stream, "VIEW": View}[last]
        yield from _relations(r for r in relations.values() if isinstance(r, wanted) and not getattr(r, "read_only", False))
    elif first in ("DESC", "DESCRIBE"):
        yield from _relations(relations.values())
    elif last == "USE" or (last in ("DATABASE", "SCHEMA") and first in ("ALTER", "DROP")):
        yield from (Suggestion(spelled(d.name, any_case=True), 0, "database") for d in catalog.databases)
    elif last in ("TABLE", "PARTITIONS", "TBLPROPERTIES") and first in ("ALTER", "DROP", "MSCK", "REFRESH", "SHOW"):
        yield from _relations(r for r in relations.values() if isinstance(r, ExternalTable))


def _relations(relations: Iterable[Relation]) -> Iterator[Suggestion]:
    return (Suggestion(spelled(r.name, any_case=isinstance(r, ExternalTable)), 0, kind_of(r)) for r in relations)


def _options(before: Sequence[Word]) -> Iterator[Suggestion]:
    """What a server can be told."""
    named = next((word.name for mark, word in pairwise(before) if mark.text.upper() == "SERVER"), "")
    options = SERVERS[named].options if named in SERVERS else {}
    return (Suggestion(name, 0, "option", text) for name, text in options.items())


def _bracketed(before: Sequence[Word], catalog: Catalog) -> Iterator[Suggestion]:
    """After an opening bracket where no value can stand: a table function, or the target columns of an INSERT."""
    if before[-2].text.upper() == "TABLE":
        yield from (Suggestion(f"{f.name}(", 0, "function", ", ".join(f.parameters)) for f in TABLE_FUNCTIONS.values())
    elif _clause(before) == "INTO":
        yield from _target_columns(before, catalog)


def _target_columns(before: Sequence[Word], catalog: Catalog) -> Iterator[Suggestion]:
    """The columns of the stream that an INSERT fills, those left out that are in the list already."""
    into = max(i for i, word in enumerate(before) if word.text.upper() == "INTO")
    target = catalog.relation(before[into + 1].name) if into + 1 < len(before) else None
    if isinstance(target, Stream):
        listed = {word.name for word in before[into + 2 :] if word.is_name}
        yield from (s for s in _columns(target, catalog) if s.text.strip('"') not in listed)


def _members(
    before: Sequence[Word], words: Sequence[Word], relations: Mapping[str, Relation], catalog: Catalog
) -> Iterator[Suggestion]:
    """After `name.`: the columns of what the name stands for, or the tables of a database."""
    if len(before) > 1:
        relation = _in_scope(words, relations, catalog).get(before[-2].name)
        database = catalog.databases.database(before[-2].name)
        if relation is not None:
            yield from _columns(relation, catalog)
        elif database is not None:
            yield from _relations(database.tables.values())


def _values(words: Sequence[Word], relations: Mapping[str, Relation], catalog: Catalog) -> Iterator[Suggestion]:
    """Where a value is expected: columns of the relations in scope (of all, where none is named yet), functions."""
    scope = _in_scope(words, relations, catalog)
    offered = scope or (relations if len(relations) <= FEW else {})
    for relation in {id(r): r for r in offered.values()}.values():
        yield from _columns(relation, catalog)
    yield from (Suggestion(spelled(name), 0, kind_of(relation)) for name, relation in scope.items())
    yield from functions(catalog)


def _in_scope(words: Sequence[Word], relations: Mapping[str, Relation], catalog: Catalog) -> dict[str, Relation]:
    """The relations that a statement names, by their names and their aliases."""
    scope: dict[str, Relation] = {}
    for index, word in enumerate(words):
        relation = (relations.get(word.name) or catalog.system(catalog, word.name, None)) if word.is_name else None
        if relation is None or (index and words[index - 1].text == "."):
            continue
        scope[word.name] = relation
        after = words[index + 1 : index + 3]
        if after and after[0].text.upper() == "AS":
            after = after[1:]
        if after and after[0].is_name:
            scope[after[0].name] = relation
    return scope


def _columns(relation: Relation, catalog: Catalog) -> Iterator[Suggestion]:
    for field in columns_of(relation, catalog):
        name = spelled(field.name, any_case=isinstance(relation, (Table, ExternalTable, SystemTable)))
        yield Suggestion(name, 0, "column", f"{relation.name} {field.type}")


def _clause(before: Sequence[Word]) -> str:
    """The clause that the end of `before` is in, at its own depth of brackets or outside of them."""
    depth = 0
    for word in reversed(before):
        if word.text == ")":
            depth += 1
        elif word.text == "(":
            depth -= 1
        elif depth <= 0 and word.text.upper() in _CLAUSES:
            return word.text.upper()
    return ""


def functions(catalog: Catalog) -> Iterator[Suggestion]:
    """The functions that are called by a name, with their signatures; those of the application first."""
    for name, overloads in dict(catalog.functions).items():
        yield Suggestion(f"{spelled(name)}(", 0, "function", signature_of(overloads[0]))
    signatures = {name: records[0].signature for name, records in SCALARS.items()}
    signatures |= {name: records[0].signature for name, records in AGGREGATES.items()}
    for name, signature in signatures.items():
        if name.replace("_", "").isalnum() and name not in _NOT_CALLED:
            yield Suggestion(f"{name}(" if signature.parameters else name, 0, "function", signature.text)
