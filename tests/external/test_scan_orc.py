"""ORC files: the columns that are asked for, by name, and what is wrong with a file."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.orc
import pytest

from streamsql.errors import OperationalError
from tests.external.lake import Lake


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
