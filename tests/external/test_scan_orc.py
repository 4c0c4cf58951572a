"""ORC files: the stripes and columns that are asked for, by name, and what is wrong with a file."""

from __future__ import annotations

import shutil
import tempfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.orc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.errors import OperationalError
from tests.external.lake import Lake
from tests.external.test_scan_properties import KEYS, KINDS, WITH_NAN, conditions


def orc(lake: Lake, path: str, columns: dict[str, Any], **settings: Any) -> Path:
    """An ORC file."""
    file = lake.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    pa.orc.write_table(pa.table(columns), file, **settings)
    return file


@pytest.fixture
def visits(lake: Lake) -> Lake:
    people = [{"name": "ann", "born": date(2000, 1, 2)}, None, {"name": "bob", "born": None}]
    for year in (2023, 2024):
        numbers = {"N": [year, year + 1, None], "who": people, "extra": ["x"] * 3}
        orc(lake, f"b/v/y={year}/a.orc", numbers)
    orc(lake, "b/v/y=2024/b.orc", {"n": pa.array([7], pa.int16())})
    lake.run("""CREATE EXTERNAL TABLE v (n bigint, who struct<name:string,born:date>, missing string) PARTITIONED BY (y int)
        STORED AS ORC LOCATION 's3://b/v/'; MSCK REPAIR TABLE v""")
    return lake


def test_rows(visits: Lake) -> None:
    query = "SELECT n, who.name, missing, y FROM v WHERE y = 2024 AND (n < 3000 OR n IS NULL)"
    found = visits.rows(query)
    assert found == [(2024, "ann", None, 2024), (2025, None, None, 2024), (None, "bob", None, 2024), (7, None, None, 2024)]
    assert found == visits.rows(query, rules=False)
    assert visits.rows("SELECT who.born FROM v WHERE who.name = 'ann'") == [(date(2000, 1, 2),)] * 2
    assert visits.rows("SELECT y, COUNT(*), SUM(n) FROM v GROUP BY y ORDER BY y") == [(2023, 3, 4047), (2024, 4, 4056)]


def test_what_is_read(visits: Lake) -> None:
    counts = visits.read("SELECT n FROM v WHERE y = 2023")["v"]
    assert (counts.partitions_left, counts.files, counts.rows) == (1, 1, 3)
    assert visits.read("SELECT COUNT(*) FROM v")["v"].bytes > 0


def test_a_file_of_many_stripes(lake: Lake) -> None:
    orc(lake, "b/t/a.orc", {"n": list(range(50_000)), "s": [f"text {i}" for i in range(50_000)]}, stripe_size=1 << 16)
    lake.run("CREATE EXTERNAL TABLE t (n int, s varchar(20)) STORED AS ORC LOCATION 's3://b/t/'")
    assert lake.rows("SELECT COUNT(*), SUM(n), MAX(s) FROM t WHERE n >= 10") == [(49_990, 1_249_974_955, "text 9999")]
    assert lake.rows("SELECT n FROM t LIMIT 2") == [(0,), (1,)]


def test_values_that_do_not_fit_are_lost_alone(lake: Lake) -> None:
    orc(lake, "b/t/a.orc", {"n": [1, 2**40, 3]})
    lake.run("CREATE EXTERNAL TABLE t (n int) STORED AS ORC LOCATION 's3://b/t/'")
    assert lake.rows("SELECT n FROM t") == [(1,), (3,)]
    assert [row["MESSAGE"] for row in lake.lost] == ["1099511627776 is no INTEGER, which column n is"]


def test_what_is_wrong_with_a_file_names_it(lake: Lake) -> None:
    file = orc(lake, "b/t/a.orc", {"n": ["text"]})
    lake.run("CREATE EXTERNAL TABLE t (n int) STORED AS ORC LOCATION 's3://b/t/'")
    with pytest.raises(OperationalError, match=r"s3://b/t/a.orc'.*column n is string in it, and INTEGER in default.t"):
        lake.rows("SELECT n FROM t")
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(OperationalError, match=r"cannot read 's3://b/t/a.orc'"):
        lake.rows("SELECT n FROM t")


STRIPE = 1024
"""The rows of the least stripe that pyarrow writes."""


