"""Dense ids of keys: every type, however the rows are cut, saved, forgotten and coded."""

from __future__ import annotations

import datetime
import math
import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.kernels import compiling, groups, groups_texts
from streamsql.keys import codings as key_codings
from streamsql.keys.codings import codings
from streamsql.keys.interner import Interner
from streamsql.keys.table import KeyTable

TEXTS = st.sampled_from(["", "a", "a\0", "\0", "éé", "1234567", "12345678", "x" * 15, "x" * 16, "x" * 40, "x" * 41])

TYPES: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.int64(): st.sampled_from([0, -1, 5, -(2**63), 2**63 - 1]),
    pa.int32(): st.integers(-3, 3),
    pa.float64(): st.sampled_from([0.0, -0.0, math.nan, 1.5, -math.inf]),
    pa.float32(): st.sampled_from([0.0, 1.5]),
    pa.string(): TEXTS,
    pa.binary(): TEXTS.map(str.encode),
    pa.bool_(): st.booleans(),
    pa.decimal128(10, 2): st.sampled_from([Decimal("1.50"), Decimal("-3.25")]),
    pa.decimal128(19, 0): st.sampled_from([Decimal(10**18), Decimal(-5)]),
    pa.date32(): st.sampled_from([datetime.date(2018, 11, 1), datetime.date(1960, 1, 1)]),
    pa.time32("ms"): st.sampled_from([datetime.time(1, 2), datetime.time(0)]),
    pa.timestamp("ms"): st.sampled_from([datetime.datetime(2018, 11, 1), datetime.datetime(1960, 1, 1)]),
}


def equal_as_key(value: Any) -> Any:
    """Both zeros are one key, and so are all NaN."""
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else value + 0.0
    return value


def check(interner: Interner, types: Sequence[pa.DataType], rows: Sequence[tuple[Any, ...]], known: dict[Any, int]) -> None:
    """Intern rows; `known` is the same by Python's dict."""
    columns = [pa.array([None, *(row[i] for row in rows)], type).slice(1) for i, type in enumerate(types)]
    expected = [known.setdefault(tuple(map(equal_as_key, row)), len(known)) for row in rows]
    assert interner.ids(columns, len(rows)).tolist() == expected
    assert len(interner) == len(known)
    given_back = interner.columns()
    for column, type in zip(given_back, types, strict=True):
        column.validate(full=True)
        assert column.type == type
    lists = zip(*(column.to_pylist() for column in given_back), strict=True)
    assert [tuple(map(equal_as_key, row)) for row in lists] == list(known)


