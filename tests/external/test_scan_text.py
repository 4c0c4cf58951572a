"""Text files: JSON, CSV by OpenCSVSerde, fields with delimiters by LazySimpleSerDe."""

from __future__ import annotations

import bz2
import gzip
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from streamsql.errors import NotSupportedError, OperationalError
from tests.external.lake import Lake

JSON = "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'"
CSV = "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'"


def create(lake: Lake, columns: str, format: str, more: str = "") -> None:
    lake.run(f"CREATE EXTERNAL TABLE t ({columns}) {format} LOCATION 's3://b/t/' {more}")


# -- JSON --------------------------------------------------------------------------------------------------------------


def test_json_members_match_in_any_case(lake: Lake) -> None:
    lake.json("b/t/a.json", {"User": "ann", "n": 1}, {"USER": "bob", "N": "2"}, {"user": None})
    create(lake, "`user` string, n int, more double", JSON)
    assert lake.rows("SELECT * FROM t") == [("ann", 1, None), ("bob", 2, None), (None, None, None)]
    assert lake.rows("SELECT n FROM t WHERE t.\"user\" = 'bob'") == [(2,)]
    assert lake.rows("SELECT COUNT(*) FROM t") == [(3,)]


def test_json_members_of_another_name(lake: Lake) -> None:
    lake.json("b/t/a.json", {"timestamp": "2024-01-01 10:00:00", "A-b": 5})
    create(lake, "ts timestamp, ab int", f"{JSON} WITH SERDEPROPERTIES ('mapping.ts'='timestamp', 'mapping.ab'='A-b')")
    assert lake.rows("SELECT ts, ab FROM t") == [(datetime(2024, 1, 1, 10), 5)]


def test_records_and_lists_in_json(lake: Lake) -> None:
    lake.json(
        "b/t/a.json",
        {"who": {"Name": "ann", "tags": ["a", "b"], "born": "2000-01-02"}, "counts": {"x": 1, "y": None}, "prices": [1.5, 2]},
        {"who": None, "counts": {}, "prices": []},
    )
    create(lake, "who struct<name:string,tags:array<string>,born:date>, counts map<string,int>, prices array<decimal(5,2)>", JSON)
    assert lake.rows("SELECT * FROM t") == [
        (
            {"name": "ann", "tags": ["a", "b"], "born": date(2000, 1, 2)},
            [("x", 1), ("y", None)],
            [Decimal("1.50"), Decimal("2.00")],
        ),
        (None, [], []),
    ]
    assert lake.rows("SELECT who.name, who.born, prices FROM t WHERE who.name = 'ann'") == [
        ("ann", date(2000, 1, 2), [Decimal("1.50"), Decimal("2.00")])
    ]


def test_json_that_does_not_fit_is_lost_row_by_row(lake: Lake) -> None:
    lake.text("b/t/a.json", '{"n": 1}\n{"n": oops}\n{"n": "x"}\n{"n": 4, "r": {"a": "y"}}\n')
    create(lake, "n int, r struct<a:int>", JSON)
    assert lake.rows("SELECT n FROM t") == [(1,), (4,)]
    assert [row["MESSAGE"][:14] for row in lake.lost] == ["malformed JSON", "For input stri"]
    lake.lost.clear()
    assert lake.rows("SELECT n, r FROM t") == [(1, None)]
    assert lake.lost[-1]["MESSAGE"].startswith("column r: For input string")


@pytest.mark.parametrize("text", ["-1445930880884672686981.12", "340282366920938463463.37", "1e26", "-7"])
@pytest.mark.parametrize("format", [JSON, CSV, "ROW FORMAT DELIMITED"])
def test_a_decimal_of_many_digits_is_itself_or_none(lake: Lake, format: str, text: str) -> None:
    fields = f"{text}{',' if format == CSV else chr(1)}{text}"
    lake.text("b/t/a", (f'{{"wide": {text}, "narrow": {text}}}' if format == JSON else fields) + "\n")
    create(lake, "wide decimal(30,2), narrow decimal(6,2)", format)
    assert lake.rows("SELECT wide FROM t") == [(Decimal(text),)]
    lost = [(None,)] if format == "ROW FORMAT DELIMITED" else []
    assert lake.rows("SELECT narrow FROM t") == ([(Decimal(text),)] if text == "-7" else lost)


