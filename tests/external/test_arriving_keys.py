"""Streams joined with external tables on keys of their partitions, of which only those are read whose keys arrive."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from session import Session, parsed

import streamsql
from streamsql.engine.engine import Engine
from streamsql.engine.row_queue import RowQueue
from streamsql.errors import OperationalError
from streamsql.run.operators import arriving
from streamsql.time import ManualClock
from streamsql.types import INTEGER, Field, Schema, varchar
from tests.external.lake import Lake

if TYPE_CHECKING:
    from s3_server import Bucket

STREAM = "CREATE STREAM s (id INTEGER, k VARCHAR(8), y INTEGER);"

NAMES = """
CREATE EXTERNAL TABLE names (id int, name string) PARTITIONED BY (k string) STORED AS JSON LOCATION 's3://b/names/';
MSCK REPAIR TABLE names;
"""

QUERY = "SELECT STREAM s.id, s.k, n.name FROM s LEFT JOIN names AS n ON n.k = s.k AND n.id = s.id"


class Query:
    """A query over the stream `s` at work."""

    def __init__(self, lake: Lake, query: str = QUERY) -> None:
        self._lake = lake
        (self.result,) = lake.engine.execute_script(query)

    def of(self, *rows: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """What comes out when these rows come in."""
        values = ", ".join(f"({', '.join('NULL' if v is None else repr(v) for v in row)})" for row in rows)
        self._lake.run(f"INSERT INTO s (id, k) VALUES {values}")
        return self.taken()

    def taken(self) -> list[tuple[Any, ...]]:
        assert isinstance(self.result.rows, RowQueue)
        batches = list(iter(self.result.rows.take, None))
        return [tuple(row.values()) for batch in batches for row in batch.to_pylist()]


@pytest.fixture
def names(lake: Lake) -> Lake:
    """Names in partitions `a` and `b`; that of `broken` cannot be read."""
    lake.json("b/names/k=a/1.json", {"id": 1, "name": "one"}, {"id": 2, "name": "two"})
    lake.json("b/names/k=b/1.json", {"id": 1, "name": "uno"})
    lake.text("b/names/k=broken/1.json.gz", b"no gzip")
    lake.run(STREAM + NAMES)
    return lake


def test_partitions_are_read_when_their_keys_come(names: Lake) -> None:
    query = Query(names)
    assert query.of((1, "b"), (2, "b")) == [(1, "b", "uno"), (2, "b", None)]
    names.json("b/names/k=a/1.json", {"id": 1, "name": "first"})  # not read yet
    names.json("b/names/k=b/1.json", {"id": 1, "name": "changed"})
    names.json("b/names/k=b/2.json", {"id": 2, "name": "new"})
    assert query.of((1, "a"), (1, "b"), (2, "b"), (1, None)) == [
        (1, "a", "first"),
        (1, "b", "uno"),
        (2, "b", None),
        (1, None, None),
    ]


def test_what_partitions_there_are_is_settled_when_the_query_starts(names: Lake) -> None:
    query = Query(names)
    names.json("b/names/k=c/1.json", {"id": 1, "name": "eins"})
    names.run("MSCK REPAIR TABLE names; ALTER TABLE names DROP PARTITION (k='a')")
    assert query.of((1, "c"), (2, "a")) == [(1, "c", None), (2, "a", "two")]
    assert Query(names).of((1, "c"), (2, "a")) == [(1, "c", "eins"), (2, "a", None)]
    names.run("DROP TABLE names")
    assert query.of((1, "b"))[-1] == (1, "b", "uno")


def test_refresh_reads_the_partitions_again_that_were_read(names: Lake) -> None:
    query = Query(names)
    assert query.of((1, "a"), (1, "c")) == [(1, "a", "one"), (1, "c", None)]
    names.json("b/names/k=a/1.json", {"id": 1, "name": "first"})
    names.json("b/names/k=c/1.json", {"id": 1, "name": "eins"}, {"id": 2, "name": "zwei"})
    names.run("MSCK REPAIR TABLE names; REFRESH TABLE names")  # one that is broken is still not asked for
    assert query.of((1, "a"), (2, "a"), (1, "c"), (1, "b")) == [
        (1, "a", "first"), (2, "a", None), (1, "c", "eins"), (1, "b", "uno"),
    ]  # fmt: skip
    names.text("b/names/k=c/2.json.gz", b"no gzip")
    with pytest.raises(OperationalError, match=r"cannot read 's3://b/names/k=c/2.json.gz'"):
        names.run("REFRESH TABLE names")
    assert query.of((2, "c"), (1, "b")) == [(2, "c", "zwei"), (1, "b", "uno")]


def test_refresh_on_a_period(names: Lake) -> None:
    clock = ManualClock(0)
    names.engine = Engine(s3_root=str(names.root), interactive=True, clock=clock)
    names.run(STREAM + NAMES + "ALTER TABLE names SET TBLPROPERTIES ('streamsql.refresh.interval'='5m')")
    query = Query(names)
    assert query.of((1, "a")) == [(1, "a", "one")]
    names.json("b/names/k=a/1.json", {"id": 1, "name": "first"})
    clock.set(299_999)
    assert query.of((1, "a")) == [(1, "a", "one")]
    clock.set(300_000)
    assert query.of((1, "a"), (1, "b")) == [(1, "a", "first"), (1, "b", "uno")]
    assert names.engine.warnings == []


def test_a_partition_that_cannot_be_read_is_an_error_that_names_the_object(names: Lake) -> None:
    query = Query(names)
    assert query.of((1, "a")) == [(1, "a", "one")]
    with pytest.raises(OperationalError, match=r"cannot read 's3://b/names/k=broken/1.json.gz'"):
        query.of((1, "broken"), (1, "b"))
    names.text("b/names/k=broken/1.json.gz", b"")
    assert query.of((1, "b"), (1, "broken")) == [(1, "b", "uno"), (1, "broken", None)]  # both are asked for anew


def test_keys_that_no_partition_has_are_forgotten(names: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "MOST", 50)
    query = Query(names)
    (keys,) = [of.arriving for snapshot in names.engine.snapshots._all if (of := snapshot.of)]
    assert keys is not None
    for start in range(0, 200, 10):
        rows = [(1, "a"), *((i, f"x{i}") for i in range(start, start + 10)), (1, "b")]
        assert query.of(*rows) == [(i, k, {"a": "one", "b": "uno"}.get(k)) for i, k in rows]
        assert len(keys.keys[0]) <= 52
    assert keys.reported.columns()[0].to_pylist() == ["a", "b"]


LOGGED = """
SELECT q.querytxt, total_partitions, qualified_partitions, assigned_partitions, files, s3_scanned_rows,
    q.endtime IS NULL, q.aborted
