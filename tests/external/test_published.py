"""Published statements over external tables run unchanged: AWS's articles on open FDA data and on DynamoDB streams."""

from __future__ import annotations

import random
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from tests.external.lake import Lake

PRODUCTS = ["ASPIRIN", "ASPIRIN", "IBUPROFEN", "PARACETAMOL"]
REACTIONS = ["GASTROINTESTINAL HAEMORRHAGE", "NAUSEA", "HEADACHE"]


def events(seed: int, count: int = 4000) -> pa.Table:
    """Reports of reactions to drugs of 2003 to 2017; some stand there twice, some have a date of a year alone."""
    chance = random.Random(seed)
    rows = [
        {
            "safetyreportid": str(chance.randrange(count // 2)),
            "receiptdate": f"{chance.randint(2003, 2017)}{chance.choice(['0412', '1103', ''])}",
            "medicinalproduct": chance.choice(PRODUCTS),
            "reactionmeddrapt": chance.choice(REACTIONS),
        }
        for _ in range(count)
    ]
    return pa.Table.from_pylist(rows)


@pytest.fixture
def seeds(shared: Path) -> Path:
    return shared / "cases" / "seed"


def fda(lake: Lake, seeds: Path, table: pa.Table) -> str:
    """The table of the article over two files; gives the article's query."""
    for i, half in enumerate((table.slice(0, table.num_rows // 2), table.slice(table.num_rows // 2))):
        lake.write(f"{{YOUR TARGET BUCKET}}/output/drugevents/{i}.parquet", half)
    lake.run(f"CREATE DATABASE fda; USE fda; {(seeds / 'openfda_table.sql').read_text()}")
    return (seeds / "openfda_prr.sql").read_text()


@pytest.mark.parametrize("seed", range(3))
def test_proportional_reporting_ratio(seed: int, lake: Lake, seeds: Path) -> None:
    table = events(seed)
    query = fda(lake, seeds, table)
    with duckdb.connect() as con:
        con.execute("CREATE SCHEMA fda")
        con.register("rows", table)
        con.execute("CREATE TABLE fda.drugevents AS SELECT * FROM rows")
        wanted = con.execute(query).fetchall()
    assert len(wanted) == 11
    found = lake.rows(query)
    assert [row[:1] + row[2:] for row in found] == [row[:1] + row[2:] for row in wanted]
    assert [row[1] for row in found] == pytest.approx([row[1] for row in wanted], rel=1e-12)
    assert found == lake.rows(query, rules=False)


def test_ratio_by_hand(lake: Lake, seeds: Path) -> None:
    """Of 2010: 9 reports of the drug, 2 of them with the event; 21 of other drugs, 5 of them with the event."""
    drug, event = "ASPIRIN", "GASTROINTESTINAL HAEMORRHAGE"
    made = [(drug, event)] * 2 + [(drug, "NAUSEA")] * 7 + [("IBUPROFEN", event)] * 5 + [("IBUPROFEN", "NAUSEA")] * 16
    rows = [
        {"safetyreportid": str(i), "receiptdate": "20100101", "medicinalproduct": m, "reactionmeddrapt": r}
        for i, (m, r) in enumerate(made)
    ]
    rows.append({**rows[0], "safetyreportid": None})  # CONCAT with NULL is NULL, and counts nowhere
    assert lake.rows(fda(lake, seeds, pa.Table.from_pylist(rows))) == [("2010", (2 / 9) / (5 / 21), 2, 9, 7, 30)]


def test_twitter_feed(lake: Lake, seeds: Path) -> None:
    """The statements give the ten users with the most different tweets of the one partition that was added."""
    chance = random.Random(1)
    folder = "myBucket/dynamodb/streams/transactions/2017/05/17"
    feed = [(f"user {u}", t) for u in range(15) for t in range(u + 1)]
    again = feed + chance.choices(feed, k=60)
    chance.shuffle(again)
    record = {"table_name": "tweets", "approx_post_time": "2017-05-17 01:02:03"}
    for i in range(3):
        part = again[i::3]
        lake.json(f"{folder}/01/part-{i}.json", *({**record, "user_id": user, "tweet_id": tweet} for user, tweet in part))
    lake.json(f"{folder}/02/other.json", {**record, "user_id": "user 0", "tweet_id": 99})
    statements = (seeds / "twitterfeed.sql").read_text()
    *made, query = [s for s in statements.split(";") if s.strip()]
    lake.run(";".join(made))
    assert lake.rows(query) == [(f"user {u}", u + 1) for u in range(14, 4, -1)]
    assert lake.lost == []