@pytest.mark.parametrize("compiled", [False, True])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_ids_number_keys_as_they_appear(compiled: bool, data: st.DataObject) -> None:
    types = data.draw(st.lists(st.sampled_from(list(TYPES)), min_size=1, max_size=3))
    nullable = data.draw(st.lists(st.booleans(), min_size=3, max_size=3))
    row = st.tuples(*(st.none() | TYPES[t] if n else TYPES[t] for t, n in zip(types, nullable, strict=False)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_codings, "_MANY", 2)
        patch.setattr(compiling, "_lost", compiling.LOADING if compiled else 0)
        interner, known = Interner(types), dict[Any, int]()
        for action in data.draw(st.lists(st.sampled_from(["push", "push", "compile", "restart", "keep", "clear"]), max_size=8)):
            if action == "compile":
                patch.setattr(compiling, "_lost", compiling.LOADING)
            elif action == "restart":
                saved = interner.save()
                interner = Interner(types)
                interner.load(saved)
            elif action == "keep":
                kept = [id for id in range(len(known)) if id % 2]
                interner.keep(np.array(kept, np.int64))
                known = {key: i for i, key in enumerate(key for id, key in enumerate(known) if id % 2)}
            elif action == "clear":
                interner.clear()
                known = {}
            check(interner, types, data.draw(st.lists(row, max_size=12)), known)


def test_without_keys_every_row_is_of_the_one_group() -> None:
    interner = Interner([])
    assert interner.ids([], 3).tolist() == [0, 0, 0] and len(interner) == 1
    saved = interner.save()
    interner.load(saved)
    assert interner.columns() == [] and len(interner) == 1


def test_columns_of_some_ids() -> None:
    interner = Interner([pa.string(), pa.int32()])
    interner.ids([pa.array(["a", None, "b"]), pa.array([1, 2, None], pa.int32())], 3)
    assert [c.to_pylist() for c in interner.columns(np.array([2, 0, 2]))] == [["b", "a", "b"], [None, 1, None]]


@pytest.mark.parametrize("compiled", [False, True])
def test_many_keys(compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than one block of rows, more keys than the first table has room for, hashes that collide."""
    monkeypatch.setattr(compiling, "_lost", compiling.LOADING if compiled else -(10**12))
    random = np.random.default_rng(3)
    for values in (random.integers(0, 60_000, 100_000), np.arange(70_000) << 40, random.integers(-(2**63), 2**63 - 1, 70_000)):
        for type in (pa.int64(), pa.string()):
            column, interner, known = pa.array(values).cast(type), Interner([type]), dict[Any, int]()
            expected = [known.setdefault(value, len(known)) for value in values.tolist()]
            assert interner.ids([column], len(values)).tolist() == expected
            assert interner.ids([column], len(values)).tolist() == expected
            assert interner.columns()[0].equals(pa.array(list(known), pa.int64()).cast(type))


def test_a_coding_gives_way_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, nullable = codings(pa.int64())
    assert not plain.fits(pa.array([None], pa.int64()))
    assert nullable.fits(pa.array([None], pa.int64())) and nullable.width == 2
    objects, texts = codings(pa.string())
    monkeypatch.setattr(key_codings, "_MANY", 1)
    monkeypatch.setattr(compiling, "_lost", compiling.LOADING)
    assert objects.fits(pa.array(["a"]))
    objects.words(pa.array(["a", "b"]))
    assert not objects.fits(pa.array(["c"])) and texts.fits(pa.array(["c"]))
    monkeypatch.setattr(compiling, "_lost", -(10**12))
    assert objects.fits(pa.array(["c"]))


@pytest.mark.parametrize("compiled", [False, True])
def test_table_of_wide_keys(compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "_lost", compiling.LOADING if compiled else -(10**12))
    random, table, known = np.random.default_rng(4), KeyTable(3), dict[Any, int]()
    for rows in (0, 1, 5000, 20_000):
        words = [random.integers(0, 12, rows) << shift for shift in (0, 32, 60)]
        keys = list(zip(*(word.tolist() for word in words), strict=True))
        assert table.ids(words).tolist() == [known.setdefault(key, len(known)) for key in keys]
    assert [tuple(key) for key in np.stack(table.words(np.arange(len(table))), axis=1).tolist()] == list(known)


def test_the_kernel_is_its_python() -> None:
    random = np.random.default_rng(5)
    words = random.integers(0, 9, (2, 300)).astype(np.uint64)
    states = [(np.full(512, -1), np.zeros((2, 90), np.uint64), np.zeros(300, np.int64)) for _ in range(2)]
    with np.errstate(over="ignore"):
        ends = [k(words, 0, 0, np.uint64(64 - 9), *s) for k, s in zip((groups.enter, groups.enter.py_func), states)]
    assert ends[0] == ends[1] == (300, len(set(zip(*words.tolist(), strict=True))))
    assert all(np.array_equal(a, b) for a, b in zip(*states, strict=True))
    few = (np.full(512, -1), np.zeros((2, 5), np.uint64), np.zeros(300, np.int64))
    assert groups.enter(words, 0, 0, np.uint64(64 - 9), *few)[1] == 5


def test_the_kernels_of_strings_are_their_python() -> None:
    random = np.random.default_rng(6)
    texts = ["é" * n for n in random.integers(0, 9, 300)]
    ends, states = [], []
    lengths = np.array([len(text.encode()) for text in texts])
    offsets, data = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32), "".join(texts).encode()
    words, null = np.frombuffer(data + bytes(16 - len(data) % 8), np.uint64), random.random(300) < 0.1
    shift = np.uint64(64 - 6)
    for enter, enter_again, copy in (
        (groups_texts.enter_texts, groups_texts.enter_again, groups_texts.copy_texts),
        (groups_texts.enter_texts.py_func, groups_texts.enter_again.py_func, groups_texts.copy_texts.py_func),
    ):
        slots, kept, places = np.zeros(64, np.uint64), np.zeros(30, np.uint64), np.zeros(12, np.int64)
        codes, again, copied = np.zeros(300, np.int64), np.zeros(64, np.uint64), np.zeros(2 * 300, np.uint8)
        with np.errstate(over="ignore"):
            ends.append(enter(words, offsets, null, 0, 0, shift, slots, kept, places, codes))
            enter_again(kept, places, 10, shift, again)
        copy(kept.view(np.uint8), places[:1], np.array([0, lengths[0]], np.int32), copied)
        states.append((slots, kept, places, codes, again, copied))
    assert ends == [(300, 10), (300, 10)]
    assert all(np.array_equal(a, b) for a, b in zip(*states, strict=True))
    assert np.array_equal(np.sort(states[0][0]), np.sort(states[0][4]))


def test_when_kernels_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "_lost", 0)
    assert "streamsql.kernels.jit" in sys.modules
    assert not compiling.pays(1_000_000, 6)
    assert compiling.pays(20_000_000, 6) and compiling.pays(1, 6)
    monkeypatch.setattr(compiling, "_lost", 0)
    monkeypatch.delitem(sys.modules, "streamsql.kernels.jit")
    assert not compiling.pays(20_000_000, 6)
    assert compiling.pays(100_000_000, 6)
