"""Records by the mapping of an InputSchema: paths, arrays that become rows, delimiters, encodings."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from io_support import all_of, drain, shown

from streamsql.errors import NotSupportedError
from streamsql.io.csv import CsvDecoder
from streamsql.io.decoding import Target
from streamsql.io.json.lines import JsonLinesDecoder
from streamsql.io.json_path import JsonPath, parse_json_path
from streamsql.io.layout import Layout
from streamsql.io.open import open_source
from streamsql.types import DOUBLE, INTEGER, TIMESTAMP, Field, Schema, SqlType, varchar

ORDERS = (
    """\
{"customerName": "John Doe", "address": {"streetAddress": {"number": "123", "street": "AnyStreet"}, "city": "Anytown"},
 "orders": [{"orderId":"23284", "price":"33.99"}, {"orderId":"63122", "price":"22.50"}, {"orderId":"77284"}],
 "empty": [], "sizes": [1, 2.5, [3]], "a.b": "dotted", "a": 1, "a": {"b": 2}, "none": null}
""".replace("\n", "")
    + "\n"
)


def mapped(text: str, *paths: str, rows: str = "$", types: tuple[SqlType, ...] = (), rowtime: str | None = None) -> list[Any]:
    """The rows of JSON lines by these paths, as VARCHAR unless types are given."""
    types = types or (varchar(1000),) * len(paths)
    fields = tuple(Field(f"C{i}", type_) for i, type_ in enumerate(types))
    layout = Layout(row_path=parse_json_path(rows), paths=tuple(map(parse_json_path, paths)))
    decoded = JsonLinesDecoder(Target(fields, rowtime, layout.members), 0, layout).decode(text.encode())
    found, failed, _ = all_of(decoded)
    return found + [failure.failure.message for _, failure in failed]


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("$.customerName", ["John Doe"]),
        ("$.customername", [None]),
        ("$.customerId", [None]),
        ("$.address.city", ["Anytown"]),
        ("$.address.streetAddress.street", ["AnyStreet"]),
        ("$.address.city.part", [None]),
        ("$.address", ['{"streetAddress": {"number": "123", "street": "AnyStreet"}, "city": "Anytown"}']),
        ("$.orders[0:]", ['[{"orderId":"23284", "price":"33.99"}, {"orderId":"63122", "price":"22.50"}, {"orderId":"77284"}]']),
        ("$.orders[1:]", ['[{"orderId":"63122", "price":"22.50"},{"orderId":"77284"}]']),
        ("$.orders[0:].orderId", ["23284", "63122", "77284"]),
        ("$.orders[1:].orderId", ["63122", "77284"]),
        ("$.orders[0:].price", ["33.99", "22.50", None]),
        ("$.orders[0:].itemId", [None, None, None]),
        ("$.orders[1].orderId", ["63122"]),
        ("$.orders[3].orderId", [None]),
        ("$.orders.orderId", [None]),
        ("$.empty[0:].x", [None]),
        ("$.none[0:].x", [None]),
        ("$.address[0:].x", [None]),
        ("$.sizes[0]", ["1"]),
        ("$.sizes[2]", ["[3]"]),
        ("$.sizes[2][0]", ["3"]),
        ("$['a.b']", ["dotted"]),
        ('$["a"].b', ["2"]),
        ("$.none", [None]),
        ("$", [ORDERS.strip()]),
    ],
)
def test_paths(path: str, values: list[str | None]) -> None:
    assert mapped(ORDERS, path, "$.address.city") == [(value, "Anytown") for value in values]


def test_values_beside_an_array_stand_in_all_of_its_rows() -> None:
    rows = mapped(ORDERS, "$.customerName", "$.orders[0:].orderId", "$.sizes[0:]")
    assert rows == [("John Doe", number, "[1, 2.5, [3]]") for number in ("23284", "63122", "77284")]
    assert mapped(ORDERS, "$.customerName", "$.empty[0:].x") == [("John Doe", None)]


def test_the_root_of_rows() -> None:
    assert mapped(ORDERS, "$.orderId", rows="$.orders[0:]") == [("23284",), ("63122",), ("77284",)]
    assert mapped(ORDERS, "$.orderId", rows="$.orders") == [("23284",), ("63122",), ("77284",)]
    assert mapped(ORDERS, "$.street", "$.number", rows="$.address.streetAddress") == [("AnyStreet", "123")]
    assert mapped(ORDERS, "$", rows="$.sizes[0:]") == [("1",), ("2.5",), ("3",)]
    assert mapped(ORDERS, "$.x", rows="$.nothing") == [(None,)]
    assert mapped('[{"a": 1}, {"a": 2}]\n', "$.a", "$.a", rows="$[0:]") == [("1", "1"), ("2", "2")]


def test_a_record_that_does_not_fit_fails_alone() -> None:
    text = '{"v": {"x": [1, "a", 3]}}\nrubbish\n{"v": {"x": []}}\n'
    found = mapped('{"v": [{"x": 1}, {"x": 1.5}, {"x": 3}]}\nrubbish\n{"v": []}\n', "$.v[0:].x", types=(INTEGER,))
    assert found == [(1,), (3,), (None,), 'For input string: "1.5"', "malformed JSON: Expecting value at column 1"]
    assert mapped(text, "$.v.x[0]", types=(INTEGER,))[:2] == [(1,), (None,)]


def test_rowtime_is_a_column_or_a_member_of_the_row_or_of_the_record() -> None:
    time = 1_767_225_600_000
    text = '{"t": 1, "meta": {"at": "2026-01-01 00:00:00"}, "rows": [{"t": 5}, {"x": 1}]}\n'
    assert mapped(text, "$.meta.at", types=(TIMESTAMP,), rowtime="C0") == [(time, time)]
    assert mapped(text, "$.meta.at", types=(TIMESTAMP,), rowtime="t") == [(1, time)]
    assert mapped(text, "$.x", rows="$.rows[0:]", rowtime="t") == [(5, None), (1, "1")]


def test_the_members_of_a_plain_mapping_are_matched_exactly() -> None:
    text = "".join(f'{{"a": {i}, "A": 7, "c": 0.5}}\n' for i in range(200))
    assert mapped(text, "$.A", "$.b", "$.c", types=(INTEGER, INTEGER, DOUBLE)) == [(7, None, "0.5")] * 200
    assert mapped(text, "$.a", "$.a", types=(INTEGER, DOUBLE))[3] == (3, "3.0")
    assert mapped(text, "$.A", types=(INTEGER,), rowtime="a")[3] == (3, 7)
    assert mapped(text, "$.a", types=(INTEGER,), rowtime="a")[3] == (3, 3)


SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.text('ab"é\\', max_size=3)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.lists(st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3), max_size=4),
    st.lists(st.sampled_from("abc"), min_size=2, max_size=3),
)
@settings(max_examples=60)
def test_paths_lead_where_python_leads(documents: list[Any], names: list[str]) -> None:
    def led(value: Any) -> Any:
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    text = "".join(json.dumps(document) + "\n" for document in documents)
    for (found,), document in zip(mapped(text, f"$.{'.'.join(names)}"), documents, strict=True):
        wanted = led(document)
        if isinstance(wanted, bool):
            wanted = str(wanted).lower()
        assert (json.loads(found) if isinstance(wanted, (list, dict)) else found) == (
            wanted if isinstance(wanted, (list, dict)) or wanted is None else str(wanted)
        )


@pytest.mark.parametrize(
    ("text", "steps"), [("$", ()), ("$.a b", ("a b",)), ("$['x']['y z']", ("x", "y z")), ("$.a[12]", ("a", 12))]
)
def test_spelling_of_paths(text: str, steps: tuple[Any, ...]) -> None:
    path = parse_json_path(text)
    assert path.steps == steps
    assert parse_json_path(str(path)) == path
    assert JsonPath(steps) == path


# -- delimiters ----------------------------------------------------------------------------------------------------------

FIELDS = (Field("A", varchar(20)), Field("B", varchar(20)))


def decoded(data: bytes, columns: str, rows: str, header: bool = False) -> list[Any]:
    decoder = CsvDecoder(Target(FIELDS), header, columns, rows)
    start = decoder.read_header(data, True) or 0
    return shown(decoder.decode(data[start:]).rows)


DELIMITERS = [
    (",", "\n"),
    ("\t", "\n"),
    ("||", "\n"),
    (",", "|"),
    ("|", ";"),
    ("||", "<>"),
    (" ", "\r"),
    ("é", "ü"),
    ("\x01", "\x02"),
]


@pytest.mark.parametrize(("columns", "rows"), DELIMITERS)
@pytest.mark.parametrize("count", [1, 3, 200])
def test_delimiters(columns: str, rows: str, count: int) -> None:
    lines = [f"a{i}{columns}b{i}{columns}more{rows}" for i in range(count)]
    assert decoded("".join(lines).encode(), columns, rows) == [(f"a{i}", f"b{i}") for i in range(count)]
    assert decoded("".join(lines).removesuffix(rows).encode(), columns, rows) == [(f"a{i}", f"b{i}") for i in range(count)]
    quoted = "".join(f'"x{columns}{i}{rows}"{columns}"say ""{i}"""{rows}' for i in range(count))
    assert decoded(quoted.encode(), columns, rows) == [(f"x{columns}{i}{rows}", f'say "{i}"') for i in range(count)]
    assert decoded(f"B{columns}A{rows}{''.join(lines)}".encode(), columns, rows, header=True)[0] == ("b0", "a0")


