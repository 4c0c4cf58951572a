"""The four steps of examples/uservisits: a query over partitioned files that reads less and less; beside DuckDB and others."""

from __future__ import annotations

import os
import re
import runpy
import tempfile
from pathlib import Path
from typing import Any

import duckdb

import streamsql
from bench.measure import Measurement, Query, cpu_seconds, installed

EXAMPLE = Path(__file__).parents[1] / "examples" / "uservisits"
ROWS = 20_000_000
KINDS = ("csv", "parquet")
NAMES = ("no condition on a key", "one key", "both keys, by a join", "added up before the join")

TYPES = {
    "sourceIP": "VARCHAR",
    "destURL": "VARCHAR",
    "visitDate": "DATE",
    "adRevenue": "DOUBLE",
    "userAgent": "VARCHAR",
    "countryCode": "VARCHAR",
    "languageCode": "VARCHAR",
    "searchWord": "VARCHAR",
    "duration": "INTEGER",
}


def measurements() -> list[Measurement]:
    """CPU seconds of each query, on CSV and on Parquet, and the megabytes that it read of those that there are."""
    found: list[Measurement] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        runpy.run_path(str(EXAMPLE / "generate.py"))["main"](ROWS, folder)
        with streamsql.connect(s3_root=name) as ours, duckdb.connect() as theirs:
            ours.executescript((folder / "tables.sql").read_text())
            theirs.execute(f"SET threads = {os.cpu_count()}")
            theirs.execute(views(folder / "lake"))
            peers: dict[str, Query] = {
                "DuckDB": lambda q: theirs.sql(q).to_arrow_table(),
                **installed({"DataFusion": datafusion, "Polars": polars}, folder),
            }
            for kind in KINDS:
                for number, (step, query) in enumerate(zip(NAMES, steps(f"uservisits_{kind}"), strict=True), 1):
                    title = f"{number}: {step}, {kind}"
                    us = cpu_seconds(lambda q=query: ours.execute(q).fetch_arrow_table())  # type: ignore[misc]
                    for peer, run in peers.items():
                        if kind == "parquet" or peer != "Polars":  # which finds no partitions in names of CSV files
                            them = cpu_seconds(lambda q=query, run=run: run(q))  # type: ignore[misc]
                            found.append(Measurement(title, "CPU s", us, peer, them, less=True))
                    read, there = megabytes(ours, folder, kind)
                    found.append(Measurement(f"{title}: read", "MB", read, "all files", there, less=True))
    return found


def steps(visits: str) -> list[str]:
    """The four queries over a table."""
    text = (EXAMPLE / "steps.sql").read_text().format(visits=visits)
    queries = text.split(";")[:-1]
    return [query.partition("SELECT")[1] + query.partition("SELECT")[2] for query in queries]


def megabytes(connection: streamsql.Connection, folder: Path, kind: str) -> tuple[float, float]:
    """What the last query read of the visits, and what all of their files have."""
    of_visits = "query = pg_last_query_id() AND external_table_name LIKE '%visits%'"
    (read,) = connection.execute(f"SELECT s3_scanned_bytes FROM svl_s3query_summary WHERE {of_visits}").fetchall()[0]
    there = sum(file.stat().st_size for file in (folder / "lake").glob(f"*/uservisits_{kind}/*/*/*"))
    return read / 1e6, there / 1e6


def views(lake: Path) -> str:
    """The same tables for DuckDB, which finds the partitions in the names of the files."""
    declared = ", ".join(f"'{name}': '{type_}'" for name, type_ in TYPES.items())
    keys = "hive_partitioning=true, hive_types={'customer': 'INTEGER', 'visitYearMonth': 'INTEGER'}"
    return f"""CREATE SCHEMA poc;
CREATE VIEW poc.customer AS SELECT * FROM '{lake}/customer/*.parquet';
CREATE VIEW poc.dwdate AS SELECT * FROM '{lake}/dwdate/*.parquet';
CREATE VIEW poc.uservisits_csv AS SELECT * FROM read_csv('{lake}/*/uservisits_csv/*/*/*.csv',
  header=false, delim='|', columns={{{declared}}}, {keys});
CREATE VIEW poc.uservisits_parquet AS SELECT * FROM read_parquet('{lake}/*/uservisits_parquet/*/*/*.parquet', {keys});"""


def datafusion(folder: Path) -> Query:
    """DataFusion, which looks for partitions right below the place of a table: there are the same files under other names."""
    import datafusion

    links = folder / "links"
    for file in (folder / "lake").glob("*/uservisits_*/*/*/*"):
        link = links / Path(*file.relative_to(folder / "lake").parts[1:])
        link.parent.mkdir(parents=True, exist_ok=True)
        os.link(file, link)
    context = datafusion.SessionContext()
    context.sql("SET datafusion.sql_parser.enable_ident_normalization = false")
    context.sql("CREATE SCHEMA poc")
    columns = ", ".join(f'"{name}" {type_}' for name, type_ in {**TYPES, "customer": "INT", "visitYearMonth": "INT"}.items())
    options = {"csv": "OPTIONS ('format.has_header' 'false', 'format.delimiter' '|')", "parquet": ""}
    for kind in KINDS:
        context.sql(
            f"CREATE EXTERNAL TABLE poc.uservisits_{kind} ({columns}) STORED AS {kind.upper()} "
            f"PARTITIONED BY (customer, visitYearMonth) LOCATION '{links}/uservisits_{kind}/' {options[kind]}"
        )
    for name in ("customer", "dwdate"):
        context.sql(f"CREATE EXTERNAL TABLE poc.{name} STORED AS PARQUET LOCATION '{folder}/lake/{name}/'")
    return lambda query: context.sql(_quoted(query)).to_arrow_table()


def _quoted(query: str) -> str:
    """With the names that have capitals in quotes."""
    return re.sub(r"\b(visitYearMonth|visitDate|adRevenue|countryCode)\b", r'"\1"', query)


def polars(folder: Path) -> Query:
    """Polars, by its SQL."""
    import polars

    keys: dict[str, Any] = {"customer": polars.Int32, "visitYearMonth": polars.Int32}
    lake = folder / "lake"
    visits = lake / "*/uservisits_parquet/*/*/*.parquet"
    context = polars.SQLContext(
        uservisits_parquet=polars.scan_parquet(visits, hive_partitioning=True, hive_schema=keys),
        customer=polars.scan_parquet(lake / "customer/*.parquet"),
        dwdate=polars.scan_parquet(lake / "dwdate/*.parquet"),
    )
    return lambda query: context.execute(query.replace("poc.", ""), eager=True)
