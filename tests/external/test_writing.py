"""CREATE TABLE AS, INSERT and UNLOAD: what they write, read back by StreamSQL, DuckDB and pyarrow."""

from __future__ import annotations

import gzip
import json
import shutil
import tempfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.engine.engine import Engine
from streamsql.errors import Error, ProgrammingError
from streamsql.time import ManualClock, from_datetime
from tests.external.lake import Lake

SOURCE = """
CREATE EXTERNAL TABLE src (b boolean, i tinyint, l bigint, d decimal(9,2), f float, g double, s string, x binary, t date,
    m timestamp, tags array<string>, who struct<Name:string,age:int>, scores map<string,double>, k string, n int)
STORED AS PARQUET LOCATION 's3://lake/src/';
"""

COLUMNS = "b, i, l, d, f, g, s, x, t, m, tags, who, scores, k, n"

SCHEMA = pa.schema(
    [
        ("b", pa.bool_()),
        ("i", pa.int8()),
        ("l", pa.int64()),
        ("d", pa.decimal128(9, 2)),
        ("f", pa.float32()),
        ("g", pa.float64()),
        ("s", pa.string()),
        ("x", pa.binary()),
        ("t", pa.date32()),
        ("m", pa.timestamp("ms")),
        ("tags", pa.list_(pa.string())),
        ("who", pa.struct([("Name", pa.string()), ("age", pa.int32())])),
        ("scores", pa.map_(pa.string(), pa.float64())),
        ("k", pa.string()),
        ("n", pa.int32()),
    ]
)

texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",), exclude_characters="\x00"), max_size=6)
scores = st.dictionaries(texts, st.none() | st.integers(-9, 9).map(float), max_size=2)
times = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)).map(
    lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000)
)
rows = st.fixed_dictionaries(
    {
        "b": st.none() | st.booleans(),
        "i": st.none() | st.integers(-128, 127),
        "l": st.none() | st.integers(-(2**63), 2**63 - 1),
        "d": st.none() | st.decimals("-9999999", "9999999", places=2),
        "f": st.none() | st.floats(width=32, allow_nan=False),
        "g": st.none() | st.floats(allow_nan=False),
        "s": st.none() | texts,
        "x": st.none() | st.binary(max_size=4),
        "t": st.none() | st.dates(date(1900, 1, 1), date(2200, 1, 1)),
        "m": st.none() | times,
        "tags": st.none() | st.lists(st.none() | texts, max_size=3),
        "who": st.none() | st.fixed_dictionaries({"Name": st.none() | texts, "age": st.none() | st.integers(0, 99)}),
        "scores": st.none() | scores.map(lambda d: list(d.items())),
        "k": st.none() | texts,
        "n": st.none() | st.integers(-3, 3),
    }
)  # fmt: skip


def in_order(found: list[Any]) -> list[str]:
    return sorted(map(repr, found))


@settings(max_examples=25, deadline=None)
@given(st.lists(rows, max_size=12), st.sampled_from(["PARQUET", "JSON"]), st.integers(0, 2))
def test_what_is_written_is_read(given_rows: list[dict[str, Any]], format_: str, keys: int) -> None:
    root = Path(tempfile.mkdtemp())
    try:
        lake = Lake(root)
        lake.write("lake/src/a.parquet", pa.Table.from_pylist(given_rows, SCHEMA))
        lake.run(SOURCE)
        by = {0: "", 1: ", partitioned_by = ARRAY['n']", 2: ", partitioned_by = ARRAY['k', 'n']"}[keys]
        lake.run(
            f"CREATE TABLE copied WITH (format = '{format_}', external_location = 's3://lake/copied/'{by}) AS SELECT * FROM src"
        )
        expected = lake.rows(f"SELECT {COLUMNS} FROM src")
        if keys == 2:  # a folder cannot tell an empty text from NULL
            expected = [(*row[:-2], row[-2] or None, row[-1]) for row in expected]
        assert in_order(lake.rows(f"SELECT {COLUMNS} FROM copied")) == in_order(expected)
        assert lake.lost == []
        files = [path for path in (root / "lake/copied").rglob("*") if path.is_file()] if given_rows else []
        if format_ == "PARQUET" and files:
            data = [c for c in COLUMNS.split(", ") if c not in ["k", "n"][2 - keys :]]
            held = pa.concat_tables([pq.read_table(path, partitioning=None) for path in files]).select(data)
            wanted = pa.Table.from_pylist(given_rows, SCHEMA).select(data)
            assert in_order(held.to_pylist()) == in_order(wanted.to_pylist())
            paths = ", ".join("'" + str(path).replace("'", "''") + "'" for path in files)
            found = duckdb.sql(f"SELECT {', '.join(data)} FROM read_parquet([{paths}], hive_partitioning = false)").fetchall()
            known = duckdb.sql(f"SELECT {', '.join(data)} FROM read_parquet('{root}/lake/src/a.parquet')").fetchall()
            assert in_order(found) == in_order(known)
    finally:
        shutil.rmtree(root)