@pytest.mark.parametrize(("columns", "rows"), DELIMITERS)
def test_a_block_is_cut_behind_a_row(columns: str, rows: str) -> None:
    decoder = CsvDecoder(Target(FIELDS), False, columns, rows)
    data = f'a{columns}"b{rows}c"{rows}d{columns}'.encode()
    assert data[: decoder.cut(data, False)].decode() == f'a{columns}"b{rows}c"{rows}'
    assert decoder.cut(b"a", False) == 0
    plain = f"a{rows}b".encode()
    assert plain[: decoder.cut(plain, False)].decode() == f"a{rows}"


def test_line_feeds_within_rows_of_another_delimiter_are_data() -> None:
    assert decoded(b"a,b\nc|d,e|", ",", "|") == [("a", "b\nc"), ("d", "e")]
    assert decoded(b"a,b\nc|d,e|" * 100, ",", "|")[-2:] == [("a", "b\nc"), ("d", "e")]


@given(st.lists(st.lists(st.text('ab ,"\n|é', max_size=4), min_size=2, max_size=2), max_size=80))
@settings(max_examples=40)
def test_rows_with_any_delimiter_are_those_of_lines(rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    other = io.StringIO()
    csv.writer(other, quoting=csv.QUOTE_ALL, lineterminator="|").writerows(rows)
    assert decoded(other.getvalue().encode(), ",", "|") == decoded(text.getvalue().encode(), ",", "\n")


# -- the whole source -----------------------------------------------------------------------------------------------------


def test_another_encoding(tmp_path: Path) -> None:
    schema, layout = Schema(FIELDS), Layout(header=False, column_delimiter=";", encoding="latin-1")
    (tmp_path / "a.csv").write_bytes("é;ü\n".encode("latin-1") * 100)
    assert drain(open_source(f"{tmp_path}/a.csv", schema, format="csv", layout=layout))[0] == [("é", "ü")] * 100
    (tmp_path / "b.csv").write_bytes("b;a\né;ü\n".encode("latin-1"))
    assert drain(open_source(f"{tmp_path}/b.csv?header=true", schema, format="csv", layout=layout))[0] == [("ü", "é")]
    paths = Layout(encoding="latin-1", paths=(parse_json_path("$.x"), parse_json_path("$.y.z")))
    (tmp_path / "c.jsonl").write_bytes('{"x": "é", "y": {"z": "ü"}}\n'.encode("latin-1"))
    assert drain(open_source(f"{tmp_path}/c.jsonl", schema, format="json", layout=paths))[0] == [("é", "ü")]


def test_rows_of_an_array_are_kept_apart_by_positions(tmp_path: Path) -> None:
    schema = Schema((Field("A", INTEGER),))
    layout = Layout(paths=(parse_json_path("$.v[0:].x"),))
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"v": [{"x": 3 * i + j} for j in range(3)]}) + "\n" for i in range(20)))
    source = open_source(f"{tmp_path}/a.jsonl", schema, format="json", layout=layout)
    rows = []
    while not (polled := source.poll(4)).ended:
        rows += shown(polled.rows)
        position = source.position()
        source = open_source(f"{tmp_path}/a.jsonl", schema, format="json", layout=layout)
        source.seek(position)
    assert rows == [(i,) for i in range(60)]


def test_a_table_has_no_values_within_others(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"x": ["a"], "X": ["b"]}), tmp_path / "a.parquet")
    plain = Layout(paths=(parse_json_path("$.X"), parse_json_path("$.y")))
    assert drain(open_source(f"{tmp_path}/a.parquet", Schema(FIELDS), format="json", layout=plain))[0] == [("b", None)]
    nested = Layout(paths=(parse_json_path("$.X.y"), parse_json_path("$.y")))
    with pytest.raises(NotSupportedError, match="a mapping of values within others"):
        open_source(f"{tmp_path}/a.parquet", Schema(FIELDS), format="json", layout=nested)
