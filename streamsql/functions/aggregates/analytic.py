"""The analytic functions: of sliding windows alone.

The numbers, intervals and words behind the first argument are constants; LAG's default may be any expression.
"""

from __future__ import annotations

from collections.abc import Sequence

from streamsql.functions.aggregates.ordered import lag_of_table, nth_of_frame
from streamsql.functions.aggregates.sliding import SlidingExponentialAverage, SlidingLag, SlidingPosition
from streamsql.functions.aggregation import Sliding
from streamsql.functions.registry import analytic
from streamsql.types import SqlType

Types = Sequence[SqlType]


@analytic("NTH_VALUE(x: ANY, n: INTEGRAL, from?: WORD) -> x", ordered=nth_of_frame)
def nth_value(arguments: Types, result: SqlType, ignore_nulls: bool) -> Sliding:
    """The value of the n-th row of the window, from the first row or FROM LAST; NULL while there are fewer rows.

    With IGNORE NULLS only rows with a value are counted.
    """
    return SlidingPosition(result, ignore_nulls)


@analytic("LAG(x: T, n?: INTEGRAL, default?: T) -> x", ordered=lag_of_table)
def lag(arguments: Types, result: SqlType, ignore_nulls: bool) -> Sliding:
    """The value of the row n rows (1) before this one; `default` (NULL) where the window does not reach so far.

    With IGNORE NULLS only rows with a value are counted.
    """
    return SlidingLag(result, ignore_nulls)


@analytic("EXP_AVG(n: NUMERIC, half_life: DAYTIME) -> DOUBLE")
def exp_avg(arguments: Types, result: SqlType, ignore_nulls: bool) -> Sliding:
    """The average in which a row counts half as much for every `half_life` that it is older."""
    return SlidingExponentialAverage()