@pytest.fixture
def sales(lake: Lake) -> Lake:
    lake.json(
        "lake/sales/a.json",
        *(
            {"id": i, "region": ["eu", "us", None, "a/b=c"][i % 4], "day": f"2024-05-0{i % 3 + 1}", "price": i / 4}
            for i in range(24)
        ),
    )
    lake.run("""
        CREATE EXTERNAL TABLE sales (id int, region string, day date, price double)
        ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://lake/sales/';
        CREATE DATABASE made LOCATION 's3://lake/made/';
    """)  # fmt: skip
    return lake


def paths(lake: Lake, folder: str) -> list[str]:
    """The files of a folder, their names cut to what does not change."""
    root = lake.root / folder
    found = [path.relative_to(root) for path in root.rglob("*") if path.is_file()]
    return sorted(f"{path.parent}/{path.name.rpartition('_')[2]}" for path in found)


def test_partitions_as_hive_and_duckdb_have_them(sales: Lake) -> None:
    sales.run("CREATE TABLE made.t WITH (partitioned_by = ARRAY['day', 'region']) AS SELECT id, price, day, region FROM sales")
    assert paths(sales, "lake/made/t")[:2] == [
        "day=2024-05-01/region=__HIVE_DEFAULT_PARTITION__/000000000006.parquet",
        "day=2024-05-01/region=a%2Fb%3Dc/000000000003.parquet",
    ]
    query = "SELECT region, COUNT(*), SUM(price) FROM {} WHERE day = DATE '2024-05-02' GROUP BY region"
    files = f"read_parquet('{sales.root}/lake/made/t/*/*/*.parquet', hive_partitioning = true)"
    ours = sales.rows(query.format("made.t"))
    assert in_order(ours) == in_order(sales.rows(query.format("sales")))
    assert in_order(ours) == in_order(duckdb.sql(query.format(files)).fetchall())
    assert sales.counts("SELECT id FROM made.t WHERE region = 'eu' AND day = DATE '2024-05-01'").files == 1


def test_insert_makes_new_files_and_registers_partitions(sales: Lake) -> None:
    sales.run("""
        CREATE EXTERNAL TABLE t (id int, price double) PARTITIONED BY (region string) STORED AS PARQUET LOCATION 's3://lake/t';
        ALTER TABLE t ADD PARTITION (region='us') LOCATION 's3://lake/elsewhere/';
        INSERT INTO t SELECT id, price, region FROM sales;
        INSERT INTO t VALUES (100, 0.5, 'eu'), (101, NULL, 'asia');
        INSERT INTO default.t (region, id) SELECT 'asia', id FROM sales WHERE id < 2;
    """)  # fmt: skip
    table = sales.engine.catalog.databases.table("t")
    assert table is not None
    assert table.partitions.names() == [
        "region=us",
        "region=eu",
        "region=__HIVE_DEFAULT_PARTITION__",
        "region=a/b=c",
        "region=asia",
    ]
    assert len(paths(sales, "lake/elsewhere")) == 1  # where the partition is registered
    assert len(paths(sales, "lake/t")) == 6
    counts = dict(sales.rows("SELECT region, COUNT(*) FROM t GROUP BY region"))
    assert counts == {"us": 6, "eu": 7, None: 6, "a/b=c": 6, "asia": 3}
    sales.run("CREATE EXTERNAL TABLE again (id int) PARTITIONED BY (region string) STORED AS PARQUET LOCATION 's3://lake/t/'")
    sales.run("MSCK REPAIR TABLE again")
    assert dict(sales.rows("SELECT region, COUNT(*) FROM again GROUP BY region")) == {
        k: v for k, v in counts.items() if k != "us"
    }


