"""Tables in PostgreSQL come through the door as those in Parquet do; every failure is one sentence."""

from __future__ import annotations

import io
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ibis.backends.postgres import Backend

import postgres_server
from sojourn.core.errors import DataError
from sojourn.data.prepare import prepare
from sojourn.data.sources import database
from sojourn.world import make_world

AS_OF = "2025-07-01T00:00:00Z"
TABLES = ("members", "events", "assignments", "costs")
SQL_TYPES = {
    "joined_at": "timestamptz", "churned_at": "timestamptz", "occurred_at": "timestamptz",
    "recorded_at": "timestamptz", "assigned_at": "timestamptz", "at": "timestamptz",
    "amount": "numeric(18,4)", "birth_year": "smallint", "load_ms": "integer", "consent": "boolean",
}  # fmt: skip


@pytest.fixture(scope="module")
def world() -> dict[str, pd.DataFrame]:
    drawn = make_world(members=60, seed=7, as_of=AS_OF)
    return {name: getattr(drawn, name) for name in TABLES}


@pytest.fixture(scope="module")
def loaded(postgres, world):
    """Put the tables of a world into the schema `app`, columns typed as an application would have them."""
    with postgres.connect() as connection:
        connection.execute("CREATE SCHEMA app")
        for name, frame in world.items():
            columns = ", ".join(f'"{c}" {SQL_TYPES.get(c, "text")}' for c in frame.columns)
            connection.execute(f"CREATE TABLE app.{name} ({columns}, internal_note jsonb)")
            names = ", ".join(f'"{c}"' for c in frame.columns)
            lines = io.StringIO()
            frame.convert_dtypes().to_csv(lines, index=False, header=False)
            with connection.cursor().copy(f"COPY app.{name} ({names}) FROM STDIN (FORMAT csv)") as copy:
                copy.write(lines.getvalue())
    return postgres


@pytest.fixture
def password(monkeypatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", postgres_server.PASSWORD)


def source(server, at: str, **changes) -> dict[str, str]:
    stated = {
        "database": server.url(),
        "table": at,
        "snapshot": "2025-07-01",
        "password_from": "SHOP_PASSWORD",
    }
    return {name: value for name, value in (stated | changes).items() if value is not None}


def shop(project, server, *names: str, **settings):
    tables = {name: source(server, f"app.{name}") for name in names}
    return project.case("shop", prepare={"as_of": AS_OF, "tables": tables, **settings})


def message(params) -> str:
    with pytest.raises(DataError) as raised:
        prepare(params, "shop")
    assert postgres_server.PASSWORD not in str(raised.value)
    return str(raised.value)


def test_a_world_from_postgres_is_the_world_from_parquet(project, loaded, world, password) -> None:
    from_files = prepare(project.case("files", dict(world), prepare={"as_of": AS_OF}), "files")
    from_postgres = prepare(shop(project, loaded, *TABLES), "shop")
    for name in (*TABLES, "ids"):
        assert (from_files / f"{name}.parquet").read_bytes() == (
            from_postgres / f"{name}.parquet"
        ).read_bytes()
    findings = pq.read_table(from_postgres / "findings.parquet").to_pylist()
    assert [row["table"] for row in findings if row["column"] == "internal_note"] == list(TABLES)


def test_types_of_postgres_become_those_of_the_contract(project, loaded, password) -> None:
    with loaded.connect() as connection:
        connection.execute("DROP TABLE IF EXISTS app.typed")
        connection.execute(
            "CREATE TABLE app.typed (member_id uuid, occurred_at timestamp, event varchar(9), "
            "amount numeric, load_ms bigint, recorded_at date, feature boolean)"
        )
        connection.execute(
            "INSERT INTO app.typed VALUES ('00000000-0000-0000-0000-00000000000a', '2025-06-01 12:00:00.25', "
            "'buy', 12.3456, 7, '2025-06-02', true), ('00000000-0000-0000-0000-00000000000b', "
            "'2025-06-01 13:00', 'buy', NULL, NULL, NULL, NULL)"
        )
    tables = {"events": source(loaded, "app.typed")}
    made = prepare(project.case("shop", prepare={"as_of": AS_OF, "tables": tables, "clock": "local"}), "shop")
    first, second = pq.read_table(made / "events.parquet").to_pylist()
    assert str(first["occurred_at"]) == "2025-06-01 10:00:00.250000+00:00"
    assert str(first["recorded_at"]) == "2025-06-01 22:00:00+00:00"
    assert (first["amount"], first["load_ms"], first["feature"]) == (Decimal("12.3456"), 7, "true")
    assert (second["member"], second["amount"], second["load_ms"], second["feature"]) == (1, None, None, None)


def test_names_that_look_like_statements_are_names(project, loaded, password) -> None:
    hostile = "ev; DROP TABLE app.events; --\"'"
    quoted = hostile.replace('"', '""')
    with loaded.connect() as connection:
        connection.execute(
            f'CREATE TABLE IF NOT EXISTS app."{quoted}" ("who\'; --" text, "a""b" timestamptz, e text)'
        )
        connection.execute(
            f"INSERT INTO app.\"{quoted}\" VALUES ('m1', '2025-06-01', 'x''; DROP TABLE app.events')"
        )
        before = connection.execute("SELECT count(*) FROM app.events").fetchone()
    params = project.case(
        "shop",
        prepare={
            "as_of": AS_OF,
            "tables": {"events": source(loaded, f"app.{hostile}")},
            "columns": {"events": {"who'; --": "member_id", 'a"b': "occurred_at", "e": "event"}},
            "values": {"events": {"event": {"x'; DROP TABLE app.events": "it's; --\""}}},
        },
    )
    made = prepare(params, "shop")
    assert pq.read_table(made / "events.parquet")["event"].to_pylist() == ["it's; --\""]
    with loaded.connect() as connection:
        assert connection.execute("SELECT count(*) FROM app.events").fetchone() == before


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"table": "app.event"}, "has no table 'app.event'. Did you mean 'app.events'? There are: app."),
        ({"table": "nowhere"}, "has no table 'nowhere'. "),
        ({"password_from": "EMPTY_PASSWORD"}, "events: the environment variable EMPTY_PASSWORD is empty"),
        ({"password_from": None}, ": it refuses the user or the password. "),
        ({"password_from": "WRONG_PASSWORD"}, ": it refuses the user or the password. "),
    ],
)
def test_what_cannot_be_read_is_one_sentence(project, loaded, monkeypatch, changes, expected):
    monkeypatch.setenv("SHOP_PASSWORD", postgres_server.PASSWORD)
    monkeypatch.setenv("WRONG_PASSWORD", "s3cret-wrong")
    monkeypatch.setenv("PGPASSFILE", str(project.root / "none"))
    tables = {"events": source(loaded, "app.events", **changes)}
    found = message(project.case("shop", prepare={"as_of": AS_OF, "tables": tables}))
    assert expected in found
    assert "s3cret" not in found
    assert found.startswith("events: ")


