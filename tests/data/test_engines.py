"""Cells are equal on any engine: DuckDB with one thread or two, Spark, and PostgreSQL."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import shutil
import sys
import warnings
from importlib import import_module

import ibis
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import postgres_server
from sojourn.core.errors import ParameterError
from sojourn.core.params import Engine, read_params
from sojourn.core.schema import CONTRACT
from sojourn.data.cells import _exact
from sojourn.data.engine import connect, engine_of
from sojourn.data.prepare import prepare
from sojourn.data.tidy import MADE, Tidy
from sojourn.world import write_world

#: What each study is asked: changes to the parameters of its cells.
ASKED = {
    "cancelled": ("retention", {}),
    "silent": ("retention", {"churn": "silence", "lapse_days": 20, "groups": ["plan"]}),
    "no-purchase": ("retention", {"churn": "silence", "event": "purchase", "first_seen_after_days": 30}),
    "trials": ("trials", {"cost_per_member": {"coupon": 0.35}, "stratum": "region"}),
    "segments": ("segments", {}),
    "short-segments": ("segments", {"outcome_days": 30, "trend_days": 10, "kinds": 3, "sample_size": 40}),
    "portrait": ("portrait", {}),
}
WORLDS = {"demo": 250, "silent_churn": 150}
#: What makes Spark quick on next to nothing.
QUICK = {
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
}
TYPES = {
    pa.int64(): "bigint",
    pa.int32(): "integer",
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


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Tidy tables of some worlds, made by the door."""
    made = {}
    for world, members in WORLDS.items():
        top = tmp_path_factory.mktemp(world)
        raw = write_world(top / "world", members=members, seed=7, as_of="2025-07-01T00:00:00Z", world=world)
        tables = {name: path for name, path in raw.items() if not name.startswith("truth")}
        made[world] = prepare(read_params(), "demo", raw=tables, into=top / "tidy", threads=1)
    return made


def opened(folder, read) -> Tidy:
    """Open tidy tables by `read(name, path)`."""
    names = [name for name in (*CONTRACT, *MADE) if (folder / f"{name}.parquet").is_file()]
    tables = {name: read(name, folder / f"{name}.parquet") for name in names}
    return Tidy("demo", tables, json.loads((folder / "tidy.json").read_text(encoding="utf-8")))


def cells_of(tidy: Tidy, asked: str):
    """Return tables, as they would be stored, and what they say of themselves."""
    study, changes = ASKED[asked]
    room = import_module(f"sojourn.data.cells.{study}")
    params = {**read_params().for_cells("demo", study), **changes}
    tables = {name: _exact(table, name) for name, table in room.expressions(tidy, params).items()}
    return tables, room.describe(tidy, params)


def equal(found, expected) -> None:
    tables, said = found
    assert tables.keys() == expected[0].keys()
    for name, table in tables.items():
        assert table.equals(expected[0][name]), name
    assert said == expected[1]


@pytest.fixture(scope="module")
def expected(folders):
    """Cells of every world and question, on one thread of DuckDB."""
    made = {}
    for world, folder in folders.items():
        engine = connect(threads=1)
        tidy = opened(folder, lambda name, path, engine=engine: engine.read_parquet(path, table_name=name))
        made |= {(world, asked): cells_of(tidy, asked) for asked in ASKED}
    return made


PAIRS = [(world, asked) for world in WORLDS for asked in ASKED]


@pytest.mark.parametrize(("world", "asked"), PAIRS)
def test_the_cells_of_a_world_hold_something(expected, world, asked) -> None:
    tables, said = expected[world, asked]
    assert all(table.num_rows for name, table in tables.items() if name != "returns")
    assert said


@pytest.mark.parametrize(("world", "asked"), PAIRS)
def test_cells_are_equal_on_two_threads(folders, expected, world, asked) -> None:
    engine = connect(threads=2, memory_limit="500MB")
    found = opened(folders[world], lambda name, path: engine.read_parquet(path, table_name=name))
    equal(cells_of(found, asked), expected[world, asked])


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    required(importlib.util.find_spec("pyspark") is not None, "PySpark")
    required(shutil.which("java") is not None, "Java")
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Spark's own
        engine = engine_of(Engine(backend="pyspark"))
        for name, value in QUICK.items():
            engine._session.conf.set(name, value)
        yield engine
        engine._session.stop()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("asked", ASKED)
def test_cells_are_equal_on_spark(spark, folders, expected, asked) -> None:
    world = "demo"
    found = opened(folders[world], lambda name, path: spark.read_parquet(str(path), table_name=name))
    equal(cells_of(found, asked), expected[world, asked])


@pytest.fixture(scope="module")
def loaded(postgres, folders):
    """Tidy tables in a PostgreSQL server, a schema for each world."""
    for world, folder in folders.items():
        with postgres.connect() as connection:
            connection.execute(f"CREATE SCHEMA {world}")
            opened(folder, lambda name, path, c=connection, w=world: _copy(c, f"{w}.{name}", path))
    return postgres


def _copy(connection, name, path) -> None:
    table = pq.read_table(path)
    columns = ", ".join(f'"{field.name}" {TYPES[field.type]}' for field in table.schema)
    connection.execute(f"CREATE TABLE {name} ({columns})")
    lines = io.BytesIO()
    pyarrow.csv.write_csv(table, lines, pyarrow.csv.WriteOptions(include_header=False))
    with connection.cursor().copy(f"COPY {name} FROM STDIN (FORMAT csv)") as copy:
        copy.write(lines.getvalue())


@pytest.mark.parametrize(("world", "asked"), PAIRS)
def test_cells_are_equal_from_postgresql(loaded, folders, expected, world, asked) -> None:
    engine = ibis.postgres.connect(
        host=str(loaded.folder),
        port=loaded.port,
        user="sojourn",
        password=postgres_server.PASSWORD,
        database="shop",
    )
    try:
        found = opened(folders[world], lambda name, _: engine.table(name, database=world))
        equal(cells_of(found, asked), expected[world, asked])
    finally:
        engine.disconnect()


def test_without_pyspark_there_is_one_clear_error(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(ParameterError, match="needs PySpark, which is not installed"):
        engine_of(Engine(backend="pyspark"))
