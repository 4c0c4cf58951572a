"""A join's table says which partitions and row groups of the other side are read."""

from __future__ import annotations

import shutil
import tempfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.plan.explain import explain
from streamsql.sql.parser import parse
from tests.external.lake import Lake
from tests.external.test_scan_properties import ordered

DAYS = ("2024-05-01", "2024-05-02", "2024-05-03", "2024-05-04")


@pytest.fixture
def shop(lake: Lake) -> Lake:
    """Sales of three stores on four days, four row groups a file whose items ascend; stores, days and items."""
    for store in (1, 2, 3):
        for day in DAYS:
            rows = {"item": list(range(8)), "amount": [store * 100 + i for i in range(8)]}
            lake.write(f"b/sales/store={store}/day={day}/a.parquet", pa.table(rows), row_group_size=2)
    lake.write("b/stores/a.parquet", pa.table({"id": [1, 2, 3, None], "town": ["Ulm", "Bonn", "Bonn", "Bonn"]}))
    days = {"day": pa.array([date.fromisoformat(day) for day in DAYS]), "week": [18, 18, 18, 19]}
    lake.write("b/days/a.parquet", pa.table(days))
    lake.write("b/items/a.parquet", pa.table({"item": [3, 4, 7], "name": ["ham", "egg", "jam"]}))
    lake.run("""
        CREATE EXTERNAL TABLE sales (item int, amount int) PARTITIONED BY (store int, day date)
        STORED AS PARQUET LOCATION 's3://b/sales/';
        MSCK REPAIR TABLE sales;
        CREATE EXTERNAL TABLE stores (id bigint, town string) STORED AS PARQUET LOCATION 's3://b/stores/';
        CREATE EXTERNAL TABLE days (day date, week int) STORED AS PARQUET LOCATION 's3://b/days/';
        CREATE EXTERNAL TABLE items (item int, name string) STORED AS PARQUET LOCATION 's3://b/items/';
    """)
    return lake


@pytest.mark.parametrize(
    ("relations", "partitions"),
    [
        ("sales s JOIN stores t ON t.id = s.store WHERE town = 'Bonn'", 8),
        ("stores t JOIN sales s ON t.id = s.store WHERE town = 'Ulm'", 4),
        ("stores t, days d, sales s WHERE id = store AND d.day = s.day AND week = 19 AND town = 'Bonn'", 2),
        ("sales s JOIN stores t ON t.id = s.store JOIN days d ON d.day = s.day WHERE week = 18", 9),
        ("sales WHERE store IN (SELECT id FROM stores WHERE town = 'Ulm')", 4),
        ("sales s WHERE EXISTS (SELECT 1 FROM days d WHERE d.day = s.day AND week = 19) AND item > 1", 3),
        ("(SELECT store, SUM(amount) AS amount FROM sales GROUP BY store) v JOIN stores ON id = store AND town = 'Ulm'", 4),
        ("(SELECT DISTINCT store, amount FROM sales) v JOIN stores ON id = store AND town = 'Ulm'", 4),
        ("(SELECT store, amount FROM sales UNION ALL SELECT item, 1 FROM items) v JOIN stores ON id = store AND town = 'Ulm'", 4),
        ("sales s JOIN stores t ON t.id = s.store WHERE town = 'Bern'", 0),
        ("sales s JOIN stores t ON t.id = s.store AND s.day = DATE '2024-05-02' WHERE town = 'Bonn'", 2),
        ("sales s LEFT JOIN stores t ON t.id = s.store AND town = 'Ulm'", 12),
        ("sales WHERE store NOT IN (SELECT id FROM stores WHERE town = 'Ulm')", 12),
        ("sales s JOIN stores t ON t.id > s.store WHERE town = 'Bonn'", 12),
        ("(SELECT * FROM sales ORDER BY amount LIMIT 5) s JOIN stores t ON t.id = s.store AND id = 3", 12),
        ("(SELECT store + 1 AS next, amount FROM sales) v JOIN stores t ON id = next AND town = 'Bonn'", 12),  # may overflow
    ],
)
def test_partitions_that_are_read(shop: Lake, relations: str, partitions: int) -> None:
    query = f"SELECT SUM(amount) FROM {relations}"
    assert ordered(shop.rows(query)) == ordered(shop.rows(query, rules=False))
    counts = shop.read(query)["sales"]
    assert (counts.partitions, counts.partitions_left, counts.files) == (12, partitions, partitions)


