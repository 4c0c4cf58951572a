"""Row groups that are left out by the Bloom filters of two real writers: none that has a row that is wanted."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.external.scan.bloom_filters import BLOCK, HEAD
from tests.external.lake import Lake

GROUPS, ROWS = 4, 2048
"""Of the files whose filters tell; a value stands in one row group, the extremes of every column in all of them."""

COLUMNS: dict[str, tuple[str, pa.DataType, str]] = {
    "tiny": ("tinyint", pa.int8(), "TINYINT"),
    "small": ("smallint", pa.int16(), "SMALLINT"),
    "i": ("int", pa.int32(), "INTEGER"),
    "big": ("bigint", pa.int64(), "BIGINT"),
    "narrow": ("bigint", pa.int32(), "INTEGER"),
    "unsigned": ("bigint", pa.uint32(), "UINTEGER"),
    "f": ("float", pa.float32(), "FLOAT"),
    "d": ("double", pa.float64(), "DOUBLE"),
    "widened": ("double", pa.float32(), "FLOAT"),
    "s": ("string", pa.string(), "VARCHAR"),
    "short": ("varchar(200)", pa.string(), "VARCHAR"),
    "day": ("date", pa.date32(), "DATE"),
    "m": ("timestamp", pa.timestamp("ms"), "TIMESTAMP_MS"),
    "n9": ("decimal(9, 2)", pa.decimal128(9, 2), "DECIMAL(9, 2)"),
    "n18": ("decimal(18, 4)", pa.decimal128(18, 4), "DECIMAL(18, 4)"),
    "n20": ("decimal(20, 3)", pa.decimal128(20, 1), "DECIMAL(20, 1)"),
}
"""As the table declares them, as pyarrow writes them, and as DuckDB does."""


def value(name: str, number: int) -> Any:
    """A value of a column; those of even numbers are in the files, odd ones lie between these."""
    held = COLUMNS[name][1]
    if pa.types.is_floating(held):
        return number / 4
    if pa.types.is_decimal(held):
        return Decimal(number).scaleb(-held.scale)
    if pa.types.is_date(held):
        return date(2020, 1, 1) + timedelta(days=number)
    if pa.types.is_timestamp(held):
        return datetime(2020, 1, 1) + timedelta(milliseconds=number * 1001)
    return "k" * (number % 100) + str(number) if pa.types.is_string(held) else number


def literal(name: str, number: int) -> str:
    found = value(name, number)
    if isinstance(found, datetime):
        return f"TIMESTAMP '{found.isoformat(sep=' ', timespec='milliseconds')}'"
    if isinstance(found, date):
        return f"DATE '{found}'"
    return f"'{found}'" if isinstance(found, str) else str(found)


def made() -> pa.Table:
    """The even numbers from 0 to 120 and those of the group's own, so that of the others no statistics tell."""
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for group in range(GROUPS):
        numbers = [0, 126, *(8 * i + 2 * group for i in range(1, 15))]
        for name in COLUMNS:
            columns[name] += [value(name, numbers[i % len(numbers)]) for i in range(ROWS)]
    return pa.table({name: pa.array(column, COLUMNS[name][1]) for name, column in columns.items()})


def by_pyarrow(path: Path) -> None:
    filters = {name: {"ndv": 16, "fpp": 0.001} for name in COLUMNS}
    settings = {"row_group_size": ROWS, "store_decimal_as_integer": True, "bloom_filter_options": filters}
    pq.write_table(made(), path, **settings)


def by_duckdb(path: Path) -> None:
    with duckdb.connect() as con:
        con.register("made", made())
        columns = ", ".join(f"CAST({name} AS {type_}) AS {name}" for name, (_, _, type_) in COLUMNS.items())
        options = f"FORMAT parquet, ROW_GROUP_SIZE {ROWS}, BLOOM_FILTER_FALSE_POSITIVE_RATIO 0.001"
        con.execute(f"COPY (SELECT {columns} FROM made) TO '{path}' ({options})")


@pytest.fixture(scope="module", params=[by_pyarrow, by_duckdb])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake(tmp_path_factory.mktemp("lake"))
    (lake.root / "b/t").mkdir(parents=True)
    request.param(lake.root / "b/t/a.parquet")
    declare(lake)
    return lake


