"""External tables on S3: what is listed, read and pruned against a server of S3's API."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import streamsql
from streamsql.engine.engine import Engine
from streamsql.errors import OperationalError, ProgrammingError
from streamsql.external.scan.scan import Scan
from streamsql.plan.nodes import requests_of
from streamsql.sql.parser import parse

if TYPE_CHECKING:
    from s3_server import Bucket


def parquet(table: pa.Table, **settings: Any) -> bytes:
    """A Parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, **settings)
    return sink.getvalue().to_pybytes()


def numbers(start: int, stop: int) -> pa.Table:
    ids = range(start, stop)
    return pa.table({"id": pa.array(ids, pa.int32()), "name": [f"n{i % 10}" for i in ids], "price": [i / 2 for i in ids]})


@pytest.fixture
def con() -> streamsql.Connection:
    return streamsql.connect()


def test_partitions_under_hive_prefixes(bucket: Bucket, con: streamsql.Connection) -> None:
    for i, (year, month) in enumerate([("2023", "1"), ("2023", "12"), ("2024", "1"), ("2024", "2")]):
        bucket.put(f"t/year={year}/month={month}/a.parquet", parquet(numbers(100 * i, 100 * i + 100)))
    con.executescript(f"""
        CREATE EXTERNAL TABLE t (id int, name string, price double) PARTITIONED BY (year string, month int)
        STORED AS PARQUET LOCATION '{bucket.uri("t/")}';
        MSCK REPAIR TABLE t;
    """)
    assert con.execute("SELECT year, month, COUNT(*), MAX(id) FROM t GROUP BY year, month ORDER BY 1, 2").fetchall() == [
        ("2023", 1, 100, 99),
        ("2023", 12, 100, 199),
        ("2024", 1, 100, 299),
        ("2024", 2, 100, 399),
    ]
    found = con.execute("""SELECT DISTINCT "$path" FROM t WHERE year = '2024' AND month = 2""").fetchall()
    assert found == [(bucket.uri("t/year=2024/month=2/a.parquet"),)]


def table(con: streamsql.Connection, bucket: Bucket, *keys: str, stored: str = "JSON", folder: str = "t/") -> None:
    """A table `t` of ids, its partitions found."""
    partitioned = f"PARTITIONED BY ({', '.join(keys)})" if keys else ""
    con.execute(f"CREATE EXTERNAL TABLE t (id int) {partitioned} STORED AS {stored} LOCATION '{bucket.uri(folder)}'")
    if keys:
        con.execute("MSCK REPAIR TABLE t")


def test_keys_of_any_letters(bucket: Bucket, con: streamsql.Connection) -> None:
    values = ["a b", "a+b", "x=y", "São Paulo", "日本", "100%", "q?r=s", "&", "a'b"]
    for i, value in enumerate(values):
        bucket.put(f"t/k={value}/f {value}.json", f'{{"id": {i}}}\n')
    bucket.put("t/k=c%20d%2Fe/f%20g.json", '{"id": 99}\n')  # as Hive escapes what cannot be in a folder's name
    table(con, bucket, "k string")
    found = con.execute('SELECT k, id, "$path" FROM t ORDER BY id').fetchall()
    expected = [(value, i, bucket.uri(f"t/k={value}/f {value}.json")) for i, value in enumerate(values)]
    assert found == [*expected, ("c d/e", 99, bucket.uri("t/k=c%20d%2Fe/f%20g.json"))]
    assert con.execute("SELECT id FROM t WHERE k = 'a+b'").fetchall() == [(1,)]