def test_row_groups_that_are_read(shop: Lake) -> None:
    query = "SELECT name, SUM(amount) FROM sales s JOIN items i ON i.item = s.item WHERE name <> 'jam' GROUP BY name"
    assert ordered(shop.rows(query)) == ordered(shop.rows(query, rules=False))
    counts = shop.read(query)["sales"]
    assert (counts.files, counts.row_groups, counts.row_groups_read) == (12, 48, 24)
    assert (counts.rows, counts.rows_given) == (48, 24)  # items 3 and 4 of each file, of 2 to 5


def test_expressions_above_a_join_that_may_fail_do_not_read_all_columns(shop: Lake) -> None:
    query = "SELECT name, SUM(amount * i.item) FROM sales s JOIN items i ON i.item = s.item GROUP BY name"
    assert ordered(shop.rows(query)) == ordered(shop.rows(query, rules=False))
    shop.engine.use_rules = True
    assert "Scan external default.sales (item, amount)" in explain(shop.engine.plan_of(parse(query)[0]))


def test_a_table_of_many_keys_says_what_lies_between(shop: Lake) -> None:
    shop.write("b/many/a.parquet", pa.table({"item": [*range(2, 6), *(2 for _ in range(100)), *range(-9000, -8900)]}))
    shop.run("CREATE EXTERNAL TABLE many (item int) STORED AS PARQUET LOCATION 's3://b/many/'")
    query = "SELECT SUM(amount) FROM sales s JOIN (SELECT DISTINCT item FROM many) m ON m.item = s.item"
    assert shop.rows(query) == shop.rows(query, rules=False)
    assert shop.read(query)["sales"].row_groups_read == 36


def test_a_row_that_would_fail_keeps_partitions_from_being_left_out(shop: Lake) -> None:
    """Unlike a condition on the keys, which comes first: what fails must not depend on what a table holds."""
    query = "SELECT SUM(n) FROM (SELECT store, 100 / item AS n FROM sales) s JOIN stores ON id = store AND town = 'Ulm'"
    shop.rows(query)
    lost = len(shop.lost)
    assert lost
    shop.rows(query, rules=False)
    assert len(shop.lost) == 2 * lost


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("string", ["a", "b", "ä ö"]),
        ("date", [date(2024, 5, 1), date(2024, 5, 2), date(1969, 12, 31)]),
        ("timestamp", [datetime(2024, 5, 1, 12), datetime(2024, 5, 2), datetime(1969, 12, 31, 1)]),
        ("decimal(6,2)", [Decimal("1.50"), Decimal("2.00"), Decimal("-3.25")]),
        ("boolean", [True, False, None]),
        ("double", [1.5, 2.0, float("nan")]),
    ],
)
def test_keys_of_every_type(lake: Lake, type_: str, values: list[Any]) -> None:
    held = {"decimal(6,2)": pa.decimal128(6, 2), "boolean": pa.bool_()}.get(type_)
    for i, value in enumerate(values):
        lake.write(f"b/f/{i}.parquet", pa.table({"k": pa.array([value], held), "n": [i]}))
    lake.write("b/d/a.parquet", pa.table({"k": pa.array([values[1], values[2], None], held)}))
    lake.run(f"""
        CREATE EXTERNAL TABLE f (k {type_}, n bigint) STORED AS PARQUET LOCATION 's3://b/f/';
        CREATE EXTERNAL TABLE d (k {type_}) STORED AS PARQUET LOCATION 's3://b/d/';
    """)
    query = "SELECT n FROM f JOIN d ON f.k = d.k"
    assert ordered(lake.rows(query)) == ordered(lake.rows(query, rules=False))
    exact = type_ != "double"
    assert lake.read(query)["f"].row_groups_read == (3 if not exact else 1 if values[2] is None else 2)


