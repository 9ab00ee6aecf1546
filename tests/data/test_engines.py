"""Cells are the same bytes on any engine: DuckDB with one thread or two, Spark, and PostgreSQL."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import shutil
import sys
import warnings
from datetime import UTC, datetime
from functools import partial

import ibis
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import board_rule
import postgres_server
from sojourn.core.errors import ParameterError
from sojourn.core.params import Engine, Params, read_params
from sojourn.core.project import root
from sojourn.core.results.reconcile import Kpi
from sojourn.core.schema import CONTRACT
from sojourn.data import cells, engine, spark
from sojourn.data.activity import in_micros
from sojourn.data.cells import write_cells
from sojourn.data.engine import connect, engine_of
from sojourn.data.prepare import prepare
from sojourn.data.reconcile.make import reconcile_cells
from sojourn.data.tidy import MADE, QUALITY, Tidy, open_tidy
from sojourn.world import write_world

#: What each study is asked: changes to the parameters of its cells.
ASKED = {
    "cancelled": ("retention", {}),
    "silent": ("retention", {"churn": "silence", "lapse_days": 20, "groups": ["plan"]}),
    "no-purchase": ("retention", {"churn": "silence", "event": "purchase", "first_seen_after_days": 30}),
    "trials": ("trials", {"cost_per_member": {"coupon": 0.35}, "stratum": "region"}),
    "portfolio": ("portfolio", {"cost_per_member": {"coupon": 0.35}}),
    "segments": ("segments", {}),
    "board": ("board", {"cost_per_member": {"coupon": 0.35}}),
    "short-segments": ("segments", {"outcome_days": 30, "trend_days": 10, "kinds": 3, "sample_size": 40}),
    "portrait": ("portrait", {}),
    "quality": ("quality", {}),
}
#: Members of each world; the second has neither columns nor tables beyond what is needed.
WORLDS = {"demo": 120, "silent_churn": 60}
NEEDED = ("members", "events")
PAIRS = [("demo", asked) for asked in ASKED]
PAIRS += [("silent_churn", asked) for asked in ("silent", "short-segments", "portrait")]
#: Asked of Spark, where time is dear: every expression once, and those without optional tables.
ON_SPARK = [("demo", asked) for asked in ASKED if asked != "short-segments"] + [("silent_churn", "portrait")]
#: What a company's numbers are about; one of every kind of counting.
KPIS = [
    Kpi(0, "of us", kind, unit, n, period, by, "all", 0.0, 0.0, "")
    for kind, unit, n, period, by in (
        ("active_members", "month", 0, "2025-03", "all"),
        ("events", "day", 0, "2025-03-30", "all"),
        ("retained", "day", 7, "", "all"),
    )
]
#: Amid a second and late in the evening by the clock of the case.
AS_OF = "2025-06-30T21:59:59.250001Z"
#: Just before, at and after changes of the clock, and midnights beside them, in Berlin.
EDGES = [
    datetime(2024, 3, 31, 1),
    datetime(2024, 10, 26, 22),
    datetime(2024, 10, 27, 1),
    datetime(2025, 3, 30, 22),
]
#: What makes Spark quick on next to nothing: interpreted plans, and a machine that compiles little.
QUICK = {
    "spark.driver.memory": "1g",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
}
TYPES = {
    pa.int64(): "bigint",
    pa.int32(): "integer",
    pa.float64(): "double precision",
    pa.string(): "text",
    pa.bool_(): "boolean",
    pa.date32(): "date",
    pa.timestamp("us", tz="UTC"): "timestamptz",
    pa.decimal128(18, 4): "numeric(18, 4)",
    pa.decimal128(38, 4): "numeric(38, 4)",
}


def required(there: bool, what: str) -> None:
    if not there and os.environ.get("CI") != "true":
        pytest.skip(f"{what} is not here (it has to be where CI=true)")


def rough(path, name):
    """Return a raw table with parts of seconds, instants at changes of the clock, and names of all kinds."""
    table = pq.read_table(path)
    for i, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            at = pc.cast(table[field.name], pa.int64())
            parts = pa.array([(k * 7_919) % 999_983 for k in range(len(table))], pa.int64())
            at = pc.add(at, parts)
            if (name, field.name) == ("events", "occurred_at"):
                at = pa.array(
                    [_edge(k) if k % 50 == 0 else v for k, v in enumerate(at.to_pylist())], pa.int64()
                )
            table = table.set_column(i, field.name, pc.cast(at, field.type))
        if field.name == "channel":
            named = {"social": 'Überall, "so"', "search": "search", "friend": "friend ", "push": "Push"}
            table = table.set_column(i, field.name, pa.array([named.get(v, v) for v in table[i].to_pylist()]))
        if (name, field.name) == ("events", "amount"):
            cents = [
                None if v is None else -v if k % 7 == 0 else v for k, v in enumerate(table[i].to_pylist())
            ]
            table = table.set_column(i, field.name, pa.array(cents, field.type))
    return table


def _edge(k: int) -> int:
    edge = EDGES[k // 50 % len(EDGES)].replace(tzinfo=UTC)
    return int(edge.timestamp()) * 1_000_000 + k // 50 % 5 - 2


def stated(world: str, asked: str = "cancelled", **engine: str) -> Params:
    """Return parameters of the case `demo` with what is asked of it, and of the engine."""
    raw = read_params().raw
    study, changes = ASKED[asked]
    case = {**raw["cases"]["demo"], study: {"cells": changes}}
    case["prepare"] = {**case["prepare"], "as_of": AS_OF, "after_as_of": "leave_out", "world": world}
    return Params({**raw, "engine": engine, "cases": {**raw["cases"], "demo": case}})


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    """Return a project for each world, with tidy tables as the door makes them of its rough tables."""
    made = {}
    for world, members in WORLDS.items():
        top = made[world] = tmp_path_factory.mktemp(world)
        shutil.copy(root() / "params.yaml", top)
        raw = write_world(top / "world", members=members, seed=7, as_of="2025-07-01T00:00:00Z", world=world)
        tables = {}
        for name in [name for name in raw if not name.startswith("truth")]:
            if world != "demo" and name not in NEEDED:
                continue
            tables[name] = top / f"{name}.parquet"
            pq.write_table(rough(raw[name], name), tables[name])
        prepare(stated(world), "demo", raw=tables, into=top / "data/tidy/demo", threads=1)
        board_rule.write_page(top / "reports/cases/demo", board_rule.dear())
    return made


def written(world: str, asked: str, **engine: str) -> dict[str, bytes]:
    """Write cells and return the bytes of their files."""
    folder = write_cells(stated(world, asked, **engine), "demo", ASKED[asked][0])
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    shutil.rmtree(folder)
    return files


def equal(found, expected) -> None:
    assert found.keys() == expected.keys()
    for name, content in found.items():
        if content != expected[name] and name.endswith(".parquet"):
            rows, others = (pq.read_table(io.BytesIO(some)).to_pandas() for some in (content, expected[name]))
            assert rows.to_csv().splitlines() == others.to_csv().splitlines(), name
        assert content == expected[name], name


def rebuilt(tidy: Tidy):
    """Return the cells of reconciling by table, in an order of their own."""
    made = reconcile_cells(tidy, KPIS, zones=[], min_group=2).tables
    return {name: sorted(table.to_csv(index=False).splitlines()) for name, table in made.items()}


@pytest.fixture(scope="module")
def reconciled(roots):
    """Cells of reconciling the world `demo`, on one thread of DuckDB."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "connect", partial(connect, threads=1))
        patch.setenv("SOJOURN_ROOT", str(roots["demo"]))
        return rebuilt(open_tidy(stated("demo"), "demo"))


