"""What may come at the cursor, by the grammar and the catalog; scripts cut into statements and commands."""

from __future__ import annotations

import pytest

from streamsql.catalog import Catalog
from streamsql.display.completion import Suggestion, suggestions
from streamsql.engine.engine import Engine
from streamsql.errors import ProgrammingError
from streamsql.repl.scripts import is_ready, units
from streamsql.repl.settings import OPTIONS, Settings, change, shown


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    engine = Engine()
    engine.execute_script("""
        CREATE STREAM trades (ticker VARCHAR(4), price DOUBLE, "Year" INTEGER);
        CREATE STREAM totals (ticker VARCHAR(4), total DOUBLE);
        CREATE PUMP adding AS INSERT INTO totals SELECT STREAM ticker, price FROM trades;
        CREATE FUNCTION rate_of(p DOUBLE) RETURNS DOUBLE RETURN p;
        CREATE VIEW dear AS SELECT STREAM ticker AS name FROM trades WHERE price > 100;
    """)
    return engine.catalog


def at(text: str, catalog: Catalog) -> list[Suggestion]:
    """The suggestions where `|` stands."""
    return suggestions(text.replace("|", ""), text.index("|"), catalog)


def texts(text: str, catalog: Catalog) -> list[str]:
    return [suggestion.text for suggestion in at(text, catalog)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sel|", ["select"]),
        ("SEL|", ["SELECT"]),
        ("SELECT * FROM |", ['"error_stream"', "TOTALS", "TRADES", "DEAR", "TABLE", "UNNEST"]),
        ("select * from tr|", ["trades"]),
        ("SELECT 1; SELECT * FROM trades, to|", ["totals"]),
        ("SELECT * FROM trades t JOIN TO|", ["TOTALS"]),
        ("INSERT INTO |", ["TOTALS", "TRADES"]),
        ("INSERT INTO totals (|", ["ROWTIME", "TICKER", "TOTAL", "SELECT", "VALUES", "WITH"]),
        ("INSERT INTO totals (ticker, |", ["ROWTIME", "TOTAL"]),
        ("ALTER PUMP |", ["ADDING"]),
        ("DROP STREAM |", ["TOTALS", "TRADES", "IF"]),
        ("DROP VIEW |", ["DEAR", "IF"]),
        ("CREATE STREAM |", []),
        ("CREATE FOREIGN STREAM g (n BIGINT) SERVER |", ["FILE", "GENERATOR", "STDIN", "STDOUT"]),
        ("create foreign stream g (n bigint) server gen|", ["generator"]),
        ("CREATE FOREIGN STREAM f (n BIGINT) SERVER FILE OPTIONS (uri 'a.csv', r|", ["rowtime"]),
        ("SELECT a AS |", []),
        ("SELECT PR| FROM trades", ["PRICE", "PRECEDES("]),
        ("select pr| from trades", ["price", "precedes("]),
        ("DROP FUNCTION |", ["RATE_OF", "IF"]),
        ("SELECT t.| FROM trades t", ["PRICE", "ROWTIME", "TICKER", '"Year"']),
        ("SELECT x.| FROM trades AS x", ["PRICE", "ROWTIME", "TICKER", '"Year"']),
        ("SELECT d.| FROM dear d", ["NAME", "ROWTIME"]),
        ('SELECT "y| FROM trades', ['"Year"']),
        ("SELECT COUN|", ["COUNT(", "COUNT_IF("]),
        ("SELECT STE| FROM trades", ["STEP("]),
        ("SELECT rate| FROM trades", ["rate_of("]),
        ("SELECT 'a|", []),
        ("-- sel|", []),
        ("SELECT FROM FROM |", []),
    ],
)
def test_suggestions(text: str, expected: list[str], catalog: Catalog) -> None:
    assert texts(text, catalog) == expected


