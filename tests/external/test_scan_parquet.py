"""Parquet files: which partitions, files, row groups and columns are read, and what comes of them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from streamsql.errors import Error, OperationalError
from streamsql.external.scan.footers import Footers
from tests.external.lake import Lake

DDL = """
CREATE EXTERNAL TABLE t (id int, name string, price double) PARTITIONED BY (year string, month int)
STORED AS PARQUET LOCATION 's3://b/t';
MSCK REPAIR TABLE t;
"""


def numbers(start: int, stop: int) -> pa.Table:
    ids = range(start, stop)
    return pa.table({"id": pa.array(ids, pa.int32()), "name": [f"n{i % 10}" for i in ids], "price": [i / 2 for i in ids]})


@pytest.fixture
def sales(lake: Lake) -> Lake:
    """Four partitions of a hundred rows, in row groups of ten; ids ascend."""
    for i, (year, month) in enumerate([("2023", "1"), ("2023", "12"), ("2024", "1"), ("2024", "2")]):
        lake.write(f"b/t/year={year}/month={month}/a.parquet", numbers(100 * i, 100 * i + 100), row_group_size=10)
    lake.run(DDL)
    return lake


def read(lake: Lake, query: str) -> tuple[int, int, int, int]:
    """Partitions left and read, files opened for rows or footers, row groups read."""
    counts = lake.counts(query)
    return counts.partitions_left, counts.partitions_read, counts.files, counts.row_groups_read


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("TRUE", (4, 4, 4, 40)),
        ("year = '2024'", (2, 2, 2, 20)),
        ("year = '2024' AND month = 2", (1, 1, 1, 10)),
        ("month IN (2, 12)", (2, 2, 2, 20)),
        ("month * 10 > 15 OR year < '2000'", (2, 2, 2, 20)),
        ("year = '1999'", (0, 0, 0, 0)),
        ("id = 205", (4, 4, 4, 1)),
        ("id BETWEEN 95 AND 104", (4, 4, 4, 2)),
        ("id > 380 AND price <= 192", (4, 4, 4, 1)),
        ("year = '2024' AND id < 0", (2, 2, 2, 0)),
        ("id IN (1, 399)", (4, 4, 4, 2)),
        ("id = 5 OR (month = 2 AND id = 305)", (4, 4, 4, 2)),
        ("id IS NULL", (4, 4, 4, 0)),
        ("id IS NOT NULL", (4, 4, 4, 40)),
        ("NOT id < 390", (4, 4, 4, 40)),
        ("id + 0 = 5", (4, 4, 4, 40)),
        ("FALSE", (4, 4, 4, 0)),
    ],
)
def test_what_is_left_out(sales: Lake, where: str, expected: tuple[int, int, int, int]) -> None:
    query = f"SELECT id, name FROM t WHERE {where}"
    assert sales.rows(query) == sales.rows(query, rules=False)
    assert read(sales, query) == expected


def test_a_condition_in_front_that_can_fail_keeps_rows_from_being_left_out(sales: Lake) -> None:
    query = "SELECT id FROM t WHERE 10 / (id - 3) > 0 AND id < 5"
    assert read(sales, query)[3] == 40
    assert sales.rows(query) == [(4,)]
    assert [row["ERROR_NAME"] for row in sales.lost] == ["Division by zero"]


def test_partitions_are_left_out_all_the_same(sales: Lake) -> None:
    query = "SELECT id FROM t WHERE 1000 / (id - 3) > 0 AND year = '2024' AND id < 205"
    assert read(sales, query)[:2] == (2, 2)
    assert sales.rows(query) == [(id_,) for id_ in range(200, 205)]
    assert not sales.lost


def test_a_key_that_fails_fails_the_rows_of_its_partition(lake: Lake) -> None:
    for name in ("k=5", "k=x"):
        lake.write(f"b/t/{name}/a.parquet", numbers(0, 2))
    lake.run("CREATE EXTERNAL TABLE t (id int) PARTITIONED BY (k string) STORED AS PARQUET LOCATION 's3://b/t'")
    lake.run("MSCK REPAIR TABLE t")
    for rules in (True, False):
        lake.lost.clear()
        assert lake.rows("SELECT id, k FROM t WHERE CAST(k AS INTEGER) > 3", rules) == [(0, "5"), (1, "5")]
        assert [row["ERROR_NAME"] for row in lake.lost] == ["Coercion error"] * 2


def bytes_read(lake: Lake, query: str) -> int:
    """With the footers known."""
    lake.counts(query)
    return lake.counts(query).bytes


def test_only_columns_that_are_used_are_read(sales: Lake) -> None:
    assert bytes_read(sales, "SELECT COUNT(*) FROM t") == 0
    assert bytes_read(sales, "SELECT year, COUNT(*) FROM t GROUP BY year") == 0
    one, two, all_ = (bytes_read(sales, f"SELECT {what} FROM t") for what in ("id", "id, name", "*"))
    assert 0 < one < two < all_
    assert bytes_read(sales, "SELECT id + 1 FROM t ORDER BY id DESC") == one
    assert bytes_read(sales, "SELECT ROW_NUMBER() OVER (PARTITION BY year ORDER BY id) FROM t") == one
    assert bytes_read(sales, "SELECT id, COUNT(*) OVER (PARTITION BY name) AS n FROM t WHERE month = 1 QUALIFY n > 5") < two
    assert bytes_read(sales, "SELECT COUNT(*) FROM t CROSS JOIN UNNEST(ARRAY[id, id]) AS u(x) WHERE x > 3") == one


def test_of_a_row_group_without_a_match_other_columns_are_not_read(lake: Lake) -> None:
    odd = [2 * i + 1 for i in range(100)]
    lake.write("b/t/a.parquet", pa.table({"k": odd, "wide": [f"{i:100d}" for i in odd]}), row_group_size=50, use_dictionary=False)
    lake.run("CREATE EXTERNAL TABLE t (k bigint, wide string) STORED AS PARQUET LOCATION 's3://b/t'")
    narrow = bytes_read(lake, "SELECT k FROM t WHERE k < 100")
    assert bytes_read(lake, "SELECT wide FROM t WHERE k = 50") == narrow  # the least and greatest value let it be there
    assert bytes_read(lake, "SELECT wide FROM t WHERE k = 51") > 2 * narrow
    assert lake.rows("SELECT COUNT(wide) FROM t WHERE k = 50 OR k = 51") == [(1,)]


def test_footers_are_read_once_and_again_when_a_file_changes(sales: Lake) -> None:
    assert sales.counts("SELECT COUNT(*) FROM t").bytes > 0
    assert sales.counts("SELECT COUNT(*) FROM t").bytes == 0
    sales.write("b/t/year=2024/month=2/a.parquet", numbers(0, 7))
    assert sales.counts("SELECT COUNT(*) FROM t").bytes > 0
    assert sales.rows("SELECT COUNT(*) FROM t") == [(307,)]


def test_footers_are_forgotten_when_there_are_too_many(sales: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamsql.external.scan.footers.ROOM", 3000)
    sales.engine.access.footers = Footers()
    assert sales.counts("SELECT COUNT(*) FROM t").bytes > 0
    assert sales.counts("SELECT COUNT(*) FROM t").bytes > 0
    assert sales.rows("SELECT COUNT(*) FROM t") == [(400,)]


def test_a_limit_ends_the_scan(sales: Lake) -> None:
    assert sales.counts("SELECT id FROM t LIMIT 3").rows_given == 3
    assert sales.rows("SELECT id FROM t LIMIT 3 OFFSET 98") == [(98,), (99,), (100,)]
    assert sales.rows("SELECT id FROM t WHERE id > 250 LIMIT 2") == [(251,), (252,)]


def test_pseudocolumns(sales: Lake) -> None:
    query = 'SELECT DISTINCT "$path", "$size", "$file_size", "$partition" FROM t WHERE id IN (1, 399)'
    size = [(sales.root / f"b/t/year={y}/month={m}/a.parquet").stat().st_size for y, m in (("2023", "1"), ("2024", "2"))]
    assert sales.rows(query) == [
        ("s3://b/t/year=2023/month=1/a.parquet", size[0], size[0], "year=2023/month=1"),
        ("s3://b/t/year=2024/month=2/a.parquet", size[1], size[1], "year=2024/month=2"),
    ]
    assert len(sales.rows("SELECT * FROM t LIMIT 1")[0]) == 5
    written = datetime.fromtimestamp((sales.root / "b/t/year=2023/month=1/a.parquet").stat().st_mtime, UTC).replace(tzinfo=None)
    ((found,),) = sales.rows('SELECT DISTINCT "$file_modified_time" FROM t WHERE id = 1')
    assert abs((found - written).total_seconds()) < 0.002


def test_files_that_the_services_pass_over(lake: Lake) -> None:
    names = (".hidden", "_SUCCESS", "#x", "a~", "_temporary/0/a", "a_$folder$", "a.parquet", "below/b.parquet")
    for i, name in enumerate(names):
        lake.write(f"b/t/{name}", numbers(i, i + 1))
    lake.text("b/t/empty.parquet", "")
    lake.run("CREATE EXTERNAL TABLE t (id int) STORED AS PARQUET LOCATION 's3://b/t'")
    assert lake.rows("SELECT id FROM t") == [(6,), (7,)]


def test_nothing_there(lake: Lake) -> None:
    lake.run("CREATE EXTERNAL TABLE t (id int) STORED AS PARQUET LOCATION 's3://b/nowhere/'")
    assert lake.rows("SELECT COUNT(*), MAX(id) FROM t") == [(0, None)]
    assert lake.rows("SELECT * FROM t") == []


# -- columns that are not as they are declared -------------------------------------------------------------------------


def test_columns_are_found_by_name_wherever_they_are_and_widened(lake: Lake) -> None:
    lake.write("b/t/1.parquet", pa.table({"A": pa.array([1], pa.int8()), "b": pa.array([1.5], pa.float32()), "gone": ["x"]}))
    lake.write("b/t/2.parquet", pa.table({"c": ["new"], "b": [2.5], "a": pa.array([2], pa.int64())}))
    lake.write("b/t/3.parquet", pa.table({"gone": ["y"]}))
    lake.run("CREATE EXTERNAL TABLE t (a bigint, B double, c string) STORED AS PARQUET LOCATION 's3://b/t'")
    assert lake.rows("SELECT * FROM t") == [(1, 1.5, None), (2, 2.5, "new"), (None, None, None)]
    assert lake.rows("SELECT b FROM t WHERE c IS NULL AND a IS NOT NULL") == [(1.5,)]
    assert lake.counts("SELECT b FROM t WHERE c = 'new'").row_groups_read == 1
    lake.run("ALTER TABLE t ADD COLUMNS (d int); ALTER TABLE t DROP COLUMN b")
    assert lake.rows("SELECT * FROM t WHERE a = 2") == [(2, "new", None)]


LONG = Decimal("12345678901234567890.1234")
HELD: list[tuple[str, pa.Array, Any]] = [
    ("smallint", pa.array([7], pa.int64()), 7),
    ("decimal(8,2)", pa.array([7], pa.int32()), Decimal("7.00")),
    ("decimal(8,2)", pa.array([Decimal("1.5")], pa.decimal128(5, 1)), Decimal("1.50")),
    ("decimal(30,4)", pa.array([LONG], pa.decimal128(30, 4)), LONG),
    ("double", pa.array([float("inf")], pa.float32()), float("inf")),
    ("string", pa.array([b"bytes"], pa.binary()), "bytes"),
    ("string", pa.array(["a"]).dictionary_encode(), "a"),
    ("varchar(2)", pa.array(["abc"]), "ab"),
    ("char(4)", pa.array(["ab"]), "ab"),
    ("binary", pa.array([b"\xff"], pa.binary(1)), b"\xff"),
    ("date", pa.array([1], pa.date32()), date(1970, 1, 2)),
    ("timestamp", pa.array([1_500_999], pa.timestamp("us")), datetime(1970, 1, 1, 0, 0, 1, 500_000)),
    ("timestamp", pa.array([1_000_000_000], pa.timestamp("ns", "UTC")), datetime(1970, 1, 1, 0, 0, 1)),
    ("timestamp", pa.array([1], pa.date32()), datetime(1970, 1, 2)),
    ("array<bigint>", pa.array([[1, None]], pa.list_(pa.int32())), [1, None]),
    ("map<string,double>", pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int32())), [("k", 1.0)]),
    ("struct<a:bigint,b:array<struct<c:int>>>", pa.array([{"B": [{"C": 1, "d": 2}], "a": 3}]), {"a": 3, "b": [{"c": 1}]}),
    ("boolean", pa.array([None], pa.bool_()), None),
]


@pytest.mark.parametrize(("declared", "held", "value"), HELD, ids=[f"{d} from {h.type}" for d, h, _ in HELD])
def test_what_files_may_hold(lake: Lake, declared: str, held: pa.Array, value: Any) -> None:
    lake.write("b/t/a.parquet", pa.table({"x": held, "n": pa.array([1] * len(held))}))
    lake.run(f"CREATE EXTERNAL TABLE t (x {declared}, n int) STORED AS PARQUET LOCATION 's3://b/t'")
    assert lake.rows("SELECT x FROM t") == [(value,)]
    assert lake.rows("SELECT x FROM t WHERE n = 1") == [(value,)]


def test_timestamps_of_96_bits(lake: Lake) -> None:
    moment = datetime(2024, 2, 29, 12, 30, 0, 123_000)
    held = pa.table({"x": pa.array([moment, None], pa.timestamp("ns"))})
    lake.write("b/t/a.parquet", held, use_deprecated_int96_timestamps=True)
    lake.run("CREATE EXTERNAL TABLE t (x timestamp) STORED AS PARQUET LOCATION 's3://b/t'")
    assert lake.rows("SELECT x FROM t WHERE x > TIMESTAMP '2024-01-01 00:00:00'") == [(moment,)]


@pytest.mark.parametrize(
    ("declared", "held"),
    [("int", pa.array(["5"])), ("string", pa.array([5])), ("date", pa.array(["2024-01-01"])), ("struct<a:int>", pa.array([1])),
     ("array<int>", pa.array([["x"]])), ("struct<a:int>", pa.array([{"a": "x"}])), ("boolean", pa.array([1]))],
)  # fmt: skip
def test_a_column_of_another_kind_names_the_object(lake: Lake, declared: str, held: pa.Array) -> None:
    lake.write("b/t/a.parquet", pa.table({"x": held}))
    lake.run(f"CREATE EXTERNAL TABLE t (x {declared}) STORED AS PARQUET LOCATION 's3://b/t'")
    with pytest.raises(OperationalError, match=r"cannot read 's3://b/t/a.parquet': column x is .* in it, and .* in default.t"):
        lake.rows("SELECT x FROM t")


def test_rows_that_do_not_fit_are_lost_one_by_one(lake: Lake) -> None:
    held = pa.table({"x": pa.array([1, 300, 2, None, -129], pa.int64()), "y": ["a", "b", "c", "d", "e"]})
    lake.write("b/t/a.parquet", held)
    lake.run("CREATE EXTERNAL TABLE t (x tinyint, y string) STORED AS PARQUET LOCATION 's3://b/t'")
    for where in ("", " WHERE y <> 'z'"):
        lake.lost.clear()
        assert lake.rows(f"SELECT y FROM t{where}") == [(y,) for y in "abcde"]
        assert lake.rows(f"SELECT x, y FROM t{where}") == [(1, "a"), (2, "c"), (None, "d")]
        assert [row["MESSAGE"] for row in lake.lost] == [
            "300 is no TINYINT, which column x is",
            "-129 is no TINYINT, which column x is",
        ]


# -- fields of records -------------------------------------------------------------------------------------------------


@pytest.fixture
def people(lake: Lake) -> Lake:
    name = [{"Given": f"g{i}", "family": {"first": f"f{i}", "second": "x" * 50 + str(i)}} if i % 5 else None for i in range(100)]
    settings = {"row_group_size": 10, "use_dictionary": False, "compression": "none"}
    lake.write("b/p/a.parquet", pa.table({"id": range(100), "name": name}), **settings)
    lake.run("""
        CREATE EXTERNAL TABLE p (id bigint, name struct<given:string,family:struct<first:string,second:string,third:int>>)
        STORED AS PARQUET LOCATION 's3://b/p'
    """)
    return lake


def test_fields_are_read_alone(people: Lake) -> None:
    query = "SELECT name.given, p.name.family.first, name.family.third FROM p WHERE id IN (5, 6)"
    assert people.rows(query) == [(None, None, None), ("g6", "f6", None)] == people.rows(query, rules=False)
    assert bytes_read(people, "SELECT name.given FROM p") < bytes_read(people, "SELECT name FROM p") / 3
    assert people.rows("SELECT name FROM p WHERE id = 6") == [
        ({"given": "g6", "family": {"first": "f6", "second": "x" * 50 + "6", "third": None}},)
    ]


def test_row_groups_are_left_out_by_fields(people: Lake) -> None:
    assert people.counts("SELECT id FROM p WHERE name.given = 'g42'").row_groups_read <= 2
    assert people.rows("SELECT id, name.given FROM p WHERE name.given = 'g42'") == [(42, "g42")]
    assert people.rows("SELECT COUNT(*), COUNT(name.given), MAX(name.family.first) FROM p") == [(100, 80, "f99")]


# -- files that are wrong ----------------------------------------------------------------------------------------------


def test_a_truncated_file_is_named(lake: Lake) -> None:
    lake.write("b/t/a.parquet", numbers(0, 1000))
    file = lake.root / "b/t/a.parquet"
    file.write_bytes(file.read_bytes()[:-20])
    lake.run("CREATE EXTERNAL TABLE t (id int) STORED AS PARQUET LOCATION 's3://b/t'")
    with pytest.raises(OperationalError, match=r"cannot read 's3://b/t/a\.parquet': it is no whole Parquet file"):
        lake.rows("SELECT id FROM t")


def test_a_file_that_is_damaged_within_is_named(lake: Lake) -> None:
    lake.write("b/t/a.parquet", numbers(0, 1000), compression="gzip")
    file = lake.root / "b/t/a.parquet"
    file.write_bytes(b"PAR1" + b"\xff" * 500 + file.read_bytes()[504:])
    lake.run("CREATE EXTERNAL TABLE t (id int) STORED AS PARQUET LOCATION 's3://b/t'")
    with pytest.raises(OperationalError, match=r"cannot read 's3://b/t/a\.parquet'"):
        lake.rows("SELECT id FROM t")


def test_a_file_that_goes_away_is_named(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.write("b/t/a.parquet", numbers(0, 10))
    lake.run("CREATE EXTERNAL TABLE t (id int) STORED AS PARQUET LOCATION 's3://b/t'")
    found = list(lake.engine.access.files.of("s3://b/t"))
    (lake.root / "b/t/a.parquet").unlink()
    monkeypatch.setattr(lake.engine.access.files, "of", lambda _: iter(found))
    with pytest.raises(OperationalError, match=r"cannot read 's3://b/t/a\.parquet': .*No such file"):
        lake.rows("SELECT id FROM t")


def test_what_is_wrong_with_a_projection_is_said(lake: Lake) -> None:
    lake.run("""
        CREATE EXTERNAL TABLE t (a int) PARTITIONED BY (b string) STORED AS PARQUET LOCATION 's3://b/t'
        TBLPROPERTIES ('projection.enabled'='true')
    """)
    with pytest.raises(Error, match=r"HIVE_METASTORE_ERROR: Table default\.t is configured"):
        lake.rows("SELECT * FROM t")