def test_marks_of_folders_and_what_writers_leave_are_no_files(bucket: Bucket, con: streamsql.Connection) -> None:
    for mark in ("t/", "t/k=1/", "t/k=2/", "t/k=2_$folder$", "t/k=1/_SUCCESS", "t/k=1/.part.crc", "t/k=1/empty.json"):
        bucket.put(mark, "")
    bucket.put("t/k=1/_temporary/0/x.json", '{"id": 7}\n')
    bucket.put("t/k=1/a.json", '{"id": 1}\n')
    bucket.put("t2/k=1/a.json", '{"id": 8}\n')
    table(con, bucket, "k int", folder="t")
    assert con.execute("SHOW PARTITIONS t").fetchall() == [("k=1",), ("k=2",)]
    assert con.execute("SELECT k, id FROM t").fetchall() == [(1, 1)]


def test_a_prefix_without_objects_has_no_rows(bucket: Bucket, con: streamsql.Connection) -> None:
    table(con, bucket, "k int", folder="nothing/")
    assert con.execute("SELECT COUNT(*) FROM t").fetchall() == [(0,)]
    con.execute(f"ALTER TABLE t ADD PARTITION (k=1) LOCATION '{bucket.uri('none either/')}'")
    assert con.execute("SELECT COUNT(*) FROM t").fetchall() == [(0,)]


def test_compressed_text(bucket: Bucket, con: streamsql.Connection) -> None:
    lines = "".join(f"{i},n{i}\n" for i in range(100_000))
    bucket.put("t/a.csv.gz", gzip.compress(lines.encode()))
    con.execute(f"""
        CREATE EXTERNAL TABLE t (id int, name string) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION '{bucket.uri("t/")}'
    """)
    assert con.execute("SELECT COUNT(*), SUM(id), MAX(name) FROM t").fetchall() == [(100_000, 4_999_950_000, "n99999")]


def test_an_object_of_many_row_groups(bucket: Bucket, con: streamsql.Connection) -> None:
    wide = numbers(0, 200_000).append_column("text", pa.array([f"{i:>60}" for i in range(200_000)]))
    bucket.put("t/a.parquet", parquet(wide, row_group_size=20_000, use_dictionary=False))
    con.execute(f"CREATE EXTERNAL TABLE t (id int, text string) STORED AS PARQUET LOCATION '{bucket.uri('t/')}'")
    assert con.execute("SELECT COUNT(*), SUM(id), MAX(text) FROM t").fetchall() == [(200_000, 19_999_900_000, f"{199_999:>60}")]
    assert con.execute("SELECT text FROM t WHERE id = 150000").fetchall() == [(f"{150_000:>60}",)]


# -- few requests ------------------------------------------------------------------------------------------------------


def asked(bucket: Bucket, con: streamsql.Connection, query: str) -> tuple[int, int, int]:
    """The requests of a query: for listings, for what is known of objects, for bytes of them."""
    bucket.server.forget()
    cursor = con.execute(query)
    if cursor.description is not None:
        cursor.fetchall()
    requests = bucket.server.requests
    counts = sum(each.is_listing for each in requests), sum(each.method == "HEAD" for each in requests)
    return *counts, len(requests) - sum(counts)


@pytest.fixture
def days(bucket: Bucket, con: streamsql.Connection) -> Bucket:
    """A table of 96 days in months in two years, an object of 3 rows for each."""
    data = parquet(numbers(0, 3))
    for day in range(96):
        bucket.put(f"t/year={2023 + day // 48}/month={day // 12 % 4}/day={day % 12}/a.parquet", data)
    bucket.put("t/year=2023/month=0/day=0/b/c.parquet", data)
    table(con, bucket, "year int", "month int", "day int", stored="PARQUET")
    return bucket