FROM stl_query q JOIN svl_s3partition p ON p.query = q.query JOIN svl_s3query_summary s ON s.query = q.query
"""


def test_what_is_read_counts_as_long_as_the_query_runs(names: Lake) -> None:
    query = Query(names)
    assert names.rows(LOGGED) == [(QUERY, 3, 0, 0, 0, 0, True, 0)]
    query.of((1, "b"), (2, "b"), (1, "z"), (1, None))
    assert names.rows(LOGGED) == [(QUERY, 3, 1, 1, 1, 1, True, 0)]
    query.of((1, "a"), (1, "b"))
    assert names.rows(LOGGED) == [(QUERY, 3, 2, 2, 2, 3, True, 0)]
    names.run("REFRESH TABLE names")
    query.result.close()
    assert names.rows(LOGGED) == [(QUERY, 3, 4, 4, 4, 6, False, 0)]


def test_pumps_are_logged_and_are_not_the_last_query(names: Lake) -> None:
    names.run("ALTER TABLE names DROP PARTITION (k='broken')")
    pump = "CREATE PUMP p AS INSERT INTO o SELECT STREAM s.id, n.name FROM s JOIN names AS n ON n.id = s.id"
    names.run(
        f"CREATE STREAM o (id INTEGER, name VARCHAR(16)); {pump}; CREATE PUMP other AS INSERT INTO o SELECT STREAM id, k FROM s"
    )
    assert names.rows("SELECT pg_last_query_id()") == [(-1,)]
    assert names.rows(LOGGED) == [(pump, 2, 2, 2, 2, 3, True, 0)]
    names.run("REFRESH TABLE names; ALTER PUMP p STOP; ALTER PUMP p START")
    assert names.rows(LOGGED) == [(pump, 2, 4, 4, 4, 6, False, 0), (pump, 2, 2, 2, 2, 3, True, 0)]


@pytest.mark.parametrize(
    ("key", "column", "partitions", "value", "found"),
    [
        ("tinyint", "INTEGER", ("1", "-2"), "-2", 2),
        ("bigint", "SMALLINT", ("7", "8"), "7", 1),
        ("boolean", "BOOLEAN", ("true", "false"), "TRUE", 1),
        ("date", "DATE", ("2024-05-01", "2024-05-02"), "DATE '2024-05-02'", 2),
        ("timestamp", "TIMESTAMP", ("2024-05-01 00%3A00%3A00", "2024-05-01 00%3A00%3A01"), "TIMESTAMP '2024-05-01 00:00:01'", 2),
        ("decimal(10,2)", "DECIMAL(12,1)", ("1.50", "2.00"), "1.5", 1),
        ("decimal(10,2)", "INTEGER", ("1.50", "2.00"), "2", 2),
        ("char(3)", "VARCHAR(8)", ("ab", "abc"), "'ab'", 1),
        ("string", "VARCHAR(4)", ("a b", "ü"), "'ü'", 2),
    ],
)
def test_keys_of_every_type(lake: Lake, key: str, column: str, partitions: tuple[str, str], value: str, found: int) -> None:
    for id, partition in enumerate(partitions, 1):
        lake.json(f"b/t/k={partition}/1.json", {"id": id})
    lake.run(f"""
        CREATE STREAM s (k {column});
        CREATE EXTERNAL TABLE t (id int) PARTITIONED BY (k {key}) STORED AS JSON LOCATION 's3://b/t/';
        MSCK REPAIR TABLE t;
    """)
    query = Query(lake, "SELECT STREAM t.id FROM s JOIN t ON t.k = s.k")
    lake.run(f"INSERT INTO s VALUES ({value}), (NULL), ({value})")
    assert query.taken() == [(found,), (found,)]
    assert [row[1:4] for row in lake.rows(LOGGED)] == [(2, 1, 1)]


# -- projections -------------------------------------------------------------------------------------------------------


INJECTED = """
CREATE EXTERNAL TABLE names (id int, name string) PARTITIONED BY (k string, y int) STORED AS JSON LOCATION 's3://b/names/'
TBLPROPERTIES ('projection.enabled'='true', 'projection.k.type'='injected', 'projection.y.type'='integer',
    'projection.y.range'='1,3');
