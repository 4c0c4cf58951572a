"""External tables that rows of streams are looked up in: a snapshot, read again when told and on a period."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import streamsql
from streamsql.engine.engine import Engine
from streamsql.errors import Error, OperationalError
from streamsql.time import ManualClock
from tests.external.lake import Lake

TABLE = """
CREATE EXTERNAL TABLE names (id int, name string) PARTITIONED BY (k int) STORED AS JSON LOCATION 's3://b/names/';
MSCK REPAIR TABLE names;
"""
STREAMS = "CREATE STREAM s (id INTEGER); CREATE STREAM o (id INTEGER, name VARCHAR(16));"
PUMP = "CREATE PUMP p AS INSERT INTO o SELECT STREAM s.id, names.name FROM s LEFT JOIN names ON s.id = names.id;"


class Rows:
    """What comes out of the stream `o`."""

    def __init__(self, engine: Engine) -> None:
        self.rows: list[Any] = []
        engine.pipeline.hub("O").outlets.append(self)

    def write(self, batch: Any) -> None:
        self.rows += [(row["ID"], row["NAME"]) for row in batch.to_pylist()]

    def end(self) -> None:
        pass

    def taken(self) -> list[Any]:
        rows, self.rows = self.rows, []
        return rows


@pytest.fixture
def clock(lake: Lake) -> ManualClock:
    """The clock of an engine in which a pump looks names up."""
    clock = ManualClock(0)
    lake.engine = Engine(s3_root=str(lake.root), interactive=True, clock=clock)
    lake.engine.report = lake._report
    lake.json("b/names/k=1/a.json", {"id": 1, "name": "one"})
    lake.run(TABLE + STREAMS + PUMP)
    return clock


def looked_up(lake: Lake, rows: Rows, *ids: int) -> list[Any]:
    lake.run(f"INSERT INTO s VALUES {', '.join(f'({each})' for each in ids)}")
    clock = lake.engine.clock
    assert isinstance(clock, ManualClock)
    clock.set(clock.now() + 1)  # rows of several pumps wait until their instant has passed
    lake.engine.step()
    return rows.taken()


def test_rows_see_the_table_as_it_was_read(lake: Lake, clock: ManualClock) -> None:
    rows = Rows(lake.engine)
    assert looked_up(lake, rows, 1, 2) == [(1, "one"), (2, None)]
    lake.json("b/names/k=1/b.json", {"id": 2, "name": "two"})
    lake.json("b/names/k=1/a.json", {"id": 1, "name": "uno"}, {"id": 1, "name": "eins"})
    assert looked_up(lake, rows, 1, 2) == [(1, "one"), (2, None)]
    (result,) = lake.engine.execute_script("REFRESH TABLE names")
    assert result.message == "default.names is read again for 1 running pump or query"
    assert looked_up(lake, rows, 1, 2, 3) == [(1, "uno"), (1, "eins"), (2, "two"), (3, None)]
    lake.json("b/names/k=2/a.json", {"id": 3, "name": "three"})
    lake.run("MSCK REPAIR TABLE names; REFRESH TABLE names")
    assert looked_up(lake, rows, 3) == [(3, "three")]


def test_queries_that_run_and_what_is_computed_from_a_table(lake: Lake, clock: ManualClock) -> None:
    rows = Rows(lake.engine)
    lake.run("""
        CREATE PUMP counted AS INSERT INTO o SELECT STREAM s.id, c.n FROM s
            JOIN (SELECT id, CAST(COUNT(*) AS VARCHAR(8)) AS n FROM names GROUP BY id) AS c ON c.id = s.id;
        CREATE PUMP known AS INSERT INTO o SELECT STREAM id, 'known' FROM s WHERE id IN (SELECT id FROM names);
    """)
    (result,) = lake.engine.execute_script("SELECT STREAM s.id, (SELECT MAX(name) FROM names) AS name FROM s")
    assert sorted(looked_up(lake, rows, 1)) == [(1, "1"), (1, "known"), (1, "one")]
    lake.json("b/names/k=1/b.json", {"id": 1, "name": "zz"}, {"id": 2, "name": "two"})
    lake.run("REFRESH TABLE names")
    assert sorted(looked_up(lake, rows, 1, 2)) == [
        (1, "2"), (1, "known"), (1, "one"), (1, "zz"), (2, "1"), (2, "known"), (2, "two"),
    ]  # fmt: skip
    assert result.rows is not None
    batches = iter(result.rows.take, None)
    assert [tuple(row.values()) for batch in batches for row in batch.to_pylist()] == [(1, "one"), (1, "zz"), (2, "zz")]
    result.close()
    lake.run("DROP PUMP p; DROP PUMP counted")
    (result,) = lake.engine.execute_script("REFRESH TABLE names")
    assert result.message == "default.names is read again for 1 running pump or query"


def test_on_a_period(lake: Lake, clock: ManualClock) -> None:
    lake.run("ALTER TABLE names SET TBLPROPERTIES ('streamsql.refresh.interval'='5m')")
    rows = Rows(lake.engine)
    lake.json("b/names/k=1/a.json", {"id": 1, "name": "uno"})
    clock.set(299_000)
    lake.engine.step()
    assert looked_up(lake, rows, 1) == [(1, "one")]
    clock.set(300_000)
    lake.engine.step()
    assert looked_up(lake, rows, 1) == [(1, "uno")]
    lake.json("b/names/k=1/a.json", {"id": 1, "name": "uno", "k": 1})
    (lake.root / "b/names/k=1/a.json").write_bytes(b"\x1f\x8b broken")
    (lake.root / "b/names/k=1/a.json").rename(lake.root / "b/names/k=1/a.json.gz")
    clock.set(600_001)
    assert looked_up(lake, rows, 1) == [(1, "uno")]  # it goes on with what it has
    lake.engine.step()
    (warning,) = lake.engine.warnings
    assert warning.startswith("default.names is not refreshed: cannot read 's3://b/names/k=1/a.json.gz': ")


def test_what_cannot_be_read_again_is_said_and_changes_nothing(lake: Lake, clock: ManualClock) -> None:
    rows = Rows(lake.engine)
    lake.json("b/names/k=1/z.json", {"id": 2, "name": "two"})
    lake.text("b/names/k=1/zz.json.gz", b"no gzip")
    with pytest.raises(OperationalError, match=r"cannot read 's3://b/names/k=1/zz.json.gz'"):
        lake.run("REFRESH TABLE names")
    assert looked_up(lake, rows, 1, 2) == [(1, "one"), (2, None)]
    lake.run("ALTER TABLE names RENAME COLUMN name TO nom")
    with pytest.raises(OperationalError, match=r"default.names is no longer the table that is looked up in") as raised:
        lake.run("REFRESH TABLE names")
    assert raised.value.hint == "start the pump or query anew"
    with pytest.raises(Error, match="no table nowhere"):
        lake.run("REFRESH TABLE nowhere")
    with pytest.raises(OperationalError, match=r"streamsql.refresh.interval of default.names: 'often' is no duration"):
        lake.run("ALTER TABLE names SET TBLPROPERTIES ('streamsql.refresh.interval'='often')")


def test_a_pump_that_cannot_write_its_table_reads_none(lake: Lake, clock: ManualClock) -> None:
    properties = "TBLPROPERTIES ('write.maxfiletime'='often')"
    lake.run(f"CREATE EXTERNAL TABLE w (id int) STORED AS PARQUET LOCATION 's3://b/w/' {properties}")
    with pytest.raises(Error, match=r"write\.maxfiletime"):
        lake.run("CREATE PUMP q AS INSERT INTO w SELECT STREAM s.id FROM s JOIN names ON s.id = names.id")
    (result,) = lake.engine.execute_script("DROP PUMP p; REFRESH TABLE names")[1:]
    assert result.message == "default.names is read again for 0 running pumps and queries"


def test_a_table_that_was_read_with_the_keys_of_another(lake: Lake, clock: ManualClock) -> None:
    lake.json("b/codes/a.json", {"code": 1, "name": "one"})
    lake.run("CREATE EXTERNAL TABLE codes (code int, name string) STORED AS JSON LOCATION 's3://b/codes/'")
    lake.run("""
        DROP PUMP p;
        CREATE PUMP q AS INSERT INTO o SELECT STREAM s.id, codes.name FROM s JOIN names ON s.id = names.id
            JOIN codes ON codes.code = names.k;
    """)
    lake.json("b/names/k=2/a.json", {"id": 2, "name": "two"})
    lake.json("b/codes/a.json", {"code": 1, "name": "one"}, {"code": 2, "name": "second"})
    lake.run("MSCK REPAIR TABLE names; REFRESH TABLE codes")
    assert looked_up(lake, Rows(lake.engine), 1, 2) == [(1, "one"), (2, "second")]


def test_a_restart_reads_the_table_anew(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.json("b/names/k=1/a.json", {"id": 1, "name": "one"})
    with streamsql.connect(tmp_path / "db", s3_root=tmp_path) as con:
        con.executescript(TABLE + STREAMS + PUMP)
        lake.json("b/names/k=2/a.json", {"id": 2, "name": "two"})
        con.execute("MSCK REPAIR TABLE names")
        con.execute("REFRESH TABLE names")
    lake.json("b/names/k=2/a.json", {"id": 2, "name": "deux"})
    with streamsql.connect(tmp_path / "db", s3_root=tmp_path) as con:
        live = con.execute("SELECT STREAM * FROM o")
        con.execute("INSERT INTO s VALUES (1), (2)")
        assert [live.fetchone(), live.fetchone()] == [(1, "one"), (2, "deux")]