def test_a_table_can_be_read_and_written_at_once(sales: Lake) -> None:
    sales.run("CREATE TABLE made.t AS SELECT id FROM sales; INSERT INTO made.t SELECT id + 100 FROM made.t; USE made")
    assert sales.rows("SELECT COUNT(*), MAX(id) FROM t") == [(48, 123)]


def test_projected_partitions_are_written_where_they_are_projected(sales: Lake) -> None:
    sales.run("""
        CREATE EXTERNAL TABLE p (id int) PARTITIONED BY (month int, day date, who string) STORED AS JSON LOCATION 's3://lake/p/'
        TBLPROPERTIES ('projection.enabled'='true', 'projection.month.type'='integer', 'projection.month.range'='1,12',
            'projection.month.digits'='2', 'projection.day.type'='date', 'projection.day.range'='2024/05/01,2024/05/02',
            'projection.day.format'='yyyy/MM/dd', 'projection.who.type'='injected',
            'storage.location.template'='s3://lake/p/${who}/${month}/${day}/', 'write.compression'='NONE');
        INSERT INTO p SELECT id, 5, day, 'x' FROM sales;
    """)  # fmt: skip
    assert paths(sales, "lake/p") == ["x/05/2024/05/01/000000000000.json", "x/05/2024/05/02/000000000001.json"]
    assert sales.rows("SELECT COUNT(*) FROM p WHERE who = 'x'") == [(16,)]
    assert len(sales.lost) == 8
    assert sales.lost[0]["MESSAGE"] == "default.p has no partition month=5/day=2024-05-03/who=x"


def test_a_projection_goes_on_with_the_clock(tmp_path: Path) -> None:
    clock = ManualClock(from_datetime(datetime(2024, 5, 1, 23, 59, 59, tzinfo=UTC)))
    engine = Engine(clock, s3_root=str(tmp_path), interactive=True)
    engine.execute_script("""
        CREATE STREAM s (a INTEGER);
        CREATE EXTERNAL TABLE p (a int) PARTITIONED BY (day date) STORED AS JSON LOCATION 's3://lake/p/'
        TBLPROPERTIES ('projection.enabled'='true', 'projection.day.type'='date', 'projection.day.range'='2024-05-01,NOW',
            'projection.day.format'='yyyy-MM-dd', 'write.maxfilerows'='1');
        CREATE PUMP w AS INSERT INTO p SELECT STREAM a, CAST(s.ROWTIME AS DATE) FROM s;
        INSERT INTO s VALUES (1);
    """)
    clock.set(from_datetime(datetime(2024, 5, 2, tzinfo=UTC)))
    engine.execute_script("INSERT INTO s VALUES (2)")
    engine.table_sinks.commit(engine.table_sinks.prepare())
    assert sorted(path.parent.name for path in tmp_path.rglob("*.gz")) == ["day=2024-05-01", "day=2024-05-02"]


def test_text_that_the_delimiters_cannot_tell_apart_is_lost_alone(lake: Lake) -> None:
    lake.run(r"""
        CREATE EXTERNAL TABLE plain (i int, s string) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://lake/plain/';
        CREATE EXTERNAL TABLE escaped (i int, s string)
        ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' ESCAPED BY '\\' NULL DEFINED AS 'nil' LOCATION 's3://lake/escaped/'
        TBLPROPERTIES ('skip.header.line.count'='1', 'write.compression'='none');
        INSERT INTO plain VALUES (1, 'a'), (2, 'a,b'), (3, NULL), (4, ''), (5, '\N');
        INSERT INTO escaped VALUES (1, 'a,b'), (2, 'back\slash'), (3, NULL), (4, 'nil');
    """)
    assert lake.rows("SELECT * FROM plain ORDER BY i") == [(1, "a"), (3, None), (4, "")]
    assert lake.rows("SELECT * FROM escaped ORDER BY i") == [(1, "a,b"), (2, "back\\slash"), (3, None)]
    (file,) = (lake.root / "lake/escaped").iterdir()
    assert file.read_text().splitlines()[0] == "i,s"
    assert [bytes.fromhex(row["DATA_ROW"]) for row in lake.lost] == [
        b'{"EXPR$0": 2, "EXPR$1": "a,b"}',
        b'{"EXPR$0": 5, "EXPR$1": "\\\\N"}',
        b'{"EXPR$0": 4, "EXPR$1": "nil"}',
    ]