def test_malformed_json_may_be_passed_over(lake: Lake) -> None:
    lake.text("b/t/a.json", '{"n": 1}\n{"n": oops}\n')
    create(lake, "n int", f"{JSON} WITH SERDEPROPERTIES ('ignore.malformed.json'='true')")
    assert lake.rows("SELECT n FROM t") == [(1,)]
    assert not lake.lost


def test_a_file_that_is_one_array(lake: Lake) -> None:
    lake.text("b/t/a.json", '[{"n": 1},\n {"n": 2}]')
    create(lake, "n int", f"{JSON} WITH SERDEPROPERTIES ('strip.outer.array'='true')")
    assert lake.rows("SELECT n FROM t") == [(1,), (2,)]
    lake.json("b/t/b.json", {"n": 3})
    with pytest.raises(OperationalError, match=r"s3://b/t/b\.json.*not one array"):
        lake.rows("SELECT n FROM t")


def test_compressed_text(lake: Lake) -> None:
    lines = b"".join(b'{"n": %d}\n' % i for i in range(1000))
    lake.text("b/t/a.json.gz", gzip.compress(lines))
    lake.text("b/t/b.json.bz2", bz2.compress(lines))
    lake.text("b/t/c.json.zst", pa.compress(lines, "zstd", asbytes=True))
    create(lake, "n int", JSON)
    assert lake.rows("SELECT COUNT(*), SUM(n) FROM t") == [(3000, 3 * 499500)]
    counts = lake.counts("SELECT n FROM t")
    assert counts.bytes == counts.size == sum(f.stat().st_size for f in (lake.root / "b/t").iterdir())


def test_partitions_of_text(lake: Lake) -> None:
    for day in range(1, 4):
        lake.json(f"b/t/{day}/a.json", {"n": day, "day": "not this"})
    lake.run(f"CREATE EXTERNAL TABLE t (n int) PARTITIONED BY (day string) {JSON} LOCATION 's3://b/t/'")
    for day in range(1, 4):
        lake.run(f"ALTER TABLE t ADD PARTITION (day='d{day}') LOCATION 's3://b/t/{day}/'")
    assert lake.rows("SELECT n, day FROM t WHERE day > 'd1'") == [(2, "d2"), (3, "d3")]
    assert lake.counts("SELECT n, day FROM t WHERE day > 'd1'").files == 2


# -- fields with delimiters --------------------------------------------------------------------------------------------


def test_fields_by_the_default_delimiter(lake: Lake) -> None:
    lake.text("b/t/a", "1\x01ann\x01true\n2\x01\\N\x01FALSE\n\x01\x01maybe\n")
    create(lake, "n int, name string, ok boolean", "")
    assert lake.rows("SELECT * FROM t") == [(1, "ann", True), (2, None, False), (None, "", None)]


def test_what_is_no_value_is_null_and_fields_may_be_missing(lake: Lake) -> None:
    good = "".join(f"{i}|{i}.5|2024-01-0{i % 9 + 1}|2024-01-01 00:00:0{i % 9}.25|x{i}\n" for i in range(100))
    lake.text("b/t/a.txt", good + "x|y|z|0|last|more\n7\n\n 8 |1e3|2024-13-01|now|\n")
    create(lake, "n int, d double, day date, ts timestamp, s string", "ROW FORMAT DELIMITED FIELDS TERMINATED BY '|'")
    rows = lake.rows("SELECT * FROM t")
    assert rows[:2] == [
        (0, 0.5, date(2024, 1, 1), datetime(2024, 1, 1, 0, 0, 0, 250_000), "x0"),
        (1, 1.5, date(2024, 1, 2), datetime(2024, 1, 1, 0, 0, 1, 250_000), "x1"),
    ]
    assert rows[100:] == [
        (None, None, None, None, "last"),
        (7, None, None, None, None),
        (None, None, None, None, None),
        (8, 1000.0, None, None, ""),
    ]
    assert not lake.lost
    assert lake.rows("SELECT COUNT(*) FROM t") == [(104,)]
    assert lake.rows("SELECT s FROM t WHERE n = 50") == [("x50",)]


