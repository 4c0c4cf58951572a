"""Batches as text: alignment, widths, NULLs, tables that have no room, results of any size."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from streamsql.display.render import FORMATS, Look, printer, render
from streamsql.display.width import cut, fill, printable, text_width
from streamsql.engine.engine import Engine
from streamsql.types import BIGINT, BOOLEAN, DOUBLE, TIMESTAMP, Batch, Field, Schema, SqlType, decimal, varchar


def result(**columns: tuple[SqlType, Sequence[Any]]) -> tuple[Schema, Batch]:
    schema = Schema(tuple(Field(name, type) for name, (type, _) in columns.items()))
    arrays = [pa.array(values, type.arrow()) for type, values in columns.values()]
    return schema, pa.RecordBatch.from_arrays(arrays, schema=schema.arrow())


def text(look: Look = Look(), **columns: tuple[SqlType, Sequence[Any]]) -> str:  # noqa: B008 - a frozen default
    schema, batch = result(**columns)
    return render(schema, [batch], look)


def test_a_table_is_aligned_by_type() -> None:
    table = text(
        name=(varchar(8), ["a", None, "longer"]),
        n=(BIGINT, [1, 20, None]),
        ok=(BOOLEAN, [True, None, False]),
        at=(TIMESTAMP, [0, None, 1_767_225_600_123]),
        price=(decimal(5, 2), [Decimal("1.50"), None, Decimal("-20.00")]),
        x=(DOUBLE, [1.0, float("nan"), 1e300]),
    )
    assert table == (
        " name   |    n | ok    | at                      |  price |      x\n"
        "--------+------+-------+-------------------------+--------+--------\n"
        " a      |    1 | true  | 1970-01-01 00:00:00.000 |   1.50 |    1.0\n"
        " NULL   |   20 | NULL  | NULL                    |   NULL |    NaN\n"
        " longer | NULL | false | 2026-01-01 00:00:00.123 | -20.00 | 1e+300\n"
        "(3 rows)\n"
    )


def test_null_is_shown_as_configured() -> None:
    assert text(Look(null="∅"), a=(varchar(4), [None]), b=(varchar(4), [""])) == " a | b\n---+---\n ∅ |\n(1 row)\n"


def test_wide_and_combining_characters_keep_their_columns() -> None:
    table = text(
        city=(varchar(10), ["東京", "e\N{COMBINING ACUTE ACCENT}e", "Köln", "한국"]),
        n=(BIGINT, [1, 2, 3, 4]),
    )
    assert table.splitlines()[2:6] == [" 東京 | 1", " e\N{COMBINING ACUTE ACCENT}e   | 2", " Köln | 3", " 한국 | 4"]
    assert {text_width(line.partition("|")[0]) for line in table.splitlines()[2:6]} == {6}


def test_a_wide_title_takes_its_columns_too() -> None:
    assert text(城市=(varchar(1), ["x"])).splitlines()[:3] == [" 城市", "------", " x"]


def test_what_a_terminal_would_obey_is_shown_as_an_escape() -> None:
    table = text(a=(varchar(20), ["two\nlines", "\x1b[31mred", "tab\there", "\N{RIGHT-TO-LEFT OVERRIDE}x"]))
    assert table.splitlines()[2:6] == [r" two\nlines", r" \x1b[31mred", r" tab\there", r" \u202ex"]


def test_texts_are_cut_so_that_all_columns_have_room() -> None:
    table = text(Look(width=40), k=(BIGINT, [1]), a=(varchar(99), ["a" * 99]), b=(varchar(99), ["short"]))
    assert table == f" k | a                          | b\n{'-' * 3}+{'-' * 28}+{'-' * 7}\n 1 | {'a' * 25}… | short\n(1 row)\n"
    assert max(map(text_width, table.splitlines())) <= 40


def test_wide_characters_are_cut_to_whole_ones() -> None:
    table = text(Look(width=30), k=(BIGINT, [1]), a=(varchar(99), ["日本語" * 20]), b=(varchar(9), ["x"]))
    assert all(text_width(line) <= 30 for line in table.splitlines())
    assert "…" in table


def test_numbers_are_never_cut_but_left_out_with_a_note() -> None:
    columns = {f"column_{i}": (BIGINT, [10**12 + i]) for i in range(9)}
    table = text(Look(width=40), **columns)
    assert table.splitlines()[0] == "      column_0 |      column_1 | …"
    assert table.splitlines()[2] == " 1000000000000 | 1000000000001 | …"
    assert table.splitlines()[3] == r"(1 row; 2 of 9 columns: \x shows all)"


def test_one_column_is_shown_however_narrow_the_terminal_is() -> None:
    table = text(Look(width=10), a=(BIGINT, [10**15]), b=(BIGINT, [1]))
    assert table.splitlines()[2] == " 100… | …"


def test_expanded_shows_one_value_a_line() -> None:
    table = text(Look(expanded="on"), k=(varchar(4), ["a", None]), 長い=(BIGINT, [1, 2]))
    assert table == ("-[ RECORD 1 ]\nk    | a\n長い | 1\n-[ RECORD 2 ]\nk    | NULL\n長い | 2\n(2 rows)\n")


def test_expanded_auto_turns_a_table_without_room() -> None:
    look = Look(expanded="auto", width=30)
    assert text(look, a=(varchar(9), ["x"])).startswith(" a\n")
    assert text(look, a=(varchar(99), ["x" * 99]), b=(BIGINT, [1])).startswith("-[ RECORD 1 ]\n")


def test_without_rows_there_is_a_header() -> None:
    assert text(a=(BIGINT, []), b=(varchar(4), [])) == " a | b\n---+---\n(0 rows)\n"
    assert text(Look(format="csv"), a=(BIGINT, []), b=(varchar(4), [])) == "a,b\n"
    assert text(Look(format="json"), a=(BIGINT, [])) == ""


def test_csv_and_json_are_those_of_the_outputs() -> None:
    columns = {"name": (varchar(9), ['x "y"', None]), "n": (DOUBLE, [1.0, None]), "at": (TIMESTAMP, [0, None])}
    as_csv = text(Look(format="csv"), **columns)
    assert list(csv.reader(io.StringIO(as_csv))) == [
        ["name", "n", "at"],
        ['x "y"', "1.0", "1970-01-01 00:00:00.000"],
        ["", "", ""],
    ]
    rows = [json.loads(line) for line in text(Look(format="json"), **columns).splitlines()]
    assert rows == [
        {"name": 'x "y"', "n": 1.0, "at": "1970-01-01 00:00:00.000"},
        {"name": None, "n": None, "at": None},
    ]


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "chart"])
def test_intervals_have_a_text_in_every_form(format: str) -> None:
    engine = Engine()
    query = engine.execute_script("VALUES (INTERVAL '1 02:03' DAY TO MINUTE, INTERVAL '3' YEAR, CAST(NULL AS DATE), TRUE)")[0]
    rows = query.rows
    assert rows is not None
    batch = rows.take()
    assert batch is not None
    shown = render(rows.schema, [batch], Look(format=format))
    assert "+1 02:03" in shown
    assert "+3" in shown


def test_a_running_query_prints_its_header_once_and_keeps_its_widths() -> None:
    schema, first = result(k=(varchar(20), ["a"]), n=(BIGINT, [1]))
    _, second = result(k=(varchar(20), ["quite a bit longer"]), n=(BIGINT, [123_456]))
    rows = printer(schema, Look(width=80), running=True)
    shown = ["".join(rows.write(first)), "".join(rows.write(second)), "".join(rows.end("stopped"))]
    assert shown == [
        " k                    |        n\n----------------------+----------\n a                    |        1\n",
        " quite a bit longer   |   123456\n",
        "(2 rows; stopped)\n",
    ]


def test_a_finished_result_of_a_few_rows_has_the_widths_of_all() -> None:
    schema, batch = result(k=(varchar(9), ["a", "longer"]))
    rows = printer(schema, Look())
    assert list(rows.write(batch.slice(0, 1))) == []
    assert list(rows.write(batch.slice(1, 1))) == []
    assert "".join(rows.end()) == " k\n--------\n a\n longer\n(2 rows)\n"


def test_ten_thousand_columns() -> None:
    columns = {f"c{i}": (BIGINT, [i]) for i in range(10_000)}
    narrow = text(Look(width=80), **columns)
    assert max(map(len, narrow.splitlines())) <= 80
    assert "of 10,000 columns" in narrow
    assert text(Look(expanded="on"), **columns).splitlines()[10_000] == "c9999 | 9999"


def test_a_million_rows_come_block_by_block() -> None:
    count = 1_000_000
    schema, batch = result(n=(BIGINT, np.arange(count)), k=(varchar(4), ["ab", "cd"] * (count // 2)))
    rows = printer(schema, Look(width=80))
    blocks = [block.count("\n") for block in rows.write(batch)]
    assert sum(blocks) == count + 2
    assert max(blocks) <= 10_000


def test_texts_of_any_kind_fit_the_width_they_are_given() -> None:
    for value in ("", "abc", "日本語", "e\N{COMBINING ACUTE ACCENT}", "a" * 50, "한" * 20):
        for width in (1, 2, 3, 7, 40):
            assert text_width(fill(cut(value, width), width)) == width
    assert printable("plain 日本") == "plain 日本"