def test_null_is_as_the_property_of_redshift_says(lake: Lake) -> None:
    lake.run("""
        CREATE EXTERNAL TABLE t (i int, s string) ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' LOCATION 's3://lake/t/'
        TABLE PROPERTIES ('serialization.null.format'='nil', 'compression_type'='none');
        INSERT INTO t VALUES (1, NULL), (2, 'x');
    """)
    (file,) = (lake.root / "lake/t").iterdir()
    assert file.read_text() == "1|nil\n2|x\n"
    assert lake.rows("SELECT * FROM t ORDER BY i") == [(1, None), (2, "x")]


@pytest.mark.parametrize(
    ("properties", "compression"),
    [
        ("", "GZIP"),
        (", write_compression = 'SNAPPY'", "SNAPPY"),
        (", parquet_compression = 'zstd', compression_level = 9", "ZSTD"),
    ],
)
def test_parquet_is_compressed_as_asked(sales: Lake, properties: str, compression: str) -> None:
    sales.run(f"CREATE TABLE made.t WITH (format = 'PARQUET'{properties}) AS SELECT * FROM sales")
    (file,) = (sales.root / "lake/made/t").iterdir()
    assert pq.ParquetFile(file).metadata.row_group(0).column(0).compression == compression
    sales.run("INSERT INTO made.t SELECT * FROM sales")  # the table remembers
    for file in (sales.root / "lake/made/t").iterdir():
        assert pq.ParquetFile(file).metadata.row_group(0).column(0).compression == compression


def test_pages_have_an_index_and_columns_that_a_property_names_bloom_filters(sales: Lake) -> None:
    sales.run("""
        CREATE EXTERNAL TABLE t (id int, Code string, price decimal(9,2)) STORED AS PARQUET LOCATION 's3://lake/t/'
        TBLPROPERTIES ('parquet.bloom.filter.columns'='code, price');
        CREATE EXTERNAL TABLE numbers (n int) STORED AS JSON LOCATION 's3://lake/numbers/';
    """)
    sales.json("lake/numbers/a.json", *({"n": n} for n in range(0, 4000, 2)))
    sales.run("INSERT INTO t SELECT n, CAST(n + 10000 AS varchar(9)), n FROM numbers")
    (file,) = (sales.root / "lake/t").iterdir()
    group = pq.read_metadata(file).row_group(0)
    assert [group.column(i).bloom_filter_length is not None for i in range(3)] == [False, True, True]
    assert all(group.column(i).has_column_index for i in range(3))
    assert group.column(1).bloom_filter_length < 5000  # as large as its values need
    assert sales.counts("SELECT id FROM t WHERE code = '12000'").row_groups_filtered == 0
    assert sales.counts("SELECT id FROM t WHERE code = '12001'").row_groups_filtered == 1
    assert sales.counts("SELECT id FROM t WHERE price = 2001").row_groups_filtered == 1


def test_a_failed_statement_leaves_nothing(sales: Lake) -> None:
    with pytest.raises(Error):
        sales.run("CREATE TABLE made.t AS SELECT id, (SELECT id FROM sales) AS one FROM sales")
    assert paths(sales, "lake/made") == []
    assert sales.engine.catalog.databases.table("t", "made") is None


def test_no_table_is_made_of_a_place_that_is_not_empty(sales: Lake) -> None:
    with pytest.raises(ProgrammingError, match="HIVE_PATH_ALREADY_EXISTS: Target directory for table"):
        sales.run("CREATE TABLE t WITH (external_location = 's3://lake/sales/') AS SELECT 1 AS a")


def test_redshift_makes_tables_of_queries(sales: Lake) -> None:
    sales.run("""
        CREATE EXTERNAL SCHEMA s FROM DATA CATALOG DATABASE 'made' IAM_ROLE 'arn:aws:iam::1:role/r';
        CREATE EXTERNAL TABLE s.t PARTITIONED BY (region) STORED AS PARQUET LOCATION 's3://lake/r/'
        TABLE PROPERTIES ('write.maxfilesize.mb'='5') AS SELECT region, id, price AS "Price" FROM sales WHERE region IS NOT NULL;
    """)  # fmt: skip
    assert sales.rows('SELECT SUM(id), SUM("price"), COUNT(DISTINCT region) FROM s.t') == [(204, 51.0, 3)]


# -- UNLOAD ------------------------------------------------------------------------------------------------------------