def test_databases_users_and_hosts_that_are_not_there(project, loaded, password) -> None:
    def found(url: str) -> str:
        tables = {"events": source(loaded, "app.events", database=url)}
        return message(project.case("shop", prepare={"as_of": AS_OF, "tables": tables}))

    assert "the server has no database of this name" in found(loaded.url(database="shopp"))
    assert "it refuses the user or the password" in found(loaded.url(user="nobody-here"))
    assert "it cannot be reached" in found("postgresql://sojourn@127.0.0.1:1/shop")
    assert "it cannot be reached" in found("postgresql://sojourn@/shop?host=/nowhere")


def test_a_column_that_the_table_does_not_have(project, loaded, password) -> None:
    params = shop(project, loaded, "events", columns={"events": {"occured_at": "recorded_at"}})
    assert "events.occured_at: the column is missing from all rows; found" in message(params)
    assert "Did you mean 'occurred_at'?" in message(params)


def test_a_password_file_is_read_by_the_driver(project, loaded, monkeypatch) -> None:
    passfile = project.root / "pgpass"
    escaped = postgres_server.PASSWORD.replace(":", r"\:")
    passfile.write_text(f"*:*:*:*:{escaped}\n", encoding="utf-8")
    passfile.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passfile))
    tables = {"events": source(loaded, "app.events", password_from=None)}
    assert (
        prepare(project.case("shop", prepare={"as_of": AS_OF, "tables": tables}), "shop") / "tidy.json"
    ).exists()


def test_a_connection_that_is_lost_while_rows_travel(project, loaded, password, monkeypatch) -> None:
    original = Backend.to_pyarrow_batches

    def cut(self, expression, **how):
        reader = original(self, expression, **how)

        def some():
            yield reader.read_next_batch()
            with loaded.connect("postgres", "postgres") as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'sojourn'"
                )
            yield from reader

        return pa.RecordBatchReader.from_batches(reader.schema, some())

    monkeypatch.setattr(database, "BATCH", 10)
    monkeypatch.setattr(Backend, "to_pyarrow_batches", cut)
    found = message(shop(project, loaded, "events"))
    assert found.endswith(": the connection was lost. Run it again; nothing was written.")
    assert not list((project.root / "data/tidy").iterdir())
