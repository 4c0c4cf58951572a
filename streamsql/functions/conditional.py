"""AND, OR, CASE, COALESCE, which look at an argument only for the rows that need it, and NOT and NULLIF.

A failure in a row that does not reach the failing argument is none.  Arguments are evaluated for the whole batch all the
same, which is cheaper than to take the rows out: the failures of rows that did not ask are dropped.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.coercion import common_type
from streamsql.errors import InternalError
from streamsql.functions.registry import scalar
from streamsql.rows import Datum, Evaluate, Mask, Rows, mask_of
from streamsql.types import SqlType


def _for_rows(evaluate: Evaluate, rows: Rows, needed: Mask) -> Datum:
    """An argument's values, of which only those where `needed` is true count."""
    if needed.all():
        return evaluate(rows)
    trial = rows.trial()
    result = evaluate(trial)
    rows.adopt(trial, needed)
    return result


@scalar("AND(x: BOOLEAN, y: BOOLEAN) -> BOOLEAN", strict=False, lazy=True, infix=True, duckdb="({x} AND {y})")
def and_(rows: Rows, x: Evaluate, y: Evaluate) -> Datum:
    """Whether both conditions are TRUE; `y` is not looked at where `x` is FALSE.

    >>> FALSE AND UNKNOWN
    FALSE
    >>> TRUE AND UNKNOWN
    NULL
    >>> FALSE AND 1 / 0 = 1
    FALSE
    """
    left = x(rows)
    needed = ~mask_of(pc.invert(left), rows)
    if not needed.any():
        return left
    return pc.and_kleene(left, _for_rows(y, rows, needed))


@scalar("OR(x: BOOLEAN, y: BOOLEAN) -> BOOLEAN", strict=False, lazy=True, infix=True, duckdb="({x} OR {y})")
def or_(rows: Rows, x: Evaluate, y: Evaluate) -> Datum:
    """Whether one of the conditions is TRUE; `y` is not looked at where `x` is TRUE.

    >>> FALSE OR UNKNOWN
    NULL
    >>> TRUE OR UNKNOWN
    TRUE
    >>> TRUE OR 1 / 0 = 1
    TRUE
    """
    left = x(rows)
    needed = ~mask_of(left, rows)
    if not needed.any():
        return left
    return pc.or_kleene(left, _for_rows(y, rows, needed))


@scalar("NOT(x: BOOLEAN) -> BOOLEAN", infix=True, duckdb="(NOT {x})")
def not_(_rows: Rows, x: Datum) -> Datum:
    """TRUE for FALSE and FALSE for TRUE; UNKNOWN stays.

    >>> NOT TRUE
    FALSE
    >>> NOT UNKNOWN
    NULL
    """
    return pc.invert(x)


@scalar("TRY(x: ANY) -> x", strict=False, lazy=True)
def try_(rows: Rows, x: Evaluate) -> Datum:
    """The value of an expression, NULL in the rows in which it fails.  TRY_CAST(x AS type) is TRY(CAST(x AS type)).

    >>> TRY(1 / 0)
    NULL
    >>> TRY_CAST('12' AS INTEGER)
    12
    >>> TRY_CAST('twelve' AS INTEGER)
    NULL
    """
    trial = rows.trial()
    value = x(trial)
    if not trial.failures:
        return value
    column = rows.column(value)
    return pc.if_else(pa.array(trial.good()), column, pa.scalar(None, column.type))


def _case_type(types: Sequence[SqlType]) -> SqlType:
    """The common type of the results, which stand at odd positions and last."""
    common = common_type([*types[1::2], *(types[-1:] if len(types) % 2 else [])])
    if common is None:
        raise InternalError("the results of CASE have no common type")
    return common


@scalar("CASE(arguments...: ANY)", returns=_case_type, strict=False, lazy=True)
def case(rows: Rows, *arguments: Evaluate) -> Datum:
    """The result behind the first condition that is TRUE, else the last argument, else NULL.

    The arguments are condition, result, condition, result, ..., and the ELSE result if there is one; whoever makes the call
    has converted the results to their common type.  `CASE x WHEN 1 THEN ...` is written with the conditions `x = 1`.

    >>> CASE WHEN 1 > 2 THEN 'a' WHEN 2 > 1 THEN 'b' ELSE 'c' END
    b
    >>> CASE 3 WHEN 1 THEN 'one' END
    NULL
    >>> CASE WHEN 1 = 0 THEN 1 / 0 ELSE 2 END
    2
    """
    open_rows: Mask = np.ones(rows.count, bool)
    conditions, results = [], []
    for condition, result in zip(arguments[::2], arguments[1::2], strict=False):
        met = mask_of(_for_rows(condition, rows, open_rows), rows) & open_rows
        if met.any():
            conditions.append(pa.array(met))
            results.append(_for_rows(result, rows, met))
            open_rows &= ~met
        if not open_rows.any():
            break
    if len(arguments) % 2 and (open_rows.any() or not results):
        results.append(_for_rows(arguments[-1], rows, open_rows))
    if not results:  # no condition was met, and there is no ELSE: a result is asked for its type only
        return pa.nulls(rows.count, arguments[1](rows.trial()).type)
    if len(results) == 1 and (not conditions or not open_rows.any()):
        return results[0]
    return pc.case_when(pa.StructArray.from_arrays(conditions, [str(i) for i in range(len(conditions))]), *results)


@scalar("COALESCE(values...: T) -> values", strict=False, lazy=True, duckdb="coalesce({values})")
def coalesce(rows: Rows, *values: Evaluate) -> Datum:
    """The first argument that is not NULL; later ones are looked at only where all before are NULL.

    >>> COALESCE('chair', CAST(NULL AS VARCHAR(5)), 'sofa')
    chair
    >>> COALESCE(CAST(NULL AS INTEGER), 2, 5)
    2
    >>> COALESCE(CAST(NULL AS INTEGER), CAST(NULL AS INTEGER))
    NULL
    """
    result = values[0](rows)
    for value in values[1:]:
        missing = mask_of(pc.is_null(result), rows)
        if not missing.any():
            break
        result = pc.coalesce(result, _for_rows(value, rows, missing))
    return result


@scalar("NULLIF(x: T, y: T) -> x", strict=False, duckdb="nullif({x}, {y})")
def nullif(rows: Rows, x: Datum, y: Datum) -> Datum:
    """`x`, but NULL where it equals `y`.

    >>> NULLIF(4, 2)
    4
    >>> NULLIF(4, 4)
    NULL
    >>> NULLIF('amy', CAST(NULL AS VARCHAR(3)))
    amy
    """
    same = rows.column(pc.fill_null(pc.equal(x, y), False))
    return pc.if_else(same, pa.scalar(None, x.type), x)
