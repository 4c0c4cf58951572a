"""Every form of the statements about databases and external tables, in the manners of Athena and of Redshift Spectrum."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamsql.errors import ProgrammingError
from streamsql.sql.hive_text import escaped, unescaped
from streamsql.sql.parser import parse, parse_statement
from streamsql.statements.external_changes import (
    AddColumns,
    AddPartitions,
    AlterTable,
    DropColumn,
    DropPartitions,
    PartitionSpec,
    PartitionValue,
    RefreshTable,
    RenameColumn,
    RenamePartition,
    RepairTable,
    ReplaceColumns,
    SetFormat,
    SetLocation,
    SetPartitionColumns,
    SetProperties,
)
from streamsql.statements.external_ddl import (
    AlterDatabase,
    Bucketing,
    CreateDatabase,
    CreateExternalSchema,
    CreateExternalTable,
    DropExternal,
    HiveColumn,
    HiveField,
    HiveType,
    Stored,
    Text,
    Use,
)
from streamsql.statements.external_show import (
    Describe,
    ShowColumns,
    ShowCreate,
    ShowDatabases,
    ShowPartitions,
    ShowProperties,
    ShowTables,
)
from streamsql.statements.statement import Identifier, ObjectName, Statement


def named(*parts: str) -> ObjectName:
    """The name of these parts; those in back-ticks are quoted."""
    return ObjectName(tuple(identifier(part) for part in parts))


def identifier(text: str) -> Identifier:
    return Identifier(text[1:-1], quoted=True) if text.startswith(("`", '"')) else Identifier(text)


def column(name: str, type_: str, comment: str | None = None) -> HiveColumn:
    return HiveColumn(identifier(name), HiveType(type_), comment)


def spec(**values: str | None) -> PartitionSpec:
    return tuple(PartitionValue(Identifier(name), value) for name, value in values.items())


def table_of(text: str) -> CreateExternalTable:
    statement = parse_statement(text)
    assert isinstance(statement, CreateExternalTable)
    assert statement.text == text
    return statement


SHORT = "CREATE EXTERNAL TABLE t (a int) {} LOCATION 's3://b/t/'"


def stored(clauses: str) -> Stored:
    """What a table's clauses say of its files."""
    return table_of(SHORT.format(clauses)).stored


def test_a_table_with_every_clause() -> None:
    table = table_of(r"""
        create external table if not exists `Sales`.events (
            `year` int comment 'of the event', "Month" string, timestamp bigint,
            user varchar(20),
            price decimal(8, 2))
        comment "all of 'em"
        partitioned by (day string, hour smallint comment 'UTC')
        clustered by (user, price) sorted by (price desc) into 8 buckets
        row format serde 'org.openx.data.jsonserde.JsonSerDe'
        with serdeproperties ("ignore.malformed.json" = "true", 'mapping.day' = 'd')
        stored as inputformat 'org.apache.hadoop.mapred.TextInputFormat'
            outputformat 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
        location 's3://bucket/events/'
        tblproperties ('has_encrypted_data' = 'false', 'level' = 3, 'strict' = true)""".strip())
    assert table.name == named("`Sales`", "events")
    assert table.if_not_exists
    assert table.columns == (
        column("`year`", "int", "of the event"),
        column('"Month"', "string"),
        column("timestamp", "bigint"),
        HiveColumn(Identifier("user"), HiveType("varchar", (20,))),
        HiveColumn(Identifier("price"), HiveType("decimal", (8, 2))),
    )
    assert table.comment == "all of 'em"
    assert table.partitioned_by == (column("day", "string"), column("hour", "smallint", "UTC"))
    assert table.bucketing == Bucketing((Identifier("user"), Identifier("price")), 8, (Identifier("price"),))
    assert table.stored == Stored(
        input=Text("org.apache.hadoop.mapred.TextInputFormat"),
        output=Text("org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"),
        serde=Text("org.openx.data.jsonserde.JsonSerDe"),
        serde_properties={"ignore.malformed.json": "true", "mapping.day": "d"},
    )
    assert table.location == Text("s3://bucket/events/")
    assert table.properties == {"has_encrypted_data": "false", "level": "3", "strict": "true"}


def test_how_files_are_stored() -> None:
    assert stored("stored as parquet") == Stored(format=Text("PARQUET"))
    assert stored("stored as inputformat 'a.B'") == Stored(input=Text("a.B"))
    assert stored("row format delimited") == Stored(delimiters={})
    assert stored("row format delimited fields terminated by '\\t' stored as textfile") == Stored(
        format=Text("TEXTFILE"), delimiters={"FIELDS TERMINATED BY": "\t"}
    )
    every = r"""row format delimited fields terminated by '\001' escaped by '\\' collection items terminated by '|'
        map keys terminated by ':' lines terminated by '\n' null defined as '\\N'"""
    assert stored(every).delimiters == {
        "FIELDS TERMINATED BY": "\x01",
        "ESCAPED BY": "\\",
        "COLLECTION ITEMS TERMINATED BY": "|",
        "MAP KEYS TERMINATED BY": ":",
        "LINES TERMINATED BY": "\n",
        "NULL DEFINED AS": "\\N",
    }


