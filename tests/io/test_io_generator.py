"""Generated rows: what is in their columns, that pieces and positions do not show, and how the clock paces them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.errors import OperationalError
from streamsql.io.generated import column_of
from streamsql.io.open import open_sink, open_source
from streamsql.io.servers.server import SERVERS, Declaration
from streamsql.io.source import Source
from streamsql.time import ManualClock
from streamsql.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    REAL,
    TIME,
    TIMESTAMP,
    TINYINT,
    Field,
    Kind,
    Schema,
    SqlType,
    char,
    decimal,
    varchar,
)

NOW = 1_767_225_600_000
"""2026-01-01."""

ROWS = np.arange(10_000, dtype=np.int64)


def values(type_: SqlType, text: str | None, seed: str = "1") -> pa.Array:
    array = column_of(Field("c", type_), text, seed)(ROWS, NOW + ROWS)
    assert array.type == type_.arrow()
    array.validate(full=True)
    return array


def test_random_numbers_cover_their_range() -> None:
    assert set(values(INTEGER, "random(-2, 2)").to_pylist()) == {-2, -1, 0, 1, 2}
    assert set(map(str, values(decimal(4, 1), "random(0.8, 1.1)").to_pylist())) == {"0.8", "0.9", "1.0", "1.1"}
    drawn = values(DOUBLE, "random(1, 3)").to_numpy()
    assert 1 <= drawn.min() < 1.01 and 2.99 < drawn.max() < 3
    assert abs(drawn.mean() - 2) < 0.03
    assert values(REAL, "random(0, 1)").to_numpy().dtype == np.float32
    assert values(BIGINT, "random(9223372036854775807, 9223372036854775807)")[0].as_py() == 2**63 - 1


def test_normal_numbers() -> None:
    drawn = values(DOUBLE, "normal(70, 5)").to_numpy()
    assert abs(drawn.mean() - 70) < 0.2 and abs(drawn.std() - 5) < 0.2
    whole = values(TINYINT, "normal(100, 50)").to_numpy()
    assert whole.max() == 127 and abs(int(np.median(whole)) - 100) < 3


def test_sequences() -> None:
    assert values(BIGINT, "sequence(5)").to_pylist()[:3] == [5, 6, 7]
    assert values(INTEGER, "sequence(1, 3)").to_pylist()[:4] == [1, 2, 3, 1]
    assert list(map(str, values(decimal(9, 2), "sequence(0.50, 2.50)").to_pylist()[:4])) == ["0.50", "1.50", "2.50", "0.50"]


def test_choices_and_shares() -> None:
    counts = Counter(values(varchar(9), "choice(OK, not ok), 10% choice(bad), 5% null").to_pylist())
    assert set(counts) == {"OK", "not ok", "bad", None}
    assert abs(counts["bad"] - 1000) < 120 and abs(counts[None] - 500) < 90 and abs(counts["OK"] - counts["not ok"]) < 400
    assert set(values(char(3), "choice(a)").to_pylist()) == {"a  "}
    assert set(values(BOOLEAN, "choice(true)").to_pylist()) == {True}
    assert str(values(TIMESTAMP, "choice(2026-01-01 10:00:00)")[0]) == "2026-01-01 10:00:00"


@pytest.mark.parametrize(
    ("type_", "first"),
    [
        (TIMESTAMP, "2026-01-01 00:00:00"),
        (DATE, "2026-01-01"),
        (TIME, "00:00:00"),
        (BIGINT, str(NOW)),
    ],
)
def test_time(type_: SqlType, first: str) -> None:
    assert str(values(type_, "time")[0]) == first


def test_what_suits_a_type() -> None:
    assert set(values(TINYINT, None).to_pylist()) == set(range(101))
    assert max(values(decimal(3, 2), None).to_pylist()) < 10
    assert {len(text) for text in values(varchar(3), None).to_pylist()} == {3}
    assert {len(text) for text in values(varchar(), None).to_pylist()} == {8}
    assert set(values(BOOLEAN, None).to_pylist()) == {True, False}
    assert str(values(TIMESTAMP, None)[1]) == "2026-01-01 00:00:00.001000"


def test_seeds_and_names_give_other_values() -> None:
    one = values(INTEGER, "random(0, 1000000)")
    assert one.equals(values(INTEGER, "random(0, 1000000)"))
    assert not one.equals(values(INTEGER, "random(0, 1000000)", seed="2"))
    other = column_of(Field("d", INTEGER), "random(0, 1000000)", "1")(ROWS, ROWS)
    assert not one.equals(other)


def test_values_stay_what_they_are() -> None:
    """A seed is a promise: whoever runs the same statement in another version gets the same rows."""
    assert values(INTEGER, "random(10, 20), 1% random(100, 120)").to_pylist()[:8] == FIXED


FIXED = [11, 20, 20, 17, 14, 14, 13, 12]

FIELDS = (Field("k", varchar(4)), Field("v", DOUBLE), Field("t", TIMESTAMP))


def source(clock: ManualClock, **options: Any) -> Source:
    texts = {name: str(value) for name, value in options.items()}
    uri = SERVERS["GENERATOR"].uri(Declaration("S", FIELDS, texts, {"k": "choice(a&b, c=d), 20% null", "v": "normal(0, 1)"}))
    return open_source(uri, Schema(FIELDS), clock=clock)


def drained(source: Source, limits: list[int]) -> pa.Table:
    batches = []
    while True:
        polled = source.poll(limits[len(batches) % len(limits)])
        if polled.rows is not None:
            batches.append(polled.rows)
        if polled.ended:
            return pa.Table.from_batches(batches).combine_chunks()


@settings(max_examples=25, deadline=None)
@given(limits=st.lists(st.integers(1, 40), min_size=1, max_size=5), stop=st.integers(0, 100))
def test_pieces_and_positions_do_not_show(limits: list[int], stop: int) -> None:
    options = {"rows": 100, "rows_per_second": 0, "start": "2026-01-01", "every": "20ms"}
    whole = drained(source(ManualClock(), **options), [1_000])
    assert whole.column(0).to_pylist()[-1].isoformat() == "2026-01-01T00:00:01.980000"
    first = source(ManualClock(), **options)
    begun = [first.poll(1).rows for _ in range(stop)]
    again = source(ManualClock(), **options)
    again.seek(first.position())
    rest = [] if stop == 100 else [drained(again, limits)]
    assert pa.concat_tables([*(pa.Table.from_batches([batch]) for batch in begun), *rest]).combine_chunks().equals(whole)


def test_the_clock_paces_rows() -> None:
    clock = ManualClock(NOW)
    rows = source(clock, rows_per_second=4)
    assert not rows.bounded and not rows.schema.is_stream
    counts = []
    for milliseconds in (0, 0, 249, 1, 1000, 10_000):
        clock.set(clock.now() + milliseconds)
        polled = rows.poll(30)
        counts.append(0 if polled.rows is None else polled.rows.num_rows)
        assert polled.rows is None or str(polled.rows.column(2)[0]) == str(pa.scalar(clock.now(), pa.timestamp("ms")))
    assert counts == [1, 0, 0, 1, 4, 30]


def test_after_a_restart_it_goes_on_at_its_pace() -> None:
    clock = ManualClock(NOW)
    again = source(clock, rows=1_000, rows_per_second=10)
    again.seek({"rows": 500})
    first = again.poll(100).rows
    assert again.bounded and first is not None and first.num_rows == 1
    clock.set(NOW + 1_000)
    following = again.poll(100).rows
    assert following is not None and following.num_rows == 10


def test_no_rows_at_all() -> None:
    assert source(ManualClock(), rows=0).poll(10).ended


def test_wrong_uris() -> None:
    for uri, message in (
        ("generator://S?rows=x", "rows is a whole number"),
        ("generator://S?column=x", "the options are rows"),
        ("generator://S?columns=x", "a JSON object"),
    ):
        with pytest.raises(OperationalError, match=message):
            open_source(uri, Schema(FIELDS))
    with pytest.raises(OperationalError, match="not declared"):
        open_source("generator://S")
    with pytest.raises(OperationalError, match="takes none"):
        open_sink("generator://S", Schema(FIELDS))


def test_every_kind_of_column_can_be_generated() -> None:
    for kind in (Kind.BINARY, Kind.VARBINARY):
        assert values(SqlType(kind, length=4), "choice(X'00ff')")[0].as_py() == b"\x00\xff"
