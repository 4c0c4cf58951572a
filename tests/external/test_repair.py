"""MSCK REPAIR TABLE over real folders."""

from __future__ import annotations

from pathlib import Path

import pytest

import streamsql


@pytest.fixture
def con(tmp_path: Path) -> streamsql.Connection:
    return streamsql.connect(s3_root=tmp_path)


def make(root: Path, *folders: str) -> None:
    for folder in folders:
        (root / "bucket" / "t" / folder).mkdir(parents=True)


def create(con: streamsql.Connection, keys: str) -> None:
    con.execute(f"CREATE EXTERNAL TABLE t (a int) PARTITIONED BY ({keys}) LOCATION 's3://bucket/t'")


def repaired(con: streamsql.Connection) -> list[str]:
    """The partitions after MSCK REPAIR TABLE."""
    con.execute("MSCK REPAIR TABLE t")
    return [name for (name,) in con.execute("SHOW PARTITIONS t")]


def test_folders_become_partitions(con: streamsql.Connection, tmp_path: Path) -> None:
    make(tmp_path, "year=2024/month=05", "year=2024/month=11", "year=2023/month=01/deeper", "_tmp", "year=2022")
    create(con, "year string, month int")
    assert repaired(con) == ["year=2023/month=1", "year=2024/month=5", "year=2024/month=11"]
    shown = [line for (line,) in con.execute("SHOW EXTERNAL TABLE t PARTITION")]
    assert shown[-1].endswith("LOCATION 's3://bucket/t/year=2024/month=11/';")


def test_only_what_is_new_is_added(con: streamsql.Connection, tmp_path: Path) -> None:
    make(tmp_path, "day=1", "day=2")
    create(con, "day int")
    con.execute("ALTER TABLE t ADD PARTITION (day=2) LOCATION 's3://bucket/elsewhere/' PARTITION (day=3)")
    assert repaired(con) == ["day=2", "day=3", "day=1"]
    assert repaired(con) == ["day=2", "day=3", "day=1"]
    shown = " ".join(line for (line,) in con.execute("SHOW EXTERNAL TABLE t PARTITION"))
    assert "s3://bucket/elsewhere/" in shown


def test_values_that_hive_escapes_and_null(con: streamsql.Connection, tmp_path: Path) -> None:
    make(tmp_path, "at=2024-01-01 10%3A30", "AT=x", "at=__HIVE_DEFAULT_PARTITION__")
    create(con, "at string")
    assert repaired(con) == ["at=x", "at=2024-01-01 10:30", "at=__HIVE_DEFAULT_PARTITION__"]
    shown = " ".join(line for (line,) in con.execute("SHOW EXTERNAL TABLE t PARTITION"))
    assert "s3://bucket/t/at=2024-01-01 10%3A30/" in shown
    assert "s3://bucket/t/AT=x/" in shown


def test_what_is_passed_over_is_said(con: streamsql.Connection, tmp_path: Path) -> None:
    make(tmp_path, "day=1", "day=soon", "hour=3")
    create(con, "day int")
    cursor = con.execute("MSCK REPAIR TABLE t")
    assert [str(warning) for _, warning in cursor.messages] == ["2 folders of s3://bucket/t are no partitions: day=soon, hour=3"]


def test_no_folder_at_all(con: streamsql.Connection) -> None:
    create(con, "day int")
    assert repaired(con) == []
