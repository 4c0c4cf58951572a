"""Pages that are left out by the indexes of real writers: none that has a row that is wanted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.external.scan.footers import Footer
from streamsql.external.scan.thrift import read, written
from tests.external.lake import Lake

ROWS = 30_000
"""Of a file, in two row groups."""

TABLE = """CREATE EXTERNAL TABLE t (a bigint, s string, f double, day date, price decimal(18,4), word string, often int,
who struct<no:int,name:string>, xs array<int>, missing int) PARTITIONED BY (k int) STORED AS PARQUET LOCATION 's3://b/t';
ALTER TABLE t ADD PARTITION (k=1) LOCATION 's3://b/t'"""


@cache
def made() -> pa.Table:
    """Columns that grow, some with NULLs; texts of two lengths, so that their pages begin with other rows than numbers'."""
    rows = range(ROWS)
    return pa.table(
        {
            "a": pa.array(rows, pa.int64()),
            "s": [None if i % 7 == 0 else f"{i:05d}" + "x" * (90 if i % 10_000 < 5000 else 5) for i in rows],
            "f": [None if 10_000 <= i < 15_000 else i / 4 for i in rows],
            "day": [date(2020, 1, 1) + timedelta(days=i // 100) for i in rows],
            "price": pa.array([Decimal(i) / 4 for i in rows], pa.decimal128(12, 2)),
            "word": [f"word {i // 3000}" for i in rows],
            "often": pa.array([i * 7919 % ROWS for i in rows], pa.int32()),
            "who": [{"no": i, "name": f"n{i}"} if i % 11 else None for i in rows],
            "xs": [[i] * (i % 3) for i in rows],
        }
    )


def by_pyarrow(path: Path) -> None:
    options: dict[str, Any] = {"compression": "none", "write_batch_size": 100, "data_page_size": 20_000}
    options["max_rows_per_page"] = 1000
    pq.write_table(made(), path, row_group_size=ROWS // 2, write_page_index=True, **options)


def by_pyarrow_in_the_second_version(path: Path) -> None:
    options: dict[str, Any] = {"compression": "none", "data_page_version": "2.0", "store_decimal_as_integer": True}
    options |= {"use_dictionary": ["word"], "max_rows_per_page": 500}
    pq.write_table(made(), path, row_group_size=ROWS // 2, write_page_index=True, **options)


def by_polars(path: Path) -> None:
    frame: Any = polars.from_arrow(made())
    frame.write_parquet(path, compression="uncompressed", row_group_size=ROWS // 2, data_page_size=20_000)


WRITERS = [by_pyarrow, by_pyarrow_in_the_second_version, by_polars]
Writer = Callable[[Path], None]


@pytest.fixture(scope="module", params=WRITERS)
def written_by(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake(tmp_path_factory.mktemp("lake"))
    (lake.root / "b/t").mkdir(parents=True)
    request.param(lake.root / "b/t/a.parquet")
    (lake.root / "b" / request.param.__name__).touch()
    lake.run(TABLE)
    return lake


ALL = "a, s, f, day, price, word, often, who.no, who.name"


@pytest.mark.parametrize(
    ("where", "pages"),
    [
        ("a = 20000", 1),
        ("a BETWEEN 14990 AND 15010", 2),
        ("a IN (5, 7, 25000)", 2),
        ("s LIKE '0400%'", 1),
        ("f > 7490", 1),
        ("f IS NULL AND a < 10100", 1),
        ("word = 'word 3' AND a < 9100", 1),
        ("who.no IN (5, 29999)", 2),
        ("k = 1 AND a = 7 OR price < 10", 1),
        ("missing = 1 OR a = 7", 1),
    ],
)
def test_pages_are_left_out(written_by: Lake, where: str, pages: int) -> None:
    query = f"SELECT {ALL} FROM t WHERE {where}"
    assert written_by.rows(query) == written_by.rows(query, rules=False) != []
    counts = written_by.counts(query)
    assert counts.rows <= 1000 * pages or (written_by.root / "b/by_polars").exists()  # whose pages are larger
    assert counts.rows + counts.rows_passed == ROWS // 2 * counts.row_groups_read > counts.rows


@st.composite
def conditions(draw: st.DrawFn, depth: int = 2) -> str:
    if depth and draw(st.booleans()):
        parts = [draw(conditions(depth - 1)) for _ in range(2)]
        return f" {draw(st.sampled_from(['AND', 'OR']))} ".join(f"({part})" for part in parts)
    number = draw(st.one_of(st.integers(0, ROWS), st.sampled_from([0, 999, 1000, 1001, 14_999, 15_000, ROWS - 1])))
    compared = draw(st.sampled_from(["=", "<", ">=", "<>"]))
    day = date(2020, 1, 1) + timedelta(days=number // 100)
    return draw(
        st.sampled_from(
            [
                f"a {compared} {number}",
                f"a {compared} {number}",
                f"often {compared} {number}",
                f"s {compared} '{number:05d}'",
                f"f {compared} {number / 4}",
                f"day {compared} DATE '{day}'",
                f"price {compared} {number / 4}",
                f"who.no {compared} {number}",
                f"word {compared} 'word {number // 3000}'",
                "f IS NULL",
                "who.name IS NOT NULL",
            ]
        )
    )


SUMS = "COUNT(*), SUM(a), COUNT(s), MAX(s), SUM(f), MIN(day), SUM(price), MAX(word), SUM(often), SUM(who.no), MIN(who.name)"


@settings(max_examples=4, deadline=None)
@given(conditions())
def test_what_is_left_out_changes_nothing(written_by: Lake, condition: str) -> None:
    query = f"SELECT {SUMS} FROM t WHERE {condition}"
    assert written_by.rows(query) == written_by.rows(query, rules=False)


@pytest.fixture
def lake_of_pages(lake: Lake) -> Lake:
    (lake.root / "b/t").mkdir(parents=True)
    by_pyarrow_in_the_second_version(lake.root / "b/t/a.parquet")
    lake.run(TABLE)
    return lake


def test_what_is_read(lake_of_pages: Lake) -> None:
    whole, few = f"SELECT {ALL} FROM t WHERE a <> 5", f"SELECT {ALL} FROM t WHERE a = 50"
    lake_of_pages.counts(whole)
    assert lake_of_pages.counts(few).bytes * 15 < lake_of_pages.counts(whole).bytes
    assert lake_of_pages.counts("SELECT a FROM t WHERE a = 50").rows == ROWS // 2  # it is little, and read at once
    (result,) = lake_of_pages.engine.execute_script(f"EXPLAIN ANALYZE {few}")
    assert result.rows is not None
    plan = "".join(result.rows.take()["PLAN"].to_pylist())
    assert "500 rows scanned, " in plan
    assert "; 1 of 2 row groups, 1 passed over; 14,500 rows of pages passed over; " in plan


def test_for_few_pages_the_others_are_not_taken_apart(lake_of_pages: Lake) -> None:
    assert lake_of_pages.counts(f"SELECT {ALL} FROM t WHERE a > 1600 AND a < 15000").rows == 13_500
    assert lake_of_pages.counts(f"SELECT {ALL} FROM t WHERE a > 600 AND a < 15000").rows == ROWS // 2


def test_with_lists_row_groups_are_read_whole(lake_of_pages: Lake) -> None:
    query = f"SELECT {ALL}, xs FROM t WHERE a = 50"
    assert lake_of_pages.counts(query).rows == ROWS // 2
    assert lake_of_pages.rows(query) == lake_of_pages.rows(query, rules=False)


@pytest.mark.parametrize("damage", [b"\x00", b"\x19\x1c\x16\x02\x15\x02\x16\x00\x00\x00", b"\x15\x02\x00", b"\xff" * 40])
@pytest.mark.parametrize("field", [4, 6])
def test_an_index_that_is_not_understood_is_as_none(lake_of_pages: Lake, damage: bytes, field: int) -> None:
    file = lake_of_pages.root / "b/t/a.parquet"
    data = bytearray(file.read_bytes())
    for number in range(2):
        for described in Footer(pq.read_metadata(file)).group(number)[1].value.values:
            at = read(described)[field].value
            data[at : at + len(damage)] = damage
    file.write_bytes(data)
    query = f"SELECT {ALL} FROM t WHERE a = 50"
    assert lake_of_pages.counts(query).rows == ROWS // 2
    assert lake_of_pages.rows(query) == lake_of_pages.rows(query, rules=False) != []


@pytest.mark.parametrize("writer", WRITERS)
def test_thrift_is_written_as_it_was_read(tmp_path: Path, writer: Writer) -> None:
    writer(tmp_path / "a.parquet")
    data = (tmp_path / "a.parquet").read_bytes()
    footer = data[-8 - int.from_bytes(data[-8:-4], "little") : -8]
    assert written(read(footer)) == written(read(footer, unopened=4)) == footer
