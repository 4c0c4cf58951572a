"""A data lake to try partition pruning on: `python examples/uservisits/generate.py [ROWS] [FOLDER]`.

Visits of web pages by the customers of an advertising company, in the shape of the uservisits table of the Big Data
Benchmark, for six customers and the 84 months of the Star Schema Benchmark (1992 to 1998), with that benchmark's dimensions
`customer` and `dwdate`.  Each customer and month is a partition of its own, once as CSV and once as Parquet, under a key that
begins with a few random characters, as one spreads requests over S3.  FOLDER stands in for S3 (`--s3-root FOLDER`);
`tables.sql` in it declares all tables and partitions.  The same ROWS give the same files.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

ROWS = 1_000_000
BUCKET = "lake"
CUSTOMERS = 6
MONTHS = [year * 100 + month for year in range(1992, 1999) for month in range(1, 13)]

COLUMNS = """  sourceIP varchar(15),
  destURL varchar(64),
  visitDate date,
  adRevenue double,
  userAgent varchar(64),
  countryCode varchar(3),
  languageCode varchar(6),
  searchWord varchar(32),
  duration int"""

AGENTS = ["Mozilla/5.0", "Mozilla/4.0 (compatible; MSIE 5.5)", "Opera/9.80", "Lynx/2.8.7", "Wget/1.11"]
COUNTRIES = ["USA", "DEU", "FRA", "JPN", "BRA", "IND", "ZAF"]
LANGUAGES = ["en-US", "de-DE", "fr-FR", "ja-JP", "pt-BR", "hi-IN"]
WORDS = ["anomaly", "window", "stream", "pump", "parquet", "prune", "forest", "lake", "shard", "rowtime"]
SEGMENTS = ["AUTOMOBILE", "BUILDING", "FURNITURE", "HOUSEHOLD", "MACHINERY"]
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def main(rows: int = ROWS, folder: Path = Path("lake")) -> None:
    """Write everything below a folder."""
    bucket = folder / BUCKET
    statements = ["CREATE DATABASE IF NOT EXISTS poc;", *dimensions(bucket)]
    counts = np.random.default_rng(rows).multinomial(rows, np.full(CUSTOMERS * len(MONTHS), 1 / (CUSTOMERS * len(MONTHS))))
    for name, stored in (("uservisits_csv", "ROW FORMAT DELIMITED FIELDS TERMINATED BY '|'\nSTORED AS TEXTFILE"),
                         ("uservisits_parquet", "STORED AS PARQUET")):  # fmt: skip
        statements.append(
            f"CREATE EXTERNAL TABLE IF NOT EXISTS poc.{name} (\n{COLUMNS}\n)\nPARTITIONED BY (customer int, visitYearMonth int)\n"
            f"{stored}\nLOCATION 's3://{BUCKET}/{name}/';"
        )
    for number, (customer, month) in enumerate((c, m) for c in range(1, CUSTOMERS + 1) for m in MONTHS):
        table = visits(customer, month, int(counts[number]))
        for name in ("uservisits_csv", "uservisits_parquet"):
            key = f"{spread(name, customer, month)}/{name}/customer={customer}/visitYearMonth={month}"
            write(bucket / key, table, name)
            statements.append(
                f"ALTER TABLE poc.{name} ADD IF NOT EXISTS PARTITION (customer={customer}, visitYearMonth={month}) "
                f"LOCATION 's3://{BUCKET}/{key}/';"
            )
    (folder / "tables.sql").write_text("\n".join(statements) + "\n")


def spread(*parts: object) -> str:
    """A few characters that look random."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:4]


def visits(customer: int, month: int, count: int) -> pa.Table:
    """The visits of one customer in one month, in the order of their days."""
    draw = np.random.default_rng([customer, month, count])
    first = date(month // 100, month % 100, 1)
    days = ((first.replace(day=28) + timedelta(days=4)).replace(day=1) - first).days
    address = draw.integers(1, 255, (count, 4))
    page = draw.integers(0, 100_000, count)
    columns = {
        "sourceIP": [".".join(map(str, row)) for row in address.tolist()],
        "destURL": [f"http://www.example.com/{number:05}" for number in page.tolist()],
        "visitDate": pa.array(np.datetime64(first) + np.sort(draw.integers(0, days, count))),
        "adRevenue": np.round(draw.gamma(2.0, 0.05, count) * customer, 4),
        "userAgent": _chosen(draw, AGENTS, count),
        "countryCode": _chosen(draw, COUNTRIES, count),
        "languageCode": _chosen(draw, LANGUAGES, count),
        "searchWord": _chosen(draw, WORDS, count),
        "duration": draw.integers(1, 600, count).astype(np.int32),
    }
    return pa.table(columns)


def _chosen(draw: np.random.Generator, words: list[str], count: int) -> pa.Array:
    return pa.array(words).take(pa.array(draw.integers(0, len(words), count)))


def write(folder: Path, table: pa.Table, name: str) -> None:
    """One file of a partition."""
    folder.mkdir(parents=True, exist_ok=True)
    if name.endswith("parquet"):
        pyarrow.parquet.write_table(table, folder / "part-0.parquet", compression="snappy")
        return
    options = pyarrow.csv.WriteOptions(include_header=False, delimiter="|", quoting_style="none")
    pyarrow.csv.write_csv(table, folder / "part-0.csv", options)


def dimensions(bucket: Path) -> Iterator[str]:
    """The two small tables, and what declares them."""
    customers = pa.table({
        "c_custkey": pa.array(range(1, CUSTOMERS + 1), pa.int32()),
        "c_name": [f"Customer#{number:09}" for number in range(1, CUSTOMERS + 1)],
        "c_mktsegment": [SEGMENTS[number % len(SEGMENTS)] for number in range(CUSTOMERS)],
    })  # fmt: skip
    days = [date(1992, 1, 1) + timedelta(days=number) for number in range((date(1999, 1, 1) - date(1992, 1, 1)).days)]
    dates = pa.table({
        "d_datekey": pa.array([day.year * 10_000 + day.month * 100 + day.day for day in days], pa.int32()),
        "d_dayofweek": [WEEKDAYS[day.weekday()] for day in days],
        "d_month": [f"{day:%B}" for day in days],
        "d_year": pa.array([day.year for day in days], pa.int32()),
        "d_yearmonthnum": pa.array([day.year * 100 + day.month for day in days], pa.int32()),
    })  # fmt: skip
    for name, table in (("customer", customers), ("dwdate", dates)):
        write(bucket / name, table, "parquet")
        columns = ",\n".join(f"  {field.name} {'int' if pa.types.is_integer(field.type) else 'string'}" for field in table.schema)
        location = f"s3://{BUCKET}/{name}/"
        yield f"CREATE EXTERNAL TABLE IF NOT EXISTS poc.{name} (\n{columns}\n)\nSTORED AS PARQUET\nLOCATION '{location}';"


if __name__ == "__main__":
    given = sys.argv[1:]
    main(int(given[0]) if given else ROWS, Path(given[1]) if len(given) > 1 else Path("lake"))
