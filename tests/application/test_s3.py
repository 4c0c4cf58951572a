"""The command with S3: what it prints, how it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.application.command import COMMAND, streamsql

if TYPE_CHECKING:
    from s3_server import Bucket, Request

APPLICATION = """
CREATE STREAM i (a INTEGER, b VARCHAR(4));
CREATE STREAM o (a INTEGER, s VARCHAR(8));
CREATE PUMP p AS INSERT INTO o SELECT STREAM i.a, r.s FROM i JOIN r ON i.b = r.b;
"""


def queried(bucket: Bucket, key: str) -> subprocess.CompletedProcess[str]:
    """A query over a table under a prefix."""
    table = f"CREATE EXTERNAL TABLE t (id int, name string) STORED AS JSON LOCATION '{bucket.uri(key)}'"
    return streamsql("--format", "csv", "-c", table, "-c", "SELECT SUM(id) AS total FROM t")


def test_queries_end_without_a_word(bucket: Bucket) -> None:
    bucket.put("t/a.json", '{"id": 1}\n{"id": 2}\n')
    done = queried(bucket, "t/")
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["TOTAL", "3"], "")


def test_inputs_references_and_outputs(bucket: Bucket, tmp_path: Path) -> None:
    application = tmp_path / "app.sql"
    application.write_text(APPLICATION)
    bucket.put("in 1.jsonl", '{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n')
    bucket.put("r.csv", "b,s\nx,ex\ny,why\n")
    attached = ("--input", f"i={bucket.uri('in 1.jsonl')}", "--reference", f"r={bucket.uri('r.csv')}")
    done = streamsql("run", str(application), *attached, "--output", f"o={bucket.uri('o=1/out.jsonl')}")
    assert done.returncode == 0, done.stderr
    assert bucket.get("o=1/out.jsonl") == b'{"A": 1, "S": "ex"}\n{"A": 2, "S": "why"}\n'


def test_what_is_refused(bucket: Bucket) -> None:
    bucket.server.answer = lambda _: (403, "AccessDenied")
    done = queried(bucket, "t/")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        f"streamsql: cannot list 's3://{bucket.name}/t': access is denied (ListObjectsV2 needs s3:ListBucket of the bucket)",
        "  hint: AWS_ACCESS_KEY_ID or AWS_PROFILE say who asks",
    ]


SCRIPT = """
import sys, streamsql
con = streamsql.connect()
con.execute(f"CREATE EXTERNAL TABLE t (id int) STORED AS JSON LOCATION '{sys.argv[1]}'")
print(con.execute("SELECT id FROM t").fetchone())
"""


def test_a_program_that_takes_one_row_ends_without_a_word(bucket: Bucket) -> None:
    for i in range(40):
        bucket.put(f"t/{i:02d}.json", f'{{"id": {i}}}\n')
    done = subprocess.run([sys.executable, "-c", SCRIPT, bucket.uri("t/")], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "(0,)\n", "")


@pytest.mark.parametrize("kind", ["listing", "object"])
def test_ctrl_c_does_not_wait_for_a_server_that_does_not_answer(bucket: Bucket, kind: str) -> None:
    bucket.put("t/a.json", '{"id": 1}\n')
    asked, over = threading.Event(), threading.Event()

    def answer(request: Request) -> None:
        if request.is_listing == (kind == "listing"):
            asked.set()
            over.wait(60)

    bucket.server.answer = answer
    table = f"CREATE EXTERNAL TABLE t (id int) STORED AS JSON LOCATION '{bucket.uri('t/')}'"
    query = [*COMMAND, "-c", table, "-c", "SELECT SUM(id) FROM t"]
    process = subprocess.Popen(query, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert asked.wait(60)
        time.sleep(0.2)  # so that it waits
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=25)  # without it, three attempts of ten seconds and more
    finally:
        process.kill()
        over.set()
    assert (process.returncode, out) == (130, "")
    assert error.split() in ([], ["stopped"])