def test_system_tables_are_offered_where_there_are_external_tables(catalog: Catalog) -> None:
    assert texts("select * from sv|", catalog) == []
    engine = Engine()
    engine.execute_script("CREATE EXTERNAL TABLE logs (a INT) LOCATION '/nowhere/'")
    found = texts("select * from sv|", engine.catalog)
    assert found == ["svl_s3partition", "svl_s3partition_summary", "svl_s3query", "svl_s3query_summary"]
    assert "s3_scanned_bytes" in texts("SELECT s.| FROM svl_s3query_summary s", engine.catalog)


def test_columns_come_before_functions_and_these_before_keywords(catalog: Catalog) -> None:
    kinds = [suggestion.kind for suggestion in at("SELECT STREAM | FROM trades", catalog)]
    assert kinds[:5] == ["column"] * 4 + ["stream"]
    assert kinds[5:] == ["function"] * kinds.count("function") + ["keyword"] * kinds.count("keyword")


def test_table_functions_are_offered_where_they_stand(catalog: Catalog) -> None:
    assert "RANDOM_CUT_FOREST(" in texts("SELECT * FROM TABLE(|", catalog)
    assert "RANDOM_CUT_FOREST(" not in texts("SELECT |", catalog)


def test_without_a_relation_the_columns_of_all_are_offered(catalog: Catalog) -> None:
    assert {"PRICE", "TOTAL", "NAME"} <= set(texts("SELECT |", catalog))


def test_a_suggestion_says_what_it_is(catalog: Catalog) -> None:
    assert at("SELECT PRI| FROM trades", catalog) == [Suggestion("PRICE", 3, "column", "TRADES DOUBLE")]
    assert at("SELECT floo| FROM trades", catalog)[0].detail.startswith("FLOOR(t: TIMESTAMP TO unit: UNIT)")


def cut(script: str) -> list[tuple[str, bool]]:
    return [(unit.text, unit.is_command) for unit in units(script)]


def test_scripts_are_cut_into_statements_and_commands() -> None:
    script = "\\d x\nVALUES (1); VALUES\n (2);\n.mode csv\n\nINSERT INTO a VALUES ('x;\n\\y');VALUES (3)"
    assert cut(script) == [
        ("\\d x", True),
        ("\nVALUES (1)", False),
        ("\n            VALUES\n (2)", False),
        (".mode csv", True),
        ("\n\n\n\n\nINSERT INTO a VALUES ('x;\n\\y')", False),
        ("\n\n\n\n\n\n     VALUES (3)", False),
    ]


def test_blanks_and_remarks_are_no_statements() -> None:
    assert cut("") == cut(" \n ") == cut("-- a remark\n/* another */") == cut(";;") == []


def test_a_script_all_of_whose_statements_are_in_comments_is_wrong() -> None:
    with pytest.raises(ProgrammingError, match="comment"):
        cut("-- SELECT 1;")


@pytest.mark.parametrize(
    ("text", "ready"),
    [
        ("", True),
        ("  ", True),
        ("\\d", True),
        (".tables", True),
        ("VALUES (1);", True),
        ("VALUES (1); -- done", True),
        ("VALUES (1)", False),
        ("VALUES (';", False),
        ("VALUES (1) -- ;", False),
        ("/* ;", False),
    ],
)
def test_enter_runs_what_is_complete(text: str, ready: bool) -> None:
    assert is_ready(text) == ready


def test_settings_are_read_and_shown() -> None:
    settings = Settings()
    for name, value in {"format": "CSV", "null": "'(none)'", "expanded": "auto", "limit": "20", "timing": "on"}.items():
        change(settings, name, value)
    assert settings == Settings(format="csv", null="(none)", expanded="auto", limit=20, timing=True)
    assert [shown(settings, name) for name in OPTIONS] == ["csv", "'(none)'", "auto", "on", "on", "20", "on", "on"]


@pytest.mark.parametrize(("name", "value"), [("format", "xml"), ("timing", "perhaps"), ("limit", "-1"), ("colour", "red")])
def test_wrong_settings_say_what_there_is(name: str, value: str) -> None:
    with pytest.raises(ProgrammingError):
        change(Settings(), name, value)
