"""Applications in every shape in which people write them: what each `.slt` file here says that it has, and what there must be.

The list is that of the reference on real applications: what a parser and binder must accept, and what the semantics lean on.
"""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent

SHAPES = """
keywords in any case
mixed quoted and unquoted names of one object
unquoted lower-case source_sql_stream_001
quoted keywords as column names
unquoted keyword-like names (namespace, index, temp, OWNER, result, status)
unquoted keyword-like names (first, last, events)
lower-case rowtime
quoted "ROWTIME" and "APPROXIMATE_ARRIVAL_TIME"
blank before the bracket of a function
two or more blanks in keyword pairs
line break between SELECT and STREAM
tabs
CRLF
trailing blanks
no blank between a name and its type
comments between INSERT INTO and SELECT
comments inside argument lists
comments after an argument's comma
commented-out columns
commented-out pumps
comments with semicolons and quotes
ASCII-art boxes with quotes
block comments
block comment header
// line comments
unclosed comment at the end
non-ASCII in comments and text
doubled quotes in a date pattern
backslashes as plain characters
no final semicolon
statements after each other on one line
an application of only pumps
the same stream created three times
pump and stream of the same name
CREATE STREAM and CREATE PUMP without OR REPLACE
INSERT with a column list of a subset in another order
pumps whose query is a plain SELECT
a plain SELECT over a STREAM subquery
implicit casts on INSERT (INTEGER to DOUBLE, INTEGER to BIGINT, DOUBLE to INTEGER, DOUBLE to DECIMAL, DECIMAL to INTEGER)
positions pair, names do not
SELECT expr, expr, * FROM (...)
SELECT STREAM *, expr
subquery in FROM without an alias
subquery AS x and bare x
GROUP BY on the subquery's alias of a STEP
STEP on a subquery's alias of ROWTIME
GROUP BY repeating an expression of the select list
implicit column aliases
implicit table aliases
GROUP BY a constant expression
aggregate of a literal
STEP of a bracketed unqualified ROWTIME
STEP in GROUP BY but not in the select list
two STEPs in one GROUP BY (ROWTIME and event time)
bare ROWTIME in a grouped query
legacy windows by FLOOR of the time since 1970
an interval multiplied and added to a TIMESTAMP
several named windows
RANGE INTERVAL '0' MINUTE PRECEDING
unused windows
the window after WHERE
three-way self join with a WINDOW clause
OVER t AS b
CASE searched
CASE with an operand
ELSE NULL
nested brackets round CASE
CAST to sized VARCHAR
CAST(TIMESTAMP AS VARCHAR(25)) then SUBSTRING(…,15,19)
SUBSTRING(x FROM 'regex') and SUBSTRING(x FROM 5) in one expression
JOIN inside a CURSOR with SELECT STREAM * over both sides
WHERE inside a cursor
casts and CASEs inside a cursor
HAVING on an aggregate in an inner ordered subquery
HAVING on a grouping column
VARCHAR without length
DECIMAL without precision
NOT NULL columns
inline OVER
ROWS n PRECEDING
ROWS CURRENT ROW
sessions by STAGGER with FIRST_VALUE, LAST_VALUE and TSDIFF
LEFT JOIN to a reference table
inner JOIN to a reference table
stream joined to stream over windows
joins on equal ROWTIME
joins without a window
comma joins
TABLE(fn) AS a, stream AS b
scores joined back to the source by ROWTIME
RANDOM_CUT_FOREST of a cursor only
RANDOM_CUT_FOREST of 100,256,100000,20
RANDOM_CUT_FOREST_WITH_EXPLANATION of 10,256,10000,10,true
RANDOM_CUT_FOREST with VARCHAR and TIMESTAMP columns passed through
ORDER BY FLOOR(ROWTIME) then score
ORDER BY STEP(ROWTIME) then another key
TOP_K_ITEMS_TUMBLING read by name and by SELECT STREAM *
COUNT_DISTINCT_ITEMS_TUMBLING
HOTSPOTS of 1000, 0.013, 10
AVG and division over INTEGER into INTEGER columns
ratios that multiply first or use 100.000
TO_TIMESTAMP of seconds times 1000
LAG with a default over ROWS 1 PRECEDING
LAG over a RANGE window
MONOTONIC of an event time as the tumbling key
CURRENT_ROW_TIMESTAMP beside a table function
one stream with several record types, told apart by IS NOT NULL
several pumps into one stream
SHARD_ID, PARTITION_KEY and SEQUENCE_NUMBER used bare
source to intermediate stream to output
filter and route
alarms
""".strip().splitlines()


def shapes() -> set[str]:
    """What the files say that they have."""
    lines = [line for file in HERE.glob("*.slt") for line in file.read_text(encoding="utf-8").splitlines()]
    return {
        shape.strip() for line in lines if line.startswith("# shape: ") for shape in line.removeprefix("# shape: ").split("; ")
    }


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_has_an_application(shape: str) -> None:
    assert shape in shapes()


def test_every_application_is_run() -> None:
    run = {
        words[1]
        for file in HERE.glob("*.slt")
        for line in file.read_text("utf-8").splitlines()
        if (words := line.split())[:1] == ["script"]
    }
    assert run == {str(file.relative_to(HERE)) for file in HERE.rglob("*.sql")}
