"""The predicates of periods: `(start, end) OVERLAPS (start, end)`.

A period holds the instants from its start up to its end, which is not in it.  `[PERIOD] (s, e)` is given as two arguments.
What the reference defines by pictures alone ([X]) follows its words: LEADS, begins before; LAGS, ends after; STRICTLY, the two
neither begin nor end together; IMMEDIATELY, they meet, or end (LEADS) or begin (LAGS) together.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.functions.registry import scalar
from streamsql.rows import Datum, Rows

PREDICATES: set[str] = set()
"""Their names."""

_COMPARISONS: dict[str, Callable[[Datum, Datum], Datum]] = {
    "<": pc.less,
    "<=": pc.less_equal,
    "=": pc.equal,
    "<>": pc.not_equal,
    ">=": pc.greater_equal,
    ">": pc.greater,
}


def _predicate(name: str, *conditions: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Enter a predicate of periods `s` to `e` and `s2` to `e2`, or of a period and an instant `t`, with its documentation: it
    holds where all the conditions do."""
    parsed = [condition.split() for condition in conditions]
    names = ("s", "e", "t") if any("t" in words for words in parsed) else ("s", "e", "s2", "e2")

    def holds(_rows: Rows, *given: Datum) -> Datum:
        values = dict(zip(names, given, strict=True))
        known = reduce(pc.and_, map(pc.is_valid, given))
        met = reduce(pc.and_, (_COMPARISONS[symbol](values[x], values[y]) for x, symbol, y in parsed))
        return pc.if_else(known, met, pa.scalar(None, pa.bool_()))

    def enter(documented: Callable[[], None]) -> Callable[[], None]:
        holds.__doc__ = documented.__doc__
        known = " AND ".join(f"{{{n}}} IS NOT NULL" for n in names)
        met = " AND ".join(f"{{{x}}} {symbol} {{{y}}}" for x, symbol, y in parsed)
        signature = f"{name}({', '.join(f'{n}: T' for n in names)}) -> BOOLEAN"
        scalar(signature, duckdb=f"CASE WHEN {known} THEN {met} END")(holds)
        PREDICATES.add(name)
        return documented

    return enter


@_predicate("CONTAINS", "s <= s2", "e >= e2")
def contains() -> None:
    """Whether the first period holds all of the second.

    >>> (DATE '2020-01-01', DATE '2020-01-09') CONTAINS (DATE '2020-01-02', DATE '2020-01-09')
    TRUE
    >>> PERIOD (DATE '2020-01-01', DATE '2020-01-09') CONTAINS PERIOD (DATE '2020-01-02', DATE '2020-01-10')
    FALSE
    """


@_predicate("CONTAINS", "s <= t", "t < e")
def contains_instant() -> None:
    """Whether an instant lies in the period: its start does, its end does not.

    >>> (DATE '2020-01-01', DATE '2020-01-09') CONTAINS DATE '2020-01-01'
    TRUE
    >>> (DATE '2020-01-01', DATE '2020-01-09') CONTAINS DATE '2020-01-09'
    FALSE
    """


@_predicate("STRICTLY CONTAINS", "s < s2", "e > e2")
def strictly_contains() -> None:
    """Whether the first period begins before the second and ends after it.

    >>> (DATE '2020-01-01', DATE '2020-01-09') STRICTLY CONTAINS (DATE '2020-01-02', DATE '2020-01-09')
    FALSE
    """


@_predicate("STRICTLY CONTAINS", "s < t", "t < e")
def strictly_contains_instant() -> None:
    """Whether an instant lies in the period and is not its start.

    >>> (DATE '2020-01-01', DATE '2020-01-09') STRICTLY CONTAINS DATE '2020-01-01'
    FALSE
    """


@_predicate("EQUALS", "s = s2", "e = e2")
def equals() -> None:
    """Whether two periods begin and end together.

    >>> (DATE '2020-01-01', DATE '2020-01-09') EQUALS (DATE '2020-01-01', DATE '2020-01-09')
    TRUE
    """


@_predicate("OVERLAPS", "s < e2", "s2 < e")
def overlaps() -> None:
    """Whether two periods have an instant in common; those that only meet have none.

    >>> (DATE '2020-01-01', DATE '2020-01-05') OVERLAPS (DATE '2020-01-04', DATE '2020-01-09')
    TRUE
    >>> (DATE '2020-01-01', DATE '2020-01-05') OVERLAPS (DATE '2020-01-05', DATE '2020-01-09')
    FALSE
    """


