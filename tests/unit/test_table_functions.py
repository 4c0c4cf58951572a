"""The table functions: ranges, sketches within their errors, HOTSPOTS against the definition, the JSON of both results."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

import streamsql.functions.library  # noqa: F401
from streamsql.errors import ProgrammingError
from streamsql.functions.registry import TABLE_FUNCTIONS
from streamsql.functions.table_functions import distinct_items, item_counts
from streamsql.functions.table_functions.distinct_items import DistinctItems, hashes
from streamsql.functions.table_functions.explanation import explained, strength
from streamsql.functions.table_functions.group_rank import rank
from streamsql.functions.table_functions.hotspots import hotspot_text
from streamsql.functions.table_functions.item_counts import ItemCounts
from streamsql.kernels import hotspots
from streamsql.operator import batches
from streamsql.time import BEGIN, END
from streamsql.types import BIGINT, BOOLEAN, DOUBLE, Field, Schema, decimal, varchar

SCHEMA = Schema.stream([Field("K", varchar(8)), Field("X", DOUBLE), Field("y", DOUBLE), Field("OK", BOOLEAN), Field("N", BIGINT)])
XY = Schema.stream([Field("X", DOUBLE), Field("Y", DOUBLE)])


def operator(name, schema, *arguments):
    function = TABLE_FUNCTIONS[name]
    checked = function.check(schema, arguments)
    return function.operator(schema, checked, 7), function.output(schema, checked)


def xy(points, schema=XY):
    times = pa.array(np.arange(len(points)), pa.timestamp("ms"))
    return pa.RecordBatch.from_arrays([times, *(pa.array(c) for c in points.T)], schema=schema.arrow())


def pushed(operator, batch, size=None):
    size = size or batch.num_rows
    slices = [batch.slice(start, size) for start in range(0, batch.num_rows, size)]
    return pa.Table.from_batches([out for part in slices for out in batches(operator.push(part))])


# -- arguments -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("RANDOM_CUT_FOREST_WITH_EXPLANATION", ()),
        ("RANDOM_CUT_FOREST_WITH_EXPLANATION", (1000, 1000, 2**31 - 1, 30, False)),
        ("TOP_K_ITEMS_TUMBLING", ("y", 100_000, 1)),
        ("COUNT_DISTINCT_ITEMS_TUMBLING", ("OK", 3600)),
        ("HOTSPOTS", (100, 0.001, 2)),
        ("HOTSPOTS", (1000, 5, 1000)),
        ("GROUP_RANK", ("K", "groupRank", "ASC", "desc", 0, 0)),
    ],
)
def test_arguments_within_their_ranges(name, arguments):
    function = TABLE_FUNCTIONS[name]
    checked = function.check(SCHEMA, arguments)
    assert checked[: len(arguments)] == tuple(a.lower() if a == "ASC" else a for a in arguments)
    assert len(checked) == len(function.parameters)


@pytest.mark.parametrize(
    "name, arguments, message",
    [
        ("RANDOM_CUT_FOREST_WITH_EXPLANATION", (100, 9), "subSampleSize must be a whole number from 10 to 1000, not 9"),
        ("RANDOM_CUT_FOREST_WITH_EXPLANATION", (True,), "numberOfTrees must be a whole number from 1 to 1000, not TRUE"),
        ("RANDOM_CUT_FOREST_WITH_EXPLANATION", (100, 256, 1000, 1, None), "must be TRUE or FALSE, not NULL"),
        ("TOP_K_ITEMS_TUMBLING", ("K", 0, 1), "K must be a whole number from 1 to 100000, not 0"),
        ("TOP_K_ITEMS_TUMBLING", ("K", 1, 0), "windowSeconds must be a whole number from 1 to 3600, not 0"),
        ("COUNT_DISTINCT_ITEMS_TUMBLING", ("Z", 60), "the CURSOR has no column Z"),
        ("HOTSPOTS", (1001, 1, 2), "windowSize must be a whole number from 100 to 1000, not 1001"),
        ("HOTSPOTS", (100, float("inf"), 2), "scanRadius must be a number above 0, not inf"),
        ("HOTSPOTS", (100, 1, 1), "minimumNumberOfPointsInAHotspot must be a whole number from 2 to 100, not 1"),
        ("GROUP_RANK", ("K", "groupRank", None, "asc", 0, 0), "sortOrder must be 'asc' or 'desc', not NULL"),
    ],
)
def test_arguments_outside_their_ranges(name, arguments, message):
    with pytest.raises(ProgrammingError) as error:
        TABLE_FUNCTIONS[name].check(SCHEMA, arguments)
    assert error.value.message.startswith(f"{name}: ")
    assert message in error.value.message


# -- RANDOM_CUT_FOREST_WITH_EXPLANATION ------------------------------------------------------------------------------------

PRESSURE = Schema.stream([Field("Systolic", DOUBLE), Field("Dia%s", DOUBLE)])


def test_the_attributions_sum_to_the_score():
    random = np.random.default_rng(3)
    points = np.column_stack([random.integers(90, 120, 1500), random.integers(60, 80, 1500)]).astype(float)
    points[1400:1410] = 144, 123
    made, schema = operator("RANDOM_CUT_FOREST_WITH_EXPLANATION", PRESSURE, 50, 128, 100_000, 1, True)
    rows = pushed(made, xy(points, PRESSURE)).to_pydict()
    scores = np.array(rows["ANOMALY_SCORE"])
    objects = [json.loads(text) for text in rows["ANOMALY_EXPLANATION"]]
    sums = np.array([sum(float(column["ATTRIBUTION_SCORE"]) for column in row.values()) for row in objects])
    np.testing.assert_allclose(sums, scores, atol=1.01e-4)
    assert (scores[:128] == 0).all() and (scores[128:] > 0).all()
    assert [column["DIRECTION"] for column in objects[1400].values()] == ["HIGH", "HIGH"]
    number = r'"\d+\.\d{4}"'
    column = rf'{{"DIRECTION":"(HIGH|LOW)","STRENGTH":{number},"ATTRIBUTION_SCORE":{number}}}'
    assert all(re.fullmatch(rf'{{"Systolic":{column},"Dia%s":{column}}}', text) for text in rows["ANOMALY_EXPLANATION"])
    assert [field.name for field in schema.fields][-2:] == ["ANOMALY_SCORE", "ANOMALY_EXPLANATION"]


def test_the_explanation_is_the_published_form():
    parts = np.array([[[1.0, 0.5], [0.25, 2.0]], [[0.0, 0.0], [0.0, 0.0]]])
    assert explained(["A", 'q"'], parts, True) == [
        '{"A":{"DIRECTION":"HIGH","STRENGTH":"1.0000","ATTRIBUTION_SCORE":"1.5000"},'
        '"q\\"":{"DIRECTION":"LOW","STRENGTH":"14.0000","ATTRIBUTION_SCORE":"2.2500"}}',
        '{"A":{"DIRECTION":"LOW","STRENGTH":"0.0000","ATTRIBUTION_SCORE":"0.0000"},'
        '"q\\"":{"DIRECTION":"LOW","STRENGTH":"0.0000","ATTRIBUTION_SCORE":"0.0000"}}',
    ]
    assert explained(["A"], parts[:1, :1], False) == ['{"A":{"ATTRIBUTION_SCORE":"1.5000"}}']
    assert strength(np.array([4.0]), np.array([0.0]))[0] == pytest.approx(1600.0)


# -- TOP_K_ITEMS_TUMBLING and COUNT_DISTINCT_ITEMS_TUMBLING ----------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 13, 1000])
def test_counts_beyond_the_exact_number_of_items_keep_to_their_error(size):
    rows, kept = 3000, 40
    items = np.random.default_rng(5).zipf(1.3, rows) % 5000
    true = np.bincount(items)
    counts = ItemCounts(pa.int64(), exact=2 * kept, kept=kept)
    for start in range(0, rows, size):
        counts.add(pa.array(items[start : start + size]))
    found, given = counts.highest(rows)
    missing = true[found.to_numpy()] - given
    assert missing.min() >= 0 and missing.max() <= rows / kept
    assert set(np.flatnonzero(true > rows / kept)) <= set(found.to_numpy())
    assert len(found) <= 2 * kept
    whole = ItemCounts(pa.int64(), exact=2 * kept, kept=kept)
    whole.add(pa.array(items))
    assert all(np.array_equal(one, other) for one, other in zip(whole.highest(rows), (found, given)))


def test_counts_are_exact_up_to_their_limit():
    items = np.random.default_rng(6).integers(0, 3000, 20_000)
    counts = ItemCounts(pa.string(), exact=3000, kept=1)
    counts.add(pa.array([str(item) for item in items]))
    found, given = counts.highest(5000)
    assert given.tolist() == sorted(filter(None, np.bincount(items).tolist()), reverse=True)
    assert (np.bincount(items)[[int(item) for item in found.to_pylist()]] == given).all()
    with pytest.raises(ProgrammingError):
        TABLE_FUNCTIONS["TOP_K_ITEMS_TUMBLING"].check(SCHEMA, ("K", item_counts.KEPT_ITEMS + 1, 1))


@pytest.mark.parametrize("number", [10_000, 10_001, 20_000, 60_000, 400_000])
def test_distinct_items_are_exact_then_estimated(number):
    values = np.random.default_rng(number).permutation(np.arange(number) * 1001)
    distinct = DistinctItems(pa.int64())
    for start in range(0, number, 7001):
        distinct.add(pa.array(values[start : start + 7001]))
    distinct.add(pa.array([*values[:100].tolist(), None]))
    error = distinct.count() / number - 1
    assert abs(error) <= (0 if number <= 10_000 else 3 * distinct_items.STANDARD_ERROR)


def test_the_error_of_the_sketch_is_what_is_said():
    random = np.random.default_rng(8)
    errors = []
    for _ in range(60):
        distinct = DistinctItems(pa.int64(), exact=0)
        distinct.add(pa.array(random.integers(-(2**62), 2**62, 30_000)))
        errors.append(distinct.count() / 30_000 - 1)
    assert abs(np.mean(errors)) < 3 * distinct_items.STANDARD_ERROR / np.sqrt(60)
    assert 0.75 < np.std(errors) / distinct_items.STANDARD_ERROR < 1.25


def test_distinct_strings_are_estimated_alike_however_they_are_cut():
    texts = pa.array([f"10.0.{i % 256}.{i // 256}" for i in range(30_000)])
    whole, cut = DistinctItems(texts.type), DistinctItems(texts.type)
    whole.add(texts)
    for start in range(0, len(texts), 999):
        cut.add(texts.slice(start, 999))
    assert whole.count() == cut.count() == pytest.approx(30_000, rel=3 * distinct_items.STANDARD_ERROR)


def test_hashes_are_the_same_in_every_process():
    program = (
        "import pyarrow as pa; from streamsql.functions.table_functions.distinct_items import hashes;"
        "print([int(h) for v in (['a', 'é'], [1, -1], [0.5, -0.0], [True, False]) for h in hashes(pa.array(v))])"
    )
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60).stdout
    values = (["a", "é"], [1, -1], [0.5, -0.0], [True, False])
    assert json.loads(other) == [int(h) for v in values for h in hashes(pa.array(v))]
    assert hashes(pa.array([0.0])) == hashes(pa.array([-0.0]))
    assert len(hashes(pa.array([1, 2], decimal(19, 0).arrow()))) == 2


def test_a_window_promises_no_more_than_its_end():
    made, _ = operator("TOP_K_ITEMS_TUMBLING", SCHEMA, "K", 1, 10)
    assert (made.bound(BEGIN), made.bound(END)) == (BEGIN, END)
    assert [made.bound(t) for t in (-1, 0, 9_999, 10_000)] == [0, 10_000, 10_000, 20_000]


# -- HOTSPOTS --------------------------------------------------------------------------------------------------------------


def clusters_around(points, radius, least):
    """The hotspots of the last of some points, oldest core first, by the definition."""
    near = ((points[:, None] - points[None]) ** 2).sum(axis=2) <= radius * radius
    core = near.sum(axis=1) >= least
    found = []
    done = np.zeros(len(points), bool)
    for first in np.flatnonzero(core & near[-1]):
        if done[first]:
            continue
        members = near[first]
        while True:
            wider = members | near[core & members].any(axis=0)
            if (wider == members).all():
                break
            members = wider
        done |= members
        found.append((int(members.sum()), points[members].min(axis=0), points[members].max(axis=0)))
    return found


def test_hotspots_are_those_of_the_definition():
    random = np.random.default_rng(1)
    points = random.random((400, 2)) * 4
    points[random.random(400) < 0.3] /= 4
    points[::50] = np.nan
    made, _ = operator("HOTSPOTS", XY, 100, 0.45, 6)
    texts = pushed(made, xy(points), 37).column("HOTSPOTS_RESULT").to_pylist()
    window = np.empty((0, 2))
    several = 0
    for point, text in zip(points, texts):
        wanted = []
        if not np.isnan(point).any():
            window = np.vstack([window, point])[-100:]
            wanted = clusters_around(window, 0.45, 6)
            several += len(wanted) > 1
        assert text == f'{{"hotspots":[{",".join(hotspot_text(n, np.array([lo, hi]), 0.45) for n, lo, hi in wanted)}]}}'
    assert several


def test_hotspots_of_the_guide():
    """20 % of the points in a square of side 1 out of 10 by 10; its viewer shows those of density 40 and more."""
    random = np.random.default_rng(2)
    points = random.random((4000, 2)) * 10
    hot = random.random(4000) < 0.2
    points[hot] = random.uniform((4, 6), (5, 7), (hot.sum(), 2))
    made, _ = operator("HOTSPOTS", XY, 1000, 0.2, 17)
    results = [json.loads(text)["hotspots"] for text in pushed(made, xy(points)).column("HOTSPOTS_RESULT").to_pylist()[1000:]]
    inside = ((points >= [4, 6]) & (points <= [5, 7])).all(axis=1)[1000:]
    found = np.array([bool(result) for result in results])
    assert found[inside].mean() > 0.9 and found[~inside].mean() < 0.02
    large = [h["density"] for result in results for h in result if min(np.subtract(h["maxValues"], h["minValues"])) > 0.8]
    assert len(large) > 400 and min(large) > 100
    assert all(list(h) == ["density", "minValues", "maxValues"] for result in results for h in result)


def test_the_hotspot_kernel_is_its_own_python_and_stops_when_there_is_no_room():
    points = np.round(np.random.default_rng(4).random((150, 1)) * 6)
    given = []
    for kernel, room in ((hotspots.find_hotspots, 200), (hotspots.find_hotspots, 21), (hotspots.find_hotspots.py_func, 200)):
        window = hotspots.new_window(20, 1)
        progress, all_found, all_boxes = np.zeros(2, np.int64), [], []
        found, boxes = np.zeros((room, 2), np.int64), np.zeros((room, 2, 1))
        while progress[0] < len(points):
            kernel(points, int(progress[0]), 1.0, 7, *window.values(), progress, found, boxes)
            all_found += found[: progress[1]].tolist()
            all_boxes += boxes[: progress[1]].tolist()
        given.append((all_found, all_boxes, {name: array.tolist() for name, array in window.items()}))
    assert given[0][0] and given[0] == given[1] == given[2]


# -- GROUP_RANK ------------------------------------------------------------------------------------------------------------


def test_equal_values_share_a_rank():
    values = pa.array([3, 1, None, 3, 2])
    assert rank(values, False).tolist() == [3, 1, 5, 3, 2]
    assert rank(values, True).tolist() == [2, 5, 1, 2, 4]
    assert rank(pa.array(["b", "a", "b"]), False).tolist() == [2, 1, 2]


def test_a_group_is_held_until_time_passes_it():
    schema = Schema.stream([Field("V", BIGINT)])
    made, given = operator("GROUP_RANK", schema, "V", "groupRank", "desc", "asc", 0, 0)
    batch = pa.RecordBatch.from_arrays([pa.array([5, 5, 6], pa.timestamp("ms")), pa.array([1, 2, 3])], schema=schema.arrow())
    (first,) = batches(made.push(batch))
    assert first.schema == given.arrow() and first.to_pydict()["groupRank"] == [1, 2] and first.to_pydict()["V"] == [2, 1]
    assert not list(made.push(batch.slice(0, 0))) and not list(made.advance(6))
    (last,) = batches(made.advance(END))
    assert last.to_pydict()["V"] == [3]