def declare(lake: Lake) -> None:
    columns = ", ".join(f"`{name}` {declared}" for name, (declared, _, _) in COLUMNS.items())
    lake.run(f"CREATE EXTERNAL TABLE t ({columns}) STORED AS PARQUET LOCATION 's3://b/t'")


@pytest.mark.parametrize("name", COLUMNS)
def test_of_each_type_the_row_groups_without_a_value_are_left_out(written: Lake, name: str) -> None:
    of_group_2, absent = 8 * 7 + 4, 8 * 7 + 5
    query = f"SELECT COUNT(*) FROM t WHERE {name} ="
    assert written.rows(f"{query} {literal(name, of_group_2)}") == [(ROWS // 16,)]
    metadata = pq.read_metadata(written.root / "b/t/a.parquet")
    place = list(COLUMNS).index(name)
    if metadata.row_group(0).column(place).bloom_filter_offset is None:
        assert (name, metadata.created_by.startswith("DuckDB")) == ("n20", True)  # it writes none of wide decimals
        return
    found = written.counts(f"{query} {literal(name, of_group_2)}")
    assert (found.row_groups_read, found.row_groups_filtered) == (1, GROUPS - 1)
    assert written.counts(f"{query} {literal(name, absent)}").row_groups_filtered == GROUPS


NUMBERS = st.integers(-4, 130)


@st.composite
def conditions(draw: st.DrawFn, names: Sequence[str], numbers: st.SearchStrategy[int], depth: int = 2) -> str:
    if depth and draw(st.booleans()):
        parts = [draw(conditions(names, numbers, depth - 1)) for _ in range(2)]
        return f" {draw(st.sampled_from(['AND', 'OR']))} ".join(f"({part})" for part in parts)
    name = draw(st.sampled_from(names))
    values = ", ".join(literal(name, number) for number in draw(st.lists(numbers, min_size=1, max_size=4)))
    return draw(
        st.sampled_from([f"{name} IN ({values})", f"{name} IN ({values})", f"NOT {name} IN ({values})", f"{name} IS NULL"])
    )


@settings(max_examples=12, deadline=None)
@given(conditions(list(COLUMNS), NUMBERS))
def test_no_row_group_with_a_row_that_is_wanted_is_left_out(written: Lake, condition: str) -> None:
    query = f"SELECT COUNT(*), SUM(i) FROM t WHERE {condition}"
    assert written.rows(query) == written.rows(query, rules=False)


SPECIAL: dict[str, tuple[str, tuple[pa.DataType, ...], list[Any]]] = {
    "d": ("double", (pa.float64(), pa.float32()), [None, 0.0, -0.0, math.nan, math.inf, 0.1, 0.25, 2.0**53, 1e30]),
    "f": ("float", (pa.float64(), pa.float32()), [None, 0.0, -0.0, math.nan, 0.1, 0.25, 16777217.0, 1e30]),
    "s": ("string", (pa.string(), pa.binary()), [None, "", " ", "a", "a ", "é", "日本", "x" * 40, "x" * 41]),
    "short": ("varchar(5)", (pa.string(),), [None, "", "abcd", "abcde", "abcdefg"]),
    "big": ("bigint", (pa.int64(), pa.decimal128(19, 0)), [None, 0, -1, 2**53, 2**53 + 1, 2**63 - 1]),
    "i": ("int", (pa.int64(), pa.int8(), pa.float64()), [None, 0, -1, 5, 100]),
    "m": (
        "timestamp",
        (pa.timestamp("us"), pa.timestamp("ns")),
        [None, *(datetime(2020, 1, 1, 0, 0, 0, u) for u in (0, 1, 1000))],
    ),
    "n": (
        "decimal(18, 2)",
        (pa.decimal128(18, 2), pa.decimal128(20, 4)),
        [None, *map(Decimal, ("0", "0.1", "-123456789012345.67"))],
    ),
}
"""Columns as declared and as held, with values of which several may be one for the query, or a conversion makes others."""


def special(value: Any) -> str:
    if isinstance(value, datetime):
        return f"TIMESTAMP '{value.isoformat(sep=' ', timespec='milliseconds')}'"
    return f"'{value}'" if isinstance(value, str) else f"CAST('{value}' AS DOUBLE)" if isinstance(value, float) else str(value)


@st.composite
def special_groups(draw: st.DrawFn) -> tuple[pa.Schema, list[dict[str, list[Any]]]]:
    schema = pa.schema([(name, draw(st.sampled_from(held))) for name, (_, held, _) in SPECIAL.items()])
    groups = []
    for _ in range(draw(st.integers(1, 3))):
        lists = {name: st.lists(st.sampled_from(values), min_size=1, max_size=3) for name, (_, _, values) in SPECIAL.items()}
        groups.append({name: draw(values) for name, values in lists.items()})
    return schema, groups


@settings(max_examples=6, deadline=None)
@given(special_groups(), st.data())
def test_nor_where_values_are_converted(made: tuple[pa.Schema, list[dict[str, list[Any]]]], data: st.DataObject) -> None:
    schema, groups = made
    folder = Path(tempfile.mkdtemp())
    try:
        lake = Lake(folder)
        rows = [[{name: own[i % len(own)] for name, own in group.items()} for i in range(40)] for group in groups]
        columns = {name: pa.array([row[name] for group in rows for row in group]) for name in schema.names}
        table = pa.table({name: column.cast(schema.field(name).type, safe=False) for name, column in columns.items()})
        lake.write("b/t/a.parquet", table, row_group_size=40, bloom_filter_options={name: {"ndv": 8} for name in SPECIAL})
        declared = ", ".join(f"{name} {declared}" for name, (declared, _, _) in SPECIAL.items())
        lake.run(f"CREATE EXTERNAL TABLE t ({declared}) STORED AS PARQUET LOCATION 's3://b/t'")
        for name, (_, _, values) in SPECIAL.items():
            value = data.draw(st.sampled_from(values[1:]))
            query = f"SELECT COUNT(*) FROM t WHERE {name} = {special(value)}"
            assert lake.rows(query) == lake.rows(query, rules=False), query
    finally:
        shutil.rmtree(folder)


def people(lake: Lake, count: int = 4000, **settings: Any) -> Path:
    """Two row groups of ids in no order, of which each has its own filter; the extremes are in both."""
    ids = [f"{(i * 7919) % count:08d}" for i in range(count)]
    ids = [ids[0], "99999999", *ids[2 : count // 2], ids[0], "99999999", *ids[count // 2 + 2 :]]
    table = pa.table({"id": ids, "name": [f"name {i}" for i in range(count)]})
    filters = {"bloom_filter_options": {"id": {"ndv": count // 2, "fpp": 0.001}}, **settings}
    lake.write("b/p/a.parquet", table, row_group_size=count // 2, use_dictionary=False, **filters)
    lake.run("CREATE EXTERNAL TABLE p (id string, name string) STORED AS PARQUET LOCATION 's3://b/p'")
    return lake.root / "b/p/a.parquet"


ONE = "SELECT name FROM p WHERE id = '00003000'"
NONE = "SELECT name FROM p WHERE id = '00003000x'"


def bytes_read(lake: Lake, query: str) -> int:
    """With the footers known."""
    lake.counts(query)
    return lake.counts(query).bytes


def test_what_is_read_of_filters(lake: Lake) -> None:
    group = pq.read_metadata(people(lake)).row_group(0)
    assert bytes_read(lake, NONE) == 2 * (HEAD + BLOCK)
    assert bytes_read(lake, NONE.replace("=", "IN ('00003000y',").replace("x'", "x')")) == 2 * (HEAD + 2 * BLOCK)
    both = group.column(0).total_compressed_size + group.column(1).total_compressed_size
    assert both < bytes_read(lake, ONE) < 1.1 * both
    assert bytes_read(lake, "SELECT name FROM p WHERE id LIKE '00003%'") > 1.5 * both


def test_a_filter_of_which_more_would_be_read_than_it_spares_is_not_read(lake: Lake) -> None:
    numbers = pa.table({"n": pa.array(range(0, 150, 3), pa.int32())})
    lake.write("b/t/a.parquet", numbers, bloom_filter_options={"n": {"ndv": 200, "fpp": 1e-12}})
    lake.run("CREATE EXTERNAL TABLE t (n int) STORED AS PARQUET LOCATION 's3://b/t'")
    chunk = pq.read_metadata(lake.root / "b/t/a.parquet").row_group(0).column(0)
    for count in (2, 20):
        values = ", ".join(str(3 * i + 1) for i in range(count))
        is_less = min(HEAD + count * BLOCK, chunk.bloom_filter_length) < chunk.total_compressed_size
        assert is_less == (count == 2)
        assert lake.counts(f"SELECT n FROM t WHERE n IN ({values})").row_groups_filtered == is_less


def test_explain_analyze_tells_of_them(lake: Lake) -> None:
    people(lake)
    (result,) = lake.engine.execute_script(f"EXPLAIN ANALYZE {ONE}")
    assert result.rows is not None
    assert "; 1 of 2 row groups, 1 passed over (1 by Bloom filters); " in "".join(result.rows.take()["PLAN"].to_pylist())


def test_the_keys_of_a_join_are_looked_for(lake: Lake) -> None:
    people(lake)
    lake.json("b/k/a.json", {"id": "00003000"}, {"id": "00003000x"})
    lake.run("CREATE EXTERNAL TABLE k (id string) STORED AS JSON LOCATION 's3://b/k'")
    query = "SELECT p.name FROM p JOIN k ON k.id = p.id"
    assert lake.rows(query) == lake.rows(ONE)
    assert lake.read(query)["p"].row_groups_filtered == 1
    assert lake.read("SELECT name FROM p WHERE id IN (SELECT id FROM k WHERE id LIKE '%x')")["p"].row_groups_filtered == 2


def test_more_values_than_a_filter_can_tell_of_are_not_looked_for(lake: Lake) -> None:
    people(lake)
    for count, expected in ((64, 2), (65, 0)):
        values = ", ".join(f"'{i:08d}x'" for i in range(count))
        assert lake.counts(f"SELECT name FROM p WHERE id IN ({values})").row_groups_filtered == expected


def varint(number: int) -> bytes:
    """Zigzag, as Thrift's compact form has whole numbers."""
    number, found = 2 * number, bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def without_lengths(file: Path) -> None:
    """Let the footer not say how long the filters are, as writers did before there was a place for it."""
    metadata, data = pq.read_metadata(file), file.read_bytes()
    size = int.from_bytes(data[-8:-4], "little")
    footer = data[-8 - size : -8]
    for group in range(2):
        chunk = metadata.row_group(group).column(0)
        offset, length = varint(chunk.bloom_filter_offset), varint(chunk.bloom_filter_length)
        assert footer.count(offset + b"\x15" + length + b"\x1c") == 1  # field 15, and the next one
        footer = footer.replace(offset + b"\x15" + length + b"\x1c", offset + b"\x2c")
    file.write_bytes(data[: -8 - size] + footer + len(footer).to_bytes(4, "little") + b"PAR1")
    assert pq.read_metadata(file).row_group(1).column(0).bloom_filter_length is None


def test_filters_of_which_the_footer_does_not_say_how_long_they_are(lake: Lake) -> None:
    file = people(lake)
    without_lengths(file)
    assert bytes_read(lake, NONE) == 2 * (HEAD + BLOCK)
    assert lake.counts(NONE).row_groups_filtered == 2
    assert len(lake.rows(ONE)) == 1


@pytest.mark.parametrize("sized", [True, False])
@pytest.mark.parametrize(
    "damage", [b"", b"\x15\x00", b"\x15\xa2\x20", b"\x15\xff\xff\xff\xff\x0f", b"\x15\xa0\x3f\x1c\x1c\x00\x00\x1c\x2c"]
)
def test_a_filter_that_is_not_understood_is_as_none(lake: Lake, damage: bytes, sized: bool) -> None:
    file = people(lake)
    offset = pq.read_metadata(file).row_group(1).column(0).bloom_filter_offset
    if not sized:
        without_lengths(file)
    data = file.read_bytes()
    file.write_bytes(data[:offset] + damage + bytes(16 - len(damage)) + data[offset + 16 :])
    assert lake.counts(NONE).row_groups_filtered == 1
    assert lake.rows(ONE, rules=False) == lake.rows(ONE) != []
