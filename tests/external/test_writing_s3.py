"""External tables on S3 are written: objects appear whole, and what S3 refuses stops the statement with its reason."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import streamsql
from streamsql import OperationalError, ProgrammingError
from tests.application.command import COMMAND, arguments, write_application

if TYPE_CHECKING:
    from s3_server import Bucket, Request


@pytest.fixture
def con(bucket: Bucket) -> streamsql.Connection:
    con = streamsql.connect()
    con.execute(f"CREATE DATABASE lake LOCATION '{bucket.uri('lake/')}'")
    con.execute("USE lake")
    return con


VALUES = "(VALUES (1, 'a b'), (2, 'é/=%?x=y'), (3, NULL), (4, 'a b')) AS v (id, k)"


def without_run(keys: list[str]) -> list[str]:
    """Keys without the part of their names that is another one in each run."""
    return [f"{key.rpartition('/')[0]}/{key.rpartition('_')[2]}" for key in keys]


def test_tables_are_made_filled_and_unloaded(bucket: Bucket, con: streamsql.Connection) -> None:
    con.execute(f"CREATE TABLE t WITH (partitioned_by = ARRAY['k']) AS SELECT id, k FROM {VALUES}")
    con.execute("INSERT INTO t VALUES (5, 'new')")
    assert without_run(bucket.keys("lake/")) == [
        "lake/t/k=__HIVE_DEFAULT_PARTITION__/000000000002.parquet",
        "lake/t/k=a b/000000000000.parquet",
        "lake/t/k=new/000000000000.parquet",
        "lake/t/k=é%2F%3D%25%3Fx%3Dy/000000000001.parquet",
    ]
    assert con.execute("SELECT id, k FROM t ORDER BY id").fetchall() == [
        (1, "a b"), (2, "é/=%?x=y"), (3, None), (4, "a b"), (5, "new"),
    ]  # fmt: skip
    con.execute(
        f"CREATE EXTERNAL TABLE again (id int) PARTITIONED BY (k string) STORED AS PARQUET LOCATION '{bucket.uri('lake/t')}'"
    )
    con.execute("MSCK REPAIR TABLE again")
    assert con.execute("SELECT id FROM again WHERE k = 'é/=%?x=y'").fetchall() == [(2,)]
    con.execute(f"UNLOAD ('SELECT id FROM t ORDER BY id') TO '{bucket.uri('u/x_')}' IAM_ROLE default PARALLEL OFF MANIFEST")
    assert bucket.get("u/x_000") == b"1\n2\n3\n4\n5\n"
    assert json.loads(bucket.get("u/x_manifest")) == {"entries": [{"url": bucket.uri("u/x_000")}]}
    with pytest.raises(ProgrammingError, match="is not empty"):
        con.execute(f"UNLOAD ('SELECT 1 AS a') TO '{bucket.uri('u/x_')}'")
    con.execute(f"UNLOAD ('SELECT 1 AS a') TO '{bucket.uri('u/x_')}' CLEANPATH")
    assert bucket.keys("u/x") == ["u/x_0000_part_00"]


def test_a_place_with_objects_is_refused(bucket: Bucket, con: streamsql.Connection) -> None:
    bucket.put("lake/t/some.json", "{}")
    with pytest.raises(ProgrammingError, match="HIVE_PATH_ALREADY_EXISTS"):
        con.execute("CREATE TABLE t AS SELECT 1 AS a")


def test_what_s3_refuses_names_the_object(bucket: Bucket, con: streamsql.Connection) -> None:
    def denied(request: Request) -> tuple[int, str] | None:
        return (403, "AccessDenied") if request.method in ("PUT", "POST") else None

    bucket.server.answer = denied
    with pytest.raises(OperationalError, match=r"s3://bucket-\d+/lake/t/.*parquet") as caught:
        con.execute("CREATE TABLE t AS SELECT 1 AS a")
    assert "denied" in caught.value.message
    assert con.execute("SHOW TABLES").fetchall() == []


def test_a_pump_is_killed_and_goes_on(bucket: Bucket, tmp_path: Path) -> None:
    sql = f"""
    CREATE EXTERNAL TABLE readings (amount int) PARTITIONED BY (name string) STORED AS JSON LOCATION '{bucket.uri("r/")}'
    TBLPROPERTIES ('write.maxfilerows'='100', 'write.compression'='none');
    CREATE PUMP p AS INSERT INTO readings SELECT STREAM "amount", "name" FROM "IN";
    """
    write_application(tmp_path, sql, count=20_000)
    run = [*COMMAND, *arguments(tmp_path, "--checkpoint", str(tmp_path / "state"), "--checkpoint-interval", "10ms")]
    first = subprocess.Popen(run, stderr=subprocess.DEVNULL, env=os.environ)
    while first.poll() is None and not bucket.keys("r/"):
        pass
    first.kill()
    first.wait()
    assert subprocess.run(run, stderr=subprocess.DEVNULL, env=os.environ, timeout=120).returncode == 0
    keys = bucket.keys("r/")
    rows = [json.loads(line)["amount"] for key in keys for line in bucket.get(key).splitlines()]
    assert len(keys) == sum(1 for name in (0, 1, 4) for _ in range(-(-sum(i * i % 5 == name for i in range(20_000)) // 100)))
    assert sorted(rows) == sorted(i % 13 for i in range(20_000))