def test_partitions_that_lie_together_are_listed_together(days: Bucket, con: streamsql.Connection) -> None:
    assert con.execute("SELECT COUNT(*), SUM(day) FROM t").fetchall() == [(291, 8 * 3 * sum(range(12)))]
    assert asked(days, con, "SELECT COUNT(*) FROM t") == (1, 0, 0)  # the footers are known
    assert asked(days, con, "SELECT COUNT(*) FROM t WHERE year = 2024") == (1, 0, 0)
    assert asked(days, con, "SELECT COUNT(*) FROM t WHERE year = 2024 AND month = 3") == (1, 0, 0)
    assert asked(days, con, "SELECT COUNT(*) FROM t WHERE day = 7") == (8, 0, 0)
    assert asked(days, con, "SELECT COUNT(*) FROM t WHERE year = 2024 AND month = 3 OR day = 9 AND month = 1") == (3, 0, 0)
    assert con.execute("SELECT year, month, COUNT(*) FROM t WHERE day < 8 AND month < 2 GROUP BY year, month").fetchall() == [
        (2023, 0, 27),
        (2023, 1, 24),
        (2024, 0, 24),
        (2024, 1, 24),
    ]


def test_partitions_elsewhere_are_listed_by_themselves(days: Bucket, con: streamsql.Connection) -> None:
    days.put("elsewhere/a.parquet", parquet(numbers(0, 5)))
    con.execute(f"ALTER TABLE t ADD PARTITION (year=1999, month=1, day=1) LOCATION '{days.uri('elsewhere')}'")
    assert con.execute("SELECT COUNT(*) FROM t").fetchall() == [(296,)]
    assert asked(days, con, "SELECT COUNT(*) FROM t")[0] == 2


def test_a_known_object_takes_the_requests_of_its_bytes(bucket: Bucket, con: streamsql.Connection) -> None:
    columns = {f"c{i}": pa.array([f"{i}-{row:>40}" for row in range(20_000)]) for i in range(10)}
    bucket.put(
        "t/a.parquet",
        parquet(pa.table({"id": range(20_000), **columns}), row_group_size=5000, use_dictionary=False, compression="none"),
    )
    declared = ", ".join(["id int", *(f"c{i} string" for i in range(10))])
    con.execute(f"CREATE EXTERNAL TABLE t ({declared}) STORED AS PARQUET LOCATION '{bucket.uri('t/')}'")
    assert asked(bucket, con, "SELECT c3 FROM t") == (1, 1, 1 + 4)  # the footer, and a column of four row groups
    assert asked(bucket, con, "SELECT c3 FROM t") == (1, 0, 4)
    assert asked(bucket, con, "SELECT c3, c4 FROM t") == (1, 0, 4)  # neighbours are read together
    assert asked(bucket, con, "SELECT COUNT(c3) FROM t WHERE id = 7000") == (1, 0, 2)
    assert asked(bucket, con, "SELECT * FROM t WHERE id > 4998") == (1, 0, 4 + 2)  # ids first, as the rest is large
    assert con.execute("SELECT id, c9 FROM t WHERE id IN (4999, 5000)").fetchall() == [
        (4999, f"9-{4999:>40}"),
        (5000, f"9-{5000:>40}"),
    ]


