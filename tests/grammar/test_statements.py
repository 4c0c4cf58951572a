"""Every form of statement, and scripts in every manner in which people write them."""

from __future__ import annotations

from pathlib import Path

import pytest
from shape import shape

from streamsql import types
from streamsql.errors import ProgrammingError
from streamsql.sql.parser import parse, parse_statement
from streamsql.statements.statement import ColumnDefinition, Identifier, ObjectName, Statement
from streamsql.statements.streaming import (
    AlterPump,
    CreateForeignStream,
    CreateFunction,
    CreatePump,
    CreateStream,
    CreateView,
    Drop,
    Explain,
    Insert,
    Query,
    SetOption,
)


def named(*parts: str) -> ObjectName:
    """The name of these parts; those in double quotes are quoted."""
    return ObjectName(tuple(identifier(part) for part in parts))


def identifier(text: str) -> Identifier:
    return Identifier(text[1:-1], quoted=True) if text.startswith('"') else Identifier(text)


@pytest.mark.parametrize(
    ("declared", "type_"),
    [
        ("BOOLEAN", types.BOOLEAN),
        ("tinyint", types.TINYINT),
        ("SMALLINT", types.SMALLINT),
        ("INTEGER", types.INTEGER),
        ("Int", types.INTEGER),
        ("BIGINT", types.BIGINT),
        ("DECIMAL", types.decimal(18)),
        ("DEC(5)", types.decimal(5)),
        ("NUMERIC", types.decimal(18)),
        ("DECIMAL(19,5)", types.decimal(19, 5)),
        ("REAL", types.REAL),
        ("FLOAT", types.DOUBLE),
        ("DOUBLE", types.DOUBLE),
        ("DOUBLE PRECISION", types.DOUBLE),
        ("CHAR", types.char(1)),
        ("CHARACTER (3)", types.char(3)),
        ("VARCHAR", types.varchar()),
        ("VARCHAR (1024)", types.varchar(1024)),
        ("CHAR VARYING(65520)", types.varchar(65520)),
        ("BINARY(4)", types.SqlType(types.Kind.BINARY, length=4)),
        ("VARBINARY(4)", types.SqlType(types.Kind.VARBINARY, length=4)),
        ("BINARY VARYING(4)", types.SqlType(types.Kind.VARBINARY, length=4)),
        ("DATE", types.DATE),
        ("TIME", types.TIME),
        ("TimeStamp", types.TIMESTAMP),
    ],
)
def test_column_types(declared: str, type_: types.SqlType) -> None:
    statement = parse_statement(f'CREATE STREAM s (a {declared}, "b"{declared} NOT NULL)')
    assert isinstance(statement, CreateStream)
    assert statement.columns == (
        ColumnDefinition(Identifier("a"), type_),
        ColumnDefinition(Identifier("b", quoted=True), type_, nullable=False),
    )


COLUMNS = (ColumnDefinition(Identifier("a"), types.INTEGER),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE STREAM s (a INT)", CreateStream(named("s"), COLUMNS)),
        (
            "create or replace stream \"Schema1\".\"s\" (a INT) description 'all of ''em'",
            CreateStream(named('"Schema1"', '"s"'), COLUMNS, replace=True, description="all of 'em"),
        ),
        (
            "CREATE OR REPLACE FOREIGN STREAM s (a INT) SERVER files OPTIONS (\"PATH\" 'x.csv', format 'CSV', VALUE 1)",
            CreateForeignStream(
                named("s"),
                COLUMNS,
                Identifier("files"),
                ((Identifier("PATH", True), "x.csv"), (Identifier("format"), "CSV"), (Identifier("VALUE"), "1")),
                replace=True,
            ),
        ),
        ("CREATE FOREIGN STREAM s (a INT) SERVER STDIN", CreateForeignStream(named("s"), COLUMNS, Identifier("STDIN"))),
        ("ALTER PUMP p START", AlterPump(named("p"), start=True)),
        ('ALTER PUMP a."p" STOP', AlterPump(named("a", '"p"'), start=False)),
        ("DROP STREAM s", Drop("STREAM", named("s"))),
        ("DROP PUMP IF EXISTS p CASCADE", Drop("PUMP", named("p"), if_exists=True, cascade=True)),
        ("DROP VIEW v RESTRICT", Drop("VIEW", named("v"))),
        ("DROP FOREIGN STREAM s", Drop("FOREIGN STREAM", named("s"))),
        ("DROP FUNCTION f", Drop("FUNCTION", named("f"))),
        ("SET SCHEMA 'App'", SetOption("SCHEMA", "App")),
        ("SET seed = 12", SetOption("SEED", "12")),
        ("SET seed = -1.5", SetOption("SEED", "-1.5")),
        ("SET mode = fast", SetOption("MODE", "fast")),
        ("ALTER SESSION SET mode = 'fast'", SetOption("MODE", "fast")),
    ],
)
def test_statements_without_a_query(text: str, expected: Statement) -> None:
    statement = parse_statement(text)
    assert statement == expected
    assert statement.text == text