@pytest.fixture
def stripes(lake: Lake) -> Lake:
    """Four stripes, in which everything grows; behind columns that are several in the file."""
    numbers = range(4 * STRIPE)
    columns = {
        "lists": pa.array([[{"x": i}] for i in numbers]),
        "maps": pa.array([[("a", i)] for i in numbers], pa.map_(pa.string(), pa.int32())),
        "n": pa.array(numbers, pa.int32()),
        "who": pa.array([{"name": f"{i:05d}", "no": i} for i in numbers]),
        "d": [i / 4 for i in numbers],
        "s": [f"text {i:05d}" for i in numbers],
        "day": pa.array(numbers, pa.date32()),
        "price": pa.array([Decimal(i) / 4 for i in numbers], pa.decimal128(10, 2)),
        "often": [None if i < STRIPE else i for i in numbers],
        "m": pa.array([1000 * i for i in numbers], pa.timestamp("ms")),
    }
    orc(lake, "b/t/a.orc", columns, stripe_size=1, compression="uncompressed")
    lake.run("""CREATE EXTERNAL TABLE t (n bigint, who struct<name:string,no:int>, d double, s string, day date,
        price decimal(18,4), often int, m timestamp, missing int) STORED AS ORC LOCATION 's3://b/t/'""")
    return lake


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("n = 1500", 1),
        ("n IN (5, 4000)", 2),
        ("n < 0", 0),
        ("d >= 512.25 AND d < 700", 1),
        ("s < 'text 01000'", 1),
        ("s LIKE 'text 03%'", 2),
        ("who.name = '02050'", 1),
        ("who.no > 3000", 2),
        ("day = DATE '1974-02-08'", 1),
        ("price = 300.5", 1),
        ("often IS NULL", 1),
        ("often IS NOT NULL", 3),
        ("missing = 1", 0),
        ("who.no IS NULL", 4),
        ("m < TIMESTAMP '1970-01-01 00:00:05'", 4),
        ("n % 2 = 0", 4),
    ],
)
def test_stripes_that_are_left_out(stripes: Lake, where: str, expected: int) -> None:
    query = f"SELECT n, s FROM t WHERE {where}"
    counts = stripes.counts(query)
    assert (counts.row_groups, counts.row_groups_read, counts.rows) == (4, expected, STRIPE * expected)
    assert stripes.rows(query) == stripes.rows(query, rules=False)


@pytest.mark.parametrize("codec", ["zlib", "snappy", "zstd"])
def test_statistics_are_compressed_as_the_file_is(lake: Lake, codec: str) -> None:
    columns = {f"c{i}": [f"{(row * 7919 + i) % 100_003:012d}" for row in range(20_000)] for i in range(8)}
    orc(lake, "b/t/a.orc", {"n": list(range(20_000)), **columns}, stripe_size=1, compression=codec)
    lake.run("CREATE EXTERNAL TABLE t (n bigint, c0 string) STORED AS ORC LOCATION 's3://b/t/'")
    counts = lake.counts("SELECT c0 FROM t WHERE n = 19999")
    assert counts.row_groups > counts.row_groups_read == 1


def test_stripes_that_a_join_leaves_out(stripes: Lake) -> None:
    stripes.json("b/k/a.json", {"n": 3000})
    stripes.run("CREATE EXTERNAL TABLE k (n int) STORED AS JSON LOCATION 's3://b/k'")
    query = "SELECT s FROM t JOIN k ON k.n = t.n"
    assert stripes.read(query)["t"].row_groups_read == 1
    assert stripes.rows(query) == [("text 03000",)]
    (result,) = stripes.engine.execute_script(f"EXPLAIN ANALYZE {query}")
    assert result.rows is not None
    assert "; 1 of 4 stripes, 3 passed over; " in "".join(result.rows.take()["PLAN"].to_pylist())


@pytest.mark.parametrize("damage", [b"", b"\x08", b"\xff" * 8, b"\x0a\x7f", b"\x0b"])
def test_statistics_that_are_not_understood_are_as_none(lake: Lake, damage: bytes) -> None:
    file = orc(lake, "b/t/a.orc", {"n": list(range(2 * STRIPE))}, stripe_size=1, compression="uncompressed")
    lake.run("CREATE EXTERNAL TABLE t (n int) STORED AS ORC LOCATION 's3://b/t/'")
    assert lake.counts("SELECT n FROM t WHERE n < 5").row_groups_read == 1
    reader, data = pa.orc.ORCFile(file), file.read_bytes()
    size = reader.stripe_statistics_length
    start = len(data) - 1 - reader.file_postscript_length - reader.file_footer_length - size
    file.write_bytes(data[:start] + damage + bytes(size - len(damage)) + data[start + size :])
    assert lake.rows("SELECT n FROM t WHERE n < 5") == [(i,) for i in range(5)]


@settings(max_examples=8, deadline=None)
@given(st.data())
def test_what_is_left_out_changes_nothing(data: st.DataObject) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        lake = Lake(folder)
        names = [name for name in KINDS if name not in KEYS]
        columns: dict[str, list[Any]] = {name: [] for name in names}
        for _ in range(data.draw(st.integers(1, 3))):
            for name in names:
                values = data.draw(st.lists(WITH_NAN[name], min_size=1, max_size=3))
                columns[name] += [values[i % len(values)] for i in range(STRIPE)]
        orc(lake, "b/t/a.orc", {name: pa.array(column, KINDS[name].held[0]) for name, column in columns.items()}, stripe_size=1)
        declared = ", ".join(f"{name} {KINDS[name].declared}" for name in names)
        lake.run(f"CREATE EXTERNAL TABLE t ({declared}) PARTITIONED BY (k int, p string) STORED AS ORC LOCATION 's3://b/t'")
        lake.run("ALTER TABLE t ADD PARTITION (k=1, p='x') LOCATION 's3://b/t'")
        for condition in data.draw(st.lists(conditions(), min_size=1, max_size=3)):
            query = f"SELECT COUNT(*), SUM(i), MIN(s), MAX(m) FROM t WHERE {condition}"
            assert lake.rows(query) == lake.rows(query, rules=False), query
    finally:
        shutil.rmtree(folder)