def test_bloom_filters_are_read_where_that_pays(bucket: Bucket, con: streamsql.Connection) -> None:
    for name, count in (("wide", 40_000), ("narrow", 4_000)):
        ids = pa.table({"id": [f"{i * 7919 % count:040d}" for i in range(count)]})
        filters = {"id": {"ndv": count // 4, "fpp": 0.001}}
        settings = {"row_group_size": count // 4, "use_dictionary": False, "compression": "none"}
        bucket.put(f"{name}/a.parquet", parquet(ids, bloom_filter_options=filters, **settings))
        con.execute(f"CREATE EXTERNAL TABLE {name} (id string) STORED AS PARQUET LOCATION '{bucket.uri(name)}/'")
        con.execute(f"SELECT COUNT(*) FROM {name}").fetchall()  # the footer is known
    assert asked(bucket, con, f"SELECT id FROM wide WHERE id = '{2000:040d}x'") == (1, 0, 1)
    assert asked(bucket, con, f"SELECT id FROM wide WHERE id = '{2000:040d}'") == (1, 0, 1 + 1)
    plan = con.execute(f"EXPLAIN ANALYZE SELECT id FROM narrow WHERE id = '{2000:040d}x'").fetchall()
    assert "4 of 4 row groups, 0 passed over" in str(plan)


def test_pages_are_asked_for_together(bucket: Bucket, con: streamsql.Connection) -> None:
    rows = pa.table({"id": range(40_000), "text": [f"{i:>60}" for i in range(40_000)]})
    settings = {"write_page_index": True, "max_rows_per_page": 1000, "use_dictionary": False, "compression": "none"}
    bucket.put("t/a.parquet", parquet(rows, **settings))
    con.execute(f"CREATE EXTERNAL TABLE t (id int, text string) STORED AS PARQUET LOCATION '{bucket.uri('t/')}'")
    assert con.execute("SELECT text FROM t WHERE id = 30500").fetchall() == [(f"{30500:>60}",)]
    assert asked(bucket, con, "SELECT text FROM t WHERE id = 30500") == (1, 0, 1 + 1 + 2)  # indexes of ids, of texts; their pages
    assert asked(bucket, con, "SELECT text FROM t WHERE id = 50000") == (1, 0, 0)


def test_bytes_that_are_counted_are_those_that_were_asked_for(bucket: Bucket) -> None:
    bucket.put("t/a.parquet", parquet(numbers(0, 100_000), row_group_size=10_000))
    engine = Engine()
    engine.execute_script(f"CREATE EXTERNAL TABLE t (id int, name string) STORED AS PARQUET LOCATION '{bucket.uri('t/')}'")
    (request,) = requests_of(engine.plan_of(parse("SELECT name FROM t WHERE id > 50000")[0]))
    scan = Scan(request, engine.access, engine.time)
    bucket.server.forget()
    assert sum(batch.num_rows for batch in scan.rows() if isinstance(batch, pa.RecordBatch)) == 49_999
    spans = [each.range.removeprefix("bytes=").split("-") for each in bucket.server.requests if each.range]
    assert scan.counts.bytes == sum(int(end) - int(start) + 1 for start, end in spans)


# -- files that are wrong ----------------------------------------------------------------------------------------------


def test_files_that_are_wrong_are_named(bucket: Bucket, con: streamsql.Connection) -> None:
    whole = parquet(numbers(0, 1000))
    for content, problem, hint in (
        (whole[:-20], "it is no whole Parquet file", "its table is STORED AS PARQUET"),
        (b"of another kind altogether", "it is no whole Parquet file", "its table is STORED AS PARQUET"),
        (parquet(pa.table({"id": ["x"]})), r"column id is string in it, and INTEGER in default\.t", "ALTER TABLE"),
        (b"PAR1" + b"\xff" * 500 + whole[504:], "", ""),
    ):
        bucket.put("t/a.parquet", content)
        con.execute(f"CREATE EXTERNAL TABLE t (id int) STORED AS PARQUET LOCATION '{bucket.uri('t/')}'")
        with pytest.raises(OperationalError, match=rf"cannot read '{bucket.uri('t/a.parquet')}': {problem}") as raised:
            con.execute("SELECT id FROM t").fetchall()
        assert (raised.value.hint or "").startswith(hint)
        con.execute("DROP TABLE t")


def test_a_file_that_goes_away_between_two_requests(bucket: Bucket, con: streamsql.Connection) -> None:
    bucket.put("t/a.parquet", parquet(numbers(0, 100_000)))
    con.execute(f"CREATE EXTERNAL TABLE t (id int) STORED AS PARQUET LOCATION '{bucket.uri('t/')}'")
    con.execute("SELECT COUNT(*) FROM t").fetchall()
    bucket.server.answer = lambda request: (404, "NoSuchKey") if not request.is_listing else None
    with pytest.raises(OperationalError, match=rf"cannot read '{bucket.uri('t/a.parquet')}': it is gone since it was listed"):
        con.execute("SELECT id FROM t").fetchall()


def test_a_bucket_that_is_not_there(bucket: Bucket, con: streamsql.Connection) -> None:
    with pytest.raises(ProgrammingError, match="LOCATION 's3:///t/' is no place"):
        con.execute("CREATE EXTERNAL TABLE t (id int) LOCATION 's3:///t/'")
    con.execute("CREATE EXTERNAL TABLE t (id int) PARTITIONED BY (k int) LOCATION 's3://nowhere/t/'")
    with pytest.raises(OperationalError, match="cannot list 's3://nowhere/t': there is no bucket 'nowhere'") as raised:
        con.execute("MSCK REPAIR TABLE t")
    assert raised.value.hint == f"AWS_ENDPOINT_URL is {bucket.server.endpoint}"


def test_a_file_that_is_refused_ends_the_query(days: Bucket, con: streamsql.Connection) -> None:
    days.server.answer = lambda request: (403, "AccessDenied") if "month=2/day=3/" in request.path else None
    with pytest.raises(OperationalError, match=r"cannot read 's3://.*/t/year=2023/month=2/day=3/a.parquet': access is denied"):
        con.execute("SELECT SUM(id) FROM t WHERE year = 2023").fetchall()


def test_a_limit_looks_at_the_first_partitions(days: Bucket, con: streamsql.Connection) -> None:
    assert con.execute("SELECT id FROM t LIMIT 2").fetchall() == [(0,), (1,)]
    listings = [each.query.get("prefix") for each in days.server.requests if each.is_listing][-5:]
    assert all(prefix is not None and prefix.count("=") == 3 for prefix in listings)


def test_repair_lists_each_folder_above_the_last_once(days: Bucket, con: streamsql.Connection) -> None:
    assert asked(days, con, "MSCK REPAIR TABLE t") == (1 + 2 + 8, 0, 0)


def test_the_other_names_of_s3(bucket: Bucket, con: streamsql.Connection) -> None:
    bucket.put("t/a.json", '{"id": 1}\n')
    for scheme in ("s3a", "s3n", "S3"):
        con.execute(f"CREATE EXTERNAL TABLE {scheme}_t (id int) STORED AS JSON LOCATION '{scheme}://{bucket.name}/t'")
        assert con.execute(f'SELECT id, "$path" FROM {scheme}_t').fetchall() == [(1, f"{scheme}://{bucket.name}/t/a.json")]


def test_schemas_that_change_from_object_to_object(bucket: Bucket, con: streamsql.Connection) -> None:
    address = pa.struct([("city", pa.string())])
    longer = pa.struct([("zip", pa.int64()), ("City", pa.string()), ("geo", pa.struct([("lat", pa.float32())]))])
    rows = [
        pa.table({"id": pa.array([1], pa.int8()), "place": pa.array([{"city": "a"}], address)}),
        pa.table({"place": pa.array([{"zip": 5, "City": "b", "geo": {"lat": 0.5}}], longer), "ID": pa.array([2], pa.int64())}),
        pa.table({"id": pa.array([3], pa.int32()), "other": ["x"], "tags": pa.array([[{"k": 1}]])}),
    ]
    for i, each in enumerate(rows):
        bucket.put(f"t/{i}.parquet", parquet(each))
    con.execute(f"""
        CREATE EXTERNAL TABLE t (id bigint, place struct<city:string,zip:bigint,geo:struct<lat:double,lon:double>>,
            tags array<struct<k:bigint,v:string>>) STORED AS PARQUET LOCATION '{bucket.uri("t/")}'
    """)
    assert con.execute("SELECT id, t.place.city, t.place.zip, t.place.geo.lat, t.place.geo.lon FROM t").fetchall() == [
        (1, "a", None, None, None),
        (2, "b", 5, 0.5, None),
        (3, None, None, None, None),
    ]
    assert con.execute("SELECT id, tags FROM t WHERE t.place.zip IS NULL").fetchall() == [(1, None), (3, [{"k": 1, "v": None}])]
    assert con.execute("SELECT place FROM t WHERE id = 1").fetchone() == ({"city": "a", "zip": None, "geo": None},)