def test_escapes_null_and_header(lake: Lake) -> None:
    lake.text("b/t/a.csv", 'n,s\nunits,none\n1,a\\,b\n2,-\n3,"q"\r\n')
    create(
        lake,
        "n int, s string",
        r"ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' ESCAPED BY '\\' LINES TERMINATED BY '\n' NULL DEFINED AS '-'",
        "TBLPROPERTIES ('skip.header.line.count'='2')",
    )
    assert lake.rows("SELECT * FROM t") == [(1, "a,b"), (2, None), (3, '"q"')]


def test_delimiters_of_a_serde(lake: Lake) -> None:
    lake.text("b/t/a.tsv", "1\ta\n2\tb\n")
    serde = "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe' WITH SERDEPROPERTIES ('field.delim'='\\t')"
    create(lake, "n int, s string", serde)
    assert lake.rows("SELECT s, n FROM t") == [("a", 1), ("b", 2)]


def test_records_in_delimited_text_are_not_supported(lake: Lake) -> None:
    lake.text("b/t/a", "1\n")
    create(lake, "n array<int>, s string", "")
    with pytest.raises(NotSupportedError, match=r"ARRAY.INTEGER. in text: column n of default\.t"):
        lake.rows("SELECT n FROM t")
    assert lake.rows("SELECT COUNT(s) FROM t") == [(0,)]


# -- CSV ---------------------------------------------------------------------------------------------------------------


def test_quoted_fields(lake: Lake) -> None:
    plain = "".join(f'"{i}","name {i}, jr"\n' for i in range(100))
    lake.text("b/t/a.csv", plain + '"100","say ""hi"""\n"101"\n"102","a","b"\n')
    create(lake, "n int, s string", CSV)
    rows = lake.rows("SELECT * FROM t")
    assert rows[1] == (1, "name 1, jr")
    assert rows[100:] == [(100, 'say "hi"'), (101, None), (102, "a")]


def test_other_signs(lake: Lake) -> None:
    lake.text("b/t/a.csv", "1;`a;b`\n2;c\\;d\n")
    create(lake, "n int, s string", CSV + """ WITH SERDEPROPERTIES ("separatorChar"=";", "quoteChar"="`", "escapeChar"="\\\\")""")
    assert lake.rows("SELECT * FROM t") == [(1, "a;b"), (2, "c;d")]


def test_days_and_milliseconds(lake: Lake) -> None:
    lake.text("b/t/a.csv", '"x","18276","1579059880000"\n"y","2020-01-15","2020-01-15 03:44:40"\n')
    create(lake, "s string, d date, ts timestamp", CSV)
    moment = datetime(2020, 1, 15, 3, 44, 40)
    assert lake.rows("SELECT * FROM t") == [("x", date(2020, 1, 15), moment), ("y", date(2020, 1, 15), moment)]


def test_csv_that_does_not_fit_is_lost_row_by_row(lake: Lake) -> None:
    lake.text("b/t/a.csv", "1,a\nx,b\n3,c\n,d\n")
    create(lake, "n int, s string", CSV)
    assert lake.rows("SELECT * FROM t") == [(1, "a"), (3, "c"), (None, "d")]
    assert [row["MESSAGE"] for row in lake.lost] == ["'x' is no INTEGER, which column n is"]
    assert lake.rows("SELECT COUNT(*) FROM t") == [(4,)]
