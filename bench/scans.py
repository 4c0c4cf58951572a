"""Full scans of an external table over Parquet: sums, groups by texts, the first rows of an order, joins, and files written
from it; beside DuckDB, DataFusion and Polars on the same files.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet

import streamsql
from bench.measure import Measurement, Query, cpu_seconds, installed

ROWS = 4_000_000
FILES = 8
PAGES = 100_000
COUNTRIES = ["USA", "DEU", "FRA", "JPN", "BRA", "IND", "ZAF"]

TABLES = """
CREATE EXTERNAL TABLE visits (id bigint, address string, page string, country string, day date, revenue double, duration int)
STORED AS PARQUET LOCATION '{folder}/visits/';
CREATE EXTERNAL TABLE pages (page string, topic string, weight int) STORED AS PARQUET LOCATION '{folder}/pages/';
CREATE EXTERNAL TABLE countries (country string, region string) STORED AS PARQUET LOCATION '{folder}/countries/';
"""
NAMES = ("visits", "pages", "countries")

QUERIES: Mapping[str, str] = {
    "SUM where": "SELECT SUM(revenue) AS s, COUNT(*) AS n FROM visits WHERE duration > 300",
    "SUM where text": "SELECT SUM(revenue) AS s FROM visits WHERE country = 'DEU' AND duration < 100",
    "by 7 texts": "SELECT country, COUNT(*) AS n, AVG(revenue) AS a FROM visits GROUP BY country",
    "by 600 integers": "SELECT duration, COUNT(*) AS n, SUM(revenue) AS s FROM visits GROUP BY duration",
    "by 100,000 texts, top 10": "SELECT page, SUM(revenue) AS s FROM visits GROUP BY page ORDER BY s DESC LIMIT 10",
    "by millions of texts": "SELECT COUNT(*) AS n, MAX(n) AS m "
    "FROM (SELECT address, COUNT(*) AS n FROM visits GROUP BY address) AS t",
    "by 2 keys": "SELECT country, day, SUM(duration) AS s, MAX(revenue) AS m FROM visits GROUP BY country, day",
    "COUNT(DISTINCT text)": "SELECT COUNT(DISTINCT page) AS n FROM visits",
    "COUNT(DISTINCT integer) by text": "SELECT country, COUNT(DISTINCT duration) AS n FROM visits GROUP BY country",
    "ORDER BY number LIMIT 10": "SELECT id, page, revenue FROM visits ORDER BY revenue DESC, id LIMIT 10",
    "ORDER BY text LIMIT 10": "SELECT id, address FROM visits ORDER BY address, id LIMIT 10",
    "join by text, grouped": "SELECT p.topic, SUM(v.revenue) AS s FROM visits AS v JOIN pages AS p ON v.page = p.page "
    "GROUP BY p.topic",
    "join by text, few keys": "SELECT COUNT(*) AS n, SUM(v.revenue) AS s FROM visits AS v JOIN pages AS p ON v.page = p.page "
    "WHERE p.weight < 3",
    "join with 7 rows, grouped": "SELECT c.region, SUM(v.revenue) AS s FROM visits AS v "
    "JOIN countries AS c ON v.country = c.country GROUP BY c.region",
    "rows of a condition": "SELECT id, page, revenue FROM visits WHERE duration < 60",
}

WRITING = "SELECT id, address, page, country, day, revenue, duration FROM visits WHERE duration < 300"


def measurements() -> list[Measurement]:
    """CPU seconds of each query, of all threads."""
    found: list[Measurement] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder)
        with streamsql.connect() as ours, duckdb.connect() as theirs:
            ours.executescript(TABLES.format(folder=folder))
            theirs.execute(f"SET threads = {os.cpu_count()}")
            for table in NAMES:
                theirs.execute(f"CREATE VIEW {table} AS SELECT * FROM '{folder}/{table}/*.parquet'")
            peers: dict[str, Query] = {
                "DuckDB": lambda q: theirs.sql(q).to_arrow_table(),
                **installed({"DataFusion": datafusion, "Polars": polars}, folder),
            }
            for title, query in QUERIES.items():
                us = cpu_seconds(lambda q=query: ours.execute(q).fetch_arrow_table())  # type: ignore[misc]
                for peer, run in peers.items():
                    them = cpu_seconds(lambda q=query, run=run: run(q))  # type: ignore[misc]
                    found.append(Measurement(title, "CPU s", us, peer, them, less=True))
            found += writing(folder, ours, theirs)
    return found


def writing(folder: Path, ours: streamsql.Connection, theirs: duckdb.DuckDBPyConnection) -> list[Measurement]:
    """Half of the rows into new files, by each compression."""
    found: list[Measurement] = []
    count = 0
    for compression in ("SNAPPY", "GZIP"):

        def write_ours(compression: str = compression) -> None:
            nonlocal count
            count += 1
            ours.execute(
                f"UNLOAD ({WRITING}) TO '{folder}/ours-{count}/' WITH (format = 'PARQUET', compression = '{compression}')"
            )

        target = f"'{folder}/theirs.parquet' (FORMAT PARQUET, COMPRESSION {compression})"
        us, them = cpu_seconds(write_ours), cpu_seconds(lambda to=target: theirs.execute(f"COPY ({WRITING}) TO {to}"))  # type: ignore[misc]
        found.append(Measurement(f"half of the rows to Parquet, {compression}", "CPU s", us, "DuckDB", them, less=True))
    return found


def write(folder: Path) -> None:
    """The visits, in files of half a million rows, the pages, and the countries."""
    for name in NAMES:
        (folder / name).mkdir()
    draw = np.random.default_rng(1)
    pages = pa.array([f"http://www.example.com/{number:05}" for number in range(PAGES)])
    rows = ROWS // FILES
    for file in range(FILES):
        octets = [pa.array(draw.integers(1, 255, rows)).cast(pa.string()) for _ in range(4)]
        table = pa.table({
            "id": pa.array(np.arange(file * rows, (file + 1) * rows)),
            "address": pa.compute.binary_join_element_wise(*octets, "."),
            "page": pages.take(pa.array(draw.integers(0, PAGES, rows))),
            "country": pa.array(COUNTRIES).take(pa.array(draw.integers(0, len(COUNTRIES), rows))),
            "day": pa.array(np.datetime64("2024-01-01") + draw.integers(0, 90, rows)),
            "revenue": pa.array(np.round(draw.gamma(2.0, 0.05, rows), 4)),
            "duration": pa.array(draw.integers(1, 600, rows).astype(np.int32)),
        })  # fmt: skip
        pyarrow.parquet.write_table(table, folder / "visits" / f"part-{file}.parquet", row_group_size=131_072)
    weights, topics = draw.integers(0, 100, PAGES).astype(np.int32), draw.integers(0, 20, PAGES)
    table = pa.table({"page": pages, "topic": [f"topic {topic}" for topic in topics.tolist()], "weight": weights})
    pyarrow.parquet.write_table(table, folder / "pages" / "part-0.parquet")
    table = pa.table({"country": COUNTRIES, "region": ["America", "Europe", "Europe", "Asia", "America", "Asia", "Africa"]})
    pyarrow.parquet.write_table(table, folder / "countries" / "part-0.parquet")


def datafusion(folder: Path) -> Query:
    """DataFusion on as many threads as there are processors."""
    import datafusion

    context = datafusion.SessionContext()
    for name in NAMES:
        context.register_parquet(name, f"{folder}/{name}/")
    return lambda query: context.sql(query).to_arrow_table()


def polars(folder: Path) -> Query:
    """Polars, by its SQL."""
    import polars

    context = polars.SQLContext({name: polars.scan_parquet(folder / name / "*.parquet") for name in NAMES})
    return lambda query: context.execute(query, eager=True)