@_predicate("STRICTLY OVERLAPS", "s < e2", "s2 < e", "s <> s2", "e <> e2")
def strictly_overlaps() -> None:
    """Whether two periods overlap and neither begin nor end together.

    >>> (DATE '2020-01-01', DATE '2020-01-05') STRICTLY OVERLAPS (DATE '2020-01-01', DATE '2020-01-09')
    FALSE
    """


@_predicate("PRECEDES", "e <= s2")
def precedes() -> None:
    """Whether the first period has ended when the second begins.

    >>> (DATE '2020-01-01', DATE '2020-01-05') PRECEDES (DATE '2020-01-05', DATE '2020-01-09')
    TRUE
    >>> (DATE '2020-01-01', DATE '2020-01-06') PRECEDES (DATE '2020-01-05', DATE '2020-01-09')
    FALSE
    """


@_predicate("STRICTLY PRECEDES", "e < s2")
def strictly_precedes() -> None:
    """Whether there is time between the end of the first period and the start of the second.

    >>> (DATE '2020-01-01', DATE '2020-01-05') STRICTLY PRECEDES (DATE '2020-01-05', DATE '2020-01-09')
    FALSE
    """


@_predicate("IMMEDIATELY PRECEDES", "e = s2")
def immediately_precedes() -> None:
    """Whether the first period ends where the second begins.

    >>> (DATE '2020-01-01', DATE '2020-01-05') IMMEDIATELY PRECEDES (DATE '2020-01-05', DATE '2020-01-09')
    TRUE
    """


@_predicate("SUCCEEDS", "s >= e2")
def succeeds() -> None:
    """Whether the first period begins when the second has ended.

    >>> (DATE '2020-01-05', DATE '2020-01-09') SUCCEEDS (DATE '2020-01-01', DATE '2020-01-05')
    TRUE
    """


@_predicate("STRICTLY SUCCEEDS", "s > e2")
def strictly_succeeds() -> None:
    """Whether there is time between the end of the second period and the start of the first.

    >>> (DATE '2020-01-05', DATE '2020-01-09') STRICTLY SUCCEEDS (DATE '2020-01-01', DATE '2020-01-05')
    FALSE
    """


@_predicate("IMMEDIATELY SUCCEEDS", "s = e2")
def immediately_succeeds() -> None:
    """Whether the first period begins where the second ends.

    >>> (DATE '2020-01-05', DATE '2020-01-09') IMMEDIATELY SUCCEEDS (DATE '2020-01-01', DATE '2020-01-05')
    TRUE
    """


@_predicate("LEADS", "s < s2")
def leads() -> None:
    """Whether the first period begins before the second. [X] Defined by a picture.

    >>> (DATE '2020-01-01', DATE '2020-01-09') LEADS (DATE '2020-01-02', DATE '2020-01-05')
    TRUE
    """


@_predicate("STRICTLY LEADS", "s < s2", "e <> e2")
def strictly_leads() -> None:
    """Whether the first period begins before the second and does not end with it. [X] Defined by a picture.

    >>> (DATE '2020-01-01', DATE '2020-01-05') STRICTLY LEADS (DATE '2020-01-02', DATE '2020-01-05')
    FALSE
    """


@_predicate("IMMEDIATELY LEADS", "s < s2", "e = e2")
def immediately_leads() -> None:
    """Whether the first period begins before the second and ends with it. [X] Defined by a picture.

    >>> (DATE '2020-01-01', DATE '2020-01-05') IMMEDIATELY LEADS (DATE '2020-01-02', DATE '2020-01-05')
    TRUE
    """


@_predicate("LAGS", "e > e2")
def lags() -> None:
    """Whether the first period ends after the second. [X] Defined by a picture.

    >>> (DATE '2020-01-02', DATE '2020-01-09') LAGS (DATE '2020-01-01', DATE '2020-01-05')
    TRUE
    """


@_predicate("STRICTLY LAGS", "e > e2", "s <> s2")
def strictly_lags() -> None:
    """Whether the first period ends after the second and does not begin with it. [X] Defined by a picture.

    >>> (DATE '2020-01-01', DATE '2020-01-09') STRICTLY LAGS (DATE '2020-01-01', DATE '2020-01-05')
    FALSE
    """


@_predicate("IMMEDIATELY LAGS", "e > e2", "s = s2")
def immediately_lags() -> None:
    """Whether the first period ends after the second and begins with it. [X] Defined by a picture.

    >>> (DATE '2020-01-01', DATE '2020-01-09') IMMEDIATELY LAGS (DATE '2020-01-01', DATE '2020-01-05')
    TRUE
    """
