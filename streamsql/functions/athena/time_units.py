"""What the functions of Athena and Redshift know of times beside the calendar: units that texts name, row by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.functions.calendar import (
    DAY,
    MILLISECONDS,
)
from streamsql.rows import Datum, ErrorName, Rows, mask_of

STAMP = pa.timestamp("ms")

WEEK = 7 * DAY

MONTH_UNITS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
"""The units of a number of months."""

LENGTHS = {"MILLISECOND": 1, **MILLISECONDS, "WEEK": WEEK}
"""The units of a fixed number of milliseconds."""

SPELLINGS = {
    "YEARS": "YEAR", "Y": "YEAR", "YR": "YEAR", "QTR": "QUARTER", "MONTHS": "MONTH", "MON": "MONTH", "WEEKS": "WEEK", "W": "WEEK",
    "DAYS": "DAY", "D": "DAY", "HOURS": "HOUR", "H": "HOUR", "HR": "HOUR", "MINUTES": "MINUTE", "M": "MINUTE", "MIN": "MINUTE",
    "SECONDS": "SECOND", "S": "SECOND", "SEC": "SECOND", "MILLISECONDS": "MILLISECOND", "MS": "MILLISECOND",
    "DOW": "DAY_OF_WEEK", "DAYOFWEEK": "DAY_OF_WEEK", "DOY": "DAY_OF_YEAR", "DAYOFYEAR": "DAY_OF_YEAR",
}  # fmt: skip
"""Other names of the units."""


def _unit(unit: str, known: Sequence[str]) -> str:
    """The unit that a text names; raises ValueError."""
    name = SPELLINGS.get(unit.upper(), unit.upper())
    if name not in known:
        raise ValueError(f"no unit {unit}: there are {', '.join(known).lower()}")
    return name


def by_text(rows: Rows, texts: Datum, type: pa.DataType, others: Sequence[Datum], function: Callable[[str], Datum]) -> Datum:
    """What `function` gives for the text of each row, which it is asked for once; it raises ValueError for what it does not know.

    Such a row fails, where no other argument is NULL.
    """
    result = pa.nulls(rows.count, type)
    given = rows.column(texts)
    complete = ~np.logical_or.reduce([mask_of(pc.is_null(rows.column(other)), rows) for other in others])
    for text in given.unique().drop_null().to_pylist():
        here = mask_of(pc.equal(given, text), rows)
        try:
            values = rows.column(function(text))
        except ValueError as error:
            rows.fail(here & complete, str(error), ErrorName.ARGUMENT)
            continue
        result = pc.if_else(pa.array(here), values, result)
    return result


def with_unit(
    rows: Rows,
    unit: Datum | str,
    known: Sequence[str],
    type: pa.DataType,
    others: Sequence[Datum],
    function: Callable[[str], Datum],
) -> Datum:
    """What `function` gives for the unit of each row; a row whose unit is none of the known fails."""
    units = pa.scalar(unit) if isinstance(unit, str) else unit
    return by_text(rows, units, type, others, lambda text: function(_unit(text, known)))


def stamps(t: Datum) -> Datum:
    """Dates as the moments at which they begin."""
    return t.cast(STAMP) if t.type == pa.date32() else t