@pytest.mark.parametrize("started", ["", " STARTED", " STOPPED"])
@pytest.mark.parametrize("expedited", ["", " EXPEDITED"])
@pytest.mark.parametrize("columns", ["", ' (b, ROWTIME, "a")'])
def test_pumps(started: str, expedited: str, columns: str) -> None:
    insert = f'INSERT{expedited} INTO "D"{columns} SELECT STREAM * FROM s'
    text = f"CREATE OR REPLACE PUMP p{started} DESCRIPTION 'x' AS {insert}"
    pump = parse_statement(text)
    assert isinstance(pump, CreatePump)
    assert (pump.name, pump.replace, pump.started, pump.description) == (named("p"), True, started != " STOPPED", "x")
    assert pump.insert == parse_statement(insert)
    assert pump.insert.text == insert
    assert pump.insert.target == named('"D"')
    assert pump.insert.expedited == bool(expedited)
    assert pump.insert.columns == ((identifier("b"), identifier("ROWTIME"), identifier('"a"')) if columns else None)


def test_inserts_of_values_and_of_queries_in_brackets() -> None:
    insert = parse_statement("INSERT INTO s (a) VALUES (?), (2)")
    assert isinstance(insert, Insert)
    assert shape(insert.query) == "Values(Tuple(Placeholder(){index=0}), Tuple(2))"
    insert = parse_statement("INSERT INTO s (SELECT a FROM t)")
    assert isinstance(insert, Insert)
    assert insert.columns is None
    assert shape(insert.query) == "Subquery(Select(expressions=[a], from_=From(Table(t))))"


def test_views() -> None:
    view = parse_statement("CREATE OR REPLACE VIEW v (a, b) DESCRIPTION 'x' AS VALUES (1, 2)")
    assert isinstance(view, CreateView)
    assert (view.name, view.columns, view.replace) == (named("v"), (identifier("a"), identifier("b")), True)
    view = parse_statement("CREATE VIEW v AS (SELECT a FROM t) UNION ALL SELECT b FROM u ORDER BY 1")
    assert isinstance(view, CreateView)
    assert view.columns is None


def test_functions() -> None:
    function = parse_statement(
        "CREATE FUNCTION get_fraction(degrees DOUBLE) RETURNS DOUBLE CONTAINS SQL RETURN degrees - FLOOR(degrees)"
    )
    assert isinstance(function, CreateFunction)
    assert function.parameters == (ColumnDefinition(identifier("degrees"), types.DOUBLE),)
    assert function.returns == types.DOUBLE
    assert shape(function.body) == "Sub(degrees, Floor(degrees))"
    assert not function.null_on_null_input
    function = parse_statement(
        """CREATE OR REPLACE FUNCTION f() RETURNS INTEGER LANGUAGE SQL SPECIFIC f_0 NOT DETERMINISTIC
        READS SQL DATA RETURNS NULL ON NULL INPUT RETURN 1"""
    )
    assert isinstance(function, CreateFunction)
    assert function.parameters == ()
    assert function.null_on_null_input


@pytest.mark.parametrize("how", ["", " PLAN FOR", " ANALYZE"])
@pytest.mark.parametrize("inner", ["SELECT 1", "CREATE PUMP p AS INSERT INTO d SELECT STREAM * FROM s", "VALUES 1"])
def test_explain(how: str, inner: str) -> None:
    explain = parse_statement(f"EXPLAIN{how} {inner}")
    assert isinstance(explain, Explain)
    assert explain.analyze == (how == " ANALYZE")
    assert explain.statement == parse_statement(inner)
    assert explain.statement.text == inner


@pytest.mark.parametrize(("options", "form"), [("FORMAT TEXT", "TEXT"), ("format redshift", "REDSHIFT"), ("TYPE LOGICAL", None)])
@pytest.mark.parametrize("inner", ["SELECT 1", "(SELECT 1)", "WITH a AS (SELECT 1) SELECT * FROM a"])
def test_explain_in_a_form(options: str, form: str | None, inner: str) -> None:
    explain = parse_statement(f"EXPLAIN ({options}) {inner}")
    assert isinstance(explain, Explain)
    assert (explain.form, explain.statement.text) == (form, inner)