def test_unload_of_athena(sales: Lake) -> None:
    sales.run(
        "UNLOAD (SELECT id, day FROM sales WHERE id < 4) TO 's3://lake/u/' WITH (format = 'JSON', partitioned_by = ARRAY['day'])"
    )
    assert paths(sales, "lake/u") == [f"day=2024-05-0{i + 1}/00000000000{i}.json.gz" for i in range(3)]
    first = next((sales.root / "lake/u/day=2024-05-01").iterdir())
    assert [json.loads(line) for line in gzip.decompress(first.read_bytes()).splitlines()] == [{"id": 0}, {"id": 3}]
    with pytest.raises(ProgrammingError, match="HIVE_PATH_ALREADY_EXISTS"):
        sales.run("UNLOAD (SELECT id FROM sales) TO 's3://lake/u/' WITH (format = 'PARQUET')")


def unloaded(
    lake: Lake, options: str, query: str = "SELECT id, region, price, id > 1 AS late FROM sales WHERE id < 4 ORDER BY id"
) -> str:
    quoted = query.replace("'", "''")
    lake.run(f"UNLOAD ('{quoted}') TO 's3://lake/u/x_' IAM_ROLE default {options}")
    (file,) = (lake.root / "lake/u").iterdir()
    return file.read_text()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ("", "0|eu|0.0|f\n1|us|0.25|f\n2||0.5|t\n3|a/b=c|0.75|t\n"),
        ("CSV HEADER", "id,region,price,late\n0,eu,0.0,f\n1,us,0.25,f\n2,,0.5,t\n3,a/b=c,0.75,t\n"),
        ("DELIMITER AS '=' ESCAPE NULL AS 'nil'", "0=eu=0.0=f\n1=us=0.25=f\n2=nil=0.5=t\n3=a/b\\=c=0.75=t\n"),
        ("ADDQUOTES DELIMITER ','", '"0","eu","0.0","f"\n"1","us","0.25","f"\n"2",,"0.5","t"\n"3","a/b=c","0.75","t"\n'),
    ],
)
def test_text_of_redshift(sales: Lake, options: str, text: str) -> None:
    assert unloaded(sales, options) == text


def test_files_of_redshift(sales: Lake) -> None:
    sales.run("UNLOAD ('SELECT id, region FROM sales WHERE id < 2') TO 's3://lake/u/x_' PARALLEL OFF GZIP MANIFEST VERBOSE")
    assert sorted(path.name for path in (sales.root / "lake/u").iterdir()) == ["x_000.gz", "x_manifest"]
    manifest = json.loads((sales.root / "lake/u/x_manifest").read_text())
    assert manifest["entries"][0]["url"] == "s3://lake/u/x_000.gz"
    assert manifest["entries"][0]["meta"]["record_count"] == 2
    with pytest.raises(ProgrammingError, match="Specified unload destination on S3 is not empty"):
        sales.run("UNLOAD ('SELECT 1 AS a') TO 's3://lake/u/x_'")
    sales.run("UNLOAD ('SELECT 1 AS a') TO 's3://lake/u/x_' CLEANPATH FORMAT AS PARQUET EXTENSION 'parquet'")
    assert [path.name for path in (sales.root / "lake/u").iterdir()] == ["x_0000_part_00.parquet"]
    sales.run("UNLOAD ('SELECT 2 AS a') TO 's3://lake/u/x_' ALLOWOVERWRITE PARQUET")
    assert pq.read_table(sales.root / "lake/u/x_0000_part_00.parquet").to_pylist() == [{"a": 2}]


def test_partitions_of_redshift_keep_their_columns_only_where_asked(sales: Lake) -> None:
    for word, columns in (("", ["id"]), ("INCLUDE", ["id", "region"])):
        folder = f"u{word}"
        sales.run(f"UNLOAD ('SELECT region, id FROM sales') TO 's3://lake/{folder}' PARQUET PARTITION BY (region) {word}")
        files = list((sales.root / "lake" / folder).rglob("*.parquet"))
        assert sorted(file.parent.name for file in files)[0] == "region=__HIVE_DEFAULT_PARTITION__"
        assert pq.read_schema(files[0]).names == columns


