"""Words that the streams' dialect reserves and Athena and Redshift do not: names in queries over tables.

A text does not say whether its query reads tables alone.  So the parser takes these words for names where a name must stand,
and notes in the trees which names they are; `bind/reads.py` raises the error where a stream is read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import fields

from lark import Token
from sqlglot import exp

from streamsql.errors import Span
from streamsql.sql.lexer import span_of
from streamsql.sql.syntax_errors import Place, reserved_name
from streamsql.statements.statement import Statement

NAME = "NON_RESERVED"
"""The terminal that such a word becomes: one that the rules take for a name, and that no keyword is."""

_RESERVED_EVERYWHERE = frozenset(
    """
    ALTER AND AS BETWEEN BY CASE CAST CONSTRAINT CREATE CROSS CUBE CURRENT_CATALOG CURRENT_DATE CURRENT_PATH CURRENT_SCHEMA
    CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DEALLOCATE DELETE DESCRIBE DISTINCT DROP ELSE END ESCAPE EXCEPT EXECUTE
    EXISTS EXPLAIN EXTRACT FALSE FETCH FOR FROM FULL GROUP GROUPING HAVING IN INNER INSERT INTERSECT INTO IS JOIN LEFT LIKE
    LIMIT LOCALTIME LOCALTIMESTAMP NATURAL NORMALIZE NOT NULL OF ON OR ORDER OUTER OVER PARTITION PREPARE RANGE RECURSIVE
    RIGHT ROLLUP ROWS SELECT SET SIMILAR STREAM TABLE THEN TO TRIM TRUE UESCAPE UNION UNNEST USING VALUES WHEN WHERE WINDOW
    WITH WITHIN
    """.split()  # noqa: SIM905 - a list would take a line a word
)
"""Athena's reserved words in queries, and those whose absence another word's place would hide."""


def taken_for_name(place: Place) -> Token | None:
    """The word to take for a name where a statement went wrong at a place."""
    word = reserved_name(place)
    return None if word is None or word.upper() in _RESERVED_EVERYWHERE else word


def note(statement: Statement, words: Collection[Token]) -> bool:
    """Note in the queries of a statement which names are reserved words; False where one of them is not within a query."""
    left = {span_of(word) for word in words}
    for tree in _trees(statement):
        for name in tree.find_all(exp.Identifier):
            if name.meta.get("span") in left:
                left.discard(name.meta["span"])
                name.meta["reserved"] = True
    return not left


def reserved_words(tree: exp.Expression) -> Iterator[tuple[str, Span]]:
    """The names in a query that are reserved words."""
    return ((name.name, name.meta["span"]) for name in tree.find_all(exp.Identifier) if name.meta.get("reserved"))


def _trees(statement: Statement) -> Iterator[exp.Expression]:
    """The queries of a statement, those of the statements in it included."""
    for field in fields(statement):
        value = getattr(statement, field.name)
        if isinstance(value, exp.Expression):
            yield value
        elif isinstance(value, Statement):
            yield from _trees(value)
