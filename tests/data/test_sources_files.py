"""Folders by column, folders of texts, DuckDB files, and where a table may be said to be."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

from sojourn.core.errors import DataError, ParameterError
from sojourn.data.engine import connect
from sojourn.data.prepare import prepare
from sojourn.data.sources.database import shown_url
from sojourn.data.sources.files import Asked, open_file
from sojourn.data.sources.stated import DatabaseTable, DuckDBTable, File, read_source

WHERE = "cases.shop.prepare.tables.events"
ROWS = pd.DataFrame(
    {
        "member_id": ["a", "b", "c", "d"],
        "occurred_at": pd.date_range("2025-06-01", periods=4, tz="UTC", unit="us"),
        "event": ["login", "buy", "buy", "login"],
    }
)


def shop(project, stated, **more):
    return project.case("shop", prepare={"tables": {"events": stated}, **more})


def message(params, kind=DataError) -> str:
    with pytest.raises(kind) as raised:
        prepare(params, "shop")
    return str(raised.value)


def tidy_of(project, stated, **more) -> bytes:
    return (prepare(shop(project, stated, **more), "shop") / "events.parquet").read_bytes()


@pytest.fixture
def expected(project) -> bytes:
    ROWS.to_parquet(project.root / "events.parquet", index=False)
    return tidy_of(project, "events.parquet")


def test_folders_inside_are_columns_of_text(project, expected) -> None:
    for kind, rows in ROWS.groupby("event"):
        folder = project.root / f"parts/event={kind}"
        folder.mkdir(parents=True)
        rows.drop(columns="event").to_parquet(folder / "part-0.parquet", index=False)
    (project.root / "parts/_SUCCESS").touch()
    assert tidy_of(project, "parts") == expected


def test_days_and_numbers_in_names_of_folders_stay_text(tmp_path) -> None:
    for day in ("2025-06-01", "007", "a%20b"):
        (tmp_path / f"day={day}").mkdir()
        pd.DataFrame({"x": [1]}).to_parquet(tmp_path / f"day={day}/p.parquet", index=False)
    table = open_file(connect(), File("parts"), Asked("events", tmp_path, "parts", "shop")).table
    assert sorted(table.to_pyarrow()["day"].to_pylist()) == ["007", "2025-06-01", "a b"]


def test_folders_of_other_columns_or_of_a_column_that_is_there(project) -> None:
    for name in ("day=1", "hour=1"):
        (project.root / "parts" / name).mkdir(parents=True)
        ROWS.to_parquet(project.root / f"parts/{name}/p.parquet", index=False)
    assert message(shop(project, "parts")) == (
        "events: the parts in parts are not alike: the folders of day=1/p.parquet and of hour=1/p.parquet "
        "name different columns. Name the folders around all parts alike."
    )
    (project.root / "twice/event=1").mkdir(parents=True)
    ROWS.to_parquet(project.root / "twice/event=1/p.parquet", index=False)
    assert message(shop(project, "twice")).startswith(
        "events.event: it is a column of the parts in twice and"
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_texts_in_a_folder_are_one_table(project, expected, encoding) -> None:
    (project.root / "parts").mkdir()
    for place in (0, 2):
        part = ROWS.iloc[place : place + 2]
        part.to_csv(project.root / f"parts/{place}.csv", index=False, encoding=encoding)
    assert tidy_of(project, "parts") == expected


def test_texts_in_a_folder_have_one_header(project) -> None:
    (project.root / "parts").mkdir()
    ROWS.to_csv(project.root / "parts/0.csv", index=False)
    ROWS.rename(columns={"event": "evnt"}).to_csv(project.root / "parts/1.csv", index=False)
    assert message(shop(project, "parts")) == (
        "events.event: the parts in parts are not alike: the column of 0.csv is missing in 1.csv. "
        "Write all parts with the same header."
    )
    ROWS[["event", "member_id", "occurred_at"]].to_csv(project.root / "parts/1.csv", index=False)
    assert "0.csv and 1.csv have their columns in another order" in message(shop(project, "parts"))


def duckdb_file(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.register("rows", ROWS)
        connection.execute("CREATE TABLE events AS SELECT * FROM rows")
        connection.execute('CREATE SCHEMA "it\'s; --"')
        connection.execute(
            'CREATE VIEW "it\'s; --"."ev""; DROP TABLE events; --" AS SELECT * FROM main.events'
        )
        connection.execute("CREATE TABLE gone AS SELECT * FROM events")
        connection.execute("CREATE VIEW broken AS SELECT * FROM gone")
        connection.execute("DROP TABLE gone")


def test_tables_and_views_of_a_duckdb_file(project, expected) -> None:
    duckdb_file(project.root / "it's.duckdb")
    for table in ("events", "main.events", "it's; --.ev\"; DROP TABLE events; --"):
        assert tidy_of(project, {"duckdb": "it's.duckdb", "table": table}) == expected


def test_a_duckdb_file_that_cannot_be_read(project) -> None:
    duckdb_file(project.root / "shop.duckdb")
    found = message(shop(project, {"duckdb": "shop.duckdb", "table": "main.event"}))
    assert found.startswith(
        "events: shop.duckdb has no table 'main.event'. Did you mean 'main.events'? There are: "
    )
    assert message(shop(project, {"duckdb": "shop.db", "table": "events"})).startswith(
        "events: there is no file shop.db."
    )
    (project.root / "other.duckdb").write_text("no database at all" * 99, encoding="utf-8")
    found = message(shop(project, {"duckdb": "other.duckdb", "table": "events"}))
    assert found == "events: other.duckdb cannot be read (it is no DuckDB file). Correct `duckdb`."
    found = message(shop(project, {"duckdb": "shop.duckdb", "table": "broken"}))
    assert found.startswith("events: shop.duckdb: 'broken' cannot be read; what it is made of is not found.")


def test_a_duckdb_file_that_another_program_writes(project) -> None:
    import subprocess
    import sys

    duckdb_file(project.root / "shop.duckdb")
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(project.root / "shop.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "open\n"
        found = message(shop(project, {"duckdb": "shop.duckdb", "table": "events"}))
        other.stdin.close()
    assert "(another program has it open for writing). Close that program, or copy the file." in found


def test_a_parquet_file_with_columns_that_differ_by_case(project) -> None:
    ROWS.assign(Event="x").to_parquet(project.root / "events.parquet", index=False)
    assert message(shop(project, "events.parquet")) == (
        "events.Event: events.parquet has this column twice, as 'event' and 'Event'. "
        "Rename one of both, or take it out."
    )


def test_what_is_stated_of_a_table() -> None:
    assert read_source("a.csv", WHERE) == File("a.csv")
    assert read_source({"file": "a.csv", "encoding": "windows-1252"}, WHERE) == File(
        "a.csv", encoding="cp1252"
    )
    assert read_source({"file": "a.csv", "delimiter": "\\t"}, WHERE) == File("a.csv", delimiter="\t")
    assert read_source({"duckdb": "a", "table": "t"}, WHERE) == DuckDBTable("a", "t")
    url = "postgresql://reader@host/shop"
    found = read_source({"database": url, "table": "t", "snapshot": 7}, WHERE)
    assert found == DatabaseTable(url, "t", "7")
    assert shown_url(f"{url}?host=/tmp&port=1") == url


URL = "{database: 'postgresql://reader@host/shop', table: t"
WRONG = [
    ("7", "'@' must be a path, or one of file, duckdb, database; got 7."),
    ("{fil: a.csv}", "'fil' is not a parameter of @. Did you mean 'file'?"),
    ("{encoding: big5}", "'file' is missing from @."),
    ("{file: a.csv, table: t}", "'table' is not a parameter of @. "),
    ("{file: a.csv, encoding: utf-9}", "'@.encoding' must be an encoding that Python knows, such as"),
    ("{file: a.csv, encoding: rot13}", "'@.encoding' must be an encoding "),
    ("{file: a.csv, delimiter: ab}", "'@.delimiter' must be one to four bytes, such as"),
    ('{file: a.csv, delimiter: "\'", quote: "\'"}', "'@.quote' and its 'delimiter' must differ"),
    ("{file: a.csv, decimal: ;}", "'@.decimal' must be one of '.', ','; got ';'."),
    ("{file: a.csv, decimal: ',', thousands: ','}", "'@.thousands' and its 'decimal' must differ"),
    ("{file: a.csv, compression: rar}", "'@.compression' must be one of 'gzip', "),
    ("{file: a.csv, header: 0}", "'@.header' must be true or false, got 0."),
    ("{duckdb: a}", "'table' is missing from @."),
    (URL + "}", "'snapshot' is missing from @. Write a label such as"),
    (
        "{database: 'http://x/y', table: t, snapshot: a}",
        "'@.database' is no database (http). Download it first.",
    ),
    (
        "{database: 'postgre://x/y', table: t, snapshot: a}",
        "There is no kind of database 'postgre' (@.database). ",
    ),
    (
        "{database: 'postgres://u@h:x/y', table: t, snapshot: a}",
        "'@.database' is no URL of a database. Write",
    ),
]


@pytest.mark.parametrize(("stated", "expected"), WRONG)
def test_what_may_not_be_stated_of_a_table(stated, expected) -> None:
    with pytest.raises(ParameterError) as raised:
        read_source(yaml.safe_load(stated), WHERE)
    assert str(raised.value).startswith(expected.replace("@", WHERE))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://reader:hunter2@host/shop",
        "postgresql://reader:@host/shop",
        "postgresql://reader@host/shop?password=hunter2",
        "postgresql://reader@host/shop?PassWord=hunter2",
        "mysql://reader@host/shop?sslpassword=hunter2",
    ],
)
def test_a_password_in_a_url_is_refused_and_not_repeated(url) -> None:
    with pytest.raises(ParameterError, match=rf"^'{WHERE}.database' holds a password") as raised:
        read_source({"database": url, "table": "t", "snapshot": "a"}, WHERE)
    assert "hunter2" not in str(raised.value)


def test_a_database_without_its_driver(project) -> None:
    stated = {"database": "trino://reader@127.0.0.1:1/shop", "table": "t", "snapshot": "a"}
    assert message(shop(project, stated)) == (
        "events: the driver for trino is not installed. Install ibis-framework[trino], "
        "or export the table as Parquet."
    )


def test_sqlite_by_url(project, expected) -> None:
    import sqlite3

    path = project.root / "shop.sqlite"
    with sqlite3.connect(path) as connection:
        ROWS.assign(occurred_at=ROWS["occurred_at"].astype(str)).to_sql("events", connection, index=False)
    connection.close()
    stated = {"database": f"sqlite://{path}", "table": "events", "snapshot": "1"}
    assert tidy_of(project, stated) == expected
    assert pq.read_table(project.root / "data/tidy/shop/events.parquet").num_rows == 4
