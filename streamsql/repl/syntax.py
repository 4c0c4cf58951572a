"""How statements are written, for `\\h`: a short reminder each, not the grammar."""

from __future__ import annotations

from streamsql.catalog import nearest
from streamsql.errors import ProgrammingError

STATEMENTS: dict[str, str] = {
    "ALTER TABLE": """ALTER TABLE [ database. ] name ADD [ IF NOT EXISTS ] PARTITION ( key = value, ... ) [ LOCATION 'uri' ] ...
ALTER TABLE [ database. ] name { DROP [ IF EXISTS ] PARTITION ( ... ) | SET LOCATION 'uri' }
ALTER TABLE [ database. ] name ADD COLUMNS ( column type, ... )""",
    "ALTER PUMP": "ALTER PUMP name { START | STOP }",
    "CREATE DATABASE": "CREATE DATABASE [ IF NOT EXISTS ] name [ COMMENT 'text' ] [ LOCATION 'uri' ]",
    "CREATE EXTERNAL TABLE": """CREATE EXTERNAL TABLE [ IF NOT EXISTS ] [ database. ] name ( column type, ... )
  [ PARTITIONED BY ( key type, ... ) ]
  [ ROW FORMAT { DELIMITED [ FIELDS TERMINATED BY 'text' ] | SERDE 'class' [ WITH SERDEPROPERTIES ( ... ) ] } ]
  [ STORED AS { PARQUET | TEXTFILE | JSON } ]
  LOCATION 'uri' [ TBLPROPERTIES ( 'name' = 'value', ... ) ]""",
    "CREATE FOREIGN STREAM": """CREATE [ OR REPLACE ] FOREIGN STREAM name ( column type [ NOT NULL ], ... )
  SERVER { FILE | STDIN | STDOUT | GENERATOR } [ OPTIONS ( name { 'value' | number }, ... ) ]""",
    "CREATE FUNCTION": """CREATE [ OR REPLACE ] FUNCTION name ( parameter type, ... )
  RETURNS type [ RETURNS NULL ON NULL INPUT | CALLED ON NULL INPUT ]
  RETURN expression""",
    "CREATE PUMP": """CREATE [ OR REPLACE ] PUMP name [ STARTED | STOPPED ] [ DESCRIPTION 'text' ] AS
  INSERT INTO stream [ ( column, ... ) ] query""",
    "CREATE STREAM": "CREATE [ OR REPLACE ] STREAM name ( column type [ NOT NULL ], ... ) [ DESCRIPTION 'text' ]",
    "CREATE VIEW": "CREATE [ OR REPLACE ] VIEW name [ ( column, ... ) ] [ DESCRIPTION 'text' ] AS query",
    "DROP": "DROP { STREAM | PUMP | VIEW | FUNCTION } name [ CASCADE ]",
    "EXPLAIN": """EXPLAIN [ ( FORMAT { TEXT | REDSHIFT } ) ] statement
EXPLAIN ANALYZE query                             runs it, and says what each operator gave and each scan read""",
    "INSERT": """INSERT INTO stream [ ( column, ... ) ] { VALUES ( value, ... ), ... | query }
  With ROWTIME among the columns the rows bring their own time.""",
    "SELECT": """[ WITH name AS ( query ), ... ]
SELECT [ STREAM ] [ DISTINCT ] { * | expression [ [ AS ] name ] }, ...
  FROM { stream | table | ( query ) | TABLE( function( CURSOR( query ), ... ) ) } [ OVER ( window ) ] [ [ AS ] name ]
  [ { INNER | LEFT | RIGHT | FULL } JOIN ... { ON condition | USING ( column, ... ) } ]
  [ WHERE condition ]
  [ GROUP BY expression, ...                      a tumbling window: STEP( stream.ROWTIME BY INTERVAL '10' SECOND )
  | WINDOWED BY STAGGER ( PARTITION BY expression, ... RANGE INTERVAL '1' MINUTE ) ]
  [ HAVING condition ]
  [ WINDOW name AS ( [ PARTITION BY expression, ... ] { RANGE INTERVAL '1' HOUR | ROWS 10 } PRECEDING ), ... ]
  [ { UNION ALL } query ]
  [ ORDER BY expression [ ASC | DESC ], ... ] [ LIMIT number ]""",
    "MSCK REPAIR TABLE": "MSCK REPAIR TABLE [ database. ] name",
    "REFRESH TABLE": "REFRESH TABLE [ database. ] name",
    "SHOW": "SHOW { DATABASES | TABLES [ IN database ] | PARTITIONS table | COLUMNS IN table | CREATE TABLE table }",
    "VALUES": "VALUES ( value, ... ), ...",
}
"""By the words that a statement begins with."""


def of(words: str) -> str:
    """How a statement is written; without words, which statements there are."""
    if not words:
        return "\\h STATEMENT shows how it is written:\n" + "\n".join(f"  {name}" for name in STATEMENTS)
    wanted = " ".join(words.upper().split())
    found = [text for name, text in STATEMENTS.items() if name.startswith(wanted)]
    if not found:
        raise ProgrammingError(f"no statement {words}", hint=nearest(wanted, STATEMENTS) or "\\h lists them")
    return "\n\n".join(found)
