"""The grammar as a whole: no conflicts, tables that come back from the cache, the lists of words."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
from lark import Lark

from streamsql.sql import rules, tables
from streamsql.sql.lexer import Scanner

RESERVED = """
ABS ALL ALLOCATE ALLOW ALTER ANALYZE AND ANY APPROXIMATE_ARRIVAL_TIME ARE ARRAY AS ASENSITIVE ASYMMETRIC AT ATOMIC
AUTHORIZATION AVG BEGIN BETWEEN BIGINT BINARY BIT BLOB BOOLEAN BOTH BY CALL CALLED CARDINALITY CASCADED CASE CAST CEIL CEILING
CHAR CHARACTER CHARACTER_LENGTH CHAR_LENGTH CHECK CHECKPOINT CLOB CLOSE CLUSTERED COALESCE COLLATE COLLECT COLUMN COMMIT
CONDITION CONNECT CONSTRAINT CONVERT CORR CORRESPONDING COUNT COVAR_POP COVAR_SAMP CREATE CROSS CUBE CUME_DIST CURRENT
CURRENT_CATALOG CURRENT_DATE CURRENT_DEFAULT_TRANSFORM_GROUP CURRENT_PATH CURRENT_ROLE CURRENT_SCHEMA CURRENT_TIME
CURRENT_TIMESTAMP CURRENT_TRANSFORM_GROUP_FOR_TYPE CURRENT_USER CURSOR CYCLE DATE DAY DEALLOCATE DEC DECIMAL DECLARE DEFAULT
DELETE DENSE_RANK DEREF DESCRIBE DETERMINISTIC DISALLOW DISCONNECT DISTINCT DOUBLE DROP DYNAMIC EACH ELEMENT ELSE END END-EXEC
ESCAPE EVERY EXCEPT EXEC EXECUTE EXISTS EXP EXPLAIN EXP_AVG EXTERNAL EXTRACT FALSE FETCH FILTER FIRST_VALUE FLOAT FLOOR FOR
FOREIGN FREE FROM FULL FUNCTION FUSION GET GLOBAL GRANT GROUP GROUPING HAVING HOLD HOUR IDENTITY IGNORE IMPORT IN INDICATOR
INITCAP INNER INOUT INSENSITIVE INSERT INT INTEGER INTERSECT INTERSECTION INTERVAL INTO IS JOIN LANGUAGE LARGE LAST_VALUE
LATERAL LEADING LEFT LIKE LIMIT LN LOCAL LOCALTIME LOCALTIMESTAMP LOWER MATCH MAX MEMBER MERGE METHOD MIN MINUTE MOD MODIFIES
MODULE MONTH MULTISET NATIONAL NATURAL NCHAR NCLOB NEW NO NODE NONE NORMALIZE NOT NTH_VALUE NULL NULLIF NUMERIC OCTET_LENGTH
OF OLD ON ONLY OPEN OR ORDER OUT OUTER OVER OVERLAPS OVERLAY PARAMETER PARTITION PARTITION_ID PARTITION_KEY PERCENTILE_CONT
PERCENTILE_DISC PERCENT_RANK POSITION POWER PRECISION PREPARE PRIMARY PROCEDURE RANGE RANK READS REAL RECURSIVE REF REFERENCES
REFERENCING REGR_AVGX REGR_AVGY REGR_COUNT REGR_INTERCEPT REGR_R2 REGR_SLOPE REGR_SXX REGR_SXY RELEASE RESPECT RESULT RETURN
RETURNS REVOKE RIGHT ROLLBACK ROLLUP ROW ROWS ROWTIME ROW_NUMBER SAVEPOINT SCOPE SCROLL SEARCH SECOND SELECT SENSITIVE
SEQUENCE_NUMBER SESSION_USER SET SHARD_ID SIMILAR SMALLINT SOME SORT SPECIFIC SQL SQLEXCEPTION SQLSTATE SQLWARNING SQRT START
STATIC STDDEV STDDEV_POP STDDEV_SAMP STOP STREAM SUBMULTISET SUBSTRING SUM SYMMETRIC SYSTEM SYSTEM_USER TABLE TABLESAMPLE THEN
TIME TIMESTAMP TIMEZONE_HOUR TIMEZONE_MINUTE TINYINT TO TRAILING TRANSLATE TRANSLATION TREAT TRIGGER TRIM TRUE TRUNCATE
UESCAPE UNION UNIQUE UNKNOWN UNNEST UPDATE UPPER USER USING VALUE VALUES VARBINARY VARCHAR VARYING VAR_POP VAR_SAMP WHEN
WHENEVER WHERE WIDTH_BUCKET WINDOW WITH WITHIN WITHOUT YEAR
"""

NON_RESERVED = """
PUMP STAGGER WINDOWED STEP PRECEDING FOLLOWING UNBOUNDED PERIOD PRECEDES SUCCEEDS LEADS LAGS CONTAINS EQUALS IMMEDIATELY
STRICTLY REPLACE TYPE MONOTONIC LAG
"""


def text() -> str:
    folder = resources.files("streamsql.grammar")
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in tables.FILES)


def test_no_conflicts() -> None:
    Lark(text(), parser="lalr", lexer=Scanner, start=["statement", "expression"], strict=True)


def test_every_rule_has_a_function_and_every_function_a_rule() -> None:
    named = {
        rule.alias or rule.origin.name
        for rule in tables.grammar().rules
        if not rule.origin.name.startswith("_") and (rule.alias or not rule.options.expand1)
    }
    assert named == set(rules._RULES)


def test_reserved_words() -> None:
    lists = tables.scanner().lists
    reserved = {word for word, name in lists.items() if name.startswith("RESERVED")}
    assert reserved == set(RESERVED.replace("END-EXEC", "END EXEC").split())


def test_words_that_are_not_reserved() -> None:
    lists = tables.scanner().lists
    assert {lists.get(word, "NAME") for word in NON_RESERVED.split()} == {"NON_RESERVED", "NAME"}


def test_every_keyword_is_in_a_list() -> None:
    scanner = tables.scanner()
    spelled_otherwise = {"UNTIL", "FROM_END", "WITH_ORDINALITY", "WITHIN_GROUP", "STRING_TYPE"}
    assert scanner.keywords - set(scanner.lists) == {"D", "T", "TS"} | spelled_otherwise


@pytest.fixture
def fresh() -> Iterator[None]:
    """Nothing loaded before, nothing kept after."""
    tables.grammar.cache_clear()
    yield
    tables.grammar.cache_clear()


@pytest.mark.usefixtures("fresh")
def test_tables_are_kept_and_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    built = tables.grammar()
    (file,) = (tmp_path / "streamsql").iterdir()
    written = file.stat().st_mtime_ns
    tables.grammar.cache_clear()
    loaded = tables.grammar()
    assert loaded is not built
    assert loaded.rules == built.rules
    assert file.stat().st_mtime_ns == written

    file.write_bytes(file.read_bytes()[:1000])
    tables.grammar.cache_clear()
    assert tables.grammar().rules == built.rules


@pytest.mark.usefixtures("fresh")
def test_tables_without_a_place_to_keep_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert tables.grammar().rules
    assert blocked.read_text() == ""
