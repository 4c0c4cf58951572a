"""What a database keeps of external tables: their statements as a script, their partitions as Arrow files."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

import streamsql
from streamsql.engine.engine import Engine
from streamsql.external.ddl_text import partition_texts, table_text
from streamsql.external.table import ExternalTable, table_of
from streamsql.sql.hive_text import escaped
from streamsql.sql.parser import parse_statement
from streamsql.statements.external_ddl import CreateExternalTable

DDL = """
CREATE DATABASE shop COMMENT 'it''s ours' WITH DBPROPERTIES ('a'='b');
CREATE EXTERNAL SCHEMA s FROM DATA CATALOG DATABASE 'lake' REGION 'eu-west-1' CREATE EXTERNAL DATABASE IF NOT EXISTS;
CREATE EXTERNAL TABLE shop.Orders (`Id` bigint, at timestamp) PARTITIONED BY (day date, region string)
    ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t' LOCATION 's3://bucket/orders/' TBLPROPERTIES ('x'='y');
CREATE EXTERNAL TABLE s.t (a float) STORED AS PARQUET LOCATION 's3://bucket/t/';
ALTER TABLE shop.orders ADD PARTITION (day='2024-01-01', region='eu') PARTITION (day='2024-01-02', region=NULL);
"""


def told(con: streamsql.Connection) -> dict[str, list[tuple[object, ...]]]:
    """All that can be asked of the tables."""
    questions = (
        "SHOW DATABASES",
        "SHOW EXTERNAL TABLE shop.orders PARTITION",
        "SHOW PARTITIONS shop.orders",
        "SHOW CREATE TABLE s.t",
        "DESCRIBE lake.t",
    )
    return {question: con.execute(question).fetchall() for question in questions}


def test_everything_is_there_again(tmp_path: Path) -> None:
    with streamsql.connect(tmp_path / "db") as con:
        con.executescript(DDL)
        before = told(con)
    with streamsql.connect(tmp_path / "db") as con:
        assert told(con) == before
        con.execute("ALTER TABLE shop.orders DROP PARTITION (day='2024-01-01', region='eu')")
        after = told(con)
    with streamsql.connect(tmp_path / "db") as con:
        assert told(con) == after
        con.execute("DROP TABLE shop.orders")
    assert not list((tmp_path / "db" / "partitions").iterdir())


def test_without_checkpoints_the_script_makes_everything_again(tmp_path: Path) -> None:
    with streamsql.connect(tmp_path / "db") as con:
        con.executescript(DDL)
        before = told(con)
    for checkpoint in (tmp_path / "db" / "checkpoints").iterdir():
        for file in checkpoint.iterdir():
            file.unlink()
        checkpoint.rmdir()
    with streamsql.connect(tmp_path / "db") as con:
        assert told(con) == before


def test_partitions_of_other_keys_are_not_taken(tmp_path: Path) -> None:
    with streamsql.connect(tmp_path / "db") as con:
        con.executescript(DDL)
    file = tmp_path / "db" / "partitions" / "shop.orders.arrow"
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, pa.schema([("k", pa.int32())])) as writer:
        writer.write_table(pa.table({"k": pa.array([1], pa.int32())}))
    with streamsql.connect(tmp_path / "db") as con:
        assert con.execute("SHOW PARTITIONS shop.orders").fetchall() == []


def test_views_look_in_the_database_in_which_they_were_made(tmp_path: Path) -> None:
    with streamsql.connect(tmp_path / "db") as con:
        con.executescript("CREATE DATABASE shop; USE shop; CREATE STREAM s (a INTEGER); CREATE VIEW v AS SELECT STREAM a FROM s;")
        assert con.execute("SHOW VIEWS IN shop").fetchall() == [("V",)]
    with streamsql.connect(tmp_path / "db") as con:
        assert con.execute("SHOW VIEWS").fetchall() == []
        assert con.execute("SHOW VIEWS IN shop").fetchall() == [("V",)]


letters = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters='`"\\.')
names = st.text(letters, min_size=1, max_size=8)
types = st.recursive(
    st.sampled_from(["int", "string", "decimal(8,2)", "varchar(20)", "double precision", "timestamp"]),
    lambda inner: st.one_of(
        inner.map(lambda t: f"array<{t}>"),
        st.tuples(inner, inner).map(lambda t: f"map<string,{t[1]}>"),
        inner.map(lambda t: f"struct<a:{t},b:int>"),
    ),
    max_leaves=4,
)
texts = st.text(max_size=12)
formats = st.one_of(
    st.just("STORED AS PARQUET"),
    texts.map(lambda t: f"ROW FORMAT DELIMITED FIELDS TERMINATED BY {escaped(t)} NULL DEFINED AS {escaped(t)}"),
    texts.map(lambda t: f"ROW FORMAT SERDE 'a.OpenCSVSerde' WITH SERDEPROPERTIES ({escaped(t)}={escaped(t)})"),
    st.just("STORED AS INPUTFORMAT 'a.TextInputFormat' OUTPUTFORMAT 'b.C'"),
)


@st.composite
def tables(draw: st.DrawFn) -> str:
    used = draw(st.lists(names, min_size=2, max_size=6, unique_by=str.lower))
    columns = ", ".join(f"`{name}` {draw(types)} COMMENT {escaped(draw(texts))}" for name in used[1:])
    properties = draw(st.dictionaries(texts, texts, max_size=3))
    listed = ", ".join(f"{escaped(key)}={escaped(value)}" for key, value in properties.items())
    return (
        f"CREATE EXTERNAL TABLE d.`{draw(names)}` ({columns}) COMMENT {escaped(draw(texts))} PARTITIONED BY (`{used[0]}` string) "
        f"CLUSTERED BY (`{used[1]}`) INTO 3 BUCKETS {draw(formats)} LOCATION 's3://b/t/' TBLPROPERTIES ({listed})"
    )


def made(text: str) -> ExternalTable:
    statement = parse_statement(text)
    assert isinstance(statement, CreateExternalTable)
    return table_of(statement, "d")


@settings(max_examples=60, deadline=None)
@given(tables())
def test_the_statement_of_a_table_makes_it_again(text: str) -> None:
    table = made(text)
    again = made(table_text(table))
    assert [getattr(again, f.name) for f in fields(again)] == [getattr(table, f.name) for f in fields(table)]
    assert table_text(again) == table_text(table)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.one_of(st.none(), texts.filter(lambda t: t != "__HIVE_DEFAULT_PARTITION__")), max_size=5, unique=True))
def test_the_statements_of_partitions_make_them_again(values: list[str | None]) -> None:
    engine, other = Engine(), Engine()
    ddl = "CREATE EXTERNAL TABLE t (a int) PARTITIONED BY (k string) LOCATION 's3://b/t/'"
    for each in (engine, other):
        each.execute_script(ddl)
    for value in values:
        written = "NULL" if value is None else escaped(value)
        engine.execute_script(f"ALTER TABLE t ADD PARTITION (k={written})")
    table = engine.catalog.databases.table("t")
    assert table is not None
    for text in partition_texts(table):
        other.execute_script(text)
    copy = other.catalog.databases.table("t")
    assert copy is not None
    assert copy.partitions.rows == table.partitions.rows
    assert len(table.partitions) == len(values)