KEYS = ("k", "p", "n", "s")
CONDITIONS = ("", " AND d.n > 1", " AND f.n < 3", " AND d.s = 'x'", " AND f.p = 'a' AND d.p IS NOT NULL", " AND f.n + d.n > 2")
SHAPES = (
    "SELECT f.k, f.n, d.s FROM f {kind} JOIN d ON {on}{more}",
    "SELECT d.k, f.n, d.s FROM d JOIN f ON {on}{more}",
    "SELECT d.s, SUM(f.n), COUNT(*) FROM d, f WHERE {on}{more} GROUP BY d.s",
    "SELECT d.k, e.n, f.p FROM d, e, f WHERE {on} AND e.k = f.k{more}",
    "SELECT d.k, e.n, f.p FROM e, d JOIN f ON {on} WHERE e.s = d.s{more}",
    "SELECT f.n FROM f WHERE EXISTS (SELECT 1 FROM d WHERE {on}{more})",
    "SELECT v.n, d.s FROM (SELECT k, p, s, SUM(n) AS n FROM f GROUP BY k, p, s) v JOIN d ON v.k = d.k AND v.p = d.p",
    "SELECT f.n FROM f WHERE f.k IN (SELECT d.k FROM d JOIN e ON e.s = d.s WHERE d.n > 1) OR f.n = 2",
    "SELECT f.n FROM f WHERE f.k NOT IN (SELECT k FROM d WHERE k IS NOT NULL) AND f.p IN (SELECT p FROM e)",
    "SELECT DISTINCT q.p FROM (SELECT p, n FROM f UNION ALL SELECT s, k FROM f) q JOIN d ON d.s = q.p",
)


@st.composite
def relations(draw: st.DrawFn) -> pa.Table:
    count = draw(st.integers(0, 6))
    numbers, texts = st.none() | st.integers(0, 3), st.none() | st.sampled_from(["a", "b", "x"])
    columns = {name: draw(st.lists(texts if name in "ps" else numbers, min_size=count, max_size=count)) for name in KEYS}
    return pa.table({name: pa.array(v, pa.string() if name in "ps" else pa.int32()) for name, v in columns.items()})


@settings(max_examples=60, deadline=None)
@given(st.lists(relations(), min_size=1, max_size=4), relations(), relations(), st.data())
def test_they_change_no_result(facts: list[pa.Table], d: pa.Table, e: pa.Table, data: st.DataObject) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        lake = Lake(folder)
        for i, fact in enumerate(facts):
            lake.write(f"b/f/k={i % 3}/p={'ab'[i % 2]}/{i}.parquet", fact.drop(["k", "p"]), row_group_size=2)
        lake.write("b/d/a.parquet", d)
        lake.write("b/e/a.parquet", e)
        lake.run("""
            CREATE EXTERNAL TABLE f (n int, s string) PARTITIONED BY (k int, p string) STORED AS PARQUET LOCATION 's3://b/f';
            MSCK REPAIR TABLE f;
            CREATE EXTERNAL TABLE d (k int, p string, n int, s string) STORED AS PARQUET LOCATION 's3://b/d';
            CREATE EXTERNAL TABLE e (k bigint, p string, n int, s string) STORED AS PARQUET LOCATION 's3://b/e';
        """)
        for _ in range(3):
            keys = data.draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=2, unique=True))
            query = data.draw(st.sampled_from(SHAPES)).format(
                kind=data.draw(st.sampled_from(["", "LEFT", "RIGHT", "FULL"])),
                on=" AND ".join(f"f.{key} = d.{key}" for key in keys),
                more=data.draw(st.sampled_from(CONDITIONS)),
            )
            assert ordered(lake.rows(query)) == ordered(lake.rows(query, rules=False)), query
    finally:
        shutil.rmtree(folder)