@pytest.fixture
def in_world(roots, monkeypatch):
    """Return a function that makes the project of a world the current one."""
    return lambda world: monkeypatch.setenv("SOJOURN_ROOT", str(roots[world]))


@pytest.fixture(scope="module")
def expected(roots):
    """Cells of every world and question, on one thread of DuckDB."""
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "connect", partial(connect, threads=1))
        for world, asked in PAIRS:
            patch.setenv("SOJOURN_ROOT", str(roots[world]))
            made[world, asked] = written(world, asked)
    return made


@pytest.mark.parametrize(("world", "asked"), PAIRS)
def test_the_cells_of_a_world_hold_something(expected, world, asked) -> None:
    files = expected[world, asked]
    tables = {name: pq.read_table(io.BytesIO(some)) for name, some in files.items() if name != "cells.json"}
    assert tables
    assert all(table.num_rows for name, table in tables.items() if name != "returns.parquet")


@pytest.mark.parametrize(("world", "asked"), PAIRS)
def test_cells_are_equal_on_two_threads(in_world, expected, monkeypatch, world, asked) -> None:
    in_world(world)
    monkeypatch.setattr(engine, "connect", partial(connect, threads=2))
    equal(written(world, asked, memory_limit="300MB"), expected[world, asked])


def test_reconciling_is_equal_on_two_threads(in_world, reconciled, monkeypatch) -> None:
    in_world("demo")
    assert all(len(rows) > 1 for rows in reconciled.values())
    monkeypatch.setattr(engine, "connect", partial(connect, threads=2))
    assert rebuilt(open_tidy(stated("demo", memory_limit="300MB"), "demo")) == reconciled