# Scripts.


def kinds(text: str) -> list[str]:
    return [type(statement).__name__ for statement in parse(text)]


def test_text_and_span_of_statements() -> None:
    text = "-- first\nSELECT 1 ; /* second */\n\tSELECT\n  2 -- end\n;;\nSELECT 3"
    statements = parse(text)
    assert [statement.text for statement in statements] == ["SELECT 1", "SELECT\n  2", "SELECT 3"]
    assert [(s.span.line, s.span.column, s.span.end_line, s.span.end_column) for s in statements] == [
        (2, 1, 2, 9),
        (3, 2, 4, 4),
        (6, 1, 6, 9),
    ]


@pytest.mark.parametrize("text", ["", " \n\t", ";", " ; ;; ", "-- a remark", "/* another */ ; // and one more", "\ufeff"])
def test_no_statements(text: str) -> None:
    assert parse(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "CREATE STREAM d (a INT); CREATE PUMP p AS INSERT INTO d SELECT STREAM a FROM s",
        "CREATE STREAM d (a INT);CREATE PUMP p AS INSERT INTO d SELECT STREAM a FROM s;;",
        "\ufeffCREATE STREAM d\r\n(a INT);\r\n\r\nCREATE PUMP p AS\r\n\tINSERT INTO d\r\n\tSELECT\r\n STREAM a FROM s;\r\n",
        "create  Or\nREPLACE\tStream d (a int) ;create or replace pump\tp as insert into d Select  stream a From s",
        "/** header; 'with' \"quotes\" **/\nCREATE STREAM d (-- 'first'\n a INT -- ; \"last\n);\n"
        "CREATE PUMP p AS INSERT INTO d -- it's; the target\n SELECT STREAM // the columns\n a /* all\n'of\n*/ FROM s;",
        "-- '----------------'\n-- |   it's ;      |\n-- '----------------'\nCREATE STREAM d (a INT);\n"
        "CREATE PUMP p AS INSERT INTO d SELECT STREAM a FROM TABLE (RANDOM_CUT_FOREST (\n"
        " CURSOR( SELECT STREAM * FROM s), --inputStream\n 100, -- trees\n 256 --sample\n));",
        "CREATE STREAM d (a INT);\n-- CREATE PUMP q AS INSERT INTO d SELECT STREAM 'x;y' FROM s;\n"
        "CREATE PUMP p AS INSERT INTO d SELECT STREAM a FROM s;\n/* the rest is left out\nSELECT",
        "CREATE STREAM d (a INT); -- º ã ç “quoted”\nCREATE PUMP p AS INSERT INTO d SELECT STREAM 'º ã ç “x”' FROM s",
    ],
)
def test_scripts_as_people_write_them(text: str) -> None:
    assert kinds(text) == ["CreateStream", "CreatePump"]


def test_a_name_and_its_type_may_touch() -> None:
    statement = parse_statement('CREATE STREAM "d"("productName"VARCHAR(32),"n"INTEGER)')
    assert isinstance(statement, CreateStream)
    assert [column.name.name for column in statement.columns] == ["productName", "n"]


def test_backslashes_are_plain_characters() -> None:
    query = parse_statement(r"SELECT '\|35=([0-9A-Za-z])\|', 'yyyy-MM-dd''T''HH:mm:ss.SSS', 'a\'")
    assert isinstance(query, Query)
    assert [literal.this for literal in query.query.expressions] == [
        r"\|35=([0-9A-Za-z])\|",
        "yyyy-MM-dd'T'HH:mm:ss.SSS",
        "a\\",
    ]


def test_the_longest_names() -> None:
    assert len(parse(f"SELECT {'a' * 128}")) == 1
    with pytest.raises(ProgrammingError, match="at most 128 characters"):
        parse(f"SELECT {'a' * 129}")


def test_parse_statement_wants_one() -> None:
    for text in ("", "SELECT 1; SELECT 2"):
        with pytest.raises(ProgrammingError, match="one statement"):
            parse_statement(text)


@pytest.mark.parametrize("file", sorted((Path(__file__).parent / "applications").glob("*.sql")), ids=lambda file: file.stem)
def test_applications(file: Path) -> None:
    """The first line of an application says which statements it has."""
    text = file.read_text(encoding="utf-8")
    assert kinds(text) == text.splitlines()[0].removeprefix("-- statements: ").split()


def test_the_application_the_project_was_started_for(shared: Path) -> None:
    text = (shared / "cases/seed/iot_anomaly.sql").read_text(encoding="utf-8")
    assert kinds(text) == ["CreateStream", "CreateStream", "CreatePump", "CreatePump"]