"""


def test_the_keys_that_arrive_are_the_values_of_injected_columns(lake: Lake) -> None:
    for k, y, name in [("a", 1, "one"), ("a", 2, "eins"), ("a", 4, "out of range"), ("b", 3, "uno")]:
        lake.json(f"b/names/k={k}/y={y}/1.json", {"id": 1, "name": name})
    lake.run(STREAM + INJECTED)
    query = Query(lake)
    assert query.of((1, "a"), (1, "z"), (1, None)) == [(1, "a", "one"), (1, "a", "eins"), (1, "z", None), (1, None, None)]
    lake.json("b/names/k=z/y=1/1.json", {"id": 1, "name": "late"})
    assert query.of((1, "z"), (1, "b")) == [(1, "z", None), (1, "b", "uno")]
    lake.run("REFRESH TABLE names")
    assert query.of((1, "z"), (1, "b")) == [(1, "z", "late"), (1, "b", "uno")]
    given = Query(lake, "SELECT STREAM n.name FROM s JOIN names AS n ON n.y = s.id WHERE n.k IN ('a', 'b')")
    assert given.of((1, "a"), (3, "a"), (4, "a")) == [("one",), ("uno",)]


@pytest.mark.parametrize(
    "condition", ["n.y = s.y", "n.k > s.k", "UPPER(n.k) = s.k", "n.id = s.id AND n.k LIKE 'a%'", "n.k || 'x' = s.k AND n.y = s.y"]
)
def test_injected_columns_without_arriving_keys_are_an_error_at_the_start(lake: Lake, condition: str) -> None:
    lake.run(STREAM + INJECTED)
    text = (
        "CONSTRAINT_VIOLATION: For the injected projected partition column k, the WHERE clause must contain only static equality"
    )
    with pytest.raises(OperationalError) as raised:
        lake.run(f"SELECT STREAM n.name FROM s JOIN names AS n ON {condition}")
    assert raised.value.message.startswith(text)
    assert not [name for name in lake.engine.pipeline.vertices if name.startswith("query")]


# -- S3 ---------------------------------------------------------------------------------------------------------------


def test_only_partitions_whose_keys_arrive_are_asked_for(bucket: Bucket) -> None:
    for k in "abcdefgh":
        bucket.put(f"names/k={k}/1.json", f'{{"id": 1, "name": "{k}"}}\n')
    with streamsql.connect() as con:
        con.executescript(STREAM + NAMES.replace("s3://b/names/", bucket.uri("names/")))
        bucket.server.forget()
        live = con.execute("SELECT STREAM n.name FROM s JOIN names AS n ON n.k = s.k")
        assert not bucket.server.requests
        con.execute("INSERT INTO s (k) VALUES ('b'), ('d'), ('z'), (NULL), ('b')")
        assert [live.fetchone() for _ in range(3)] == [("b",), ("d",), ("b",)]
        assert asked(bucket) == ["list b", "list d", "read b", "read d"]
        bucket.server.forget()
        con.execute("INSERT INTO s (k) VALUES ('d'), ('z'), ('c')")
        assert [live.fetchone() for _ in range(2)] == [("d",), ("c",)]
        assert asked(bucket) == ["list c", "read c"]
        bucket.server.forget()
        con.execute("REFRESH TABLE names")
        assert asked(bucket) == [f"{what} {k}" for what in ("list", "read") for k in "bcd"]
        bucket.server.answer = lambda request: (403, "AccessDenied") if "k=e/1.json" in request.path else None
        with pytest.raises(OperationalError, match=f"cannot read '{bucket.uri('names/k=e/1.json')}'.*"):
            con.execute("INSERT INTO s (k) VALUES ('e')")


def asked(bucket: Bucket) -> list[str]:
    """The partitions that were listed, and whose objects were read."""
    found: set[str] = set()
    for request in bucket.server.requests:
        place = request.query["prefix"] if request.is_listing else request.path
        found.add(f"{'list' if request.is_listing else 'read'} {place.split('k=')[1][0]}")
    return sorted(found)


# -- any rows, any files, in any way -----------------------------------------------------------------------------------

KEYS = ("a", "b", "c", None)
YEARS = (1, 2)
ID = st.sampled_from([1, 2, 3, None])
Part = tuple[str | None, int]

files = st.dictionaries(
    st.tuples(st.sampled_from(KEYS), st.sampled_from(YEARS)), st.lists(st.sampled_from([1, 1, 2, "bad", None]), max_size=4)
)
"""The ids in the rows of each partition; one that is no number loses its row."""

rows_of_s = st.lists(
    st.tuples(st.sampled_from([0, 0, 1, 500]), ID, st.sampled_from([*KEYS, "z"]), st.sampled_from([1, 2, 3, None]))
)
cuts = st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.booleans()), max_size=12)
"""How many rows come next, and whether a bound and a restart follow."""

TABLE = """
CREATE EXTERNAL TABLE t (id int, n int) PARTITIONED BY (k string, y int) STORED AS JSON LOCATION 's3://b/t/';
MSCK REPAIR TABLE t;
CREATE STREAM s (id INTEGER, k VARCHAR(8), y INTEGER);
"""
QUERIES = (
    "SELECT STREAM s.id, t.n FROM s JOIN t ON t.k = s.k AND t.y = s.y AND t.id = s.id",
    "SELECT STREAM s.id, t.n FROM s LEFT JOIN t ON t.k = s.k AND t.id = s.id",
    "SELECT STREAM s.id FROM s WHERE EXISTS (SELECT 1 FROM t WHERE t.k = s.k AND t.y = s.y AND t.id > 0)",
    "SELECT STREAM s.id, c.n FROM s JOIN (SELECT y, COUNT(id) AS n FROM t GROUP BY y) AS c ON c.y = s.y",
    'SELECT STREAM ROWTIME, MESSAGE, DATA_ROW, PUMP_NAME FROM "error_stream"',
)
COLUMNS = Schema.stream([Field("ID", INTEGER), Field("K", varchar(8)), Field("Y", INTEGER)])


def written(folder: Path, partitions: dict[Part, list[Any]]) -> dict[Part, list[tuple[Any, int]]]:
    """The files of some partitions; gives their good rows, numbered throughout."""
    lake, good, n = Lake(folder), {}, 0
    for (k, y), ids in partitions.items():
        records = [{"id": id, "n": (n := n + 1)} for id in ids]
        lake.json(f"b/t/k={k or '__HIVE_DEFAULT_PARTITION__'}/y={y}/1.json", *records)
        good[k, y] = [(record["id"], record["n"]) for record in records if record["id"] != "bad"]
    return good


def run(
    folder: Path, rows: Sequence[Any], way: Sequence[tuple[int, bool, bool]], rules: bool = True
) -> list[list[tuple[Any, ...]]]:
    """What the queries give of rows that come in a way."""
    session = Session(ManualClock(0), rules, folder)
    for text in (TABLE, *QUERIES):
        for statement in parsed(text):
            session.execute(statement)
    at, times = 0, [1_000 + sum(gap for gap, *_ in rows[: i + 1]) for i in range(len(rows))]
    columns = [[*times], *([row[i] for row in rows] for i in (1, 2, 3))]
    arrays = [pa.array(column, f.type.arrow()) for column, f in zip(columns, COLUMNS.fields)]
    batch = pa.RecordBatch.from_arrays(arrays, schema=COLUMNS.arrow())
    for count, bound, restart in [*way, (len(rows), False, False)]:
        stop = min(at + count, len(rows))
        if stop > at:
            session.insert("S", batch.slice(at, stop - at))
        at = stop
        if bound and at:
            session.advance("S", times[at] if at < len(rows) else times[-1] + 1)
        if restart:
            session.restart()
    session.end()
    return [[tuple(row.values()) for row in reading.rows().to_pylist()] for reading in session.readings]


def expected(rows: Sequence[Any], good: dict[Part, list[tuple[Any, int]]]) -> Iterator[list[tuple[Any, ...]]]:
    """What the queries over all of the table give."""
    order = sorted(good, key=lambda part: (f"k={part[0] or '__HIVE_DEFAULT_PARTITION__'}", part[1]))
    table = [(k, y, id, n) for k, y in order if k is not None for id, n in good[k, y]]
    of_nobody = [(None, y, id, n) for k, y in good if k is None for id, n in good[k, y]]

    def matches(id: Any, k: Any, y: Any = None) -> list[int]:
        return [n for tk, ty, tid, n in table if tk == k and tid == id and id is not None and y in (None, ty)]

    yield [(id, n) for _, id, k, y in rows if y is not None for n in matches(id, k, y)]
    yield [(id, n) for _, id, k, _ in rows for n in matches(id, k) or [None]]
    yield [(id,) for _, id, k, y in rows if any((k, y) == (tk, ty) for tk, ty, tid, _ in table if tid)]
    counts = {year: [id for _, ty, id, _ in [*table, *of_nobody] if ty == year] for year in YEARS}
    yield [(id, sum(each is not None for each in counts[y])) for _, id, _, y in rows if counts.get(y)]


@settings(max_examples=15, deadline=None)
@given(partitions=files, rows=rows_of_s, way=cuts, rules=st.booleans())
@example({("a", 1): [1, "bad"], ("b", 2): [2, "bad"]}, [(0, 1, "a", 1), (0, 2, "b", 2), (0, 1, "a", 1)], [(1, False, True)], True)
def test_the_result_is_that_of_the_whole_table(
    partitions: dict[Part, list[Any]], rows: Sequence[Any], way: Sequence[tuple[int, bool, bool]], rules: bool
) -> None:
    """And does not depend on batches, bounds and restarts; nor do the rows that are lost."""
    folder = Path(tempfile.mkdtemp())
    try:
        good = written(folder, partitions)
        *results, lost = run(folder, rows, way, rules)
        assert results == list(expected(rows, good))
        assert lost == run(folder, rows, [])[-1]
        keys = {(k, y) for _, _, k, y in rows if k is not None}
        bad = [json.loads(bytes.fromhex(row[2])) for row in lost if row[3] == "query 1"]
        assert len(bad) == sum(ids.count("bad") for part, ids in partitions.items() if part in keys)
    finally:
        shutil.rmtree(folder)
