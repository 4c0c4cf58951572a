"""The four steps of examples/uservisits: a query over partitioned files that reads less and less; beside DuckDB."""

from __future__ import annotations

import runpy
import tempfile
from pathlib import Path

import duckdb

import streamsql
from bench.measure import Measurement, cpu_seconds

EXAMPLE = Path(__file__).parents[1] / "examples" / "uservisits"
ROWS = 2_000_000

NAMES = ("no condition on a key", "one key", "both keys, by a join", "added up before the join")


def measurements() -> list[Measurement]:
    """CPU seconds of each query, on CSV and on Parquet."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        runpy.run_path(str(EXAMPLE / "generate.py"))["main"](ROWS, Path(folder))
        with streamsql.connect(s3_root=folder) as ours, duckdb.connect() as theirs:
            ours.executescript((Path(folder) / "tables.sql").read_text())
            theirs.execute("SET threads = 1")
            theirs.execute(views(Path(folder) / "lake"))
            for visits in ("uservisits_csv", "uservisits_parquet"):
                for number, (name, query) in enumerate(zip(NAMES, steps(visits), strict=True), 1):
                    us = cpu_seconds(lambda q=query: ours.execute(q).fetch_arrow_table())  # type: ignore[misc]
                    them = cpu_seconds(lambda q=query: theirs.sql(q).to_arrow_table())  # type: ignore[misc]
                    kind = visits.removeprefix("uservisits_")
                    found.append(Measurement(f"{number}: {name}, {kind}", "CPU s", us, "DuckDB", them, less=True))
    return found


def steps(visits: str) -> list[str]:
    """The four queries over a table."""
    text = (EXAMPLE / "steps.sql").read_text().format(visits=visits)
    queries = text.split(";")[:-1]
    return [query.partition("SELECT")[1] + query.partition("SELECT")[2] for query in queries]


def views(lake: Path) -> str:
    """The same tables for DuckDB, which finds the partitions in the names of the files."""
    columns = "sourceIP VARCHAR, destURL VARCHAR, visitDate DATE, adRevenue DOUBLE, userAgent VARCHAR, countryCode VARCHAR"
    declared = ", ".join(f"'{name}': '{type_}'" for name, type_ in (c.split() for c in columns.split(", ")))
    declared += ", 'languageCode': 'VARCHAR', 'searchWord': 'VARCHAR', 'duration': 'INTEGER'"
    keys = "hive_partitioning=true, hive_types={'customer': 'INTEGER', 'visitYearMonth': 'INTEGER'}"
    return f"""CREATE SCHEMA poc;
CREATE VIEW poc.customer AS SELECT * FROM '{lake}/customer/*.parquet';
CREATE VIEW poc.dwdate AS SELECT * FROM '{lake}/dwdate/*.parquet';
CREATE VIEW poc.uservisits_csv AS SELECT * FROM read_csv('{lake}/*/uservisits_csv/*/*/*.csv',
  header=false, delim='|', columns={{{declared}}}, {keys});
CREATE VIEW poc.uservisits_parquet AS SELECT * FROM read_parquet('{lake}/*/uservisits_parquet/*/*/*.parquet', {keys});"""