def test_the_properties_of_redshift() -> None:
    table = table_of("create external table s.t (a int) stored as parquet location 's3://b/t' table properties ('numRows'='7')")
    assert table.properties == {"numRows": "7"}


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        ("STRING", "string"),
        ("Double Precision", "double precision"),
        ("character varying(7)", "character varying(7)"),
        ("varchar(max)", "varchar(65535)"),
        ("decimal(8,2)", "decimal(8,2)"),
        ("array<int>", "array<int>"),
        ("ARRAY < struct<a : int, `B`:array<string>> >", "array<struct<a:int,B:array<string>>>"),
        ("map<string,array<int>>", "map<string,array<int>>"),
        ('struct<timestamp:timestamp, "order":decimal(5,1) comment \'x\', map:int>', None),
    ],
)
def test_types(declared: str, text: str | None) -> None:
    (only,) = table_of(f"CREATE EXTERNAL TABLE t (a {declared}) LOCATION 's3://b/t/'").columns
    assert str(only.type) == (text or "struct<timestamp:timestamp,order:decimal(5,1),map:int>")


def test_a_struct_has_its_fields() -> None:
    (only,) = table_of("CREATE EXTERNAL TABLE t (a struct<x:int>) LOCATION 's3://b/t/'").columns
    assert only.type == HiveType("struct", fields=(HiveField("x", HiveType("int")),))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE DATABASE d", CreateDatabase(named("d"))),
        ("create schema if not exists `my-d`", CreateDatabase(named("`my-d`"), if_not_exists=True)),
        (
            "CREATE DATABASE d LOCATION 's3://b/d/' COMMENT 'it\\'s' WITH DBPROPERTIES ('a'='b', 'c.d'='e')",
            CreateDatabase(named("d"), False, "it's", "s3://b/d/", {"a": "b", "c.d": "e"}),
        ),
        ("ALTER SCHEMA d SET DBPROPERTIES ('a'='b')", AlterDatabase(named("d"), {"a": "b"})),
        (
            "create external schema s from data catalog database 'd' iam_role 'arn:x' region 'us-east-2' "
            "create external database if not exists",
            CreateExternalSchema(
                named("s"), "DATA CATALOG", Text("d"), False, True, {"IAM_ROLE": "arn:x", "REGION": "us-east-2"}
            ),
        ),
        (
            "create external schema if not exists s from hive metastore database 'd' uri '10.0.0.1' port 9083 iam_role default",
            CreateExternalSchema(
                named("s"), "HIVE METASTORE", Text("d"), True, False, {"URI": "10.0.0.1", "PORT": "9083", "IAM_ROLE": "default"}
            ),
        ),
        ("DROP TABLE IF EXISTS d.t", DropExternal("TABLE", named("d", "t"), if_exists=True)),
        ("DROP TABLE `my-d.my-t`", DropExternal("TABLE", named("`my-d`", "`my-t`"))),
        ("DROP DATABASE d CASCADE", DropExternal("DATABASE", named("d"), cascade=True)),
        (
            "drop schema s drop external database restrict",
            DropExternal("SCHEMA", named("s"), its_database=True),
        ),
        ("MSCK REPAIR TABLE d.t", RepairTable(named("d", "t"))),
        ("refresh table d.t", RefreshTable(named("d", "t"))),
        ("USE default", Use(named("default"))),
        ("SHOW SCHEMAS", ShowDatabases()),
        ("SHOW DATABASES LIKE '.*x'", ShowDatabases(".*x")),
        ("SHOW TABLES IN d '*logs'", ShowTables(named("d"), "*logs")),
        ("SHOW VIEWS LIKE 'a'", ShowTables(None, "a", only_views=True)),
        ("SHOW PARTITIONS t", ShowPartitions(named("t"))),
        ("SHOW COLUMNS IN t", ShowColumns(named("t"))),
        ("SHOW COLUMNS FROM t FROM d", ShowColumns(named("d", "t"))),
        ("SHOW CREATE TABLE d.t", ShowCreate(named("d", "t"))),
        ("SHOW CREATE VIEW v", ShowCreate(named("v"), "VIEW")),
        ("SHOW EXTERNAL TABLE s.t PARTITION", ShowCreate(named("s", "t"), with_partitions=True)),
        ("SHOW TBLPROPERTIES t('a.b')", ShowProperties(named("t"), "a.b")),
        ("DESCRIBE t", Describe(named("t"))),
        ("DESC FORMATTED d.t", Describe(named("d", "t"), detailed=True)),
        ("DESCRIBE t PARTITION (a='1', b=2) c", Describe(named("t"), False, spec(a="1", b="2"), Identifier("c"))),
    ],
)
def test_statements(text: str, expected: Statement) -> None:
    statement = parse_statement(text)
    assert statement == expected
    assert statement.text == text


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("ADD PARTITION (a='1')", AddPartitions(((spec(a="1"), None),))),
        (
            "add if not exists partition(a='2008-01', b=-7) location 's3://b/1/' partition (a=null, b=date '2020-01-01')",
            AddPartitions(((spec(a="2008-01", b="-7"), Text("s3://b/1/")), (spec(a=None, b="2020-01-01"), None)), True),
        ),
        ("DROP IF EXISTS PARTITION (a='1'), PARTITION (a=true)", DropPartitions((spec(a="1"), spec(a="true")), True)),
        ("PARTITION (a='1') RENAME TO PARTITION (a='2')", RenamePartition(spec(a="1"), spec(a="2"))),
        ("SET LOCATION 's3://b/t'", SetLocation(Text("s3://b/t"))),
        ("PARTITION (a='1') SET LOCATION 's3://b/t'", SetLocation(Text("s3://b/t"), spec(a="1"))),
        ("SET TBLPROPERTIES ('a'=\"it's\")", SetProperties({"a": "it's"})),
        ("set table properties ('a'='b')", SetProperties({"a": "b"})),
        ("set file format parquet", SetFormat(Text("PARQUET"))),
        ("ADD COLUMNS (a int, b string)", AddColumns((column("a", "int"), column("b", "string")))),
        ("add column a int", AddColumns((column("a", "int"),))),
        ("REPLACE COLUMNS (a int)", ReplaceColumns((column("a", "int"),))),
        ("PARTITION (a='1') ADD COLUMNS (b int)", SetPartitionColumns(spec(a="1"), (column("b", "int"),))),
        ("rename column a to b", RenameColumn(Identifier("a"), Identifier("b"))),
        ("drop column a cascade", DropColumn(Identifier("a"))),
    ],
)
def test_changes_of_tables(action: str, expected: object) -> None:
    assert parse_statement(f"ALTER TABLE d.t {action}") == AlterTable(named("d", "t"), expected)  # type: ignore[arg-type]