@pytest.fixture(scope="module")
def on_spark():
    """Start Spark once for all tests; it stops with them."""
    required(importlib.util.find_spec("pyspark") is not None, "PySpark")
    required(shutil.which("java") is not None, "Java")
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Spark's own
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setattr(spark, "_LOCAL", {**spark._LOCAL, **QUICK})
        started = engine_of(Engine(backend="pyspark"))
        yield started
        started._session.stop()


@pytest.mark.usefixtures("on_spark")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("world", "asked"), ON_SPARK)
def test_cells_are_equal_on_spark(in_world, expected, world, asked) -> None:
    in_world(world)
    equal(written(world, asked, backend="pyspark"), expected[world, asked])


@pytest.mark.usefixtures("on_spark")
@pytest.mark.filterwarnings("ignore")
def test_reconciling_is_equal_on_spark(in_world, reconciled) -> None:
    in_world("demo")
    assert rebuilt(open_tidy(stated("demo", backend="pyspark"), "demo")) == reconciled


@pytest.fixture(scope="module")
def loaded(postgres, roots):
    """Tidy tables in a PostgreSQL server, a schema for each world; the server's own clock is another."""
    with postgres.connect() as connection:
        connection.execute("ALTER ROLE sojourn SET timezone = 'America/New_York'")
        for world, top in roots.items():
            connection.execute(f"CREATE SCHEMA {world}")
            for name in (*CONTRACT, *MADE, *QUALITY):
                path = top / f"data/tidy/demo/{name}.parquet"
                if path.is_file():
                    _copy(connection, f'{world}."{name}"', path)
    yield postgres
    with postgres.connect() as connection:
        connection.execute("ALTER ROLE sojourn RESET timezone")


def _copy(connection, name, path) -> None:
    table = pq.read_table(path)
    columns = ", ".join(f'"{field.name}" {TYPES[field.type]}' for field in table.schema)
    connection.execute(f"CREATE TABLE {name} ({columns})")
    lines = io.BytesIO()
    pyarrow.csv.write_csv(table, lines, pyarrow.csv.WriteOptions(include_header=False))
    with connection.cursor().copy(f"COPY {name} FROM STDIN (FORMAT csv)") as copy:
        copy.write(lines.getvalue())


@pytest.fixture
def in_postgres(loaded, monkeypatch):
    """Open tidy tables in PostgreSQL wherever they would be opened."""
    server = ibis.postgres.connect(
        host=str(loaded.folder),
        port=loaded.port,
        user="sojourn",
        password=postgres_server.PASSWORD,
        database="shop",
    )

    def opened(params, case):
        world = params.case(case)["prepare"]["world"]
        there = server.list_tables(database=world)
        tables, quality = (
            {name: server.table(name, database=world) for name in names if name in there}
            for names in ((*CONTRACT, *MADE), QUALITY)
        )
        meta = json.loads((root() / "data/tidy/demo/tidy.json").read_text(encoding="utf-8"))
        return Tidy(case, tables, meta, quality)

    monkeypatch.setattr(cells, "open_tidy", opened)
    yield opened
    server.disconnect()


@pytest.mark.parametrize(("world", "asked"), PAIRS)
def test_cells_are_equal_in_postgresql(in_postgres, in_world, expected, world, asked) -> None:
    in_world(world)
    equal(written(world, asked), expected[world, asked])


def test_reconciling_is_equal_in_postgresql(in_postgres, in_world, reconciled) -> None:
    in_world("demo")
    assert rebuilt(in_postgres(stated("demo"), "demo")) == reconciled


def test_microseconds_are_exact_in_postgresql(in_postgres, in_world, roots) -> None:
    in_world("demo")
    path = roots["demo"] / "data/tidy/demo/events.parquet"
    events = in_postgres(stated("demo"), "demo").tables["events"]
    found = events.select(at=in_micros(events.occurred_at)).order_by("at").to_pyarrow()["at"].to_pylist()
    assert found == sorted(pc.cast(pq.read_table(path)["occurred_at"], pa.int64()).to_pylist())


def test_without_pyspark_there_is_one_clear_error(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(ParameterError, match="needs PySpark, which is not installed"):
        engine_of(Engine(backend="pyspark"))


def test_without_what_spark_connect_needs_there_is_one_clear_error(monkeypatch) -> None:
    required(importlib.util.find_spec("pyspark") is not None, "PySpark")
    monkeypatch.setitem(sys.modules, "grpc", None)
    with pytest.raises(
        ParameterError, match=r"Spark at sc://nowhere:1 cannot be used .*'pyspark\[connect\]'"
    ):
        engine_of(Engine(backend="pyspark", address="sc://nowhere:1"))
