"""The system columns of an input, whatever is read at a time and wherever reading goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from io_support import columns, shown

from streamsql.io.metadata import MetadataSource
from streamsql.io.open import open_source
from streamsql.time import ManualClock
from streamsql.types import INTEGER, SYSTEM_FIELDS

COUNT = 11
SCHEMA = columns(A=INTEGER)


def opened(path: Path, clock: ManualClock, options: str = "", shards: int = 3) -> MetadataSource:
    return MetadataSource(open_source(f"{path}{options}", SCHEMA), SYSTEM_FIELDS, clock, shards)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"A": i, "T": 1000 * i}) + "\n" for i in range(COUNT)))
    return tmp_path / "a.jsonl"


def test_stand_ins(path: Path) -> None:
    clock = ManualClock(5000)
    rows = shown(opened(path, clock).poll(COUNT).rows)
    assert rows[0] == (0, 5000, "0", "00000000000000000000", "shardId-000000000000")
    assert rows[10] == (10, 5000, "10", "00000000000000000010", "shardId-000000000001")


def test_in_a_replay_records_arrive_at_their_rowtime(path: Path) -> None:
    rows = shown(opened(path, ManualClock(5000), "?rowtime=T").poll(COUNT).rows)
    assert [row[2] for row in rows] == [1000 * i for i in range(COUNT)]


def test_arrival_never_goes_back(path: Path) -> None:
    clock = ManualClock(5000)
    source = opened(path, clock)
    source.poll(1)
    clock.set(4000)
    assert shown(source.poll(1).rows)[0][1] == 5000


@pytest.mark.parametrize("limit", [1, 2, 3, COUNT])
def test_a_source_goes_on_where_it_was(path: Path, limit: int) -> None:
    clock = ManualClock(5000)
    whole = shown(opened(path, clock).poll(COUNT).rows)
    source, rows = opened(path, clock), []
    while len(rows) < COUNT:
        position = json.loads(json.dumps(source.position()))
        source.close()
        source = opened(path, clock)
        source.seek(position)
        rows += shown(source.poll(limit).rows)
    assert rows == whole
    while not source.poll(limit).ended:
        pass
    assert not source.grown(source.position())
    with path.open("a") as file:
        file.write('{"A": 1}\n')
    assert source.grown(source.position())