def test_every_compression_of_text(sales: Lake) -> None:
    sales.run("CREATE TABLE made.expected AS SELECT id, region FROM sales")
    for name in ("GZIP", "BZIP2", "ZSTD", "NONE"):
        sales.run(
            f"CREATE TABLE made.{name}_t WITH (format = 'JSON', write_compression = '{name}') AS SELECT id, region FROM sales"
        )
        assert sales.rows(f"SELECT * FROM made.{name}_t ORDER BY id") == sales.rows("SELECT * FROM made.expected ORDER BY id")


def test_values(lake: Lake) -> None:
    lake.run(
        "CREATE DATABASE made LOCATION 's3://lake/made/'; CREATE TABLE made.t AS SELECT CAST(1.50 AS DECIMAL(4,2)) AS d, 'é' AS s"
    )
    assert lake.rows("SELECT * FROM made.t") == [(Decimal("1.50"), "é")]
    table = lake.engine.catalog.databases.table("t", "made")
    assert table is not None
    assert [str(column.declared.type) for column in table.columns] == ["decimal(4,2)", "string"]


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("INTEGER", ["1", "-20", "NULL"]),
        ("BOOLEAN", ["TRUE", "FALSE", "NULL"]),
        ("DECIMAL(6, 2)", ["1.50", "-0.25", "1000.00"]),
        ("DOUBLE", ["0.1", "1e20", "-2.0"]),
        ("DATE", ["DATE '2024-02-29'", "DATE '1969-12-31'", "NULL"]),
        ("TIMESTAMP", ["TIMESTAMP '2024-02-29 10:20:30.5'", "TIMESTAMP '1969-12-31 00:00:00'"]),
        ("VARCHAR(60)", ["'a b'", "'x=y/z'", "'%41'", "'.hidden'", "'_v'", "'é~'", "'..'", "'__HIVE_DEFAULT_PARTITION__x'"]),
    ],
)
def test_keys_of_every_type_are_found_again(lake: Lake, type_: str, values: list[str]) -> None:
    rows_ = ", ".join(f"({i}, CAST({value} AS {type_}))" for i, value in enumerate(values))
    hive = {"INTEGER": "int", "VARCHAR(60)": "string"}.get(type_, type_)
    lake.run(f"""
        CREATE TABLE t WITH (external_location = 's3://lake/t/', partitioned_by = ARRAY['k'])
        AS SELECT i, k FROM (VALUES {rows_}) AS v (i, k);
        CREATE EXTERNAL TABLE again (i int) PARTITIONED BY (k {hive}) STORED AS PARQUET LOCATION 's3://lake/t/';
        MSCK REPAIR TABLE again;
    """)
    found = lake.rows("SELECT i, k FROM t ORDER BY i")
    assert [i for i, _ in found] == list(range(len(values)))
    assert lake.rows("SELECT i, k FROM again ORDER BY i") == found
    for i, value in enumerate(values):
        if value != "NULL":
            assert lake.rows(f"SELECT i FROM t WHERE k = CAST({value} AS {type_})") == [(i,)]


def test_columns_whose_values_do_not_come_again_have_no_dictionary(lake: Lake) -> None:
    count = 20_000
    numbers = range(count)
    rows = pa.table({
        "b": [number % 2 == 0 for number in numbers],
        "i": pa.array(numbers, pa.int32()),
        "d": pa.array([Decimal(number) / 100 for number in numbers], pa.decimal128(9, 2)),
        "g": [number / 7 for number in numbers],
        "s": [f"text {number}" for number in numbers],
        "w": [f"word {number % 10}" for number in numbers],
        "x": [b"%d" % number for number in numbers],
        "t": pa.array([number % 100 for number in numbers], pa.int32()).cast(pa.date32()),
        "m": pa.array([number * 1000 for number in numbers], pa.timestamp("ms")),
    })  # fmt: skip
    lake.write("lake/many/0.parquet", rows)
    columns = "b boolean, i int, d decimal(9,2), g double, s string, w string, x binary, t date, m timestamp"
    lake.run(f"CREATE EXTERNAL TABLE many ({columns}) STORED AS PARQUET LOCATION 's3://lake/many/'")
    lake.run("UNLOAD (SELECT * FROM many) TO 's3://lake/out/' WITH (format = 'PARQUET')")
    (file,) = (lake.root / "lake/out").iterdir()
    chunks = [pq.read_metadata(file).row_group(0).column(i) for i in range(rows.num_columns)]
    assert [chunk.path_in_schema for chunk in chunks if chunk.has_dictionary_page] == ["w", "t"]
    assert pq.read_table(file).equals(rows)
