"""Every form of the statements that write external tables, in the manners of Athena and of Redshift."""

from __future__ import annotations

from typing import Any

import pytest

from streamsql.sql.parser import parse_statement
from streamsql.statements.external_ddl import Stored, Text
from streamsql.statements.external_dml import CreateExternalTableAs, CreateTableAs, RedshiftUnload, Unload


def values(properties: Any) -> dict[str, Any]:
    """The properties of a WITH clause as plain texts and lists."""
    return {p.name: p.value.text if isinstance(p.value, Text) else [text.text for text in p.value] for p in properties}


@pytest.mark.parametrize(
    ("text", "name", "properties", "with_data"),
    [
        ("CREATE TABLE t AS SELECT 1 AS a", "t", {}, True),
        ("create table if not exists d.`t x` as (select 1 as a)", "d.t x", {}, True),
        ("CREATE TABLE t WITH (format = 'JSON') AS VALUES (1) WITH NO DATA", "t", {"format": "JSON"}, False),
        (
            """CREATE TABLE t WITH (partitioned_by = ARRAY['a', "b"], bucketed_by = ARRAY[c], bucket_count = 4,
            is_external = true) AS WITH q AS (SELECT 1 AS a) SELECT * FROM q ORDER BY a LIMIT 1 WITH DATA""",
            "t",
            {"partitioned_by": ["a", "b"], "bucketed_by": ["c"], "bucket_count": "4", "is_external": "true"},
            True,
        ),
    ],
)
def test_create_table_as(text: str, name: str, properties: dict[str, Any], with_data: bool) -> None:
    statement = parse_statement(text)
    assert isinstance(statement, CreateTableAs)
    assert ".".join(part.text for part in statement.name.parts) == name
    assert (values(statement.properties), statement.with_data) == (properties, with_data)
    assert statement.if_not_exists == ("exists" in text)


def test_create_external_table_as() -> None:
    statement = parse_statement("""
        create external table s.t partitioned by (k, `l`) row format delimited fields terminated by '|' stored as textfile
        location 's3://b/t/' table properties ('write.parallel'='off') as select "a", k, 'it''s' as l from u
    """)
    assert isinstance(statement, CreateExternalTableAs)
    assert [key.text for key in statement.partitioned_by] == ["k", "l"]
    assert statement.stored == Stored(format=Text("TEXTFILE"), delimiters={"FIELDS TERMINATED BY": "|"})
    assert (statement.location.text, statement.properties) == ("s3://b/t/", {"write.parallel": "off"})


def test_unload_of_athena() -> None:
    statement = parse_statement(
        "UNLOAD (SELECT a, k FROM t) TO 's3://b/u/' WITH (format = 'PARQUET', compression_level = 4, partitioned_by = ARRAY['k'])"
    )
    assert isinstance(statement, Unload)
    assert statement.location.text == "s3://b/u/"
    assert values(statement.properties) == {"format": "PARQUET", "compression_level": "4", "partitioned_by": ["k"]}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", {}),
        ("iam_role 'arn:aws:iam::1:role/r' FORMAT AS PARQUET", {"IAM_ROLE": ["arn:aws:iam::1:role/r"], "FORMAT": ["PARQUET"]}),
        ("IAM_ROLE default CSV HEADER", {"IAM_ROLE": [], "FORMAT": ["CSV"], "HEADER": []}),
        ("FORMAT JSON PARTITION BY (a, b) INCLUDE", {"FORMAT": ["JSON"], "PARTITION": ["a", "b", "INCLUDE"]}),
        (r"DELIMITER AS '\t' NULL 'nil' ESCAPE ADDQUOTES", {"DELIMITER": ["\t"], "NULL": ["nil"], "ESCAPE": [], "ADDQUOTES": []}),
        ("GZIP MANIFEST VERBOSE PARALLEL OFF", {"COMPRESSION": ["GZIP"], "MANIFEST": ["VERBOSE"], "PARALLEL": ["OFF"]}),
        ("PARALLEL MANIFEST ALLOWOVERWRITE", {"PARALLEL": [], "MANIFEST": [], "ALLOWOVERWRITE": []}),
        ("MAXFILESIZE AS 1.5 GB ROWGROUPSIZE 32", {"MAXFILESIZE": ["1.5", "GB"], "ROWGROUPSIZE": ["32"]}),
        ("ENCRYPTED AUTO REGION AS 'eu' EXTENSION 'txt'", {"ENCRYPTED": [], "REGION": ["eu"], "EXTENSION": ["txt"]}),
        ("access_key_id 'a' secret_access_key 'b'", {"ACCESS_KEY_ID": ["a"], "SECRET_ACCESS_KEY": ["b"]}),
        ("FIXEDWIDTH 'a:3,b:4' CLEANPATH ZSTD", {"FIXEDWIDTH": ["a:3,b:4"], "CLEANPATH": [], "COMPRESSION": ["ZSTD"]}),
    ],
)  # fmt: skip
def test_unload_of_redshift(options: str, expected: dict[str, list[str]]) -> None:
    for query in ("'select * from venue where state=''NV'''", "SELECT * FROM venue WHERE state = 'NV'"):
        statement = parse_statement(f"unload ({query}) to 's3://b/venue_' {options}")
        assert isinstance(statement, RedshiftUnload)
        assert {name: [value.text for value in option.values] for name, option in statement.options.items()} == expected
    assert isinstance(parse_statement("UNLOAD ('select 1') TO 's3://b/'"), RedshiftUnload)


def test_the_query_within_a_text_keeps_its_own_quotes() -> None:
    statement = parse_statement("UNLOAD ('select ''it''''s''') TO 's3://b/'")
    assert isinstance(statement, RedshiftUnload)
    assert isinstance(statement.query, Text)
    assert statement.query.text == "select 'it''s'"