def test_backslashes_mean_something_only_in_these_statements() -> None:
    script = r"""CREATE EXTERNAL TABLE t (a int) ROW FORMAT SERDE 'x.OpenCSVSerde'
        WITH SERDEPROPERTIES ("quoteChar" = "\"", 'escapeChar' = '\\', 'it' = 'isn\'t; it''s') LOCATION 's3://b/t';
        SELECT '\' FROM s; /* a remark */ create external table u (a int) location 's3://b/\'u\'/'; SELECT "\" FROM s"""
    table, _, other, _ = parse(script)
    assert isinstance(table, CreateExternalTable)
    assert isinstance(other, CreateExternalTable)
    assert table.stored.serde_properties == {"quoteChar": '"', "escapeChar": "\\", "it": "isn't; it's"}
    assert other.location.text == "s3://b/'u'/"


@given(st.text())
def test_text_is_written_so_that_it_is_read_alike(text: str) -> None:
    assert unescaped(escaped(text)) == text
    statement = parse_statement(f"CREATE DATABASE d COMMENT {escaped(text)}")
    assert isinstance(statement, CreateDatabase)
    assert statement.comment == text


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("CREATE EXTERNAL TABLE t (a int)", "an external table needs the place of its files", (1, 23)),
        (SHORT.format("STORED AS PARQUET STORED AS ORC"), "STORED AS is said twice", (1, 61)),
        (SHORT.format("ROW FORMAT SERDE 'a' ROW FORMAT DELIMITED"), "ROW FORMAT is said twice", (1, 33)),
        ("CREATE EXTERNAL TABLE `` (a int) LOCATION 's3://b/t'", "names are not written in back-ticks here", (1, 23)),
        ("SHOW TABLES FROM d", "unexpected FROM, expected a name, a string, IN or the end", (1, 13)),
    ],
)
def test_errors(text: str, message: str, place: tuple[int, int]) -> None:
    with pytest.raises(ProgrammingError) as caught:
        parse_statement(text)
    span = caught.value.span
    assert span is not None
    assert (caught.value.message, (span.line, span.column)) == (message, place)
