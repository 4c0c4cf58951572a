"""Text that people write and that is another dialect's, a template's or a word processor's, and how it is spelled here.

One record a construct: to recognise one more, add one.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from streamsql.errors import ProgrammingError
from streamsql.sql.lexer import on_one_line
from streamsql.statements.statement import Identifier


class Foreign(NamedTuple):
    """A construct that is not of this dialect.

    `pattern` is looked for in a statement that is wrong, without regard to case, where comments are blank and strings and
    quoted names hold nothing but underscores; it counts when the error lies in what it matches, and its group `here`, or
    else all of it, is what the message is about.
    """

    pattern: str
    message: str
    hint: str | None = None


class ForeignFunction(NamedTuple):
    """A function that only other dialects have; its call is correct SQL otherwise."""

    names: tuple[str, ...]
    message: str
    hint: str


_NAME = r'(?:"[^"]*"|[\w$.]+)'
_CREATE = r"CREATE\s+(?:OR\s+REPLACE\s+)?"
_STEP = "GROUP BY ..., STEP(s.ROWTIME BY INTERVAL '60' SECOND)"
_FOREST = "FROM TABLE(RANDOM_CUT_FOREST(CURSOR(SELECT STREAM * FROM s))), with the column ANOMALY_SCORE"
_SLIDING = "AVG(x) OVER (PARTITION BY k RANGE INTERVAL '1' MINUTE PRECEDING)"
_STAGGER = "WINDOWED BY STAGGER (PARTITION BY k RANGE INTERVAL '1' MINUTE)"
_PARAMETER = "streamsql run --parameter NAME=VALUE fills it in"
_INPUT = "the rows of a stream come from an input, its format from the input's URI: --input NAME=URI"

FUNCTIONS = (
    ForeignFunction(
        ("TUMBLE", "TUMBLE_START", "TUMBLE_END", "TUMBLE_ROWTIME", "TUMBLE_PROCTIME"),
        "{name} is Flink's; a tumbling window is a GROUP BY here",
        _STEP,
    ),
    ForeignFunction(
        ("HOP", "HOP_START", "HOP_END", "HOP_ROWTIME", "CUMULATE"),
        "{name} is Flink's; this dialect has no hopping windows, but sliding ones",
        _SLIDING,
    ),
    ForeignFunction(
        ("SESSION", "SESSION_START", "SESSION_END", "SESSION_ROWTIME"),
        "{name} is Flink's; a window that a row opens is WINDOWED BY STAGGER here",
        _STAGGER,
    ),
    ForeignFunction(
        ("ANOMALY_SCORE", "ANOMALY_DETECTION"), "{name} is not a function; anomaly scores come from a table function", _FOREST
    ),
    ForeignFunction(("ROWTIME_TO_TIMESTAMP",), "{name} does not exist: ROWTIME is a TIMESTAMP already", "s.ROWTIME"),
)

TYPES = {
    **dict.fromkeys(("VARCHAR2", "NVARCHAR"), "VARCHAR(n)"),
    **dict.fromkeys(("LONG", "INT64"), "BIGINT"),
    "INT32": "INTEGER",
    "BIT": "BOOLEAN",
    **dict.fromkeys(("DATETIME", "TIMESTAMPTZ", "TIMESTAMP_LTZ"), "TIMESTAMP"),
    **dict.fromkeys(("NUMBER", "MONEY"), "DECIMAL(18, 4)"),
    "FLOAT32": "REAL",
    "FLOAT64": "DOUBLE",
    **dict.fromkeys(("BLOB", "BYTES", "BYTEA"), "VARBINARY(n)"),
}
"""Types of others, and what they are here."""

TEXTS = (
    # Templates.
    Foreign(r"\$\{[^}]*\}", "{here} is a template's placeholder that was not filled in", _PARAMETER),
    Foreign(r"%%\w*%%", "{here} is a template's placeholder that was not filled in", _PARAMETER),
    Foreign(r"\{\{?\s*[\w.]*\s*\}?\}", "{here} is a template's placeholder that was not filled in"),
    Foreign(r"%\{[^}]*\}", "{here} is a template's directive that was not carried out"),
    # Word processors.
    Foreign("[“”„‟«»]", "{here} is a typographic quote", 'names are written in straight double quotes: "name"'),
    Foreign("[‘’‚‛´]", "{here} is a typographic quote", "text is written in straight single quotes: 'text'"),
    Foreign("[–—−]", "{here} is a dash, not a hyphen", "a comment begins with two hyphens: --"),
    Foreign("[\u00a0\u2007\u202f]", "a no-break space ({code}) stands here", "replace it by an ordinary space"),
    Foreign("[\u2000-\u200d\u2060\u3000\u2028\u2029\u0085\ufeff]", "an invisible character ({code}) stands here", "take it out"),
    # Other ways to quote.
    Foreign(r"""'_'"_*"'_'""", "the quotes of a shell were left in", "write the text in single quotes alone: 'text'"),
    Foreign(r"\\+", "a backslash means nothing outside of a string", "were quotes for a shell left in?"),
    Foreign("`[^`]*`?", "names are not written in back-ticks here", 'write the name in double quotes: "name"'),
    Foreign(r"\[[^\]]*\]?", "names are not written in square brackets here", 'write the name in double quotes: "name"'),
    # Windows of others.
    Foreign(
        r"WINDOW\s+(?:TUMBLING|HOPPING)\s*\(",
        "WINDOW TUMBLING and HOPPING are ksqlDB's; a tumbling window is a GROUP BY here",
        _STEP,
    ),
    Foreign(r"WINDOW\s+SESSION\s*\(", "WINDOW SESSION is ksqlDB's", _STAGGER),
    Foreign(
        r"\b(?:TUMBLE|HOP|CUMULATE|SESSION)\s*\(\s*(?:DATA\s*=>\s*)?TABLE\b",
        "windows as table functions are Flink's; a tumbling window is a GROUP BY here",
        _STEP,
    ),
    Foreign(r"\bRANGE_INTERVAL\b\s*", "RANGE_INTERVAL is two words", "RANGE INTERVAL '1' MINUTE PRECEDING"),
    Foreign(r"\bEMIT\s+(?:CHANGES|FINAL)\b", "{here} is ksqlDB's; here every query emits as its rows come", "leave it out"),
    Foreign(
        r"\bWITHIN\s+\d+\s+\w+",
        "{here} is ksqlDB's; here the streams of a join have windows",
        "a JOIN b OVER (RANGE INTERVAL '5' MINUTE PRECEDING) ON ...",
    ),
    Foreign(r"\bWATERMARK\s+FOR\b", "WATERMARK is Flink's; here ROWTIME is the time of a row", "?rowtime=COLUMN at the input"),
    Foreign(r"\bMATCH_RECOGNIZE\s*\(?\s*", "MATCH_RECOGNIZE is not in this dialect"),
    Foreign(r"\bCURSOR\b", "CURSOR stands only among the arguments of a table function", "FROM TABLE(F(CURSOR(SELECT ...)))"),
    Foreign(
        r"\bFROM\b(?:(?!\bGROUP\s+BY\b)[^;])*,\s*(?P<here>(?:STEP|FLOOR)\s*)\(",
        "{here} after a comma, and no GROUP BY before it",
        "GROUP BY key, STEP(...): without GROUP BY this reads as one more stream of FROM",
    ),
    # Statements of others.
    Foreign(
        r"\A\s*(?P<here>BEGIN|START\s+TRANSACTION|COMMIT|ROLLBACK|SAVEPOINT|ABORT)\b",
        "there are no transactions: a statement takes effect at once",
        "leave {here} out",
    ),
    Foreign(
        r"\A\s*(?P<here>UPDATE|DELETE|MERGE)\b",
        "{here} is not in this dialect: the rows of streams pass by, those of tables are in files",
        "INSERT INTO s SELECT ..., or CREATE TABLE t AS SELECT ...",
    ),
    Foreign(r"\A\s*(?P<here>TRUNCATE)\b", "TRUNCATE is not in this dialect: a stream keeps no rows", "DROP STREAM s"),
    Foreign(
        r"\A\s*(?P<here>COPY)\b",
        "COPY is not in this dialect",
        "--input NAME=URI, CREATE EXTERNAL TABLE ... LOCATION, UNLOAD; in the shell \\copy",
    ),
    Foreign(r"\A\s*(?P<here>GRANT|REVOKE)\b", "there are no users: a database is a directory, and its permissions hold"),
    Foreign(
        r"\A\s*(?P<here>VACUUM|ANALYZE|CHECKPOINT|REINDEX|CLUSTER)\b",
        "{here} is not in this dialect: streams keep no rows, and what is known of files is in the files",
    ),
    Foreign(
        r"\A\s*(?P<here>CREATE\s+(?:UNIQUE\s+)?INDEX)\b",
        "there are no indexes",
        "CREATE EXTERNAL TABLE ... PARTITIONED BY: conditions on those columns leave out files",
    ),
    Foreign(r"\A\s*(?P<here>PRAGMA|ATTACH|DETACH)\b", "{here} is SQLite's", "streamsql PATH opens a database; \\set and \\pset"),
    Foreign(
        rf"{_CREATE}STREAM\s+{_NAME}\s+(?P<here>AS)\b",
        "a stream is created with its columns, not from a query",
        "CREATE OR REPLACE STREAM s (column type, ...); CREATE OR REPLACE PUMP p AS INSERT INTO s SELECT STREAM ...",
    ),
    Foreign(rf"{_CREATE}STREAM\b[^;]*?(?P<here>\bWITH)\s*\(", "CREATE STREAM ... WITH (...) is ksqlDB's", _INPUT),
    Foreign(
        rf"{_CREATE}PUMP\b[^;]*?\bAS\s+(?P<here>SELECT|WITH|VALUES)\b",
        "a pump inserts into a stream",
        "CREATE OR REPLACE PUMP p AS INSERT INTO s SELECT STREAM ...",
    ),
    Foreign(
        rf"{_CREATE}(?:TEMPORARY\s+|TEMP\s+)?(?P<here>TABLE)\b(?:\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}\s*(?=\())?",
        "CREATE TABLE (column type, ...) is not in this dialect: rows are kept in streams, tables come from outside",
        "CREATE OR REPLACE STREAM s (column type, ...), CREATE EXTERNAL TABLE, or --reference NAME=URI",
    ),
    Foreign(
        rf"\bINSERT\s+(?:EXPEDITED\s+)?INTO\s+{_NAME}\s*(?:\([^()]*\)\s*)?(?=$)",
        "INSERT INTO without a query",
        "INSERT INTO s SELECT STREAM ... FROM ...",
    ),
    Foreign(r"\bSELECT\s+(?P<here>(?:DISTINCT|ALL)\s+STREAM)\b", "{here} is in the wrong order", "SELECT STREAM DISTINCT"),
    # Expressions of others.
    Foreign(r"\bINTERVAL\s+(?P<here>[-+]?\d[\d.]*)", "the value of an interval stands in quotes", "INTERVAL '{here}' MINUTE"),
    Foreign(r"\bINTERVAL\s+\"[^\"]*\"", "the value of an interval stands in single quotes", "INTERVAL '1' MINUTE"),
    Foreign(
        r"\bINTERVAL\s*'[^']*'\s*(?P<here>(?:YEAR|MONTH|DAY|HOUR|MINUTE|SECOND)S)\b",
        "the units of intervals are in the singular",
        "INTERVAL '10' SECOND",
    ),
    Foreign(r"==", "equality is written with one =", "a = b"),
    Foreign(r"&&", "there is no operator && in this dialect", "a AND b"),
)


@cache
def _functions() -> dict[str, ForeignFunction]:
    return {name: function for function in FUNCTIONS for name in function.names}


def check_function(name: Identifier) -> None:
    """Raises ProgrammingError for the name of a function that only other dialects have."""
    function = _functions().get(name.name)
    if function is not None:
        raise ProgrammingError(function.message.format(name=name.name), name.span, function.hint)


_REACH = 5000
"""Characters around an error in which constructs are looked for, so that a huge statement does not take long."""


class Found(NamedTuple):
    """A foreign construct in a statement: from where to where, what to say of it."""

    start: int
    end: int
    message: str
    hint: str | None


def find(statement: str, position: int) -> Found | None:
    """The foreign construct that an error at `position` of a statement is about; see `Foreign` for the statement's form."""
    first = max(0, position - _REACH)
    near = statement[first : position + _REACH]
    for record in TEXTS:
        for match in re.finditer(record.pattern, near, re.IGNORECASE):
            if match.start() <= position - first <= match.end():
                here = "here" if "here" in match.re.groupindex else 0
                text = match.group(here).strip()
                words = {"here": on_one_line(" ".join(text.split())), "code": f"U+{ord(match.group()[0]):04X}"}
                start = first + match.start(here)
                hint = record.hint.format(**words) if record.hint else None
                return Found(start, start + max(1, len(text)), record.message.format(**words), hint)
    return None
