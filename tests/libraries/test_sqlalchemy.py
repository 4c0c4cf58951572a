"""The SQLAlchemy dialect, with SQLAlchemy, pandas and polars themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pandas
import polars
import pyarrow as pa
import pytest
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

START = datetime(2026, 1, 1)
RELATIONS = """
CREATE STREAM trades (ticker VARCHAR(4) NOT NULL, price DOUBLE);
CREATE STREAM "Mixed" (
    "Case" INTEGER, "select" DECIMAL(9, 2), d DATE, t TIMESTAMP, ok BOOLEAN, c CHAR(2), bits VARBINARY(3), big BIGINT
);
CREATE VIEW dear AS SELECT STREAM ticker, price FROM trades WHERE price > 100.0;
CREATE VIEW names (name) AS SELECT company FROM companies;
CREATE STREAM copies (ticker VARCHAR(4), price DOUBLE);
CREATE PUMP copying AS INSERT INTO copies SELECT STREAM ticker, price FROM trades;
"""


def dbapi_of(engine: sa.Engine) -> Any:
    return engine.raw_connection().dbapi_connection


@pytest.fixture
def engine() -> Iterator[sa.Engine]:
    engine = sa.create_engine("streamsql://")
    con = dbapi_of(engine)
    con.register("companies", pa.table({"ticker": ["AAPL", "IBM"], "company": ["Apple", "Big Blue"], "founded": [1976, 1911]}))
    con.executescript(RELATIONS)
    yield engine
    engine.dispose()


@pytest.fixture
def tables(engine: sa.Engine) -> dict[str, sa.Table]:
    metadata = sa.MetaData()
    metadata.reflect(engine, views=True)
    return dict(metadata.tables)


def insert_trades(engine: sa.Engine, *rows: tuple[str, float]) -> None:
    dbapi_of(engine).executemany("INSERT INTO trades VALUES (?, ?)", list(rows))


# -- reflection --------------------------------------------------------------------------------------------------------


def test_what_there_is(engine: sa.Engine) -> None:
    inspector = sa.inspect(engine)
    assert inspector.get_table_names() == ["copies", "Mixed", "trades", "companies"]
    assert inspector.get_view_names() == ["dear", "names"]
    assert inspector.has_table("trades") and not inspector.has_table("copying")
    assert inspector.has_table(sa.quoted_name("error_stream", quote=True))
    assert inspector.get_view_definition("dear").startswith("CREATE VIEW dear AS")
    assert inspector.get_pk_constraint("trades")["constrained_columns"] == []
    assert inspector.get_foreign_keys("trades") == inspector.get_indexes("trades") == []
    with pytest.raises(exc.NoSuchTableError):
        inspector.get_columns("copying")


def test_databases_are_schemas(engine: sa.Engine, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,x\n2,y\n")
    columns = f"(a INT, b STRING) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION '{tmp_path}/'"
    dbapi_of(engine).executescript(f"""
        CREATE DATABASE other;
        CREATE EXTERNAL TABLE other.t2 {columns};
        CREATE EXTERNAL TABLE t1 {columns};
    """)
    inspector = sa.inspect(engine)
    assert inspector.default_schema_name == "default"
    assert inspector.get_schema_names() == ["default", "other"]
    assert inspector.get_table_names(schema="other") == ["t2"]
    assert inspector.get_view_names(schema="other") == inspector.get_table_names(schema="nowhere") == []
    assert "t1" in inspector.get_table_names() and "t1" in inspector.get_table_names(schema="default")
    assert inspector.has_table("t2", schema="other")
    assert not inspector.has_table("t2") and not inspector.has_table("trades", schema="other")
    reflected = sa.Table("t2", sa.MetaData(), schema="other", autoload_with=engine)
    assert [(column.name, str(column.type)) for column in reflected.columns] == [("a", "INTEGER"), ("b", "VARCHAR")]
    with engine.connect() as connection:
        assert connection.execute(sa.select(reflected).where(reflected.c.a > 1)).all() == [(2, "y")]
        assert pandas.read_sql_table("t2", connection, schema="other").to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}
    with pytest.raises(exc.NoSuchTableError, match=r"other\.trades"):
        inspector.get_columns("trades", schema="other")


def test_columns_and_types(engine: sa.Engine) -> None:
    inspector = sa.inspect(engine)
    found = {column["name"]: (str(column["type"]), column["nullable"]) for column in inspector.get_columns("trades")}
    assert found == {"ticker": ("VARCHAR(4)", False), "price": ("DOUBLE", True)}
    assert [(c["name"], str(c["type"])) for c in inspector.get_columns("Mixed")] == [
        ("Case", "INTEGER"),
        ("select", "DECIMAL(9, 2)"),
        ("d", "DATE"),
        ("t", "TIMESTAMP"),
        ("ok", "BOOLEAN"),
        ("c", "CHAR(2)"),
        ("bits", "VARBINARY(3)"),
        ("big", "BIGINT"),
    ]
    assert [c["name"] for c in inspector.get_columns("companies")] == ["ticker", "company", "founded"]
    assert [c["name"] for c in inspector.get_columns("names")] == ["name"]


def test_reflection_knows_what_goes_on(tables: dict[str, sa.Table]) -> None:
    streams = {name for name, table in tables.items() if table.dialect_options["streamsql"]["stream"]}
    assert streams == {"Mixed", "copies", "trades", "dear"}


# -- statements --------------------------------------------------------------------------------------------------------


def test_text_with_values(engine: sa.Engine) -> None:
    with engine.connect() as con:
        rows = con.execute(sa.text("SELECT company FROM companies WHERE founded < :year"), {"year": 1950})
        assert rows.keys() == ["company"]
        assert rows.all() == [("Big Blue",)]
        live = con.execute(sa.text("SELECT STREAM ticker FROM trades WHERE price > :p LIMIT 2"), {"p": 10.0})
        insert_trades(engine, ("A", 1.0), ("B", 11.0), ("C", 12.0))
        assert live.scalars().all() == ["B", "C"]


def test_select_of_tables(engine: sa.Engine, tables: dict[str, sa.Table]) -> None:
    c = tables["companies"].c
    with engine.connect() as con:
        assert con.execute(sa.select(c.company).where(c.founded > 1950)).scalar() == "Apple"
        assert con.execute(sa.select(sa.func.count()).select_from(tables["companies"])).scalar_one() == 2
        assert con.execute(sa.select(c.company).order_by(c.founded).limit(1).offset(1)).all() == [("Apple",)]
        assert con.execute(sa.select(c.company).where(c.ticker.in_(["IBM", "X"]))).all() == [("Big Blue",)]
        assert con.execute(sa.select(c.company).where(c.ticker.in_([]))).all() == []
        again = tables["companies"].alias()
        joined = sa.select(c.company, again.c.founded).join(again, c.ticker == again.c.ticker).where(c.company.like("A%"))
        assert con.execute(joined).all() == [("Apple", 1976)]
        assert con.execute(sa.select(tables["names"].c.name).order_by("name")).scalars().all() == ["Apple", "Big Blue"]


def test_select_of_streams(engine: sa.Engine, tables: dict[str, sa.Table]) -> None:
    trades, companies = tables["trades"], tables["companies"]
    both = sa.select(trades.c.price, companies.c.company).join(companies, trades.c.ticker == companies.c.ticker)
    inner = sa.select(trades.c.ticker, (trades.c.price * 2).label("twice")).subquery()
    means = sa.select(trades.c.ticker, sa.func.avg(trades.c.price).label("mean")).group_by(
        trades.c.ticker, sa.text("STEP(trades.ROWTIME BY INTERVAL '10' SECOND)")
    )
    queries = [sa.select(trades.c.ticker).where(trades.c.price > 100.0), both, sa.select(inner), sa.select(tables["dear"]), means]
    for query in queries:
        assert str(query.compile(engine)).startswith("SELECT STREAM ")
    assert "STREAM" not in str(sa.select(companies).compile(engine))
    assert str(sa.select(trades).prefix_with("STREAM").compile(engine)).count("STREAM") == 1
    with engine.connect() as con:
        live = [con.execute(query.limit(1)) for query in queries[:4]]
        insert_trades(engine, ("AAPL", 101.0))
        assert [rows.all() for rows in live] == [[("AAPL",)], [(101.0, "Apple")], [("AAPL", 202.0)], [("AAPL", 101.0)]]


def test_rows_come_as_they_come(engine: sa.Engine, tables: dict[str, sa.Table]) -> None:
    with engine.connect() as con:
        live = con.execute(sa.select(tables["trades"].c.price))
        for price in (1.0, 2.0):
            insert_trades(engine, ("A", price))
            assert live.fetchone() == (price,)
        with pytest.raises(exc.ProgrammingError, match="goes on for ever"):
            live.all()


def test_limits_by_execution_options(engine: sa.Engine, tables: dict[str, sa.Table]) -> None:
    query = sa.select(tables["trades"].c.price)
    with engine.connect() as con:
        live = con.execution_options(deadline=0.1).execute(query)
        insert_trades(engine, ("A", 1.0), ("A", 2.0))
        assert live.scalars().all() == [1.0, 2.0]
        with pytest.raises(exc.OperationalError, match="no row came"):
            con.execute(query.limit(1), execution_options={"timeout": 0.01, "deadline": None}).all()


def test_inserts_and_windows(engine: sa.Engine) -> None:
    metadata = sa.MetaData()
    ticks = sa.Table(
        "ticks", metadata, sa.Column("rowtime", sa.TIMESTAMP, system=True), sa.Column("k", sa.String(4)), sa.Column("v", sa.Float)
    )
    metadata.create_all(engine)
    metadata.create_all(engine)
    sums = sa.text("SELECT STREAM SUM(v) AS v FROM ticks GROUP BY STEP(ticks.ROWTIME BY INTERVAL '10' SECOND) LIMIT 2")
    with engine.begin() as con:
        live = con.execute(sums)
        rows = [{"rowtime": START + timedelta(seconds=n), "k": "a", "v": float(n)} for n in range(30)]
        assert con.execute(ticks.insert(), rows).rowcount == 30
        assert live.scalars().all() == [45.0, 145.0]
    metadata.drop_all(engine)
    assert not sa.inspect(engine).has_table("ticks")


def test_types_in_ddl(engine: sa.Engine) -> None:
    types = [sa.Boolean, sa.SmallInteger, sa.Integer, sa.BigInteger, sa.Float, sa.Double, sa.REAL, sa.Numeric(9, 2), sa.String(5)]
    types += [sa.Text, sa.LargeBinary, sa.Date, sa.Time, sa.DateTime]  # type: ignore[list-item]
    table = sa.Table("every", sa.MetaData(), *(sa.Column(f"c{n}", type_) for n, type_ in enumerate(types)))
    table.create(engine)
    names = [str(column["type"]) for column in sa.inspect(engine).get_columns("every")]
    assert names[:9] == ["BOOLEAN", "SMALLINT", "INTEGER", "BIGINT", "DOUBLE", "DOUBLE", "REAL", "DECIMAL(9, 2)", "VARCHAR(5)"]
    assert names[9:] == ["VARCHAR", "VARBINARY", "DATE", "TIME", "TIMESTAMP"]


def test_a_table_cannot_be_created(engine: sa.Engine) -> None:
    table = sa.Table("t", sa.MetaData(), sa.Column("x", sa.Integer), streamsql_stream=False)
    with pytest.raises(exc.CompileError, match="a table comes from a file"):
        table.create(engine)


def test_names_that_need_quotes(engine: sa.Engine, tables: dict[str, sa.Table]) -> None:
    mixed = tables["Mixed"]
    with engine.connect() as con:
        live = con.execute(sa.select(mixed.c.Case, mixed.c["select"]).limit(1))
        con.execute(mixed.insert(), {"Case": 1, "select": 2})
        assert live.mappings().all() == [{"Case": 1, "select": 2}]


class Base(DeclarativeBase):
    pass


class Trade(Base):
    __tablename__ = "trades"
    ticker: Mapped[str] = mapped_column(primary_key=True)
    price: Mapped[float]


def test_mapped_classes(engine: sa.Engine) -> None:
    with Session(engine) as session, engine.connect() as con:
        live = con.execute(sa.select(Trade.ticker, Trade.price).limit(1))
        session.add(Trade(ticker="AAPL", price=1.5))
        session.commit()
        assert live.all() == [("AAPL", 1.5)]


# -- engines -----------------------------------------------------------------------------------------------------------


def test_a_database(tmp_path: Path) -> None:
    url = f"streamsql:///{tmp_path / 'db'}"
    engine = sa.create_engine(url)
    with engine.begin() as con:
        con.execute(sa.text("CREATE STREAM s (v DOUBLE)"))
    engine.dispose()
    engine = sa.create_engine(url)
    assert sa.inspect(engine).get_table_names() == ["s"]
    engine.dispose()


def test_options_of_the_url(tmp_path: Path) -> None:
    file = tmp_path / "s.jsonl"
    file.write_text("".join(json.dumps({"V": n}) + "\n" for n in range(3)))
    engine = sa.create_engine(sa.URL.create("streamsql", query={"input": f"S={file}", "timeout": "30", "deadline": "20"}))
    con = dbapi_of(engine)
    assert (con.timeout, con.deadline) == (30.0, 20.0)
    assert pandas.read_sql("SELECT STREAM v FROM s", engine)["v"].to_list() == [0, 1, 2]
    engine.dispose()
    with pytest.raises(exc.ArgumentError, match="unknown option tiemout"):
        sa.create_engine("streamsql://?tiemout=5").connect()


def test_threads_share_an_engine(engine: sa.Engine, tables: dict[str, sa.Table]) -> None:
    def work(number: int) -> None:
        with engine.begin() as con:
            con.execute(tables["trades"].insert(), [{"ticker": "A", "price": float(number)}] * 10)

    with engine.connect() as con:
        live = con.execute(sa.select(tables["trades"].c.price).limit(40))
        threads = [Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        assert sorted(live.scalars().all()) == [float(n) for n in range(4) for _ in range(10)]
        for thread in threads:
            thread.join()


def test_there_are_no_transactions(engine: sa.Engine, tables: dict[str, sa.Table]) -> None:
    with engine.connect() as con:
        assert con.get_isolation_level() == con.default_isolation_level == "AUTOCOMMIT"
        live = con.execute(sa.select(tables["trades"].c.price).limit(1))
        con.execute(tables["trades"].insert(), {"ticker": "A", "price": 1.0})
        con.rollback()
        assert live.all() == [(1.0,)]


def test_errors_are_wrapped_with_their_place(engine: sa.Engine) -> None:
    with engine.connect() as con, pytest.raises(exc.ProgrammingError, match="no column NOPE") as caught:
        con.execute(sa.text("SELECT nope FROM companies"))
    assert caught.value.orig.column == 8  # type: ignore[union-attr]


# -- pandas and polars -------------------------------------------------------------------------------------------------


def test_pandas_reads_tables(engine: sa.Engine) -> None:
    frame = pandas.read_sql("SELECT * FROM companies ORDER BY founded", engine)
    assert frame.to_dict("list") == {"ticker": ["IBM", "AAPL"], "company": ["Big Blue", "Apple"], "founded": [1911, 1976]}
    frame = pandas.read_sql_table("companies", engine, columns=["company"])
    assert frame["company"].to_list() == ["Apple", "Big Blue"]
    query = sa.text("SELECT company FROM companies WHERE founded > :y")
    assert pandas.read_sql(query, engine, params={"y": 1950})["company"].to_list() == ["Apple"]


@pytest.mark.parametrize("bound", ["LIMIT", "deadline", "chunks"])
def test_pandas_reads_streams(engine: sa.Engine, bound: str) -> None:
    with engine.connect() as con:
        sql = "SELECT STREAM price FROM trades" + (" LIMIT 6" if bound != "deadline" else "")
        if bound == "deadline":
            con = con.execution_options(deadline=0.1)
        chunks = pandas.read_sql(sa.text(sql), con, chunksize=3)
        insert_trades(engine, *[("A", float(n)) for n in range(6)])
        if bound == "chunks":
            assert [chunk["price"].sum() for chunk in chunks] == [3.0, 12.0]
        else:
            assert pandas.concat(chunks)["price"].to_list() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def test_pandas_reads_from_a_url(tmp_path: Path) -> None:
    url = f"streamsql:///{tmp_path / 'db'}?deadline=0.05"
    for _ in range(2):
        assert pandas.read_sql("SELECT 1 AS one", url).to_dict("list") == {"one": [1]}
    engine = sa.create_engine(url)
    with engine.begin() as con:
        con.execute(sa.text("CREATE STREAM s (v DOUBLE)"))
    engine.dispose()
    assert pandas.read_sql("SELECT STREAM v FROM s", url).empty


def test_pandas_writes_streams(engine: sa.Engine, tables: dict[str, sa.Table]) -> None:
    frame = pandas.DataFrame({"ticker": ["A", "B"], "price": [1.0, 2.0]})
    with engine.connect() as con:
        live = con.execute(sa.select(tables["trades"]).limit(2))
        assert frame.to_sql("trades", engine, index=False, if_exists="append") == 2
        assert live.all() == [("A", 1.0), ("B", 2.0)]
    frame["at"] = [START, START]
    frame.to_sql("fresh", engine, index=False)
    assert [str(column["type"]) for column in sa.inspect(engine).get_columns("fresh")] == ["VARCHAR", "DOUBLE", "TIMESTAMP"]


def test_polars_reads_tables_and_streams(engine: sa.Engine) -> None:
    query = "SELECT ticker, founded FROM companies ORDER BY founded"
    for connection in (engine, dbapi_of(engine)):
        frame = polars.read_database(query, connection)
        assert frame.rows() == [("IBM", 1911), ("AAPL", 1976)]
    with engine.connect() as con:
        live = con.execution_options(deadline=0.1)
        batches = polars.read_database("SELECT STREAM price FROM trades", live, iter_batches=True, batch_size=10)
        insert_trades(engine, ("A", 1.0), ("B", 2.0))
        assert [price for batch in batches for (price,) in batch.rows()] == [1.0, 2.0]
    con_ = dbapi_of(engine)
    con_.deadline = 0.0
    assert polars.read_database("SELECT STREAM price FROM trades", con_).is_empty()
